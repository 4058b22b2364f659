//! Reads HAR as browsers, proxies and test tools write it: takes only what a replay needs, and lets the rest be what it may.

use std::time::Duration;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING,
};
use http::{Method, Request, Response, StatusCode, Uri};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{BASE64, BROKE_OFF, FORM, VERSION};
use crate::breakdown::Breakdown;
use crate::recording::{Answer, Exchange, Recording, RecordingError};

/// Base64, with or without the signs that fill up its last four characters.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// What some programs write in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Deserialize)]
struct Har<'a> {
    #[serde(borrow)]
    log: Log<'a>,
}

#[derive(Deserialize)]
struct Log<'a> {
    version: Value,
    comment: Option<String>,
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default, deserialize_with = "if_it_is")]
    started_date_time: Option<String>,
    #[serde(default, deserialize_with = "if_it_is")]
    time: Option<f64>,
    request: EntryRequest,
    response: Option<EntryResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryRequest {
    method: String,
    url: String,
    headers: Option<Vec<Pair>>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Pair {
    name: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: Option<String>,
    text: Option<String>,
    encoding: Option<String>,
    params: Option<Vec<Pair>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryResponse {
    status: Option<f64>,
    status_text: Option<String>,
    headers: Option<Vec<Pair>>,
    content: Option<Content>,
    /// What browsers say of an answer that did not come.
    #[serde(rename = "_error", default, deserialize_with = "if_it_is")]
    error: Option<String>,
    /// What Playwright says of it.
    #[serde(rename = "_failureText", default, deserialize_with = "if_it_is")]
    failure_text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default, deserialize_with = "if_it_is")]
    size: Option<f64>,
    text: Option<String>,
    encoding: Option<String>,
    comment: Option<String>,
    /// Whether the body is as it was on the wire, encoded as its header says. HAR has bodies decoded.
    #[serde(rename = "_coded", default, deserialize_with = "if_it_is")]
    coded: Option<bool>,
}

/// A value, if it is of this type. Who writes something else means something that is not needed here.
fn if_it_is<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// Reads the text of a HAR file.
///
/// The order of its entries says nothing: their times do. Those of one time are in the order of the file, as is one of which the
/// time is not known, which is taken for that of the entry before.
pub(crate) fn parse(text: &[u8]) -> Result<Recording, RecordingError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let not_har = |error: serde_json::Error| RecordingError::NotHar(error.to_string());
    let Log {
        version,
        comment,
        entries,
    } = serde_json::from_slice::<Har>(text).map_err(not_har)?.log;
    if version != VERSION {
        let problem = format!("it is HAR of another version: {version}");
        return Err(RecordingError::NotHar(problem));
    }
    let mut exchanges: Vec<Exchange> = Vec::with_capacity(entries.len());
    let mut before = Timestamp::UNIX_EPOCH;
    for (index, entry) in entries.into_iter().enumerate() {
        let exchange = exchange(entry, before).map_err(|problem| RecordingError::Entry {
            number: index + 1,
            problem,
        })?;
        if let Some(exchange) = exchange {
            before = exchange.started;
            exchanges.push(exchange);
        }
    }
    exchanges.sort_by_key(|exchange| exchange.started);
    Ok(Recording { comment, exchanges })
}

/// One exchange; `None` where the entry is not about HTTP.
fn exchange(entry: &RawValue, before: Timestamp) -> Result<Option<Exchange>, String> {
    let entry: Entry = serde_json::from_str(entry.get()).map_err(|error| error.to_string())?;
    if !is_http(&entry.request.url) {
        return Ok(None);
    }
    let started = entry.started_date_time.as_deref().and_then(time);
    // HAR allows for a time that is not known, as -1.
    let took = Duration::try_from_secs_f64(entry.time.unwrap_or_default() / 1000.0);
    let request = request(entry.request)?;
    Ok(Some(Exchange {
        started: started.unwrap_or(before),
        took: took.unwrap_or_default(),
        answer: answer(entry.response, request.method())?,
        request,
    }))
}

/// Whether it is a URL of HTTP, or a part of one. Browsers also record what is in the page itself, and sockets.
fn is_http(url: &str) -> bool {
    let scheme = url.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &&str| {
        scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    scheme.filter(is_scheme).is_none_or(|scheme| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    })
}

/// A point in time. Without an offset it is taken for UTC: what counts is which is earlier.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

