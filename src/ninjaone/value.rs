//! One JSON value that has arrived whole: whether it is JSON (RFC 8259), and what is in it. And the few that are sent.
//!
//! Written out here because of what `serde_json` weighs: its numbers and its errors were a tenth of the component, however
//! little of it was used. That both say the same of what is JSON is tested below, and fuzzed in `fuzz/fuzz_targets/listing.rs`.
//!
//! What this module does not know: what the values mean.

use std::borrow::Cow;
use std::str::{self, Chars};

use crate::text;

/// The text of one JSON value, which was checked: what it is made of is known to be JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// Checks a text that is one value; or says what is wrong with it.
    pub fn parse(text: &'a [u8]) -> Result<Self, String> {
        let mut scanner = Scanner::new(text)?;
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    /// A text that was checked before.
    pub fn of_checked(text: &'a str) -> Self {
        Value(text)
    }

    /// The value as it was sent.
    pub fn json(self) -> &'a str {
        self.0
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Text, if it is text; half of a surrogate pair is none.
    pub fn text(self) -> Option<String> {
        let written = self.0.strip_prefix('"')?.strip_suffix('"')?;
        unescape(written).map(Cow::into_owned)
    }

    /// The texts of a list, if it is a list of texts.
    pub fn texts(self) -> Option<Vec<String>> {
        let mut scanner = Scanner {
            text: self.0,
            at: 0,
        };
        let mut texts = Vec::new();
        let mut more = scanner.takes(b'[') && !scanner.takes(b']');
        while more {
            texts.push(scanner.value().ok()?.text()?);
            more = scanner.takes(b',');
        }
        self.0.starts_with('[').then_some(texts)
    }

    /// True or false, if it is one of them.
    pub fn boolean(self) -> Option<bool> {
        self.0.parse().ok()
    }

    /// A whole number of 64 bits, if it is one and written as one.
    pub fn integer(self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// A number in thousandths, rounded to the nearest, if it is a number and not too large for that.
    pub fn thousandths(self) -> Option<i64> {
        let (sign, number) = match self.0.strip_prefix('-') {
            Some(number) => (-1, number),
            None => (1, self.0),
        };
        let (number, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut digits = whole.chars().chain(fraction.chars());
        // Beyond a hundred either way nothing is left of a number, or too much.
        let exponent = exponent.parse::<i64>().ok()?.clamp(-100, 100);
        let places = i64::try_from(whole.len()).ok()? + exponent + 3;
        let mut thousandths: i64 = 0;
        for _ in 0..places {
            let digit = digits.next().map_or(Some(0), |digit| digit.to_digit(10))?;
            thousandths = thousandths.checked_mul(10)?.checked_add(digit.into())?;
        }
        let rest = digits.next().map_or(Some(0), |digit| digit.to_digit(10))?;
        Some(sign * (thousandths + i64::from(places >= 0 && rest >= 5)))
    }

    /// What it is, in a word; itself, where that is a word.
    fn described(self) -> &'a str {
        match self.0.as_bytes().first() {
            Some(b'"') => "text",
            Some(b'[') => "a list",
            Some(b'{') => "an object",
            _ => self.0,
        }
    }
}

/// What a value is read into, where it is of the kind for that.
pub trait FromJson: Sized {
    /// The kind, to say what a value is not.
    const KIND: &'static str;

    /// Reads a value; `None` where it is of another kind.
    fn from_json(value: Value<'_>) -> Option<Self>;

    /// Reads the value of the field of that name into its place; or says what is wrong with it.
    fn read_field(place: &mut Option<Self>, name: &str, value: Value<'_>) -> Result<(), String> {
        *place = Self::from_json(value);
        match place {
            Some(_) => Ok(()),
            None => Err(not_of_kind(name, value, Self::KIND)),
        }
    }
}

fn not_of_kind(name: &str, value: Value<'_>, kind: &str) -> String {
    format!("field {name}: {} is not {kind}", value.described())
}

impl FromJson for String {
    const KIND: &'static str = "text";

    fn from_json(value: Value<'_>) -> Option<Self> {
        value.text()
    }
}

/// Of another kind: not known, and no error.
impl<T: FromJson> FromJson for Option<T> {
    const KIND: &'static str = T::KIND;

    fn from_json(value: Value<'_>) -> Option<Self> {
        Some(T::from_json(value))
    }
}

impl FromJson for bool {
    const KIND: &'static str = "true or false";

    fn from_json(value: Value<'_>) -> Option<Self> {
        value.boolean()
    }
}

impl FromJson for i64 {
    const KIND: &'static str = "a whole number of 64 bits";

    fn from_json(value: Value<'_>) -> Option<Self> {
        value.integer()
    }
}

/// What takes a field of an object, or says what is wrong with it.
pub type TakeField<'t, 'a> = &'t mut dyn FnMut(Cow<'a, str>, Value<'a>) -> Result<(), String>;

/// Checks a text that is one object, and hands on its fields that are not null, in the order in which they were sent; or says
/// what is wrong with it.
pub fn read_object<'a>(text: &'a [u8], take: TakeField<'_, 'a>) -> Result<(), String> {
    let mut scanner = Scanner::new(text)?;
    if !scanner.takes(b'{') {
        return Err(scanner.missing("an object"));
    }
    let mut more = !scanner.takes(b'}');
    while more {
        let name = unescape(scanner.name()?).ok_or_else(|| scanner.missing("another name"))?;
        let value = scanner.value()?;
        if !value.is_null() {
            take(name, value)?;
        }
        more = scanner.takes(b',');
        if !more {
            scanner.expect(b'}')?;
        }
    }
    scanner.end()
}

/// The fields of a JSON object that are not null. Of a field that comes twice, the first counts.
pub struct Fields<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Fields<'a> {
    /// Checks a text that is one object; or says what is wrong with it.
    pub fn parse(text: &'a [u8]) -> Result<Self, String> {
        let mut fields = Vec::new();
        read_object(text, &mut |name, value| {
            fields.push((name, value));
            Ok(())
        })?;
        Ok(Fields(fields))
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| *value)
    }

    /// The text of a field, if it is text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.text()
    }
}

