//! The form of recordings in files: HAR 1.2.
//!
//! An exchange without an answer has the status 0, as browsers write it, and the name of its [`Breakdown`] as status text. One
//! whose body broke off has that name in a comment on the content.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use har::v1_2::{
    Content, Creator, Entries, Headers, Log, Params, PostData, QueryString, Request as HarRequest,
    Response as HarResponse, Timings,
};
use har::{Har, Spec};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};

use crate::Breakdown;
use crate::recording::{Answer, Exchange, Recording, RecordingError};
use crate::redact::is_form;

/// What a comment on content begins with, when the body broke off.
const BROKE_OFF: &str = "The body broke off: ";
/// HAR asks for the version of HTTP, which says nothing about a connector.
const HTTP_VERSION: &str = "HTTP/1.1";
/// What HAR has for a size that is not known: that of headers, before they were taken out.
const UNKNOWN_SIZE: i64 = -1;

/// The text of a HAR file.
pub(crate) fn render(recording: &Recording) -> String {
    let log = Log {
        creator: Creator {
            name: env!("CARGO_PKG_NAME").to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            comment: None,
        },
        entries: recording.exchanges.iter().map(entry).collect(),
        comment: recording.comment.clone(),
        ..Log::default()
    };
    let har = Har {
        log: Spec::V1_2(log),
    };
    let mut text = har::to_json(&har).expect("plain structs of texts and numbers are JSON");
    text.push('\n');
    text
}

/// Reads the text of a HAR file.
pub(crate) fn parse(text: &[u8]) -> Result<Recording, RecordingError> {
    let har = har::from_slice(text).map_err(|error| not_har(&error))?;
    let Spec::V1_2(log) = har.log else {
        return Err(RecordingError::NotHar(
            "it is HAR of another version".to_string(),
        ));
    };
    let exchanges = log.entries.into_iter().enumerate().map(|(index, entry)| {
        exchange(entry).map_err(|problem| RecordingError::Entry {
            number: index + 1,
            problem,
        })
    });
    Ok(Recording {
        comment: log.comment,
        exchanges: exchanges.collect::<Result<_, _>>()?,
    })
}

/// What the parser stumbled over; its own words tell the step alone.
fn not_har(error: &har::Error) -> RecordingError {
    let cause = std::error::Error::source(error);
    let text = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    RecordingError::NotHar(text)
}

fn entry(exchange: &Exchange) -> Entries {
    // Halves of a millisecond are beyond what anybody compares.
    let took = exchange.took.as_millis() as f64;
    Entries {
        started_date_time: exchange.started.to_string(),
        time: took,
        request: request(&exchange.request),
        response: response(&exchange.answer),
        timings: Timings {
            wait: took,
            ..Timings::default()
        },
        ..Entries::default()
    }
}

fn request(request: &Request<Bytes>) -> HarRequest {
    let query = request.uri().query().unwrap_or_default();
    HarRequest {
        method: request.method().to_string(),
        url: request.uri().to_string(),
        http_version: HTTP_VERSION.to_string(),
        headers: headers(request.headers()),
        query_string: pairs(query.as_bytes())
            .map(|(name, value)| QueryString {
                name,
                value,
                comment: None,
            })
            .collect(),
        post_data: (!request.body().is_empty()).then(|| post_data(request)),
        headers_size: UNKNOWN_SIZE,
        body_size: size(request.body()),
        ..HarRequest::default()
    }
}

/// A form goes into a list of its fields, any other body into text.
fn post_data(request: &Request<Bytes>) -> PostData {
    let form = is_form(request.headers()).then(|| {
        let fields = pairs(request.body()).map(|(name, value)| Params {
            name,
            value: Some(value),
            ..Params::default()
        });
        fields.collect()
    });
    let text = form
        .is_none()
        .then(|| String::from_utf8_lossy(request.body()).into_owned());
    PostData {
        mime_type: content_type(request.headers()),
        text,
        params: form,
        comment: None,
    }
}

