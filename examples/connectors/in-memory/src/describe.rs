//! What the connector is and can do: the one place that says it, for hosts and for the code.

use crate::contract::{
    AccountDetails, AccountKindDescription, Description, ErrorKind, FieldDescription, FieldType,
    FilterFields, Operation, OperationDescription, Outcome, ResourceKind, SettingDescription,
    UnchangedReason,
};
use crate::settings::{CLIENT_SECRET, DEFAULT_SIZE, DIRECTORY_SIZE};

/// The kind of account that people have.
pub const PERSON: &str = "person";
/// The kind of account that programs have.
pub const SERVICE_ACCOUNT: &str = "service-account";
/// The most items on a page.
pub const LARGEST_PAGE: u32 = 100;

/// An operation that the connector supports.
pub struct Supported {
    /// The operation.
    pub name: Operation,
    /// What it does.
    summary: &'static str,
    /// The filter fields that apply to it.
    pub filters: FilterFields,
    /// How it can end well.
    outcomes: &'static [Outcome],
    /// How it can fail, beyond wrong settings.
    errors: &'static [ErrorKind],
}

const fn listing(name: Operation, summary: &'static str, filters: FilterFields) -> Supported {
    Supported {
        name,
        summary,
        filters,
        outcomes: &[],
        errors: &[ErrorKind::InvalidArgument, ErrorKind::InvalidCursor],
    }
}

const fn write(
    name: Operation,
    summary: &'static str,
    outcomes: &'static [Outcome],
    errors: &'static [ErrorKind],
) -> Supported {
    Supported {
        name,
        summary,
        filters: FilterFields::empty(),
        outcomes,
        errors,
    }
}

const NO_DIFFERENCE: &[Outcome] = &[
    Outcome::Changed,
    Outcome::Unchanged(UnchangedReason::NoDifference),
];

/// Every operation that the connector supports. The directory keeps no record of events.
pub const OPERATIONS: &[Supported] = &[
    listing(
        Operation::ListAccounts,
        "Lists people and service accounts.",
        FilterFields::ID
            .union(FilterFields::EMAIL)
            .union(FilterFields::ACCOUNT_KIND),
    ),
    listing(
        Operation::ListRoles,
        "Lists the roles.",
        FilterFields::ID
            .union(FilterFields::ROLE)
            .union(FilterFields::ACCOUNT_KIND),
    ),
    listing(
        Operation::ListGrants,
        "Lists who holds which role.",
        FilterFields::ACCOUNT
            .union(FilterFields::ROLE)
            .union(FilterFields::ACCOUNT_KIND),
    ),
    listing(
        Operation::ListOrganizations,
        "Lists the organizations that people belong to.",
        FilterFields::ID,
    ),
    write(
        Operation::Grant,
        "Gives an account a role.",
        &[
            Outcome::Changed,
            Outcome::Unchanged(UnchangedReason::AlreadyGranted),
        ],
        &[ErrorKind::NotFound, ErrorKind::Refused],
    ),
    write(
        Operation::Revoke,
        "Takes a role from an account.",
        &[
            Outcome::Changed,
            Outcome::Unchanged(UnchangedReason::NotGranted),
        ],
        &[ErrorKind::NotFound],
    ),
    write(
        Operation::CreateAccount,
        "Creates a person or a service account, and grants first roles.",
        &[Outcome::Changed],
        &[ErrorKind::InvalidArgument, ErrorKind::AlreadyExists],
    ),
    write(
        Operation::UpdateAccount,
        "Changes fields of an account.",
        NO_DIFFERENCE,
        &[ErrorKind::InvalidArgument, ErrorKind::NotFound],
    ),
    write(
        Operation::EnableAccount,
        "Lets an account sign in.",
        NO_DIFFERENCE,
        &[ErrorKind::NotFound],
    ),
    write(
        Operation::DisableAccount,
        "Stops an account from signing in.",
        NO_DIFFERENCE,
        &[ErrorKind::NotFound, ErrorKind::Refused],
    ),
    write(
        Operation::DeleteAccount,
        "Removes an account and all that it holds.",
        &[
            Outcome::Changed,
            Outcome::Unchanged(UnchangedReason::AlreadyGone),
        ],
        &[ErrorKind::Refused],
    ),
];

/// The fields of a kind of account; `None` where there is no such kind.
pub fn fields(kind: &str) -> Option<Vec<FieldDescription>> {
    let email = field(
        "email",
        "The address, which no other account has.",
        FieldType::Email,
        true,
    );
    match kind {
        PERSON => Some(vec![
            email,
            field("given-name", "The given name.", FieldType::Text, true),
            field("family-name", "The family name.", FieldType::Text, true),
            field("phone", "The telephone number.", FieldType::Text, false),
            field(
                "organization",
                "The organization to belong to.",
                FieldType::Reference(ResourceKind::Organization),
                false,
            ),
        ]),
        SERVICE_ACCOUNT => Some(vec![
            email,
            field("purpose", "What the account is for.", FieldType::Text, true),
        ]),
        _ => None,
    }
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

/// All of it, for a host.
pub fn description() -> Description {
    Description {
        name: "in-memory".to_string(),
        title: "Example directory".to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        summary:
            "An invented directory that lives in the memory of the connector and ends with it."
                .to_string(),
        settings: vec![
            setting(
                CLIENT_SECRET,
                "Client secret",
                "Any text. It has to be there, as a real one would.",
                FieldType::Text,
            ),
            setting(
                DIRECTORY_SIZE,
                "Size",
                "How many accounts the directory has at first.",
                FieldType::Integer,
            ),
        ],
        account_kinds: vec![
            kind(PERSON, "Person", "Somebody who works somewhere."),
            kind(
                SERVICE_ACCOUNT,
                "Service account",
                "A program that signs in by itself.",
            ),
        ],
        operations: OPERATIONS.iter().map(operation).collect(),
        common_errors: vec![ErrorKind::InvalidSettings],
        largest_page: LARGEST_PAGE,
    }
}

fn setting(key: &str, title: &str, description: &str, type_: FieldType) -> SettingDescription {
    let secret = key == CLIENT_SECRET;
    SettingDescription {
        key: key.to_string(),
        title: title.to_string(),
        description: description.to_string(),
        type_,
        required: secret,
        secret,
        default: (!secret).then(|| DEFAULT_SIZE.to_string()),
        example: None,
    }
}

fn kind(kind: &str, title: &str, description: &str) -> AccountKindDescription {
    let create_fields = fields(kind).unwrap_or_default();
    // The address is what an account is known by.
    let update_fields = create_fields.iter().filter(|field| field.name != "email");
    AccountKindDescription {
        kind: kind.to_string(),
        title: title.to_string(),
        description: description.to_string(),
        update_fields: update_fields.cloned().collect(),
        create_fields,
    }
}

fn operation(operation: &Supported) -> OperationDescription {
    OperationDescription {
        operation: operation.name,
        summary: operation.summary.to_string(),
        requests: Vec::new(),
        scopes: Vec::new(),
        filters: operation.filters,
        details: AccountDetails::empty(),
        outcomes: operation.outcomes.to_vec(),
        errors: operation.errors.to_vec(),
    }
}
