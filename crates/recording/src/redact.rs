//! Takes out of exchanges what a recording must not have: credentials, tokens, cookies, and whose tenant it is.
//!
//! Twice, because either way alone misses something. By name: a field that is known to hold a secret gets a placeholder, and of
//! header fields only a few are kept at all. By value: whatever was found by name, or is known from the start, is looked for
//! everywhere else, in whichever spelling, since an error message may well repeat what it was sent.
//!
//! What it does not take out: the personal data of accounts, which is what answers are about.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
    SET_COOKIE,
};
use http::uri::{Authority, Scheme};
use http::{Request, Uri};
use percent_encoding::percent_decode;

use crate::edits::Edits;
use crate::har::Written;
use crate::named::{self, Named, placeholder};
use crate::needles::{Needles, Text};
use crate::recording::Exchange;

/// The host that recordings show in place of the tenant's. No name below `invalid` can ever be resolved (RFC 2606).
pub const NEUTRAL_HOST: &str = "tenant.example.invalid";

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

/// The longest path, with its query, that a recording has. A URI can have 65,534 bytes, with its host.
const LONGEST_PATH: usize = 60_000;

/// Knows what to take out: what was learned from the exchanges that it saw, and what it was told.
#[derive(Default)]
pub(crate) struct Redactor {
    needles: Needles,
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
        self.needles.keep(secret.as_bytes(), "secret");
    }

    /// Takes in what a request and its answer tell of secrets.
    pub(crate) fn learn(&mut self, exchange: &Exchange) {
        self.learn_request(&exchange.request);
        if let Some(answer) = exchange.answer.response() {
            self.learn_headers(answer.headers());
            self.learn_text(answer.body());
        }
    }

    /// Takes in what a request tells of secrets.
    pub(crate) fn learn_request(&mut self, request: &Request<Bytes>) {
        self.learn_headers(request.headers());
        self.learn_form(request.uri().query().unwrap_or_default().as_bytes());
        if is_form(request.headers()) {
            self.learn_form(request.body());
        } else {
            self.learn_text(request.body());
        }
        if let Some(authority) = request.uri().authority() {
            self.learn_authority(authority);
        }
    }

    /// The exchange with nothing in it that is secret or tells whose tenant it is.
    pub(crate) fn clean<'a>(&self, exchange: &'a Exchange) -> Clean<'a> {
        let response = exchange.answer.response();
        let body_edits = |body: &[u8]| self.body_edits(body, Text::Answered);
        Clean {
            exchange,
            request: self.clean_request(&exchange.request),
            headers: response.map(|it| self.headers(it.headers(), &ANSWER_HEADERS, Text::Answered)),
            edits: response.map_or_else(Edits::default, |it| body_edits(it.body())),
        }
    }

    /// The request, likewise. Two requests that differ in their secrets alone are the same afterwards.
    pub(crate) fn clean_request(&self, request: &Request<Bytes>) -> Request<Bytes> {
        let body = if is_form(request.headers()) {
            Bytes::from(self.form(request.body()))
        } else {
            let edits = self.body_edits(request.body(), Text::Sent);
            Bytes::from(edits.apply(request.body()))
        };
        let mut clean = Request::new(body);
        *clean.method_mut() = request.method().clone();
        *clean.uri_mut() = self.uri(request.uri());
        *clean.headers_mut() = self.headers(request.headers(), &REQUEST_HEADERS, Text::Sent);
        clean
    }

    fn learn_headers(&mut self, headers: &HeaderMap) {
        for name in [AUTHORIZATION, PROXY_AUTHORIZATION] {
            for value in headers.get_all(name) {
                self.learn_authorization(value.as_bytes());
            }
        }
        for name in [COOKIE, SET_COOKIE] {
            for value in headers.get_all(name) {
                self.learn_cookies(value.as_bytes());
            }
        }
    }

    /// Takes in the values of cookies, and those of their attributes, which are too short to be looked for, or harmless.
    fn learn_cookies(&mut self, cookies: &[u8]) {
        for pair in cookies.split(|byte| *byte == b';') {
            let name_end = pair.iter().position(|byte| *byte == b'=');
            let value = pair[name_end.map_or(0, |end| end + 1)..].trim_ascii();
            let unquoted = value
                .strip_prefix(b"\"")
                .and_then(|it| it.strip_suffix(b"\""));
            self.learn_value(unquoted.unwrap_or(value), "cookie");
        }
    }

    /// Takes in a scheme with its credentials; those of HTTP Basic are two.
    fn learn_authorization(&mut self, value: &[u8]) {
        let Some(space) = value.iter().position(|byte| *byte == b' ') else {
            return self.learn_value(value, named::AUTHORIZATION);
        };
        let (scheme, credentials) = (&value[..space], value[space..].trim_ascii());
        self.learn_value(credentials, "access-token");
        if scheme.eq_ignore_ascii_case(b"basic")
            && let Ok(pair) = STANDARD.decode(credentials)
        {
            self.learn_pair(&pair);
        }
    }

    /// Takes in a name and a secret with a colon between them.
    fn learn_pair(&mut self, pair: &[u8]) {
        if let Some(colon) = pair.iter().position(|byte| *byte == b':') {
            self.learn_value(&pair[..colon], "client-id");
            self.learn_value(&pair[colon + 1..], "client-secret");
        }
    }

    fn learn_form(&mut self, form: &[u8]) {
        for (name, value) in form_urlencoded::parse(form) {
            if let Some(placeholder) = placeholder(name.as_bytes()) {
                self.learn_named(value.as_bytes(), placeholder);
            }
        }
    }

    fn learn_text(&mut self, text: &[u8]) {
        for named in named::find(text) {
            // Without quotes it may be a word of a sentence.
            if let Some(escapes) = named.escapes {
                let value = unescaped(&text[named.value], escapes);
                self.learn_named(&value, named.placeholder);
            }
        }
    }

    fn learn_named(&mut self, value: &[u8], placeholder: &'static str) {
        if placeholder == named::AUTHORIZATION {
            self.learn_authorization(value);
        } else {
            self.learn_value(value, placeholder);
        }
    }

    fn learn_value(&mut self, value: &[u8], placeholder: &'static str) {
        self.needles.learn(value, placeholder);
        // It may be repeated as that for which it stands.
        if value.contains(&b'%') {
            let decoded: Vec<u8> = percent_decode(value).collect();
            self.needles.learn(&decoded, placeholder);
        }
    }

    fn learn_authority(&mut self, authority: &Authority) {
        let text = authority.as_str();
        let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
        self.learn_pair(user.as_bytes());
        for host in [host, authority.host()] {
            // A bare word, such as `localhost`, tells nothing, and may be a word of the text.
            if host.contains(['.', ':']) && authority.host() != NEUTRAL_HOST {
                self.needles.keep(host.as_bytes(), NEUTRAL_HOST);
            }
        }
    }

    fn headers(&self, headers: &HeaderMap, kept: &[&'static str], kind: Text) -> HeaderMap {
        let mut clean = HeaderMap::new();
        for name in kept {
            for value in headers.get_all(*name) {
                // What cannot be a header value any more has lost more than a secret: it is left out.
                let text = Bytes::from(self.text(value.as_bytes(), kind));
                if let Ok(value) = HeaderValue::from_maybe_shared(text) {
                    clean.append(HeaderName::from_static(name), value);
                }
            }
        }
        clean
    }

    /// What comes after [`LONGEST_PATH`] is left out: in the encoding of recordings it may be longer than a URI can be.
    fn uri(&self, uri: &Uri) -> Uri {
        let path = self.text(uri.path().as_bytes(), Text::Sent);
        let mut path_and_query = String::from_utf8_lossy(&path).into_owned();
        if !path_and_query.starts_with('/') {
            path_and_query.insert(0, '/');
        }
        if let Some(query) = uri.query() {
            path_and_query.push('?');
            path_and_query.push_str(&self.form(query.as_bytes()));
        }
        path_and_query.truncate(path_and_query.floor_char_boundary(LONGEST_PATH));
        Uri::builder()
            .scheme(Scheme::HTTPS)
            .authority(NEUTRAL_HOST)
            .path_and_query(path_and_query)
            .build()
            .expect("a path with words in it replaced by placeholders is one still")
    }

    /// A form, or a query, in the one encoding that recordings have, and without secrets.
    fn form(&self, form: &[u8]) -> String {
        let text = |part: &str| {
            let clean = self.text(part.as_bytes(), Text::Sent);
            String::from_utf8_lossy(&clean).into_owned()
        };
        let mut clean = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(form) {
            match placeholder(name.as_bytes()) {
                Some(placeholder) => clean.append_pair(&name, placeholder),
                None => clean.append_pair(&text(&name), &text(&value)),
            };
        }
        clean.finish()
    }

    /// What to take out of a body that is no form.
    fn body_edits(&self, text: &[u8], kind: Text) -> Edits {
        let by_name = named::find(text).into_iter();
        let by_name = by_name.map(
            |Named {
                 value, placeholder, ..
             }| (value, placeholder),
        );
        Edits::new(by_name.chain(self.needles.find(text, kind)).collect())
    }

    /// Any text, without the values that were learned and without the tenant's host.
    fn text(&self, text: &[u8], kind: Text) -> Vec<u8> {
        Edits::new(self.needles.find(text, kind)).apply(text)
    }
}

