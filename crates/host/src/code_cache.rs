//! The folder in which compiled code is kept between runs.
//!
//! What is found there is run natively, without the sandbox: whoever can write to the folder can have the host do anything. So it
//! is made for its user alone, and one that is there already is looked at before it is used. Nobody else may even enter it: what
//! is inside has whatever permissions the one who made it gave it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a folder is not used for compiled code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodeCacheError {
    /// It cannot be made, or nothing can be found out about it.
    #[error("the folder {} cannot be used for compiled code: {error}", path.display())]
    Unusable {
        /// The folder, or one above it.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is something else in its place: a file, or a link that somebody could turn elsewhere.
    #[error(
        "{} is no folder of its own but a file or a link, so no compiled code is kept there. Remove it, and it is made anew",
        path.display()
    )]
    NotAFolder {
        /// The place.
        path: PathBuf,
    },
    /// Somebody else owns it.
    #[error(
        "the folder {} belongs to the user with the number {owner} and not to you ({user}): code that is kept there could be theirs. \
         Remove it, or have it given to you (`chown`), or name another folder",
        path.display()
    )]
    NotOurs {
        /// The folder, or one above it.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this program.
        user: u32,
    },
    /// Others can enter it, or see what is in it.
    #[error(
        "the folder {} is open to others (its mode is {mode:03o}), and what is kept there is run as it is. Close it to them: \
         `chmod 700 {}`",
        path.display(), path.display()
    )]
    OpenToOthers {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Others can write to a folder above it.
    #[error(
        "others can write to the folder {} (its mode is {mode:03o}), and could put their own code in the place of what is kept below \
         it. Take that from them: `chmod go-w {}`",
        path.display(), path.display()
    )]
    OthersCanWrite {
        /// The folder above it.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// Makes the folder, for its user alone, or makes sure of the one that is there: that it belongs to the user who runs this program,
/// that nobody else can enter it, and that nobody else can put another one in its place. Gives the path without links in it.
///
/// Where there are no Unix permissions, it only makes the folder.
///
/// # Errors
///
/// When it cannot be made, or is not safe to keep code in. Nothing that is there is changed.
pub fn prepare(folder: &Path) -> Result<PathBuf, CodeCacheError> {
    // A slash at its end would lead through a link.
    let folder = &folder.components().collect::<PathBuf>();
    make(folder).map_err(unusable(folder))?;
    let path = std::fs::canonicalize(folder).map_err(unusable(folder))?;
    check(folder, &path)?;
    Ok(path)
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> CodeCacheError {
    move |error| CodeCacheError::Unusable {
        path: path.to_path_buf(),
        error,
    }
}

/// Makes the folder and those above it that are missing. One that is there is left as it is.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    // What is in its place and is no folder is told by the check.
    match builder.recursive(true).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Looks at the folder and at each one above it.
#[cfg(unix)]
fn check(folder: &Path, path: &Path) -> Result<(), CodeCacheError> {
    use std::os::unix::fs::MetadataExt;

    /// Group and others may do anything at all.
    const OPEN: u32 = 0o077;
    /// Group and others may write.
    const WRITABLE: u32 = 0o022;
    /// Only the owner of what is in a folder may remove or rename it.
    const STICKY: u32 = 0o1000;
    const ROOT: u32 = 0;

    // Not where a link leads to: whoever owns the link could turn it.
    let named = std::fs::symlink_metadata(folder).map_err(unusable(folder))?;
    if !named.is_dir() {
        return Err(CodeCacheError::NotAFolder {
            path: folder.to_path_buf(),
        });
    }
    let user = rustix::process::geteuid().as_raw();
    for (above, place) in path.ancestors().enumerate() {
        let metadata = std::fs::symlink_metadata(place).map_err(unusable(place))?;
        let (owner, mode) = (metadata.uid(), metadata.mode());
        // The system's own folders are above everybody's.
        if owner != user && !(above > 0 && owner == ROOT) {
            return Err(CodeCacheError::NotOurs {
                path: place.to_path_buf(),
                owner,
                user,
            });
        }
        if above == 0 && mode & OPEN != 0 {
            return Err(CodeCacheError::OpenToOthers {
                path: place.to_path_buf(),
                mode: mode & 0o7777,
            });
        }
        // In one like /tmp others can make folders, and cannot replace ours.
        if mode & WRITABLE != 0 && mode & STICKY == 0 {
            return Err(CodeCacheError::OthersCanWrite {
                path: place.to_path_buf(),
                mode: mode & 0o7777,
            });
        }
    }
    Ok(())
}

/// Elsewhere, folders of a user are their own unless they say otherwise.
#[cfg(not(unix))]
fn check(folder: &Path, path: &Path) -> Result<(), CodeCacheError> {
    if path.is_dir() {
        return Ok(());
    }
    Err(CodeCacheError::NotAFolder {
        path: folder.to_path_buf(),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A folder that is safe, whatever the mask of the tests.
    fn safe() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("there is room for files");
        set_mode(folder.path(), 0o700);
        folder
    }

    fn set_mode(folder: &Path, mode: u32) {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    fn mode(folder: &Path) -> u32 {
        let metadata = fs::metadata(folder).expect("it is there");
        metadata.permissions().mode() & 0o7777
    }

    fn refused(folder: &Path) -> CodeCacheError {
        prepare(folder).expect_err("it is not safe")
    }

    #[test]
    fn a_new_folder_and_those_above_it_are_for_their_user_alone() {
        let home = safe();
        let folder = home.path().join("cache/connector-host");
        let prepared = prepare(&folder).expect("it is new");
        assert_eq!(
            prepared,
            fs::canonicalize(&folder).expect("it is there now")
        );
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&home.path().join("cache")), 0o700);
        prepare(&folder).expect("it is there, and safe");
    }

    #[test]
    fn a_folder_that_its_group_or_others_can_enter_is_refused_and_left_as_it_is() {
        let home = safe();
        let folder = home.path().join("cache");
        fs::create_dir(&folder).expect("it is new");
        // Where others can enter, they can write to a folder inside that was made with a lax mask. In one that is sticky they can
        // still put what is not there yet.
        for unsafe_mode in [
            0o710, 0o701, 0o740, 0o750, 0o755, 0o770, 0o775, 0o777, 0o1777,
        ] {
            set_mode(&folder, unsafe_mode);
            let said = refused(&folder).to_string();
            assert!(said.contains("chmod 700"), "{said}");
            assert_eq!(mode(&folder), unsafe_mode);
        }
        set_mode(&folder, 0o700);
        prepare(&folder).expect("nobody else can enter it");
    }

    #[test]
    fn a_folder_above_that_others_can_write_to_is_refused_unless_it_is_sticky() {
        let home = safe();
        let shared = home.path().join("shared");
        let folder = shared.join("cache");
        prepare(&folder).expect("it is new");
        set_mode(&shared, 0o777);
        let error = refused(&folder);
        let canonical = fs::canonicalize(&shared).expect("it is there");
        assert!(
            matches!(&error, CodeCacheError::OthersCanWrite { path, .. } if *path == canonical),
            "{error}"
        );
        set_mode(&shared, 0o1777);
        prepare(&folder).expect("nobody else can replace it");
    }

    #[test]
    fn a_link_or_a_file_in_its_place_is_refused() {
        let home = safe();
        let elsewhere = home.path().join("elsewhere");
        prepare(&elsewhere).expect("it is new");
        let (link, dangling, file) = (
            home.path().join("link"),
            home.path().join("dangling"),
            home.path().join("file"),
        );
        symlink(&elsewhere, &link).expect("links are possible");
        symlink(home.path().join("nowhere"), &dangling).expect("links are possible");
        fs::write(&file, "").expect("it is new");
        let with_slash = home.path().join("link/");
        for place in [link, with_slash, file] {
            let error = refused(&place);
            assert!(
                matches!(error, CodeCacheError::NotAFolder { .. }),
                "{error}"
            );
        }
        refused(&dangling);
        assert!(!home.path().join("nowhere").exists());
    }

    #[test]
    fn a_link_above_it_is_followed_and_what_it_leads_to_is_looked_at() {
        let home = safe();
        let real = home.path().join("real");
        fs::create_dir(&real).expect("it is new");
        let link = home.path().join("link");
        symlink(&real, &link).expect("links are possible");
        let folder = link.join("cache");
        let prepared = prepare(&folder).expect("all of it is ours");
        assert!(!prepared.starts_with(&link), "{}", prepared.display());
        set_mode(&real, 0o777);
        refused(&folder);
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        // Root's, or where root runs the tests, that of somebody to whom it is given.
        let home = safe();
        let folder = if rustix::process::geteuid().is_root() {
            let folder = home.path().join("cache");
            fs::create_dir(&folder).expect("it is new");
            std::os::unix::fs::chown(&folder, Some(12345), None).expect("root can give it away");
            folder
        } else {
            PathBuf::from("/")
        };
        let error = refused(&folder);
        assert!(matches!(error, CodeCacheError::NotOurs { .. }), "{error}");
        assert!(error.to_string().contains("belongs to"), "{error}");
    }
}
