//! Recordings replay as browsers, proxies and test tools write them, and not only as a recorder does.
//!
//! The files are reconstructed, of no live tenant.

use std::sync::Arc;

use bytes::Bytes;
use connector_recording::{Answer, Recording, ReplayError, Replayer};
use connector_transport::{Error, Terms, Transport};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

/// An entry as most tools write it.
fn entry(method: &str, url: &str, answer: &str) -> Value {
    json!({
        "startedDateTime": "2026-11-24T12:00:00.000+01:00", "time": 12.5,
        "request": {"method": method, "url": url, "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{"name": "accept", "value": "application/json"}],
            "queryString": [], "headersSize": -1, "bodySize": -1},
        "response": {"status": 200, "statusText": "OK", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": answer.len(), "mimeType": "application/json", "text": answer},
            "redirectURL": "", "headersSize": -1, "bodySize": -1},
        "cache": {}, "timings": {"send": 0, "wait": 12.5, "receive": 0}
    })
}

/// How an entry is made to differ.
type Change = fn(&mut Value);

fn users() -> Value {
    entry("GET", "https://acme.example/v2/users", "[1]")
}

fn har(entries: impl IntoIterator<Item = Value>) -> Vec<u8> {
    let entries: Vec<_> = entries.into_iter().collect();
    let log = json!({"version": "1.2", "creator": {"name": "a tool", "version": "1"}, "entries": entries});
    json!({"log": log}).to_string().into_bytes()
}

fn recording(entries: impl IntoIterator<Item = Value>) -> Recording {
    Recording::from_har(&har(entries)).expect("it is HAR")
}

fn request(method: &Method, path: &str, content_type: &str, body: &str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(format!("https://tenant.example.invalid{path}"))
        .header("content-type", content_type)
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .expect("the test gives a request")
}

fn get(path: &str) -> Request<Bytes> {
    request(&Method::GET, path, "", "")
}

/// The answer to a request, read to its end.
async fn send(replayer: &Arc<Replayer>, request: Request<Bytes>) -> Result<Response<Bytes>, Error> {
    let (head, body) = replayer
        .clone()
        .send(request, Terms::default())
        .await?
        .into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}

/// Replays a recording of one request, and gives its answer.
async fn replay(entry: Value, request: Request<Bytes>) -> Response<Bytes> {
    let shown = entry.to_string();
    let replayer = Arc::new(Replayer::new(recording([entry])));
    let answer = send(&replayer, request).await;
    if let Err(error) = replayer.finish() {
        panic!("{error}: {shown}");
    }
    answer.expect("it is answered")
}

#[tokio::test]
async fn what_is_said_of_the_encoding_on_the_wire_is_left_out() {
    for name in [
        "Content-Encoding",
        "content-encoding",
        "Transfer-Encoding",
        "CONTENT-LENGTH",
    ] {
        let mut entry = users();
        let headers = entry["response"]["headers"].as_array_mut();
        let headers = headers.expect("it is a list");
        headers.push(json!({"name": name, "value": "gzip"}));
        entry["response"]["content"]["compression"] = json!(20);
        let answer = replay(entry, get("/v2/users")).await;
        assert_eq!(answer.body(), "[1]");
        let fields: Vec<_> = answer.headers().keys().collect();
        assert_eq!(fields, ["content-type"], "{name}");
    }
}

#[tokio::test]
async fn a_body_that_was_recorded_coded_stays_so() {
    let mut coded = Response::new(Bytes::from_static(&[0x1f, 0x8b, 0xff]));
    let gzip = "gzip".parse().expect("it is a value");
    coded.headers_mut().insert("content-encoding", gzip);
    let mut own = recording([users()]);
    own.exchanges[0].answer = Answer::Whole(coded);
    let read = Recording::from_har(own.to_har().as_bytes()).expect("it is HAR");
    let answer = read.exchanges[0].answer.response().expect("it is one");
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.body(), &[0x1f, 0x8b, 0xff][..]);
}

#[tokio::test]
async fn a_body_in_base64_is_decoded() {
    for (encoding, text) in [
        ("base64", "WzFd"),
        ("BASE64", "Wz\r\nFd"),
        ("base64", "IFsxXQ"),
        ("base64", "IFsxXQ=="),
        ("", "[1]"),
    ] {
        let mut entry = users();
        entry["response"]["content"]["encoding"] = json!(encoding);
        entry["response"]["content"]["text"] = json!(text);
        let answer = replay(entry, get("/v2/users")).await;
        assert_eq!(answer.body().trim_ascii(), b"[1]", "{text}");
    }
}

