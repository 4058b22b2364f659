//! Tokens: asked for once, kept while they are good, renewed before they expire and once when they are not accepted.

use ninjaone_connector::contract::{Error, ErrorKind, Mode, ResourceKinds};
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::json;

use crate::support::host::{CLIENT_ID, SECRET};
use crate::support::tenant::{Answer, Fault, form_value, unknown_route};
use crate::support::{World, complaints, error, list_of};

const TOKEN: &str = "POST /ws/oauth/token";

/// Lists organizations, which takes at least one request with a token.
fn call(world: &World) {
    world
        .list(&list_of(ResourceKinds::ORGANIZATIONS))
        .expect("a page");
}

fn tokens_asked(world: &World) -> usize {
    world.tenant.token_requests().len()
}

/// How the call fails when the token endpoint answers so.
fn refused_with(answer: Answer) -> (Error, String) {
    let world = World::new();
    world.tenant.always(TOKEN, Fault::Refuse(answer));
    let failure = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect_err("no token");
    assert!(
        world.tenant.lines().is_empty(),
        "nothing can be sent without a token"
    );
    assert_eq!(
        failure.exchange.as_ref().map(|own| own.request.as_str()),
        Some(TOKEN)
    );
    (failure.error, failure.message)
}

#[test]
fn a_token_is_asked_for_once_in_an_instance() {
    let world = World::new();
    call(&world);
    call(&world);
    world.grant("2", "21", Mode::Apply).expect("a change");
    assert_eq!(tokens_asked(&world), 1);
    call(&world.fresh_instance());
    assert_eq!(tokens_asked(&world), 2);
}

#[test]
fn a_token_is_renewed_a_minute_before_it_expires() {
    let world = World::new();
    call(&world);
    world.clock().advance_seconds(3600 - 61);
    call(&world);
    assert_eq!(tokens_asked(&world), 1);
    world.clock().advance_seconds(1);
    call(&world);
    assert_eq!(tokens_asked(&world), 2);
    world.clock().advance_seconds(3600 - 61);
    call(&world);
    assert_eq!(tokens_asked(&world), 2);
}

#[test]
fn a_short_lived_token_is_used_for_nine_tenths_of_its_life() {
    let world = World::changed(|tenant| tenant.token_life = json!(100));
    call(&world);
    world.clock().advance_seconds(89);
    call(&world);
    assert_eq!(tokens_asked(&world), 1);
    world.clock().advance_seconds(1);
    call(&world);
    assert_eq!(tokens_asked(&world), 2);
}

#[test]
fn the_life_of_a_token_begins_when_it_is_asked_for() {
    let world = World::changed(|tenant| tenant.latency_nanos = 10_000_000_000);
    world.clock().advance_seconds(1_000_000);
    world.check().expect("a report");
    world.tenant.change().latency_nanos = 0;
    // The token's request took ten seconds, as did the four that followed.
    world.clock().advance_seconds(3600 - 60 - 51);
    call(&world);
    assert_eq!(tokens_asked(&world), 1);
    world.clock().advance_seconds(1);
    call(&world);
    assert_eq!(tokens_asked(&world), 2);
}

