//! What the connector is and can do: the one place that says it, for hosts and for the code.

use crate::contract::{
    AccountDetails, AccountKindDescription, CheckReport, Description, ErrorKind, FieldDescription,
    FieldType, FilterFields, Operation, OperationCheck, OperationDescription, Outcome, Permission,
    ResourceKind, SettingDescription, UnchangedReason,
};
use crate::settings::{CLIENT_SECRET, DEFAULT_SIZE, DIRECTORY_SIZE};

/// The kind of account that people have.
pub const PERSON: &str = "person";
/// The kind of account that programs have.
pub const SERVICE_ACCOUNT: &str = "service-account";
/// The most items on a page.
pub const LARGEST_PAGE: u32 = 100;

/// All of it, for a host.
pub fn description() -> Description {
    Description {
        name: "in-memory".to_string(),
        title: "Example directory".to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        summary: "An invented directory that lives in the memory of the connector.".to_string(),
        settings: vec![
            setting(CLIENT_SECRET, "Any text, as a real one.", FieldType::Text),
            setting(DIRECTORY_SIZE, "Accounts at first.", FieldType::Integer),
        ],
        account_kinds: vec![
            kind(PERSON, "Somebody who works somewhere."),
            kind(SERVICE_ACCOUNT, "A program that signs in by itself."),
        ],
        operations: operations(),
        common_errors: vec![ErrorKind::InvalidSettings],
        largest_page: LARGEST_PAGE,
    }
}

/// What `check` finds: with the settings in order, nothing can be wrong with a directory in memory.
pub fn report() -> CheckReport {
    let allowed = |operation: OperationDescription| OperationCheck {
        operation: operation.operation,
        permission: Permission::Allowed,
    };
    CheckReport {
        healthy: true,
        endpoint: "the memory of this instance".to_string(),
        granted_scopes: None,
        probes: Vec::new(),
        operations: operations().into_iter().map(allowed).collect(),
        advice: Vec::new(),
    }
}

/// Every operation that the connector supports. The directory keeps no record of events.
pub fn operations() -> Vec<OperationDescription> {
    use ErrorKind::{AlreadyExists, InvalidArgument as Invalid, NotFound, Refused};
    use FilterFields as By;
    use Operation::*;
    use UnchangedReason::{AlreadyGone, AlreadyGranted, NoDifference, NotGranted};

    let kind = By::ACCOUNT_KIND;
    vec![
        listing(ListAccounts, By::ID | By::EMAIL | kind),
        listing(ListRoles, By::ID | By::ROLE | kind),
        listing(ListGrants, By::ACCOUNT | By::ROLE | kind),
        listing(ListOrganizations, By::ID),
        write(Grant, Some(AlreadyGranted), &[NotFound, Refused]),
        write(Revoke, Some(NotGranted), &[NotFound]),
        write(CreateAccount, None, &[Invalid, AlreadyExists]),
        write(UpdateAccount, Some(NoDifference), &[Invalid, NotFound]),
        write(EnableAccount, Some(NoDifference), &[NotFound]),
        write(DisableAccount, Some(NoDifference), &[NotFound]),
        write(DeleteAccount, Some(AlreadyGone), &[]),
    ]
}

fn listing(operation: Operation, filters: FilterFields) -> OperationDescription {
    OperationDescription {
        operation,
        summary: summary(operation).to_string(),
        requests: Vec::new(),
        scopes: Vec::new(),
        filters,
        details: AccountDetails::empty(),
        outcomes: Vec::new(),
        errors: vec![ErrorKind::InvalidArgument, ErrorKind::InvalidCursor],
    }
}

fn write(
    operation: Operation,
    unchanged: Option<UnchangedReason>,
    errors: &[ErrorKind],
) -> OperationDescription {
    let unchanged = unchanged.map(Outcome::Unchanged);
    OperationDescription {
        outcomes: [Outcome::Changed].into_iter().chain(unchanged).collect(),
        errors: errors.to_vec(),
        ..listing(operation, FilterFields::empty())
    }
}

fn summary(operation: Operation) -> &'static str {
    match operation {
        Operation::ListAccounts => "Lists people and service accounts.",
        Operation::ListRoles => "Lists the roles.",
        Operation::ListGrants => "Lists who holds which role.",
        Operation::ListOrganizations => "Lists the organizations that people belong to.",
        Operation::ListEvents => "Lists what happened.",
        Operation::Grant => "Gives an account a role.",
        Operation::Revoke => "Takes a role from an account.",
        Operation::CreateAccount => "Creates an account, and grants first roles.",
        Operation::UpdateAccount => "Changes fields of an account.",
        Operation::EnableAccount => "Lets an account sign in.",
        Operation::DisableAccount => "Stops an account from signing in.",
        Operation::DeleteAccount => "Removes an account and all that it holds.",
    }
}

/// The fields of a kind of account; none where there is no such kind.
pub fn fields(kind: &str) -> Vec<FieldDescription> {
    use FieldType::{Email, Reference, Text};

    let organization = Reference(ResourceKind::Organization);
    let email = field("email", "Its address, which no other has.", Email, true);
    match kind {
        PERSON => vec![
            email,
            field("given-name", "The given name.", Text, true),
            field("family-name", "The family name.", Text, true),
            field("phone", "The telephone number.", Text, false),
            field("organization", "Where it belongs.", organization, false),
        ],
        SERVICE_ACCOUNT => vec![email, field("purpose", "What it is for.", Text, true)],
        _ => Vec::new(),
    }
}

/// The fields that can be changed later: all but the address, which an account is known by.
pub fn update_fields(kind: &str) -> Vec<FieldDescription> {
    let mut fields = fields(kind);
    fields.retain(|field| field.name != "email");
    fields
}

fn field(name: &str, description: &str, type_: FieldType, required: bool) -> FieldDescription {
    FieldDescription {
        name: name.to_string(),
        description: description.to_string(),
        type_,
        required,
        length: None,
    }
}

fn kind(kind: &str, description: &str) -> AccountKindDescription {
    AccountKindDescription {
        kind: kind.to_string(),
        title: kind.replace('-', " "),
        description: description.to_string(),
        create_fields: fields(kind),
        update_fields: update_fields(kind),
    }
}

fn setting(key: &str, description: &str, type_: FieldType) -> SettingDescription {
    let secret = key == CLIENT_SECRET;
    SettingDescription {
        key: key.to_string(),
        title: key.replace('-', " "),
        description: description.to_string(),
        type_,
        required: secret,
        secret,
        default: (!secret).then(|| DEFAULT_SIZE.to_string()),
        example: None,
    }
}
