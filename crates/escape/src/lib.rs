//! Makes text of another system safe for a terminal and a log: what would move the cursor, change colors, turn the direction of
//! writing or hide is shown as an escape instead of taking effect.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes everything that a terminal acts on, line breaks included: `\u{1b}`, `\n`.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, |escaped, c| match c {
        '\n' => escaped.push_str("\\n"),
        '\t' => escaped.push_str("\\t"),
        '\r' => escaped.push_str("\\r"),
        c => escaped.extend(c.escape_unicode()),
    })
}

/// Escapes like [`one_line`], and keeps line breaks.
pub fn lines(text: &str) -> String {
    text.split('\n')
        .map(one_line)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Escapes in JSON text, where such characters can only be part of a string, by JSON's own escapes.
pub fn json(text: &str) -> Cow<'_, str> {
    escape(text, |escaped, c| {
        // All of them are in the basic plane, so four digits do. Writing to a string cannot fail.
        let _ = write!(escaped, "\\u{:04x}", u32::from(c));
    })
}

fn escape(text: &str, escape_one: impl Fn(&mut String, char)) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_invisible(c) {
            escape_one(&mut escaped, c);
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Whether a character controls a terminal, or hides text, breaks lines or turns the direction of writing.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert!(matches!(
            one_line("Zoë Müller 李"),
            Cow::Borrowed("Zoë Müller 李")
        ));
    }

    #[test]
    fn a_terminal_escape_becomes_visible() {
        assert_eq!(one_line("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(one_line("\u{9b}2J"), "\\u{9b}2J");
    }

    #[test]
    fn a_value_stays_on_its_line() {
        assert_eq!(one_line("a\r\nb\tc"), "a\\r\\nb\\tc");
    }

    #[test]
    fn the_direction_of_writing_stays() {
        assert_eq!(one_line("abc\u{202e}fed"), "abc\\u{202e}fed");
        assert_eq!(one_line("abc\u{61c}fed"), "abc\\u{61c}fed");
    }

    #[test]
    fn help_keeps_its_lines() {
        assert_eq!(lines("one\ntwo\u{7}"), "one\ntwo\\u{7}");
    }

    #[test]
    fn json_stays_json() {
        let text =
            serde_json::to_string("\u{9b}\u{7f}\u{202e}x").expect("a string has a JSON form");
        let escaped = json(&text);
        assert!(escaped.is_ascii(), "{escaped}");
        let back: String = serde_json::from_str(&escaped).expect("it is still JSON");
        assert_eq!(back, "\u{9b}\u{7f}\u{202e}x");
    }
}