#[test]
fn the_life_of_a_token_is_read_however_it_is_written() {
    for life in [
        "100",
        "1e2",
        "1.0E+2",
        "100.0",
        "1000e-1",
        "\"100\"",
        "\" 100 \"",
        "\"1e2\"",
        "\"100.0\"",
    ] {
        let world = World::new();
        let body = format!(r#"{{"access_token": "token-0", "expires_in": {life}}}"#);
        let answer = Answer::text(200, body);
        world.tenant.once(TOKEN, Fault::Refuse(answer));
        call(&world);
        world.clock().advance_seconds(89);
        call(&world);
        assert_eq!(tokens_asked(&world), 1, "{life}");
        world.clock().advance_seconds(1);
        call(&world);
        assert_eq!(tokens_asked(&world), 2, "{life}");
    }
}

#[test]
fn a_token_that_does_not_say_how_long_it_lives_is_kept_until_it_is_not_accepted() {
    for life in [
        json!(null),
        json!(0),
        json!(-1),
        json!(-0.5),
        json!(1e-9),
        json!(i64::MAX),
        json!(1e300),
        json!("1e300"),
        json!("-5"),
        json!("soon"),
        json!("3600 s"),
        json!("\"3600\""),
        json!(""),
        json!(true),
        json!([3600]),
        json!({"seconds": 3600}),
    ] {
        let world = World::changed(|tenant| tenant.token_life = life.clone());
        call(&world);
        world.clock().advance_seconds(10_000_000);
        call(&world);
        assert_eq!(tokens_asked(&world), 1, "{life}");
    }
}

#[test]
fn a_token_that_is_not_accepted_is_renewed_and_the_call_goes_on() {
    let world = World::new();
    call(&world);
    world.tenant.change().revoke_tokens();
    world.tenant.forget_sent();
    call(&world);
    assert_eq!(tokens_asked(&world), 1);
    let first = "GET /v2/organizations?pageSize=1000";
    let second = "GET /v2/organizations?pageSize=1000&after=101";
    assert_eq!(world.tenant.lines(), [first, first, second]);
}

#[test]
fn a_write_that_was_not_accepted_is_sent_again_with_its_body() {
    let world = World::new();
    call(&world);
    let write = "PATCH /v2/user/role/21/add-members";
    world
        .tenant
        .once(write, Fault::outrun(|tenant| tenant.revoke_tokens()));
    world.grant("2", "21", Mode::Apply).expect("a change");
    let bodies: Vec<_> = world.tenant.writes().into_iter().map(|w| w.body).collect();
    assert_eq!(bodies, ["[2]", "[2]"]);
    assert_eq!(world.tenant.state().members(21), [1, 2]);
}

/// What the authentication layer says of a token that it does not know.
fn not_accepted() -> Fault {
    Fault::Refuse(Answer::json(
        401,
        &json!({"error": "not_authenticated", "error_code": 10}),
    ))
}

#[test]
fn a_token_that_is_not_known_everywhere_yet_is_tried_again_after_a_pause() {
    for (request, call) in [
        ("GET /v2/users", ResourceKinds::ACCOUNTS),
        ("GET /v2/user/roles", ResourceKinds::ROLES),
    ] {
        let world = World::new();
        for _ in 0..2 {
            world.tenant.once(request, not_accepted());
        }
        world.list(&list_of(call)).expect("a page");
        // It is the same one: another would be as new.
        assert_eq!(tokens_asked(&world), 1);
        assert_eq!(world.host.pauses(), [1_000, 1_000]);
        assert_eq!(world.tenant.lines()[0], world.tenant.lines()[2]);
    }
}

#[test]
fn a_write_waits_for_its_token_too() {
    let world = World::new();
    let write = "PATCH /v2/user/role/21/add-members";
    for request in ["GET /v2/user/roles", write] {
        world.tenant.once(request, not_accepted());
    }
    world.grant("2", "21", Mode::Apply).expect("a change");
    assert_eq!(world.tenant.state().members(21), [1, 2]);
    // What was accepted once is not new any more.
    assert_eq!((tokens_asked(&world), world.host.pauses().len()), (2, 1));
}

#[test]
fn a_token_that_stays_refused_is_told_with_its_age_and_kept_for_the_next_call() {
    let world = World::new();
    for _ in 0..5 {
        world.tenant.once("GET /v2/users", not_accepted());
    }
    let failure = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect_err("401");
    assert_eq!(failure.error, Error::Unauthorized);
    for said in [
        "the token is only 4 s old, and may become valid",
        "that the API application still exists",
    ] {
        assert!(failure.message.contains(said), "{}", failure.message);
    }
    assert_eq!((world.tenant.lines().len(), tokens_asked(&world)), (5, 1));
    world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect("a page");
    assert_eq!(tokens_asked(&world), 1);
}

#[test]
fn no_token_is_waited_for_longer_than_the_host_waits() {
    let world = World::new();
    world.tenant.always("GET /v2/users", not_accepted());
    world.host.stop_waiting_in(2_500);
    let failure = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect_err("401");
    assert_eq!(failure.error, Error::Unauthorized);
    assert_eq!(world.host.pauses(), [1_000, 1_000]);
}

#[test]
fn a_token_that_was_kept_for_half_a_minute_is_not_new_any_more() {
    for (seconds, tokens, pauses) in [(29, 1, 1), (30, 2, 0)] {
        let world = World::new();
        world
            .tenant
            .once("GET /v2/users", Fault::Refuse(Answer::text(404, "")));
        error(world.list(&list_of(ResourceKinds::ACCOUNTS)));
        world.clock().advance_seconds(seconds);
        world.tenant.once("GET /v2/users", not_accepted());
        world
            .list(&list_of(ResourceKinds::ACCOUNTS))
            .expect("a page");
        let found = (tokens_asked(&world), world.host.pauses().len());
        assert_eq!(found, (tokens, pauses), "after {seconds} s");
    }
}

#[test]
fn a_token_that_was_refused_gets_one_fresh_one_and_that_is_waited_for() {
    let world = World::new();
    call(&world);
    world.tenant.always("GET /v2/users", not_accepted());
    world.tenant.forget_sent();
    let failure = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect_err("401");
    assert_eq!(failure.error, Error::Unauthorized);
    // Once with the old one, and five times with the fresh one.
    assert_eq!((world.tenant.lines().len(), tokens_asked(&world)), (6, 1));
}

#[test]
fn a_missing_permission_is_not_taken_for_a_token_that_is_not_known_yet() {
    let world = World::new();
    let refused = Answer::json(401, &json!({"error": "insufficient_privileges"}));
    world.tenant.always("GET /v2/users", Fault::Refuse(refused));
    let error = error(world.list(&list_of(ResourceKinds::ACCOUNTS)));
    assert!(matches!(error, Error::MissingPermission(_)), "{error:?}");
    assert!(world.host.pauses().is_empty());
    assert_eq!(world.tenant.lines().len(), 1);
}

/// Lets the next token be one that the host kept for so many seconds.
fn keep_token_for(world: &World, seconds: &str) {
    let kept = json!({"access_token": "token-0", "expires_in": 3600});
    let answer = Answer::json(200, &kept).header("age", seconds);
    world.tenant.once(TOKEN, Fault::Refuse(answer));
}

#[test]
fn a_token_that_the_host_kept_is_as_old_as_it_says() {
    let world = World::new();
    keep_token_for(&world, "3000");
    call(&world);
    world.clock().advance_seconds(3600 - 60 - 3000 - 1);
    call(&world);
    assert_eq!(tokens_asked(&world), 1);
    world.clock().advance_seconds(1);
    call(&world);
    assert_eq!(tokens_asked(&world), 2);
    // One that is good for less than a second more is still good for the request that it was fetched for.
    for age in ["3540", "9999999999999999999", "soon", "-1"] {
        let world = World::new();
        keep_token_for(&world, age);
        call(&world);
    }
}

#[test]
fn a_kept_token_that_is_refused_gets_a_fresh_one_at_once() {
    let world = World::new();
    keep_token_for(&world, "31");
    world.tenant.once("GET /v2/organizations", not_accepted());
    call(&world);
    assert_eq!((tokens_asked(&world), world.host.pauses().len()), (2, 0));
}

#[test]
fn a_token_is_asked_for_anew_when_the_settings_change() {
    for (key, value) in [
        ("base-url", "https://acme.example:444"),
        ("scope", "monitoring"),
    ] {
        let world = World::new();
        call(&world);
        world.host.set(key, value);
        call(&world);
        assert_eq!(tokens_asked(&world), 2, "{key}");
        call(&world);
        assert_eq!(tokens_asked(&world), 2, "{key}");
    }
    let world = World::new();
    call(&world);
    world.host.set("client-id", "another");
    assert_eq!(
        error(world.list(&list_of(ResourceKinds::ACCOUNTS))),
        Error::Unauthorized
    );
}

#[test]
fn what_is_sent_for_a_token_is_a_form() {
    let world = World::new();
    call(&world);
    let sent = world.tenant.token_requests().remove(0);
    assert_eq!(
        sent.headers,
        [
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            (
                "user-agent",
                concat!("ninjaone-connector/", env!("CARGO_PKG_VERSION"))
            ),
            ("content-type", "application/x-www-form-urlencoded"),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()))
    );
    assert_eq!(
        sent.body,
        format!(
            "grant_type=client_credentials&client_id={CLIENT_ID}&client_secret=S3-cr_e.t*%2B%2F%3D%26%25+%7E%C3%BC\
             &scope=monitoring+management+control"
        )
    );
    assert_eq!(
        form_value(&sent.body, "client_secret").as_deref(),
        Some(SECRET)
    );
}

