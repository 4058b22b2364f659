//! Checking the connection: what was tried, what works, and what an administrator should do.

use ninjaone_connector::contract::{CheckReport, ErrorKind, Operation, Permission, ResourceKinds};
use serde_json::{Value, json};

use crate::support::tenant::{Answer, Fault, unknown_route};
use crate::support::{World, list_of};

const READS: [Operation; 5] = [
    Operation::ListAccounts,
    Operation::ListRoles,
    Operation::ListGrants,
    Operation::ListOrganizations,
    Operation::ListEvents,
];
const WRITES: [Operation; 5] = [
    Operation::Grant,
    Operation::Revoke,
    Operation::CreateAccount,
    Operation::UpdateAccount,
    Operation::DeleteAccount,
];

fn check(world: &World) -> CheckReport {
    world.check().expect("a report")
}

fn permission(report: &CheckReport, operation: Operation) -> &Permission {
    let found = report
        .operations
        .iter()
        .find(|own| own.operation == operation);
    &found.expect("every operation is in the report").permission
}

fn allowed(report: &CheckReport) -> Vec<Operation> {
    let allowed = report
        .operations
        .iter()
        .filter(|own| own.permission == Permission::Allowed);
    allowed.map(|own| own.operation).collect()
}

fn denied(report: &CheckReport, operation: Operation) -> &str {
    match permission(report, operation) {
        Permission::Denied(reason) => reason,
        other => panic!("{operation:?} is {other:?}"),
    }
}

#[test]
fn a_healthy_connection_allows_everything() {
    let world = World::changed(|tenant| tenant.latency_nanos = 7_999_999);
    let report = check(&world);
    assert!(report.healthy);
    assert_eq!(report.endpoint, "https://acme.example");
    let granted = ["monitoring", "management", "control"].map(ToString::to_string);
    assert_eq!(report.granted_scopes, Some(granted.to_vec()));
    assert_eq!(allowed(&report), [&READS[..], &WRITES[..]].concat());
    assert_eq!(report.advice, [""; 0]);
    let probes: Vec<_> = report
        .probes
        .iter()
        .map(|probe| {
            (
                probe.request.as_str(),
                probe.purpose.as_str(),
                probe.duration,
                probe.failure.is_none(),
            )
        })
        .collect();
    assert_eq!(
        probes,
        [
            ("POST /ws/oauth/token", "signing in", 7, true),
            ("GET /v2/users", "listing accounts", 7, true),
            ("GET /v2/user/roles", "listing roles and grants", 7, true),
            ("GET /v2/activities", "listing events", 7, true),
            ("GET /v2/organizations", "listing organizations", 7, true),
        ]
    );
    assert_eq!(
        world.tenant.lines(),
        [
            "GET /v2/users?userType=TECHNICIAN&includeRoles=true",
            "GET /v2/user/roles",
            "GET /v2/activities?class=USER&pageSize=1000",
            "GET /v2/organizations?pageSize=1",
        ]
    );
}

