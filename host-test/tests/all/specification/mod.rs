//! Every request that the connector sends, and every answer that tests stand on, held against what is known of NinjaOne's API.
//!
//! That is in `schemas/`: JSON Schemas of the project's own, and `endpoints.json`, which says what each operation takes and
//! answers. They are as strict as the API's specification; what real instances do beyond it, or what nobody knows, is in
//! `deviations.json`, each with its reason. An entry that nothing needs fails a test, so that the table stays true.
//!
//! The vendor's own description, an OpenAPI document, is not the project's to pass on. Where it is at hand, beside this
//! repository or where `NINJAONE_OPENAPI` says, the same traffic is held against it as well. The run says in a line whether.

mod deviations;
mod operation;
mod own;
mod traffic;
mod vendor;

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use connector_host::{EgressPolicy, Tenant, TenantSettings};
use connector_recording::{Answer, Exchange};
use deviations::Deviation;
use http::{Request, Response};
use jiff::Timestamp;
use operation::{Finding, Operation, What, check, templated};

#[tokio::test]
async fn all_traffic_fits_the_projects_schemas_but_for_the_deviations_and_each_of_them_is_needed() {
    let known = deviations::known();
    let needed = hold(&own::operations(), &known).await;
    assert_needed(&needed, &known, |deviation| {
        !deviation.only_from_the_vendors_document
    });
}

#[tokio::test]
async fn all_traffic_fits_the_vendors_document_where_it_is_at_hand() {
    let Some(path) = vendor::document() else {
        say(
            "The traffic was NOT held against the vendor's document: it is not beside this repository.",
        );
        return;
    };
    let known = deviations::known();
    let needed = hold(&vendor::operations(&path), &known).await;
    assert_needed(&needed, &known, |deviation| {
        deviation.only_from_the_vendors_document
    });
    say("The traffic was held against the vendor's document as well.");
}

/// Holds all traffic against a description, and gives the deviations that were needed.
async fn hold(operations: &[Operation], known: &[Deviation]) -> BTreeSet<String> {
    let exchanges = traffic::all().await;
    let whole = exchanges
        .iter()
        .filter(|exchange| matches!(exchange.answer, Answer::Whole(_)));
    assert!(whole.count() > 1_000, "it has to be broad");
    let found = exchanges
        .iter()
        .flat_map(|exchange| check(operations, exchange));
    let (unknown, needed) = deviations::sort(found.collect(), known);
    assert!(
        unknown.is_empty(),
        "this is not described, and no deviation that is known:\n{}",
        lines(&unknown)
    );
    needed.into_iter().map(str::to_string).collect()
}

fn assert_needed(
    needed: &BTreeSet<String>,
    known: &[Deviation],
    concerned: impl Fn(&Deviation) -> bool,
) {
    let idle: Vec<_> = known
        .iter()
        .filter(|deviation| concerned(deviation) && !needed.contains(&deviation.name))
        .map(|deviation| &deviation.name)
        .collect();
    assert!(idle.is_empty(), "nothing needs these deviations: {idle:?}");
}

/// A line for each kind of finding, with one example.
fn lines(findings: &BTreeSet<Finding>) -> String {
    let mut lines: Vec<String> = findings
        .iter()
        .map(|f| {
            format!(
                "{}, status {:?}, {}: {:?} ({})",
                f.operation, f.status, f.place, f.what, f.detail
            )
        })
        .collect();
    let kind = |line: &String| line.split(" (").next().map(str::to_string);
    lines.dedup_by_key(|line| kind(line));
    lines.join("\n")
}

