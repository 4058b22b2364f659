//! Reads JSON while it arrives.
//!
//! NinjaOne answers "all users" and "all roles with all members" with one array each, however large. This reader walks through
//! such an answer and hands one value at a time to `serde_json`, straight from what has arrived: where that says that its input
//! ends, the rest of the value is waited for. No more than one value and one piece of the body are kept. Sizes are in bytes.
//!
//! What this module does not know: what the values mean.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use crate::error::{Error, Kind};
use crate::exchange::OpenExchange;
use crate::failure::of_transport;
use crate::http::{Body, TransportError};
use crate::object;
use crate::wire::Record;

/// The largest single value, in bytes: far above any user, role or organization.
const LARGEST_VALUE: usize = 2 * 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// A place in an answer that is still arriving.
pub(crate) struct JsonReader {
    body: Box<dyn Body>,
    exchange: OpenExchange,
    buffer: String,
    /// The beginning of a character whose rest has not arrived.
    cut: Vec<u8>,
    /// Whether what follows the buffer is not text.
    not_text: bool,
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
            buffer: String::new(),
            cut: Vec::new(),
            not_text: false,
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
            while let Some(&byte) = self.buffer.as_bytes().get(self.next) {
                if self.offset() == 0 && self.buffer.starts_with(BYTE_ORDER_MARK) {
                    // RFC 8259 lets a reader pass over it.
                    self.next = BYTE_ORDER_MARK.len_utf8();
                    continue;
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

    /// Moves to the next name of an object whose opening brace was taken, and takes the name and its colon.
    /// Takes the closing brace and answers `None` at its end.
    pub(crate) fn next_name(&mut self, first: &mut bool) -> Result<Option<String>, Error> {
        if !self.next_member(first, b'}')? {
            return Ok(None);
        }
        let name: Box<RawValue> = self.value(format_args!("the name of a field"))?;
        let Some(name) = object::text(name.get()) else {
            return Err(self.malformed(self.value_start(), "the name of a field is not text"));
        };
        let name = name.into_owned();
        self.expect(b':')?;
        Ok(Some(name))
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

    /// Takes the next value; `what` it is, an error says.
    pub(crate) fn value<T: DeserializeOwned>(
        &mut self,
        what: fmt::Arguments<'_>,
    ) -> Result<T, Error> {
        self.take(what, |text| object::first(text))
    }

    /// Takes the next value, which has to be an object.
    pub(crate) fn record<T: Record>(&mut self, what: fmt::Arguments<'_>) -> Result<T, Error> {
        self.take(what, |text| {
            let mut record = T::default();
            let length = object::read_first(text, &mut record)?;
            Ok((record, length))
        })
    }

    /// Takes the next value by what reads the one that a text begins with, and tells its length.
    fn take<T>(
        &mut self,
        what: fmt::Arguments<'_>,
        first: impl Fn(&str) -> serde_json::Result<(T, usize)>,
    ) -> Result<T, Error> {
        if self.peek()?.is_none() {
            return Err(self.unexpected(None, "a value"));
        }
        self.start = self.next;
        loop {
            let rest = &self.buffer[self.start..];
            match first(rest) {
                Ok((value, length)) if self.ends_at(self.start + length) => {
                    self.next = self.start + length;
                    return Ok(value);
                }
                Err(error) if !error.is_eof() && !self.may_be_cut() => {
                    let problem = format!("{what}: {}", problem(&error));
                    return Err(self.malformed(self.value_start(), &problem));
                }
                _ if rest.len() > LARGEST_VALUE => {
                    let message = format!("{what} is a value of more than {LARGEST_VALUE} bytes");
                    return Err(self.exchange.error(Kind::TooLarge, message));
                }
                _ if self.ended => {
                    self.next = self.buffer.len();
                    return Err(self.unexpected(None, &format!("the rest of {what}")));
                }
                _ => self.wait_for_more()?,
            }
        }
    }

    /// Whether a value that could end here does: a number or a word may go on in the next piece.
    fn ends_at(&self, end: usize) -> bool {
        let closes_itself = matches!(self.buffer.as_bytes()[end - 1], b'}' | b']' | b'"');
        closes_itself || end < self.buffer.len() || self.ended
    }

    /// Whether what has arrived may end within a number, which `serde_json` calls wrong then, and not cut short.
    fn may_be_cut(&self) -> bool {
        let last = self.buffer.as_bytes().last();
        last.is_some_and(|last| b"-+.eE".contains(last)) && !self.ended
    }

    /// Waits until what has arrived of a value has grown by a quarter, so that a value which arrives in many small pieces is
    /// not read anew for each of them.
    fn wait_for_more(&mut self) -> Result<(), Error> {
        let arrived = self.buffer.len() - self.start;
        let wanted = (arrived + arrived / 4 + 1).min(LARGEST_VALUE + 1);
        while self.buffer.len() - self.start < wanted && self.fill(self.start)? {}
        Ok(())
    }

    /// Takes the next value, of a field that does not matter.
    pub(crate) fn skip(&mut self, name: &str) -> Result<(), Error> {
        let IgnoredAny = self.value(format_args!("the field {}", self.exchange.said(name)))?;
        Ok(())
    }

    /// Takes the end of the body: nothing but white space may be left.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        match self.peek()? {
            None => Ok(()),
            found => Err(self.unexpected(found, "the end")),
        }
    }

    /// Waits for more of the body; false at its end. Keeps what is in the buffer from this place on: to let go of what was
    /// taken at every value would move the rest of the buffer each time.
    fn fill(&mut self, kept: usize) -> Result<bool, Error> {
        while !self.ended {
            if self.not_text {
                return Err(self.not_text());
            }
            match self.body.chunk() {
                Ok(Some(chunk)) if chunk.is_empty() => {}
                Ok(Some(chunk)) => {
                    self.buffer.drain(..kept);
                    self.discarded += kept as u64;
                    self.start = 0;
                    self.next -= kept;
                    self.append(chunk);
                    return Ok(true);
                }
                Ok(None) if !self.cut.is_empty() => return Err(self.not_text()),
                Ok(None) => self.ended = true,
                Err(error) => return Err(self.broken(&error)),
            }
        }
        Ok(false)
    }

    /// Adds a piece of the body to the buffer, up to what is not UTF-8, which is looked for here, once for all values in the piece. That
    /// is an error only where the reader comes to it: what is before it counts, however the body is cut into pieces.
    fn append(&mut self, mut piece: Vec<u8>) {
        if !self.cut.is_empty() {
            piece.splice(..0, self.cut.drain(..));
        }
        let text = match String::from_utf8(piece) {
            Ok(text) => text,
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                self.not_text = error.utf8_error().error_len().is_some();
                let mut piece = error.into_bytes();
                self.cut = piece.split_off(valid);
                String::from_utf8(piece).expect("it was found valid up to here")
            }
        };
        if self.buffer.is_empty() {
            self.buffer = text;
        } else {
            self.buffer.push_str(&text);
        }
    }

