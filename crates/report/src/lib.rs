//! The report: a snapshot as one HTML page, for those who review who has access to what.
//!
//! What always holds:
//!
//! - The page is a function of the snapshot: the same snapshot gives the same bytes.
//! - It needs nothing but itself, and a browser runs nothing in it but its own script: `page` says by which rules.
//! - What the connected system did not send is not known. It is counted apart, and never as `no`.
//! - What it did send is data, and neither markup nor script: `maud` escapes all text, and `html` makes visible what hides in it.
//!
//! Rust writes what can be read without JavaScript: where the snapshot comes from, what to look at and how often, and the
//! charts. The script makes the lists, from columns that are in the page as JSON.

mod charts;
mod columns;
mod error;
mod file;
mod findings;
mod html;
mod page;
mod read;

use std::path::Path;

use connector_contract::Counts;

use self::columns::Columns;
pub use self::error::Error;
pub use self::findings::Finding;
use self::read::Provenance;
use connector_snapshot::unfinished::Unfinished;

/// What is known of a snapshot, ready to be shown.
pub struct Report {
    provenance: Provenance,
    columns: Columns,
    findings: Vec<Finding>,
}

impl Report {
    /// Reads a snapshot.
    pub fn of(snapshot: &Path) -> Result<Self, connector_snapshot::Error> {
        let (provenance, columns) = read::read(snapshot)?;
        let findings = findings::find(&columns);
        Ok(Self {
            provenance,
            columns,
            findings,
        })
    }

    /// The page.
    pub fn page(&self) -> Result<String, Error> {
        page::render(self)
    }

    /// Writes the page to a file that only its owner can read, in the place of a report or of nothing.
    pub fn write(&self, path: &Path, unfinished: &Unfinished) -> Result<(), Error> {
        file::require_report_or_nothing(path)?;
        file::write(path, &self.page()?, unfinished)
    }

    /// How much is in the snapshot.
    pub fn counts(&self) -> &Counts {
        &self.provenance.counts
    }

    /// Of how many roles it is not known who holds them. Their grants are not counted.
    pub fn roles_with_unknown_members(&self) -> usize {
        self.columns.roles.with_unknown_members().count()
    }

    /// What to look at, and how often it is there.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