fn request(recorded: EntryRequest) -> Result<Request<Bytes>, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields(recorded.headers) {
        // Those that cannot be, nobody compares.
        if let Ok((name, value)) = field(&name, &value) {
            headers.append(name, value);
        }
    }
    let mut body = Vec::new();
    if let Some(data) = recorded.post_data {
        let has_type = headers.contains_key(CONTENT_TYPE);
        let content_type = data.content_type();
        if let (false, Ok(value)) = (has_type, HeaderValue::try_from(content_type)) {
            headers.insert(CONTENT_TYPE, value);
        }
        body = data.body()?;
    }
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::from_bytes(recorded.method.as_bytes())
        .map_err(|_| format!("{:?} is no method", recorded.method))?;
    *request.uri_mut() = uri(&recorded.url)?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn uri(url: &str) -> Result<Uri, String> {
    let mut encoded = String::with_capacity(url.len());
    for byte in url.bytes() {
        // Some tools show URLs as people read them.
        if byte.is_ascii_graphic() {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded.parse().map_err(|_| format!("{url:?} is no URL"))
}

impl PostData {
    /// The type of the body, where the header of the request has none.
    fn content_type(&self) -> String {
        let told = self.mime_type.clone().filter(|it| !it.is_empty());
        let is_form = self.text().is_empty() && self.params().next().is_some();
        let otherwise = if is_form { FORM } else { "" };
        told.unwrap_or_else(|| otherwise.to_string())
    }

    /// The text is the body, if there is one: what tools list beside it is a view of it, or empty.
    fn body(&self) -> Result<Vec<u8>, String> {
        let text = self.text();
        if !text.is_empty() {
            return decoded(text.to_string(), self.encoding.as_deref());
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        for param in self.params() {
            form.append_pair(
                param.name.as_deref().unwrap_or_default(),
                param.value.as_deref().unwrap_or_default(),
            );
        }
        Ok(form.finish().into_bytes())
    }

    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    fn params(&self) -> impl Iterator<Item = &Pair> {
        self.params.iter().flatten()
    }
}

fn answer(recorded: Option<EntryResponse>, method: &Method) -> Result<Answer, String> {
    let Some(recorded) = recorded else {
        return Ok(Answer::None(Breakdown::no_answer()));
    };
    let status = recorded.status.unwrap_or_default();
    if status <= 0.0 {
        let told = [recorded.status_text, recorded.error, recorded.failure_text];
        let told = told.into_iter().flatten().find(|text| !text.is_empty());
        let breakdown = told.map_or_else(Breakdown::no_answer, Breakdown::named);
        return Ok(Answer::None(breakdown));
    }
    let status = (status.fract() == 0.0 && status < 1000.0)
        .then(|| StatusCode::from_u16(status as u16).ok())
        .flatten()
        .ok_or_else(|| format!("{status} is no HTTP status"))?;
    let content = recorded.content.unwrap_or_default();
    let is_missing = content.is_missing(method, status);
    let body = decoded(
        content.text.unwrap_or_default(),
        content.encoding.as_deref(),
    )?;
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    let is_coded = content.coded.unwrap_or_default();
    for (name, value) in fields(recorded.headers) {
        let (name, value) = field(&name, &value)?;
        // These say how the body was on the wire, and it is not so any more.
        let is_of_the_wire = name == CONTENT_LENGTH
            || name == TRANSFER_ENCODING
            || (name == CONTENT_ENCODING && !is_coded);
        if !is_of_the_wire {
            answer.headers_mut().append(name, value);
        }
    }
    let comment = content.comment.unwrap_or_default();
    Ok(match comment.strip_prefix(BROKE_OFF) {
        Some(name) => Answer::Partial(answer, Breakdown::named(name)),
        None if is_missing => Answer::Partial(answer, Breakdown::not_recorded()),
        None => Answer::Whole(answer),
    })
}

impl Content {
    /// Whether there was a body, and the tool left it out, or put it into another file.
    fn is_missing(&self, method: &Method, status: StatusCode) -> bool {
        let has_none = method == Method::HEAD
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.text.is_none() && self.size.is_some_and(|size| size > 0.0) && !has_none
    }
}

fn decoded(text: String, encoding: Option<&str>) -> Result<Vec<u8>, String> {
    match encoding {
        None | Some("") => Ok(text.into_bytes()),
        Some(encoding) if encoding.eq_ignore_ascii_case(BASE64) => {
            let mut text = text.into_bytes();
            text.retain(|byte| !byte.is_ascii_whitespace());
            let decoded = LENIENT.decode(text);
            decoded.map_err(|_| "its content is not base64".to_string())
        }
        Some(other) => Err(format!("its content is encoded as {other:?}")),
    }
}

/// The fields of a header. Browsers put those of HTTP/2 itself beside them, and several values of one field into lines of one.
fn fields(recorded: Option<Vec<Pair>>) -> impl Iterator<Item = (String, String)> {
    let pairs = recorded.into_iter().flatten();
    let named = pairs.filter_map(|pair| Some((pair.name?, pair.value?)));
    named
        .filter(|(name, _)| !name.starts_with(':'))
        .flat_map(|(name, value)| {
            let lines = value.lines().map(str::to_string).collect::<Vec<_>>();
            lines.into_iter().map(move |line| (name.clone(), line))
        })
}

fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let no_field = || format!("{name:?} is no header field");
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| no_field())?;
    let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| no_field())?;
    Ok((parsed, value))
}
