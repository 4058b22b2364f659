//! Takes out of exchanges what a recording must not have: credentials, tokens, cookies, and whose tenant it is.
//!
//! Twice, because either way alone misses something. By name: a field of a form, a query or a JSON text that is known to hold
//! a secret gets a placeholder, and of header fields only a few are kept at all. By value: whatever was found by name is looked
//! for everywhere else, as it is and in its usual encodings, since an error message may well repeat what it was sent.
//!
//! What it does not take out: the personal data of accounts, which is what answers are about.

use std::cell::OnceCell;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::uri::Scheme;
use http::{Request, Uri};

use crate::edits::{Edit, Edits};
use crate::har::Written;
use crate::json_text;
use crate::recording::Exchange;

/// The host that recordings show in place of the tenant's. No name below `invalid` can ever be resolved (RFC 2606).
pub const NEUTRAL_HOST: &str = "tenant.example.invalid";

/// The fields that hold a secret, in lower case and without `_` and `-`, and what is put in its place.
const SECRET_FIELDS: [(&str, &str); 12] = [
    ("accesstoken", "access-token"),
    ("refreshtoken", "refresh-token"),
    ("idtoken", "id-token"),
    ("clientid", "client-id"),
    ("clientsecret", "client-secret"),
    ("clientassertion", "client-assertion"),
    ("assertion", "assertion"),
    ("password", "password"),
    ("apikey", "api-key"),
    ("secret", "secret"),
    ("sessionkey", "session-key"),
    ("authorization", "authorization"),
];

/// The header fields of a request that are kept: those that can decide about the answer and hold no secret.
const REQUEST_HEADERS: [&str; 2] = ["accept", "content-type"];
/// The header fields of an answer that are kept: those that connectors act on, and that support finds the request by.
const ANSWER_HEADERS: [&str; 6] = [
    "content-type",
    "content-encoding",
    "date",
    "retry-after",
    "x-nj-request-id",
    "x-request-id",
];

/// The shortest value that is looked for everywhere. A shorter one would be found in words that have nothing to do with it.
const SHORTEST: usize = 8;

/// Knows what to take out: what was learned from the exchanges that it saw.
#[derive(Default)]
pub(crate) struct Redactor {
    /// What is looked for everywhere, in whichever case, and what is put in its place.
    needles: Vec<(Vec<u8>, &'static str)>,
    /// Finds them all at once; made when it is needed.
    finder: OnceCell<AhoCorasick>,
}

/// An exchange without what is secret in it. Its answer is not copied for that: it may be large.
pub(crate) struct Clean<'a> {
    exchange: &'a Exchange,
    request: Request<Bytes>,
    headers: Option<HeaderMap>,
    edits: Edits,
}

impl Clean<'_> {
    /// As it is to be written.
    pub(crate) fn written(&self) -> Written<'_> {
        let response = self.exchange.answer.response();
        Written {
            request: &self.request,
            head: response
                .map(http::Response::status)
                .zip(self.headers.as_ref()),
            ..Written::new(self.exchange, &self.edits)
        }
    }
}

impl Redactor {
    /// Takes in a secret that somebody knows.
    pub(crate) fn conceal(&mut self, secret: &str) {
        self.learn_value(secret.as_bytes(), "secret");
    }

    /// Takes in what a request and its answer tell of secrets.
    pub(crate) fn learn(&mut self, exchange: &Exchange) {
        self.learn_request(&exchange.request);
        if let Some(answer) = exchange.answer.response() {
            self.learn_headers(answer.headers());
            self.learn_json(answer.body());
        }
    }

    /// Takes in what a request tells of secrets.
    pub(crate) fn learn_request(&mut self, request: &Request<Bytes>) {
        self.learn_headers(request.headers());
        self.learn_form(request.uri().query().unwrap_or_default().as_bytes());
        if is_form(request.headers()) {
            self.learn_form(request.body());
        } else {
            self.learn_json(request.body());
        }
        if let Some(authority) = request.uri().authority() {
            self.learn_host(authority.as_str());
            self.learn_host(authority.host());
        }
    }

