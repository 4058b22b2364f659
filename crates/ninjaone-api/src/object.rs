//! Objects of JSON, read leniently, and what their fields are read into.
//!
//! Only identifiers are indispensable. Any other field may be missing, null, or of another type than expected; then it is not
//! known, and what was sent in its place is kept as it came ("Users (accounts)" in `docs/ninjaone-api.md`).
//!
//! What this module does not know: which fields an object has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of a small object as they were sent. A null is as good as missing, and of a field that comes twice, the last counts.
pub struct Object<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads a text that is one object; `None` where it is none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut fields = Vec::new();
        let length = each_field(text, &mut |name, json| fields.push((name, json))).ok()?;
        let is_all = text[length..]
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        is_all.then_some(Object { fields })
    }

    /// A field, where it is of the type asked for.
    pub fn get<T: FromJson>(&self, name: &str) -> Option<T> {
        T::from_json(self.json(name)?)
    }

    /// A field that is an object.
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        Object::parse(self.json(name)?.get())
    }

    /// Whether a field was sent.
    pub fn has(&self, name: &str) -> bool {
        self.json(name).is_some()
    }

    fn json(&self, name: &str) -> Option<&'a RawValue> {
        let mut fields = self.fields.iter().rev();
        fields.find(|(own, _)| own == name).map(|(_, json)| *json)
    }
}

/// What has places for some of the fields of an object.
pub trait Places {
    /// The place of the field with this name.
    fn place(&mut self, name: &str) -> Option<&mut dyn Place>;

    /// The place of all other fields, and of those that are of another type than their place.
    fn rest(&mut self) -> &mut Rest;
}

/// What one field is read into.
pub trait Place {
    /// Reads a value that is not null into it; false where that is of another type, and then the field is not known.
    fn fill(&mut self, json: &RawValue) -> bool;
}

impl<T: FromJson> Place for Option<T> {
    fn fill(&mut self, json: &RawValue) -> bool {
        *self = T::from_json(json);
        self.is_some()
    }
}

/// Reads the fields of an object into their places, as they come. A null is as good as missing, and of a field that comes twice,
/// the last counts.
pub struct Fields<'a> {
    places: &'a mut dyn Places,
    rest: Vec<(String, Sent)>,
    /// Those that are of another type than their place.
    odd: Vec<(String, Sent)>,
    /// Where in the rest the fields beyond the first few are.
    others: BTreeMap<String, usize>,
}

/// So many names are compared one by one, which is quicker than to look them up. An object may have very many.
const FEW: usize = 32;

impl<'a> Fields<'a> {
    /// To be read into these places.
    pub fn of(places: &'a mut dyn Places) -> Self {
        Fields {
            places,
            rest: Vec::new(),
            odd: Vec::new(),
            others: BTreeMap::new(),
        }
    }

    /// Reads the next one, which is not null.
    pub fn read(&mut self, name: Cow<'_, str>, json: &RawValue) {
        if let Some(place) = self.places.place(&name) {
            let fits = place.fill(json);
            self.odd.retain(|(earlier, _)| *earlier != name);
            if !fits {
                self.odd.push((name.into_owned(), Sent::read(json.get())));
            }
        } else if let Some(earlier) = self.earlier(&name) {
            self.rest[earlier].1 = Sent::read(json.get());
        } else {
            let name = name.into_owned();
            if self.rest.len() >= FEW {
                self.others.insert(name.clone(), self.rest.len());
            }
            self.rest.push((name, Sent::read(json.get())));
        }
    }

    /// Where in the rest a field of this name is.
    fn earlier(&self, name: &str) -> Option<usize> {
        let mut few = self.rest.iter().take(FEW);
        let among_few = few.position(|(earlier, _)| earlier == name);
        among_few.or_else(|| self.others.get(name).copied())
    }

    /// There are no more.
    pub fn end(self) {
        let odd = self.odd.iter().map(|(name, _)| name.clone()).collect();
        let mut fields = self.rest;
        fields.extend(self.odd);
        *self.places.rest() = Rest { fields, odd };
    }
}

/// Reads the object that a text begins with, each field into its place, and tells its length.
///
/// # Errors
///
/// What is wrong with it; that it is not whole is [`serde_json::Error::is_eof`].
pub fn read_first(text: &str, places: &mut dyn Places) -> serde_json::Result<usize> {
    let refused = match read_fields(text, places) {
        Ok(length) => return Ok(length),
        Err(error) => error,
    };
    // A name in which half of a surrogate pair has no other half is refused; in a value that is left as it came, it is not.
    let (json, length) = first::<&RawValue>(text)?;
    match with_whole_characters(json.get()) {
        Cow::Owned(whole) => read_fields(&whole, places).map(|_| length),
        Cow::Borrowed(_) => Err(refused),
    }
}

fn read_fields(text: &str, places: &mut dyn Places) -> serde_json::Result<usize> {
    let mut fields = Fields::of(places);
    let length = each_field(text, &mut |name, json| fields.read(name, json))?;
    fields.end();
    Ok(length)
}

