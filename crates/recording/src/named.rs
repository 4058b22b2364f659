//! Where a text names secrets: in fields of JSON, of forms and of headers, wherever in the text these stand.
//!
//! The text is not parsed. JSON in a text of JSON, a form in an error message and what broke off in the middle have their fields
//! too, and every other byte has to stay as it is: numbers, escapes, spaces and the order of fields are what a recording is there
//! to show.

use std::ops::Range;

/// The fields that hold a secret, in lower case and without `_` and `-`, and what is put in its place.
const SECRET_FIELDS: [(&[u8], &str); 18] = [
    (b"accesstoken", "access-token"),
    (b"refreshtoken", "refresh-token"),
    (b"idtoken", "id-token"),
    (b"clientid", CLIENT_ID),
    (b"clientsecret", "client-secret"),
    (b"clientassertion", "client-assertion"),
    (b"assertion", "assertion"),
    (b"password", "password"),
    (b"passwd", "password"),
    (b"pwd", "password"),
    (b"apikey", "api-key"),
    (b"secret", "secret"),
    (b"privatekey", "private-key"),
    (b"sessionkey", "session-key"),
    (b"authorization", AUTHORIZATION),
    (b"proxyauthorization", AUTHORIZATION),
    (b"cookie", "cookie"),
    (b"setcookie", "cookie"),
];

/// In the place of the name of the client, which is a number in other fields of this name.
const CLIENT_ID: &str = "client-id";
/// In the place of a scheme with its credentials.
pub(crate) const AUTHORIZATION: &str = "authorization";
/// The longest name of a field that is looked at, with its escapes: each letter may be one, of several backslashes.
const LONGEST_NAME: usize = 512;
/// How often the escapes of a name are undone: a form within JSON within a form.
const ESCAPES: usize = 3;

/// What to put in the place of the value of this field, if it is a secret.
pub(crate) fn placeholder(field: &[u8]) -> Option<&'static str> {
    let plain = || {
        field
            .iter()
            .filter(|byte| !matches!(byte, b'_' | b'-'))
            .map(u8::to_ascii_lowercase)
    };
    SECRET_FIELDS
        .iter()
        .find(|(name, _)| plain().eq(name.iter().copied()))
        .map(|(_, placeholder)| *placeholder)
}

/// A secret by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Where its value is, without quotes.
    pub(crate) value: Range<usize>,
    /// What to put in its place.
    pub(crate) placeholder: &'static str,
    /// How many backslashes are before each quote of the value; `None` where it has no quotes.
    pub(crate) escapes: Option<usize>,
}

/// The secrets that a text names.
pub(crate) fn find(text: &[u8]) -> Vec<Named> {
    let mut found = Vec::new();
    let mut from = 0;
    let is_separator = |byte: &u8| matches!(byte, b':' | b'=');
    while let Some(at) = text[from..].iter().position(is_separator) {
        let separator = from + at;
        from = separator + 1;
        let Some((placeholder, is_quoted)) = named_before(text, separator) else {
            continue;
        };
        let value = Value {
            text,
            start: skip(text, separator + 1, |byte| byte.is_ascii_whitespace()),
            placeholder,
        };
        match (text[separator], is_quoted) {
            (b':', true) => value.of_json(&mut found),
            (b':', false) => found.extend(value.of_header()),
            _ => found.extend(value.quoted().or_else(|| value.of_form())),
        }
        from = found.last().map_or(from, |last| from.max(last.value.end));
    }
    found
}