#[test]
fn every_request_carries_the_token_in_its_header_alone() {
    let world = World::new();
    call(&world);
    for sent in world.tenant.sent() {
        assert_eq!(sent.header("authorization"), Some("Bearer token-1"));
        assert!(!sent.url.contains("token-1"));
    }
}

#[test]
fn every_request_says_who_asks_and_that_no_coding_is_understood() {
    let world = World::new();
    call(&world);
    world.grant("2", "21", Mode::Apply).expect("a change");
    for sent in [world.tenant.sent(), world.tenant.token_requests()].concat() {
        let agent = sent.header("user-agent").expect("it is sent");
        let version = agent.strip_prefix("ninjaone-connector/");
        assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(sent.header("accept-encoding"), Some("identity"));
        assert_eq!(sent.header("cache-control"), None);
    }
}

#[test]
fn what_was_granted_is_logged_and_the_token_is_not() {
    let world = World::new();
    call(&world);
    assert_eq!(
        world.host.log(),
        ["Debug got a token scope=monitoring management control"]
    );
}

#[test]
fn an_unknown_application_is_told_from_an_unknown_instance() {
    let (error, message) = refused_with(Answer::failure(404, "Client app not exist"));
    assert_eq!(error, Error::Unauthorized);
    assert!(
        message.contains("client-id") && message.contains("region"),
        "{message}"
    );
    assert!(message.contains("(Client app not exist)"), "{message}");
    for answer in [
        unknown_route(),
        Answer::text(404, ""),
        Answer::text(404, "nothing here"),
    ] {
        let (error, message) = refused_with(answer);
        assert_eq!(error, Error::Upstream(404));
        assert!(
            message.contains("https://acme.example is no NinjaOne instance"),
            "{message}"
        );
        assert!(message.contains("base-url"), "{message}");
    }
}

