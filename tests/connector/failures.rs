//! Failures of NinjaOne's: told apart by what a host acts on, with what a person acts on.

use ninjaone_connector::contract::{Error, Failure, Mode, ResourceKinds, TimeoutPhase};
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::{Value, json};

use crate::support::host::SECRET;
use crate::support::tenant::{Answer, Fault, unknown_route};
use crate::support::{World, error, list_of};

const USERS: &str = "GET /v2/users";

/// How listing users fails on this answer.
fn failure(answer: Answer) -> Failure {
    failure_at(0, answer)
}

/// The same, when it is so many seconds after 1970.
fn failure_at(unix_seconds: u64, answer: Answer) -> Failure {
    let world = World::new();
    world.clock().unix_seconds.set(unix_seconds);
    world.tenant.always(USERS, Fault::Refuse(answer));
    let failure = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect_err("a failure");
    let exchange = failure.exchange.as_ref().expect("an exchange");
    assert_eq!(exchange.request, USERS);
    failure
}

fn scopes(scopes: &[&str]) -> Error {
    Error::MissingPermission(scopes.iter().map(ToString::to_string).collect())
}

/// The `error_code` that stands in every failure of the authentication layer.
fn auth_layer(status: u16, error: &str, description: &str, code: i64) -> Answer {
    let body = json!({"error": error, "error_description": description, "error_code": code});
    Answer::json(status, &body)
}

#[test]
fn every_observed_failure_is_told_apart() {
    let cases = [
        (
            auth_layer(400, "missing_header", "Missing required header", 2),
            Error::Other,
            "did not arrive as it was sent",
        ),
        (
            auth_layer(400, "invalid_header", "Invalid 'Authorization' header", 1),
            Error::Other,
            "did not arrive as it was sent",
        ),
        (
            auth_layer(401, "not_authenticated", "Invalid credentials", 10),
            Error::Unauthorized,
            "may become valid in a moment",
        ),
        (
            auth_layer(
                403,
                "user_context_required",
                "Access key does not have user context which is required for this request",
                5,
            ),
            scopes(&[]),
            "refuses machine-to-machine tokens",
        ),
        (unknown_route(), Error::Upstream(404), "no such endpoint"),
        (
            Answer::json(
                500,
                &json!({"resultCode": "FAILURE", "errorMessage": "NullPointerException"}),
            ),
            Error::Upstream(500),
            "NinjaOne says \"NullPointerException\"",
        ),
        (
            Answer::text(401, "\"insufficient_privileges\""),
            scopes(&["monitoring"]),
            "the scope monitoring",
        ),
        (
            Answer::json(401, &json!({"error": "insufficient_privileges"})),
            scopes(&["monitoring"]),
            "the scope monitoring",
        ),
    ];
    for (answer, expected, said) in cases {
        let failure = failure(answer.clone());
        assert_eq!(failure.error, expected, "{answer:?}");
        assert!(failure.message.contains(said), "{}", failure.message);
    }
}

#[test]
fn a_status_without_a_known_body_is_taken_for_what_it_says() {
    for (status, expected) in [
        (201, Error::Upstream(201)),
        (206, Error::Upstream(206)),
        (301, Error::Upstream(301)),
        (399, Error::Upstream(399)),
        (400, Error::Upstream(400)),
        (401, Error::Unauthorized),
        (403, scopes(&["monitoring"])),
        (404, Error::Upstream(404)),
        (405, Error::Upstream(405)),
        (408, Error::Timeout(TimeoutPhase::FirstByte)),
        (409, Error::Upstream(409)),
        (418, Error::Upstream(418)),
        (422, Error::Upstream(422)),
        (429, Error::RateLimited(None)),
        (500, Error::Upstream(500)),
        (502, Error::Upstream(502)),
        (503, Error::RateLimited(None)),
        (599, Error::Upstream(599)),
        (600, Error::Upstream(600)),
    ] {
        for body in [
            "",
            "oops",
            "\"oops\"",
            "{",
            "{}",
            "[]",
            "null",
            "{\"error\": 5}",
        ] {
            let failure = failure(Answer::text(status, body));
            assert_eq!(failure.error, expected, "{status} {body}");
            let exchange = failure.exchange.expect("an exchange");
            assert_eq!((exchange.status, exchange.code), (Some(status), None));
        }
    }
}