    /// The exchange with nothing in it that is secret or tells whose tenant it is.
    pub(crate) fn clean<'a>(&self, exchange: &'a Exchange) -> Clean<'a> {
        let response = exchange.answer.response();
        Clean {
            exchange,
            request: self.clean_request(&exchange.request),
            headers: response.map(|it| self.headers(it.headers(), &ANSWER_HEADERS)),
            edits: response.map_or_else(Edits::default, |it| self.body_edits(it.body())),
        }
    }

    /// The request, likewise. Two requests that differ in their secrets alone are the same afterwards.
    pub(crate) fn clean_request(&self, request: &Request<Bytes>) -> Request<Bytes> {
        let body = if is_form(request.headers()) {
            Bytes::from(self.form(request.body()))
        } else {
            Bytes::from(self.body_edits(request.body()).apply(request.body()))
        };
        let mut clean = Request::new(body);
        *clean.method_mut() = request.method().clone();
        *clean.uri_mut() = self.uri(request.uri());
        *clean.headers_mut() = self.headers(request.headers(), &REQUEST_HEADERS);
        clean
    }

    /// What to take out of a body that is no form.
    fn body_edits(&self, text: &[u8]) -> Edits {
        let mut edits = json_text::edits(text, |name, _| placeholder(name));
        edits.extend(self.values(text));
        Edits::new(edits)
    }

    fn learn_headers(&mut self, headers: &HeaderMap) {
        for value in headers.get_all(AUTHORIZATION) {
            self.learn_authorization(value);
        }
        for value in headers
            .get_all(COOKIE)
            .iter()
            .chain(headers.get_all(SET_COOKIE))
        {
            for pair in value.as_bytes().split(|byte| *byte == b';') {
                let name_end = pair.iter().position(|byte| *byte == b'=');
                self.learn_value(&pair[name_end.map_or(0, |end| end + 1)..], "cookie");
            }
        }
    }

    fn learn_authorization(&mut self, value: &HeaderValue) {
        let Some((scheme, credentials)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return self.learn_value(value.as_bytes(), "authorization");
        };
        self.learn_value(credentials.trim().as_bytes(), "access-token");
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(pair) = STANDARD.decode(credentials.trim())
            && let Some(colon) = pair.iter().position(|byte| *byte == b':')
        {
            self.learn_value(&pair[..colon], "client-id");
            self.learn_value(&pair[colon + 1..], "client-secret");
        }
    }

    fn learn_form(&mut self, form: &[u8]) {
        for (name, value) in form_urlencoded::parse(form) {
            if let Some(placeholder) = placeholder(&name) {
                self.learn_value(value.as_bytes(), placeholder);
            }
        }
    }

    fn learn_json(&mut self, text: &[u8]) {
        json_text::edits(text, |name, value| {
            if let Some(placeholder) = placeholder(name) {
                self.learn_value(value, placeholder);
                // As it would be without the escapes of JSON.
                let quoted = [b"\"", value, b"\""].concat();
                if let Ok(plain) = serde_json::from_slice::<String>(&quoted) {
                    self.learn_value(plain.as_bytes(), placeholder);
                }
            }
            None
        });
    }

    fn learn_value(&mut self, value: &[u8], placeholder: &'static str) {
        if value.len() < SHORTEST || value == placeholder.as_bytes() {
            return;
        }
        let encoded: String = form_urlencoded::byte_serialize(value).collect();
        let quoted = serde_json::Value::from(String::from_utf8_lossy(value)).to_string();
        let forms = [
            value.to_vec(),
            quoted.as_bytes()[1..quoted.len() - 1].to_vec(),
            encoded.replace('+', "%20").into_bytes(),
            encoded.into_bytes(),
            STANDARD.encode(value).into_bytes(),
            URL_SAFE_NO_PAD.encode(value).into_bytes(),
        ];
        for form in forms {
            self.look_for(form, placeholder);
        }
    }

    fn learn_host(&mut self, host: &str) {
        // A bare word, such as `localhost`, tells nothing, and may be a word of the text.
        if host.contains(['.', ':']) && host != NEUTRAL_HOST {
            self.look_for(host.as_bytes().to_vec(), NEUTRAL_HOST);
        }
    }

    fn look_for(&mut self, needle: Vec<u8>, placeholder: &'static str) {
        if !self.needles.iter().any(|(known, _)| *known == needle) {
            self.needles.push((needle, placeholder));
            self.finder.take();
        }
    }

    fn headers(&self, headers: &HeaderMap, kept: &[&'static str]) -> HeaderMap {
        let mut clean = HeaderMap::new();
        for name in kept {
            for value in headers.get_all(*name) {
                // What cannot be a header value any more has lost more than a secret: it is left out.
                if let Ok(value) = HeaderValue::from_maybe_shared(self.text(value.as_bytes())) {
                    clean.append(HeaderName::from_static(name), value);
                }
            }
        }
        clean
    }

    fn uri(&self, uri: &Uri) -> Uri {
        let mut path_and_query = self.text(uri.path().as_bytes()).to_vec();
        if let Some(query) = uri.query() {
            path_and_query.push(b'?');
            path_and_query.extend(self.form(query.as_bytes()).into_bytes());
        }
        Uri::builder()
            .scheme(Scheme::HTTPS)
            .authority(NEUTRAL_HOST)
            .path_and_query(path_and_query)
            .build()
            .expect("a path with words in it replaced by placeholders is one still")
    }

    /// A form, or a query, in the one encoding that recordings have, and without secrets.
    fn form(&self, form: &[u8]) -> String {
        let mut clean = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(form) {
            match placeholder(&name) {
                Some(placeholder) => clean.append_pair(&name, placeholder),
                None => {
                    let value = self.text(value.as_bytes());
                    clean.append_pair(&name, &String::from_utf8_lossy(&value))
                }
            };
        }
        clean.finish()
    }

    /// Any text, without the values that were learned and without the tenant's host.
    fn text(&self, text: &[u8]) -> Bytes {
        Edits::new(self.values(text).collect()).apply(text).into()
    }

    /// Where the values that were learned are in a text.
    fn values(&self, text: &[u8]) -> impl Iterator<Item = Edit> {
        let found = self.finder().find_iter(text);
        found.map(|found| (found.range(), self.needles[found.pattern().as_usize()].1))
    }

    fn finder(&self) -> &AhoCorasick {
        self.finder.get_or_init(|| {
            AhoCorasick::builder()
                // One may be a part of another.
                .match_kind(MatchKind::LeftmostLongest)
                .ascii_case_insensitive(true)
                .build(self.needles.iter().map(|(needle, _)| needle))
                .expect("a few secrets are not more than a finder can have")
        })
    }
}

