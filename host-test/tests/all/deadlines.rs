//! Nothing waits for ever, and nobody is kept waiting in vain: each phase has its limit, and no pause outlasts the call.

use std::time::{Duration, Instant};

use connector_host::contract::{Error, ListRequest, Page, ResourceKinds, TimeoutPhase};
use connector_host::transport::Timeouts;
use connector_host::{CallError, EgressPolicy, HostOptions, Limits, Tenant, TenantSettings};
use host_test::faulty::{Answer, Fault, Proxy, Verdict};
use host_test::{failure, tenant};
use tokio::net::TcpListener;

/// Lists the accounts of the tenant at this address, in a host with this deadline, and says how long that took.
async fn list(
    base_url: &str,
    deadline: Duration,
    timeouts: Timeouts,
) -> (Result<Page, CallError>, Duration) {
    let limits = Limits::default().deadline(deadline);
    let plugin = host_test::load(HostOptions::default().limits(limits).timeouts(timeouts));
    let credentials = ninjaone_simulator::Credentials::default();
    let settings = TenantSettings::new()
        .plain("base-url", base_url)
        .plain("client-id", credentials.client_id)
        .secret("client-secret", credentials.client_secret.into());
    let egress = EgressPolicy::only(base_url).expect("the test gives a base URL");
    let mut connector = plugin.instantiate(Tenant::new("test", settings, egress));
    let start = Instant::now();
    let page = connector
        .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
        .await;
    (page, start.elapsed())
}

/// A proxy that lets tokens pass, and answers everything else so.
async fn answering(answer: Answer) -> (ninjaone_simulator::Simulator, Proxy) {
    let simulator = tenant(3).await;
    let proxy = Proxy::start(&simulator, move |asked| {
        if asked.is_token_request() {
            Verdict::Pass
        } else {
            Verdict::Before(Fault::Answer(answer.clone()))
        }
    })
    .await;
    (simulator, proxy)
}

#[tokio::test]
async fn pauses_end_before_the_deadline_and_with_the_error_of_the_other_side() {
    let (_simulator, proxy) = answering(Answer::json(502, "{}")).await;
    for millis in [400, 900, 1_500, 3_000] {
        let deadline = Duration::from_millis(millis);
        let (page, took) = list(&proxy.base_url(), deadline, Timeouts::default()).await;
        assert_eq!(failure(page).error, Error::Upstream(502), "{deadline:?}");
        assert!(took < deadline, "{took:?} of {deadline:?}");
    }
    assert!(proxy.count() > 8, "there was time to try again");
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_given_back_at_once() {
    let throttled = Answer::new(429, &[("retry-after", "5")], "");
    let (_simulator, proxy) = answering(throttled).await;
    let deadline = Duration::from_secs(4);
    let (page, took) = list(&proxy.base_url(), deadline, Timeouts::default()).await;
    assert_eq!(failure(page).error, Error::RateLimited(Some(5_000)));
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(proxy.count(), 2, "a token, and one try");
}

#[tokio::test]
async fn a_wait_within_the_deadline_is_waited_for() {
    let simulator = tenant(3).await;
    let mut throttled = false;
    let proxy = Proxy::start(&simulator, move |asked| {
        if asked.is_token_request() || std::mem::replace(&mut throttled, true) {
            return Verdict::Pass;
        }
        Verdict::Before(Fault::Answer(Answer::new(503, &[("retry-after", "1")], "")))
    })
    .await;
    let deadline = Duration::from_secs(30);
    let (page, took) = list(&proxy.base_url(), deadline, Timeouts::default()).await;
    assert_eq!(page.expect("a page").items.len(), 3);
    assert!(took >= Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_told_as_that() {
    // It is accepted by the operating system, and nobody answers the TLS handshake, which is a part of connecting.
    let silent = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port");
    let port = silent.local_addr().expect("it is bound").port();
    let timeouts = Timeouts::default().connect(Duration::from_millis(100));
    let (page, _) = list(
        &format!("https://localhost:{port}"),
        Duration::from_secs(30),
        timeouts,
    )
    .await;
    assert_eq!(failure(page).error, Error::Timeout(TimeoutPhase::Connect));
}

#[tokio::test]
async fn an_answer_that_does_not_begin_or_go_on_in_time_is_told_as_that() {
    let slow = Duration::from_secs(60);
    for (fault, phase) in [
        (Fault::SlowHead(slow), TimeoutPhase::FirstByte),
        (Fault::SlowBody(slow), TimeoutPhase::BetweenBytes),
    ] {
        let simulator = tenant(30).await;
        let proxy = Proxy::start(&simulator, move |asked| {
            if asked.is_token_request() {
                Verdict::Pass
            } else {
                Verdict::After(fault.clone())
            }
        })
        .await;
        let timeouts = Timeouts::default()
            .first_byte(Duration::from_millis(200))
            .between_bytes(Duration::from_millis(200));
        let (page, _) = list(&proxy.base_url(), Duration::from_secs(30), timeouts).await;
        assert_eq!(failure(page).error, Error::Timeout(phase));
    }
}

#[tokio::test]
async fn a_call_as_a_whole_ends_at_the_deadline_whatever_it_waits_for() {
    let simulator = tenant(3).await;
    let proxy = Proxy::start(&simulator, |_| {
        Verdict::After(Fault::SlowHead(Duration::from_secs(60)))
    })
    .await;
    let deadline = Duration::from_millis(500);
    let (page, took) = list(&proxy.base_url(), deadline, Timeouts::default()).await;
    assert!(
        matches!(page, Err(CallError::DeadlineExceeded { after }) if after == deadline),
        "{page:?}"
    );
    assert!(took < Duration::from_secs(20), "{took:?}");
}
