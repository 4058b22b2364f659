//! Over TLS and HTTP/2, as live tenants are reached, everything is as it is over plain HTTP.

use connector_host::contract::{AccountDetails, ListRequest, Mode, Outcome, ResourceKinds};
use host_test::{assignment, connector, list_request, role_for, tenant, tenant_over_tls};
use http::Version;
use ninjaone_simulator::{AccountKind, Simulator};

/// Everything that a tenant has, in pages of several.
fn everything() -> ListRequest {
    let kinds = ResourceKinds::ACCOUNTS
        | ResourceKinds::ROLES
        | ResourceKinds::GRANTS
        | ResourceKinds::ORGANIZATIONS
        | ResourceKinds::EVENTS;
    ListRequest {
        details: AccountDetails::all(),
        limit: Some(100),
        ..ListRequest::everything(kinds)
    }
}

/// Makes sure that every request came by HTTP/2: those that read over one session, and each write over one of its own, which no
/// server can be just about to close.
fn came_over_sessions(simulator: &Simulator, writes: u64) {
    let requests = simulator.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert_eq!(request.version, Version::HTTP_2, "{request:?}");
        assert!(request.connection == 0 || request.is_write(), "{request:?}");
    }
    let connections = simulator.connections();
    let wanted = 1 + writes;
    assert_eq!((connections.tls, connections.http2), (wanted, wanted));
}

#[tokio::test]
async fn a_sync_is_the_same_as_over_plain_http() {
    let (plain, over_tls) = (tenant(600).await, tenant_over_tls(600).await);
    let items = list_request(&mut connector(&over_tls), everything()).await;
    let wanted = list_request(&mut connector(&plain), everything()).await;
    assert_eq!(format!("{items:#?}"), format!("{wanted:#?}"));
    came_over_sessions(&over_tls, 0);
    let versions = plain.requests().into_iter().map(|request| request.version);
    assert!(
        versions
            .into_iter()
            .all(|version| version == Version::HTTP_11)
    );
}

#[tokio::test]
async fn a_write_is_carried_out_once() {
    let simulator = tenant_over_tls(100).await;
    let accounts = simulator.accounts();
    let free = accounts.iter().find(|account| {
        account.kind == AccountKind::Technician
            && !account.scim
            && !account.administrator
            && account.memberships.is_empty()
    });
    let account = free.expect("the tenant has one").id;
    let role = role_for(&simulator, AccountKind::Technician);
    let pair = assignment(&account.to_string(), &role);
    let granted = connector(&simulator).grant(&pair, Mode::Apply).await;
    assert_eq!(granted.expect("granted").outcome, Outcome::Changed);
    let members = simulator.role_members(role.parse().expect("a number"));
    assert!(members.contains(&account), "{members:?}");
    assert_eq!(simulator.writes().len(), 1);
    came_over_sessions(&simulator, 1);
}
