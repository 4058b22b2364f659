//! The form of recordings in files: HAR 1.2.
//!
//! An exchange without an answer has the status 0, as browsers write it, and the name of its [`Breakdown`] as status text. One
//! whose body broke off has that name in a comment on the content.

mod write;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use har::Spec;
use har::v1_2::{Entries, Headers, Request as HarRequest, Response as HarResponse};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};

pub(crate) use self::write::{HarWriter, Written, render};
use crate::breakdown::Breakdown;
use crate::recording::{Answer, Exchange, Recording, RecordingError};

/// What a comment on content begins with, when the body broke off.
const BROKE_OFF: &str = "The body broke off: ";
/// The only encoding of a body that HAR knows.
const BASE64: &str = "base64";
/// The version of HAR.
const VERSION: &str = "1.2";

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
    let mut exchanges = exchanges.collect::<Result<Vec<_>, _>>()?;
    // The order of entries says nothing in HAR: their times do.
    exchanges.sort_by_key(|exchange| exchange.started);
    Ok(Recording {
        comment: log.comment,
        exchanges,
    })
}

/// What the parser stumbled over; its own words tell the step alone.
fn not_har(error: &har::Error) -> RecordingError {
    let cause = std::error::Error::source(error);
    let text = cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    RecordingError::NotHar(text)
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
    use http::header::CONTENT_TYPE;
    use jiff::Timestamp;

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
