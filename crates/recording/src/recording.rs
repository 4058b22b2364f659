//! Recordings: exchanges in the order in which they were begun, kept in HAR 1.2 files.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use tempfile::NamedTempFile;

use crate::{Breakdown, har};

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
    #[error("entry {number} of the recording makes no sense: {problem}. Mend it, or record anew")]
    Entry {
        /// The entry, counted from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
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

    /// The text of a HAR file with this recording in it, ready to be kept under version control.
    pub fn to_har(&self) -> String {
        har::render(self)
    }

    /// Writes the recording into a file, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file, or one beside it, cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RecordingError> {
        RecordingFile::create(path)?.save(self)
    }
}

/// A place for a recording that will be: the file appears there whole, or not at all.
///
/// On Unix only its owner can read it, since it tells of people.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    /// Beside the file, so that it can be renamed to it. Removed where that does not happen.
    temporary: NamedTempFile,
}

impl RecordingFile {
    /// Makes sure that the file can be written, before anything happens that is worth recording.
    ///
    /// # Errors
    ///
    /// When the path names no file, or there can be no other one beside it.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        let no_file = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
        let temporary = path.file_name().ok_or_else(no_file).and_then(|_| {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        });
        Ok(Self {
            path: path.to_path_buf(),
            temporary: temporary.map_err(RecordingError::Unwritable)?,
        })
    }

    /// Where the recording will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the recording, and puts it in its place.
    ///
    /// # Errors
    ///
    /// When it cannot be written. What was in its place is there still.
    pub fn save(mut self, recording: &Recording) -> Result<(), RecordingError> {
        self.temporary
            .write_all(recording.to_har().as_bytes())
            .and_then(|()| self.temporary.as_file().sync_all())
            .map_err(RecordingError::Unwritable)?;
        let persisted = self.temporary.persist(&self.path);
        persisted
            .map(drop)
            .map_err(|error| RecordingError::Unwritable(error.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for each test.
    fn folder(name: &str) -> PathBuf {
        let id = std::process::id();
        let folder = std::env::temp_dir().join(format!("connector-recording-{id}-{name}"));
        fs::create_dir_all(&folder).expect("the temporary folder can be written to");
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        entries
            .map(|entry| entry.expect("it can be listed").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_recording_appears_whole_and_leaves_nothing_beside_it() {
        let folder = folder("whole");
        let path = folder.join("a.har");
        fs::write(&path, "what was there before").expect("the folder can be written to");
        let file = RecordingFile::create(&path).expect("the folder can be written to");
        assert_eq!(
            fs::read_to_string(&path).expect("it is there"),
            "what was there before",
            "it is replaced at the end only"
        );
        file.save(&Recording::default())
            .expect("the folder can be written to");
        let read = Recording::read(&path).expect("it is a recording");
        assert!(read.exchanges.is_empty());
        assert_eq!(names(&folder), ["a.har"]);
    }

    #[test]
    fn a_recording_that_is_given_up_leaves_nothing_behind() {
        let folder = folder("given-up");
        let file = RecordingFile::create(&folder.join("a.har"));
        drop(file.expect("the folder can be written to"));
        assert_eq!(names(&folder), [""; 0]);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_told_at_once() {
        let path = folder("nowhere").join("no/such/folder/a.har");
        let error = RecordingFile::create(&path).expect_err("there is no such folder");
        assert!(matches!(error, RecordingError::Unwritable(_)), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_a_recording() {
        use std::os::unix::fs::PermissionsExt;
        let path = folder("private").join("a.har");
        Recording::default()
            .write(&path)
            .expect("the folder can be written to");
        let mode = fs::metadata(&path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0);
    }
}
