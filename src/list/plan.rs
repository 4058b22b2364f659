//! What a list request comes to: which answers to read, and what to keep of them.

use super::cursor::Digest;
use crate::contract::{self, AccountDetails, FilterFields, ListRequest, Operation, ResourceKinds};
use crate::convert;
use crate::describe;
use crate::error::Error;
use crate::ninjaone::error::Problem;
use crate::ninjaone::settings::Settings;
use crate::ninjaone::wire::{Id, UserType};

/// A list request, checked.
pub(super) struct Plan {
    /// What to read, one after the other.
    pub(super) stages: Vec<Stage>,
    /// What to keep.
    pub(super) keep: Keep,
    /// Names the request and the tenant: the same request has the same fingerprint in every instance.
    pub(super) fingerprint: u64,
}

/// One answer, or several that make one sequence.
pub(super) enum Stage {
    /// When users signed in last, of one user or of all.
    SignIns(Option<Id>),
    /// Accounts, from these sources one after the other.
    Accounts(Vec<AccountSource>),
    /// Roles with their members.
    Roles {
        /// Whether the roles are wanted.
        roles: bool,
        /// Whether their members are wanted, as grants.
        grants: bool,
    },
    /// All organizations.
    Organizations,
    /// One organization.
    Organization(Id),
    /// What happened to users.
    Events,
}

/// Where accounts come from.
#[derive(Clone, Copy)]
pub(super) enum AccountSource {
    /// `GET /v2/users`, of one type or of both.
    Users(Option<UserType>),
    /// `GET /v2/user/technicians` or `GET /v2/user/end-users`.
    Detailed(UserType),
    /// `GET /v2/users`, for users of a type that has no detailed list.
    Rest,
    /// `GET /v2/user/technician/{id}` or `GET /v2/user/end-user/{id}`, of one type or whichever has it.
    One(Option<UserType>, Id),
}

/// The filter, in NinjaOne's terms.
#[derive(Default)]
pub(super) struct Keep {
    /// Accounts with this address.
    pub(super) email: Option<String>,
    /// Accounts, roles and grants of this type of user.
    pub(super) user_type: Option<UserType>,
    /// Roles with this identifier.
    pub(super) role_itself: Option<Id>,
    /// Grants of this account.
    pub(super) account: Option<Id>,
    /// Grants of this role.
    pub(super) role: Option<Id>,
    /// Events at or after this time, in milliseconds since 1970.
    pub(super) since: Option<i64>,
    /// Whether every account is listed before the grants, so that a member who is none can be told.
    pub(super) knows_all_accounts: bool,
}

/// The kinds of resource in the order in which they are listed, each with the operation that lists it.
const KINDS: [(ResourceKinds, Operation); 5] = [
    (ResourceKinds::ACCOUNTS, Operation::ListAccounts),
    (ResourceKinds::ROLES, Operation::ListRoles),
    (ResourceKinds::GRANTS, Operation::ListGrants),
    (ResourceKinds::ORGANIZATIONS, Operation::ListOrganizations),
    (ResourceKinds::EVENTS, Operation::ListEvents),
];

impl Plan {
    /// Checks a request, and plans how to answer it. Sends nothing.
    pub(super) fn new(settings: &Settings, request: &ListRequest) -> Result<Self, Error> {
        check_filters(request)?;
        let mut problems = Vec::new();
        let filter = &request.filter;
        let mut id = |field: &str, text: &Option<String>| {
            let text = text.as_deref()?;
            let id = Id::parse(text);
            if id.is_none() {
                problems.push(Problem::new(
                    field,
                    "it is not an identifier of NinjaOne's",
                    "give the whole number that a listing showed",
                ));
            }
            id
        };
        let itself = id("filter.id", &filter.id);
        let account = id("filter.account", &filter.account);
        let role = id("filter.role", &filter.role);
        let user_type = filter.account_kind.as_deref().and_then(|kind| {
            let known = convert::user_type(kind);
            if known.is_none() {
                problems.push(Problem::new(
                    "filter.account-kind",
                    "there is no such kind of account",
                    "give technician or end-user",
                ));
            }
            known
        });
        if !problems.is_empty() {
            return Err(Error::invalid_argument(problems));
        }
        let keep = Keep {
            email: filter.email.clone(),
            user_type,
            role_itself: itself,
            account,
            role,
            since: filter.since,
            knows_all_accounts: request.kinds.contains(ResourceKinds::ACCOUNTS)
                && filter.id.is_none()
                && filter.email.is_none()
                && user_type.is_none(),
        };
        let stages = stages(request, itself, user_type);
        Ok(Plan {
            stages,
            keep,
            fingerprint: fingerprint(settings, request),
        })
    }
}

