//! Why a report cannot be written, and what to do about it. Why a snapshot cannot be read, the snapshot says itself.

use std::io;
use std::path::{Path, PathBuf};

/// Why not. Paths are those that the user gave.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something else is in its place. It is never written to.
    #[error("{} is not a report, and is left as it is: name another file", path.display())]
    NotAReport { path: PathBuf },
    #[error("cannot write the report {}: there is no folder {}: make it first", path.display(), folder.display())]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("cannot write the report {}: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    /// Its data has no JSON form: a fault of this program.
    #[error("the report cannot be put together ({0}). Please report it")]
    Unformed(#[from] serde_json::Error),
}

impl Error {
    /// Makes a file that cannot be written an error that names it.
    pub fn unwritable(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Unwritable {
            path: path.to_path_buf(),
            error,
        }
    }

    /// A name for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAReport { .. } => "not-a-report",
            Self::NoFolder { .. } | Self::Unwritable { .. } => "report-unwritable",
            Self::Unformed(_) => "report-unformed",
        }
    }
}
