//! Snapshots: a tenant as it was, in one SQLite file, and what differs between two of them.
//!
//! # The file
//!
//! | table | one row for | key |
//! | --- | --- | --- |
//! | `run` | the snapshot itself: contract, connector, tenant, times, counts, whether it is complete | |
//! | `account` | an account, with every field of the contract | `id` |
//! | `role` | a role | `id` |
//! | `grant` | a role that an account holds | `account`, `role` |
//! | `organization` | an organization | `id` |
//!
//! `schema.sql` says what each column is, and so does the file: `sqlite3 FILE .schema` shows the comments. What the connected
//! system did not send is `NULL`. Identifiers are text, points in time RFC 3339 text in UTC, truth values 0 and 1, attributes a JSON
//! object with sorted keys. The tables are `STRICT`. No foreign keys are declared: a grant of an account that was not listed is
//! kept, and counted in `run`. Where it is not known who holds a role, the attribute `members-unknown` of the role is true, and there
//! are no grants of it: none are carried over from an earlier snapshot.
//!
//! `PRAGMA application_id` is `schema::APPLICATION_ID`, by which a file is known to be a snapshot; `PRAGMA user_version` is
//! `schema::VERSION`. A version that changes what is there gets a new number; this program reads no newer one.
//!
//! # What always holds
//!
//! - A snapshot is whole, or it is not there: it is written to a file beside its place in one transaction, and takes its place once
//!   it is safe on disk. Whatever goes wrong before leaves the old one as it was, and the other file is removed.
//! - It replaces nothing that is not a snapshot of the same tenant, and none that had much more in it, unless told to. Nor is it
//!   written where there was none, if no account is in it and something else is.
//! - Only its owner can read it.
//! - Neither writing nor comparing needs memory that grows with the tenant: no more than a page of items, or a table's worth of
//!   differences, is held at once. Only grants and accounts that point nowhere, and roles whose members are unknown, are collected,
//!   to report them.
//!
//! # What it does not know
//!
//! Where items come from, and who keeps them: no host, no connector, no network, no command line. It takes the words of the
//! contract as they are.

mod diff;
mod error;
mod loss;
mod read;
mod schema;
pub mod unfinished;
mod write;

pub use self::diff::{
    Comparison, Difference, Kind, MembersUnknown, Named, Party, Subject, UnknownIn, Way,
};
pub use self::error::Error;
pub use self::loss::LossPolicy;
pub use self::read::{Run, open};
pub use self::schema::MEMBERS_UNKNOWN;
pub use self::write::{Draft, Origin, Replaced};
