//! JSON as it was written: with every digit of its numbers, and with each key once.
//!
//! `serde_json::Value` has room for 64-bit integers and doubles, and rounds what does not fit. Its feature `arbitrary_precision`
//! would change that for the whole program, and with it break types that are told apart by a tag.
//!
//! The text comes from a connector, so nothing is taken for granted: `serde_json` finds out whether it is JSON, without a stack,
//! and here it is read once, however its values are nested, and not deeper than [`DEEPEST`].

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::ser::{Error, Serialize, Serializer};
use serde_json::Number;
use serde_json::value::RawValue;

/// How deep lists and objects may be nested. Readers of JSON have limits of their own, 128 with `serde_json`, and a value stands
/// in a line or in a column, some levels below its top.
const DEEPEST: usize = 100;

/// Writes the JSON value that a text is, so that it becomes part of the document and cannot break out of a line; where it is none,
/// the text.
pub(crate) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match Exact::read(text) {
        Some(json) => json.serialize(serializer),
        None => serializer.serialize_str(text),
    }
}

/// A JSON value.
enum Exact<'a> {
    Null,
    Boolean(bool),
    /// As it was written.
    Number(&'a str),
    Text(String),
    List(Vec<Self>),
    /// Of a key that comes twice, the last value counts.
    Object(BTreeMap<String, Self>),
}

impl<'a> Exact<'a> {
    /// Reads a text. `None` where it is not JSON, has half a character in it, or is nested too deep.
    fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Reader { rest: text }.value(DEEPEST)
    }
}

impl Serialize for Exact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Self::Number(text) => serialize_number(text, serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(values) => serializer.collect_seq(values),
            Self::Object(members) => serializer.collect_map(members),
        }
    }
}

/// As a number where that is the same to the last digit, and otherwise as the text of one, which `serde_json` writes as it is.
fn serialize_number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<Number>(text) {
        Ok(number) if number.to_string() == text => number.serialize(serializer),
        _ => RawValue::from_string(text.to_string())
            .map_err(S::Error::custom)?
            .serialize(serializer),
    }
}

