//! What the tests share: the real component, a simulated tenant, and a connector between them.
pub use test_components as components;

pub mod authority;
pub mod faulty;
pub mod log;
pub mod misbehaving;
pub mod program;
pub mod proxy;
pub mod secrets;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use connector_host::contract::{
    AccountDeletion, Assignment, Failure, Item, ListRequest, NewAccount, ProvisionRequest,
    ResourceKinds,
};
use connector_host::transport::{ExtraRoots, Network, NetworkOptions, Transport};
use connector_host::{
    CallError, Connector, EgressPolicy, Host, HostOptions, Plugin, Tenant, TenantSettings,
};
use ninjaone_simulator::{AccountKind, Options, Protocol, Simulator};

/// Cargo's target directory.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"),
        PathBuf::from,
    )
}

/// Where tests put their files: the folder that cargo has for them.
pub fn scratch() -> PathBuf {
    let folder = target().join("tmp");
    std::fs::create_dir_all(&folder).expect("a folder can be made in the target directory");
    folder
}

/// The connector's component.
pub fn component() -> PathBuf {
    PathBuf::from(components::NINJAONE_CONNECTOR)
}

/// The names of everything in a folder.
pub fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = folder.read_dir().expect("the folder is there");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    names
        .map(|name| name.into_string().expect("it is Unicode"))
        .collect()
}

/// The component, compiled once for all tests of a file.
pub fn plugin() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| load(HostOptions::default()))
}

/// The component in a host with these options. What it compiles is kept in a folder of the build.
pub fn load(options: HostOptions) -> Plugin {
    load_file(options, &component())
}

/// Another component, likewise.
pub fn load_file(options: HostOptions, file: &Path) -> Plugin {
    let host = Host::new(options.code_cache(code_cache())).expect("the engine starts");
    finish(async { host.load(file).await }).expect("the component loads")
}

/// The folder of the build in which compiled code is kept.
pub fn code_cache() -> PathBuf {
    scratch().join("compiled-code")
}

/// What a future comes to, for what is no future itself.
pub fn finish<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let runtime = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime starts").block_on(future)
    };
    // On a thread of its own: the test may be on one of a runtime.
    std::thread::scope(|scope| scope.spawn(runtime).join()).expect("it does not panic")
}

/// A network that trusts this certificate authority beside those of the operating system.
pub fn network_that_trusts(pem: &str) -> Network {
    Network::with(network_options(pem))
}

/// The options of such a network.
pub fn network_options(pem: &str) -> NetworkOptions {
    let roots = ExtraRoots::from_pem(pem.as_bytes()).expect("it is a certificate");
    NetworkOptions::default().extra_roots(roots)
}

/// The settings that fit a simulated tenant.
pub fn settings(simulator: &Simulator) -> TenantSettings {
    let credentials = simulator.credentials();
    TenantSettings::new()
        .plain("base-url", simulator.base_url())
        .plain("client-id", &credentials.client_id)
        .secret("client-secret", credentials.client_secret.clone().into())
        .plain("scope", credentials.scopes.to_string())
}

/// A simulated tenant, with these settings: over a network that trusts the tenant's own authority, where it speaks TLS.
pub fn tenant_with(simulator: &Simulator, settings: TenantSettings) -> Tenant {
    let egress = EgressPolicy::only(&simulator.base_url()).expect("the simulator is on loopback");
    let tenant = Tenant::new("test", settings, egress);
    match simulator.authority() {
        None => tenant,
        Some(pem) => tenant.transport(Arc::new(network_that_trusts(pem))),
    }
}

/// A connector with these settings that may reach the simulator.
pub fn connector_with(simulator: &Simulator, settings: TenantSettings) -> Connector {
    plugin().instantiate(tenant_with(simulator, settings))
}

/// A connector for a simulated tenant whose requests are sent by this transport.
pub fn connector_over(simulator: &Simulator, transport: Arc<dyn Transport>) -> Connector {
    let tenant = tenant_with(simulator, settings(simulator));
    plugin().instantiate(tenant.transport(transport))
}

/// A connector for a simulated tenant. A second one for the same tenant is a fresh instance.
pub fn connector(simulator: &Simulator) -> Connector {
    connector_with(simulator, settings(simulator))
}

/// A simulated tenant with so many accounts.
pub async fn tenant(accounts: u32) -> Simulator {
    simulated(Options {
        accounts,
        ..Options::default()
    })
    .await
}

/// The same tenant, over TLS and HTTP/2.
pub async fn tenant_over_tls(accounts: u32) -> Simulator {
    simulated(Options {
        accounts,
        protocol: Protocol::Https,
        ..Options::default()
    })
    .await
}

/// A simulated tenant.
pub async fn simulated(options: Options) -> Simulator {
    Simulator::start(options)
        .await
        .expect("there is a free port")
}

/// Everything of these kinds.
pub async fn list(connector: &mut Connector, kinds: ResourceKinds) -> Vec<Item> {
    list_request(connector, ListRequest::everything(kinds)).await
}

/// Everything that a request gives, page by page.
pub async fn list_request(connector: &mut Connector, request: ListRequest) -> Vec<Item> {
    let mut listing = connector.list_all(request);
    let mut items = Vec::new();
    while let Some(page) = listing.next_page().await.expect("the listing is whole") {
        items.extend(page.items);
    }
    items
}

/// The connector's own failure; anything else that went wrong fails the test.
pub fn failure<T: std::fmt::Debug>(outcome: Result<T, CallError>) -> Failure {
    match outcome {
        Err(CallError::Connector(failure) | CallError::NoConnection { failure, .. }) => *failure,
        other => panic!("expected a failure of the contract, and got {other:?}"),
    }
}

/// A new account of a kind, with no more than every kind needs.
pub fn ada(kind: &str) -> NewAccount {
    NewAccount {
        kind: kind.to_string(),
        email: Some("ada.lovelace@example.com".to_string()),
        given_name: Some("Ada".to_string()),
        family_name: Some("Lovelace".to_string()),
        phone: None,
        organization: None,
        send_invitation: None,
        attributes: Vec::new(),
        roles: Vec::new(),
    }
}

/// The request that removes an account.
pub fn deletion(account: &str, allow_administrator: bool) -> ProvisionRequest {
    ProvisionRequest::Delete(AccountDeletion {
        account: account.to_string(),
        allow_administrator,
    })
}

/// The pair of an account and a role.
pub fn assignment(account: &str, role: &str) -> Assignment {
    Assignment {
        account: account.to_string(),
        role: role.to_string(),
    }
}

/// A role of the tenant for accounts of a kind.
pub fn role_for(simulator: &Simulator, kind: AccountKind) -> String {
    let roles = simulator.roles();
    let found = roles.iter().find(|role| role.kind == kind);
    found.expect("there is a role for each kind").id.to_string()
}
