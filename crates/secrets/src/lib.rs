//! Finds a secret in a text in whichever spelling it stands there, and blanks it.
//!
//! A server that fails may repeat what it was sent, and seldom as it was sent: JSON has `\/` for a slash, a form `%2F`, a web
//! page `&#47;`, and one of them may be within another. Whoever looks for the secret as it is finds none of these.
//!
//! ```
//! let said = r#"cannot handle client_secret=s3cr3t\/Val%2Bue&#61;= of application 7"#;
//! let blanked = secrets::blank(said, "s3cr3t/Val+ue==", "[secret]");
//! assert_eq!(blanked, "cannot handle client_secret=[secret] of application 7");
//! ```
//!
//! # What is found
//!
//! A secret of four bytes or more, anywhere in a text, whichever the case of its ASCII letters. Each of its characters may be
//! spelled in another way than the one before:
//!
//! - as it is;
//! - percent-encoded, `%2F` or `%2f`, also where it need not be; a space as `+`, and a plus sign as the space for which it was
//!   taken;
//! - with backslashes, as many as there are: `\/`, `\"`, `\u002f`, `\u{2f}`, `\x2f`, and surrogate pairs;
//! - as a character reference of HTML, by number (`&#47;`, `&#x2F;`) or, for ASCII, by name (`&amp;`, `&sol;`);
//! - and as each of these within another, three deep.
//!
//! A secret of which the text has the beginning only counts too, from four bytes on, where the text ends there or goes on with
//! `…` or `...`: such a text was shortened.
//!
//! # What is not found
//!
//! - A secret of fewer than four bytes is found only exactly as it is, and where no letter or digit stands beside it. It would
//!   otherwise be found in half of all words.
//! - A secret in base64, or hashed, or of which the beginning is missing.
//!
//! What this crate does not know: which secrets there are, and what the texts are for.

#![no_std]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod reading;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use reading::{CutOff, Text, begins_escape};

/// The fewest bytes by which a secret is known in another spelling, or by its beginning.
const FEWEST: usize = 4;

/// Where a secret stands in a text at first, from a place on. The range ends where characters end, if both are UTF-8.
pub fn find(text: &[u8], secret: &[u8], from: usize) -> Option<Range<usize>> {
    if secret.len() < FEWEST {
        return find_word(text, secret, from);
    }
    let mut search = Search::new(text, secret);
    let mut start = from;
    loop {
        let rest = text.get(start..)?;
        start += rest.iter().position(|byte| search.may_begin_with(*byte))?;
        if let Some(end) = search.end_of_match(start) {
            return Some(start..end);
        }
        start += 1;
    }
}

/// A text with a placeholder wherever the secret stood.
pub fn blank<'a>(text: &'a str, secret: &str, placeholder: &str) -> Cow<'a, str> {
    let mut blanked = String::new();
    let mut rest = 0;
    while let Some(found) = find(text.as_bytes(), secret.as_bytes(), rest) {
        blanked.push_str(&text[rest..found.start]);
        blanked.push_str(placeholder);
        rest = found.end;
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    blanked.push_str(&text[rest..]);
    Cow::Owned(blanked)
}

/// As [`blank`], for a text of which it is not known whether it is UTF-8.
pub fn blank_bytes<'a>(text: &'a [u8], secret: &[u8], placeholder: &[u8]) -> Cow<'a, [u8]> {
    let mut blanked = Vec::new();
    let mut rest = 0;
    while let Some(found) = find(text, secret, rest) {
        blanked.extend_from_slice(&text[rest..found.start]);
        blanked.extend_from_slice(placeholder);
        rest = found.end;
    }
    if rest == 0 {
        return Cow::Borrowed(text);
    }
    blanked.extend_from_slice(&text[rest..]);
    Cow::Owned(blanked)
}

