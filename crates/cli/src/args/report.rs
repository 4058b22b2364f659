//! The arguments of `report`.

use std::path::PathBuf;

use clap::Args;

/// The long help of `report`, with the JSON form that scripts may rely on.
pub const ABOUT: &str = "Make a page for an access review of a snapshot: who has what, role by role and account by account, and what to \
look at first.

The page is one HTML file that needs no network: style, script and data are in it, and nothing else may run in it. Only you can read \
it; what it says of people is as confidential as the snapshot. The same snapshot always gives the same page. What the connected system \
did not send is shown as not known, and never as no; so is who holds a role that came without its members, whose grants no number has. \
Without --details last-sign-in in the sync, nothing is known of sign-ins.

A file that is not such a report is never replaced.

With --json, one line is written: {\"type\": \"report\", \"report\": …, \"counts\": {…}, \"rolesWithUnknownMembers\": …, \"findings\": [{\"finding\", \"accounts\", \
\"notKnown\"}]}. \"accounts\" is null where nothing of the kind was asked for.";

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The snapshot, as `sync --out` writes it
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: PathBuf,
    /// Where to write the page; - for standard output
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
}
