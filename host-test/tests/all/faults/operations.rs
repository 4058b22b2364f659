//! The operations, and what of theirs is hit: the columns of the matrix.

use std::collections::BTreeMap;

use connector_host::contract::{
    AccountDetails, AccountUpdate, Assignment, Change, FieldUpdate, ListRequest, Mode, NewAccount,
    ProvisionRequest, ResourceKinds, Value,
};
use connector_host::{CallError, Connector};
use ninjaone_simulator::{Account, AccountKind, Options, Simulator};

use host_test::faulty::Asked;
use host_test::{ada, assignment, deletion};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Check,
    ListAccounts,
    ListAccountsInDetail,
    ListRoles,
    ListGrants,
    ListOrganizations,
    ListEvents,
    Grant,
    Revoke,
    CreateTechnician,
    CreateEndUser,
    Update,
    Delete,
}

/// Which requests of an operation are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// Reads.
    Reads,
    /// Writes, before the tenant sees them.
    Unseen,
    /// The answers to writes, which are carried out.
    Answers,
    /// The answer to the first write, which is carried out, and everything after it.
    Silence,
    /// Requests for a token.
    Tokens,
    /// Of a create, the grants of the first roles: as `Unseen`, `Answers` and `Silence`.
    UnseenRoles,
    RoleAnswers,
    RoleSilence,
}

/// Each column: what it is called, the operation and what of it is hit.
pub const COLUMNS: [(&str, Operation, Hit); 38] = {
    use Hit::{Answers, Reads, RoleAnswers, RoleSilence, Silence, Tokens, Unseen, UnseenRoles};
    use Operation::{
        Check, CreateEndUser, CreateTechnician, Delete, Grant, ListAccounts, ListAccountsInDetail,
        ListEvents, ListGrants, ListOrganizations, ListRoles, Revoke, Update,
    };
    [
        ("check", Check, Reads),
        ("check", Check, Tokens),
        ("accounts", ListAccounts, Reads),
        ("accounts", ListAccounts, Tokens),
        ("details", ListAccountsInDetail, Reads),
        ("roles", ListRoles, Reads),
        ("grants", ListGrants, Reads),
        ("organizations", ListOrganizations, Reads),
        ("events", ListEvents, Reads),
        ("grant", Grant, Reads),
        ("grant", Grant, Unseen),
        ("grant", Grant, Answers),
        ("grant", Grant, Silence),
        ("grant", Grant, Tokens),
        ("revoke", Revoke, Reads),
        ("revoke", Revoke, Unseen),
        ("revoke", Revoke, Answers),
        ("revoke", Revoke, Silence),
        ("create technician", CreateTechnician, Reads),
        ("create technician", CreateTechnician, Unseen),
        ("create technician", CreateTechnician, Answers),
        ("create technician", CreateTechnician, Silence),
        ("create technician", CreateTechnician, Tokens),
        ("create end user", CreateEndUser, Reads),
        ("create end user", CreateEndUser, Unseen),
        ("create end user", CreateEndUser, Answers),
        ("create end user", CreateEndUser, Silence),
        ("create end user", CreateEndUser, UnseenRoles),
        ("create end user", CreateEndUser, RoleAnswers),
        ("create end user", CreateEndUser, RoleSilence),
        ("update", Update, Reads),
        ("update", Update, Unseen),
        ("update", Update, Answers),
        ("update", Update, Silence),
        ("delete", Delete, Reads),
        ("delete", Delete, Unseen),
        ("delete", Delete, Answers),
        ("delete", Delete, Silence),
    ]
};

impl Hit {
    /// Whether a request is one of those that are hit. For the silences: whether it is one that begins it.
    pub fn covers(self, asked: &Asked) -> bool {
        match self {
            Hit::Reads => asked.is_read(),
            Hit::Tokens => asked.is_token_request(),
            Hit::Unseen | Hit::Answers | Hit::Silence => asked.is_write(),
            Hit::UnseenRoles | Hit::RoleAnswers | Hit::RoleSilence => {
                asked.is_write() && asked.path.ends_with("/add-members")
            }
        }
    }

    /// Whether the tenant carries out what is hit.
    pub fn is_carried_out(self) -> bool {
        !matches!(self, Hit::Unseen | Hit::UnseenRoles)
    }

    pub fn is_silence(self) -> bool {
        matches!(self, Hit::Silence | Hit::RoleSilence)
    }

    pub fn is_of_first_roles(self) -> bool {
        matches!(self, Hit::UnseenRoles | Hit::RoleAnswers | Hit::RoleSilence)
    }

    pub fn letter(self) -> char {
        match self {
            Hit::Reads => 'r',
            Hit::Tokens => 't',
            Hit::Unseen => 'w',
            Hit::Answers => 'a',
            Hit::Silence => 's',
            Hit::UnseenRoles => 'W',
            Hit::RoleAnswers => 'A',
            Hit::RoleSilence => 'S',
        }
    }
}

/// What is called.
#[derive(Clone, Debug)]
pub enum Call {
    Check,
    List(ListRequest),
    Write(Write),
}

#[derive(Clone, Debug)]
pub enum Write {
    Grant(Assignment),
    Revoke(Assignment),
    Provision(ProvisionRequest),
}

