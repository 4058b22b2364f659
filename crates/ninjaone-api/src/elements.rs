//! The elements of an array that is still arriving.

use std::marker::PhantomData;

use crate::error::Error;
use crate::failure;
use crate::json::JsonReader;
use crate::wire::Record;

/// The fields of a failure ("Errors" in `docs/ninjaone-api.md`): an object with one of them has no list in it, which is no empty one.
const FAILURES: [&str; 4] = ["error", "error_code", "errorMessage", "resultCode"];

/// The elements of the JSON array that an answer is, or that one field of it is, one at a time.
pub struct Elements<T> {
    reader: JsonReader,
    field: Option<&'static str>,
    state: State,
    /// How many elements were met.
    met: u64,
    element: PhantomData<T>,
}

#[derive(PartialEq)]
enum State {
    Unopened,
    Open { first: bool },
    Ended,
}

impl<T: Record> Elements<T> {
    pub(crate) fn new(reader: JsonReader) -> Self {
        Elements::of(reader, None)
    }

    /// The elements of the array that this field of an object is; none where it is missing or null.
    pub(crate) fn of_field(reader: JsonReader, field: &'static str) -> Self {
        Elements::of(reader, Some(field))
    }

    fn of(reader: JsonReader, field: Option<&'static str>) -> Self {
        Elements {
            reader,
            field,
            state: State::Unopened,
            met: 0,
            element: PhantomData,
        }
    }

    /// Waits for the next element; `None` once the array has ended and the body with it.
    ///
    /// # Errors
    ///
    /// When the body breaks off, is not an array, or has an element that is no object. An array is never cut short in silence.
    pub fn try_next(&mut self) -> Result<Option<T>, Error> {
        if self.state == State::Unopened {
            self.state = self.open()?;
        }
        let State::Open { first } = &mut self.state else {
            return Ok(None);
        };
        if self.reader.next_element(first)? {
            self.met += 1;
            let what = format_args!("the {} number {}", T::NAME, self.met);
            return self.reader.record(what).map(Some);
        }
        self.state = self.ended()?;
        Ok(None)
    }

    /// How many bytes of the answer have been taken.
    pub fn bytes_read(&self) -> u64 {
        self.reader.offset()
    }

    /// The whole answer made no sense to whoever read it.
    pub fn unbelievable(&self, problem: &str) -> Error {
        self.reader.malformed(self.reader.offset(), problem)
    }

    /// The last element made no sense to whoever got it.
    pub fn malformed(&self, problem: &str) -> Error {
        let problem = format!("the {} number {} {problem}", T::NAME, self.met);
        self.reader.malformed(self.reader.value_start(), &problem)
    }

    fn open(&mut self) -> Result<State, Error> {
        if !failure::has_list(&mut self.reader)? {
            return Ok(State::Ended);
        }
        if let Some(field) = self.field {
            self.reader.expect(b'{')?;
            let mut first = true;
            loop {
                match self.reader.next_name(&mut first)? {
                    Some(name) if name == field => break,
                    Some(name) if FAILURES.contains(&name.as_str()) => {
                        let problem = format!(
                            "it is a failure under the status of a success, with a field {name}"
                        );
                        return Err(self.reader.malformed(self.reader.offset(), &problem));
                    }
                    Some(name) => self.reader.skip(&name)?,
                    None => {
                        self.reader.end()?;
                        return Ok(State::Ended);
                    }
                }
            }
            if self.reader.peek()? == Some(b'n') {
                self.reader.skip(field)?;
                return self.ended();
            }
        }
        self.reader.expect(b'[')?;
        Ok(State::Open { first: true })
    }

    /// Takes what follows the array.
    fn ended(&mut self) -> Result<State, Error> {
        if let Some(field) = self.field {
            while let Some(name) = self.reader.next_name(&mut false)? {
                if name == field {
                    // Its elements were given away already.
                    let problem = format!("there are two fields {field}");
                    return Err(self.reader.malformed(self.reader.offset(), &problem));
                }
                self.reader.skip(&name)?;
            }
        }
        self.reader.end()?;
        Ok(State::Ended)
    }
}