/// Says something in the output of the run, whether the test passes or not.
fn say(line: &str) {
    // The test harness keeps what is printed by macros for tests that fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[tokio::test]
async fn every_request_that_describe_names_is_described_and_was_sent() {
    let operations = own::operations();
    let sent: BTreeSet<String> = traffic::all()
        .await
        .iter()
        .map(|exchange| {
            let request = &exchange.request;
            format!("{} {}", request.method(), templated(request.uri().path()))
        })
        .collect();
    let tenant = Tenant::new("test", TenantSettings::new(), EgressPolicy::nothing());
    let description = host_test::plugin().instantiate(tenant).describe().await;
    for operation in description.expect("it describes itself").operations {
        for request in &operation.requests {
            assert!(sent.contains(request), "{request} was not sent");
        }
    }
    let described: BTreeSet<String> = operations.iter().map(Operation::name).collect();
    assert_eq!(described, sent, "described, and sent");
}

#[test]
fn the_schemas_are_schemas_of_draft_2020_12_and_are_found_where_they_say_they_are() {
    let schemas = own::schemas();
    assert!(schemas.len() > 5, "there are {}", schemas.len());
    for (name, schema) in schemas {
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{name}"
        );
        let id = schema["$id"].as_str().expect("it has an identifier");
        assert!(id.ends_with(&format!("/{name}")), "{name} is {id}");
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_deviation_has_a_name_of_its_own_and_a_reason() {
    let mut names = BTreeSet::new();
    for deviation in deviations::known() {
        assert!(deviation.reason.len() > 30, "{}", deviation.name);
        assert!(names.insert(deviation.name.clone()), "{}", deviation.name);
    }
}

fn exchange(request: &str, body: &str, status: u16, answer: &str) -> Exchange {
    let (method, path) = request.split_once(' ').expect("a method and a path");
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::copy_from_slice(body.as_bytes()));
    let answer = Response::builder()
        .status(status)
        .body(Bytes::copy_from_slice(answer.as_bytes()));
    Exchange {
        started: Timestamp::UNIX_EPOCH,
        took: Duration::ZERO,
        request: request.expect("the test gives a request"),
        answer: Answer::Whole(answer.expect("the test gives an answer")),
    }
}

/// What is found in an exchange, and where.
fn found(operations: &[Operation], exchange: &Exchange) -> Vec<(What, String)> {
    let findings = check(operations, exchange);
    let places = findings
        .into_iter()
        .map(|finding| (finding.what, finding.place));
    places.collect()
}

#[test]
fn what_does_not_fit_is_found() {
    let operations = own::operations();
    for (request, body, status, answer, what, place) in [
        (
            "GET /v2/devices",
            "",
            200,
            "[]",
            What::UnknownOperation,
            "request",
        ),
        (
            "PUT /v2/users",
            "",
            200,
            "[]",
            What::UnknownOperation,
            "request",
        ),
        (
            "GET /v2/user/technician/x",
            "",
            404,
            "{}",
            What::UnknownOperation,
            "request",
        ),
        (
            "GET /v2/users?pageSize=7",
            "",
            200,
            "[]",
            What::UnknownField,
            "query/pageSize",
        ),
        (
            "GET /v2/users?userType=ADMIN",
            "",
            200,
            "[]",
            What::OtherValue,
            "query/userType",
        ),
        (
            "GET /v2/users",
            "x",
            200,
            "[]",
            What::UnwantedBody,
            "request",
        ),
        (
            "PATCH /v2/user/technician/1",
            "",
            200,
            "",
            What::MissingBody,
            "request",
        ),
        (
            "PATCH /v2/user/technician/1",
            "{\"email\":\"x\"}",
            200,
            "",
            What::UnknownField,
            "request/email",
        ),
        (
            "PATCH /v2/user/role/1/add-members",
            "[1,1]",
            200,
            "{}",
            What::Unfit,
            "request",
        ),
        (
            "PATCH /v2/user/role/1/add-members",
            "[\"1\"]",
            200,
            "{}",
            What::Unfit,
            "request/*",
        ),
        (
            "GET /v2/users",
            "",
            200,
            "[{\"id\":1,\"x\":1}]",
            What::UnknownField,
            "answer/*/x",
        ),
        (
            "GET /v2/users",
            "",
            200,
            "[{\"id\":null}]",
            What::Null,
            "answer/*/id",
        ),
        (
            "GET /v2/users",
            "",
            200,
            "[{\"id\":\"1\"}]",
            What::Unfit,
            "answer/*/id",
        ),
        (
            "GET /v2/users",
            "",
            200,
            "[{\"uid\":\"1\"}]",
            What::Unfit,
            "answer/*/uid",
        ),
        (
            "GET /v2/users",
            "",
            200,
            "[{\"userType\":\"X\"}]",
            What::OtherValue,
            "answer/*/userType",
        ),
        ("GET /v2/users", "", 200, "<html>", What::NotJson, "answer"),
        ("GET /v2/users", "", 200, "", What::MissingBody, "answer"),
        (
            "GET /v2/user/roles",
            "",
            418,
            "",
            What::UnknownStatus,
            "answer",
        ),
        (
            "DELETE /v2/user/technician/1",
            "",
            204,
            "{}",
            What::UnwantedBody,
            "answer",
        ),
    ] {
        let found = found(&operations, &exchange(request, body, status, answer));
        assert!(
            found.contains(&(what, place.to_string())),
            "{request} {body} {status} {answer}: {found:?}"
        );
    }
}

#[test]
fn what_fits_is_not_found() {
    let operations = own::operations();
    for (request, body, status, answer) in [
        (
            "GET /v2/users?userType=END_USER&includeRoles=true",
            "",
            200,
            "[{\"id\":1,\"roles\":[\"x\"]}]",
        ),
        (
            "PATCH /v2/user/role/1/add-members",
            "[1,2]",
            200,
            "{\"id\":1,\"members\":[{\"id\":2}]}",
        ),
        (
            "DELETE /v2/user/end-user/1",
            "",
            404,
            "{\"resultCode\":\"x\",\"errorMessage\":{\"code\":\"y\"}}",
        ),
    ] {
        assert_eq!(
            found(&operations, &exchange(request, body, status, answer)),
            [],
            "{request}"
        );
    }
}
