//! Answers that are not what they should be: never a short list, and the byte where they go wrong is told.

use ninjaone_connector::contract::{Continuation, Error, Failure, ResourceKinds};
use ninjaone_connector::ninjaone::http::TransportErrorKind;

use crate::support::tenant::{Answer, Fault};
use crate::support::{World, error, list_of, listed, names};

const USERS: &str = "GET /v2/users";

fn list_users(answer: Answer) -> Result<Vec<String>, Failure> {
    let world = World::new();
    world.tenant.always(USERS, Fault::Refuse(answer));
    let page = world.list(&list_of(ResourceKinds::ACCOUNTS))?;
    assert!(matches!(page.next, Continuation::Complete(_)));
    Ok(names(&page.items))
}

/// Where the listing of users finds fault with this body, however it arrives.
fn users_fault(body: &str) -> Error {
    fault("/v2/users", body, ResourceKinds::ACCOUNTS)
}

fn roles_fault(body: &str) -> Error {
    fault(
        "/v2/user/roles",
        body,
        ResourceKinds::ROLES | ResourceKinds::GRANTS,
    )
}

fn fault(path: &str, body: &str, kinds: ResourceKinds) -> Error {
    let in_pieces = |chunk_bytes: usize| {
        let world = World::changed(|tenant| tenant.chunk_bytes = chunk_bytes);
        world.tenant.serve(path, body);
        let failure = world.list(&list_of(kinds)).expect_err(body);
        assert!(failure.message.contains("request id") || failure.error != Error::Other);
        failure.error
    };
    let whole = in_pieces(usize::MAX);
    for chunk_bytes in 1..10 {
        assert_eq!(
            in_pieces(chunk_bytes),
            whole,
            "{body} in pieces of {chunk_bytes}"
        );
    }
    whole
}

const fn at(byte: u64) -> Error {
    Error::MalformedResponse(Some(byte))
}

#[test]
fn a_user_that_is_none_is_told_with_the_byte_where_it_begins() {
    for user in [
        r#"{}"#,
        r#"{"id": null}"#,
        r#"{"email": "a@b"}"#,
        r#"{"id": -1}"#,
        r#"{"id": 2147483648}"#,
        r#"{"id": 4294967297}"#,
        r#"{"id": 18446744073709551616}"#,
        r#"{"id": 1.5}"#,
        r#"{"id": "1.0"}"#,
        r#"{"id": "01"}"#,
        r#"{"id": " 1"}"#,
        r#"{"id": "A1"}"#,
        r#"{"id": 1e10}"#,
        r#"{"id": 1, "id": "x"}"#,
        r#"{"id": true}"#,
        r#"{"id": [1]}"#,
        r#"{"id": 1 "email": "a@b"}"#,
        r#"{"id": 1, }"#,
        r#"{"id": 01}"#,
        r#"{"id": 1]"#,
        r#"{1: 1}"#,
        "[]",
        "5",
        "\"1\"",
        "null",
        "nul",
    ] {
        assert_eq!(users_fault(&format!("[{user}]")), at(1), "{user}");
        assert_eq!(
            users_fault(&format!("[{{\"id\":7}}, \n{user}]")),
            at(12),
            "{user}"
        );
    }
}

#[test]
fn an_identifier_may_be_written_in_any_way_that_is_exactly_a_whole_number() {
    let users =
        r#"[{"id": "1"}, {"id": 2.0}, {"id": 3.0E0}, {"id": 1.2345678E7}, {"id": 6, "id": 5}]"#;
    let users = list_users(Answer::text(200, users)).expect("a page");
    assert_eq!(
        users,
        [
            "account 1",
            "account 2",
            "account 3",
            "account 12345678",
            "account 5"
        ]
    );
}

