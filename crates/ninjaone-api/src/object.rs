//! Objects of JSON, read leniently, and what their fields are read into.
//!
//! Only identifiers are indispensable. Any other field may be missing, null, or of another type than expected; then it is not
//! known, and what was sent in its place is kept as it came ("Users (accounts)" in `docs/ninjaone-api.md`).
//!
//! What this module does not know: which fields an object has.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object as they were sent. A null is as good as missing, and of a field that comes twice, the last counts.
pub struct Object<'a> {
    /// By name; `None` once the value was taken.
    fields: Vec<(Cow<'a, str>, Option<&'a RawValue>)>,
    odd: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// Reads a text that is one object; `None` where it is none.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// Reads the object that a text begins with, and tells its length; `None` where nothing but white space is there.
    ///
    /// # Errors
    ///
    /// What is wrong with it; that it is not whole is [`serde_json::Error::is_eof`].
    pub fn first(text: &'a [u8]) -> Option<serde_json::Result<(Self, usize)>> {
        let mut objects = serde_json::Deserializer::from_slice(text).into_iter();
        let object = objects.next()?;
        Some(object.map(|object| (object, objects.byte_offset())))
    }

    /// An object of fields that were read one by one, and are not null.
    pub fn of(fields: impl Iterator<Item = (&'a str, &'a RawValue)>) -> Self {
        Object {
            fields: fields
                .map(|(name, value)| (Cow::Borrowed(name), Some(value)))
                .collect(),
            odd: Vec::new(),
        }
    }

    /// Takes a field, where it is of the type asked for; otherwise it stays among the rest.
    pub fn take<T: FromJson>(&mut self, name: &'static str) -> Option<T> {
        let value = self.last(name)?;
        let json = value.take()?;
        let read = T::from_json(json);
        if read.is_none() {
            *value = Some(json);
            self.odd.push(name);
        }
        read
    }

    /// Takes a field that is an object.
    pub fn take_object(&mut self, name: &str) -> Option<Object<'a>> {
        Object::parse(self.last(name)?.take()?.get().as_bytes())
    }

    /// Whether a field was sent.
    pub fn has(&self, name: &str) -> bool {
        self.fields
            .iter()
            .any(|(own, value)| own == name && value.is_some())
    }

    /// The place of a field that was sent last under that name; those before it are let go.
    fn last(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        let mut last: Option<&mut Option<&'a RawValue>> = None;
        for (own, value) in &mut self.fields {
            if own == name
                && let Some(earlier) = last.replace(value)
            {
                *earlier = None;
            }
        }
        last
    }

    /// What was not taken.
    pub fn rest(self) -> Rest {
        let mut names = BTreeSet::new();
        let mut fields = Vec::with_capacity(self.fields.len());
        for (name, value) in self.fields.iter().rev() {
            if let Some(json) = value
                && names.insert(&**name)
            {
                fields.push((name.to_string(), Sent::read(json.get())));
            }
        }
        fields.reverse();
        Rest {
            fields,
            odd: self.odd,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<'a>(PhantomData<Object<'a>>);

impl<'de: 'a, 'a> Visitor<'de> for ObjectVisitor<'a> {
    type Value = Object<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'a>, A::Error> {
        let mut fields = Vec::with_capacity(24);
        while let Some((name, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
            if value.get() != "null" {
                let name = text(name.get());
                let name = name.expect("a name in JSON is text, or the map has an error");
                fields.push((name, Some(value)));
            }
        }
        Ok(Object {
            fields,
            odd: Vec::new(),
        })
    }
}

/// The fields of an object that nobody took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest {
    /// By name, in the order in which they were sent.
    pub fields: Vec<(String, Sent)>,
    /// The names of those that are known, and are of another type than expected.
    pub odd: Vec<&'static str>,
}

impl Rest {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Sent> {
        let field = self.fields.iter().find(|(own, _)| own == name);
        field.map(|(_, value)| value)
    }
}

/// A value as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// Text.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// A whole number of 64 bits, written as one.
    Integer(i64),
    /// Any other number, so that it keeps every digit; a list, or an object.
    Json(String),
}

impl Sent {
    fn read(json: &str) -> Self {
        if let Some(text) = text(json) {
            return Sent::Text(text.into_owned());
        }
        if let Ok(boolean) = json.parse() {
            return Sent::Boolean(boolean);
        }
        match json.parse() {
            Ok(integer) => Sent::Integer(integer),
            Err(_) => Sent::Json(with_whole_characters(json).into_owned()),
        }
    }
}

