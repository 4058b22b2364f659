//! Items as rows of tables, one table for each kind.

use std::io;

use connector_host::contract::{
    Account, Event, EventKind, Grant, Invitation, Item, Notice, Organization, Role, Value,
};

use crate::output::{ABSENT, Output, Rows, text_or_absent, yes_or_no};
use connector_escape as escape;

/// The tables of a listing.
pub struct Tables {
    accounts: Rows,
    roles: Rows,
    grants: Rows,
    organizations: Rows,
    events: Rows,
}

impl Tables {
    pub fn new() -> Self {
        Self {
            accounts: Rows::new(&[
                "ACCOUNT",
                "KIND",
                "NAME",
                "E-MAIL",
                "ENABLED",
                "ADMIN",
                "MFA",
                "INVITATION",
                "ORGANIZATION",
            ]),
            roles: Rows::new(&["ROLE", "NAME", "FOR", "MEMBERS", "DESCRIPTION"]),
            grants: Rows::new(&["ACCOUNT", "ROLE", "SOURCE", "MORE"]),
            organizations: Rows::new(&["ORGANIZATION", "NAME", "DESCRIPTION"]),
            events: Rows::new(&["EVENT", "TIME", "WHAT", "ACCOUNT", "MESSAGE"]),
        }
    }

    pub fn push(&mut self, item: &Item) {
        match item {
            Item::Account(account) => self.push_account(account),
            Item::Role(role) => self.push_role(role),
            Item::Grant(grant) => self.push_grant(grant),
            Item::Organization(organization) => self.push_organization(organization),
            Item::Event(event) => self.push_event(event),
        }
    }

    /// Writes the tables that have rows.
    pub fn show(&self, output: &Output) -> io::Result<()> {
        let tables = [
            &self.accounts,
            &self.roles,
            &self.grants,
            &self.organizations,
            &self.events,
        ];
        let tables = tables.into_iter().filter(|table| !table.is_empty());
        for (index, table) in tables.enumerate() {
            if index > 0 {
                output.text("")?;
            }
            output.table(table)?;
        }
        Ok(())
    }

    fn push_account(&mut self, account: &Account) {
        let invitation = match &account.invitation {
            None => ABSENT,
            Some(Invitation::Pending) => "pending",
            Some(Invitation::Accepted) => "accepted",
            Some(Invitation::Expired) => "expired",
            Some(Invitation::Other(name)) => name,
        };
        self.accounts.push([
            &account.id,
            text_or_absent(account.kind.as_deref()),
            &full_name(
                account.given_name.as_deref(),
                account.family_name.as_deref(),
            ),
            text_or_absent(account.email.as_deref()),
            yes_or_no(account.enabled),
            yes_or_no(account.administrator),
            yes_or_no(account.mfa_configured),
            invitation,
            text_or_absent(account.organization.as_deref()),
        ]);
    }

    fn push_role(&mut self, role: &Role) {
        let members = if role.has_unknown_members() {
            Some("unknown".to_string())
        } else {
            role.member_count.map(|count| count.to_string())
        };
        self.roles.push([
            &role.id,
            text_or_absent(role.name.as_deref()),
            text_or_absent(role.account_kind.as_deref()),
            text_or_absent(members.as_deref()),
            text_or_absent(role.description.as_deref()),
        ]);
    }

    fn push_grant(&mut self, grant: &Grant) {
        let more: Vec<_> = grant
            .attributes
            .iter()
            .map(|attribute| format!("{}={}", attribute.name, value(&attribute.value)))
            .collect();
        self.grants.push([
            &grant.account,
            &grant.role,
            text_or_absent(grant.source.as_deref()),
            &more.join(" "),
        ]);
    }

    fn push_organization(&mut self, organization: &Organization) {
        self.organizations.push([
            &organization.id,
            text_or_absent(organization.name.as_deref()),
            text_or_absent(organization.description.as_deref()),
        ]);
    }

    fn push_event(&mut self, event: &Event) {
        let kind = match &event.kind {
            EventKind::AccountCreated => "account created",
            EventKind::AccountUpdated => "account updated",
            EventKind::AccountDeleted => "account deleted",
            EventKind::SignedIn => "signed in",
            EventKind::RoleAssignmentChanged => "roles changed",
            EventKind::Other(name) => name,
        };
        self.events.push([
            &event.id,
            text_or_absent(event.time.map(time).as_deref()),
            kind,
            text_or_absent(event.account.as_deref()),
            text_or_absent(event.message.as_deref()),
        ]);
    }
}

/// A value as text for people.
pub fn value(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Integer(integer) => integer.to_string(),
    }
}

/// A notice as a sentence for people.
pub fn notice(notice: &Notice) -> String {
    let text = match notice {
        Notice::Duplicate(resource) => format!(
            "{} {} was sent more than once; it counts once",
            resource.kind.name(),
            resource.id
        ),
        Notice::UnknownMember(assignment) => {
            format!(
                "role {} has the member {}, who is not among the accounts",
                assignment.role, assignment.account
            )
        }
    };
    escape::one_line(&text).into_owned()
}

/// A name as people write it.
pub fn full_name(given: Option<&str>, family: Option<&str>) -> String {
    match (given, family) {
        (Some(given), Some(family)) => format!("{given} {family}"),
        (Some(name), None) | (None, Some(name)) => name.to_string(),
        (None, None) => ABSENT.to_string(),
    }
}

fn time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| time.to_string())
}
