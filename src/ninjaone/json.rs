//! Reads JSON while it arrives.
//!
//! NinjaOne answers "all users" and "all roles with all members" with one array each, however large. This reader finds
//! where a value begins and ends as the bytes come in, hands out one value at a time, and keeps
//! no more than that value. Sizes are in bytes.
//!
//! What this module does not know: what the values mean. It checks the structure that it walks through itself; what is
//! inside a value is checked by whoever decodes it.

use crate::error::{Error, Kind};
use crate::http::{Body, TransportError};
use crate::ninjaone::answer::transport_failure;
use crate::ninjaone::open_exchange::OpenExchange;
use crate::ninjaone::value::{FromJson, Value};
use crate::ninjaone::wire::Object;

/// The largest single value, in bytes: far above any user, role or organization.
const LARGEST_VALUE: usize = 2 * 1024 * 1024;

/// A place in an answer that is still arriving.
pub(crate) struct JsonReader {
    body: Box<dyn Body>,
    exchange: OpenExchange,
    buffer: Vec<u8>,
    /// Where in the buffer the value taken last begins.
    start: usize,
    /// Where in the buffer the next byte to look at is.
    next: usize,
    /// How many bytes of the body were there before the buffer.
    discarded: u64,
    ended: bool,
}

impl JsonReader {
    pub(crate) fn new(body: Box<dyn Body>, exchange: OpenExchange) -> Self {
        JsonReader {
            body,
            exchange,
            buffer: Vec::new(),
            start: 0,
            next: 0,
            discarded: 0,
            ended: false,
        }
    }

    /// The exchange that is being read.
    pub(crate) fn exchange(&self) -> &OpenExchange {
        &self.exchange
    }

    /// How many bytes have been taken so far.
    pub(crate) fn offset(&self) -> u64 {
        self.discarded + self.next as u64
    }

    /// Where the value taken last began.
    pub(crate) fn value_start(&self) -> u64 {
        self.discarded + self.start as u64
    }