/// Goes through a text and checks that it is JSON.
struct Scanner<'a> {
    text: &'a str,
    /// Where the next byte to look at is.
    at: usize,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a [u8]) -> Result<Self, String> {
        let text = str::from_utf8(text)
            .map_err(|error| format!("it is not UTF-8 at byte {}", error.valid_up_to()))?;
        Ok(Scanner { text, at: 0 })
    }

    /// Takes a value, whatever is in it.
    fn value(&mut self) -> Result<Value<'a>, String> {
        self.token();
        let start = self.at;
        // The brackets that have to come yet, the next one last.
        let mut closing = Vec::new();
        loop {
            match self.token() {
                Some(b'{') => {
                    self.at += 1;
                    closing.push(b'}');
                    if self.token() != Some(b'}') {
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    closing.push(b']');
                    if self.token() != Some(b']') {
                        continue;
                    }
                }
                Some(b'"') => self.string().map(drop)?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => self.word()?,
            }
            // Where a value ends, what it is in goes on or ends too.
            loop {
                let Some(close) = closing.last().copied() else {
                    return Ok(Value(&self.text[start..self.at]));
                };
                if self.takes(close) {
                    closing.pop();
                    continue;
                }
                self.expect(b',')?;
                if close == b'}' {
                    self.name()?;
                }
                break;
            }
        }
    }

    /// Takes the name of a field and its colon; what stands between the quotes.
    fn name(&mut self) -> Result<&'a str, String> {
        self.token();
        let name = self.string()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Takes one of the three values that are words.
    fn word(&mut self) -> Result<(), String> {
        let rest = &self.text[self.at..];
        let word = ["true", "false", "null"]
            .into_iter()
            .find(|word| rest.starts_with(word))
            .ok_or_else(|| self.missing("a value"))?;
        self.at += word.len();
        Ok(())
    }

    /// Takes a string; what stands between its quotes.
    fn string(&mut self) -> Result<&'a str, String> {
        if !self.is_next(b'"') {
            return Err(self.missing("'\"'"));
        }
        let start = self.at;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))
                .unwrap_or(rest.len());
            self.at += plain;
            match rest.get(plain) {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(&self.text[start..end]);
                }
                Some(b'\\') => self.escape()?,
                // A control character, or the end of the text.
                _ => return Err(self.missing("'\"'")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let digits = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 0,
            Some(b'u') => 4,
            _ => return Err(self.missing("another escape")),
        };
        self.at += 2;
        for _ in 0..digits {
            if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                return Err(self.missing("a hexadecimal digit"));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        self.is_next(b'-');
        if !self.is_next(b'0') {
            self.digits()?;
        }
        if self.is_next(b'.') {
            self.digits()?;
        }
        if self.is_next(b'e') || self.is_next(b'E') {
            let _ = self.is_next(b'+') || self.is_next(b'-');
            self.digits()?;
        }
        Ok(())
    }

    /// Takes digits, at least one.
    fn digits(&mut self) -> Result<(), String> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.missing("a digit"));
        }
        Ok(())
    }

    #[inline(always)] // Called for each byte, and the component is optimized for size.
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes the next byte, if it is this one.
    fn is_next(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Passes white space, and tells what stands behind it.
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                found => return found,
            }
        }
    }

    /// Takes the next byte that is not white space, if it is this one.
    fn takes(&mut self, byte: u8) -> bool {
        let takes = self.token() == Some(byte);
        self.at += usize::from(takes);
        takes
    }

    /// Takes the next byte that is not white space, which has to be this one.
    fn expect(&mut self, byte: u8) -> Result<(), String> {
        match self.takes(byte) {
            true => Ok(()),
            false => Err(self.missing(&format!("{:?}", char::from(byte)))),
        }
    }

    /// Takes the end of the text.
    fn end(&mut self) -> Result<(), String> {
        match self.token() {
            None => Ok(()),
            Some(_) => Err(self.missing("its end")),
        }
    }

    fn missing(&self, wanted: &str) -> String {
        format!("{wanted} should be at byte {} of the value", self.at)
    }
}