/// The value that a text begins with, and its length.
///
/// # Errors
///
/// What is wrong with it; that it is not whole is [`serde_json::Error::is_eof`].
pub fn first<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<(T, usize)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(&mut json)?;
    Ok((value, length(json)))
}

/// Hands the fields of the object that a text begins with to a function, but for those that are null, and tells its length.
fn each_field<'a>(
    text: &'a str,
    function: &mut dyn FnMut(Cow<'a, str>, &'a RawValue),
) -> serde_json::Result<usize> {
    let mut json = serde_json::Deserializer::from_str(text);
    EachField(function).deserialize(&mut json)?;
    Ok(length(json))
}

/// How much was read.
fn length(json: serde_json::Deserializer<serde_json::de::StrRead<'_>>) -> usize {
    json.into_iter::<IgnoredAny>().byte_offset()
}

struct EachField<'f, 'a>(&'f mut dyn FnMut(Cow<'a, str>, &'a RawValue));

/// The name of a field, borrowed where it is written without escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> DeserializeSeed<'a> for EachField<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for EachField<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Name(name), json)) = map.next_entry::<Name, &RawValue>()? {
            if json.get() != "null" {
                (self.0)(name, json);
            }
        }
        Ok(())
    }
}

/// The fields of an object that nobody took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest {
    /// By name, in the order in which they were sent; those that are of another type than expected come last.
    pub fields: Vec<(String, Sent)>,
    /// The names of the latter.
    pub odd: Vec<String>,
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
        match json {
            "true" => Sent::Boolean(true),
            "false" => Sent::Boolean(false),
            _ => match json.parse() {
                Ok(integer) => Sent::Integer(integer),
                Err(_) => Sent::Json(with_whole_characters(json).into_owned()),
            },
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
    if !written.as_bytes().contains(&b'\\') {
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

    /// Has places for two fields.
    #[derive(Default)]
    struct Two {
        a: Option<i64>,
        b: Option<String>,
        rest: Rest,
    }

    impl Places for Two {
        fn place(&mut self, name: &str) -> Option<&mut dyn Place> {
            Some(match name {
                "a" => &mut self.a,
                "b" => &mut self.b,
                _ => return None,
            })
        }

        fn rest(&mut self) -> &mut Rest {
            &mut self.rest
        }
    }

    fn two(json: &str) -> Two {
        let mut two = Two::default();
        assert_eq!(
            read_first(json, &mut two).expect(json),
            json.trim_end().len()
        );
        two
    }

    #[test]
    fn a_field_of_another_type_stays_among_the_rest_as_it_came() {
        let two = two(r#" { "\u0062" : "x" , "a": "5x", "c": null, "\u0064": [1] } "#);
        assert_eq!((two.a, two.b.as_deref()), (None, Some("x")));
        let fields = [
            ("d", Sent::Json("[1]".to_string())),
            ("a", Sent::Text("5x".to_string())),
        ];
        assert_eq!(
            two.rest.fields,
            fields.map(|(name, sent)| (name.to_string(), sent))
        );
        assert_eq!(two.rest.odd, ["a"]);
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_counts() {
        let text = |text: &str| Sent::Text(text.to_string());
        for (json, a, rest) in [
            (r#"{"a":1,"a":2}"#, Some(2), vec![]),
            (r#"{"a":1,"a":null}"#, Some(1), vec![]),
            (r#"{"a":null,"a":2}"#, Some(2), vec![]),
            (r#"{"a":"x","a":2}"#, Some(2), vec![]),
            (r#"{"a":1,"a":"x"}"#, None, vec![("a", text("x"))]),
            (r#"{"a":"x","a":"y"}"#, None, vec![("a", text("y"))]),
            (
                r#"{"c":"x","a":"x","c":"y"}"#,
                None,
                vec![("c", text("y")), ("a", text("x"))],
            ),
        ] {
            let two = two(json);
            assert_eq!(two.a, a, "{json}");
            let rest: Vec<_> = rest
                .into_iter()
                .map(|(name, sent)| (name.to_string(), sent))
                .collect();
            assert_eq!(two.rest.fields, rest, "{json}");
            let is_odd = rest.iter().any(|(name, _)| name == "a");
            assert_eq!(two.rest.odd, is_odd.then_some("a").as_slice(), "{json}");
            let object = Object::parse(json).expect(json);
            assert_eq!(object.get::<i64>("a"), a, "{json}");
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
            assert!(Object::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = format!(
            "{{\"a\":{}{}}}",
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        assert!(Object::parse(&deep).is_some());
    }

    #[test]
    fn many_fields_of_one_object_take_no_square_of_the_time() {
        let many: Vec<_> = (0..150_000)
            .map(|number| format!("\"{}\":{number}", number % 75_000))
            .collect();
        let many = format!("{{{}}}", many.join(","));
        let rest = two(&many).rest;
        assert_eq!(rest.fields.len(), 75_000);
        assert_eq!(rest.get("74999"), Some(&Sent::Integer(149_999)));
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
