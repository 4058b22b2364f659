//! The file that a snapshot or a report is written to until it is whole, and others that do not outlive the program.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, TempPath};

/// Where the unfinished or temporary file of this run is known, so that the end of the program can remove it.
///
/// Ctrl-C ends the program without waiting for the task that writes. Both take the file from here, so either it is removed
/// and cannot take its place any more, or it has taken its place and is whole.
#[derive(Clone, Debug, Default)]
pub struct Unfinished(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Nothing,
    Begun(TempPath),
    /// The file is in its place, or the program ends: what the task still begins would stay behind.
    Over,
}

impl Unfinished {
    /// Makes an empty file beside `target` that only its owner can read. `what` it will be is in its name.
    pub fn create(&self, target: &Path, what: &str) -> io::Result<Written> {
        self.begin(|| {
            tempfile::Builder::new()
                .prefix(&format!(".{what}-"))
                .suffix(".unfinished")
                .tempfile_in(folder(target))
        })
    }

    /// Makes an empty file in the folder for temporary ones, which is there for others to read until the program ends.
    pub fn temporary(&self, what: &str, extension: &str) -> io::Result<Written> {
        self.begin(|| {
            tempfile::Builder::new()
                .prefix(&format!("{what}-"))
                .suffix(&format!(".{extension}"))
                .tempfile()
        })
    }

    fn begin(&self, make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<Written> {
        // Held until the file is known, so that none is made beside the end of the program.
        let mut state = self.lock();
        if matches!(*state, State::Over) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let file = make()?.into_temp_path();
        let path = file.to_path_buf();
        *state = State::Begun(file);
        Ok(Written {
            unfinished: self.clone(),
            path,
        })
    }

    /// Removes the file, if there is one, and from here on there is none. Nothing else can be done where that fails.
    pub fn remove(&self) {
        *self.lock() = State::Over;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The unfinished file, as the one knows it who writes to it.
#[derive(Debug)]
pub struct Written {
    unfinished: Unfinished,
    path: PathBuf,
}

impl Written {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all that it will have. A file that was removed does not come again.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::options().write(true).open(&self.path)?;
        file.write_all(bytes)
    }

    /// Puts the file in the place of `target`, once all of it is on disk. It is there whole, or not at all.
    pub fn persist(self, target: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        let mut state = self.unfinished.lock();
        let State::Begun(file) = std::mem::replace(&mut *state, State::Over) else {
            return Err(io::ErrorKind::Interrupted.into());
        };
        file.persist(target).map_err(|error| error.error)?;
        sync_folder(folder(target))
    }
}

/// Where a path leads: the file behind a symbolic link is replaced, and not the link.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    // Where nothing is yet, there is no link to follow.
    fs::canonicalize(path).or_else(|_| std::path::absolute(path))
}

fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes sure that the new name of a file outlives a power failure.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere, folders cannot be opened for that.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_and_nothing_comes_after_the_end_of_the_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("report.html");
        let unfinished = Unfinished::default();
        let begun = unfinished.create(&target, "report").expect("it begins");
        unfinished.remove();
        // The task has not noticed yet.
        begun.write(b"half").expect_err("the file is gone");
        begun.persist(&target).expect_err("the file is gone");
        let late = unfinished.create(&target, "report");
        late.expect_err("the program has ended");
        let left = fs::read_dir(folder.path()).expect("it is there").count();
        assert_eq!(left, 0);
    }
}