/// What the field before a separator holds, if it is a secret, and whether its name is in quotes.
fn named_before(text: &[u8], separator: usize) -> Option<(&'static str, bool)> {
    let mut end = separator;
    while end > 0 && text[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    let quote = end.checked_sub(1).map(|at| text[at]).filter(is_quote);
    if quote.is_some() {
        end -= 1;
        while end > 0 && text[end - 1] == b'\\' {
            end -= 1;
        }
    }
    let raw = &text[end.saturating_sub(LONGEST_NAME)..end];
    let start = end - tail(raw, |byte| is_name(byte) || matches!(byte, b'\\' | b'%')).len();
    // A name in quotes is all that is between them.
    let is_whole = quote.is_none() || start.checked_sub(1).map(|at| text[at]) == quote;
    if !is_whole {
        return None;
    }
    let spelled = &text[start..end];
    let plain = unescaped(spelled);
    // An escape in front of a name may as well be something else, such as the folder of a path.
    let meant = [spelled, &plain].into_iter().find_map(|spelling| {
        let name = tail(spelling, is_name);
        let is_all = name.len() == spelling.len() || quote.is_none();
        placeholder(name).filter(|_| is_all)
    })?;
    Some((meant, quote.is_some()))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The bytes at the end of a text that are like this.
fn tail(text: &[u8], like: impl Fn(u8) -> bool) -> &[u8] {
    let length = text.iter().rev().take_while(|byte| like(**byte)).count();
    &text[text.len() - length..]
}

/// A name without its escapes: those of JSON, however many backslashes they have by being in texts of JSON, and of forms.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = name.to_vec();
    for _ in 0..ESCAPES {
        if !plain.iter().any(|byte| matches!(byte, b'\\' | b'%')) {
            break;
        }
        plain = unescaped_once(&plain);
    }
    plain
}

fn unescaped_once(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, after)) = rest.split_first() {
        let (byte, next) = match first {
            b'%' => hex(after, 2).unwrap_or((first, after)),
            b'\\' => {
                let after = &after[skip(after, 0, |byte| *byte == b'\\')..];
                match after.split_first() {
                    Some((b'u', digits)) => hex(digits, 4).unwrap_or((b'u', digits)),
                    // A line break, or something like it.
                    Some((b'n' | b'r' | b't', next)) => (b' ', next),
                    Some((&letter, next)) => (letter, next),
                    None => (first, after),
                }
            }
            _ => (first, after),
        };
        plain.push(byte);
        rest = next;
    }
    plain
}

/// The ASCII character of this number, and what follows its digits.
fn hex(text: &[u8], digits: usize) -> Option<(u8, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = number.iter().try_fold(0, |number, digit| {
        Some(number * 16 + char::from(*digit).to_digit(16)?)
    })?;
    let byte = u8::try_from(number).ok().filter(u8::is_ascii)?;
    Some((byte, rest))
}

/// What follows a name.
struct Value<'a> {
    text: &'a [u8],
    start: usize,
    placeholder: &'static str,
}