#[test]
fn a_scope_that_was_not_given_is_told_with_the_scopes_asked_for() {
    let world = World::changed(|tenant| tenant.scopes = vec!["monitoring"]);
    world.host.set("scope", "monitoring control");
    let failure = world.check().map(|report| report.probes[0].failure.clone());
    let failure = failure.expect("a report").expect("a failure");
    assert_eq!(failure.kind, ErrorKind::MissingPermission);
    assert!(
        failure.message.contains("\"monitoring control\""),
        "{}",
        failure.message
    );
    let error = error(world.list(&list_of(ResourceKinds::ACCOUNTS)));
    let asked = ["monitoring", "control"].map(ToString::to_string).to_vec();
    assert_eq!(error, Error::MissingPermission(asked));
}

#[test]
fn a_wrong_secret_is_told_whatever_the_status() {
    for answer in [
        Answer::json(401, &json!({"error": "invalid_client"})),
        Answer::json(400, &json!({"error": "invalid_client"})),
        Answer::failure(403, "WRONG_SECRET"),
        Answer::text(401, ""),
    ] {
        let (error, message) = refused_with(answer);
        assert_eq!(error, Error::Unauthorized);
        assert!(message.contains("client-secret"), "{message}");
    }
}

#[test]
fn an_application_of_the_wrong_kind_is_told_which_it_should_be() {
    for code in ["unauthorized_client", "unsupported_grant_type"] {
        let (error, message) = refused_with(Answer::json(400, &json!({"error": code})));
        assert_eq!(error, Error::Unauthorized);
        assert!(
            message.contains("API Services (machine-to-machine)"),
            "{message}"
        );
    }
}

