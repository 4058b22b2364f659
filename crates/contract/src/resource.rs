//! What a connected system has: accounts, roles, who holds which, organizations, and what happened.

use serde::Serialize;
#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{AccountId, AccountKind, OrganizationId, RoleId, Timestamp, exact, json};

flags! {
    /// What a connector can list.
    resource_kinds: ResourceKinds {
        /// People and service identities who can sign in: `account`.
        ACCOUNTS = 1 => "accounts",
        /// What accounts can be given: `role`.
        ROLES = 2 => "roles",
        /// Who holds which role: `grant`.
        GRANTS = 4 => "grants",
        /// The tenants, customers or departments that accounts belong to: `organization`.
        ORGANIZATIONS = 8 => "organizations",
        /// What happened to accounts and grants: `event`.
        EVENTS = 16 => "events",
    }
}

enumeration! {
    /// One of the `resource-kinds`, where exactly one is meant.
    ResourceKind {
        /// An `account`.
        Account => "account",
        /// A `role`.
        Role => "role",
        /// A `grant`.
        Grant => "grant",
        /// An `organization`.
        Organization => "organization",
        /// An `event`.
        Event => "event",
    }
}

variant! {
    /// A value of an attribute, or of a field before and after a change.
    #[derive(Serialize)]
    #[serde(untagged)]
    Value {
        /// Text.
        Text(String) => "text",
        /// True or false.
        Boolean(bool) => "boolean",
        /// A whole number.
        Integer(i64) => "integer",
        /// A list, an object, or a number that is no 64-bit integer, as JSON text (RFC 8259).
        #[serde(serialize_with = "exact::serialize")]
        Json(String) => "json",
    }
}

/// A named value that the contract has no field for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct Attribute {
    /// The name that the connected system uses.
    pub name: String,
    /// The value. Never null: an attribute that is null is left out.
    pub value: Value,
}

variant! {
    /// Where the invitation of an account stands.
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    Invitation {
        /// Invited, and not yet answered.
        Pending => "pending",
        /// Answered: the account is registered.
        Accepted => "accepted",
        /// Not answered in time.
        Expired => "expired",
        /// A state that the connector does not know, as the connected system names it.
        #[serde(untagged)]
        Other(String) => "other",
    }
}

/// Somebody, or something, that can sign in to the connected system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "account", rename_all = "camelCase")]
pub struct Account {
    /// Identifies the account in every other call.
    pub id: AccountId,
    /// The kind of account, which decides which roles it can hold and what can be changed.
    pub kind: Option<AccountKind>,
    /// A second, globally unique identifier, where the connected system has one.
    #[cfg_attr(feature = "wasmtime", component(name = "external-id"))]
    pub external_id: Option<String>,
    /// The address the account is known and often signs in by.
    pub email: Option<String>,
    /// Given (first) name.
    #[cfg_attr(feature = "wasmtime", component(name = "given-name"))]
    pub given_name: Option<String>,
    /// Family (last) name.
    #[cfg_attr(feature = "wasmtime", component(name = "family-name"))]
    pub family_name: Option<String>,
    /// Telephone number, as the connected system keeps it.
    pub phone: Option<String>,
    /// Whether the account may sign in.
    pub enabled: Option<bool>,
    /// Whether the account administers the connected system itself, beyond any role.
    pub administrator: Option<bool>,
    /// Whether a second factor is set up.
    #[cfg_attr(feature = "wasmtime", component(name = "mfa-configured"))]
    pub mfa_configured: Option<bool>,
    /// Whether the password has to be changed at the next sign-in.
    #[cfg_attr(feature = "wasmtime", component(name = "must-change-password"))]
    pub must_change_password: Option<bool>,
    /// Where the invitation stands.
    pub invitation: Option<Invitation>,
    /// The organization the account belongs to.
    pub organization: Option<OrganizationId>,
    /// Whether an identity provider owns the account (for example by SCIM), so that changes belong there.
    #[cfg_attr(feature = "wasmtime", component(name = "externally-managed"))]
    pub externally_managed: Option<bool>,
    /// How the account signs in, as the connected system names it.
    pub authentication: Option<String>,
    /// The last sign-in that the connected system tells of. `None` also when it was not asked for: see `account-details`.
    #[cfg_attr(feature = "wasmtime", component(name = "last-sign-in"))]
    #[serde(serialize_with = "json::time")]
    pub last_sign_in: Option<Timestamp>,
    /// Everything else that was sent.
    #[serde(serialize_with = "json::attributes")]
    pub attributes: Vec<Attribute>,
}