fn stages(request: &ListRequest, itself: Option<Id>, user_type: Option<UserType>) -> Vec<Stage> {
    let wants = |kind| request.kinds.contains(kind);
    let mut stages = Vec::new();
    if wants(ResourceKinds::ACCOUNTS) {
        let sources = match (itself, user_type) {
            (Some(id), _) => vec![AccountSource::One(user_type, id)],
            (None, _) if !request.details.contains(AccountDetails::MANAGEMENT) => {
                vec![AccountSource::Users(user_type)]
            }
            (None, Some(one)) => vec![AccountSource::Detailed(one)],
            (None, None) => vec![
                AccountSource::Detailed(UserType::Technician),
                AccountSource::Detailed(UserType::EndUser),
                AccountSource::Rest,
            ],
        };
        if request.details.contains(AccountDetails::LAST_SIGN_IN) {
            stages.push(Stage::SignIns(itself));
        }
        stages.push(Stage::Accounts(sources));
    }
    if wants(ResourceKinds::ROLES) || wants(ResourceKinds::GRANTS) {
        stages.push(Stage::Roles {
            roles: wants(ResourceKinds::ROLES),
            grants: wants(ResourceKinds::GRANTS),
        });
    }
    if wants(ResourceKinds::ORGANIZATIONS) {
        stages.push(itself.map_or(Stage::Organizations, Stage::Organization));
    }
    if wants(ResourceKinds::EVENTS) {
        stages.push(Stage::Events);
    }
    stages
}

/// Refuses a kind that cannot be listed, and a filter that does not apply to every kind asked for.
fn check_filters(request: &ListRequest) -> Result<(), Error> {
    let given = given_filters(request);
    let mut problems = Vec::new();
    if request.kinds.is_empty() {
        problems.push(Problem::new(
            "kinds",
            "no kind of resource is asked for",
            "ask for at least one",
        ));
    }
    for (kind, operation) in KINDS {
        if !request.kinds.contains(kind) {
            continue;
        }
        let Some(supported) = describe::operation(operation) else {
            let message =
                "this connector cannot list that kind of resource; describe tells which it can";
            return Err(Error::decided(
                contract::Error::Unsupported(operation),
                message,
            ));
        };
        for (field, name) in FILTER_FIELDS {
            if given.contains(field) && !supported.filters.contains(field) {
                let what = format!(
                    "it does not apply to {}",
                    describe::resource_name(operation)
                );
                problems.push(Problem::new(
                    name,
                    &what,
                    "leave it out, or list the kinds one by one",
                ));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid_argument(problems))
    }
}

const FILTER_FIELDS: [(FilterFields, &str); 6] = [
    (FilterFields::ID, "filter.id"),
    (FilterFields::EMAIL, "filter.email"),
    (FilterFields::ACCOUNT_KIND, "filter.account-kind"),
    (FilterFields::ACCOUNT, "filter.account"),
    (FilterFields::ROLE, "filter.role"),
    (FilterFields::SINCE, "filter.since"),
];

fn given_filters(request: &ListRequest) -> FilterFields {
    let filter = &request.filter;
    let mut given = FilterFields::empty();
    given.set(FilterFields::ID, filter.id.is_some());
    given.set(FilterFields::EMAIL, filter.email.is_some());
    given.set(FilterFields::ACCOUNT_KIND, filter.account_kind.is_some());
    given.set(FilterFields::ACCOUNT, filter.account.is_some());
    given.set(FilterFields::ROLE, filter.role.is_some());
    given.set(FilterFields::SINCE, filter.since.is_some());
    given
}

fn fingerprint(settings: &Settings, request: &ListRequest) -> u64 {
    let mut digest = Digest::default();
    digest.add_text(&settings.base_url.to_string());
    digest.add_text(&settings.client_id);
    digest.add(&[
        request.kinds.bits(),
        request.details.bits(),
        given_filters(request).bits(),
    ]);
    let filter = &request.filter;
    for text in [
        &filter.id,
        &filter.email,
        &filter.account_kind,
        &filter.account,
        &filter.role,
    ] {
        digest.add_text(text.as_deref().unwrap_or_default());
    }
    digest.add(&filter.since.unwrap_or_default().to_le_bytes());
    digest.value()
}