#[test]
fn a_web_page_in_place_of_a_token_is_throttling() {
    for answer in [
        Answer::html(200),
        Answer::text(200, "\n <html>"),
        Answer::html(403),
        Answer::html(400).header("retry-after", "7"),
        Answer::html(404).header("retry-after", "7"),
        Answer::html(429),
        Answer::html(503),
    ] {
        let (error, _) = refused_with(answer);
        assert!(matches!(error, Error::RateLimited(_)), "{error:?}");
    }
}

#[test]
fn other_failures_of_the_token_endpoint_are_told_as_those_of_any_other() {
    for (answer, expected) in [
        (Answer::text(500, ""), Error::Upstream(500)),
        (Answer::text(302, ""), Error::Upstream(302)),
        (Answer::text(204, ""), Error::Upstream(204)),
        (
            Answer::text(429, "").header("retry-after", "7"),
            Error::RateLimited(Some(7_000)),
        ),
        (
            Answer::json(400, &json!({"error": "x"})).breaks_off(TransportErrorKind::Network),
            Error::Unauthorized,
        ),
        (
            Answer::text(200, "{\"acc").breaks_off(TransportErrorKind::Network),
            Error::Network,
        ),
    ] {
        assert_eq!(refused_with(answer.clone()).0, expected, "{answer:?}");
    }
}

#[test]
fn a_token_request_that_is_not_answered_fails_as_any_other() {
    let world = World::new();
    for _ in 0..5 {
        world
            .tenant
            .once(TOKEN, Fault::Drop(TransportErrorKind::Network));
    }
    assert_eq!(error(world.grant("2", "21", Mode::Apply)), Error::Network);
    world.grant("2", "21", Mode::Apply).expect("a change");
}

#[test]
fn an_answer_that_is_no_token_is_malformed() {
    for body in [
        "",
        "null",
        "[]",
        "{",
        "{}",
        "\"token-1\"",
        r#"{"access_token": null}"#,
        r#"{"access_token": ""}"#,
        r#"{"access_token": 5}"#,
        r#"{"access_token": "token 1"}"#,
        r#"{"access_token": "token-1\r\nx: y"}"#,
        r#"{"access_token": "token-1", "token_type": "MAC"}"#,
    ] {
        let (error, message) = refused_with(Answer::text(200, body));
        assert_eq!(error, Error::MalformedResponse(None), "{body}");
        assert!(message.contains("base URL"), "{message}");
    }
}

#[test]
fn a_token_is_taken_whatever_else_the_answer_says_or_leaves_out() {
    for body in [
        r#"{"access_token": "token-0"}"#,
        r#"{"access_token": "token-0", "token_type": "bearer"}"#,
        r#" {"access_token": "token-0", "token_type": null, "scope": null, "jti": [1]} "#,
        r#"{"access_token": "token-0", "token_type": ["Bearer"], "expires_in": {}, "scope": 5}"#,
    ] {
        let world = World::new();
        world
            .tenant
            .once(TOKEN, Fault::Refuse(Answer::text(200, body)));
        call(&world);
    }
}

#[test]
fn the_request_id_of_a_refusal_is_kept() {
    let world = World::new();
    let refusals = [
        (
            Answer::failure(404, "Client app not exist"),
            "WEB_MGMT_SERVICE-1",
        ),
        (
            Answer::failure(404, "x").header("x-nj-request-id", "NJ-1"),
            "NJ-1",
        ),
        (Answer::failure(501, "x"), "WEB_MGMT_SERVICE-1"),
    ];
    for (answer, id) in refusals {
        world.tenant.once(TOKEN, Fault::Refuse(answer));
        let failure = world
            .list(&list_of(ResourceKinds::ACCOUNTS))
            .expect_err("no token");
        let exchange = failure.exchange.expect("an exchange");
        assert_eq!(exchange.request_id.as_deref(), Some(id));
    }
}

#[test]
fn a_secret_that_the_host_withdraws_is_missed_at_the_next_token() {
    let world = World::new();
    call(&world);
    world.host.unset("client-secret");
    call(&world);
    world.clock().advance_seconds(3_600);
    let error = error(world.list(&list_of(ResourceKinds::ORGANIZATIONS)));
    assert_eq!(complaints(error), ["client-secret"]);
}