/// What a field is read into.
pub trait FromJson: Sized {
    /// Reads a value that is not null; `None` where it is of another type.
    fn from_json(json: &RawValue) -> Option<Self>;
}

impl FromJson for String {
    fn from_json(json: &RawValue) -> Option<Self> {
        text(json.get()).map(Cow::into_owned)
    }
}

impl FromJson for bool {
    fn from_json(json: &RawValue) -> Option<Self> {
        json.get().parse().ok()
    }
}

/// As a number or as text; 5.0 is a whole number too.
impl FromJson for i64 {
    fn from_json(json: &RawValue) -> Option<Self> {
        let Some(text) = text(json.get()) else {
            return integer(json.get());
        };
        let number: i64 = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    }
}

/// What a JSON text that is text means; `None` for any other value. Half of a surrogate pair is U+FFFD.
pub fn text(json: &str) -> Option<Cow<'_, str>> {
    let written = json.strip_prefix('"')?.strip_suffix('"')?;
    if !written.contains('\\') {
        return Some(Cow::Borrowed(written));
    }
    serde_json::from_str(&with_whole_characters(json))
        .ok()
        .map(Cow::Owned)
}

/// A JSON text in which each half of a surrogate pair that has no other half is U+FFFD: a server that counts UTF-16 units, as
/// Java does, may cut a text there, and most readers of JSON refuse what is left.
fn with_whole_characters(json: &str) -> Cow<'_, str> {
    const ESCAPE: usize = r"\u0000".len();
    let unit = |at: usize| {
        let digits = json.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut whole = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = json[at..].find('\\') {
        at += found;
        let (length, is_half) = match unit(at) {
            Some(0xD800..0xDC00) if matches!(unit(at + ESCAPE), Some(0xDC00..0xE000)) => {
                (2 * ESCAPE, false)
            }
            Some(0xD800..0xE000) => (ESCAPE, true),
            Some(_) => (ESCAPE, false),
            // An escape of one ASCII character.
            None => (2, false),
        };
        if is_half {
            whole.push_str(&json[copied..at]);
            whole.push_str("\\ufffd");
            copied = at + length;
        }
        at += length;
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    whole.push_str(&json[copied..]);
    Cow::Owned(whole)
}

/// A number that is exactly a whole one of 64 bits, however it is written: 5, 5.0 and 0.5e1 are the same number.
fn integer(json: &str) -> Option<i64> {
    if let Ok(integer) = json.parse() {
        return Some(integer);
    }
    let (whole, left) = in_units(json, 0)?;
    left.bytes().all(|digit| digit == b'0').then_some(whole)
}

/// A number in thousandths, rounded to the nearest, if it is a number and not too large for that.
pub(crate) fn thousandths(json: &str) -> Option<i64> {
    let (whole, left) = in_units(json, 3)?;
    let up = i64::from(left.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
    whole.checked_add(if json.starts_with('-') { -up } else { up })
}

/// How many units a number has, each of which is one at so many decimal places; and the digits after the last of these places.
fn in_units(json: &str, places: i64) -> Option<(i64, String)> {
    let (negative, number) = match json.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, json),
    };
    let (number, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits = whole.chars().chain(fraction.chars());
    // Beyond a hundred either way nothing is left of a number, or too much.
    let exponent = exponent.parse::<i64>().ok()?.clamp(-100, 100);
    let before = i64::try_from(whole.len()).ok()? + exponent + places;
    let mut units: i64 = 0;
    for _ in 0..before {
        let digit = digits.next().map_or(Some(0), |digit| digit.to_digit(10))?;
        units = units.checked_mul(10)?.checked_add(digit.into())?;
    }
    let mut left = "0".repeat(usize::try_from(-before).unwrap_or_default());
    left.extend(digits);
    let is_number = left.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then_some((if negative { -units } else { units }, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object<'_> {
        Object::parse(text.as_bytes()).expect(text)
    }

    #[test]
    fn a_field_of_another_type_stays_among_the_rest_as_it_came() {
        let mut sent = object(r#" { "a" : "x" , "b": 5, "c": null, "\u0064": [1] } "#);
        assert_eq!(sent.take::<String>("a").as_deref(), Some("x"));
        assert_eq!(sent.take::<String>("b"), None);
        assert_eq!(sent.take::<String>("c"), None);
        assert_eq!(sent.take::<bool>("e"), None);
        let rest = sent.rest();
        let fields = [
            ("b", Sent::Integer(5)),
            ("d", Sent::Json("[1]".to_string())),
        ];
        assert_eq!(
            rest.fields,
            fields.map(|(name, sent)| (name.to_string(), sent))
        );
        assert_eq!(rest.odd, ["b"]);
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_counts() {
        for (json, taken, rest) in [
            (r#"{"a":1,"a":2}"#, Some(2), None),
            (r#"{"a":1,"a":null}"#, Some(1), None),
            (r#"{"a":null,"a":2}"#, Some(2), None),
            (r#"{"a":"x","a":2}"#, Some(2), None),
            (
                r#"{"a":1,"a":"x"}"#,
                None,
                Some(Sent::Text("x".to_string())),
            ),
        ] {
            let mut sent = object(json);
            assert_eq!(sent.take::<i64>("a"), taken, "{json}");
            assert_eq!(sent.rest().get("a"), rest.as_ref(), "{json}");
            let untaken = object(json).rest().fields;
            assert!(untaken.len() <= 1, "{json}: {untaken:?}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "5",
            "[]",
            "{",
            "{\"a\"}",
            "{1:1}",
            "{\"a\n\":1}",
            "{} x",
        ] {
            assert!(Object::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none());
        assert!(Object::parse(b"{\"\xff\":1}").is_none());
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!(
            "{{\"a\":{}{}}}",
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert!(Object::parse(deep.as_bytes()).is_some());
    }

    #[test]
    fn many_fields_of_one_object_take_no_square_of_the_time() {
        let many: Vec<_> = (0..150_000)
            .map(|number| format!("\"{number}\":0"))
            .collect();
        let many = format!("{{{}}}", many.join(","));
        assert_eq!(object(&many).rest().fields.len(), 150_000);
    }

    #[test]
    fn an_escape_means_its_character_and_half_of_a_pair_is_replaced() {
        for (json, meant) in [
            ("\"\"", Some("")),
            ("\"é\"", Some("é")),
            (r#""\"\\\/\b\f\n\r\t""#, Some("\"\\/\u{8}\u{c}\n\r\t")),
            (r#""a\u0041\u00e9\u20ACz""#, Some("aAé€z")),
            (r#""\ud83d\ude00\uD83D\uDE00""#, Some("😀😀")),
            (r#""\u0000""#, Some("\0")),
            (r#""Ren \ud83d""#, Some("Ren \u{fffd}")),
            (r#""\ud83d\n""#, Some("\u{fffd}\n")),
            (r#""\ud83d\u0041""#, Some("\u{fffd}A")),
            (r#""\ud83d\ud83d\ude00""#, Some("\u{fffd}😀")),
            (r#""\ude00\ud83d""#, Some("\u{fffd}\u{fffd}")),
            (r#""\\ud83d""#, Some("\\ud83d")),
            (r#""\\\ud83d""#, Some("\\\u{fffd}")),
            (r#""é\ud83dé""#, Some("é\u{fffd}é")),
            ("5", None),
            ("[\"\"]", None),
        ] {
            assert_eq!(text(json).as_deref(), meant, "{json}");
        }
        assert_eq!(
            Sent::read(r#"{"\udc00":["\ud83d\ude00\ud83d"]}"#),
            Sent::Json(r#"{"\ufffd":["\ud83d\ude00\ufffd"]}"#.to_string())
        );
    }

    #[test]
    fn a_value_is_kept_to_the_digit() {
        for (json, sent) in [
            ("true", Sent::Boolean(true)),
            ("-5", Sent::Integer(-5)),
            ("9223372036854775807", Sent::Integer(i64::MAX)),
            (
                "9223372036854775808",
                Sent::Json("9223372036854775808".to_string()),
            ),
            ("1.10", Sent::Json("1.10".to_string())),
            ("1e400", Sent::Json("1e400".to_string())),
            ("{\"a\":1.0}", Sent::Json("{\"a\":1.0}".to_string())),
        ] {
            assert_eq!(Sent::read(json), sent);
        }
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        for (json, number) in [
            ("5", Some(5)),
            ("5.0", Some(5)),
            ("-5.00", Some(-5)),
            ("0.5e1", Some(5)),
            ("1.2345678E7", Some(12_345_678)),
            ("50E-1", Some(5)),
            ("0e0", Some(0)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("5.5", None),
            ("5.00000000000000000001", None),
            ("5e-1", None),
            ("5e-9", None),
            ("1e99", None),
            ("\"5\"", None),
            ("true", None),
        ] {
            assert_eq!(integer(json), number, "{json}");
        }
    }

    #[test]
    fn a_number_in_thousandths_is_exact() {
        for (json, number) in [
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
            ("9223372036854775.8075", None),
            ("\"1\"", None),
            ("true", None),
            ("null", None),
        ] {
            assert_eq!(thousandths(json), number, "{json}");
        }
    }
}