impl Write {
    pub async fn send(&self, connector: &mut Connector) -> Result<Change, CallError> {
        match self {
            Write::Grant(assignment) => connector.grant(assignment, Mode::Apply).await,
            Write::Revoke(assignment) => connector.revoke(assignment, Mode::Apply).await,
            Write::Provision(request) => connector.provision(request, Mode::Apply).await,
        }
    }

    pub fn is_create(&self) -> bool {
        matches!(self, Write::Provision(ProvisionRequest::Create(_)))
    }

    /// The same create with only the first so many of its roles; `None` for anything else, or where it has no more.
    pub fn with_fewer_roles(&self, most: usize) -> Option<Self> {
        let Write::Provision(ProvisionRequest::Create(account)) = self else {
            return None;
        };
        let roles = account.roles.get(..most)?.to_vec();
        (roles.len() < account.roles.len()).then(|| {
            let fewer = NewAccount {
                roles,
                ..account.clone()
            };
            Write::Provision(ProvisionRequest::Create(fewer))
        })
    }
}

/// The tenant that every cell begins with: several organizations, and enough accounts for several pages.
pub fn options() -> Options {
    Options {
        accounts: 40,
        organizations: Some(9),
        ..Options::default()
    }
}

/// How many items a page has here.
const PAGE: u32 = 7;

/// Who holds what, account by account.
pub type State = BTreeMap<u32, String>;

pub fn state(simulator: &Simulator) -> State {
    let accounts = simulator.accounts().into_iter();
    accounts.map(|a| (a.id, format!("{a:?}"))).collect()
}

impl Operation {
    pub fn is_write(self) -> bool {
        self >= Operation::Grant
    }

    pub fn is_list(self) -> bool {
        !self.is_write() && self != Operation::Check
    }

    /// The name of the operation of the contract that it is, as `describe` lists it. `check` is none.
    pub fn described(self) -> Option<&'static str> {
        Some(match self {
            Operation::Check => return None,
            Operation::ListAccounts | Operation::ListAccountsInDetail => "list-accounts",
            Operation::ListRoles => "list-roles",
            Operation::ListGrants => "list-grants",
            Operation::ListOrganizations => "list-organizations",
            Operation::ListEvents => "list-events",
            Operation::Grant => "grant",
            Operation::Revoke => "revoke",
            Operation::CreateTechnician | Operation::CreateEndUser => "create-account",
            Operation::Update => "update-account",
            Operation::Delete => "delete-account",
        })
    }

    /// The call, for the tenant of [`options`].
    pub fn call(self, simulator: &Simulator) -> Call {
        let list = |kinds| ListRequest {
            limit: Some(PAGE),
            ..ListRequest::everything(kinds)
        };
        let plain = |kind: AccountKind, what: fn(&Account) -> bool| {
            let accounts = simulator.accounts().into_iter();
            let mut plain = accounts.filter(|a| a.kind == kind && !a.scim && !a.administrator);
            plain.find(what).expect("the tenant has one")
        };
        let technician = || plain(AccountKind::Technician, |_| true);
        let member = || plain(AccountKind::EndUser, |a| !a.memberships.is_empty());
        let roles = |kind| {
            let roles = simulator.roles().into_iter();
            roles
                .filter(move |role| role.kind == kind)
                .map(|role| role.id.to_string())
        };
        let provision = |request| Call::Write(Write::Provision(request));
        match self {
            Operation::Check => Call::Check,
            Operation::ListAccounts => Call::List(list(ResourceKinds::ACCOUNTS)),
            Operation::ListAccountsInDetail => Call::List(ListRequest {
                details: AccountDetails::all(),
                ..list(ResourceKinds::ACCOUNTS)
            }),
            Operation::ListRoles => Call::List(list(ResourceKinds::ROLES)),
            Operation::ListGrants => Call::List(list(ResourceKinds::GRANTS)),
            Operation::ListOrganizations => Call::List(list(ResourceKinds::ORGANIZATIONS)),
            Operation::ListEvents => Call::List(list(ResourceKinds::EVENTS)),
            Operation::Grant => {
                let technician = technician();
                let not_held = |role: &String| !technician.holds(role.parse().expect("a number"));
                let role = roles(AccountKind::Technician)
                    .find(not_held)
                    .expect("there is one");
                Call::Write(Write::Grant(assignment(&technician.id.to_string(), &role)))
            }
            Operation::Revoke => {
                let member = member();
                let role = member.memberships[0].role.to_string();
                Call::Write(Write::Revoke(assignment(&member.id.to_string(), &role)))
            }
            Operation::CreateTechnician => provision(ProvisionRequest::Create(ada("technician"))),
            Operation::CreateEndUser => provision(ProvisionRequest::Create(NewAccount {
                organization: Some(simulator.organizations()[0].id.to_string()),
                roles: roles(AccountKind::EndUser).take(2).collect(),
                ..ada("end-user")
            })),
            Operation::Update => provision(ProvisionRequest::Update(AccountUpdate {
                account: technician().id.to_string(),
                fields: vec![(
                    "given-name".to_string(),
                    FieldUpdate::Set(Value::Text("Augusta".to_string())),
                )],
            })),
            Operation::Delete => provision(deletion(&technician().id.to_string(), false)),
        }
    }
}
