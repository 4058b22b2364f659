//! Where a recording is written to.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use crate::recording::{Recording, RecordingError};

/// A place for a recording, to which it is written bit by bit.
pub trait Sink: Write + Send + 'static {
    /// Keeps what was written. Where it is dropped instead, the recording was given up.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    fn keep(self: Box<Self>) -> io::Result<()>;
}

/// A file for a recording that will be: it appears in its place whole, or not at all.
///
/// Until then it is beside its place, under another name that begins with a dot and ends in `.part`. Where the recording is
/// given up, it is removed; where the process is killed, it is left there, with every exchange that was over, and without the
/// end that would make it JSON. On Unix only its owner can read it, since it tells of people.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    /// Beside the file, so that it can be renamed to it.
    temporary: NamedTempFile<File>,
}

impl RecordingFile {
    /// Makes sure that the file can be written, before anything happens that is worth recording.
    ///
    /// # Errors
    ///
    /// When the path names no file, or there can be no other one beside it.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        let no_file = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no file");
        let temporary = path.file_name().ok_or_else(no_file).and_then(|name| {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            tempfile::Builder::new()
                .prefix(&format!(".{}.", name.display()))
                .suffix(".part")
                .tempfile_in(folder.unwrap_or(Path::new(".")))
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
}

impl Write for RecordingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

impl Sink for RecordingFile {
    fn keep(self: Box<Self>) -> io::Result<()> {
        self.temporary.as_file().sync_all()?;
        let kept = self.temporary.persist(&self.path);
        kept.map(drop).map_err(|error| error.error)
    }
}

/// A recording in memory. Clones are of the same recording, so that one can be written to and another read.
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    /// What was written, as text.
    pub fn har(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// The recording that was written.
    ///
    /// # Errors
    ///
    /// When it is not whole, because the recorder has not finished.
    pub fn recording(&self) -> Result<Recording, RecordingError> {
        Recording::from_har(&self.bytes())
    }

    /// Bytes are never left half written, so a panic elsewhere does not matter.
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} bytes)", self.bytes().len())
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Memory {
    fn keep(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder of its own for each test.
    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("the temporary folder can be written to")
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
        let folder = folder();
        let path = folder.path().join("a.har");
        fs::write(&path, "what was there before").expect("the folder can be written to");
        let mut file = RecordingFile::create(&path).expect("the folder can be written to");
        file.write_all(b"what is there now").expect("there is room");
        assert_eq!(
            fs::read_to_string(&path).expect("it is there"),
            "what was there before",
            "it is replaced at the end only"
        );
        Box::new(file).keep().expect("the folder can be written to");
        let now = fs::read_to_string(&path).expect("it is there");
        assert_eq!(now, "what is there now");
        assert_eq!(names(folder.path()), ["a.har"]);
    }

    #[test]
    fn a_recording_that_is_given_up_leaves_nothing_behind() {
        let folder = folder();
        let file = RecordingFile::create(&folder.path().join("a.har"));
        let file = file.expect("the folder can be written to");
        let [name] = &names(folder.path())[..] else {
            panic!("it is begun");
        };
        assert!(
            name.starts_with(".a.har.") && name.ends_with(".part"),
            "{name}"
        );
        drop(file);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_told_at_once() {
        let folder = folder();
        for path in [
            folder.path().join("no/such/folder/a.har"),
            PathBuf::from("/"),
        ] {
            let error = RecordingFile::create(&path).expect_err("there can be no file");
            assert!(matches!(error, RecordingError::Unwritable(_)), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_a_recording_from_the_start() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("a.har");
        let mode = |path: &Path| {
            fs::metadata(path)
                .expect("it is there")
                .permissions()
                .mode()
        };
        let file = RecordingFile::create(&path).expect("the folder can be written to");
        assert_eq!(mode(file.temporary.path()) & 0o077, 0);
        Box::new(file).keep().expect("the folder can be written to");
        assert_eq!(mode(&path) & 0o077, 0);
    }
}