/// What a text in quotes says, with so many backslashes before each of them.
fn unescaped(text: &[u8], mut escapes: usize) -> Vec<u8> {
    let mut text = text.to_vec();
    loop {
        let quoted = [b"\"", &text[..], b"\""].concat();
        // What is no JSON stands for itself.
        let Ok(plain) = serde_json::from_slice::<String>(&quoted) else {
            return text;
        };
        text = plain.into_bytes();
        if escapes == 0 {
            return text;
        }
        escapes /= 2;
    }
}

/// Whether the body is a form. That of a token request is the only one that connectors send.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| {
            value
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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

    fn get(uri: &str) -> Request<Bytes> {
        let request = Request::get(uri).body(Bytes::new());
        request.expect("the test gives a request")
    }

    /// What a recording has of this answer, after the exchange that fetches the token.
    fn said(body: &str) -> String {
        let failure = Response::new(Bytes::copy_from_slice(body.as_bytes()));
        let echo = exchange(get("https://acme.rmm.example:8443/v2/users"), failure);
        let (clean, _) = clean(&[token_exchange(), echo]);
        String::from_utf8(answer(&clean[1]).body().to_vec()).expect("it is text")
    }

    #[test]
    fn what_was_secret_is_taken_out_in_whichever_spelling() {
        for spelled in [
            r"hunter2\/hunter2+hunter2 §",
            r"\u0068unter2\/hunter2\u002bhunter2 \u00A7",
            "hunter2%2Fhunter2%2Bhunter2+%C2%A7",
            "hunter2%2fhunter2%2bhunter2%20%c2%a7",
            "hunter2%252Fhunter2%252Bhunter2%2520%25C2%25A7",
            "hunter2&#47;hunter2&#x2b;hunter2 &#167;",
            r"hunter2\\\/hunter2+hunter2 \\u00a7",
            "hunter2/hunter2+hun…",
        ] {
            let body = format!(r#"{{"error":"cannot handle {spelled}"}}"#);
            let blanked = said(&body);
            assert!(blanked.contains("cannot handle client-secret"), "{blanked}");
            assert!(!blanked.contains("hunter2"), "{blanked}");
        }
        let cut_off = said(r#"{"error":"cannot handle hunter2\/hun"#);
        assert_eq!(cut_off, r#"{"error":"cannot handle client-secret"#);
    }

    #[test]
    fn a_token_in_another_spelling_is_taken_out() {
        let blanked = said(r#"{"headers":{"x":"Bearer eyJhbGciOi.J9\u002dtoken"}}"#);
        assert_eq!(blanked, r#"{"headers":{"x":"Bearer access-token"}}"#);
    }

    #[test]
    fn the_host_of_the_tenant_is_taken_out_of_links_in_whichever_spelling() {
        for (link, blanked) in [
            (
                "/login?to=https%3A%2F%2Facme.rmm.example%3a8443%2Fx",
                "/login?to=https%3A%2F%2Ftenant.example.invalid%2Fx",
            ),
            (
                r#"{"url":"https:\/\/acme.rmm.example\/x"}"#,
                r#"{"url":"https:\/\/tenant.example.invalid\/x"}"#,
            ),
            (
                "https&#58;//ACME&#46;rmm.example/",
                "https&#58;//tenant.example.invalid/",
            ),
        ] {
            assert_eq!(said(link), blanked);
        }
    }

    #[test]
    fn a_secret_is_taken_out_of_the_place_that_names_it_however_short_it_is() {
        let request = Request::post("https://acme.example/ws/oauth/token?client_secret=abc&x=1")
            .header(CONTENT_TYPE, "application/json")
            .body(r#"{"client_secret":"abc","x":1}"#.into())
            .expect("the test gives a request");
        let body = r#"{"access_token":"tok","error":"client_secret=a\u0062c&x, Authorization: Bearer tok"}"#;
        let (clean, _) = clean(&[exchange(request, Response::new(body.into()))]);
        assert_eq!(
            clean[0].request.uri(),
            "https://tenant.example.invalid/ws/oauth/token?client_secret=client-secret&x=1"
        );
        assert_eq!(
            clean[0].request.body(),
            r#"{"client_secret":"client-secret","x":1}"#
        );
        assert_eq!(
            answer(&clean[0]).body(),
            r#"{"access_token":"access-token","error":"client_secret=client-secret&x, Authorization: Bearer access-token"}"#
        );
    }

    #[test]
    fn all_that_a_request_carries_of_credentials_is_learned() {
        let basic = STANDARD.encode("name-of%2Fproxy:secret-of%2Fproxy");
        let request = Request::get("https://user-name:user-secret@acme.example/?x-secret-token")
            .header(PROXY_AUTHORIZATION, format!("Basic {basic}"))
            .header(AUTHORIZATION, "Bearer the-bearer-token")
            .header(COOKIE, "a=first-cookie; b=\"second-cookie\"")
            .body(Bytes::new())
            .expect("the test gives a request");
        let body = format!(
            "{basic} name-of/proxy secret-of/proxy name-of%2Fproxy the-bearer-token first-cookie second-cookie \
             user-name user-secret {}",
            STANDARD.encode("x the-bearer-token")
        );
        let (clean, text) = clean(&[exchange(request, Response::new(body.into()))]);
        assert_eq!(
            String::from_utf8_lossy(answer(&clean[0]).body()),
            "access-token client-id client-secret client-id access-token cookie cookie client-id client-secret eCBaccess-token"
        );
        assert!(!text.contains("user-"), "{text}");
    }

    #[test]
    fn a_path_stays_one_whatever_is_taken_out_of_it_and_however_long_it_gets() {
        let mut redactor = Redactor::default();
        redactor.conceal("/v2/users");
        let path = |uri: &str| {
            let clean = redactor.clean_request(&get(uri));
            clean.uri().to_string()
        };
        assert_eq!(
            path("https://acme.example/v2/users/1"),
            "https://tenant.example.invalid/secret/1"
        );
        let host = "https://tenant.example.invalid".len();
        let long = path(&format!(
            "https://acme.example/x?{}",
            "a=:::::&".repeat(5000)
        ));
        assert_eq!(long.len(), host + LONGEST_PATH);
        let long = path(&format!("https://acme.example/{}", "é".repeat(32_000)));
        assert!(long.len() <= host + LONGEST_PATH);
    }

    #[test]
    fn what_somebody_knows_is_taken_out_before_it_is_named() {
        let mut redactor = Redactor::default();
        redactor.conceal("known/beforehand");
        let request =
            get("https://acme.example/v2/known%2Fbeforehand?known/beforehand&a=known/beforehand");
        assert_eq!(
            redactor.clean_request(&request).uri(),
            "https://tenant.example.invalid/v2/secret?secret=&a=secret"
        );
    }

    #[test]
    fn what_a_connector_sends_does_not_change_for_looking_like_the_beginning_of_a_secret() {
        let mut redactor = Redactor::default();
        redactor.conceal("users-and-more");
        let request = get("https://acme.example/v2/users?like=users");
        let clean = redactor.clean_request(&request);
        assert_eq!(
            clean.uri().path_and_query().map(|it| it.as_str()),
            Some("/v2/users?like=users")
        );
    }

    #[test]
    fn a_secret_within_json_within_json_is_learned_as_what_it_says() {
        let body =
            r#"{"log":"{\"apiKey\":\"abc\\\"defgh\"}","again":"abc\"defgh","plain":"abc%22defgh"}"#;
        assert_eq!(
            said(body),
            r#"{"log":"{\"apiKey\":\"api-key\"}","again":"api-key","plain":"api-key"}"#
        );
    }
}