    /// The next byte that is not white space, without taking it; `None` at the end.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            while let Some(&byte) = self.buffer.get(self.next) {
                if self.discarded == 0 && self.next == 0 && byte == 0xEF {
                    if self.buffer.len() < 3 && self.fill(0)? {
                        continue;
                    }
                    if self.buffer.starts_with(b"\xEF\xBB\xBF") {
                        // RFC 8259 lets a reader pass over a byte-order mark.
                        self.next = 3;
                        continue;
                    }
                }
                if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                    return Ok(Some(byte));
                }
                self.next += 1;
            }
            if !self.fill(self.next)? {
                return Ok(None);
            }
        }
    }

    /// Takes the next byte that is not white space, which has to be this one.
    pub(crate) fn expect(&mut self, wanted: u8) -> Result<(), Error> {
        match self.peek()? {
            Some(byte) if byte == wanted => {
                self.next += 1;
                Ok(())
            }
            found => Err(self.unexpected(found, &format!("{:?}", char::from(wanted)))),
        }
    }

    /// Moves to the next element of an array whose opening bracket was taken. `first` is true before the first element.
    /// Takes the closing bracket and answers false at its end.
    pub(crate) fn next_element(&mut self, first: &mut bool) -> Result<bool, Error> {
        self.next_member(first, b']')
    }

    /// Moves to the next key of an object whose opening brace was taken, and takes the key and its colon.
    /// Takes the closing brace and answers `None` at its end.
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Result<Option<String>, Error> {
        if !self.next_member(first, b'}')? {
            return Ok(None);
        }
        let key = self.value()?.text();
        let key = key
            .ok_or_else(|| self.malformed(self.value_start(), "the name of a field is not text"))?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    fn next_member(&mut self, first: &mut bool, close: u8) -> Result<bool, Error> {
        let found = self.peek()?;
        if found == Some(close) {
            self.next += 1;
            return Ok(false);
        }
        if *first {
            *first = false;
            return match found {
                Some(_) => Ok(true),
                None => Err(self.unexpected(None, "a value")),
            };
        }
        if found != Some(b',') {
            return Err(self.unexpected(found, &format!("',' or {:?}", char::from(close))));
        }
        self.next += 1;
        // A comma promises a value.
        match self.peek()? {
            Some(byte) if byte != close => Ok(true),
            found => Err(self.unexpected(found, "a value")),
        }
    }

    /// Takes the next value.
    pub(crate) fn value(&mut self) -> Result<Value<'_>, Error> {
        self.take_value()?;
        Value::parse(self.taken()).map_err(|problem| self.malformed(self.value_start(), &problem))
    }

    /// Takes the next value, as that of the field with this name; `None` for a null.
    pub(crate) fn field<T: FromJson>(&mut self, name: &str) -> Result<Option<T>, Error> {
        let mut field = None;
        let value = self.value()?;
        if !value.is_null() {
            T::read_field(&mut field, name, value)
                .map_err(|problem| self.malformed(self.value_start(), &problem))?;
        }
        Ok(field)
    }

    /// Takes the next value, which has to be an object, and reads it.
    pub(crate) fn object<T: Object>(&mut self) -> Result<T, Error> {
        self.take_value()?;
        T::parse(self.taken()).map_err(|problem| self.malformed(self.value_start(), &problem))
    }

    /// Takes the end of the body: nothing but white space may be left.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        match self.peek()? {
            None => Ok(()),
            found => Err(self.unexpected(found, "the end")),
        }
    }

    /// The value taken last.
    fn taken(&self) -> &[u8] {
        &self.buffer[self.start..self.next]
    }

    /// Takes the next value, unchecked: see [`JsonReader::taken`].
    fn take_value(&mut self) -> Result<(), Error> {
        let Some(first) = self.peek()? else {
            return Err(self.unexpected(None, "a value"));
        };
        self.start = self.next;
        let mut scan = Scan::new(first);
        loop {
            if let Some(length) = scan.end_in(&self.buffer[self.next..]) {
                self.next += length;
                return Ok(());
            }
            self.next = self.buffer.len();
            if self.next - self.start > LARGEST_VALUE {
                let message =
                    format!("one value of the answer is larger than {LARGEST_VALUE} bytes");
                return Err(self.exchange.error(Kind::TooLarge, message));
            }
            if !self.fill(self.start)? {
                if scan.ends_with_the_body() {
                    return Ok(());
                }
                return Err(self.unexpected(None, "the rest of a value"));
            }
        }
    }

    /// Waits for more of the body; false at its end. Keeps what is in the buffer from this place on: to let go of what was
    /// taken at every value would move the rest of the buffer each time.
    fn fill(&mut self, kept: usize) -> Result<bool, Error> {
        while !self.ended {
            match self.body.chunk() {
                Ok(Some(chunk)) if chunk.is_empty() => {}
                Ok(Some(chunk)) => {
                    if kept == self.buffer.len() {
                        self.buffer = chunk;
                    } else {
                        self.buffer.drain(..kept);
                        self.buffer.extend_from_slice(&chunk);
                    }
                    self.discarded += kept as u64;
                    self.start = 0;
                    self.next -= kept;
                    return Ok(true);
                }
                Ok(None) => self.ended = true,
                Err(error) => return Err(self.broken(&error)),
            }
        }
        Ok(false)
    }

    fn broken(&self, error: &TransportError) -> Error {
        transport_failure(error, &self.exchange)
    }

    fn unexpected(&self, found: Option<u8>, wanted: &str) -> Error {
        let message = match found {
            None => format!("the body ends where {wanted} should be"),
            Some(byte) => format!(
                "the body has {:?} where {wanted} should be",
                char::from(byte)
            ),
        };
        self.malformed(self.offset(), &message)
    }

    /// The answer makes no sense at this byte of the body.
    pub(crate) fn malformed(&self, offset: u64, problem: &str) -> Error {
        // It may quote a number of the answer.
        let problem = self.exchange.said(problem);
        let message = format!(
            "the answer makes no sense at byte {offset} of its body: {problem}; if it stays so, give NinjaOne's support the request id"
        );
        self.exchange.error(Kind::Malformed(Some(offset)), message)
    }
}

/// Finds the end of one value in bytes that come in pieces.
struct Scan {
    shape: Shape,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

enum Shape {
    /// An object, an array or a string: it ends with its own last byte.
    Closed,
    /// A number, `true`, `false` or `null`: it ends before the first byte that cannot belong to it.
    Bare,
}

impl Scan {
    fn new(first: u8) -> Self {
        let shape = if matches!(first, b'{' | b'[' | b'"') {
            Shape::Closed
        } else {
            Shape::Bare
        };
        Scan {
            shape,
            depth: 0,
            in_string: false,
            escaped: false,
        }
    }

    fn ends_with_the_body(&self) -> bool {
        matches!(self.shape, Shape::Bare)
    }

    /// How many of these bytes, the next ones, belong to the value; `None` where it goes on after them.
    fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        match self.shape {
            Shape::Bare => bytes
                .iter()
                .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r')),
            Shape::Closed => self.closing(bytes),
        }
    }

    fn closing(&mut self, bytes: &[u8]) -> Option<usize> {
        for (index, &byte) in bytes.iter().enumerate() {
            if self.in_string {
                if self.escaped {
                    self.escaped = false;
                } else if byte == b'\\' {
                    self.escaped = true;
                } else if byte == b'"' {
                    self.in_string = false;
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    // A bracket of the wrong kind is found when the value is decoded.
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}
