//! Recordings: exchanges in the order in which they were begun, kept in HAR 1.2 files.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::breakdown::Breakdown;
use crate::file::{RecordingFile, Sink};
use crate::har;

/// Exchanges in the order in which they were begun.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// What is to know about it, for people: how it came to be, and what is in it.
    pub comment: Option<String>,
    /// The exchanges.
    pub exchanges: Vec<Exchange>,
}

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When the request was sent.
    pub started: Timestamp,
    /// How long it was until the end of the answer.
    pub took: Duration,
    /// The request.
    pub request: Request<Bytes>,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An answer, read to its end.
    Whole(Response<Bytes>),
    /// An answer whose body broke off, or was not read to its end, and what was read of it.
    Partial(Response<Bytes>, Breakdown),
    /// No answer.
    None(Breakdown),
}

impl Answer {
    /// The answer, as far as it came.
    pub fn response(&self) -> Option<&Response<Bytes>> {
        match self {
            Self::Whole(response) | Self::Partial(response, _) => Some(response),
            Self::None(_) => None,
        }
    }

    /// How it broke off, if it did.
    pub fn breakdown(&self) -> Option<&Breakdown> {
        match self {
            Self::Whole(_) => None,
            Self::Partial(_, breakdown) | Self::None(breakdown) => Some(breakdown),
        }
    }
}

/// A recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(io::Error),
    /// The file cannot be written.
    #[error("the file cannot be written: {0}")]
    Unwritable(io::Error),
    /// It is no HAR file of version 1.2.
    #[error("it is not a recording: {0}. Give a HAR file of version 1.2, as --record makes them")]
    NotHar(String),
    /// One of its entries cannot have been sent or answered so.
    #[error(
        "entry {number} of the recording makes no sense: {problem}. Correct it, or record anew"
    )]
    Entry {
        /// The entry, counted from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The recorder has finished before.
    #[error("the recording was finished before")]
    Finished,
}

impl Recording {
    /// Reads a recording from a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no HAR file of version 1.2.
    pub fn read(path: &Path) -> Result<Self, RecordingError> {
        Self::from_har(&fs::read(path).map_err(RecordingError::Unreadable)?)
    }

    /// Reads a recording from the text of a HAR file.
    ///
    /// # Errors
    ///
    /// When it is no HAR of version 1.2, or one that no HTTP exchange can have given.
    pub fn from_har(text: &[u8]) -> Result<Self, RecordingError> {
        har::parse(text)
    }

    /// The text of a HAR file with this recording in it, as it is.
    pub fn to_har(&self) -> String {
        har::render(self)
    }

    /// Writes the recording into a file, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file, or one beside it, cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RecordingError> {
        let mut file = Box::new(RecordingFile::create(path)?);
        file.write_all(self.to_har().as_bytes())
            .and_then(|()| file.keep())
            .map_err(RecordingError::Unwritable)
    }
}
