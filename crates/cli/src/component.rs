//! Which component the program runs: one that was named, or the one that it carries.
//!
//! A component gets the tenant's secret. So none is ever looked for: what happens to lie in the current folder, or above it, may be
//! anybody's.

use std::path::PathBuf;
use std::sync::LazyLock;

use connector_host::{Host, LoadError, Plugin};
use sha2::{Digest, Sha256};

use super::failure::Failure;

/// The component that was put into the program when it was built; see `build.rs`.
#[cfg(embedded_component)]
const EMBEDDED: Option<&[u8]> = Some(include_bytes!(concat!(env!("OUT_DIR"), "/component.wasm")));
#[cfg(not(embedded_component))]
const EMBEDDED: Option<&[u8]> = None;

/// The variable by which the workspace's `.cargo/config.toml` has `cargo host` run what `cargo xtask build` made. It is another
/// than the one for users, CONNECTOR_COMPONENT, which counts more than a configuration file.
pub const BUILT: &str = "CONNECTOR_BUILT_COMPONENT";

/// The component to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Chosen {
    File(PathBuf),
    Embedded(&'static [u8]),
}

/// Where a component can be named.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// With --component or CONNECTOR_COMPONENT.
    pub by_user: Option<PathBuf>,
    /// In the configuration file.
    pub in_file: Option<PathBuf>,
    /// With [`BUILT`].
    pub built: Option<PathBuf>,
}

impl Named {
    /// The one that counts most.
    pub fn choose(self) -> Result<Chosen, Failure> {
        self.or(EMBEDDED)
    }

    fn or(self, embedded: Option<&'static [u8]>) -> Result<Chosen, Failure> {
        let named = self.by_user.or(self.in_file).or(self.built);
        let chosen = named.map(Chosen::File);
        chosen.or(embedded.map(Chosen::Embedded)).ok_or_else(|| {
            Failure::Usage(
                "no component is named, and this program carries none: name one with --component FILE, CONNECTOR_COMPONENT or \
                 `component` in the configuration file. `cargo xtask build` makes one, and `cargo xtask install` a program that \
                 carries it"
                    .to_string(),
            )
        })
    }
}

impl Chosen {
    /// Loads it.
    pub async fn load(&self, host: &Host) -> Result<Plugin, Failure> {
        tracing::debug!("loading the component {}", self.name());
        let loaded = match self {
            Self::File(path) if !path.is_file() => {
                return Err(Failure::Usage(format!(
                    "cannot find the component: there is no file {}. Build it with `cargo xtask build`, or name it with \
                     --component FILE",
                    path.display()
                )));
            }
            Self::File(path) => host.load(path).await,
            Self::Embedded(bytes) => host.load_bytes(*bytes).await,
        };
        loaded.map_err(|error| self.unloadable(error))
    }

    /// Says of which component that is.
    pub fn unloadable(&self, error: LoadError) -> Failure {
        Failure::Load {
            name: self.name(),
            error,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Embedded(_) => "that this program carries".to_string(),
        }
    }
}

/// The version of the program, and which component it carries, by the hash that `sha256sum` shows.
pub fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let carries = EMBEDDED.map_or_else(
            || "none: name one with --component FILE".to_string(),
            |component| format!("embedded, sha256 {}", sha256(component)),
        );
        format!("{}\ncomponent: {carries}", env!("CARGO_PKG_VERSION"))
    });
    &TEXT
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_beats_what_the_program_carries() {
        let path = |name: &str| Some(PathBuf::from(name));
        let all = Named {
            by_user: path("user"),
            in_file: path("file"),
            built: path("built"),
        };
        let without_user = Named {
            by_user: None,
            ..all.clone()
        };
        let without_file = Named {
            in_file: None,
            ..without_user.clone()
        };
        for (named, expected) in [
            (all, "user"),
            (without_user, "file"),
            (without_file, "built"),
        ] {
            let chosen = named.or(Some(b"embedded")).expect("there is one");
            assert_eq!(chosen, Chosen::File(PathBuf::from(expected)));
        }
        let chosen = Named::default().or(Some(b"embedded"));
        assert_eq!(chosen.expect("there is one"), Chosen::Embedded(b"embedded"));
    }

    #[test]
    fn where_none_is_named_and_none_is_carried_it_says_what_to_do() {
        let failure = Named::default().or(None).expect_err("there is none");
        let said = failure.to_string();
        for part in [
            "--component FILE",
            "CONNECTOR_COMPONENT",
            "cargo xtask install",
        ] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
        assert_eq!(failure.exit(), crate::exit::Exit::Usage);
    }

    #[test]
    fn the_hash_is_the_one_that_sha256sum_shows() {
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), of_abc);
    }
}