/// Reads a text that is known to be JSON.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads the next value, in which values may be nested so deep.
    fn value(&mut self, depth: usize) -> Option<Exact<'a>> {
        self.pass_space();
        Some(match self.rest.as_bytes().first()? {
            b'{' => Exact::Object(self.object(depth.checked_sub(1)?)?),
            b'[' => Exact::List(self.list(depth.checked_sub(1)?)?),
            b'"' => Exact::Text(self.text()?),
            _ => match self.word() {
                "null" => Exact::Null,
                "true" => Exact::Boolean(true),
                "false" => Exact::Boolean(false),
                number => Exact::Number(number),
            },
        })
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Exact<'a>>> {
        let mut values = Vec::new();
        self.pass('[');
        while !self.pass(']') {
            values.push(self.value(depth)?);
            self.pass(',');
        }
        Some(values)
    }

    fn object(&mut self, depth: usize) -> Option<BTreeMap<String, Exact<'a>>> {
        let mut members = BTreeMap::new();
        self.pass('{');
        while !self.pass('}') {
            let key = self.text()?;
            self.pass(':');
            members.insert(key, self.value(depth)?);
            self.pass(',');
        }
        Some(members)
    }

    fn text(&mut self) -> Option<String> {
        self.pass_space();
        let mut escaped = false;
        let closing = self.rest.bytes().skip(1).position(|byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        })?;
        // With both of its quotes.
        serde_json::from_str(self.take(closing + 2)).ok()
    }

    /// What is neither a list, nor an object, nor in quotes.
    fn word(&mut self) -> &'a str {
        let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let end = self.rest.bytes().position(|byte| !goes_on(byte));
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// Passes over this character, if it comes next, and says whether it did.
    fn pass(&mut self, character: char) -> bool {
        self.pass_space();
        let after = self.rest.strip_prefix(character);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn pass_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// So many bytes, of which the last is that of a character of ASCII.
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn written(text: &str) -> Option<String> {
        let exact = Exact::read(text)?;
        Some(serde_json::to_string(&exact).expect("it has a JSON form"))
    }

    #[test]
    fn every_digit_is_kept_wherever_the_number_is() {
        for number in [
            "12345678901234567890123",
            "-12345678901234567890123",
            "18446744073709551616",
            "9007199254740993.0",
            "0.12345678901234567891",
            "1.10",
            "1e400",
            "-1E-400",
            "1e5",
            "-0",
        ] {
            assert_eq!(written(number).as_deref(), Some(number));
            let nested = format!(r#"{{"a":[{number},{{"b":{number}}}]}}"#);
            assert_eq!(written(&nested).as_deref(), Some(&*nested));
        }
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_counts_however_it_is_written() {
        let text = r#"{"b": 1, "a": [{"c": 1, "\u0063": 2}], "b": {"d": 3, "d": 4}}"#;
        assert_eq!(
            written(text).as_deref(),
            Some(r#"{"a":[{"c":2}],"b":{"d":4}}"#)
        );
    }

    #[test]
    fn all_else_is_what_serde_json_reads() {
        for text in [
            "null",
            " [ ] ",
            "{ }",
            "[[],{},[[]]]",
            r#"{"":"","\"":"\\","a\\":"b\\\"]}"}"#,
            "{\n\t\"a\" :\r\n[ true ,false , null ] , \"é\\u00e9\" : \"\\ud83d\\ude00 😀\\n\" }",
            "[0,-1,1.5,1e300,9223372036854775807,18446744073709551615]",
            r#""a, b: [c] {d}""#,
        ] {
            let expected: Value = serde_json::from_str(text).expect("it is JSON");
            let found = written(text).expect("it is JSON");
            assert_eq!(
                serde_json::from_str::<Value>(&found).expect("it is JSON"),
                expected
            );
            assert!(!found.contains(['\n', '\r', '\t']), "{found}");
        }
    }

    #[test]
    fn what_is_not_json_is_none() {
        for text in [
            "",
            " ",
            "[1",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "]",
            "nul",
            "nullnull",
            "NaN",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "--1",
            "'a'",
            "\"a",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "{\"\\ud800\":1}",
            "1 1",
            "\u{a0}1",
            "\u{feff}1",
        ] {
            assert!(Exact::read(text).is_none(), "{text}");
        }
    }

    /// Damages a document at every place, in every way that means something in JSON.
    #[test]
    fn what_is_damaged_is_what_serde_json_takes_it_for() {
        let document = r#"{"a": [1, -2.5e3, "x\"\\y"], "b": {"c": null, "d": true}}"#;
        let signs = r#"{}[],:"\ 0-e.tn"#;
        let mut read = 0;
        for at in 0..document.len() {
            for sign in signs.chars() {
                let damaged = format!("{}{sign}{}", &document[..at], &document[at + 1..]);
                let expected = serde_json::from_str::<Value>(&damaged).ok();
                let found = written(&damaged);
                let found = found.map(|text| serde_json::from_str(&text).expect("it is JSON"));
                assert_eq!(found, expected, "{damaged}");
                read += usize::from(expected.is_some());
            }
        }
        assert!(read > 50, "only {read} of them are still JSON");
    }

    #[test]
    fn what_is_nested_too_deep_is_none_and_costs_no_stack() {
        let lists = |depth| "[".repeat(depth) + &"]".repeat(depth);
        let objects = |depth| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        for nested in [lists, objects] {
            assert!(Exact::read(&nested(DEEPEST)).is_some());
            assert!(Exact::read(&nested(DEEPEST + 1)).is_none());
            assert!(Exact::read(&nested(1_000_000)).is_none());
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        // As deep as it may be around as much as fits: to look for the end of each list would take a hundred times as long.
        let inner = vec!["1234567890123456789012"; 100_000].join(",");
        let text = "[".repeat(DEEPEST) + &inner + &"]".repeat(DEEPEST);
        assert_eq!(written(&text).as_deref(), Some(&*text));
    }
}
