//! The ways by which text gets into the page. What HTML would take for markup is escaped by `maud`, in which the page is written.

use std::fmt;

use maud::{Markup, Render, html};
use serde::Serialize;

use connector_escape as escape;

/// Text of this program's own, or of the connected system, as it is shown: characters that cannot be seen or turn the direction of
/// writing are made visible.
pub struct Text<'a>(pub &'a str);

impl Render for Text<'_> {
    fn render_to(&self, page: &mut String) {
        escape::one_line(self.0).render_to(page);
    }
}

/// A name that the connected system gave: its direction of writing stays within it.
pub struct Name<'a>(pub &'a str);

impl Render for Name<'_> {
    fn render(&self) -> Markup {
        html! { bdi { (Text(self.0)) } }
    }
}

/// A number, with its thousands apart.
pub struct Number(pub u64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            fmt::Write::write_char(f, digit)?;
        }
        Ok(())
    }
}

impl Render for Number {
    fn render_to(&self, page: &mut String) {
        maud::display(self).render_to(page);
    }
}

/// As in `1 account` and `no roles`.
pub fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        count => format!("{} {what}s", Number(count as u64)),
    }
}

/// Data for the script, as JSON that can stand in a `<script>`: nothing in it ends that element or begins another, and no
/// character in it is invisible.
pub fn json(data: &impl Serialize) -> serde_json::Result<String> {
    let json = serde_json::to_string(data)?;
    Ok(without_markup(&escape::json(&json)))
}

/// In JSON these characters are in strings only, where an escape says the same.
fn without_markup(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "</script><script>alert(1)</script><!-- & \u{2028}\u{202e}\"'";

    #[test]
    fn text_is_no_markup() {
        let text = html! { p title=(Text(HOSTILE)) { (Text(HOSTILE)) } }.into_string();
        let inside = text
            .strip_prefix("<p title=\"")
            .and_then(|text| text.strip_suffix("</p>"));
        let inside = inside
            .expect("the element is around it")
            .replacen("\">", "", 1);
        assert!(!inside.contains(['<', '>', '"']), "{text}");
        assert!(
            text.contains("&amp;") && text.contains("\\u{202e}"),
            "{text}"
        );
    }

    #[test]
    fn json_is_no_markup_and_says_the_same() {
        let json = json(&[HOSTILE]).expect("it has a JSON form");
        assert!(!json.contains(['<', '>', '&']) && json.is_ascii(), "{json}");
        let back: Vec<String> = serde_json::from_str(&json).expect("it is JSON");
        assert_eq!(back, [HOSTILE]);
    }

    #[test]
    fn thousands_are_apart() {
        let shown = [7, 999, 1000, 12_345_678].map(|number| Number(number).to_string());
        assert_eq!(shown, ["7", "999", "1,000", "12,345,678"]);
    }
}
