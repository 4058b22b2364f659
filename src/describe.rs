//! What the connector is and what it can do: the one place that says it, for hosts and for the code.

use crate::contract::{
    AccountDetails, AccountKindDescription, Description, ErrorKind, FieldDescription, FieldType,
    FilterFields, Operation as Name, OperationDescription, Outcome, ResourceKind,
    SettingDescription, UnchangedReason,
};
use crate::convert;
use crate::list::LARGEST_PAGE;
use crate::ninjaone::endpoint::{self, Endpoint};
use crate::ninjaone::settings;
use crate::ninjaone::wire::UserType;
use crate::provision::{CREATE_FIELDS, Field, UPDATE_FIELDS};

/// An operation that the connector supports.
pub struct Operation {
    /// The operation.
    pub operation: Name,
    /// What it does.
    pub summary: &'static str,
    /// The requests it sends, in the order in which they are first sent.
    pub requests: &'static [Request],
    /// The filter fields that apply to it.
    pub filters: FilterFields,
    /// The details of accounts that it can give.
    pub details: AccountDetails,
    /// How it can end well.
    pub outcomes: &'static [Outcome],
    /// How it can fail, beyond [`COMMON_ERRORS`].
    pub errors: &'static [ErrorKind],
}

/// A request of an operation.
pub struct Request {
    /// Where it is sent.
    pub endpoint: &'static Endpoint,
    /// Whether the operation cannot do without it.
    pub is_indispensable: bool,
}

/// A request that the operation cannot do without; of those for technicians and for end users, one.
const fn sends(endpoint: &'static Endpoint) -> Request {
    Request {
        endpoint,
        is_indispensable: true,
    }
}

/// A request that is sent only for what not every call asks for, or where something is not as it should be.
const fn may_send(endpoint: &'static Endpoint) -> Request {
    Request {
        endpoint,
        is_indispensable: false,
    }
}

impl Operation {
    /// Whether it cannot do without this endpoint.
    pub fn needs(&self, endpoint: &Endpoint) -> bool {
        let mut requests = self.requests.iter();
        requests.any(|request| request.is_indispensable && request.endpoint == endpoint)
    }

    /// The scopes that it needs, as far as NinjaOne tells: those of the requests that it cannot do without.
    pub fn scopes(&self) -> Vec<&'static str> {
        let is_needed = |scope: &&str| {
            let mut requests = self.requests.iter();
            requests.any(|request| request.is_indispensable && request.endpoint.scope == *scope)
        };
        endpoint::SCOPES.into_iter().filter(is_needed).collect()
    }
}

/// How every operation that sends a request can fail.
pub const COMMON_ERRORS: [ErrorKind; 10] = [
    ErrorKind::InvalidSettings,
    ErrorKind::Unauthorized,
    ErrorKind::MissingPermission,
    ErrorKind::RateLimited,
    ErrorKind::Timeout,
    ErrorKind::Network,
    ErrorKind::Upstream,
    ErrorKind::MalformedResponse,
    ErrorKind::LimitExceeded,
    ErrorKind::Other,
];

const LIST_ERRORS: &[ErrorKind] = &[ErrorKind::InvalidArgument, ErrorKind::InvalidCursor];

const fn listing(
    operation: Name,
    summary: &'static str,
    requests: &'static [Request],
    filters: FilterFields,
    details: AccountDetails,
) -> Operation {
    Operation {
        operation,
        summary,
        requests,
        filters,
        details,
        outcomes: &[],
        errors: LIST_ERRORS,
    }
}

const fn write(
    operation: Name,
    summary: &'static str,
    requests: &'static [Request],
    outcomes: &'static [Outcome],
    errors: &'static [ErrorKind],
) -> Operation {
    let (filters, details) = (FilterFields::empty(), AccountDetails::empty());
    Operation {
        operation,
        summary,
        requests,
        filters,
        details,
        outcomes,
        errors,
    }
}

