//! The traffic that is held against the descriptions: what the connector sends to a simulated tenant in a broad set of
//! operations, under each behavior that a tenant may have, and what is in the recordings.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use connector_host::contract::{
    AccountDeletion, AccountDetails, AccountUpdate, Assignment, Attribute, FieldUpdate,
    ListRequest, Mode, NewAccount, ProvisionRequest, ResourceKinds, Value,
};
use connector_host::transport::{Network, Transport};
use connector_host::{CallError, Connector, EgressPolicy, Tenant, TenantSettings};
use connector_recording::{Exchange, Memory, Recorder, Recording};
use ninjaone_simulator::{Account, AccountKind, Behavior, Credentials, Options, Scope, Simulator};
use tokio::sync::OnceCell;

use host_test::{ada, plugin, role_for, simulated};

/// Enough accounts for every awkward one that the simulator makes.
const ACCOUNTS: u32 = 60;

/// All of it. Made once, for all tests.
pub async fn all() -> &'static [Exchange] {
    static TRAFFIC: OnceCell<Vec<Exchange>> = OnceCell::const_new();
    TRAFFIC
        .get_or_init(async || {
            let mut exchanges = recorded();
            exchanges.extend(driven().await);
            exchanges
        })
        .await
}

/// What is in the recordings.
fn recorded() -> Vec<Exchange> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|name| name == "har"))
        .flat_map(|path| Recording::read(&path).expect("it is a recording").exchanges)
        .collect()
}

/// What the connector sends, and the simulator answers.
async fn driven() -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    for behavior in behaviors() {
        let memory = Memory::default();
        let network = Arc::new(Network::new());
        let recorder = Arc::new(Recorder::new(network, memory.clone()));
        let options = Options {
            accounts: ACCOUNTS,
            behavior,
            ..Options::default()
        };
        let simulator = simulated(options).await;
        let connector = connector(recorder.clone(), &simulator, simulator.credentials());
        Drive {
            connector,
            simulator: &simulator,
        }
        .everything()
        .await;
        refused_tokens(&recorder, &simulator).await;
        recorder.finish().await.expect("memory can be written to");
        let recording = memory.recording().expect("it is a recording");
        exchanges.extend(recording.exchanges);
    }
    exchanges
}

/// The usual behavior, and each other value of each switch.
fn behaviors() -> Vec<Behavior> {
    let mut behaviors = vec![Behavior::default()];
    for switch in Behavior::SWITCHES {
        for value in &switch.values[1..] {
            let mut behavior = Behavior::default();
            behavior
                .set(switch.name, value.name)
                .expect("the switch has the value");
            behaviors.push(behavior);
        }
    }
    behaviors
}

/// Requests for a token that are refused, and requests that its scope does not allow.
async fn refused_tokens(recorder: &Arc<Recorder>, simulator: &Simulator) {
    let right = simulator.credentials().clone();
    let wrong = [
        Credentials {
            client_secret: "wrong".to_string(),
            ..right.clone()
        },
        Credentials {
            client_id: "nobody".to_string(),
            ..right.clone()
        },
    ];
    for credentials in wrong {
        let mut connector = connector(recorder.clone(), simulator, &credentials);
        let outcome = connector
            .list(&ListRequest::everything(ResourceKinds::ROLES))
            .await;
        outcome.expect_err("the token is refused");
    }
    let reading = Credentials {
        scopes: Scope::Monitoring.as_str().parse().expect("it is a scope"),
        ..right
    };
    let mut drive = Drive {
        connector: connector(recorder.clone(), simulator, &reading),
        simulator,
    };
    drive.memberships().await;
    drive.creations().await;
}

fn connector(
    transport: Arc<dyn Transport>,
    simulator: &Simulator,
    credentials: &Credentials,
) -> Connector {
    let base_url = simulator.base_url();
    let settings = TenantSettings::new()
        .plain("base-url", &base_url)
        .plain("client-id", &credentials.client_id)
        .secret("client-secret", credentials.client_secret.clone().into())
        .plain("scope", credentials.scopes.to_string());
    let egress = EgressPolicy::only(&base_url).expect("it is on this computer");
    let tenant = Tenant::new("test", settings, egress);
    plugin().instantiate(tenant.transport(transport))
}

/// A broad set of operations. How they end does not matter here, as long as the connector itself does not fail.
struct Drive<'a> {
    connector: Connector,
    simulator: &'a Simulator,
}

