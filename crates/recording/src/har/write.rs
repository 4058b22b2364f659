//! Writes exchanges as HAR, one after the other, each as it stands in memory and without a copy of it.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::write::{EncoderStringWriter, StrConsumer};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::{BASE64, BROKE_OFF, VERSION};
use crate::breakdown::Breakdown;
use crate::edits::{Edited, Edits};
use crate::recording::{Exchange, Recording};
use crate::redact::is_form;

/// HAR asks for the version of HTTP, which says nothing about a connector.
const HTTP_VERSION: &str = "HTTP/1.1";
/// What HAR has for a size that is not known: that of headers, before they were taken out.
const UNKNOWN_SIZE: i64 = -1;

/// Writes a recording from its beginning to its end.
pub(crate) struct HarWriter<W> {
    out: W,
    entries: usize,
}

/// One exchange, as it is to be written.
pub(crate) struct Written<'a> {
    pub(crate) started: Timestamp,
    pub(crate) took: Duration,
    pub(crate) request: &'a Request<Bytes>,
    pub(crate) head: Option<(StatusCode, &'a HeaderMap)>,
    pub(crate) body: Edited<'a>,
    pub(crate) breakdown: Option<&'a Breakdown>,
}

impl<'a> Written<'a> {
    /// An exchange as it is, but for what is changed in its answer.
    pub(crate) fn new(exchange: &'a Exchange, edits: &'a Edits) -> Self {
        let response = exchange.answer.response();
        Self {
            started: exchange.started,
            took: exchange.took,
            request: &exchange.request,
            head: response.map(|response| (response.status(), response.headers())),
            body: Edited {
                text: response.map_or(&[], |response| response.body()),
                edits,
            },
            breakdown: exchange.answer.breakdown(),
        }
    }
}

/// The text of a HAR file.
pub(crate) fn render(recording: &Recording) -> String {
    let written = || {
        let mut writer = HarWriter::new(Vec::new())?;
        let no_edits = Edits::default();
        for exchange in &recording.exchanges {
            writer.entry(&Written::new(exchange, &no_edits))?;
        }
        writer.end(recording.comment.as_deref())
    };
    let bytes: io::Result<Vec<u8>> = written();
    String::from_utf8(bytes.expect("memory takes everything")).expect("JSON is text")
}

impl<W: Write> HarWriter<W> {
    /// Begins a recording.
    pub(crate) fn new(mut out: W) -> io::Result<Self> {
        let creator = Creator {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        };
        write!(
            out,
            "{{\n  \"log\": {{\n    \"version\": \"{VERSION}\",\n    \"creator\": "
        )?;
        json(&mut out, &creator, "    ")?;
        write!(out, ",\n    \"entries\": [")?;
        Ok(Self { out, entries: 0 })
    }

    /// Writes the next exchange.
    pub(crate) fn entry(&mut self, written: &Written) -> io::Result<()> {
        let comma = if self.entries > 0 { "," } else { "" };
        write!(self.out, "{comma}\n      ")?;
        self.entries += 1;
        json(&mut self.out, &Entry::new(written), "      ")?;
        // For whoever looks after the process was killed.
        self.out.flush()
    }

    /// Ends the recording, and gives back what it was written to.
    pub(crate) fn end(mut self, comment: Option<&str>) -> io::Result<W> {
        let space = if self.entries > 0 { "\n    " } else { "" };
        write!(self.out, "{space}]")?;
        if let Some(comment) = comment {
            write!(self.out, ",\n    \"comment\": ")?;
            json(&mut self.out, &comment, "    ")?;
        }
        write!(self.out, "\n  }}\n}}\n")?;
        Ok(self.out)
    }
}

/// Writes a value in several lines, for people to read, each after the first with this in front of it.
fn json(out: &mut impl Write, value: &impl Serialize, margin: &str) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::pretty(Indented { out, margin });
    // What the text of a body fails with is what the output failed with: the rest is plain structs of texts and numbers.
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Puts a margin in front of lines. No text of JSON has a line break in it.
struct Indented<'a, W> {
    out: W,
    margin: &'a str,
}

impl<W: Write> Write for Indented<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.out.write_all(line)?;
            if line.ends_with(b"\n") {
                self.out.write_all(self.margin.as_bytes())?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[derive(Serialize)]
struct Creator {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    started_date_time: String,
    time: f64,
    request: EntryRequest<'a>,
    response: EntryResponse<'a>,
    cache: Empty,
    timings: Timings,
}

/// What HAR asks for, and there is nothing in it.
#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Timings {
    send: f64,
    wait: f64,
    receive: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryRequest<'a> {
    #[serde(serialize_with = "as_text")]
    method: &'a Method,
    #[serde(serialize_with = "as_text")]
    url: &'a Uri,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair>,
    query_string: Vec<Pair>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData>,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Vec<Pair>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryResponse<'a> {
    status: u16,
    status_text: &'a str,
    http_version: &'static str,
    cookies: [Empty; 0],
    headers: Vec<Pair>,
    content: Content<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: &'static str,
    headers_size: i64,
    body_size: i64,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    size: i64,
    mime_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(rename = "_coded", skip_serializing_if = "Option::is_none")]
    coded: Option<bool>,
}

