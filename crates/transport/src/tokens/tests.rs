use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{JoinHandle, yield_now};
use tokio::time::{advance, sleep};

use super::*;
use crate::{Addresses, Timeouts};

const TOKEN_URL: &str = "https://tenant.example/any/path";
const FORM: &str = "grant_type=client_credentials&client_id=me&client_secret=s3cret&scope=a";

/// An authorization server: it answers token requests with what the test gives it, or else with a token of its own, and all else
/// by whether the token is the last one.
#[derive(Default)]
struct Issuer {
    /// How many tokens were asked for.
    asked: AtomicUsize,
    answers: Mutex<VecDeque<Result<Response<Body>, Error>>>,
    /// How long it takes to answer.
    takes: Duration,
}

impl Transport for Issuer {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        _: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        Box::pin(async move {
            if let Some(token) = bearer(&request) {
                let is_last = token.expose_secret() == format!("token{}", self.asked());
                let mut response = Response::new(whole_body(""));
                if !is_last {
                    *response.status_mut() = StatusCode::UNAUTHORIZED;
                }
                return Ok(response);
            }
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            let answer = self
                .answers
                .lock()
                .expect("no test panics with it")
                .pop_front();
            sleep(self.takes).await;
            answer.unwrap_or_else(|| {
                Ok(json(&format!(
                    r#"{{"access_token":"token{number}","expires_in":3600}}"#
                )))
            })
        })
    }
}

