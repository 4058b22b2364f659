//! NinjaOne's types to the contract's, and the words of the contract that are NinjaOne's own.
//!
//! Nothing is made up and nothing is dropped: what was not sent is `none`, and what the contract has no field for becomes an
//! attribute under NinjaOne's own name.

use crate::contract::{
    Account, Attribute, Event, EventKind, Grant, Invitation, Organization, Role, Value,
};
use crate::ninjaone::object::{Rest, Sent};
use crate::ninjaone::wire::{self, Id, UserType};

/// The contract's name of a type of user.
pub fn account_kind(user_type: UserType) -> &'static str {
    match user_type {
        UserType::Technician => "technician",
        UserType::EndUser => "end-user",
    }
}

/// The type of user that the contract's name stands for.
pub fn user_type(account_kind: &str) -> Option<UserType> {
    UserType::ALL
        .into_iter()
        .find(|user_type| self::account_kind(*user_type) == account_kind)
}

/// The contract's name of a type as the API writes it; one that is not known here is passed on as it came.
pub fn account_kind_of_api(api: &str) -> String {
    UserType::from_api(api).map_or_else(
        || api.to_string(),
        |user_type| account_kind(user_type).to_string(),
    )
}

/// The kind of a user as an account; `asked` as for [`account`].
pub fn kind_of(user: &wire::User, asked: Option<UserType>) -> Option<String> {
    let kind = user.user_type.as_deref().map(account_kind_of_api);
    kind.or_else(|| asked.map(|user_type| account_kind(user_type).to_string()))
}

/// A user as an account; `asked` is the type of user that the endpoint is for, where it is for one.
pub fn account(id: Id, user: wire::User, asked: Option<UserType>) -> Account {
    Account {
        id: id.to_string(),
        kind: kind_of(&user, asked),
        external_id: user.uid,
        email: user.email,
        given_name: user.first_name,
        family_name: user.last_name,
        phone: user.phone,
        enabled: user.enabled,
        administrator: user.administrator,
        mfa_configured: user.mfa_configured,
        must_change_password: user.must_change_password,
        invitation: user.invitation_status.map(invitation),
        organization: user.organization_id.map(|id| id.to_string()),
        externally_managed: user.scim_user,
        authentication: user.auth_type,
        last_sign_in: None,
        attributes: attributes(user.rest),
    }
}

/// The attribute of a role that came without its members: who holds it is not known, which is not "nobody".
pub const MEMBERS_UNKNOWN: &str = "members-unknown";

/// A role; `members` is how many members it named, where it named any or none.
pub fn role(id: Id, role: wire::UserRole, members: Option<u64>) -> Role {
    let mut attributes = attributes(role.rest);
    if members.is_none() {
        attributes.push(Attribute {
            name: MEMBERS_UNKNOWN.to_string(),
            value: Value::Boolean(true),
        });
    }
    Role {
        id: id.to_string(),
        name: role.name,
        account_kind: role.role_type.as_deref().map(account_kind_of_api),
        description: role.description,
        member_count: members,
        attributes,
    }
}

/// A membership.
pub fn grant(role: Id, account: Id, member: wire::RoleMember) -> Grant {
    Grant {
        account: account.to_string(),
        role: role.to_string(),
        source: member.source,
        attributes: attributes(member.rest),
    }
}

/// An organization.
pub fn organization(id: Id, organization: wire::Organization) -> Organization {
    Organization {
        id: id.to_string(),
        name: organization.name,
        description: organization.description,
        attributes: attributes(organization.rest),
    }
}

/// An activity as an event.
pub fn event(id: i64, activity: wire::Activity) -> Event {
    Event {
        id: id.to_string(),
        kind: event_kind(activity.status_code.unwrap_or_default()),
        time: activity.time.map(|time| time.milliseconds),
        account: activity.user_id.map(|id| id.to_string()),
        message: activity.message,
        attributes: attributes(activity.rest),
    }
}

/// The codes are those that the API documents. Those for role assignments are of technicians and end users alike.
fn event_kind(code: String) -> EventKind {
    let of_user = code
        .strip_prefix("APP_USER_")
        .or_else(|| code.strip_prefix("END_USER_"));
    match of_user.map(|rest| rest.strip_suffix("_API").unwrap_or(rest)) {
        Some("CREATED") => EventKind::AccountCreated,
        Some("UPDATED") => EventKind::AccountUpdated,
        Some("DELETED") => EventKind::AccountDeleted,
        Some("LOGGED_IN") => EventKind::SignedIn,
        _ if code.ends_with("_ROLE_ASSIGNMENT_CHANGED") => EventKind::RoleAssignmentChanged,
        _ => EventKind::Other(code),
    }
}

fn invitation(status: String) -> Invitation {
    match status.as_str() {
        "PENDING" => Invitation::Pending,
        "REGISTERED" => Invitation::Accepted,
        "EXPIRED" => Invitation::Expired,
        _ => Invitation::Other(status),
    }
}

fn attributes(rest: Rest) -> Vec<Attribute> {
    rest.fields
        .into_iter()
        .map(|(name, sent)| Attribute {
            name,
            value: value(sent),
        })
        .collect()
}

/// A value as the contract has it.
pub fn value(sent: Sent) -> Value {
    match sent {
        Sent::Text(text) => Value::Text(text),
        Sent::Boolean(boolean) => Value::Boolean(boolean),
        Sent::Integer(integer) => Value::Integer(integer),
        Sent::Json(json) => Value::Json(json),
    }
}