fn response(answer: &Answer) -> HarResponse {
    let (answer, breakdown) = match answer {
        Answer::Whole(answer) => (answer, None),
        Answer::Partial(answer, breakdown) => (answer, Some(breakdown)),
        Answer::None(breakdown) => return no_response(breakdown),
    };
    let status = answer.status();
    HarResponse {
        status: status.as_u16().into(),
        status_text: status.canonical_reason().unwrap_or_default().to_string(),
        http_version: HTTP_VERSION.to_string(),
        headers: headers(answer.headers()),
        content: Content {
            comment: breakdown.map(|breakdown| format!("{BROKE_OFF}{breakdown}")),
            ..content(answer)
        },
        redirect_url: Some(String::new()),
        headers_size: UNKNOWN_SIZE,
        body_size: size(answer.body()),
        ..HarResponse::default()
    }
}

fn no_response(breakdown: &Breakdown) -> HarResponse {
    HarResponse {
        status: 0,
        status_text: breakdown.to_string(),
        content: Content {
            mime_type: Some(String::new()),
            ..Content::default()
        },
        redirect_url: Some(String::new()),
        headers_size: UNKNOWN_SIZE,
        body_size: UNKNOWN_SIZE,
        ..HarResponse::default()
    }
}

fn content(answer: &Response<Bytes>) -> Content {
    let (text, encoding) = match std::str::from_utf8(answer.body()) {
        Ok(text) => (text.to_string(), None),
        Err(_) => (STANDARD.encode(answer.body()), Some("base64".to_string())),
    };
    Content {
        size: size(answer.body()),
        mime_type: Some(content_type(answer.headers())),
        text: (!text.is_empty()).then_some(text),
        encoding,
        ..Content::default()
    }
}

fn headers(headers: &HeaderMap) -> Vec<Headers> {
    headers
        .iter()
        .map(|(name, value)| Headers {
            name: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            comment: None,
        })
        .collect()
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

fn pairs(form: &[u8]) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(form).into_owned()
}

fn size(body: &Bytes) -> i64 {
    // No body has as many bytes as do not fit.
    i64::try_from(body.len()).unwrap_or(i64::MAX)
}

fn exchange(entry: Entries) -> Result<Exchange, String> {
    let took = Duration::try_from_secs_f64(entry.time / 1000.0);
    Ok(Exchange {
        started: entry
            .started_date_time
            .parse()
            .map_err(|error| format!("its time is none: {error}"))?,
        // HAR allows for a time that is not known, as -1.
        took: took.unwrap_or_default(),
        request: parse_request(entry.request)?,
        answer: parse_answer(entry.response)?,
    })
}

fn parse_request(recorded: HarRequest) -> Result<Request<Bytes>, String> {
    let body = recorded
        .post_data
        .map(|data| match (data.params, data.text) {
            (Some(fields), _) => form_urlencoded::Serializer::new(String::new())
                .extend_pairs(
                    fields
                        .into_iter()
                        .map(|field| (field.name, field.value.unwrap_or_default())),
                )
                .finish(),
            (None, text) => text.unwrap_or_default(),
        });
    let mut request = Request::new(Bytes::from(body.unwrap_or_default()));
    *request.method_mut() = Method::from_bytes(recorded.method.as_bytes())
        .map_err(|_| format!("{:?} is no method", recorded.method))?;
    let uri: Uri = recorded
        .url
        .parse()
        .map_err(|_| format!("{:?} is no URL", recorded.url))?;
    *request.uri_mut() = uri;
    *request.headers_mut() = parse_headers(recorded.headers)?;
    Ok(request)
}