impl Value<'_> {
    fn named(&self, value: Range<usize>, escapes: Option<usize>) -> Named {
        Named {
            value,
            placeholder: self.placeholder,
            escapes,
        }
    }

    /// A text, several texts, or a number.
    fn of_json(&self, found: &mut Vec<Named>) {
        if self.text.get(self.start) == Some(&b'[') {
            let mut next = self.start + 1;
            while let Some(item) = self.quoted_at(skip_space(self.text, next)) {
                let after_quote = item.value.end + item.escapes.unwrap_or_default() + 1;
                let comma = skip_space(self.text, after_quote);
                found.push(item);
                if self.text.get(comma) != Some(&b',') {
                    break;
                }
                next = comma + 1;
            }
            return;
        }
        found.extend(self.quoted().or_else(|| self.number()));
    }

    fn quoted(&self) -> Option<Named> {
        self.quoted_at(self.start)
    }

    /// A text in quotes. One that is cut off ends with the input.
    fn quoted_at(&self, start: usize) -> Option<Named> {
        let quote = skip(self.text, start, |byte| *byte == b'\\');
        let mark = self.text.get(quote).filter(|byte| is_quote(byte))?;
        let escapes = quote - start;
        let mut backslashes = 0;
        let rest = self.text[quote + 1..].iter();
        let length = rest.take_while(|byte| {
            // A quote within has more backslashes than one around: as many more as each of them doubles.
            let is_end = *byte == mark
                && backslashes >= escapes
                && (backslashes - escapes).is_multiple_of(2 * (escapes + 1));
            backslashes = if **byte == b'\\' { backslashes + 1 } else { 0 };
            !is_end
        });
        let end = quote + 1 + length.count();
        // The backslashes of the quote that ends it are not the value's.
        let end = if end < self.text.len() {
            end - escapes
        } else {
            end
        };
        Some(self.named(quote + 1..end, Some(escapes)))
    }

    /// A number, which stays one. In a field for the name of a client it is the number of something else.
    fn number(&self) -> Option<Named> {
        let is_number =
            |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let end = skip(self.text, self.start, is_number);
        let is_secret = end > self.start && self.placeholder != CLIENT_ID;
        is_secret.then(|| Named {
            placeholder: "0",
            ..self.named(self.start..end, None)
        })
    }

    /// The credentials of a header, after a scheme that says that they are some.
    fn of_header(&self) -> Option<Named> {
        if self.placeholder != AUTHORIZATION {
            return None;
        }
        let scheme_end = skip(self.text, self.start, u8::is_ascii_alphanumeric);
        let scheme = &self.text[self.start..scheme_end];
        let is_scheme = [&b"bearer"[..], b"basic", b"digest", b"token"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
        let start = skip(self.text, scheme_end, |byte| *byte == b' ');
        let end = skip(self.text, start, |byte| !ends_value(byte));
        let is_secret = is_scheme && start > scheme_end && end > start;
        is_secret.then(|| Named {
            placeholder: "access-token",
            ..self.named(start..end, None)
        })
    }

    /// The value of a field of a form, which ends where the next begins, or what the form is in goes on.
    fn of_form(&self) -> Option<Named> {
        let mut end = self.start;
        while let Some(byte) = self.text.get(end) {
            let is_end = match byte {
                // An escape of something else is a part of the value.
                b'\\' => matches!(
                    self.text.get(end + 1),
                    Some(b'"' | b'\'' | b'n' | b'r' | b't')
                ),
                byte => ends_value(byte),
            };
            if is_end {
                break;
            }
            end += 1;
        }
        (end > self.start).then(|| self.named(self.start..end, None))
    }
}

