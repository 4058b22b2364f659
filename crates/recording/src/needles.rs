//! Finds values that are known to be secret, wherever they come up.

use std::cell::OnceCell;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use crate::edits::Edit;

/// The shortest value that is looked for everywhere. A shorter one would be found in words that have nothing to do with it.
const SHORTEST: usize = 8;
/// The shortest that is looked for where no letter or digit stands beside it, if somebody asked for it.
const SHORTEST_WORD: usize = 4;
/// How many values are looked for that came up on the way. Cookies may be others with each answer; what is in use comes up again.
const MOST: usize = 32;
/// By how many of its bytes a value is looked for in base64. Who chooses a value could otherwise choose how much memory that takes.
const MOST_IN_BASE64: usize = 4096;

/// Values to look for.
#[derive(Default)]
pub(crate) struct Needles {
    /// Those that came up last are last.
    values: Vec<Value>,
    /// Finds their base64, all at once; made when it is needed.
    base64: OnceCell<Base64>,
}

struct Value {
    bytes: Vec<u8>,
    placeholder: &'static str,
    /// Whether it is looked for until the end.
    is_kept: bool,
}

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Said by the other side, who may have shortened it: the beginning of a secret at its end is one.
    Answered,
    /// Sent by a connector, who shortens nothing.
    Sent,
}

impl Needles {
    /// Looks for this from now on, until the end.
    pub(crate) fn keep(&mut self, value: &[u8], placeholder: &'static str) {
        if value.len() >= SHORTEST_WORD && value != placeholder.as_bytes() {
            self.add(value, placeholder, true);
        }
    }

    /// Looks for this from now on, as long as it comes up again.
    pub(crate) fn learn(&mut self, value: &[u8], placeholder: &'static str) {
        if value.len() < SHORTEST || value == placeholder.as_bytes() {
            return;
        }
        self.add(value, placeholder, false);
        let learned = self.values.iter().filter(|value| !value.is_kept).count();
        if learned > MOST
            && let Some(oldest) = self.values.iter().position(|value| !value.is_kept)
        {
            self.values.remove(oldest);
        }
    }

    fn add(&mut self, bytes: &[u8], placeholder: &'static str, is_kept: bool) {
        let known = self.values.iter().position(|value| value.bytes == bytes);
        let known = known.map(|at| self.values.remove(at));
        // Who learned its name knows better what it is.
        let is_new = known
            .as_ref()
            .is_none_or(|known| !is_kept && known.placeholder != placeholder);
        let value = match known {
            Some(known) if !is_new => known,
            known => Value {
                bytes: bytes.to_vec(),
                placeholder,
                is_kept: is_kept || known.is_some_and(|known| known.is_kept),
            },
        };
        self.values.push(value);
        if is_new {
            self.base64.take();
        }
    }

    /// Where the values are in a text, in whichever spelling, and in base64.
    pub(crate) fn find(&self, text: &[u8], kind: Text) -> Vec<Edit> {
        let mut edits = self.base64().find(text);
        // What has something after it is not shortened.
        let with_end = (kind == Text::Sent).then(|| [text, b"\0"].concat());
        let searched = with_end.as_deref().unwrap_or(text);
        for value in &self.values {
            edits.extend(value.find(searched));
        }
        edits
    }

    fn base64(&self) -> &Base64 {
        self.base64.get_or_init(|| Base64::new(&self.values))
    }
}

impl Value {
    fn find<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Edit> + use<'a> {
        let all = secrets::find_all(text, &self.bytes);
        all.filter(|found| self.bytes.len() >= SHORTEST || is_word(text, found))
            .map(|found| (found, self.placeholder))
    }
}

/// Whether no letter or digit stands beside it.
fn is_word(text: &[u8], range: &Range<usize>) -> bool {
    let before = range.start.checked_sub(1).and_then(|at| text.get(at));
    let beside = before.into_iter().chain(text.get(range.end));
    !beside.into_iter().any(u8::is_ascii_alphanumeric)
}

/// Finds values in base64.
///
/// Beside them others may be encoded, as in HTTP Basic: three bytes make four characters, so a value looks in three ways. What
/// is found of one within is all but the characters at its ends that also hold bits of what is beside it.
struct Base64 {
    finder: AhoCorasick,
    placeholders: Vec<&'static str>,
}

impl Base64 {
    fn new(values: &[Value]) -> Self {
        let long = values.iter().filter(|value| value.bytes.len() >= SHORTEST);
        let forms = long.flat_map(|value| {
            let beginning = &value.bytes[..value.bytes.len().min(MOST_IN_BASE64)];
            let forms = forms(beginning).into_iter();
            forms.map(|form| (form, value.placeholder))
        });
        let (patterns, placeholders): (Vec<_>, Vec<_>) = forms.unzip();
        let finder = AhoCorasick::builder()
            // One may be a part of another.
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(patterns)
            .expect("a few secrets are not more than a finder can have");
        Self {
            finder,
            placeholders,
        }
    }

