//! `check`: what works, what does not, and what an administrator should do, each told apart from the others.

use connector_host::contract::{CheckReport, ErrorKind, Operation, Permission};
use host_test::{connector, connector_with, settings, simulated, tenant};
use ninjaone_simulator::{Behavior, Options};

fn permission(report: &CheckReport, operation: Operation) -> &Permission {
    let found = report
        .operations
        .iter()
        .find(|check| check.operation == operation);
    &found
        .expect("each operation that is supported is checked")
        .permission
}

fn advice(report: &CheckReport) -> String {
    report.advice.join("\n")
}

#[tokio::test]
async fn a_connection_that_works_is_healthy_and_allows_everything_that_is_described() {
    let simulator = tenant(10).await;
    let mut connector = connector(&simulator);
    let described = connector
        .describe()
        .await
        .expect("a description")
        .operations;
    let report = connector.check().await.expect("a report");
    assert!(report.healthy);
    assert_eq!(
        report.granted_scopes.as_deref(),
        Some(
            &[
                "monitoring".to_string(),
                "management".to_string(),
                "control".to_string()
            ][..]
        )
    );
    for operation in described {
        assert_eq!(
            permission(&report, operation.operation),
            &Permission::Allowed
        );
    }
    assert!(report.advice.is_empty(), "{report:?}");
    assert!(simulator.writes().is_empty());
}

#[tokio::test]
async fn every_request_that_reading_needs_is_tried() {
    let simulator = tenant(10).await;
    let report = connector(&simulator).check().await.expect("a report");
    let tried: Vec<_> = report
        .probes
        .iter()
        .map(|probe| probe.request.as_str())
        .collect();
    let expected = [
        "POST /ws/oauth/token",
        "GET /v2/users",
        "GET /v2/user/roles",
        "GET /v2/activities",
        "GET /v2/organizations",
    ];
    assert_eq!(tried, expected);
    let arrived: Vec<_> = simulator
        .requests()
        .iter()
        .map(|r| format!("{} {}", r.method, r.path))
        .collect();
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn scopes_that_are_missing_deny_what_needs_them_and_say_how_to_get_them() {
    let mut options = Options {
        accounts: 10,
        ..Options::default()
    };
    options.credentials.scopes = "monitoring".parse().expect("a scope");
    let simulator = simulated(options).await;
    let report = connector(&simulator).check().await.expect("a report");
    assert!(!report.healthy, "reading roles needs management");
    assert_eq!(
        permission(&report, Operation::ListAccounts),
        &Permission::Allowed
    );
    for operation in [
        Operation::ListGrants,
        Operation::Grant,
        Operation::CreateAccount,
    ] {
        let Permission::Denied(why) = permission(&report, operation) else {
            panic!("{report:?}")
        };
        assert!(why.contains("management"), "{why}");
    }
    let advice = advice(&report);
    assert!(
        advice.contains("scope management") && advice.contains("scope control"),
        "{advice}"
    );
}

#[tokio::test]
async fn an_unknown_client_or_a_wrong_region_is_told_as_such() {
    let simulator = tenant(1).await;
    let unknown = settings(&simulator).plain("client-id", "nobody");
    let report = connector_with(&simulator, unknown)
        .check()
        .await
        .expect("a report");
    assert_eq!(report.probes.len(), 1, "nothing else can be tried");
    assert_eq!(
        report.probes[0].failure.as_ref().expect("it failed").kind,
        ErrorKind::Unauthorized
    );
    assert!(
        advice(&report).contains("client-id") && advice(&report).contains("another region"),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_base_url_that_is_no_ninjaone_is_told_as_such() {
    let simulator = tenant(1).await;
    let elsewhere = settings(&simulator).plain("base-url", simulator.base_url() + "/somewhere");
    let report = connector_with(&simulator, elsewhere)
        .check()
        .await
        .expect("a report");
    assert!(
        advice(&report).contains("is no NinjaOne instance"),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_scope_that_the_application_lacks_is_told_as_such() {
    let mut options = Options {
        accounts: 1,
        ..Options::default()
    };
    options.credentials.scopes = "monitoring".parse().expect("a scope");
    let simulator = simulated(options).await;
    let asking = settings(&simulator).plain("scope", "monitoring control");
    let report = connector_with(&simulator, asking)
        .check()
        .await
        .expect("a report");
    assert_eq!(
        report.probes[0].failure.as_ref().expect("it failed").kind,
        ErrorKind::MissingPermission
    );
    assert!(
        advice(&report).contains("was not given every scope"),
        "{report:?}"
    );
}

async fn with_user_endpoints(value: &str) -> CheckReport {
    let mut behavior = Behavior::default();
    behavior
        .set("user-endpoints", value)
        .expect("it is one of its values");
    let simulator = simulated(Options {
        accounts: 5,
        behavior,
        ..Options::default()
    })
    .await;
    connector(&simulator).check().await.expect("a report")
}

#[tokio::test]
async fn an_instance_without_the_endpoints_for_users_is_told_as_such() {
    let report = with_user_endpoints("absent").await;
    assert!(!report.healthy);
    assert!(
        advice(&report).contains("has no such endpoint"),
        "{report:?}"
    );
    assert!(matches!(
        permission(&report, Operation::ListRoles),
        Permission::Denied(_)
    ));
}

#[tokio::test]
async fn an_endpoint_that_refuses_machine_tokens_is_told_as_such() {
    let report = with_user_endpoints("user-context-required").await;
    assert!(!report.healthy);
    assert!(
        advice(&report).contains("refuses machine-to-machine tokens"),
        "{report:?}"
    );
}
