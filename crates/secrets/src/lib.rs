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

/// In how many places the letters read so far may end before that is work to be counted. Only runs of backslashes get there.
const MOST_PLACES: usize = 16;
/// How many bytes a character has at most.
const LONGEST_CHARACTER: usize = 4;
/// By how many letters a long secret is known once a text has cost too much to read: see [`find_all`].
const SURE: usize = 16;

/// Where a secret stands in a text at first, from a place on. The range ends where characters end, if both are UTF-8.
pub fn find(text: &[u8], secret: &[u8], from: usize) -> Option<Range<usize>> {
    Search::new(text, secret, from).next()
}

/// Wherever a secret stands in a text, from its beginning on. No range overlaps another.
///
/// Who makes a text can make it slow to read: full of what begins like the secret and goes on otherwise. The work is in
/// proportion to the length of the text all the same. Where long beginnings that came to nothing have cost as many letters as
/// the text is long, from there on the first 16 letters of the secret count as the secret, with all that follows as in it:
/// rather too much is found than too little. So does a beginning of fewer letters that can be read in many ways, which only
/// backslashes can.
pub fn find_all<'a>(
    text: &'a [u8],
    secret: &'a [u8],
) -> impl Iterator<Item = Range<usize>> + use<'a> {
    Search::new(text, secret, 0)
}

/// A text with a placeholder wherever the secret stood.
pub fn blank<'a>(text: &'a str, secret: &str, placeholder: &str) -> Cow<'a, str> {
    let mut blanked = String::new();
    let mut rest = 0;
    for found in find_all(text.as_bytes(), secret.as_bytes()) {
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
    for found in find_all(text, secret) {
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
    /// From where on to look.
    from: usize,
    /// How much may still be read beyond the first [`SURE`] letters in vain, or in more than [`MOST_PLACES`].
    spare: usize,
}

impl Iterator for Search<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let found = match self.secret.len() < FEWEST {
            true => find_word(self.text.0, self.secret, self.from),
            false => self.find(),
        };
        self.from = found.as_ref().map_or(self.text.0.len(), |found| found.end);
        found
    }
}

impl<'a> Search<'a> {
    fn new(text: &'a [u8], secret: &'a [u8], from: usize) -> Self {
        Search {
            text: Text(text),
            secret,
            ends: Vec::new(),
            next: Vec::new(),
            cut_off: None,
            from,
            spare: text.len(),
        }
    }

    fn find(&mut self) -> Option<Range<usize>> {
        let mut start = self.from;
        loop {
            let rest = self.text.0.get(start..)?;
            start += rest.iter().position(|byte| self.may_begin_with(*byte))?;
            if self.secret[0] != b'\\' {
                start = self.text.skip_backslashes(start);
            }
            if let Some(end) = self.end_of_match(start) {
                return Some(start..end);
            }
            start += 1;
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
        let mut is_sure = false;
        for (count, letter) in letters(self.secret).enumerate() {
            let may_be_cut = taken >= FEWEST;
            is_sure |= count >= SURE || self.ends.len() > MOST_PLACES;
            if self.ends.len() > MOST_PLACES && !self.spend(self.ends.len().pow(2)) {
                self.ends.sort_unstable();
                self.ends.drain(..self.ends.len() - MOST_PLACES);
            }
            let so_far = is_sure.then(|| self.ends.iter().copied().max()).flatten();
            self.take(&letter, may_be_cut);
            if self.ends.is_empty() {
                let is_spent = is_sure && !self.spend((count + 1).saturating_sub(SURE).max(1));
                return self.cut_off.max(so_far.filter(|_| is_spent));
            }
            taken += letter.bytes.len();
        }
        // The longest, so that no rest of an escape is left.
        self.ends.iter().copied().max()
    }

    /// Whether there was still so much to spare.
    fn spend(&mut self, letters: usize) -> bool {
        let left = self.spare.checked_sub(letters);
        self.spare = left.unwrap_or(0);
        left.is_some()
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

/// The letters, each made out when it is asked for: most are looked at no further than the first.
fn letters(mut secret: &[u8]) -> impl Iterator<Item = Letter<'_>> {
    core::iter::from_fn(move || {
        let chunk = secret[..secret.len().min(LONGEST_CHARACTER)]
            .utf8_chunks()
            .next()?;
        let character = chunk.valid().chars().next();
        let (bytes, rest) = secret.split_at(character.map_or(1, char::len_utf8));
        secret = rest;
        Some(Letter { bytes, character })
    })
}

#[cfg(test)]
mod tests;