#[test]
fn a_message_says_what_to_do_about_a_status() {
    for (status, advice) in [
        (206, "this success is not one"),
        (400, "remedy what it names"),
        (
            403,
            "give the API application in NinjaOne the scope monitoring, and name it in the setting scope",
        ),
        (404, "what it names is not there"),
        (405, "this status is not one"),
        (408, "did not get the request in time"),
        (429, "wait and try again"),
        (500, "give its support the request id"),
        (599, "give its support the request id"),
        (600, "this status is not one"),
    ] {
        let failure = failure(Answer::text(status, ""));
        let expected = format!("GET /v2/users was answered {status}: ");
        assert!(
            failure.message.starts_with(&expected),
            "{}",
            failure.message
        );
        assert!(failure.message.contains(advice), "{}", failure.message);
    }
}

#[test]
fn a_web_page_is_throttling_where_its_status_or_its_header_says_so() {
    for status in [200, 201, 403, 429, 503] {
        assert_eq!(
            failure(Answer::html(status)).error,
            Error::RateLimited(None),
            "{status}"
        );
    }
    for status in [200, 201, 400, 403, 404, 405, 429, 503] {
        let page = Answer::html(status).header("retry-after", "9");
        assert_eq!(
            failure(page).error,
            Error::RateLimited(Some(9_000)),
            "{status}"
        );
    }
    assert_eq!(failure(Answer::html(500)).error, Error::Upstream(500));
    assert_eq!(failure(Answer::html(502)).error, Error::Upstream(502));
    for page in [
        Answer::html(401),
        Answer::html(401).header("retry-after", "9"),
    ] {
        assert_eq!(failure(page).error, Error::Unauthorized);
    }
    let of_a_proxy = failure(Answer::html(407));
    assert_eq!(of_a_proxy.error, Error::Upstream(407));
    assert!(
        !of_a_proxy.message.contains("endpoint there"),
        "{}",
        of_a_proxy.message
    );
    assert_eq!(
        failure(Answer::html(408)).error,
        Error::Timeout(TimeoutPhase::FirstByte)
    );
}

#[test]
fn any_other_web_page_says_that_there_is_no_endpoint_and_is_not_asked_for_again() {
    let pages = |status| {
        [
            Answer::html(status),
            Answer::text(status, "Not here").header("content-type", "Text/HTML"),
            Answer::text(status, "").header("content-type", "application/xhtml+xml"),
            // Whatever it calls itself.
            Answer::text(status, " <!doctype html>").header("content-type", "application/json"),
            Answer::text(status, "<?xml version=\"1.0\"?><Error/>"),
        ]
    };
    for request in [USERS, "POST /ws/oauth/token"] {
        for page in [400, 404, 405, 409, 410, 421, 451]
            .into_iter()
            .flat_map(pages)
        {
            let world = World::new();
            world.tenant.always(request, Fault::Refuse(page.clone()));
            let failure = world
                .list(&list_of(ResourceKinds::ACCOUNTS))
                .expect_err("a page");
            let status = failure.exchange.and_then(|exchange| exchange.status);
            assert_eq!(status.map(Error::Upstream), Some(failure.error), "{page:?}");
            for said in ["web page", "no such endpoint", "check the base URL"] {
                assert!(failure.message.contains(said), "{}", failure.message);
            }
            assert!(world.host.pauses().is_empty());
            let tokens = world.tenant.token_requests().len();
            assert_eq!(
                (tokens, world.tenant.lines().len()),
                (1, usize::from(request == USERS))
            );
        }
    }
}

#[test]
fn the_code_and_the_request_id_are_kept_from_wherever_they_stand() {
    let text = |text: &str| Some(text.to_string());
    let cases: [(Value, Option<String>, Option<String>); 5] = [
        (
            json!({"resultCode": "BAD", "incidentId": "I-1"}),
            text("BAD"),
            text("I-1"),
        ),
        (
            json!({"error": "worse", "resultCode": "BAD"}),
            text("worse"),
            None,
        ),
        (
            json!({"resultCode": "BAD", "errorMessage": {"code": "worst", "params": []}}),
            text("worst"),
            None,
        ),
        (
            json!({"resultCode": "BAD", "errorMessage": {"params": []}}),
            text("BAD"),
            None,
        ),
        (json!({"resultCode": null, "incidentId": 5}), None, None),
    ];
    for (body, code, request_id) in cases {
        let exchange = failure(Answer::json(400, &body))
            .exchange
            .expect("an exchange");
        assert_eq!(
            (exchange.code, exchange.request_id),
            (code, request_id),
            "{body}"
        );
    }
    let both = Answer::json(400, &json!({"incidentId": "I-1"})).header("x-nj-request-id", "NJ-1");
    let exchange = failure(both).exchange.expect("an exchange");
    assert_eq!(exchange.request_id, text("NJ-1"));
}

