//! A consumer may pause between two pages for as long as it likes: it holds up nobody, loses nothing, and keeps nothing open
//! for ever. Over TLS and HTTP/2, where all requests to a host share one connection, and with the real component.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connector_host::contract::{Item, ListRequest, Page, ResourceKinds};
use connector_host::transport::{Terms, Transport};
use connector_host::{CallError, Connector, EgressPolicy, HostOptions, Limits, Listing, Plugin};
use host_test::misbehaving::{self, obey};
use host_test::{network_that_trusts, settings, tenant_over_tls, tenant_with};
use http::Request;
use http_body_util::BodyExt;
use ninjaone_simulator::Simulator;
use tokio::time::{sleep, timeout};

/// So many that an answer is larger than all that connections and hosts take in ahead.
const ACCOUNTS: u32 = 20_000;
/// How long a listing may take, whatever others do. It takes less than two seconds on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn everybody() -> ListRequest {
    ListRequest::everything(ResourceKinds::ACCOUNTS)
}

fn identifiers(page: &Page) -> Vec<String> {
    let accounts = page.items.iter().map(|item| match item {
        Item::Account(account) => account.id.clone(),
        other => panic!("only accounts were asked for, and not {other:?}"),
    });
    accounts.collect()
}

/// The rest of a listing.
async fn rest(listing: &mut Listing<'_>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(page) = listing.next_page().await.expect("the listing is whole") {
        all.extend(identifiers(&page));
    }
    all
}

/// Lists everybody, in time.
async fn lists_everybody(mut connector: Connector) {
    let mut listing = connector.list_all(everybody());
    let all = timeout(PATIENCE, rest(&mut listing)).await;
    let all = all.expect("nobody holds it up");
    assert_exact(&all);
}