impl<'a> Entry<'a> {
    fn new(written: &'a Written) -> Self {
        // Halves of a millisecond are beyond what anybody compares.
        let took = written.took.as_millis() as f64;
        Self {
            started_date_time: written.started.to_string(),
            time: took,
            request: EntryRequest::new(written.request),
            response: EntryResponse::new(written),
            cache: Empty {},
            timings: Timings {
                send: 0.0,
                wait: took,
                receive: 0.0,
            },
        }
    }
}

impl<'a> EntryRequest<'a> {
    fn new(request: &'a Request<Bytes>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        Self {
            method: request.method(),
            url: request.uri(),
            http_version: HTTP_VERSION,
            cookies: [],
            headers: pairs_of(request.headers()),
            query_string: pairs(query.as_bytes()),
            post_data: (!request.body().is_empty()).then(|| PostData::new(request)),
            headers_size: UNKNOWN_SIZE,
            body_size: size(request.body().len()),
        }
    }
}

impl PostData {
    /// A form goes into a list of its fields, any other body into text.
    fn new(request: &Request<Bytes>) -> Self {
        let is_form = is_form(request.headers());
        let text = || String::from_utf8_lossy(request.body()).into_owned();
        Self {
            mime_type: content_type(request.headers()),
            text: (!is_form).then(text),
            params: is_form.then(|| pairs(request.body())),
        }
    }
}

impl<'a> EntryResponse<'a> {
    fn new(written: &'a Written) -> Self {
        let name = written.breakdown.map(Breakdown::name);
        let Some((status, headers)) = written.head else {
            return Self {
                status: 0,
                status_text: name.unwrap_or_default(),
                headers: Vec::new(),
                content: Content::default(),
                body_size: UNKNOWN_SIZE,
                ..Self::empty()
            };
        };
        Self {
            status: status.as_u16(),
            status_text: status.canonical_reason().unwrap_or_default(),
            headers: pairs_of(headers),
            content: Content {
                mime_type: content_type(headers),
                comment: name.map(|name| format!("{BROKE_OFF}{name}")),
                coded: headers.contains_key(CONTENT_ENCODING).then_some(true),
                ..Content::of(&written.body)
            },
            body_size: size(written.body.edits.size(written.body.text)),
            ..Self::empty()
        }
    }

    fn empty() -> Self {
        Self {
            status: 0,
            status_text: "",
            http_version: HTTP_VERSION,
            cookies: [],
            headers: Vec::new(),
            content: Content::default(),
            redirect_url: "",
            headers_size: UNKNOWN_SIZE,
            body_size: UNKNOWN_SIZE,
        }
    }
}

impl<'a> Content<'a> {
    fn of(body: &'a Edited<'a>) -> Self {
        let is_text = std::str::from_utf8(body.text).is_ok();
        let text = if is_text {
            Text::Plain(body)
        } else {
            Text::Base64(body)
        };
        Self {
            size: size(body.edits.size(body.text)),
            text: (!body.text.is_empty()).then_some(text),
            encoding: (!is_text).then_some(BASE64),
            ..Self::default()
        }
    }
}

/// A body, in the form in which JSON can have it. It is written piece by piece: it may be large.
enum Text<'a> {
    Plain(&'a Edited<'a>),
    Base64(&'a Edited<'a>),
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(body) => body.fmt(f),
            Self::Base64(body) => {
                let consumer = Consumer { f, result: Ok(()) };
                let mut encoder = EncoderStringWriter::from_consumer(consumer, &STANDARD);
                body.write_to(&mut encoder).map_err(|_| fmt::Error)?;
                encoder.into_inner().result
            }
        }
    }
}

/// Takes base64 as it comes.
struct Consumer<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    result: fmt::Result,
}

impl StrConsumer for Consumer<'_, '_> {
    fn consume(&mut self, text: &str) {
        self.result = self.result.and_then(|()| self.f.write_str(text));
    }
}

fn as_text<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn pairs_of(headers: &HeaderMap) -> Vec<Pair> {
    let pairs = headers.iter().map(|(name, value)| Pair {
        name: name.to_string(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    });
    pairs.collect()
}

fn pairs(form: &[u8]) -> Vec<Pair> {
    let fields = form_urlencoded::parse(form).into_owned();
    fields.map(|(name, value)| Pair { name, value }).collect()
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

fn size(bytes: usize) -> i64 {
    // No body has as many bytes as do not fit.
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
