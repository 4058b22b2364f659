//! Where a listing continues, as text.
//!
//! A cursor names the request that it belongs to (as a fingerprint), the place in it (which answer, how many of its
//! elements were taken, and a digest of those), what was counted so far, and a digest of all this. It has no secret in it and says nothing to
//! a host. Hosts must not read it: the form may change with any version of the connector.

use crate::contract::Counts;

/// The first part of every cursor; a new form gets a new one.
const FORM: &str = "2";

/// A place in a listing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cursor {
    /// Which stage of the plan, counted from 0.
    pub stage: u64,
    /// Where in the stage. What the numbers mean is up to the stage: how many elements were taken and their digest, or, for
    /// events, identifiers.
    pub place: [u64; 3],
    /// What was given so far.
    pub counts: Counts,
}

impl Cursor {
    /// As text, for the request with this fingerprint.
    pub fn to_text(self, fingerprint: u64) -> String {
        let Counts {
            accounts,
            roles,
            grants,
            organizations,
            events,
        } = self.counts;
        let numbers = [
            fingerprint,
            self.stage,
            self.place[0],
            self.place[1],
            self.place[2],
            accounts,
            roles,
            grants,
            organizations,
            events,
        ];
        let mut text = FORM.to_string();
        for number in numbers {
            text += &format!(".{number:x}");
        }
        // The counts would otherwise be believed, whatever became of them on the way.
        let mut digest = Digest::default();
        digest.add_text(&text);
        text + &format!(".{:x}", digest.value())
    }

    /// Reads a cursor of the request with this fingerprint; `None` for anything else.
    pub fn parse(text: &str, fingerprint: u64) -> Option<Self> {
        let mut rest = text.strip_prefix(FORM)?.strip_prefix('.')?.split('.');
        let mut numbers = [0; 10];
        for number in &mut numbers {
            *number = u64::from_str_radix(rest.next()?, 16).ok()?;
        }
        let [
            of,
            stage,
            one,
            two,
            three,
            accounts,
            roles,
            grants,
            organizations,
            events,
        ] = numbers;
        let counts = Counts {
            accounts,
            roles,
            grants,
            organizations,
            events,
        };
        let cursor = Cursor {
            stage,
            place: [one, two, three],
            counts,
        };
        (of == fingerprint && cursor.to_text(fingerprint) == text).then_some(cursor)
    }
}

/// A running digest: FNV-1a with 64 bits. It tells accidental differences apart; it is no protection against a forger, who
/// would gain nothing by a forged cursor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Digest(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Adds text, so that where it ends is part of the digest.
    pub fn add_text(&mut self, text: &str) {
        self.add(text.as_bytes());
        self.add(&[0xFF]);
    }

    /// The digest so far.
    pub fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts {
        accounts: 5,
        roles: 0,
        grants: u64::MAX,
        organizations: 1,
        events: 0,
    };
    const CURSOR: Cursor = Cursor {
        stage: 1,
        place: [77, 0xDEAD_BEEF, 0],
        counts: COUNTS,
    };

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        assert_eq!(Cursor::parse(&CURSOR.to_text(42), 42), Some(CURSOR));
    }

    #[test]
    fn a_cursor_of_another_request_is_none() {
        assert_eq!(Cursor::parse(&CURSOR.to_text(42), 43), None);
    }

    #[test]
    fn anything_else_is_no_cursor() {
        let good = CURSOR.to_text(42);
        for text in [
            "",
            "2",
            "2.",
            "1.2a.1",
            "2.2a.1.4d",
            &format!("{good}.0"),
            &good.replace('d', "D"),
            &format!(" {good}"),
            &good.replace("2.2a", "2.+2a"),
            &good.replace(".5.", ".6."),
        ] {
            assert_eq!(Cursor::parse(text, 42), None, "{text:?}");
        }
    }
}