/// Each account once.
fn assert_exact(all: &[String]) {
    assert_eq!(all.len(), ACCOUNTS as usize);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

/// A connector of its own tenant, at the same address as all others.
fn connector(plugin: &Plugin, simulator: &Simulator) -> Connector {
    plugin.instantiate(tenant_with(simulator, settings(simulator)))
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_that_pause_hold_no_other_tenant_up() {
    let simulator = tenant_over_tls(ACCOUNTS).await;
    let plugin = host_test::plugin();
    let mut paused: Vec<_> = (0..8).map(|_| connector(plugin, &simulator)).collect();
    let mut listings = Vec::new();
    for connector in &mut paused {
        let mut listing = connector.list_all(everybody());
        let page = listing.next_page().await.expect("it begins");
        assert!(page.is_some_and(|page| !page.items.is_empty()));
        listings.push(listing);
    }
    lists_everybody(connector(plugin, &simulator)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_that_pause_do_not_hold_up_their_own_tenant() {
    let simulator = tenant_over_tls(ACCOUNTS).await;
    let tenant = tenant_with(&simulator, settings(&simulator));
    let plugin = host_test::plugin();
    let instantiate = || plugin.instantiate(tenant.clone());
    let mut paused: Vec<_> = (0..8).map(|_| instantiate()).collect();
    let mut listings = Vec::new();
    for connector in &mut paused {
        let mut listing = connector.list_all(everybody());
        listing.next_page().await.expect("it begins");
        listings.push(listing);
    }
    lists_everybody(instantiate()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_leaves_answers_lying_holds_no_other_tenant_up() {
    let simulator = tenant_over_tls(ACCOUNTS).await;
    let hostile = misbehaving::plugin(Limits::default());
    // It sends its client secret as a token; this one is a token.
    let token = token(&simulator).await;
    let settings = settings(&simulator).secret("client-secret", token.into());
    let mut hostile = hostile.instantiate(tenant_with(&simulator, settings));
    let url = simulator.base_url();
    obey(&mut hostile, &format!("leave-answers 8 {url}/v2/users"))
        .await
        .expect("that many are allowed");
    lists_everybody(connector(host_test::plugin(), &simulator)).await;
}

/// A token of the simulated tenant.
async fn token(simulator: &Simulator) -> String {
    let authority = simulator.authority().expect("it speaks TLS");
    let network = Arc::new(network_that_trusts(authority));
    let credentials = simulator.credentials();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=monitoring",
        credentials.client_id, credentials.client_secret
    );
    let request = Request::post(format!("{}/ws/oauth/token", simulator.base_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.into());
    let answer = network.send(request.expect("it is a request"), Terms::default());
    let answer = answer.await.expect("it is answered").into_body();
    let body = answer.collect().await.expect("it is whole").to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).expect("it is JSON");
    let token = body["access_token"].as_str().expect("there is one");
    token.to_string()
}

/// The component in a host that lets answers go that nobody reads for so long.
fn impatient(idle: Duration) -> Plugin {
    let limits = Limits::default().idle_body(idle);
    host_test::load(HostOptions::default().limits(limits))
}

/// How often the accounts were asked for.
fn asked(simulator: &Simulator) -> usize {
    let requests = simulator.requests();
    let of_accounts = requests
        .iter()
        .filter(|request| request.path == "/v2/users");
    of_accounts.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_is_let_go_and_the_listing_goes_on_exactly_there() {
    let simulator = tenant_over_tls(ACCOUNTS).await;
    let idle = Duration::from_millis(200);
    let mut connector = connector(&impatient(idle), &simulator);
    let mut listing = connector.list_all(everybody());
    let first = listing.next_page().await.expect("it begins");
    let mut all = identifiers(&first.expect("there are accounts"));
    assert_eq!(asked(&simulator), 1);
    sleep(5 * idle).await;
    all.extend(rest(&mut listing).await);
    assert_exact(&all);
    assert!(
        asked(&simulator) > 1,
        "the answer was let go, and asked for again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_does_not_pause_for_long_reads_one_answer() {
    let simulator = tenant_over_tls(ACCOUNTS).await;
    let mut connector = connector(&impatient(Duration::from_secs(5)), &simulator);
    let mut listing = connector.list_all(everybody());
    let mut all = Vec::new();
    while let Some(page) = listing.next_page().await.expect("the listing is whole") {
        all.extend(identifiers(&page));
        sleep(Duration::from_millis(20)).await;
    }
    assert_exact(&all);
    assert_eq!(asked(&simulator), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_dropped_ends_in_the_connector_too() {
    let simulator = tenant_over_tls(ACCOUNTS).await;
    let mut connector = connector(host_test::plugin(), &simulator);
    let mut listing = connector.list_all(everybody());
    listing.next_page().await.expect("it begins");
    drop(listing);
    assert_eq!(connector.open_handles(), None, "the instance is gone");
    lists_everybody(connector).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_taken_up_elsewhere_is_checked_as_a_whole() {
    let simulator = tenant_over_tls(ACCOUNTS).await;
    let plugin = host_test::plugin();
    let mut first = connector(plugin, &simulator);
    let mut listing = first.list_all(everybody());
    assert_eq!(listing.checkpoint(), None, "nothing was given yet");
    let page = listing.next_page().await.expect("it begins");
    let mut all = identifiers(&page.expect("there are accounts"));
    let checkpoint = listing.checkpoint().expect("it goes on");
    assert_eq!(checkpoint.received.accounts, all.len() as u64);
    drop(listing);

    let mut second = connector(plugin, &simulator);
    let mut listing = second.resume(everybody(), checkpoint.clone());
    all.extend(rest(&mut listing).await);
    assert_exact(&all);
    assert_eq!(listing.checkpoint(), None, "there is nothing to go on with");
    drop(listing);

    // Who lost a page before the checkpoint is told.
    let mut lost = checkpoint;
    lost.received.accounts -= 1;
    let mut third = connector(plugin, &simulator);
    let mut listing = third.resume(everybody(), lost);
    let error = loop {
        match listing.next_page().await {
            Ok(page) => assert!(page.is_some(), "the loss was not noticed"),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(error, CallError::ListingNotWhole { .. }),
        "{error}"
    );
    // To ask again does not make it whole.
    let again = listing.next_page().await;
    let again = again.expect_err("it has failed for good");
    assert!(
        matches!(again, CallError::ListingNotWhole { .. }),
        "{again}"
    );
    assert_eq!(listing.checkpoint(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_has_connections_of_its_own_and_its_connectors_share_them_and_one_token() {
    let simulator = tenant_over_tls(30).await;
    let plugin = host_test::plugin();
    let tenants = [(); 3].map(|()| tenant_with(&simulator, settings(&simulator)));
    for tenant in &tenants {
        let connectors = [(); 3].map(|()| plugin.instantiate(tenant.clone()));
        for mut connector in connectors {
            let mut listing = connector.list_all(everybody());
            while listing.next_page().await.expect("it is whole").is_some() {}
        }
    }
    let requests = simulator.requests();
    let tokens = requests
        .iter()
        .filter(|request| request.path.ends_with("/oauth/token"));
    assert_eq!(tokens.count(), tenants.len());
    assert_eq!(simulator.connections().http2, tenants.len() as u64);
}

#[test]
fn a_tenant_shows_no_secret() {
    let egress = EgressPolicy::nothing();
    let tenant = misbehaving::tenant("acme", "hunter2-hunter2", egress);
    let shown = format!("{tenant:?}");
    assert!(
        shown.contains("acme") && !shown.contains("hunter2"),
        "{shown}"
    );
}