impl Drive<'_> {
    async fn everything(&mut self) {
        ended(self.connector.check().await);
        self.listings().await;
        // The next request is refused as one with an expired token is.
        self.simulator.revoke_tokens();
        self.memberships().await;
        self.creations().await;
        self.updates().await;
        self.deletions().await;
    }

    async fn listings(&mut self) {
        let mut everything = ListRequest::everything(ResourceKinds::all());
        everything.details = every_detail();
        self.list(everything).await;
        for kind in ["technician", "end-user"] {
            let mut of_kind =
                ListRequest::everything(ResourceKinds::ACCOUNTS | ResourceKinds::ROLES);
            of_kind.filter.account_kind = Some(kind.to_string());
            self.list(of_kind.clone()).await;
            of_kind.details = every_detail();
            self.list(of_kind).await;
        }
        for kinds in [ResourceKinds::ACCOUNTS, ResourceKinds::ORGANIZATIONS] {
            let mut of_one = ListRequest::everything(kinds);
            of_one.filter.id = Some("1".to_string());
            self.list(of_one).await;
        }
    }

    /// Lists page by page, until the end or a failure.
    async fn list(&mut self, request: ListRequest) {
        let mut listing = self.connector.list_all(request);
        while let Some(page) = ended(listing.next_page().await) {
            if page.is_none() {
                break;
            }
        }
    }

    async fn memberships(&mut self) {
        let technician = self.account(|account| account.kind == AccountKind::Technician);
        let end_user = self.account(|account| account.kind == AccountKind::EndUser);
        let technicians_role = self.role(AccountKind::Technician);
        let end_users_role = self.role(AccountKind::EndUser);
        let pairs = [
            (&technician, &technicians_role),
            (&end_user, &end_users_role),
            // Of the wrong kind, and of nobody.
            (&end_user, &technicians_role),
            (&technician, &end_users_role),
            (&"999999".to_string(), &end_users_role),
            (&technician, &"999999".to_string()),
        ];
        for (account, role) in pairs {
            let assignment = Assignment {
                account: account.clone(),
                role: role.clone(),
            };
            for mode in [Mode::Plan, Mode::Apply, Mode::Apply] {
                ended(self.connector.grant(&assignment, mode).await);
            }
            for mode in [Mode::Plan, Mode::Apply, Mode::Apply] {
                ended(self.connector.revoke(&assignment, mode).await);
            }
        }
    }

    async fn creations(&mut self) {
        for new in [technician(), self.end_user(false), self.end_user(true)] {
            self.provision(ProvisionRequest::Create(new)).await;
        }
    }

    async fn updates(&mut self) {
        let name = |name: &str| {
            let value = FieldUpdate::Set(Value::Text(name.to_string()));
            ("given-name".to_string(), value)
        };
        let access = FieldUpdate::Set(Value::Boolean(true));
        let access = ("fullPortalAccess".to_string(), access);
        for (kind, fields) in [
            (AccountKind::Technician, vec![name("Augusta")]),
            (AccountKind::EndUser, vec![name("Augusta"), access]),
        ] {
            for scim in [false, true] {
                let account = self.account(|account| account.kind == kind && account.scim == scim);
                let fields = fields.clone();
                self.provision(ProvisionRequest::Update(AccountUpdate { account, fields }))
                    .await;
            }
        }
    }

    async fn deletions(&mut self) {
        for kind in [AccountKind::Technician, AccountKind::EndUser] {
            for scim in [false, true] {
                let account = self.account(|account| account.kind == kind && account.scim == scim);
                let deletion = AccountDeletion {
                    account,
                    allow_administrator: true,
                };
                self.provision(ProvisionRequest::Delete(deletion.clone()))
                    .await;
                self.provision(ProvisionRequest::Delete(deletion)).await;
            }
        }
    }

    async fn provision(&mut self, request: ProvisionRequest) {
        for mode in [Mode::Plan, Mode::Apply] {
            ended(self.connector.provision(&request, mode).await);
        }
    }

    fn account(&self, wanted: impl Fn(&Account) -> bool) -> String {
        let accounts = self.simulator.accounts();
        // The last one: the first is the administrator, whom some tenants keep.
        let found = accounts.iter().rev().find(|account| wanted(account));
        found.expect("the tenant has one").id.to_string()
    }

    fn role(&self, kind: AccountKind) -> String {
        role_for(self.simulator, kind)
    }

    fn end_user(&self, with_everything: bool) -> NewAccount {
        NewAccount {
            kind: "end-user".to_string(),
            email: Some(format!("{with_everything}@example.com")),
            organization: Some(self.simulator.organizations()[0].id.to_string()),
            send_invitation: with_everything.then_some(true),
            attributes: vec![Attribute {
                name: "fullPortalAccess".to_string(),
                value: Value::Boolean(with_everything),
            }],
            roles: vec![self.role(AccountKind::EndUser)],
            ..technician()
        }
    }
}

fn technician() -> NewAccount {
    NewAccount {
        phone: Some("+44 1632 960000".to_string()),
        ..ada("technician")
    }
}

fn every_detail() -> AccountDetails {
    AccountDetails::LAST_SIGN_IN | AccountDetails::MANAGEMENT
}

/// What came of a call; a failure of the contract is one of the ways in which it may end.
fn ended<T>(outcome: Result<T, CallError>) -> Option<T> {
    match outcome {
        Ok(answer) => Some(answer),
        Err(CallError::Connector(_)) => None,
        Err(other) => panic!("the connector broke off: {other}"),
    }
}