/// Whether the body is a form. That of a token request is the only one that connectors send.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// What to put in the place of the value of this field, if it is a secret.
fn placeholder(field: &str) -> Option<&'static str> {
    let plain: String = field
        .chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_FIELDS
        .iter()
        .find(|(name, _)| *name == plain)
        .map(|(_, placeholder)| *placeholder)
}

#[cfg(test)]
mod tests {
    use http::Response;
    use http::header::CONTENT_TYPE;

    use crate::har::HarWriter;
    use crate::recording::{Answer, Recording};

    use super::*;

    const SECRET: &str = "hunter2/hunter2+hunter2 §";
    const TOKEN: &str = "eyJhbGciOi.J9-token";

    fn exchange(request: Request<Bytes>, answer: Response<Bytes>) -> Exchange {
        Exchange {
            started: jiff::Timestamp::UNIX_EPOCH,
            took: std::time::Duration::ZERO,
            request,
            answer: Answer::Whole(answer),
        }
    }

    fn token_exchange() -> Exchange {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", "the-client-of-acme")
            .append_pair("client_secret", SECRET)
            .append_pair("scope", "monitoring management")
            .finish();
        let request = Request::post("https://acme.rmm.example:8443/ws/oauth/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(COOKIE, "session=cookie-of-acme")
            .body(form.into())
            .expect("the test gives a request");
        let answer = Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .header(SET_COOKIE, "session=another-cookie; Path=/")
            .header("x-internal", "anything")
            .body(format!("{{ \"access_token\" : \"{TOKEN}\", \"expires_in\":3600 }}").into())
            .expect("the test gives an answer");
        exchange(request, answer)
    }

    /// The exchanges as a recording has them, and all of its text.
    fn clean(exchanges: &[Exchange]) -> (Vec<Exchange>, String) {
        let mut redactor = Redactor::default();
        exchanges
            .iter()
            .for_each(|exchange| redactor.learn(exchange));
        let mut har = HarWriter::new(Vec::new()).expect("memory takes everything");
        for exchange in exchanges {
            let written = har.entry(&redactor.clean(exchange).written());
            written.expect("memory takes everything");
        }
        let har = har.end(None).expect("memory takes everything");
        let recording = Recording::from_har(&har).expect("it is HAR");
        let text = String::from_utf8(har).expect("it is text");
        (recording.exchanges, text)
    }

    fn answer(exchange: &Exchange) -> &Response<Bytes> {
        match &exchange.answer {
            Answer::Whole(answer) => answer,
            other => panic!("it was answered, and not {other:?}"),
        }
    }

    #[test]
    fn of_a_token_exchange_everything_is_left_but_the_secrets() {
        let (clean, text) = clean(&[token_exchange()]);
        assert_eq!(
            clean[0].request.body(),
            "grant_type=client_credentials&client_id=client-id&client_secret=client-secret&scope=monitoring+management"
        );
        assert_eq!(
            answer(&clean[0]).body(),
            "{ \"access_token\" : \"access-token\", \"expires_in\":3600 }"
        );
        for secret in ["hunter2", TOKEN, "acme", "another-cookie", "x-internal"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }

    #[test]
    fn what_was_secret_once_is_taken_out_wherever_it_comes_up_in_whichever_encoding() {
        let percent = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>();
        let body = format!(
            "{SECRET} {TOKEN} {percent} {} {}",
            STANDARD.encode(SECRET),
            URL_SAFE_NO_PAD.encode(TOKEN)
        );
        let echo = exchange(
            Request::get(format!(
                "https://acme.rmm.example:8443/v2/users/{TOKEN}?x={percent}"
            ))
            .body(Bytes::new())
            .expect("the test gives a request"),
            Response::builder()
                .header("x-nj-request-id", format!("of-{TOKEN}"))
                .body(body.into())
                .expect("the test gives an answer"),
        );
        let (clean, _) = clean(&[token_exchange(), echo]);
        let placeholders = "client-secret access-token client-secret client-secret access-token";
        assert_eq!(answer(&clean[1]).body(), placeholders);
        assert_eq!(
            answer(&clean[1]).headers()["x-nj-request-id"],
            "of-access-token"
        );
        assert_eq!(
            clean[1].request.uri(),
            "https://tenant.example.invalid/v2/users/access-token?x=client-secret"
        );
    }

    #[test]
    fn what_was_secret_is_taken_out_of_json_with_its_escapes() {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_secret", "a \"secret\"\\ of acme")
            .finish();
        let request = Request::post("https://acme.example/ws/oauth/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into())
            .expect("the test gives a request");
        let body = r#"{"error":"a \"secret\"\\ of acme is wrong"}"#;
        let (clean, _) = clean(&[exchange(request, Response::new(body.into()))]);
        assert_eq!(
            answer(&clean[0]).body(),
            r#"{"error":"client-secret is wrong"}"#
        );
    }

    #[test]
    fn basic_authentication_is_taken_out_with_what_it_is_made_of() {
        let basic = STANDARD.encode("the-client-id:the-secret-of-it");
        let request = Request::get("https://acme.example/")
            .header(AUTHORIZATION, format!("Basic {basic}"))
            .body(Bytes::new())
            .expect("the test gives a request");
        let body = format!("{basic} the-client-id the-secret-of-it");
        let (clean, _) = clean(&[exchange(request, Response::new(body.into()))]);
        assert!(clean[0].request.headers().is_empty());
        assert_eq!(
            answer(&clean[0]).body(),
            "access-token client-id client-secret"
        );
    }

    #[test]
    fn the_host_of_the_tenant_is_taken_out_of_bodies_in_whichever_case() {
        let request = Request::get("https://acme.rmm.example:8443/v2/users")
            .body(Bytes::new())
            .expect("the test gives a request");
        let body = "see https://ACME.rmm.example:8443/x or acme.rmm.example";
        let (clean, _) = clean(&[exchange(request, Response::new(body.into()))]);
        assert_eq!(
            answer(&clean[0]).body(),
            "see https://tenant.example.invalid/x or tenant.example.invalid"
        );
    }

    #[test]
    fn a_body_without_secrets_stays_as_it_is_to_the_byte() {
        let body = "[ {\"id\": 1e0,\"name\":\"\\u00e9 \\\" secret\", \"clientId\": 7} ";
        let request = Request::get("https://acme.example/")
            .body(Bytes::new())
            .expect("the test gives a request");
        let (clean, _) = clean(&[exchange(request, Response::new(body.into()))]);
        assert_eq!(answer(&clean[0]).body(), body);
    }

    #[test]
    fn what_is_clean_stays_as_it_is() {
        let (once, _) = clean(&[token_exchange()]);
        let (twice, _) = clean(&once);
        assert_eq!(format!("{once:?}"), format!("{twice:?}"));
    }
}
