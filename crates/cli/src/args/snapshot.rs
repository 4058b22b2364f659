//! The arguments of `sync`, and of `diff`, which compares what `sync` wrote.

use std::path::PathBuf;

use clap::Args;
use connector_host::contract::AccountDetails;

use super::filters::Detail;
use connector_snapshot::LossPolicy;

#[derive(Debug, Args)]
pub struct SyncArgs {
    /// Write everything to a snapshot: an SQLite file that only you can read, for `diff` and for queries of your own.
    /// It takes its place when it is whole; a sync that fails or is interrupted leaves the one that is there as it was
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Refuse to replace the snapshot that is there when accounts, roles, grants or organizations fall by more than this
    ///
    /// Grants that may be gone, since the members of their roles are unknown now, count like those that are.
    #[arg(
        long,
        value_name = "PERCENT",
        requires = "out",
        default_value_t = 30,
        value_parser = clap::value_parser!(u8).range(0..=100)
    )]
    most_lost: u8,
    /// Replace the snapshot that is there however much is lost by it, and also where it is of another tenant; write a first one also
    /// where no account was listed
    #[arg(long, requires = "out")]
    allow_loss: bool,
    /// Ask for details of accounts that cost further requests
    #[arg(long, value_enum, value_delimiter = ',')]
    details: Vec<Detail>,
}

impl SyncArgs {
    pub fn details(&self) -> AccountDetails {
        Detail::flags(&self.details)
    }

    pub fn loss_policy(&self) -> LossPolicy {
        LossPolicy {
            most_lost: self.most_lost,
            allowed: self.allow_loss,
        }
    }
}

/// The long help of `diff`, with the JSON form that scripts may rely on.
pub const ABOUT_DIFF: &str = "Say what differs between two snapshots: who came, went, gained and lost what.

Accounts, roles and organizations are the same where their identifier is, and grants where account and role are. Fields and \
attributes are compared one by one; how many members a role has, and the attributes of a grant, are not: they follow from the \
rest. Where only one of the snapshots has a detail of accounts (--details of sync), accounts are compared in the fields that both \
tell of, and without attributes.

Where one of the snapshots does not know who holds a role, a grant of it that only the other one has is neither gained nor lost. Such \
roles are told first, with how many grants cannot be compared. With --exit-code, a role whose members only one of the snapshots knows counts as a \
difference; where neither knows them, there is no difference.

With --json, the first line is {\"type\": \"diff\", \"equal\": …, \"before\": {…}, \"after\": {…}, \"counts\": {\"account-came\": …, …}, \
\"unevenDetails\": […], \"rolesWithUnknownMembers\": …}. Then comes one line for each of these roles: {\"type\": \"members-unknown\", \
\"role\": {\"id\", \"name\"}, \"unknownIn\": \"before\", \"after\" or \"both\", \"grantsNotCompared\": …}. Each further line is one difference: {\"type\": \"difference\", \"difference\": …, \
\"account\": {\"id\", \"kind\", \"givenName\", \"familyName\", \"email\"}, \"role\": {\"id\", \"name\"}, \
\"organization\": {\"id\", \"name\"}, \"changes\": [{\"field\", \"before\", \"after\"}]}. Every key is always there, and null where \
it does not apply: before in all changes of what came, after in all of what went. \"difference\" is account-, role- or organization-came, -went or -changed, or grant-gained, -lost or -changed.";

#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The earlier snapshot
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The later one
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// End with 1 where the snapshots differ, and with 2 where they cannot be compared
    #[arg(long)]
    pub exit_code: bool,
}
