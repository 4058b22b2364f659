//! Text from files and from the environment, as Windows and other systems write it: with a byte-order mark before it, with a
//! carriage return behind it, or in UTF-16, which is refused by its name.
//!
//! Some of it is secret, so nothing here shows any of it.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

/// The byte-order mark of UTF-8, as a character and as bytes.
const MARK: char = '\u{feff}';
const MARK_UTF_8: &[u8] = b"\xef\xbb\xbf";
const MARKS_UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Why a file cannot be taken for text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    #[error(
        "it is UTF-16, as Windows PowerShell writes it. Write it as UTF-8: in PowerShell with `Set-Content -Encoding utf8`, elsewhere \
         with `iconv -f UTF-16 -t UTF-8`"
    )]
    Utf16,
    #[error("it is not text in UTF-8")]
    NotUtf8,
}

/// Reads a file of text.
pub fn read(path: &Path) -> Result<String, Error> {
    decode(&fs::read(path)?).map(str::to_string)
}

/// Reads a secret from a file, or with `-` from standard input. A line break at its end does not belong to it.
pub fn read_secret(path: &Path) -> Result<SecretString, Error> {
    let mut bytes = Zeroizing::new(Vec::new());
    if path == Path::new("-") {
        io::stdin().read_to_end(&mut bytes)?;
    } else {
        *bytes = fs::read(path)?;
    }
    Ok(value(decode(&bytes)?).into())
}

/// A value that may come out of a file by way of a variable or of an argument: without a mark before it and a line break behind it,
/// neither of which anybody means.
pub fn value(text: &str) -> &str {
    text.trim_start_matches(MARK).trim_end_matches(['\r', '\n'])
}

/// The bytes of a file that need not be UTF-8, without the mark before them.
pub fn without_mark(bytes: &[u8]) -> Result<&[u8], Error> {
    // The first character of a text is one of ASCII nearly always, of which UTF-16 makes a byte and a zero.
    let begins_with_zero = matches!(bytes, [0, 1..=255, ..] | [1..=255, 0, ..]);
    if begins_with_zero || MARKS_UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err(Error::Utf16);
    }
    Ok(bytes.strip_prefix(MARK_UTF_8).unwrap_or(bytes))
}

fn decode(bytes: &[u8]) -> Result<&str, Error> {
    let bytes = without_mark(bytes)?;
    // No text has a zero in it: what begins with other than ASCII may be UTF-16 all the same.
    if bytes.contains(&0) {
        return Err(Error::Utf16);
    }
    std::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn a_mark_before_a_text_does_not_belong_to_it() {
        for (bytes, text) in [
            (&b"\xef\xbb\xbfsec\r\n"[..], "sec\r\n"),
            (b"sec", "sec"),
            (b"\xef\xbb\xbf", ""),
            (b"", ""),
            ("\u{feff}é".as_bytes(), "é"),
        ] {
            assert_eq!(decode(bytes).expect("it is text"), text);
        }
    }

    #[test]
    fn utf_16_is_told_in_either_order_with_a_mark_or_without() {
        for text in ["s", "sec", "sec\r\n", "é\n", "李\n"] {
            for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                for text in [text.to_string(), format!("\u{feff}{text}")] {
                    let error = decode(&utf_16(&text, to_bytes)).expect_err("it is UTF-16");
                    assert!(matches!(error, Error::Utf16), "{text:?}: {error}");
                    let said = error.to_string();
                    assert!(said.contains("UTF-16") && said.contains("UTF-8"), "{said}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_utf_8_is_refused_and_not_shown() {
        let error = decode(b"hunter2\xff").expect_err("it is not UTF-8");
        assert!(matches!(error, Error::NotUtf8), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }

    #[test]
    fn a_file_in_another_encoding_than_utf_8_only_loses_its_mark() {
        let latin_1 = b"# Autorit\xe9\n-----BEGIN CERTIFICATE-----\n";
        assert_eq!(without_mark(latin_1).expect("it is no UTF-16"), latin_1);
        let der = b"\x30\x82\x01\x00\x00";
        assert_eq!(without_mark(der).expect("it is no UTF-16"), der);
    }

    #[test]
    fn what_a_shell_makes_of_a_file_from_windows_is_the_value_in_it() {
        assert_eq!(value("\u{feff}sec\r"), "sec");
        assert_eq!(value("sec\r\n"), "sec");
        assert_eq!(value(" a b "), " a b ");
    }
}