#[tokio::test]
async fn where_a_body_has_text_the_text_is_the_body() {
    let patch = || request(&Method::PATCH, "/v2/x", "application/json", "[5]");
    let form = || request(&Method::POST, "/v2/x", FORM, "a=b+c&d=%C3%A9");
    for (sent, data) in [
        (
            patch(),
            json!({"mimeType": "application/json", "params": [], "text": "[5]"}),
        ),
        (
            patch(),
            json!({"mimeType": "application/json", "params": null, "text": "[5]"}),
        ),
        (patch(), json!({"text": "[5]"})),
        (
            patch(),
            json!({"mimeType": "application/json", "encoding": "base64", "text": "WzVd"}),
        ),
        (
            patch(),
            json!({"mimeType": "application/json", "text": "[5]", "params": [{"name": "[5]", "value": ""}]}),
        ),
        (
            form(),
            json!({"mimeType": FORM, "text": "a=b%20c&d=%c3%a9"}),
        ),
        (
            form(),
            json!({"mimeType": FORM, "params": [], "text": "a=b%20c&d=%c3%a9"}),
        ),
        (
            form(),
            json!({"mimeType": "Application/X-WWW-Form-Urlencoded; charset=UTF-8", "text": "a=b+c&d=%C3%A9"}),
        ),
        (
            form(),
            json!({"mimeType": FORM, "text": "a=b+c&d=%C3%A9", "params": [{"name": "a", "value": "b%20c"}]}),
        ),
        (
            form(),
            json!({"mimeType": FORM, "text": "", "params": [{"name": "a", "value": "b c"}, {"name": "d", "value": "é"}]}),
        ),
        (
            form(),
            json!({"mimeType": "", "params": [{"name": "a", "value": "b c"}, {"name": "d", "value": "é"}]}),
        ),
        (
            request(&Method::POST, "/v2/x", FORM, "file=&n="),
            json!({"mimeType": FORM, "params": [
                {"name": "file", "fileName": "a.txt", "contentType": "text/plain"}, {"name": "n", "value": null}]}),
        ),
    ] {
        let mut entry = entry(sent.method().as_str(), "https://acme.example/v2/x", "[1]");
        entry["request"]["postData"] = data;
        replay(entry, sent).await;
    }
}

#[tokio::test]
async fn what_tools_add_and_leave_out_does_not_matter() {
    let changes: [Change; 16] = [
        |entry| entry["_initiator"] = json!({"type": "script", "stack": {"callFrames": []}}),
        |entry| entry["_resourceType"] = json!("xhr"),
        |entry| entry["pageref"] = json!("page_1"),
        |entry| entry["time"] = Value::Null,
        |entry| entry["time"] = json!(-1),
        |entry| entry["time"] = json!("a while"),
        |entry| entry["timings"] = json!({"blocked": -1, "dns": null}),
        |entry| entry["startedDateTime"] = json!("2026-11-24T12:00:00"),
        |entry| entry["startedDateTime"] = json!("2026-11-24T12:00:00.123456789+0100"),
        |entry| entry["startedDateTime"] = Value::Null,
        |entry| entry["request"]["httpVersion"] = json!("h2"),
        |entry| entry["response"]["httpVersion"] = json!("HTTP/3"),
        |entry| entry["request"]["postData"] = Value::Null,
        |entry| entry["response"]["content"]["size"] = json!(-1),
        |entry| {
            entry["request"]["headers"] = json!([
                {"name": ":authority", "value": "acme.example"}, {"name": ":method", "value": "GET"},
                {"name": "Not A Field", "value": "\n"}, {"name": "x", "value": null}]);
            entry["response"]["headers"] = json!([
                {"name": ":status", "value": "200"}, {"name": "CONTENT-type", "value": "application/json"},
                {"name": "set-cookie", "value": "a=1\nb=2"}]);
        },
        |entry| {
            for (part, fields) in [
                ("", &["time", "cache", "timings", "startedDateTime"][..]),
                (
                    "request",
                    &[
                        "cookies",
                        "headers",
                        "httpVersion",
                        "headersSize",
                        "bodySize",
                        "queryString",
                    ],
                ),
                (
                    "response",
                    &[
                        "cookies",
                        "headers",
                        "httpVersion",
                        "headersSize",
                        "bodySize",
                        "redirectURL",
                        "statusText",
                    ],
                ),
            ] {
                let part = if part.is_empty() {
                    &mut *entry
                } else {
                    &mut entry[part]
                };
                let part = part.as_object_mut().expect("it is an object");
                fields.iter().for_each(|field| drop(part.remove(*field)));
            }
        },
    ];
    for change in changes {
        let mut entry = users();
        change(&mut entry);
        let answer = replay(entry, get("/v2/users")).await;
        assert_eq!(answer.body(), "[1]");
    }
    let mut text = vec![0xef, 0xbb, 0xbf];
    text.extend(har([users()]));
    let recording = Recording::from_har(&text).expect("it is HAR with a byte-order mark");
    assert_eq!(recording.exchanges.len(), 1);
}

