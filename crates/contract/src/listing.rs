//! What to list, and what comes of it.

use std::fmt;

use serde::Serialize;
#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{
    AccountId, AccountKind, Assignment, Cursor, Item, ResourceKinds, ResourceReference, RoleId,
    Timestamp,
};

/// Which resources to list. Every field that is given narrows; `None` does not.
///
/// A field that does not apply to a kind asked for (`describe` tells which do) is refused as `invalid-argument`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Filter {
    /// The one resource with this identifier. For accounts, roles, organizations.
    pub id: Option<String>,
    /// Accounts with this address, compared without regard to case.
    pub email: Option<String>,
    /// Accounts of this kind, roles for it, and grants of such roles.
    #[cfg_attr(feature = "wasmtime", component(name = "account-kind"))]
    pub account_kind: Option<AccountKind>,
    /// Grants and events of this account.
    pub account: Option<AccountId>,
    /// This role, and its grants.
    pub role: Option<RoleId>,
    /// Events at or after this time.
    pub since: Option<Timestamp>,
}

flags! {
    /// Which details of accounts to ask for that cost further requests.
    account_details: AccountDetails {
        /// `account.last-sign-in`.
        LAST_SIGN_IN = 1 => "last-sign-in",
        /// `account.externally-managed`, `account.authentication`, and attributes that only a fuller listing tells.
        MANAGEMENT = 2 => "management",
    }
}

/// What to list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct ListRequest {
    /// The kinds of resource. Several may be asked for at once, which is cheaper where the connected system sends them together.
    /// They are listed in the order of `resource-kinds`, except that roles and grants come together where both are asked for:
    /// the grants of a role, then the role.
    pub kinds: ResourceKinds,
    /// Which of them.
    pub filter: Filter,
    /// Which details of accounts.
    pub details: AccountDetails,
    /// Where to continue: a `cursor` of an earlier page of the same request, or `None` to start. Only `limit` may differ.
    pub cursor: Option<Cursor>,
    /// The most items to give on the page. `None` or `0`: the connector's choice. More than the connector's most: its most.
    pub limit: Option<u32>,
}

impl ListRequest {
    /// Asks for everything of these kinds, from the start, with the connector's own page size and no costly detail.
    pub fn everything(kinds: ResourceKinds) -> Self {
        Self {
            kinds,
            filter: Filter::default(),
            details: AccountDetails::empty(),
            cursor: None,
            limit: None,
        }
    }
}

/// How many of each kind a listing has given, from its very start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Counts {
    /// Accounts.
    pub accounts: u64,
    /// Roles.
    pub roles: u64,
    /// Grants.
    pub grants: u64,
    /// Organizations.
    pub organizations: u64,
    /// Events.
    pub events: u64,
}

impl Counts {
    /// Counts one more item.
    pub fn count(&mut self, item: &Item) {
        *match item {
            Item::Account(_) => &mut self.accounts,
            Item::Role(_) => &mut self.roles,
            Item::Grant(_) => &mut self.grants,
            Item::Organization(_) => &mut self.organizations,
            Item::Event(_) => &mut self.events,
        } += 1;
    }
}

/// As words, such as `3 accounts, 1 role`; kinds of which there are none are left out.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.accounts, "account"),
            (self.roles, "role"),
            (self.grants, "grant"),
            (self.organizations, "organization"),
            (self.events, "event"),
        ];
        let words: Vec<_> = kinds
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| format!("{count} {kind}{}", if count == 1 { "" } else { "s" }))
            .collect();
        match words.as_slice() {
            [] => f.write_str("nothing"),
            words => f.write_str(&words.join(", ")),
        }
    }
}

variant! {
    /// Something odd in what the connected system sent, which a host may want to report. The items are not changed by it.
    Notice {
        /// The same resource was sent more than once within the listing. It is given once, as it was first sent.
        Duplicate(ResourceReference) => "duplicate",
        /// A role names a member that is not among the accounts. The grant is given all the same.
        UnknownMember(Assignment) => "unknown-member",
    }
}

/// What a listing that ran to its end says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "summary")]
pub struct Summary {
    /// What all its pages together gave. A host that counted something else has lost a page.
    pub counts: Counts,
    /// For events: give this as `cursor` of the same request later, to get what has happened since.
    pub resume: Option<Cursor>,
}

variant! {
    /// Whether there is more.
    Continuation {
        /// There is: ask again with this cursor. The page may be empty all the same.
        More(Cursor) => "more",
        /// There is not: this was the last page, and the listing is whole.
        Complete(Summary) => "complete",
    }
}

/// Some of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// What was odd about them.
    pub notices: Vec<Notice>,
    /// Whether there is more. A listing that is cut short is an error, never a short list.
    pub next: Continuation,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_words() {
        let counts = Counts {
            accounts: 3,
            grants: 1,
            ..Counts::default()
        };
        assert_eq!(counts.to_string(), "3 accounts, 1 grant");
        assert_eq!(Counts::default().to_string(), "nothing");
    }
}
