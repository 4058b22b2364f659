//! The elements of an array that is still arriving.

use std::marker::PhantomData;

use super::answer;
use super::json::JsonReader;
use super::wire::Object;
use crate::error::Error;

/// The elements of the JSON array that an answer is, or that one field of it is, one at a time.
pub struct Elements<T> {
    array: Array,
    element: PhantomData<T>,
}

/// The array, whatever its elements are.
struct Array {
    reader: JsonReader,
    field: Option<&'static str>,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Unopened,
    Open { first: bool },
    Ended,
}

impl<T: Object> Elements<T> {
    pub(crate) fn new(reader: JsonReader) -> Self {
        Elements::of(reader, None)
    }

    /// The elements of the array that this field of an object is.
    pub(crate) fn of_field(reader: JsonReader, field: &'static str) -> Self {
        Elements::of(reader, Some(field))
    }

    fn of(reader: JsonReader, field: Option<&'static str>) -> Self {
        Elements {
            array: Array {
                reader,
                field,
                state: State::Unopened,
            },
            element: PhantomData,
        }
    }

    /// Waits for the next element; `None` once the array has ended and the body with it.
    ///
    /// # Errors
    ///
    /// When the body breaks off, is not an array, or has an element that cannot be decoded. An array is never cut short
    /// in silence.
    pub fn try_next(&mut self) -> Result<Option<T>, Error> {
        match self.array.has_next()? {
            true => self.array.reader.object().map(Some),
            false => Ok(None),
        }
    }

    /// How many bytes of the answer have been taken.
    pub fn bytes_read(&self) -> u64 {
        self.array.reader.offset()
    }

    /// The last element made no sense to whoever got it.
    pub(crate) fn malformed(&self, problem: &str) -> Error {
        let reader = &self.array.reader;
        reader.malformed(reader.value_start(), problem)
    }
}

impl Array {
    /// Moves to the next element, which has to be taken then; false once the array has ended and the body with it.
    fn has_next(&mut self) -> Result<bool, Error> {
        if self.state == State::Unopened {
            self.open()?;
        }
        let State::Open { first } = &mut self.state else {
            return Ok(false);
        };
        if self.reader.next_element(first)? {
            return Ok(true);
        }
        if self.field.is_some() {
            while self.reader.next_key(&mut false)?.is_some() {
                self.reader.value()?;
            }
        }
        self.reader.end()?;
        self.state = State::Ended;
        Ok(false)
    }

    fn open(&mut self) -> Result<(), Error> {
        answer::check_start(&mut self.reader)?;
        if let Some(field) = self.field {
            self.reader.expect(b'{')?;
            let mut first = true;
            loop {
                match self.reader.next_key(&mut first)? {
                    Some(key) if key == field => break,
                    Some(_) => self.reader.value().map(drop)?,
                    None => {
                        let problem = format!("there is no field {field}");
                        return Err(self.reader.malformed(self.reader.offset(), &problem));
                    }
                }
            }
        }
        self.reader.expect(b'[')?;
        self.state = State::Open { first: true };
        Ok(())
    }
}
