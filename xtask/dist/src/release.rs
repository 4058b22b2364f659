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
    /// What it was made from, and with.
    pub provenance: Provenance,
}

impl Release {
    /// What `Cargo.toml` says of the connector, and what its caller knows of the sources.
    pub fn new(connector: &Package, mut provenance: Provenance) -> Result<Self> {
        let known = connector.known.clone();
        let description = known.description;
        provenance.source = provenance.source.or(known.repository);
        Ok(Self {
            name: known.name.to_string(),
            version: known.version.to_string(),
            description: description.context("the connector has no description")?,
            license: known.license.context("the connector has no licence")?,
            provenance,
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
    pub source: Option<String>,
    /// The revision of the sources
    #[arg(long)]
    pub revision: Option<String>,
    /// The point in time of the sources, in seconds since 1970: that of the build would make each build another
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub created: Timestamp,
    /// A program that the component was built with, as it calls itself; the compiler first
    #[arg(long, value_name = "PROGRAM", required = true)]
    pub built_with: Vec<String>,
}

/// Reads a point in time as `SOURCE_DATE_EPOCH` has it.
fn seconds(text: &str) -> Result<Timestamp> {
    Ok(Timestamp::from_second(text.parse()?)?)
}
