//! Why a snapshot cannot be written, replaced or read, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::loss::{Loss, WithoutAccounts};
use crate::schema;

/// Why not. Paths are those that the user gave.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no snapshot {}: `connector-host sync --out FILE` writes one", path.display())]
    Missing { path: PathBuf },
    #[error("cannot read the snapshot {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    /// It is there, and is something else. It is never written to.
    #[error("{} is not a snapshot, and is left as it is: name another file", path.display())]
    NotASnapshot { path: PathBuf },
    #[error(
        "the snapshot {} is of version {version}, and this program reads up to version {}: use a newer connector-host",
        path.display(), schema::VERSION
    )]
    Newer { path: PathBuf, version: i32 },
    /// Only where it was made by something else: this program puts no such file in place.
    #[error("the snapshot {} is not complete: it says nothing of what it has not. Run the sync again", path.display())]
    Incomplete { path: PathBuf },
    #[error("the snapshot {} is damaged ({error}): run the sync again, to another file, or restore it", path.display())]
    Damaged {
        path: PathBuf,
        error: rusqlite::Error,
    },
    #[error("the snapshots cannot be compared ({0}): one of them may be damaged")]
    Incomparable(rusqlite::Error),
    /// Replacing it would lose the history of one tenant to that of another.
    #[error(
        "the snapshot {} was not replaced: it is of {old}, and this is {new}. Name another file, or run it again with \
         --allow-loss",
        path.display()
    )]
    OtherTenant {
        path: PathBuf,
        old: String,
        new: String,
    },
    #[error(transparent)]
    Loss(#[from] Loss),
    #[error(transparent)]
    WithoutAccounts(#[from] WithoutAccounts),
    /// The connector promises that it never does so.
    #[error("{what} was listed twice, so the listing cannot be trusted. Please report it")]
    Twice { what: String },
    #[error("cannot write the snapshot {}: there is no folder {}: make it first", path.display(), folder.display())]
    NoFolder { path: PathBuf, folder: PathBuf },
    #[error("cannot write the snapshot {}: {error}", path.display())]
    Unwritable {
        path: PathBuf,
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Makes a file that cannot be written an error that names it.
    pub fn unwritable<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        path: &Path,
    ) -> impl Fn(E) -> Self {
        move |error| Self::Unwritable {
            path: path.to_path_buf(),
            error: error.into(),
        }
    }

    /// Makes an error of SQLite's about a file that is there one that says what is wrong with the file.
    pub fn reading(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |error| {
            let path = path.to_path_buf();
            match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => Self::NotASnapshot { path },
                _ => Self::Damaged { path, error },
            }
        }
    }

    /// A name for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "snapshot-missing",
            Self::Unreadable { .. } => "snapshot-unreadable",
            Self::NotASnapshot { .. } => "not-a-snapshot",
            Self::Newer { .. } => "snapshot-too-new",
            Self::Incomplete { .. } => "snapshot-incomplete",
            Self::Damaged { .. } => "snapshot-damaged",
            Self::Incomparable(_) => "snapshots-incomparable",
            Self::OtherTenant { .. } => "snapshot-of-other-tenant",
            Self::Loss(_) => "snapshot-loss",
            Self::WithoutAccounts(_) => "snapshot-without-accounts",
            Self::Twice { .. } => "listing-not-whole",
            Self::NoFolder { .. } | Self::Unwritable { .. } => "snapshot-unwritable",
        }
    }
}