impl Issuer {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn json(body: &str) -> Response<Body> {
    Response::new(whole_body(body.to_owned()))
}

/// An issuer that gives these answers first, and takes a second for each.
fn issuer(answers: Vec<Result<Response<Body>, Error>>) -> (Arc<Issuer>, Arc<SharedTokens>) {
    let issuer = Arc::new(Issuer {
        answers: Mutex::new(answers.into()),
        takes: Duration::from_secs(1),
        ..Issuer::default()
    });
    (issuer.clone(), Arc::new(SharedTokens::new(issuer)))
}

fn form(body: &str) -> Request<Bytes> {
    let request = Request::post(TOKEN_URL)
        .header(
            CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=UTF-8",
        )
        .body(Bytes::from(body.to_owned()));
    request.expect("it is a request")
}

fn terms() -> Terms {
    Terms::new(Timeouts::default(), Addresses::Development)
}

/// The whole answer: its status, and its body as text.
async fn send(shared: &Arc<SharedTokens>, request: Request<Bytes>) -> Result<(u16, String), Error> {
    let response = shared.clone().send(request, terms()).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((
        status,
        String::from_utf8(body.to_vec()).expect("it is text"),
    ))
}

/// The token.
async fn token(shared: &Arc<SharedTokens>) -> String {
    let (status, body) = send(shared, form(FORM)).await.expect("it is answered");
    assert_eq!(status, 200, "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
    body["access_token"]
        .as_str()
        .expect("it has a token")
        .to_owned()
}

/// Sends in the background; it has begun when this returns.
async fn begin(
    shared: &Arc<SharedTokens>,
    request: Request<Bytes>,
) -> JoinHandle<Result<(u16, String), Error>> {
    let shared = shared.clone();
    let sent = tokio::spawn(async move { send(&shared, request).await });
    for _ in 0..5 {
        yield_now().await;
    }
    sent
}

async fn use_token(shared: &Arc<SharedTokens>, token: &str) -> u16 {
    let request = Request::get("https://tenant.example/v2/users")
        .header(AUTHORIZATION, format!("bearer {token}"))
        .body(Bytes::new());
    let used = send(shared, request.expect("it is a request")).await;
    used.expect("it is answered").0
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_at_once_get_one_token() {
    let (issuer, shared) = issuer(vec![]);
    let mut asking = Vec::new();
    for _ in 0..10 {
        asking.push(begin(&shared, form(FORM)).await);
    }
    for asking in asking {
        let (_, body) = asking
            .await
            .expect("it does not panic")
            .expect("it is answered");
        assert!(body.contains("token1"), "{body}");
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_later_get_the_answer_as_it_came_and_are_told_how_old_it_is() {
    for answer in [
        r#"{"access_token":"t","expires_in":3600}"#,
        r#"{ "expires_in" : "3600" , "x": [1.50], "access_token":"t\u0041", "scope": "a b" }"#,
        "\u{feff}{\"access_token\":\"t\"}",
    ] {
        let (issuer, shared) = issuer(vec![Ok(json(answer))]);
        let mut ages = Vec::new();
        for pause in [0, 0, 98_500, 1_000] {
            advance(Duration::from_millis(pause)).await;
            let sent = shared.clone().send(form(FORM), terms()).await;
            let response = sent.expect("it is answered");
            ages.push(response.headers().get(AGE).cloned());
            let body = response.into_body().collect().await.expect("it is there");
            assert_eq!(body.to_bytes(), answer);
        }
        // The second that the answer took counts, too.
        let ages: Vec<_> = ages.iter().flatten().collect();
        assert_eq!(ages, ["1", "100", "101"]);
        assert_eq!(issuer.asked(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_asked_for_anew_before_it_ends() {
    for (answer, kept) in [
        (r#"{"access_token":"t","expires_in":3600}"#, 3600 - 90),
        (r#"{"access_token":"t","expires_in":"80"}"#, 70),
        (r#"{"access_token":"t","expires_in":80.5}"#, 70),
        (r#"{"access_token":"t"}"#, 300 - 37),
        (r#"{"access_token":"t","expires_in":null}"#, 300 - 37),
        (r#"{"access_token":"t","expires_in":0}"#, 300 - 37),
        (r#"{"access_token":"t","expires_in":-1}"#, 300 - 37),
        (r#"{"access_token":"t","expires_in":"soon"}"#, 300 - 37),
        (r#"{"access_token":"t","expires_in":1e300}"#, 300 - 37),
        (
            r#"{"access_token":"t","expires_in":1e12}"#,
            24 * 60 * 60 - 90,
        ),
    ] {
        let (issuer, shared) = issuer(vec![Ok(json(answer))]);
        send(&shared, form(FORM)).await.expect("it is answered");
        advance(Duration::from_secs(kept - 2)).await;
        send(&shared, form(FORM)).await.expect("it is answered");
        assert_eq!(issuer.asked(), 1, "{answer}");
        advance(Duration::from_secs(2)).await;
        send(&shared, form(FORM)).await.expect("it is answered");
        assert_eq!(issuer.asked(), 2, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_token_is_not_kept() {
    let with = |status: u16, body: &str| {
        let mut response = json(body);
        *response.status_mut() = StatusCode::from_u16(status).expect("it is a status");
        Ok(response)
    };
    for answer in [
        with(201, r#"{"access_token":"t","expires_in":3600}"#),
        with(401, r#"{"error":"invalid_client"}"#),
        with(503, ""),
        with(200, r#"{"access_token":"","expires_in":3600}"#),
        with(200, r#"{"access_token":7,"expires_in":3600}"#),
        with(200, r#"{"access_token":"t","expires_in":1}"#),
        with(200, r#"{"error":"invalid_scope"}"#),
        with(200, r#"["access_token"]"#),
        with(200, r#"{"access_token":"t","expires_in":3600"#),
        Err(Error::ConnectionRefused),
    ] {
        let shown = format!("{:?}", answer.as_ref().map(|answer| answer.status()));
        let (issuer, shared) = issuer(vec![answer]);
        let _ = send(&shared, form(FORM)).await;
        assert_eq!(token(&shared).await, "token2", "{shown}");
        assert_eq!(token(&shared).await, "token2", "{shown}");
        assert_eq!(issuer.asked(), 2, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_secret_scope_place_or_rule_is_another_token() {
    let (issuer, shared) = issuer(vec![]);
    let with = |user: &'static str| {
        let mut request = form("grant_type=client_credentials");
        request
            .headers_mut()
            .insert(AUTHORIZATION, HeaderValue::from_static(user));
        request
    };
    let mut elsewhere = form(FORM);
    *elsewhere.uri_mut() = "https://tenant.example/other".parse().expect("it is a URI");
    let requests = [
        form(FORM),
        form(&FORM.replace("s3cret", "s3creT")),
        form(&FORM.replace("scope=a", "scope=b")),
        form("grant_type=client_credentials"),
        with("Basic eDp5"),
        with("Basic eDp6"),
        elsewhere,
    ];
    for _ in 0..2 {
        for request in requests.clone() {
            send(&shared, request).await.expect("it is answered");
        }
        assert_eq!(issuer.asked(), requests.len());
    }
    let strict = Terms::new(Timeouts::default(), Addresses::Global);
    shared
        .clone()
        .send(form(FORM), strict)
        .await
        .expect("it is answered");
    assert_eq!(issuer.asked(), requests.len() + 1);
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_no_token_is_passed_on() {
    let (issuer, shared) = issuer(vec![]);
    let json = {
        let mut request = form(FORM);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        request
    };
    let put = {
        let mut request = form(FORM);
        *request.method_mut() = Method::PUT;
        request
    };
    let others = [
        json,
        put,
        form(""),
        form("grant_type=password&username=a&password=b"),
        form("grant_type=client_credentials&grant_type=password"),
        form("x=grant_type%3Dclient_credentials"),
    ];
    for request in &others {
        for _ in 0..2 {
            send(&shared, request.clone())
                .await
                .expect("it is answered");
        }
    }
    assert_eq!(issuer.asked(), 2 * others.len());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_accepted_is_handed_out_no_more() {
    let (issuer, shared) = issuer(vec![]);
    let first = token(&shared).await;
    assert_eq!(use_token(&shared, &first).await, 200);
    assert_eq!(token(&shared).await, first);
    // Somebody else asks for a token, which revokes this one.
    issuer.asked.fetch_add(1, Ordering::Relaxed);
    assert_eq!(use_token(&shared, &first).await, 401);
    let second = token(&shared).await;
    assert_eq!(second, "token3");
    // Another instance finds out later that the first is not accepted. The one that is handed out now is not concerned.
    assert_eq!(use_token(&shared, &first).await, 401);
    assert_eq!(token(&shared).await, second);
    assert_eq!(use_token(&shared, &second).await, 200);
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn instances_of_a_client_that_may_have_one_token_do_not_revoke_each_others() {
    let (issuer, shared) = issuer(vec![]);
    let mut workers = Vec::new();
    for worker in 0..5 {
        let shared = shared.clone();
        workers.push(tokio::spawn(async move {
            let mut refused = 0;
            let mut mine = token(&shared).await;
            for _ in 0..200 {
                sleep(Duration::from_millis(50 + worker)).await;
                if use_token(&shared, &mine).await == 401 {
                    refused += 1;
                    mine = token(&shared).await;
                    assert_eq!(use_token(&shared, &mine).await, 200);
                }
            }
            refused
        }));
    }
    // Now and then it is revoked from outside.
    for _ in 0..3 {
        sleep(Duration::from_secs(2)).await;
        issuer.asked.fetch_add(1, Ordering::Relaxed);
    }
    for worker in workers {
        let refused = worker.await.expect("no new token is refused");
        assert!(refused <= 3, "{refused}");
    }
    assert_eq!(issuer.asked(), 1 + 3 + 3);
}

#[tokio::test(start_paused = true)]
async fn who_wants_a_new_one_gets_it_and_so_do_the_others_then() {
    let (issuer, shared) = issuer(vec![]);
    let fresh = || {
        let mut request = form(FORM);
        let value = HeaderValue::from_static("max-age=0, No-Cache");
        request.headers_mut().insert(CACHE_CONTROL, value);
        request
    };
    token(&shared).await;
    let first = begin(&shared, fresh()).await;
    // While a new one is under way, nobody gets the old one.
    let others = [
        begin(&shared, form(FORM)).await,
        begin(&shared, fresh()).await,
    ];
    for asking in [first].into_iter().chain(others) {
        let (_, body) = asking
            .await
            .expect("it does not panic")
            .expect("it is answered");
        assert!(body.contains("token2"), "{body}");
    }
    assert_eq!(token(&shared).await, "token2");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_that_of_all_who_wait_and_of_nobody_else() {
    let mut refused = json(r#"{"error":"invalid_client"}"#);
    *refused.status_mut() = StatusCode::UNAUTHORIZED;
    let (issuer, shared) = issuer(vec![Err(Error::ConnectionRefused), Ok(refused)]);
    let asking = [
        begin(&shared, form(FORM)).await,
        begin(&shared, form(FORM)).await,
    ];
    for asking in asking {
        let outcome = asking.await.expect("it does not panic");
        assert_eq!(outcome, Err(Error::ConnectionRefused));
    }
    let asking = [
        begin(&shared, form(FORM)).await,
        begin(&shared, form(FORM)).await,
    ];
    for asking in asking {
        let outcome = asking.await.expect("it does not panic");
        assert_eq!(
            outcome,
            Ok((401, r#"{"error":"invalid_client"}"#.to_owned()))
        );
    }
    assert_eq!(issuer.asked(), 2);
    assert_eq!(token(&shared).await, "token3");
}

#[tokio::test(start_paused = true)]
async fn the_token_is_not_lost_where_whoever_asked_first_goes_away() {
    let (issuer, shared) = issuer(vec![]);
    let first = begin(&shared, form(FORM)).await;
    let second = begin(&shared, form(FORM)).await;
    first.abort();
    let (_, body) = second
        .await
        .expect("it does not panic")
        .expect("it is answered");
    assert!(body.contains("token1"), "{body}");

    let shared = Arc::new(SharedTokens::new(issuer.clone()));
    let alone = begin(&shared, form(FORM)).await;
    alone.abort();
    assert_eq!(token(&shared).await, "token2");
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_large_is_passed_on_whole_and_not_shared() {
    let large = |letter: &str| {
        format!(
            r#"{{"access_token":"t","x":"{}"}}"#,
            letter.repeat(ANSWER_LIMIT)
        )
    };
    let (issuer, shared) = issuer(vec![Ok(json(&large("a"))), Ok(json(&large("b")))]);
    let asking = [
        begin(&shared, form(FORM)).await,
        begin(&shared, form(FORM)).await,
    ];
    let mut bodies = Vec::new();
    for asking in asking {
        let outcome = asking.await.expect("it does not panic");
        bodies.push(outcome.expect("it is answered").1);
    }
    bodies.sort();
    assert_eq!(bodies, [large("a"), large("b")]);
    assert_eq!(token(&shared).await, "token3");
    assert_eq!(issuer.asked(), 3);

    let mut just = r#"{"access_token":"t"}"#.to_owned();
    just.push_str(&" ".repeat(ANSWER_LIMIT - just.len()));
    let (issuer, shared) = self::issuer(vec![Ok(json(&just))]);
    for _ in 0..2 {
        send(&shared, form(FORM)).await.expect("it is answered");
    }
    assert_eq!(issuer.asked(), 1);
}

/// A body that stands still.
struct Stalled;

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stands_still_fails_for_all_who_wait() {
    let (issuer, shared) = issuer(vec![Ok(Response::new(Stalled.boxed_unsync()))]);
    let asking = [
        begin(&shared, form(FORM)).await,
        begin(&shared, form(FORM)).await,
    ];
    for asking in asking {
        let outcome = asking.await.expect("it does not panic");
        assert_eq!(outcome, Err(Error::ReadTimeout));
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn few_tokens_are_remembered() {
    let (issuer, shared) = issuer(vec![]);
    for number in 0..3 * MOST {
        let request = form(&format!("{FORM}{number}"));
        send(&shared, request).await.expect("it is answered");
    }
    assert_eq!(shared.tokens.lock().len(), MOST);
    // Also of requests under way, of which the others are not shared but sent.
    let mut asking = Vec::new();
    for number in 0..3 * MOST {
        asking.push(begin(&shared, form(&format!("{number}&{FORM}"))).await);
    }
    assert_eq!(shared.tokens.lock().len(), MOST);
    for asking in asking {
        let outcome = asking.await.expect("it does not panic");
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    assert_eq!(issuer.asked(), 6 * MOST);
}
