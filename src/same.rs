//! When two texts are the same to people, although they are written in another way.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed as Normalizer;

/// How much of a text that a host gave is repeated in an error, in characters.
const MOST_SHOWN: usize = 100;

/// An address in the form in which addresses are compared: those of one form are taken for one person's.
///
/// What NinjaOne takes for the same is not known. Two accounts for one person are worse than a look at one that is there
/// already, so this errs on that side: white space and invisible characters do not count, nor does the case of any letter
/// (with or without a dot on the i), nor whether an accent is a character of its own (NFC) or ASCII is written in full width.
/// What Unicode calls compatible beyond that (NFKC), such as a ligature, is taken for something else.
pub(crate) fn address(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_uppercase();
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let nfc = Normalizer::new_nfc();
    let visible = nfc
        .normalize_iter(text.chars().map(of_usual_width))
        .filter(|c| !c.is_whitespace() && !is_invisible(*c));
    // By way of upper case, since several letters have one in common: ı and i, ſ and s, ß and ss; and ẞ has it by way of ß.
    let folded = visible
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    const DOT_ABOVE: char = '\u{307}';
    let folded = nfc.normalize_iter(folded);
    Cow::Owned(folded.filter(|c| *c != DOT_ABOVE).collect())
}

/// A text as people mean it: without white space at its ends, with one space for any other, and in the form of Unicode that
/// most systems store (NFC).
pub(crate) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !tidy.is_empty() {
            tidy.push(' ');
        }
        tidy.push_str(word);
    }
    Normalizer::new_nfc().normalize(&tidy).into_owned()
}

/// The start of a text that a host gave, which may have any length.
pub(crate) fn start(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// The character of ASCII for one in full width, as East Asian keyboards write it.
fn of_usual_width(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Zero-width characters, marks of direction, and the soft hyphen.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        for (one, other) in [
            ("Ren.Sato@Example.com ", "ren.sato@example.com"),
            ("ren.sato\u{200b}@example.com", "ren.sato@example.com"),
            ("RENÉ@example.com", "rene\u{301}@example.com"),
            ("KORİ@example.com", "kori@example.com"),
            ("korı@example.com", "KORI@example.com"),
            ("ｒｅｎ＠example.com", "ren@example.com"),
            ("strasse@example.com", "STRAẞE@example.com"),
            ("ΣΊΣΥΦΟΣ@example.com", "σίσυφος@example.com"),
        ] {
            assert_eq!(address(one), address(other), "{one} {other}");
        }
    }

    #[test]
    fn other_addresses_are_others() {
        for (one, other) in [
            ("rene@example.com", "rené@example.com"),
            ("ren.sato@example.com", "rensato@example.com"),
            ("ren@example.com", "ren@example.org"),
        ] {
            assert_ne!(address(one), address(other));
        }
    }

    #[test]
    fn a_tidy_text_has_single_spaces_and_composed_letters() {
        assert_eq!(tidy(" van \t Dijk\u{a0}"), "van Dijk");
        assert_eq!(tidy("Rene\u{301}"), "René");
    }
}