/// Something an account can be given: an entitlement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "role", rename_all = "camelCase")]
pub struct Role {
    /// Identifies the role in every other call.
    pub id: RoleId,
    /// The name that people know the role by.
    pub name: Option<String>,
    /// The only kind of account that can hold the role, where there is such a limit.
    #[cfg_attr(feature = "wasmtime", component(name = "account-kind"))]
    pub account_kind: Option<AccountKind>,
    /// What the role is for.
    pub description: Option<String>,
    /// How many accounts hold the role, where the answer that named the role told.
    #[cfg_attr(feature = "wasmtime", component(name = "member-count"))]
    pub member_count: Option<u64>,
    /// Everything else that was sent.
    #[serde(serialize_with = "json::attributes")]
    pub attributes: Vec<Attribute>,
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

/// The fact that an account holds a role. The pair of `account` and `role` identifies it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "grant")]
pub struct Grant {
    /// Who holds the role.
    pub account: AccountId,
    /// The role.
    pub role: RoleId,
    /// How the grant came about, as the connected system names it.
    pub source: Option<String>,
    /// Everything else that was sent of the membership.
    #[serde(serialize_with = "json::attributes")]
    pub attributes: Vec<Attribute>,
}

/// A tenant, customer or department within the connected system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "organization")]
pub struct Organization {
    /// Identifies the organization in every other call.
    pub id: OrganizationId,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Everything else that was sent.
    #[serde(serialize_with = "json::attributes")]
    pub attributes: Vec<Attribute>,
}

variant! {
    /// What an event is about.
    #[derive(Serialize)]
    #[serde(rename_all = "kebab-case")]
    EventKind {
        /// An account came to be.
        AccountCreated => "account-created",
        /// An account was changed.
        AccountUpdated => "account-updated",
        /// An account was removed.
        AccountDeleted => "account-deleted",
        /// An account signed in.
        SignedIn => "signed-in",
        /// The roles of an account, or the members of a role, were changed.
        RoleAssignmentChanged => "role-assignment-changed",
        /// Anything else, as the connected system names it.
        #[serde(untagged)]
        Other(String) => "other",
    }
}

/// Something that happened in the connected system. Events are listed newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "event")]
pub struct Event {
    /// Identifies the event.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// When it happened.
    #[serde(serialize_with = "json::time")]
    pub time: Option<Timestamp>,
    /// The account it happened to, or that did it, where the connected system tells.
    pub account: Option<AccountId>,
    /// The connected system's sentence about it.
    pub message: Option<String>,
    /// Everything else that was sent.
    #[serde(serialize_with = "json::attributes")]
    pub attributes: Vec<Attribute>,
}

variant! {
    /// One thing listed.
    #[derive(Serialize)]
    #[serde(untagged)]
    Item {
        /// An account.
        Account(Account) => "account",
        /// A role.
        Role(Role) => "role",
        /// A grant.
        Grant(Grant) => "grant",
        /// An organization.
        Organization(Organization) => "organization",
        /// An event.
        Event(Event) => "event",
    }
}

/// Names one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct ResourceReference {
    /// What it is.
    pub kind: ResourceKind,
    /// Its identifier. For a grant: the account's and the role's, with a space between.
    pub id: String,
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
    fn kinds_are_a_set() {
        let both = ResourceKinds::ROLES | ResourceKinds::ACCOUNTS;
        assert_eq!(both.names(), ["accounts", "roles"]);
        assert!(both.contains(ResourceKinds::ROLES) && !both.contains(ResourceKinds::GRANTS));
        assert!(ResourceKinds::all().contains(both) && !both.contains(ResourceKinds::all()));
        assert!(ResourceKinds::empty().names().is_empty());
        assert_eq!(ResourceKinds::all().names().len(), 5);
    }
}