#[tokio::test]
async fn what_had_no_answer_has_none_again_and_says_what_the_tool_says() {
    let failing = async |change: Change| {
        let mut entry = users();
        change(&mut entry);
        let replayer = Arc::new(Replayer::new(recording([entry])));
        let error = send(&replayer, get("/v2/users"))
            .await
            .expect_err("there is no answer");
        assert_eq!(replayer.finish(), Ok(()));
        error
    };
    let refused = failing(|entry| {
        entry["response"]["status"] = json!(0);
        entry["response"]["statusText"] = json!("connection-refused");
    });
    assert_eq!(refused.await, Error::ConnectionRefused);
    let changes: [Change; 4] = [
        |entry| {
            entry["response"]["status"] = json!(0);
            entry["response"]["statusText"] = json!("");
            entry["response"]["_error"] = json!("net::ERR_ABORTED");
        },
        |entry| {
            entry["response"] = json!({"status": -1, "_failureText": "net::ERR_ABORTED"});
        },
        |entry| entry["response"] = json!({"status": null, "_error": "net::ERR_ABORTED"}),
        |entry| {
            entry["response"]["content"] = json!({"size": 7, "_file": "net::ERR_ABORTED"});
        },
    ];
    for change in changes {
        let error = failing(change).await;
        let told = error.to_string();
        assert!(
            told.contains("ERR_ABORTED") || told.contains("body-not-recorded"),
            "{error:?}"
        );
    }
    let error = failing(|entry| entry["response"] = Value::Null).await;
    assert!(matches!(error, Error::Internal { .. }), "{error:?}");
}

#[tokio::test]
async fn the_time_decides_about_the_order_and_at_one_time_the_place() {
    let at = |path: &str, time: &str| {
        let mut entry = entry("GET", &format!("https://acme.example{path}"), "[]");
        entry["startedDateTime"] = json!(time);
        entry
    };
    let recording = recording([
        at("/3", "2026-11-24T12:00:02.000+01:00"),
        at("/4", "not a time: with the one before"),
        at("/1", "2026-11-24T11:00:00Z"),
        at("/2", "2026-11-24T06:00:00-05:00"),
    ]);
    let replayer = Arc::new(Replayer::new(recording));
    for path in ["/1", "/2", "/3", "/4"] {
        send(&replayer, get(path)).await.expect("it is the next");
    }
    assert_eq!(replayer.finish(), Ok(()));
}

#[tokio::test]
async fn the_real_secret_of_a_foreign_recording_does_not_matter() {
    let mut token = entry(
        "POST",
        "https://acme.example/ws/oauth/token",
        "{\"access_token\":\"real\"}",
    );
    token["request"]["postData"] = json!({"mimeType": FORM, "text": "client_id=real-client&client_secret=real-secret&scope=a"});
    let sent = "client_id=client-id&client_secret=client-secret&scope=a";
    let answer = replay(token, request(&Method::POST, "/ws/oauth/token", FORM, sent)).await;
    assert_eq!(answer.body(), "{\"access_token\":\"real\"}");
    // Nor does it where it comes up again.
    let named = |client: &str| format!("/v2/applications/{client}?client_id={client}");
    let url = format!("https://acme.example{}", named("real-client"));
    replay(entry("GET", &url, "[1]"), get(&named("client-id"))).await;
}

#[tokio::test]
async fn what_a_browser_sends_besides_is_passed_over() {
    let mut preflight = entry("OPTIONS", "https://acme.example/v2/users", "");
    preflight["request"]["headers"] =
        json!([{"name": "Access-Control-Request-Method", "value": "GET"}]);
    let analytics = entry("POST", "https://analytics.example/collect?v=2", "");
    let mut roles = entry("GET", "https://ACME.example/v2/user/roles", "[2]");
    roles["startedDateTime"] = json!("2026-11-24T12:00:01.000+01:00");
    let recording = recording([
        analytics.clone(),
        entry("CONNECT", "http://acme.example:443/", ""),
        preflight.clone(),
        users(),
        analytics.clone(),
        entry("GET", "data:image/png;base64,iVBORw0KGgo=", ""),
        entry("GET", "wss://acme.example/live", ""),
        entry("GET", "chrome-extension://abc/x.js", ""),
        roles,
        analytics,
        preflight,
    ]);
    let replayer = Arc::new(Replayer::new(recording.clone()));
    for (path, body) in [("/v2/users", "[1]"), ("/v2/user/roles", "[2]")] {
        let answer = send(&replayer, get(path)).await.expect("it is the next");
        assert_eq!(answer.body(), body);
    }
    assert_eq!(replayer.finish(), Ok(()));
    let replayer = Arc::new(Replayer::new(recording));
    assert!(send(&replayer, get("/v2/other")).await.is_err());
    let error = replayer.finish().expect_err("it was not recorded");
    assert!(matches!(error, ReplayError::Unexpected { .. }));
    let error = error.to_string();
    for first in [
        "POST https://analytics.example/collect?v=2",
        "GET https://acme.example/v2/users",
    ] {
        assert!(error.contains(first), "{error}");
    }
}