    fn not_text(&self) -> Error {
        self.malformed(self.discarded + self.buffer.len() as u64, "it is not UTF-8")
    }

    fn broken(&self, error: &TransportError) -> Error {
        of_transport(error, &self.exchange)
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

    /// The answer makes no sense at this byte of the body. `problem` names no content of it.
    pub(crate) fn malformed(&self, offset: u64, problem: &str) -> Error {
        let message = format!(
            "the answer makes no sense at byte {offset} of its body: {problem}; if it stays so, give NinjaOne's support the request id"
        );
        self.exchange.error(Kind::Malformed(Some(offset)), message)
    }
}

/// What is wrong with a value, without quoting it, which `serde_json` does where a value is of another type.
fn problem(error: &serde_json::Error) -> String {
    match error.is_data() {
        true => "it is not an object".to_string(),
        false => format!("{error}, counted from where it begins"),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;
    use crate::confidential::Confidential;
    use crate::host::{Host, Level, SettingError};

    /// A body that comes in pieces of this many bytes.
    struct Pieces(Vec<u8>, usize);

    impl Body for Pieces {
        fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
            let rest = self.0.split_off(self.1.min(self.0.len()));
            let piece = std::mem::replace(&mut self.0, rest);
            Ok(Some(piece).filter(|piece| !piece.is_empty()))
        }
    }

    /// A host that is not asked for anything.
    struct Nobody;

    impl Host for Nobody {
        fn setting(&self, _: &str) -> Result<Option<String>, SettingError> {
            Ok(None)
        }

        fn log(&self, _: Level, _: &str, _: &[(&str, &str)]) {}

        fn monotonic_nanos(&self) -> u64 {
            0
        }

        fn unix_seconds(&self) -> u64 {
            0
        }

        fn time_left_millis(&self) -> Option<u64> {
            None
        }

        fn pause(&self, _: u64) {}

        fn dice(&self) -> u64 {
            0
        }
    }

    #[test]
    fn a_value_that_arrives_in_many_small_pieces_is_not_read_anew_for_each() {
        const BYTES: usize = 1_000_000;
        let body = Pieces(format!("\"{}\"", "x".repeat(BYTES)).into_bytes(), 1_000);
        let confidential = Confidential::new(Rc::new(Nobody));
        let exchange = OpenExchange::new("GET /".to_string(), &confidential);
        let mut reader = JsonReader::new(Box::new(body), exchange);
        let readings = Cell::new(0);
        let length = reader.take(format_args!("the text"), |text| {
            readings.set(readings.get() + 1);
            let (text, length): (String, usize) = object::first(text)?;
            Ok((text.len(), length))
        });
        assert_eq!(length.expect("it is text"), BYTES);
        assert!(readings.get() < 50, "it was read {} times", readings.get());
    }
}