fn is_quote(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

fn ends_value(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || b"&;,\"'<>()[]{}`".contains(byte)
}

fn skip_space(text: &[u8], from: usize) -> usize {
    skip(text, from, u8::is_ascii_whitespace)
}

/// Where the first byte is that is not like this.
fn skip(text: &[u8], from: usize, like: impl Fn(&u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| like(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::Edits;

    fn blank(text: &str) -> String {
        let found = find(text.as_bytes()).into_iter();
        let edits = found.map(|it| (it.value, it.placeholder)).collect();
        let blanked = Edits::new(edits).apply(text.as_bytes());
        String::from_utf8(blanked).expect("texts are replaced by text")
    }

    #[test]
    fn only_the_values_of_secret_fields_change() {
        assert_eq!(
            blank(
                r#"{"b":"secret", "secret" : "1\"2", "c":["secret","secret"],"secret":null,"d":{"Secret":""}}"#
            ),
            r#"{"b":"secret", "secret" : "secret", "c":["secret","secret"],"secret":null,"d":{"Secret":""}}"#
        );
        assert_eq!(
            blank("a=1&client_secret=x&b=2&access_token=y"),
            "a=1&client_secret=client-secret&b=2&access_token=access-token"
        );
    }

    #[test]
    fn a_secret_may_be_of_any_length_and_of_several_parts() {
        assert_eq!(
            blank(
                r#"{"pwd":"x","password":123,"client_id":7,"Authorization": [ "Bearer a" , "Basic b" ], "c": 1}"#
            ),
            r#"{"pwd":"password","password":0,"client_id":7,"Authorization": [ "authorization" , "authorization" ], "c": 1}"#
        );
    }

    #[test]
    fn fields_within_texts_are_found_however_deep() {
        for (text, blanked) in [
            (
                r#"{"error":"cannot handle client_secret=a\/b\u0063&x=1"}"#,
                r#"{"error":"cannot handle client_secret=client-secret&x=1"}"#,
            ),
            (
                r#"{"body":"{\"access_token\":\"a\\\"b\",\"n\":1}"}"#,
                r#"{"body":"{\"access_token\":\"access-token\",\"n\":1}"}"#,
            ),
            (
                r#""{\"b\":\"{\\\"pwd\\\": \\\"a\\\\\\\"b\\\", 1}\"}""#,
                r#""{\"b\":\"{\\\"pwd\\\": \\\"password\\\", 1}\"}""#,
            ),
            (
                "GET / HTTP/1.1\r\nAuthorization: Bearer abc\r\nHost: x",
                "GET / HTTP/1.1\r\nAuthorization: Bearer access-token\r\nHost: x",
            ),
            ("<p>password='a b' of", "<p>password='password' of"),
            (r#"{"a":"pwd=x\"y"}"#, r#"{"a":"pwd=password\"y"}"#),
        ] {
            assert_eq!(blank(text), blanked);
        }
    }

    #[test]
    fn names_with_escapes_are_found() {
        for (text, blanked) in [
            (
                r#"{"access\u005ftoken":"eyJ"}"#,
                r#"{"access\u005ftoken":"access-token"}"#,
            ),
            (
                r#"{"\u0061ccess_\u0074oken" : "eyJ"}"#,
                r#"{"\u0061ccess_\u0074oken" : "access-token"}"#,
            ),
            (
                r#""{\"access\\u005Ftoken\":\"eyJ\"}""#,
                r#""{\"access\\u005Ftoken\":\"access-token\"}""#,
            ),
            (
                "a=1&client%5Fsecret=x&b=2",
                "a=1&client%5Fsecret=client-secret&b=2",
            ),
            ("%63lient%255fsecret=x", "%63lient%255fsecret=client-secret"),
            (
                r#"{"e":"a\npwd=x, a\u0026pwd=y"}"#,
                r#"{"e":"a\npwd=password, a\u0026pwd=password"}"#,
            ),
            (r"C:\refresh_token=x", r"C:\refresh_token=refresh-token"),
            (r#"{"my\u005fpwd":"x"}"#, r#"{"my\u005fpwd":"x"}"#),
        ] {
            assert_eq!(blank(text), blanked);
        }
    }

    #[test]
    fn a_value_that_ends_in_a_backslash_ends_there() {
        assert_eq!(
            blank(r#"{"pwd":"a\\","b":"c"}"#),
            r#"{"pwd":"password","b":"c"}"#
        );
        assert_eq!(
            blank(r#""{\"pwd\":\"a\\\\\",\"b\":1}""#),
            r#""{\"pwd\":\"password\",\"b\":1}""#
        );
    }

    #[test]
    fn a_text_that_is_cut_off_is_replaced_up_to_the_end() {
        assert_eq!(blank(r#"{"pwd":"12"#), r#"{"pwd":"password"#);
        assert_eq!(blank(r#"{"pwd":"12\"#), r#"{"pwd":"password"#);
        assert_eq!(blank("pwd=12"), "pwd=password");
        for text in [
            r#"{"pwd":"#,
            r#"{"pwd":""#,
            "pwd=",
            "Authorization: Bearer ",
        ] {
            assert_eq!(blank(text), text);
        }
    }

    #[test]
    fn what_names_no_secret_stays_as_it_is() {
        for text in [
            "",
            "=:",
            "<html lang=\"secret\">",
            "\"secret\"",
            "secret\": \"b",
            "Password: at least 8 characters",
            "Authorization: please log in",
            r#"{"no secret":"x","my_password":"y"}"#,
            "<input type=password name=a>",
        ] {
            assert_eq!(blank(text), text);
        }
    }
}
