//! What is secret is in no recording, although each exchange is written as soon as it is over.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use connector_recording::{Limits, Memory, Recorder};
use connector_transport::{Body, BoxFuture, Error, Terms, Transport, whole_body};
use http::{Request, Response};
use http_body_util::BodyExt;

const SECRET: &str = "s3cr3t/Val+ue==";
const TOKEN: &str = "tok/en+of==this";

/// Gives these bodies, one for each request.
struct Bodies(Mutex<VecDeque<String>>);

impl Transport for Bodies {
    fn send(
        self: Arc<Self>,
        _request: Request<Bytes>,
        _terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        let mut bodies = self.0.lock().expect("no other test has it");
        let body = bodies.pop_front().expect("the test gives enough bodies");
        Box::pin(async { Ok(Response::new(whole_body(body))) })
    }
}

fn recorder<const N: usize>(bodies: [String; N], limits: Limits) -> (Arc<Recorder>, Memory) {
    let memory = Memory::default();
    let bodies = Arc::new(Bodies(Mutex::new(bodies.into())));
    let recorder = Recorder::with(bodies, memory.clone(), limits);
    (Arc::new(recorder), memory)
}

fn token_request() -> Request<Bytes> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_secret", SECRET)
        .finish();
    Request::post("https://acme.example/ws/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.into())
        .expect("the test gives a request")
}

fn get() -> Request<Bytes> {
    Request::get("https://acme.example/v2/users")
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Bytes::new())
        .expect("the test gives a request")
}

async fn begin(recorder: &Arc<Recorder>, request: Request<Bytes>) -> Body {
    let answer = recorder.clone().send(request, Terms::default()).await;
    answer.expect("it is answered").into_body()
}

async fn exchange(recorder: &Arc<Recorder>, request: Request<Bytes>) {
    let body = begin(recorder, request).await.collect().await;
    body.expect("it is whole");
}

fn assert_clean(memory: &Memory) {
    let har = memory.har();
    for trace in ["s3cr3t", "Val", "tok/", "tok\\", "en+of", "acme"] {
        assert!(!har.contains(trace), "{trace} is in {har}");
    }
}

#[tokio::test]
async fn what_a_failing_server_repeats_is_not_in_the_recording_in_whichever_escape() {
    for secret in [
        r"s3cr3t\/Val+ue==",
        r"\u0073\u0033cr3t\/Val\u002bue==",
        SECRET,
    ] {
        let refused = format!(r#"{{"error_description":"cannot handle client_secret={secret}"}}"#);
        let token = format!(r#"{{"access_token":"{}"}}"#, TOKEN.replace('/', r"\/"));
        let repeated = format!(
            r#"{{"error":"no: Authorization: Bearer {}"}}"#,
            TOKEN.replace('/', r"\/")
        );
        let (recorder, memory) = recorder([refused, token, repeated], Limits::default());
        exchange(&recorder, token_request()).await;
        exchange(&recorder, token_request()).await;
        exchange(&recorder, get()).await;
        recorder.finish().await.expect("memory takes everything");
        assert_clean(&memory);
    }
}

#[tokio::test]
async fn what_is_learned_while_an_exchange_goes_on_is_taken_out_of_it() {
    let repeated = format!("who sent {TOKEN}?");
    let token = format!(r#"{{"access_token":"{TOKEN}"}}"#);
    let (recorder, memory) = recorder([repeated, token], Limits::default());
    // Begun before the token is known, and over after.
    let mut request = get();
    request.headers_mut().remove("authorization");
    let slow = begin(&recorder, request).await;
    exchange(&recorder, token_request()).await;
    slow.collect().await.expect("it is whole");
    recorder.finish().await.expect("memory takes everything");
    assert_clean(&memory);
}

#[tokio::test]
async fn what_the_caller_knows_is_taken_out_from_the_first_exchange_on() {
    let repeated = format!("of {SECRET} and {}", TOKEN.replace('/', "%2f"));
    let (recorder, memory) = recorder([repeated], Limits::default());
    recorder.conceal(SECRET);
    recorder.conceal(TOKEN);
    let mut request = get();
    request.headers_mut().remove("authorization");
    exchange(&recorder, request).await;
    recorder.finish().await.expect("memory takes everything");
    assert_clean(&memory);
}

#[tokio::test]
async fn of_a_secret_that_is_cut_off_by_the_limit_nothing_is_left() {
    let repeated = format!("no: {TOKEN}");
    let (recorder, memory) = recorder([repeated], Limits::default().answer("no: tok/en".len()));
    exchange(&recorder, get()).await;
    let summary = recorder.finish().await.expect("memory takes everything");
    assert_eq!(summary.cut_off, [1]);
    assert_clean(&memory);
}
