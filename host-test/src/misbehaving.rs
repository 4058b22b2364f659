//! The guest of `host-test/guests/misbehaving`, which does on command what a buggy or hostile connector would.

use std::time::Duration;

use connector_host::contract::{Continuation, ListRequest, ResourceKinds};
use connector_host::{
    CallError, Connector, EgressPolicy, Host, HostOptions, Limits, Plugin, Tenant, TenantSettings,
};

/// The component.
pub fn component() -> Vec<u8> {
    std::fs::read(crate::components::MISBEHAVING).expect("the build script made it")
}

/// Little memory, so that its limit is reached soon, and time enough for a busy machine.
pub fn limits() -> Limits {
    Limits::default().memory(8 << 20)
}

/// The same, and little time: for what would go on for ever.
pub fn in_a_hurry() -> Limits {
    limits().deadline(Duration::from_secs(1))
}

/// A host with these limits. What it compiles is kept in a folder of the build.
pub fn host(limits: Limits) -> Host {
    let options = HostOptions::default().limits(limits);
    Host::new(options.code_cache(super::code_cache())).expect("the engine starts")
}

/// The guest in a host with these limits.
pub fn plugin(limits: Limits) -> Plugin {
    let host = host(limits);
    let loaded = super::finish(async { host.load_bytes(component()).await });
    loaded.expect("the component loads")
}

/// A tenant with a client secret, which may send requests to one origin.
pub fn tenant(name: &str, secret: &str, egress: EgressPolicy) -> Tenant {
    let settings = TenantSettings::new().secret("client-secret", secret.into());
    Tenant::new(name, settings, egress)
}

/// The guest, for a tenant that may send no request.
pub fn connector(limits: Limits) -> Connector {
    plugin(limits).instantiate(tenant("test", "hunter2", EgressPolicy::nothing()))
}

/// Has the guest obey a command, and gives what it says.
pub async fn obey(connector: &mut Connector, command: &str) -> Result<String, CallError> {
    let mut request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    request.cursor = Some(command.to_string());
    match connector.list(&request).await?.next {
        Continuation::More(answer) => Ok(answer),
        Continuation::Complete(summary) => panic!("it did not take the command: {summary:?}"),
    }
}