fn parse_answer(recorded: HarResponse) -> Result<Answer, String> {
    if recorded.status == 0 {
        return Ok(Answer::None(Breakdown::named(recorded.status_text)));
    }
    let text = recorded.content.text.unwrap_or_default();
    let body = match recorded.content.encoding.as_deref() {
        None => text.into_bytes(),
        Some("base64") => STANDARD
            .decode(text)
            .map_err(|_| "its content is not base64".to_string())?,
        Some(other) => return Err(format!("its content is encoded as {other:?}")),
    };
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = u16::try_from(recorded.status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| format!("{} is no HTTP status", recorded.status))?;
    *answer.headers_mut() = parse_headers(recorded.headers)?;
    let comment = recorded.content.comment.unwrap_or_default();
    Ok(match comment.strip_prefix(BROKE_OFF) {
        Some(name) => Answer::Partial(answer, Breakdown::named(name)),
        None => Answer::Whole(answer),
    })
}

fn parse_headers(recorded: Vec<Headers>) -> Result<HeaderMap, String> {
    recorded
        .into_iter()
        // Browsers record the pseudo-header fields of HTTP/2 with the others.
        .filter(|header| !header.name.starts_with(':'))
        .map(|header| {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_bytes(header.value.as_bytes());
            match (name, value) {
                (Ok(name), Ok(value)) => Ok((name, value)),
                _ => Err(format!("{:?} is no header field", header.name)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        let form = Request::post("https://tenant.example.invalid/ws/oauth/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("a=%C3%A9+1&b=".into())
            .expect("the test gives a request");
        let get = |path: &str| {
            Request::get(format!("https://tenant.example.invalid{path}"))
                .header("accept", "application/json")
                .body(Bytes::new())
                .expect("the test gives a request")
        };
        let json = Response::builder()
            .status(404)
            .header(CONTENT_TYPE, "application/json")
            .body("[ {\"name\": \"é\\n\"} ]".into())
            .expect("the test gives an answer");
        let binary = Response::new(Bytes::from_static(&[0xff, 0x00]));
        let broken = Breakdown::named("response-incomplete");
        let answers = [
            (form, Answer::Whole(json.clone())),
            (get("/v2/users?a=b%20c&d"), Answer::Whole(binary)),
            (get("/v2/users"), Answer::Partial(json, broken.clone())),
            (get("/v2/users"), Answer::None(broken)),
        ];
        Recording {
            comment: Some("for a test".to_string()),
            exchanges: answers
                .into_iter()
                .map(|(request, answer)| Exchange {
                    started: Timestamp::UNIX_EPOCH,
                    took: Duration::from_millis(7),
                    request,
                    answer,
                })
                .collect(),
        }
    }

    use jiff::Timestamp;

    #[test]
    fn a_recording_comes_back_from_its_file_as_it_was() {
        let recording = recording();
        let read = parse(render(&recording).as_bytes()).expect("it is a recording");
        assert_eq!(format!("{read:?}"), format!("{recording:?}"));
    }

    #[test]
    fn a_form_is_a_list_of_fields_and_not_text() {
        let text = render(&recording());
        let har: serde_json::Value = serde_json::from_str(&text).expect("HAR is JSON");
        let data = &har["log"]["entries"][0]["request"]["postData"];
        assert_eq!(data["params"][0]["value"], "é 1", "{data}");
        assert!(data.get("text").is_none(), "{data}");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let broken = |change: fn(&mut serde_json::Value)| {
            let mut har = serde_json::from_str(&render(&recording())).expect("HAR is JSON");
            change(&mut har);
            let error = parse(har.to_string().as_bytes()).expect_err("it is broken");
            error.to_string()
        };
        let entry = broken(|har| har["log"]["entries"][1]["response"]["status"] = 9999.into());
        assert!(
            entry.contains("entry 2") && entry.contains("9999"),
            "{entry}"
        );
        let version = broken(|har| har["log"]["version"] = "1.1".into());
        assert!(version.contains("1.1"), "{version}");
        let missing = broken(|har| har["log"]["entries"][0]["request"] = 7.into());
        assert!(missing.contains("invalid type"), "{missing}");
    }
}