/// What is meant by what stands between the quotes of a string; `None` where half of a surrogate pair has no other half.
fn unescape(written: &str) -> Option<Cow<'_, str>> {
    if !written.contains('\\') {
        return Some(Cow::Borrowed(written));
    }
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => code_point(&mut chars)?,
                itself => itself,
            },
            itself => itself,
        });
    }
    Some(Cow::Owned(text))
}

/// The character that `\u` begins: four digits, or as many again for one beyond the first 65,536.
fn code_point(chars: &mut Chars) -> Option<char> {
    let first = four_digits(chars)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first);
    }
    *chars = chars.as_str().strip_prefix("\\u")?.chars();
    let second = four_digits(chars)?;
    let lower = second.checked_sub(0xDC00).filter(|lower| *lower < 0x400)?;
    char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + lower)
}

fn four_digits(chars: &mut Chars) -> Option<u32> {
    (0..4).try_fold(0, |number, _| {
        Some(number * 16 + chars.next()?.to_digit(16)?)
    })
}

/// An object of those fields that have a value, which is JSON.
pub fn object(fields: &[(&str, Option<String>)]) -> String {
    let mut members = String::new();
    for (name, value) in fields {
        if let Some(value) = value {
            text::append(&mut members, ",", &format!("\"{name}\":{value}"));
        }
    }
    format!("{{{members}}}")
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\0'..' ' => quoted += &format!("\\u{:04x}", u32::from(char)),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value<'_> {
        Value::parse(text.as_bytes()).expect(text)
    }

    #[test]
    fn what_is_json_is_taken_as_it_is() {
        for text in [
            "null",
            "true",
            "false",
            "0",
            "-0",
            "10.50",
            "-1.5e+30",
            "1E-2",
            "\"\"",
            "\"a\\\"b\\\\ \\u00e9 \\/\"",
            "[]",
            "[ ]",
            "{}",
            "{ }",
            "[[],{},[1,[2]],\"]\"]",
            "{\"a\":{\"b\":[{}]},\"c\":null}",
            "[ 1 , { \"a\" : 2 , \"b\" : [ ] } ]",
        ] {
            assert_eq!(value(text).json(), text);
            assert_eq!(value(&format!(" \t\r\n{text}")).json(), text);
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "nulll",
            "True",
            "+1",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "0x1",
            "--1",
            "\"",
            "\"a",
            "\"\\\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12",
            "\"\n\"",
            "'a'",
            "[",
            "]",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            "{",
            "{1:1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1]",
            "{,}",
            "{\"a\" 1}",
            "1 2",
            "[] x",
            "\u{a0}1",
        ] {
            assert!(Value::parse(text.as_bytes()).is_err(), "{text}");
            let inner = format!("{{\"a\":{text}}}");
            assert!(Fields::parse(inner.as_bytes()).is_err(), "{inner}");
        }
        assert!(Value::parse(b"\"\xff\"").is_err());
    }

    #[test]
    fn an_independent_reader_agrees_on_what_is_json() {
        const BYTES: &[u8] = b"{}[]:,\"\\/0159-+.eEuntfralsb \n\x1f\x7f\xc3";
        let seed = r#"{"a\u00e9" :[-10.5e+3, {"b":null},0] , "c" :true}"#.as_bytes();
        let agree = |text: &[u8]| {
            let theirs = serde_json::from_slice::<Box<serde_json::value::RawValue>>(text);
            let ours = Value::parse(text).map(Value::json);
            assert_eq!(
                ours.ok(),
                theirs.as_ref().map(|value| value.get()).ok(),
                "{}",
                String::from_utf8_lossy(text)
            );
        };
        for place in 0..seed.len() {
            let (before, after) = seed.split_at(place);
            agree(before);
            agree(&[before, &after[1..]].concat());
            for byte in BYTES {
                agree(&[before, &[*byte], after].concat());
                agree(&[before, &[*byte], &after[1..]].concat());
                for other in BYTES {
                    agree(&[before, &[*byte, *other], &after[1..]].concat());
                }
            }
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert!(Value::parse(deep.as_bytes()).is_ok());
        assert!(Value::parse(&deep.as_bytes()[1..]).is_err());
    }

    #[test]
    fn an_escape_means_its_character() {
        for (json, text) in [
            ("\"\"", Some("")),
            ("\"é\"", Some("é")),
            (r#""\"\\\/\b\f\n\r\t""#, Some("\"\\/\u{8}\u{c}\n\r\t")),
            (r#""a\u0041\u00e9\u20ACz""#, Some("aAé€z")),
            (r#""\ud83d\ude00\uD83D\uDE00""#, Some("😀😀")),
            (r#""\u0000""#, Some("\0")),
            (r#""\ud83d""#, None),
            (r#""\ud83d\n""#, None),
            (r#""\ud83d\u0041""#, None),
            (r#""\ud83d\ud83d""#, None),
            (r#""\ude00""#, None),
            ("5", None),
            ("[\"\"]", None),
        ] {
            assert_eq!(value(json).text().as_deref(), text, "{json}");
        }
    }

    #[test]
    fn a_number_in_thousandths_is_exact() {
        for (json, thousandths) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("1", Some(1_000)),
            ("1700000000.123", Some(1_700_000_000_123)),
            ("1.700000000123E9", Some(1_700_000_000_123)),
            ("1700000000123e-3", Some(1_700_000_000_123)),
            ("-1.5", Some(-1_500)),
            ("0.0004", Some(0)),
            ("0.0005", Some(1)),
            ("-0.0005", Some(-1)),
            ("0.00049999999999999999999999", Some(0)),
            ("5e-4", Some(1)),
            ("5e-5", Some(0)),
            ("9e-30000", Some(0)),
            ("1e15", Some(1_000_000_000_000_000_000)),
            ("1e16", None),
            ("1e400", None),
            ("1e99999999999", None),
            ("0e30000", Some(0)),
            ("9223372036854775.807", Some(i64::MAX)),
            ("\"1\"", None),
            ("true", None),
            ("null", None),
        ] {
            assert_eq!(value(json).thousandths(), thousandths, "{json}");
        }
    }

    #[test]
    fn fields_are_those_that_are_not_null_in_their_order() {
        let fields = Fields::parse(br#" { "a" : 1 , "\u0062":"x", "c": null, "a": [2] } "#);
        let fields = fields.expect("an object");
        assert_eq!(fields.get("a").and_then(Value::integer), Some(1));
        assert_eq!(fields.text("b").as_deref(), Some("x"));
        assert_eq!(fields.get("c"), None);
        let all: Vec<_> = fields.0.iter().map(|(name, _)| &**name).collect();
        assert_eq!(all, ["a", "b", "a"]);
    }

    #[test]
    fn what_is_sent_is_json() {
        let text = "a\"b\\c\n\u{1}é😀";
        assert_eq!(quoted(text), r#""a\"b\\c\u000a\u0001é😀""#);
        assert_eq!(value(&quoted(text)).text().as_deref(), Some(text));
        assert_eq!(object(&[]), "{}");
        let fields = [
            ("a", Some("1".to_string())),
            ("b", None),
            ("c", Some(quoted("x"))),
        ];
        assert_eq!(object(&fields), r#"{"a":1,"c":"x"}"#);
    }
}
