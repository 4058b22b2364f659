//! Settings and tokens: what is wrong is named before any request, and a token is fetched no more often than needed.

use std::time::Duration;

use connector_host::TenantSettings;
use connector_host::contract::{Error, ListRequest, ResourceKinds};
use host_test::{connector, connector_with, failure, list, settings, simulated, tenant};
use ninjaone_simulator::Options;

#[tokio::test]
async fn bad_settings_are_refused_by_name_with_the_mend_and_before_any_request() {
    let simulator = tenant(1).await;
    let good = || settings(&simulator);
    let cases: [(&str, TenantSettings, &str); 7] = [
        (
            "base-url",
            good().plain("base-url", "app.ninjarmm.com"),
            "put https:// in front of it",
        ),
        (
            "base-url",
            good().plain("base-url", "http://app.ninjarmm.com"),
            "write https:// in place of http://",
        ),
        (
            "base-url",
            good().plain("base-url", "ftp://app.ninjarmm.com"),
            "write https:// in front of the host",
        ),
        (
            "client-id",
            good().plain("client-id", " "),
            "set it to the client id",
        ),
        (
            "client-secret",
            good().secret("client-secret", String::new().into()),
            "set it to the client secret",
        ),
        (
            "scope",
            good().plain("scope", "monitoring everything"),
            "use monitoring, management and control",
        ),
        (
            "scope",
            good().plain("scope", "monitoring offline_access"),
            "take offline_access out",
        ),
    ];
    for (name, settings, mend) in cases {
        let mut connector = connector_with(&simulator, settings);
        let failure = failure(connector.check().await);
        let Error::InvalidSettings(problems) = failure.error else {
            panic!("{failure:?}")
        };
        assert_eq!(
            problems
                .iter()
                .map(|problem| problem.field.as_str())
                .collect::<Vec<_>>(),
            [name]
        );
        assert!(problems[0].mend.contains(mend), "{problems:?}");
    }
    assert_eq!(simulator.request_count(), 0);
}

#[tokio::test]
async fn all_bad_settings_are_reported_at_once() {
    let simulator = tenant(1).await;
    let mut connector = connector_with(&simulator, TenantSettings::new().plain("scope", "x"));
    let failure = failure(
        connector
            .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
            .await,
    );
    let Error::InvalidSettings(problems) = failure.error else {
        panic!("{failure:?}")
    };
    let names: Vec<_> = problems
        .iter()
        .map(|problem| problem.field.as_str())
        .collect();
    assert_eq!(names, ["base-url", "client-id", "client-secret", "scope"]);
}

fn token_requests(simulator: &ninjaone_simulator::Simulator) -> usize {
    simulator
        .requests()
        .iter()
        .filter(|request| request.path == "/ws/oauth/token")
        .count()
}

#[tokio::test]
async fn a_token_is_kept_for_the_life_of_the_instance() {
    let simulator = tenant(5).await;
    let mut connector = connector(&simulator);
    for _ in 0..3 {
        list(&mut connector, ResourceKinds::ACCOUNTS).await;
    }
    assert_eq!(token_requests(&simulator), 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let simulator = simulated(Options {
        accounts: 5,
        token_lifetime: Duration::from_secs(1),
        ..Options::default()
    })
    .await;
    let mut connector = connector(&simulator);
    list(&mut connector, ResourceKinds::ACCOUNTS).await;
    tokio::time::sleep(Duration::from_millis(950)).await;
    list(&mut connector, ResourceKinds::ACCOUNTS).await;
    assert_eq!(token_requests(&simulator), 2);
    let refused = simulator
        .requests()
        .iter()
        .filter(|request| request.status.is_some_and(|status| status == 401))
        .count();
    assert_eq!(
        refused, 0,
        "it was renewed in time, not after it was refused"
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let simulator = tenant(5).await;
    let mut connector = connector(&simulator);
    list(&mut connector, ResourceKinds::ACCOUNTS).await;
    simulator.revoke_tokens();
    list(&mut connector, ResourceKinds::ACCOUNTS).await;
    assert_eq!(token_requests(&simulator), 2);
}

#[tokio::test]
async fn a_wrong_secret_is_unauthorized_and_says_what_to_do() {
    let simulator = tenant(1).await;
    let wrong = settings(&simulator).secret("client-secret", "not-the-secret".to_string().into());
    let mut connector = connector_with(&simulator, wrong);
    let failure = failure(
        connector
            .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
            .await,
    );
    assert_eq!(failure.error, Error::Unauthorized);
    assert!(
        failure.message.contains("check the setting client-secret"),
        "{}",
        failure.message
    );
    assert!(!format!("{failure:?}").contains("not-the-secret"));
    assert!(failure.exchange.expect("it was sent").request_id.is_some());
}

#[tokio::test]
async fn an_unknown_client_is_told_apart_from_a_wrong_secret() {
    let simulator = tenant(1).await;
    let unknown = settings(&simulator).plain("client-id", "nobody");
    let failure = failure(
        connector_with(&simulator, unknown)
            .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
            .await,
    );
    assert_eq!(failure.error, Error::Unauthorized);
    assert!(
        failure.message.contains("client-id") && failure.message.contains("region"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_scope_that_the_application_does_not_have_is_a_missing_permission() {
    let mut options = Options {
        accounts: 1,
        ..Options::default()
    };
    options.credentials.scopes = "monitoring".parse().expect("a scope");
    let simulator = simulated(options).await;
    let asking = settings(&simulator).plain("scope", "monitoring control");
    let failure = failure(
        connector_with(&simulator, asking)
            .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
            .await,
    );
    let Error::MissingPermission(needed) = failure.error else {
        panic!("{failure:?}")
    };
    assert_eq!(needed, ["monitoring", "control"]);
}