/// Every operation that the connector supports. What is not in here, NinjaOne's API does not have.
pub const OPERATIONS: &[Operation] = &[
    listing(
        Name::ListAccounts,
        "Lists technicians and end users.",
        &[
            may_send(&endpoint::ACTIVITIES),
            sends(&endpoint::USERS),
            may_send(&endpoint::TECHNICIANS),
            may_send(&endpoint::END_USERS),
            may_send(&endpoint::TECHNICIAN),
            may_send(&endpoint::END_USER),
        ],
        FilterFields::ID
            .union(FilterFields::EMAIL)
            .union(FilterFields::ACCOUNT_KIND),
        AccountDetails::MANAGEMENT.union(AccountDetails::LAST_SIGN_IN),
    ),
    listing(
        Name::ListRoles,
        "Lists the roles of users.",
        &[sends(&endpoint::ROLES)],
        FilterFields::ID
            .union(FilterFields::ACCOUNT_KIND)
            .union(FilterFields::ROLE),
        AccountDetails::empty(),
    ),
    listing(
        Name::ListGrants,
        "Lists the members of roles.",
        &[sends(&endpoint::ROLES)],
        FilterFields::ACCOUNT
            .union(FilterFields::ROLE)
            .union(FilterFields::ACCOUNT_KIND),
        AccountDetails::empty(),
    ),
    listing(
        Name::ListOrganizations,
        "Lists the organizations that end users belong to.",
        &[
            sends(&endpoint::ORGANIZATIONS),
            may_send(&endpoint::ORGANIZATION),
        ],
        FilterFields::ID,
        AccountDetails::empty(),
    ),
    listing(
        Name::ListEvents,
        "Lists what happened to users, newest first.",
        &[sends(&endpoint::ACTIVITIES)],
        FilterFields::ACCOUNT.union(FilterFields::SINCE),
        AccountDetails::empty(),
    ),
    write(
        Name::Grant,
        "Adds an account to the members of a role.",
        &[
            sends(&endpoint::ROLES),
            sends(&endpoint::TECHNICIAN),
            sends(&endpoint::END_USER),
            may_send(&endpoint::USERS),
            sends(&endpoint::ADD_MEMBERS),
        ],
        &[
            Outcome::Changed,
            Outcome::Partial,
            Outcome::Unchanged(UnchangedReason::AlreadyGranted),
        ],
        &[
            ErrorKind::InvalidArgument,
            ErrorKind::NotFound,
            ErrorKind::Refused,
            ErrorKind::Unconfirmed,
        ],
    ),
    write(
        Name::Revoke,
        "Removes an account from the members of a role.",
        &[sends(&endpoint::ROLES), sends(&endpoint::REMOVE_MEMBERS)],
        &[
            Outcome::Changed,
            Outcome::Partial,
            Outcome::Unchanged(UnchangedReason::NotGranted),
        ],
        &[
            ErrorKind::InvalidArgument,
            ErrorKind::NotFound,
            ErrorKind::Unconfirmed,
        ],
    ),
    write(
        Name::CreateAccount,
        "Creates a technician or an end user, and grants first roles (for which it needs the scope control too).",
        &[
            may_send(&endpoint::ORGANIZATION),
            may_send(&endpoint::ROLES),
            sends(&endpoint::USERS),
            sends(&endpoint::CREATE_TECHNICIAN),
            sends(&endpoint::CREATE_END_USER),
            may_send(&endpoint::ADD_MEMBERS),
        ],
        &[Outcome::Changed, Outcome::Partial],
        &[
            ErrorKind::InvalidArgument,
            ErrorKind::AlreadyExists,
            ErrorKind::Unconfirmed,
        ],
    ),
    write(
        Name::UpdateAccount,
        "Changes fields of a technician or an end user.",
        &[
            sends(&endpoint::TECHNICIAN),
            sends(&endpoint::END_USER),
            may_send(&endpoint::USERS),
            may_send(&endpoint::ORGANIZATION),
            sends(&endpoint::UPDATE_TECHNICIAN),
            sends(&endpoint::UPDATE_END_USER),
        ],
        &[
            Outcome::Changed,
            Outcome::Partial,
            Outcome::Unchanged(UnchangedReason::NoDifference),
        ],
        &[
            ErrorKind::InvalidArgument,
            ErrorKind::NotFound,
            ErrorKind::Refused,
            ErrorKind::Unconfirmed,
        ],
    ),
    write(
        Name::DeleteAccount,
        "Deletes a technician or an end user.",
        &[
            sends(&endpoint::TECHNICIAN),
            sends(&endpoint::END_USER),
            sends(&endpoint::USERS),
            sends(&endpoint::DELETE_TECHNICIAN),
            sends(&endpoint::DELETE_END_USER),
        ],
        &[
            Outcome::Changed,
            Outcome::Unchanged(UnchangedReason::AlreadyGone),
        ],
        &[
            ErrorKind::InvalidArgument,
            ErrorKind::Refused,
            ErrorKind::Unconfirmed,
        ],
    ),
];

