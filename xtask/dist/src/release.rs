//! What is said of a release in every one of its files.

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::packages::Package;

/// A release of the connector, or of the contract.
#[derive(Clone, Debug)]
pub struct Release {
    /// The name of the package, which is that of the files.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is, in a sentence.
    pub description: String,
    /// The licence, as an SPDX expression.
    pub license: String,
    /// Where the sources are.
    pub source: Option<String>,
    /// Which of the sources it was made from.
    pub revision: Option<String>,
    /// The point in time of the sources. That of the build would make each build another.
    pub created: Timestamp,
    /// What it was compiled with, as the programs call themselves.
    pub built_with: Vec<String>,
}

impl Release {
    /// What `Cargo.toml` says of the connector, and what its caller knows of the sources.
    pub fn new(connector: &Package, provenance: Provenance) -> Result<Self> {
        let known = &connector.known;
        let field = |value: &Option<String>, name| {
            let value = value.clone();
            value.with_context(|| format!("the connector's Cargo.toml has no `{name}`"))
        };
        Ok(Self {
            name: known.name.to_string(),
            version: known.version.to_string(),
            description: field(&known.description, "description")?,
            license: field(&known.license, "license")?,
            source: provenance.source.or_else(|| known.repository.clone()),
            revision: provenance.revision,
            created: provenance.created,
            built_with: provenance.built_with,
        })
    }

    /// The name of a file of this release.
    pub fn file(&self, extension: &str) -> String {
        format!("{}-{}.{extension}", self.name, self.version)
    }
}

/// What is known of the sources, and is not in them.
#[derive(clap::Args, Clone, Debug)]
pub struct Provenance {
    /// Where the sources are, as a URL [default: `repository` in Cargo.toml]
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// The revision of the sources
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// The point in time of the sources, in seconds since 1970
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    created: Timestamp,
    /// A program that the component was built with, as it calls itself
    #[arg(long, value_name = "PROGRAM")]
    built_with: Vec<String>,
}

/// Reads a point in time as `SOURCE_DATE_EPOCH` has it.
fn seconds(text: &str) -> Result<Timestamp, String> {
    let seconds = text
        .parse()
        .map_err(|_| "not a whole number of seconds".to_owned())?;
    Timestamp::from_second(seconds).map_err(|error| error.to_string())
}
