//! The arguments of `list`.

use clap::{Args, ValueEnum};
use connector_host::contract::{AccountDetails, Filter, ListRequest, ResourceKinds};
use jiff::Timestamp;

#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list; several at once where the connector can
    #[arg(required = true, value_enum)]
    kinds: Vec<Kind>,
    /// Only the one with this identifier: an account, a role or an organization
    #[arg(long)]
    id: Option<String>,
    /// Only accounts with this address
    #[arg(long)]
    email: Option<String>,
    /// Only accounts of this kind, roles for it, and grants of such roles
    #[arg(long)]
    kind: Option<String>,
    /// Only grants and events of this account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Only grants of this role
    #[arg(long, value_name = "ID")]
    role: Option<String>,
    /// Only events at or after this time, such as 2026-11-24T00:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Ask for details of accounts that cost further requests
    #[arg(long, value_enum, value_delimiter = ',')]
    details: Vec<Detail>,
    /// The most items on a page; the connector knows a good number
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    /// Go on after an earlier listing with the same filters: at the `resume` cursor of events, say
    #[arg(long)]
    cursor: Option<String>,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Accounts,
    Roles,
    Grants,
    Organizations,
    Events,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Detail {
    /// When accounts signed in last
    LastSignIn,
    /// Who manages accounts, how they sign in, and further attributes
    Management,
}

impl ListArgs {
    /// The kinds by name, for messages.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        names.join(", ")
    }

    pub fn request(self) -> ListRequest {
        let kinds = self.kinds.iter().map(|kind| kind.flag());
        ListRequest {
            kinds: kinds.fold(ResourceKinds::empty(), |all, kind| all | kind),
            filter: Filter {
                id: self.id,
                email: self.email,
                account_kind: self.kind,
                account: self.account,
                role: self.role,
                since: self.since.map(Timestamp::as_millisecond),
            },
            details: Detail::flags(&self.details),
            cursor: self.cursor,
            limit: self.limit,
        }
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| "not a point in time with its zone, such as 2026-11-24T00:00:00Z".to_string())
}

impl Detail {
    pub fn flags(details: &[Self]) -> AccountDetails {
        let details = details.iter().map(|detail| match detail {
            Self::LastSignIn => AccountDetails::LAST_SIGN_IN,
            Self::Management => AccountDetails::MANAGEMENT,
        });
        details.fold(AccountDetails::empty(), |all, detail| all | detail)
    }
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Accounts => "accounts",
            Kind::Roles => "roles",
            Kind::Grants => "grants",
            Kind::Organizations => "organizations",
            Kind::Events => "events",
        }
    }

    fn flag(self) -> ResourceKinds {
        match self {
            Kind::Accounts => ResourceKinds::ACCOUNTS,
            Kind::Roles => ResourceKinds::ROLES,
            Kind::Grants => ResourceKinds::GRANTS,
            Kind::Organizations => ResourceKinds::ORGANIZATIONS,
            Kind::Events => ResourceKinds::EVENTS,
        }
    }
}