/// A short secret: exactly as it is, and by itself.
fn find_word(text: &[u8], secret: &[u8], from: usize) -> Option<Range<usize>> {
    if secret.is_empty() {
        return None;
    }
    let is_outside = |byte: Option<&u8>| !byte.is_some_and(u8::is_ascii_alphanumeric);
    text.windows(secret.len())
        .enumerate()
        .skip(from)
        .find(|(start, window)| {
            let before = start.checked_sub(1).and_then(|at| text.get(at));
            *window == secret && is_outside(before) && is_outside(text.get(start + secret.len()))
        })
        .map(|(start, window)| start..start + window.len())
}

/// A character of a secret, or a byte of it that belongs to none.
struct Letter<'a> {
    bytes: &'a [u8],
    character: Option<char>,
}

/// Looks for one secret in one text.
struct Search<'a> {
    text: Text<'a>,
    secret: &'a [u8],
    /// Where the letters read so far may end: several places, since a letter may be read in several ways.
    ends: Vec<usize>,
    /// Where the next letter may end.
    next: Vec<usize>,
    /// Where the text ended or was cut off in the middle of the secret.
    cut_off: Option<usize>,
}

impl<'a> Search<'a> {
    fn new(text: &'a [u8], secret: &'a [u8]) -> Self {
        Search {
            text: Text(text),
            secret,
            ends: Vec::new(),
            next: Vec::new(),
            cut_off: None,
        }
    }

    /// Whether the secret can begin with this byte of the text.
    fn may_begin_with(&self, byte: u8) -> bool {
        let first = self.secret[0];
        byte.eq_ignore_ascii_case(&first) || begins_escape(byte) || (byte == b' ' && first == b'+')
    }

    /// Where the secret ends, if it begins here.
    fn end_of_match(&mut self, start: usize) -> Option<usize> {
        self.ends.clear();
        self.ends.push(start);
        self.cut_off = None;
        let mut taken = 0;
        for letter in letters(self.secret) {
            let may_be_cut = taken >= FEWEST;
            self.take(&letter, may_be_cut);
            if self.ends.is_empty() {
                return self.cut_off;
            }
            taken += letter.bytes.len();
        }
        // The longest, lest the rest of an escape be left.
        self.ends.iter().copied().max()
    }

    /// Goes on by one letter.
    fn take(&mut self, letter: &Letter, may_be_cut: bool) {
        if let Some(character) = letter.character.filter(|_| letter.bytes.len() > 1) {
            let mut whole = Vec::new();
            for at in &self.ends {
                for reading in self.text.readings(*at).flatten() {
                    if reading.0.is_character(character) {
                        add(&mut whole, reading.1);
                    }
                }
            }
            for byte in letter.bytes {
                self.take_byte(*byte, may_be_cut);
            }
            whole.into_iter().for_each(|end| add(&mut self.ends, end));
        } else {
            self.take_byte(letter.bytes[0], may_be_cut);
        }
    }

    /// Goes on by one byte.
    fn take_byte(&mut self, byte: u8, may_be_cut: bool) {
        self.next.clear();
        for at in &self.ends {
            let mut cut_off = self.text.ends_at(*at).then_some(*at);
            for reading in self.text.readings(*at) {
                match reading {
                    Ok((unit, end)) if unit.is_byte(byte) => add(&mut self.next, end),
                    Ok(_) => {}
                    Err(CutOff(end)) => cut_off = Some(end),
                }
            }
            if may_be_cut {
                self.cut_off = self.cut_off.max(cut_off);
            }
        }
        core::mem::swap(&mut self.ends, &mut self.next);
    }
}

fn add(places: &mut Vec<usize>, place: usize) {
    if !places.contains(&place) {
        places.push(place);
    }
}

fn letters(secret: &[u8]) -> impl Iterator<Item = Letter<'_>> {
    secret.utf8_chunks().flat_map(|chunk| {
        let (valid, invalid) = (chunk.valid(), chunk.invalid());
        let characters = valid.char_indices().map(move |(at, character)| Letter {
            bytes: &valid.as_bytes()[at..at + character.len_utf8()],
            character: Some(character),
        });
        let others = invalid.chunks(1).map(|bytes| Letter {
            bytes,
            character: None,
        });
        characters.chain(others)
    })
}

#[cfg(test)]
mod tests;