#[tokio::test]
async fn options_that_a_connector_asks_for_are_no_preflight() {
    let options = entry("OPTIONS", "https://acme.example/v2/users", "");
    let sent = request(&Method::OPTIONS, "/v2/users", "", "");
    replay(options, sent).await;
}

#[test]
fn what_is_wrong_is_told_with_the_number_of_the_entry() {
    let changes: [(Change, &str); 8] = [
        (|entry| entry["request"] = json!(7), "invalid type"),
        (
            |entry| drop(entry["request"].as_object_mut().map(|it| it.remove("url"))),
            "url",
        ),
        (|entry| entry["request"]["method"] = json!("G E T"), "G E T"),
        (
            |entry| entry["request"]["url"] = json!("https://[x/"),
            "https://[x/",
        ),
        (|entry| entry["response"]["status"] = json!(9999), "9999"),
        (
            |entry| entry["response"]["content"]["encoding"] = json!("rot13"),
            "rot13",
        ),
        (
            |entry| {
                entry["response"]["content"]["encoding"] = json!("base64");
                entry["response"]["content"]["text"] = json!("%");
            },
            "base64",
        ),
        (
            |entry| entry["response"]["headers"] = json!([{"name": "retry after", "value": "1"}]),
            "retry after",
        ),
    ];
    for (change, told) in changes {
        let mut broken = users();
        change(&mut broken);
        let error = Recording::from_har(&har([users(), broken])).expect_err("it is broken");
        let error = error.to_string();
        assert!(error.contains("entry 2") && error.contains(told), "{error}");
    }
    for (text, told) in [
        ("", "EOF"),
        ("PK\u{3}\u{4}", "line 1"),
        (r#"{"log":{"version":"1.1","entries":[]}}"#, "1.1"),
        (r#"{"log":{"version":"1.2"}}"#, "entries"),
        (r#"{"entries":[]}"#, "log"),
    ] {
        let error = Recording::from_har(text.as_bytes()).expect_err("it is no HAR");
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_query_and_a_body_are_compared_to_the_last_digit() {
    let is_same = async |recorded: (&str, &str), sent: (&str, &str)| {
        let mut entry = entry(
            "POST",
            &format!("https://acme.example/v2/x{}", recorded.0),
            "[]",
        );
        entry["request"]["postData"] = json!({"mimeType": "application/json", "text": recorded.1});
        let replayer = Arc::new(Replayer::new(recording([entry])));
        let path = format!("/v2/x{}", sent.0);
        let sent = request(&Method::POST, &path, "application/json", sent.1);
        send(&replayer, sent).await.is_ok()
    };
    let long = "[12345678901234567890123]";
    for (recorded, sent) in [
        (
            ("?a=1&b=2", "{\"a\":1,\"b\":[2]}"),
            ("?a=1&b=2", " { \"b\" : [ 2 ], \"a\":1}"),
        ),
        (("", long), ("", long)),
        (("", "{\"a\":\"\\u00e9\\/\"}"), ("", "{\"a\":\"é/\"}")),
        (("", "{\"\\u0061\":null}"), ("", "{\"a\":null}")),
        (("?a=b%20c", "0.10"), ("?a=b+c", "0.10")),
    ] {
        assert!(is_same(recorded, sent).await, "{recorded:?} {sent:?}");
    }
    for (recorded, sent) in [
        (("?a=1&b=2", ""), ("?b=2&a=1", "")),
        (("", long), ("", "[12345678901234567890124]")),
        (
            ("", "1.00000000000000000001"),
            ("", "1.00000000000000000002"),
        ),
        (("", "1"), ("", "\"1\"")),
        (("", "1"), ("", "1.0")),
        (("", "[1,2]"), ("", "[2,1]")),
        (("", "{\"a\":1,\"a\":2}"), ("", "{\"a\":2}")),
        (("", "{\"a\":1}"), ("", "{\"a\":1,\"b\":null}")),
        (("", "[1] "), ("", "[1] x")),
    ] {
        assert!(!is_same(recorded, sent).await, "{recorded:?} {sent:?}");
    }
}

#[tokio::test]
async fn json_that_is_nested_without_end_is_compared_as_it_is() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let mut entry = entry("POST", "https://acme.example/v2/x", "[]");
    entry["request"]["postData"] = json!({"mimeType": "application/json", "text": deep});
    replay(
        entry,
        request(&Method::POST, "/v2/x", "application/json", &deep),
    )
    .await;
}
