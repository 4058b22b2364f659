//! The file that a snapshot or a report is written to until it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempPath;

/// Where the unfinished file of this run is known, so that the end of the program can remove it.
///
/// Ctrl-C ends the program without waiting for the task that writes. Both take the file from here, so either it is removed
/// and cannot take its place any more, or it has taken its place and is whole.
#[derive(Clone, Debug, Default)]
pub struct Unfinished(Arc<Mutex<Option<TempPath>>>);

impl Unfinished {
    /// Makes an empty file beside `target` that only its owner can read. `what` it will be is in its name.
    pub fn create(&self, target: &Path, what: &str) -> io::Result<Written> {
        let file = tempfile::Builder::new()
            .prefix(&format!(".{what}-"))
            .suffix(".unfinished")
            .tempfile_in(folder(target))?
            .into_temp_path();
        let path = file.to_path_buf();
        *self.lock() = Some(file);
        Ok(Written {
            unfinished: self.clone(),
            path,
        })
    }

    /// Removes the file, if there is one. Nothing else can be done where that fails.
    pub fn remove(&self) {
        drop(self.lock().take());
    }

    fn lock(&self) -> MutexGuard<'_, Option<TempPath>> {
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

    /// Puts the file in the place of `target`, once all of it is on disk. It is there whole, or not at all.
    pub fn persist(self, target: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        let mut unfinished = self.unfinished.lock();
        let Some(file) = unfinished.take() else {
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
