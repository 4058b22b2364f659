//! The file that a report is in.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::error::Error;
use crate::page::BEGINNING;
use connector_snapshot::unfinished::{self, Unfinished};

/// Makes sure that nothing but a report is replaced.
pub fn require_report_or_nothing(path: &Path) -> Result<(), Error> {
    match is_report(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::NotAReport {
            path: path.to_path_buf(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::unwritable(path)(error)),
    }
}

/// Whether the file begins as every report does.
fn is_report(path: &Path) -> io::Result<bool> {
    // Before it is opened: to open a named pipe is to wait.
    if !fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    let most = u64::try_from(BEGINNING.len()).unwrap_or(u64::MAX);
    File::open(path)?.take(most).read_to_end(&mut beginning)?;
    Ok(beginning == BEGINNING.as_bytes())
}

/// Writes a page to a file beside its place, and puts it there once it is safe on disk.
pub fn write(path: &Path, page: &str, unfinished: &Unfinished) -> Result<(), Error> {
    let target = unfinished::resolve(path).map_err(Error::unwritable(path))?;
    if let Some(folder) = target.parent().filter(|folder| !folder.is_dir()) {
        return Err(Error::NoFolder {
            path: path.to_path_buf(),
            folder: folder.to_path_buf(),
        });
    }
    let write = || {
        let file = unfinished.create(&target, "report")?;
        file.write(page.as_bytes())?;
        file.persist(&target)
    };
    write().map_err(Error::unwritable(path))
}
