//! The words of the contract, as `wit/types.wit` has them, with what a host needs to act on them.
//!
//! The types are generated from WIT, documentation included. Added here: names as WIT spells them, what a
//! [`Failure`] means for a caller, and the JSON form of everything.

use std::fmt;

mod exact;
mod failure;
mod json;
mod names;

pub use self::failure::{Help, Retry};
pub use crate::bindings::exports::identity::connector::types::{
    Account, AccountDeletion, AccountDetails, AccountKindDescription, AccountUpdate, Action,
    Assignment, Attribute, Change, CheckReport, Continuation, Counts, Description, Error,
    ErrorKind, Event, EventKind, Exchange, Failure, FieldChange, FieldDescription, FieldProblem,
    FieldType, FieldUpdate, Filter, FilterFields, Grant, Invitation, Item, ListRequest, Mode,
    NewAccount, Notice, Operation, OperationCheck, OperationDescription, Organization, Outcome,
    Page, Permission, Probe, ProvisionRequest, Reason, RefusalReason, ResourceKind, ResourceKinds,
    ResourceReference, Role, SettingDescription, Step, StepStatus, Summary, TimeoutPhase,
    UnchangedReason, Value,
};

impl ListRequest {
    /// Asks for everything of these kinds, from the start, with the connector's own page size and no costly detail.
    pub fn everything(kinds: ResourceKinds) -> Self {
        let filter = Filter {
            id: None,
            email: None,
            account_kind: None,
            account: None,
            role: None,
            since: None,
        };
        ListRequest {
            kinds,
            filter,
            details: AccountDetails::empty(),
            cursor: None,
            limit: None,
        }
    }
}

/// The attribute by which a connector says that it does not know who holds a role: it is true then.
pub const MEMBERS_UNKNOWN: &str = "members-unknown";

impl Role {
    /// Whether it is not known who holds the role. Its grants are then missing in the listing, which says neither that nobody
    /// holds it nor that somebody lost it.
    ///
    /// That `member_count` is `None` does not say so: a connected system may not count.
    pub fn has_unknown_members(&self) -> bool {
        self.attributes.iter().any(|attribute| {
            attribute.name == MEMBERS_UNKNOWN && attribute.value == Value::Boolean(true)
        })
    }
}

impl Default for Counts {
    /// Nothing counted yet.
    fn default() -> Self {
        Counts {
            accounts: 0,
            roles: 0,
            grants: 0,
            organizations: 0,
            events: 0,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_attribute_says_that_members_are_unknown() {
        let role = |member_count, attributes: &[(&str, Value)]| Role {
            id: "1".to_string(),
            name: None,
            account_kind: None,
            description: None,
            member_count,
            attributes: attributes
                .iter()
                .map(|(name, value)| Attribute {
                    name: name.to_string(),
                    value: value.clone(),
                })
                .collect(),
        };
        let yes = (MEMBERS_UNKNOWN, Value::Boolean(true));
        assert!(role(None, &[yes]).has_unknown_members());
        for attributes in [
            &[][..],
            &[(MEMBERS_UNKNOWN, Value::Boolean(false))],
            &[("other", Value::Boolean(true))],
        ] {
            assert!(!role(None, attributes).has_unknown_members());
        }
    }

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