/// The operation, if it is supported.
pub fn operation(name: Name) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .find(|operation| operation.operation == name)
}

/// What a listing lists, in a word.
pub(crate) fn resource_name(listing: Name) -> &'static str {
    match listing {
        Name::ListAccounts => "accounts",
        Name::ListRoles => "roles",
        Name::ListGrants => "grants",
        Name::ListOrganizations => "organizations",
        _ => "events",
    }
}

/// All of it, for a host.
pub fn description() -> Description {
    Description {
        name: "ninjaone".to_string(),
        title: "NinjaOne".to_string(),
        version: env!("CARGO_PKG_VERSION").to_string(),
        summary: "Reads and changes the accounts of NinjaOne (technicians and end users) and the roles they hold, through NinjaOne's Public API v2."
            .to_string(),
        settings: settings_description(),
        account_kinds: UserType::ALL.map(account_kind).into(),
        operations: OPERATIONS.iter().map(operation_description).collect(),
        common_errors: COMMON_ERRORS.to_vec(),
        largest_page: LARGEST_PAGE,
    }
}

fn operation_description(operation: &Operation) -> OperationDescription {
    let requests = operation.requests.iter();
    let scopes = operation.scopes().into_iter();
    OperationDescription {
        operation: operation.operation,
        summary: operation.summary.to_string(),
        requests: requests
            .map(|request| request.endpoint.to_string())
            .collect(),
        scopes: scopes.map(ToString::to_string).collect(),
        filters: operation.filters,
        details: operation.details,
        outcomes: operation.outcomes.to_vec(),
        errors: operation.errors.to_vec(),
    }
}

fn account_kind(user_type: UserType) -> AccountKindDescription {
    let (title, description) = match user_type {
        UserType::Technician => ("Technician", "Somebody who works with NinjaOne."),
        UserType::EndUser => (
            "End user",
            "Somebody who is served through NinjaOne, within an organization.",
        ),
    };
    let fields = |fields: &[Field]| {
        fields
            .iter()
            .filter(|field| field.of.contains(&user_type))
            .map(field)
            .collect()
    };
    AccountKindDescription {
        kind: convert::account_kind(user_type).to_string(),
        title: title.to_string(),
        description: description.to_string(),
        create_fields: fields(CREATE_FIELDS),
        update_fields: fields(UPDATE_FIELDS),
    }
}

fn field(field: &Field) -> FieldDescription {
    FieldDescription {
        name: field.name.to_string(),
        description: field.description.to_string(),
        type_: match field.name {
            "email" => FieldType::Email,
            "organization" => FieldType::Reference(ResourceKind::Organization),
            "fullPortalAccess" => FieldType::Boolean,
            _ => FieldType::Text,
        },
        required: field.required,
        length: field.most.map(|most| (1, most)),
    }
}

fn settings_description() -> Vec<SettingDescription> {
    let setting = |key: &str, title: &str, type_: FieldType, description: &str, example: &str| {
        SettingDescription {
            key: key.to_string(),
            title: title.to_string(),
            description: description.to_string(),
            type_,
            required: key != settings::SCOPE,
            secret: key == settings::CLIENT_SECRET,
            default: (key == settings::SCOPE).then(|| settings::DEFAULT_SCOPE.to_string()),
            example: Some(example.to_string()).filter(|example| !example.is_empty()),
        }
    };
    vec![
        setting(
            settings::BASE_URL,
            "Base URL",
            FieldType::Url,
            "Where you sign in to NinjaOne: https, and the host of your region or your own domain.",
            "https://app.ninjarmm.com",
        ),
        setting(
            settings::CLIENT_ID,
            "Client ID",
            FieldType::Text,
            "The client id of an API application of the platform API Services (machine-to-machine), from Administration, Apps, API.",
            "",
        ),
        setting(
            settings::CLIENT_SECRET,
            "Client secret",
            FieldType::Text,
            "The client secret of the same application. NinjaOne shows it once, when the application is made.",
            "",
        ),
        setting(
            settings::SCOPE,
            "Scope",
            FieldType::Words(endpoint::SCOPES.iter().map(ToString::to_string).collect()),
            "What to ask permission for: monitoring to read accounts, management to read roles and to create, change and delete accounts, \
             control to give and take roles. The application must have been given each of them.",
            "monitoring management control",
        ),
    ]
}