#[test]
fn only_the_beginning_of_each_answer_is_read() {
    let world = World::new();
    for path in ["/v2/users", "/v2/user/roles", "/v2/organizations"] {
        world.tenant.serve(path, r#"[{"id": 1}"#);
    }
    world
        .tenant
        .serve("/v2/activities", r#"{"activities": [{"id": 1}"#);
    assert!(check(&world).healthy);
}

#[test]
fn an_answer_that_is_not_what_it_should_be_is_a_failed_probe() {
    for (path, place) in [
        ("/v2/users", 1),
        ("/v2/user/roles", 2),
        ("/v2/activities", 3),
        ("/v2/organizations", 4),
    ] {
        let world = World::new();
        world.tenant.serve(path, "5");
        let report = check(&world);
        assert!(!report.healthy);
        let failed: Vec<_> = report
            .probes
            .iter()
            .map(|probe| probe.failure.is_some())
            .collect();
        let expected: Vec<_> = (0..5).map(|index| index == place).collect();
        assert_eq!(failed, expected);
        let failure = report.probes[place].failure.as_ref().expect("a failure");
        assert_eq!(failure.kind, ErrorKind::MalformedResponse);
    }
}

#[test]
fn without_a_token_nothing_else_is_tried_and_nothing_is_allowed() {
    let world = World::new();
    world.host.set("client-id", "another");
    let report = check(&world);
    assert!(!report.healthy);
    assert_eq!(
        (report.probes.len(), report.granted_scopes.clone()),
        (1, None)
    );
    let failure = report.probes[0].failure.clone().expect("a failure");
    assert_eq!(failure.kind, ErrorKind::Unauthorized);
    assert!(
        failure.message.ends_with("(request id WEB_MGMT_SERVICE-1)"),
        "{}",
        failure.message
    );
    assert_eq!((report.operations.len(), allowed(&report).len()), (10, 0));
    for operation in [Operation::ListAccounts, Operation::DeleteAccount] {
        assert!(denied(&report, operation).contains("client-id"));
    }
    let [advice] = &report.advice[..] else {
        panic!("not one advice: {:?}", report.advice);
    };
    assert!(
        advice.starts_with("POST /ws/oauth/token was answered 404 (Client app not exist): "),
        "{advice}"
    );
    assert!(world.tenant.lines().is_empty());
}

#[test]
fn an_instance_without_an_endpoint_is_told_which_and_what_cannot_work() {
    for (path, denied_operations) in [
        (
            "/v2/users",
            // Whether an account is gone is told by the list of users.
            &[
                Operation::ListAccounts,
                Operation::CreateAccount,
                Operation::DeleteAccount,
            ][..],
        ),
        (
            "/v2/user/roles",
            &[
                Operation::ListRoles,
                Operation::ListGrants,
                Operation::Grant,
                Operation::Revoke,
            ],
        ),
        ("/v2/organizations", &[Operation::ListOrganizations]),
        ("/v2/activities", &[Operation::ListEvents]),
    ] {
        let world = World::new();
        world
            .tenant
            .always(&format!("GET {path}"), Fault::Refuse(unknown_route()));
        let report = check(&world);
        assert!(!report.healthy);
        let expected: Vec<_> = [&READS[..], &WRITES[..]]
            .concat()
            .into_iter()
            .filter(|operation| !denied_operations.contains(operation))
            .collect();
        assert_eq!(allowed(&report), expected, "{path}");
        for operation in denied_operations {
            assert!(denied(&report, *operation).contains(path));
        }
        let [failure, rest @ ..] = report.advice.as_slice() else {
            panic!("{path} gets no advice");
        };
        assert!(failure.contains("no such endpoint"), "{failure}");
        let is_known = rest.iter().any(|advice| advice.contains("US government"));
        assert_eq!(is_known, path == "/v2/users", "{rest:?}");
    }
}

#[test]
fn an_address_that_is_no_instance_is_not_taken_for_one_without_endpoints() {
    let world = World::new();
    world
        .tenant
        .always("POST /ws/oauth/token", Fault::Refuse(unknown_route()));
    let report = check(&world);
    assert_eq!(report.advice.len(), 1);
    assert!(report.advice[0].contains("base-url"), "{:?}", report.advice);
}

#[test]
fn a_failure_that_is_no_missing_endpoint_gets_its_own_advice_alone() {
    let world = World::new();
    world
        .tenant
        .always("GET /v2/users", Fault::Refuse(Answer::text(403, "")));
    let report = check(&world);
    assert_eq!(report.advice.len(), 1);
    assert!(
        report.advice[0].contains("the scope monitoring"),
        "{:?}",
        report.advice
    );
}

#[test]
fn scopes_that_were_not_granted_deny_what_asks_for_them_and_are_advised() {
    for (scope, writes, missing, why) in [
        (
            "monitoring",
            &[][..],
            &["management", "control"][..],
            "the scope management was not granted",
        ),
        ("monitoring management", &WRITES[2..], &["control"][..], ""),
        (
            "monitoring control",
            &[][..],
            &["management"][..],
            "the scope management was not granted",
        ),
    ] {
        let world = World::new();
        world.host.set("scope", scope);
        let report = check(&world);
        // Reading works, and that is what is asked.
        assert!(report.healthy);
        assert_eq!(allowed(&report), [&READS[..], writes].concat(), "{scope}");
        match why {
            "" => assert_eq!(
                denied(&report, Operation::Grant),
                "the scope control was not granted"
            ),
            why => assert_eq!(denied(&report, Operation::DeleteAccount), why),
        }
        assert_eq!(report.advice.len(), missing.len());
        for (advice, scope) in report.advice.iter().zip(missing) {
            assert!(
                advice.starts_with(&format!("The scope {scope} was not granted.")),
                "{advice}"
            );
        }
    }
}

/// What is found where the answer with the token says this of its scopes.
fn check_with_scope(scope: Option<Value>) -> CheckReport {
    let world = World::new();
    world.host.set("scope", "monitoring management");
    let mut token = json!({"access_token": "token-0"});
    if let Some(scope) = scope {
        token["scope"] = scope;
    }
    let answer = Answer::json(200, &token);
    world
        .tenant
        .always("POST /ws/oauth/token", Fault::Refuse(answer));
    let report = check(&world);
    assert!(report.healthy);
    report
}

#[test]
fn where_ninjaone_says_nothing_of_the_scopes_those_were_granted_that_were_asked_for() {
    for scope in [None, Some(Value::Null)] {
        let report = check_with_scope(scope);
        let asked = ["monitoring", "management"].map(ToString::to_string);
        assert_eq!(report.granted_scopes, Some(asked.to_vec()));
        assert_eq!(allowed(&report), [&READS[..], &WRITES[2..]].concat());
        assert!(denied(&report, Operation::Grant).contains("control"));
    }
}

#[test]
fn scopes_are_read_from_one_text_or_several() {
    for scope in [
        json!("monitoring management control"),
        json!(" monitoring  management\tcontrol "),
        json!("monitoring,management, control"),
        json!(["monitoring", "management", "control"]),
        json!(["monitoring management", "control"]),
    ] {
        let report = check_with_scope(Some(scope.clone()));
        let granted = ["monitoring", "management", "control"].map(ToString::to_string);
        assert_eq!(report.granted_scopes, Some(granted.to_vec()), "{scope}");
        assert_eq!(allowed(&report), [&READS[..], &WRITES[..]].concat());
    }
}

#[test]
fn where_what_is_told_of_the_scopes_makes_no_sense_nobody_knows_about_writes() {
    for scope in [
        json!(""),
        json!("  "),
        json!([]),
        json!([""]),
        json!([null]),
        json!(["monitoring", 5]),
        json!([["monitoring"]]),
        json!({"monitoring": true}),
        json!(true),
        json!(5),
    ] {
        let report = check_with_scope(Some(scope.clone()));
        assert_eq!(
            (report.granted_scopes.clone(), report.advice.len()),
            (None, 0),
            "{scope}"
        );
        assert_eq!(allowed(&report), READS);
        for operation in WRITES {
            let unknown = permission(&report, operation);
            assert!(
                matches!(unknown, Permission::Unknown(reason) if reason.contains("scopes")),
                "{unknown:?}"
            );
        }
    }
}

#[test]
fn the_credentials_are_tried_whatever_tokens_there_are_already() {
    let world = World::new();
    world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect("a page");
    assert!(check(&world).healthy);
    assert!(check(&world).healthy);
    let tokens = world.tenant.token_requests();
    let cache_control: Vec<_> = tokens
        .iter()
        .map(|sent| sent.header("cache-control"))
        .collect();
    // The host keeps tokens, but hands out none where the request says so.
    assert_eq!(cache_control, [None, Some("no-cache"), Some("no-cache")]);
    // What was fetched is what is used from then on.
    world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect("a page");
    let sent = world.tenant.sent();
    let last = sent.last().expect("it was listed");
    assert_eq!(last.header("authorization"), Some("Bearer token-3"));
    world.host.set("client-secret", "another");
    let failure = check(&world).probes[0].failure.clone();
    let listed = world.list(&list_of(ResourceKinds::ACCOUNTS));
    listed.expect_err("there is no token that could hide it");
    assert_eq!(failure.expect("a failure").kind, ErrorKind::Unauthorized);
}

#[test]
fn a_check_waits_for_its_token_to_become_valid() {
    let world = World::new();
    let refused = Answer::json(401, &json!({"error": "not_authenticated"}));
    for _ in 0..2 {
        world
            .tenant
            .once("GET /v2/users", Fault::Refuse(refused.clone()));
    }
    assert!(check(&world).healthy);
    assert_eq!(world.tenant.token_requests().len(), 1);
    assert_eq!(world.host.pauses(), [1_000, 1_000]);
}

#[test]
fn a_web_page_in_place_of_a_token_says_the_same_as_in_any_other_call() {
    let world = World::new();
    world
        .tenant
        .always("POST /ws/oauth/token", Fault::Refuse(Answer::html(404)));
    let failure = check(&world).probes[0].failure.clone().expect("a failure");
    assert_eq!(failure.kind, ErrorKind::Upstream);
    assert!(
        failure.message.contains("check the base URL"),
        "{}",
        failure.message
    );
    assert_eq!(world.tenant.token_requests().len(), 1);
}

#[test]
fn a_check_can_be_repeated_and_sees_what_has_changed() {
    let world = World::new();
    assert!(check(&world).healthy);
    world.tenant.always(
        "GET /v2/organizations",
        Fault::Refuse(Answer::text(500, "")),
    );
    assert!(!check(&world).healthy);
}