#[test]
fn an_identifier_may_be_anything_from_0_to_the_largest_int32() {
    let users = list_users(Answer::text(200, r#"[{"id":0},{"id":2147483647}]"#));
    assert_eq!(users.expect("a page"), ["account 0", "account 2147483647"]);
}

#[test]
fn an_array_that_does_not_end_is_never_a_short_list() {
    for (body, byte) in [
        ("[", 1),
        ("[ ", 2),
        (r#"[{"id": 1}"#, 10),
        (r#"[{"id": 1},"#, 11),
        (r#"[{"id": 1}, "#, 12),
        (r#"[{"id": 1"#, 9),
        (r#"[{"id": 1, "email": "a]}"#, 24),
        (r#"[{"id": 1, "email": "a\"}]"#, 26),
    ] {
        assert_eq!(users_fault(body), at(byte), "{body}");
    }
}

#[test]
fn what_follows_the_array_is_an_error() {
    for body in [r#"[{"id": 1}]x"#, r#"[{"id": 1}]]"#, r#"[{"id": 1}][]"#] {
        assert_eq!(users_fault(body), at(11), "{body}");
    }
    let users = list_users(Answer::text(200, "[{\"id\": 1}] \r\n\t")).expect("a page");
    assert_eq!(users, ["account 1"]);
}

#[test]
fn what_is_between_the_elements_of_an_array_has_to_be_a_comma() {
    for (body, byte) in [
        (r#"[{"id": 1}{"id": 2}]"#, 10),
        (r#"[{"id": 1};{"id": 2}]"#, 10),
        (r#"[{"id": 1},]"#, 11),
        (r#"[{"id": 1},,{"id": 2}]"#, 11),
        (r#"[,{"id": 1}]"#, 1),
        (r#"[{"id": 1}}"#, 10),
    ] {
        assert_eq!(users_fault(body), at(byte), "{body}");
    }
}

#[test]
fn an_answer_of_another_shape_is_an_error() {
    for body in [r#"{"users": []}"#, "5", "\"OK\"", "OK", "]", "\u{ff}"] {
        assert_eq!(users_fault(body), at(0), "{body}");
        assert_eq!(users_fault(&format!("  {body}")), at(2), "{body}");
        assert_eq!(roles_fault(body), at(0), "{body}");
    }
}

#[test]
fn an_empty_answer_is_an_error() {
    for body in ["", " ", "\n\n"] {
        assert_eq!(users_fault(body), at(0), "{body:?}");
        assert_eq!(roles_fault(body), at(0), "{body:?}");
    }
}

#[test]
fn a_message_says_what_was_found_and_what_to_do() {
    let world = World::new();
    let answer = Answer::text(200, "{}").header("x-nj-request-id", "NJ-7");
    world.tenant.always(USERS, Fault::Refuse(answer));
    let failure = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect_err("an object");
    assert_eq!(
        failure.message,
        "GET /v2/users was answered 200: the answer makes no sense at byte 0 of its body: the body has '{' where '[' should be; \
         if it stays so, give NinjaOne's support the request id"
    );
    let exchange = failure.exchange.expect("an exchange");
    assert_eq!(exchange.request_id.as_deref(), Some("NJ-7"));
    let problems = [
        ("[{}]", "the user number 1 has no id that is a whole number"),
        (
            "[{\"id\": 1}, {\"id\": -1}]",
            "the user number 2 has no id that is a whole number",
        ),
        ("[", "the body ends where a value should be"),
        ("[{\"id\": 1}", "the body ends where ',' or ']' should be"),
        ("[{\"id\": 1},]", "the body has ']' where a value should be"),
        (
            "[{\"id\": 1",
            "the body ends where the rest of the user number 1 should be",
        ),
        ("[] x", "the body has 'x' where the end should be"),
        ("", "the body is empty"),
        ("[5]", "the user number 1: it is not an object"),
        (
            "[{\"id\": 1}, {\"id\" 2}]",
            "the user number 2: expected `:`",
        ),
        (
            "nul",
            "the body ends where the rest of the answer should be",
        ),
        ("null 5", "the body has '5' where the end should be"),
    ];
    for (body, problem) in problems {
        let failure = list_users(Answer::text(200, body)).expect_err(body);
        assert!(failure.message.contains(problem), "{}", failure.message);
    }
}

#[test]
fn a_web_page_in_place_of_a_list_is_throttling() {
    for answer in [
        Answer::html(200),
        Answer::html(200).header("retry-after", "3"),
        Answer::text(200, "<html>"),
        Answer::text(200, "\r\n <!DOCTYPE html>").header("content-type", "application/json"),
        Answer::text(200, *b"<html>caf\xe9</html>"),
        Answer::text(200, "[]").header("content-type", " TEXT/HTML"),
    ] {
        let failure = list_users(answer.clone()).expect_err("a page");
        let wait = answer_waits(&answer).then_some(3_000);
        assert_eq!(failure.error, Error::RateLimited(wait));
        assert!(failure.message.contains("web page"), "{}", failure.message);
    }
}

fn answer_waits(answer: &Answer) -> bool {
    format!("{answer:?}").contains("retry-after")
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    for chunk_bytes in 1..6 {
        let world = World::changed(|tenant| tenant.chunk_bytes = chunk_bytes);
        world.tenant.serve("/v2/users", "\u{feff} [{\"id\": 1}]");
        assert_eq!(
            listed(&world, &list_of(ResourceKinds::ACCOUNTS)),
            ["account 1"]
        );
    }
    assert_eq!(users_fault("\u{feff}{}"), at(3));
    assert_eq!(users_fault("\u{feff}[{}]"), at(4));
    assert_eq!(users_fault("\u{feff}"), at(0));
    assert_eq!(users_fault("[\u{feff}{}]"), at(1));
    assert_eq!(users_fault("[{\"id\":1}\u{feff}]"), at(9));
    assert_eq!(users_fault(" \u{feff}[]"), at(1));
    // No mark, but its beginning.
    let half = Answer::text(200, b"\xEF\xBB[]".to_vec());
    assert_eq!(list_users(half).expect_err("no mark").error, at(0));
    let half = Answer::text(200, b"\xEF".to_vec());
    assert_eq!(list_users(half).expect_err("no mark").error, at(0));
}

#[test]
fn text_that_is_not_utf_8_is_an_error() {
    for (body, place) in [
        (&b"[{\"id\": 1, \"email\": \"\xFF\"}]"[..], 21),
        (b"[{\"id\": 1, \"x\": \"\xC3\"}]", 17),
        (b"[{\"id\": 1, \"x\": \"\xC3", 17),
        (b"[{\"id\": 1}]\xC3", 11),
    ] {
        for chunk_bytes in 1..20 {
            let world = World::changed(|tenant| tenant.chunk_bytes = chunk_bytes);
            world.tenant.serve("/v2/users", body);
            let failure = world.list(&list_of(ResourceKinds::ACCOUNTS));
            assert_eq!(failure.expect_err("not UTF-8").error, at(place));
        }
    }
}

#[test]
fn brackets_and_quotes_within_text_are_text() {
    let users = r#"[{"id": 1, "a": "}],[{\"", "b\"]": ["\\", {"c": "\\\""}]}, {"id": 2}]"#;
    for chunk_bytes in 1..20 {
        let world = World::changed(|tenant| tenant.chunk_bytes = chunk_bytes);
        world.tenant.serve("/v2/users", users);
        let found = listed(&world, &list_of(ResourceKinds::ACCOUNTS));
        assert_eq!(found, ["account 1", "account 2"]);
    }
}

#[test]
fn a_name_may_be_written_with_escapes() {
    let users = list_users(Answer::text(200, r#"[{"\u0069d": 5}]"#));
    assert_eq!(users.expect("a page"), ["account 5"]);
}

#[test]
fn a_body_that_breaks_off_is_told_as_what_broke_it() {
    use ninjaone_connector::contract::TimeoutPhase;
    for (kind, expected) in [
        (TransportErrorKind::Network, Error::Network),
        (
            TransportErrorKind::BetweenBytesTimeout,
            Error::Timeout(TimeoutPhase::BetweenBytes),
        ),
        (TransportErrorKind::TooLarge, Error::LimitExceeded),
        (TransportErrorKind::Internal, Error::Other),
    ] {
        for body in ["", "[", r#"[{"id": 1}"#, r#"[{"id": 1"#, r#"[{"id": 1}]"#] {
            let broken = Answer::text(200, body).breaks_off(kind);
            assert_eq!(
                list_users(broken).expect_err(body).error,
                expected,
                "{body}"
            );
        }
    }
}

#[test]
fn one_value_may_have_two_mebibytes_and_no_more() {
    const MOST: usize = 2 * 1024 * 1024;
    let user = |bytes: usize| {
        let frame = r#"{"id":1,"x":""}"#.len();
        format!(r#"[{{"id":1,"x":"{}"}}]"#, "x".repeat(bytes - frame))
    };
    // The limit is looked at when a piece has arrived, and the pieces divide it.
    for (bytes, fits) in [(MOST, true), (MOST + 4096, false)] {
        let world = World::changed(|tenant| tenant.chunk_bytes = 1024);
        world.tenant.serve("/v2/users", user(bytes));
        let result = world.list(&list_of(ResourceKinds::ACCOUNTS));
        match fits {
            true => assert_eq!(result.expect("a page").items.len(), 1),
            false => assert_eq!(error(result), Error::LimitExceeded),
        }
    }
}

#[test]
fn a_role_that_is_none_is_told_with_the_byte() {
    for (body, byte) in [
        (r#"[5]"#, 1),
        (r#"[[]]"#, 1),
        (r#"[{"x": }]"#, 7),
        (r#"[{"x": nul}]"#, 7),
        (r#"[{"x" 5}]"#, 6),
        (r#"[{5: 5}]"#, 2),
        (r#"[{"id": 1 "name": "a"}]"#, 10),
        (r#"[{"id": 1,}]"#, 10),
        (r#"[{,"id": 1}]"#, 2),
        (r#"[{"id": 1]"#, 9),
        (r#"[{"id": 1"#, 9),
        (r#"[{"id": 1}"#, 10),
        (r#"[{"id"#, 5),
        (r#"[{"id":"#, 7),
        (r#"[{"id": 1, "members": [{}]}]"#, 23),
        (r#"[{"id": 1, "members": [{"id": -1}]}]"#, 23),
        (r#"[{"id": 1, "members": [{"id": 5}, null]}]"#, 34),
        (r#"[{"id": 1, "members": [5]}]"#, 23),
        (r#"[{"id": 1, "members": [{"id": 5}"#, 32),
        (r#"[{"id": 1, "members": [{"id": 5},]}]"#, 33),
        (r#"[{"id": 1, "members": [{"id": 5}}]"#, 32),
        (r#"[{"id": 1, "members": []}] 5"#, 27),
    ] {
        assert_eq!(roles_fault(body), at(byte), "{body}");
    }
}

#[test]
fn a_role_without_an_id_is_an_error_at_its_end() {
    for (body, byte) in [
        ("[{}]", 3),
        (r#"[{"name": "a"}]"#, 14),
        (r#"[{"id": null}]"#, 13),
        (r#"[{"id": -1}]"#, 11),
        (r#"[{"id": "x"}]"#, 12),
        (r#"[{"id": 2147483648}]"#, 19),
        (r#"[{"id": 1, "id": "x"}]"#, 21),
        (r#"[{"members": [{"id": 1}]}]"#, 25),
    ] {
        assert_eq!(roles_fault(body), at(byte), "{body}");
    }
}

#[test]
fn a_web_page_in_place_of_roles_is_throttling() {
    assert_eq!(roles_fault(" <html>"), Error::RateLimited(None));
}

#[test]
fn a_code_of_a_failure_counts_although_its_sentence_is_not_utf_8() {
    let body = *b"{\"resultCode\":\"SOME_CODE\",\"errorMessage\":\"caf\xe9\"}";
    let failure = list_users(Answer::text(400, body)).expect_err("it failed");
    assert!(
        failure.message.contains("caf\u{fffd}"),
        "{}",
        failure.message
    );
    assert!(format!("{failure:?}").contains("SOME_CODE"), "{failure:?}");
}

#[test]
fn what_comes_before_the_first_byte_that_is_not_utf_8_counts_however_the_body_is_cut() {
    for chunk_bytes in [1, 3, 1_000] {
        let world = World::changed(|tenant| tenant.chunk_bytes = chunk_bytes);
        world
            .tenant
            .serve("/v2/users", *b"[{\"id\": 1}, {\"id\": 2, \"x\": \"\xff\"}]");
        let mut request = list_of(ResourceKinds::ACCOUNTS);
        request.limit = Some(1);
        let page = world.list(&request).expect("the first element is whole");
        assert_eq!(names(&page.items), ["account 1"]);
        let Continuation::More(cursor) = page.next else {
            panic!("there is more");
        };
        request.cursor = Some(cursor);
        assert_eq!(error(world.list(&request)), at(28), "{chunk_bytes}");
    }
}

#[test]
fn an_organization_that_is_none_is_told_with_the_byte() {
    let kinds = ResourceKinds::ORGANIZATIONS;
    for (body, byte) in [
        ("{}", 0),
        ("[{}]", 1),
        (r#"[{"id": "x"}]"#, 1),
        (r#"[{"id": 1}"#, 10),
    ] {
        assert_eq!(fault("/v2/organizations", body, kinds), at(byte), "{body}");
    }
}

#[test]
fn one_account_that_is_none_is_told_with_the_byte() {
    let mut request = list_of(ResourceKinds::ACCOUNTS);
    request.filter.id = Some("1".to_string());
    for (body, expected) in [
        ("", at(0)),
        ("[]", at(0)),
        (" {\"id\" 1}", at(1)),
        ("{\"id\": 1} x", at(10)),
        ("{\"id\": 1", at(8)),
        ("<html>", Error::RateLimited(None)),
    ] {
        let world = World::new();
        world.tenant.serve("/v2/user/technician/1", body);
        assert_eq!(error(world.list(&request)), expected, "{body:?}");
    }
}

#[test]
fn the_list_of_roles_is_whole_although_every_byte_arrives_alone() {
    let body = "[ { \"x\" : [ 1 , \"]\" ] , \"members\" : [ { \"id\" : 4 } , { \"id\" : 5 } ] , \"id\" : 9 , \"n\" : null } ] ";
    let world = World::changed(|tenant| tenant.chunk_bytes = 1);
    world.tenant.serve("/v2/user/roles", body);
    let request = list_of(ResourceKinds::ROLES | ResourceKinds::GRANTS);
    assert_eq!(
        listed(&world, &request),
        ["grant 4 9", "grant 5 9", "role 9"]
    );
}

#[test]
fn a_role_that_changes_its_id_or_its_members_halfway_is_malformed() {
    // Grants were given under the first id before the second one came.
    for role in [
        r#"[{"id": 1, "members": [{"id": 2}], "id": 7}]"#,
        r#"[{"id": 1, "members": [{"id": 2}], "id": "x"}]"#,
        r#"[{"id": 1, "members": [{"id": 2}], "members": []}]"#,
        r#"[{"id": 1, "members": [{"id": 2}], "members": 5}]"#,
    ] {
        let error = roles_fault(role);
        assert!(
            matches!(error, Error::MalformedResponse(Some(_))),
            "{role}: {error:?}"
        );
    }
}

#[test]
fn of_a_field_of_a_role_that_comes_twice_the_last_counts() {
    for role in [
        r#"[{"id": 1, "id": 7, "members": [{"id": 2}]}]"#,
        r#"[{"id": 7, "members": [{"id": 2}], "id": 7}]"#,
        r#"[{"id": 7, "members": [{"id": 2}], "id": null, "members": null}]"#,
        r#"[{"id": 7, "members": null, "members": [{"id": 2}]}]"#,
        r#"[{"id": 7, "members": [], "members": [{"id": 2}]}]"#,
    ] {
        let world = World::new();
        world.tenant.serve("/v2/user/roles", role);
        let request = list_of(ResourceKinds::ROLES | ResourceKinds::GRANTS);
        let found = listed(&world, &request);
        assert_eq!(found, ["grant 2 7", "role 7"], "{role}");
    }
}

#[test]
fn a_number_may_be_cut_anywhere() {
    let users = r#"[{"id":-0,"a":-1.5E+3,"b":[-1e-2,0.5]},{"b":1.0,"id":2e0}]"#;
    let request = list_of(ResourceKinds::ACCOUNTS);
    for chunk_bytes in 1..60 {
        let world = World::changed(|tenant| tenant.chunk_bytes = chunk_bytes);
        world.tenant.serve("/v2/users", users);
        assert_eq!(listed(&world, &request), ["account 0", "account 2"]);
    }
    assert_eq!(users_fault(r#"[{"id":1,"a":-}]"#), at(1));
    assert_eq!(users_fault(r#"[{"id":1,"a":-"#), at(1));
}