    fn find(&self, text: &[u8]) -> Vec<Edit> {
        let found = self.finder.find_iter(text);
        found
            .map(|found| {
                let mut range = found.range();
                // What is as long as this is the beginning of a value only: its rest is whatever of base64 follows.
                if range.len() >= MOST_IN_BASE64 {
                    let rest = text[range.end..].iter();
                    range.end += rest.take_while(|byte| is_base64(**byte)).count();
                }
                (range, self.placeholders[found.pattern().as_usize()])
            })
            .collect()
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)
}

fn forms(value: &[u8]) -> Vec<String> {
    // By itself, with and without the signs that fill up the last four characters; and within.
    let mut forms = vec![STANDARD.encode(value), URL_SAFE.encode(value)];
    for before in 0..3 {
        let encoded = [&b"\0\0"[..before], value].concat();
        let first = (before * 8).div_ceil(6);
        let end = encoded.len() * 8 / 6;
        forms.push(STANDARD_NO_PAD.encode(&encoded)[first..end].to_string());
        forms.push(URL_SAFE_NO_PAD.encode(&encoded)[first..end].to_string());
    }
    forms.push(STANDARD_NO_PAD.encode(value));
    forms.push(URL_SAFE_NO_PAD.encode(value));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::Edits;

    fn blank(needles: &Needles, text: &str, kind: Text) -> String {
        let edits = Edits::new(needles.find(text.as_bytes(), kind));
        String::from_utf8(edits.apply(text.as_bytes())).expect("texts are replaced by text")
    }

    fn knowing(value: &str) -> Needles {
        let mut needles = Needles::default();
        needles.learn(value.as_bytes(), "X");
        needles
    }

    #[test]
    fn a_value_is_found_within_base64_wherever_it_stands_there() {
        let needles = knowing("hunter2/§");
        for before in ["", "a", "ab", "abc"] {
            for after in ["", "d", "de"] {
                let text = format!("{before}hunter2/§{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let blanked = blank(&needles, &encoded, Text::Answered);
                    let left = blanked.replace(['X', '='], "");
                    assert!(blanked.contains('X'), "{encoded}");
                    // What is beside it, and the characters that it shares.
                    let beside = (before.len() * 8).div_ceil(6) + (after.len() * 8).div_ceil(6);
                    assert!(left.len() <= beside + 1, "{encoded} {blanked}");
                }
            }
        }
    }

    #[test]
    fn of_a_long_value_in_base64_the_rest_is_taken_out_with_its_beginning() {
        let value = "0123456789".repeat(1000);
        let needles = knowing(&value);
        assert!(needles.base64().finder.max_pattern_len() < 2 * MOST_IN_BASE64);
        let text = format!("a {} b", STANDARD.encode(&value));
        assert_eq!(blank(&needles, &text, Text::Answered), "a X b");
    }

    #[test]
    fn a_value_is_found_in_whichever_spelling() {
        let needles = knowing("s3cr3t/Val+ue==");
        for spelled in [
            r"s3cr3t\/Val+ue==",
            r"\u00733cr3t/Val\u002Bue==",
            "s3cr3t%2FVal%2Bue%3D%3D",
            "s3cr3t%2fVal%2bue%3d%3d",
            "s3cr3t%252FVal%252Bue%253D%253D",
            "s3cr3t&#47;Val&#x2b;ue==",
            "S3CR3T/VAL+UE==",
        ] {
            let text = format!("a {spelled} b");
            assert_eq!(blank(&needles, &text, Text::Answered), "a X b");
        }
    }

    #[test]
    fn the_beginning_of_a_value_is_one_at_the_end_of_what_was_said_and_not_of_what_was_sent() {
        let needles = knowing("users-secret");
        assert_eq!(blank(&needles, "/v2/users", Text::Answered), "/v2/X");
        assert_eq!(blank(&needles, "/v2/users", Text::Sent), "/v2/users");
        assert_eq!(blank(&needles, "/v2/users-secret", Text::Sent), "/v2/X");
    }

    #[test]
    fn a_short_value_is_found_as_a_word_if_somebody_asked_for_it() {
        let mut needles = Needles::default();
        needles.keep(b"user", "X");
        needles.learn(b"other", "Y");
        assert_eq!(
            blank(&needles, "user /v2/users other u%73er", Text::Answered),
            "X /v2/users other X"
        );
    }

    #[test]
    fn what_comes_up_again_and_what_was_asked_for_is_not_forgotten() {
        let mut needles = Needles::default();
        needles.keep(b"asked-for", "kept");
        for number in 0..2 * MOST {
            needles.learn(b"comes-up-again", "used");
            needles.learn(format!("cookie-{number}").as_bytes(), "cookie");
        }
        let text = "asked-for comes-up-again cookie-0";
        let blanked = blank(&needles, text, Text::Sent);
        assert_eq!(blanked, "kept used cookie-0");
        assert_eq!(needles.values.len(), MOST + 1);
    }

    #[test]
    fn the_name_that_is_learned_of_a_value_is_the_one_that_it_gets() {
        let mut needles = Needles::default();
        needles.keep(b"hunter2hunter2", "secret");
        needles.learn(b"hunter2hunter2", "client-secret");
        needles.keep(b"hunter2hunter2", "secret");
        let encoded = STANDARD.encode("hunter2hunter2");
        for text in ["hunter2hunter2", &encoded] {
            assert_eq!(blank(&needles, text, Text::Answered), "client-secret");
        }
    }
}