#[test]
fn what_ninjaone_says_is_passed_on_but_not_at_any_length() {
    for body in [
        json!({"errorMessage": "No way"}),
        json!({"error_description": "No way", "errorMessage": "other"}),
        json!("No way"),
    ] {
        let message = failure(Answer::json(400, &body)).message;
        assert!(
            message.contains("NinjaOne says \"No way\"; NinjaOne did"),
            "{message}"
        );
    }
    for (said, shown) in [
        ("é".repeat(200), format!("\"{}\"", "é".repeat(200))),
        ("é".repeat(201), format!("\"{}…\"", "é".repeat(200))),
    ] {
        let message = failure(Answer::json(400, &json!(said))).message;
        assert!(message.contains(&shown), "{message}");
    }
    let message = failure(Answer::json(400, &json!({"errorMessage": ""}))).message;
    assert!(!message.contains("says"), "{message}");
}

#[test]
fn the_code_stands_in_the_message() {
    let failure = failure(Answer::failure(400, "BAD_THING"));
    assert!(
        failure
            .message
            .starts_with("GET /v2/users was answered 400 (BAD_THING): "),
        "{}",
        failure.message
    );
}

#[test]
fn a_wait_is_told_in_milliseconds_however_it_is_written() {
    const NOW: u64 = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
    for (retry_after, expected) in [
        ("120", Some(120_000)),
        (" 0 ", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
        ("Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
        ("Sun Nov  6 08:50:37 1994", Some(60_000)),
        ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
        ("1.5", Some(2_000)),
        ("2.0", Some(2_000)),
        ("120, 7", Some(120_000)),
        ("sun, 06 nov 1994 08:50:37 gmt", Some(60_000)),
        ("Sun, 06 Nov 1994 08:50:37 UTC", Some(60_000)),
        ("Sun, 06 Nov 1994 08:50:37 +0000", Some(60_000)),
        // It makes no sense, and is a reason to wait longer and not at once.
        ("-1", Some(5_000)),
        ("soon", Some(5_000)),
        ("", Some(5_000)),
    ] {
        for status in [429, 503] {
            let answer = Answer::text(status, "").header("retry-after", retry_after);
            let error = failure_at(NOW, answer).error;
            assert_eq!(error, Error::RateLimited(expected), "{retry_after}");
        }
    }
}

#[test]
fn a_wait_until_a_date_is_counted_by_the_clock_of_who_named_it() {
    let answer = Answer::text(429, "")
        .header("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")
        .header("date", "Sun, 06 Nov 1994 08:50:30 GMT");
    assert_eq!(failure_at(5, answer).error, Error::RateLimited(Some(7_000)));
}

#[test]
fn a_redirect_is_not_followed_and_says_where_it_leads_without_secrets() {
    for (location, shown) in [
        (
            "https://eu.ninjarmm.com/v2/users?token=abc",
            "https://eu.ninjarmm.com,",
        ),
        (
            "https://ada:pw@eu.ninjarmm.com#top",
            "https://eu.ninjarmm.com,",
        ),
        ("/login?token=abc", "another path of the same host"),
    ] {
        let failure = failure(Answer::text(302, "").header("location", location));
        assert_eq!(failure.error, Error::Upstream(302));
        assert!(
            failure.message.contains(&format!("redirects to {shown}")),
            "{}",
            failure.message
        );
        for secret in ["abc", "ada", "pw"] {
            assert!(!failure.message.contains(secret), "{}", failure.message);
        }
        assert!(failure.message.contains("base URL"), "{}", failure.message);
    }
    let nowhere = failure(Answer::text(307, "")).message;
    assert!(
        nowhere.contains("redirects to an unnamed place"),
        "{nowhere}"
    );
}

#[test]
fn a_body_in_another_encoding_is_malformed() {
    for coding in ["gzip", "br", "x"] {
        let failure = failure(Answer::text(200, "[]").header("content-encoding", coding));
        assert_eq!(failure.error, Error::MalformedResponse(None));
        assert!(
            failure.message.contains(&format!("{coding:?}")),
            "{}",
            failure.message
        );
        assert!(failure.message.contains("proxy"), "{}", failure.message);
    }
    let world = World::new();
    let plain = Answer::text(200, "[]").header("content-encoding", "identity");
    world.tenant.once(USERS, Fault::Refuse(plain));
    world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect("a page");
}

#[test]
fn a_request_that_is_not_answered_says_what_went_wrong() {
    for (kind, expected, advice) in [
        (
            TransportErrorKind::ConnectTimeout,
            Error::Timeout(TimeoutPhase::Connect),
            "check the base URL and the network",
        ),
        (
            TransportErrorKind::FirstByteTimeout,
            Error::Timeout(TimeoutPhase::FirstByte),
            "try again later",
        ),
        (
            TransportErrorKind::BetweenBytesTimeout,
            Error::Timeout(TimeoutPhase::BetweenBytes),
            "try again later",
        ),
        (
            TransportErrorKind::Network,
            Error::Network,
            "check the base URL and the network",
        ),
        (
            TransportErrorKind::Denied,
            Error::Other,
            "what the governance host lets connectors reach",
        ),
        (
            TransportErrorKind::TooLarge,
            Error::LimitExceeded,
            "raise the limit",
        ),
        (
            TransportErrorKind::Internal,
            Error::Other,
            "please report it",
        ),
    ] {
        let world = World::new();
        world.tenant.always(USERS, Fault::Drop(kind));
        let failure = world
            .list(&list_of(ResourceKinds::ACCOUNTS))
            .expect_err("no answer");
        assert_eq!(failure.error, expected);
        let expected = "GET /v2/users was not answered: the fake transport says so; ";
        assert!(failure.message.starts_with(expected), "{}", failure.message);
        assert!(failure.message.contains(advice), "{}", failure.message);
        assert_eq!(failure.exchange.expect("an exchange").status, None);
    }
}

#[test]
fn a_failure_whose_body_breaks_off_is_told_as_its_status_says() {
    for (status, expected) in [
        (400, Error::Upstream(400)),
        (403, scopes(&["monitoring"])),
        (404, Error::Upstream(404)),
        (429, Error::RateLimited(Some(7_000))),
    ] {
        let broken = Answer::text(status, "{\"resul")
            .header("retry-after", "7")
            .breaks_off(TransportErrorKind::Network);
        assert_eq!(failure(broken).error, expected, "{status}");
    }
}

#[test]
fn a_failure_with_an_endless_body_is_read_to_64_kib() {
    let world = World::changed(|tenant| tenant.chunk_bytes = 1024);
    let endless = Answer::text(500, "x".repeat(64 * 1024)).breaks_off(TransportErrorKind::Network);
    world.tenant.always(USERS, Fault::Refuse(endless));
    assert_eq!(
        error(world.list(&list_of(ResourceKinds::ACCOUNTS))),
        Error::Upstream(500)
    );
}

#[test]
fn each_operation_names_the_scopes_that_would_allow_it() {
    let forbidden = || Fault::Refuse(Answer::text(403, ""));
    let world = World::new();
    world
        .tenant
        .once("PATCH /v2/user/role/21/add-members", forbidden());
    let error = error(world.grant("2", "21", Mode::Apply));
    assert_eq!(error, scopes(&["control"]));
    for (account, path, also) in [("2", "technician/2", true), ("11", "end-user/11", false)] {
        world
            .tenant
            .once(&format!("DELETE /v2/user/{path}"), forbidden());
        let failure = world.delete(account, Mode::Apply).expect_err("403");
        assert_eq!(failure.error, scopes(&["management"]));
        assert!(
            failure.message.contains("the scope management"),
            "{}",
            failure.message
        );
        assert_eq!(
            failure.message.contains("System Administrator"),
            also,
            "{}",
            failure.message
        );
    }
}

/// The ways in which a server may spell what it was sent.
fn spellings(text: &str) -> Vec<String> {
    let form: String = text
        .bytes()
        .map(|byte| match byte {
            b' ' => "+".to_string(),
            b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let percent = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let unicode = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    let html = text
        .replace('&', "&amp;")
        .replace('/', "&#x2F;")
        .replace('+', "&#43;");
    let quoted = json!(text).to_string().replace('/', "\\/");
    vec![text.to_string(), form, percent, unicode, html, quoted]
}

/// Answers of this status that repeat something, wherever the connector looks.
fn echoes(status: u16, said: &str) -> Vec<Answer> {
    let sentence = format!("bad request: {said} was sent");
    // So long that it is shortened in the middle of it, or a little before or after.
    let long = |before: usize| format!("{}{said} was sent", "x".repeat(before));
    let in_json = |said: &str| {
        let body = json!({"error": said, "error_description": sentence, "incidentId": said});
        Answer::json(status, &body)
    };
    vec![
        in_json(said),
        in_json(&json!(said).to_string()),
        Answer::json(
            status,
            &json!({"resultCode": sentence, "errorMessage": said}),
        ),
        Answer::json(
            status,
            &json!({"errorMessage": {"code": said, "params": [said]}}),
        ),
        Answer::json(status, &json!({"errorMessage": long(180)})),
        Answer::json(status, &json!({"errorMessage": long(194)})),
        Answer::json(status, &json!(sentence)),
        // As it is escaped already.
        Answer::text(
            status,
            format!("{{\"error\":\"{}\"}}", said.replace('"', "\\\"")),
        ),
        Answer::text(status, "").header("x-nj-request-id", said),
        Answer::text(status, "").header("location", &format!("https://{said}.example/{said}")),
        Answer::text(status, "").header("location", &format!("{said}://x/")),
        Answer::text(status, "[]").header("content-encoding", said),
    ]
}

#[test]
fn what_was_secret_about_a_request_is_not_repeated_however_the_answer_spells_it() {
    for (request, secret) in [
        (USERS, "token-1"),
        (USERS, "Bearer token-1"),
        (USERS, SECRET),
        ("POST /ws/oauth/token", SECRET),
    ] {
        for said in spellings(secret) {
            for status in [200, 302, 400, 401, 403, 404, 429, 500] {
                for echo in echoes(status, &said) {
                    let world = World::new();
                    world.tenant.always(request, Fault::Refuse(echo));
                    // The world looks for secrets in everything that comes out.
                    error(world.list(&list_of(ResourceKinds::ACCOUNTS)));
                    world.check().expect("a report");
                }
            }
        }
    }
}

#[test]
fn a_token_that_was_replaced_is_not_repeated_either() {
    let world = World::new();
    world
        .list(&list_of(ResourceKinds::ORGANIZATIONS))
        .expect("a page");
    world.tenant.change().revoke_tokens();
    let late = Answer::json(500, &json!({"errorMessage": "token-1 was not accepted"}));
    world.tenant.after(1, USERS, Fault::Refuse(late));
    error(world.list(&list_of(ResourceKinds::ACCOUNTS)));
}

#[test]
fn nothing_of_a_record_is_repeated_where_it_makes_no_sense() {
    let long = "9".repeat(100_000);
    for record in [
        r#"{"id": "8123456789012345"}"#.to_string(),
        format!("{{\"id\": {long}}}"),
        "\"8123456789012345\"".to_string(),
        "8123456789012345".to_string(),
        "{\"id\": 1, 8123456789012345}".to_string(),
    ] {
        let answer = Answer::text(200, format!("[{{\"id\": 1}}, {record}]"));
        let failure = failure(answer);
        assert!(matches!(failure.error, Error::MalformedResponse(Some(12))));
        let message = failure.message;
        assert!(message.contains("the user number 2"), "{message}");
        assert!(
            !message.contains("8123") && message.len() < 400,
            "{message}"
        );
    }
}

#[test]
fn what_is_told_of_the_scopes_is_shown_without_secrets_too() {
    let world = World::new();
    let token = json!({"access_token": "token-1", "scope": ["monitoring", SECRET, "token%2D1"]});
    world.tenant.always(
        "POST /ws/oauth/token",
        Fault::Refuse(Answer::json(200, &token)),
    );
    let report = world.check().expect("a report");
    let granted = report.granted_scopes.expect("they are known");
    assert_eq!(
        (granted[0].as_str(), granted.last().map(String::as_str)),
        ("monitoring", Some("[token]"))
    );
}

#[test]
fn a_name_that_is_told_in_a_refusal_is_shown_without_secrets_too() {
    let world = World::new();
    world.tenant.change().role_mut(22).name = "S3-cr_e.t*%2B%2F%3D%26%25+%7E%C3%BC";
    let failure = world
        .grant("2", "22", Mode::Apply)
        .expect_err("it is for end users");
    assert!(
        failure.message.contains("the role \"[secret]\""),
        "{}",
        failure.message
    );
}
