//! NinjaOne as recordings have it, answer by answer: what each leads to, through the real component and without a network.
//!
//! No recording is of a live tenant, since none was called. Each is made by this program: the requests are what the connector
//! sends, the answers are the simulator's, but for those that a scenario gives by hand; and its comment says which of it was
//! observed of NinjaOne and which is reconstructed. After a change of what the connector sends, make them anew, and look at what
//! changed:
//!
//! ```sh
//! cargo test -p connector-cli --test all recordings -- --ignored make_the_recordings_anew
//! ```

mod by_hand;
mod program;
mod scenarios;
mod secrets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use by_hand::Improvised;
use bytes::Bytes;
use connector_host::contract::{ListRequest, ResourceKinds};
use connector_host::transport::Transport;
use connector_host::{Connector, EgressPolicy, Tenant, TenantSettings};
use connector_recording::{
    Answer, Memory, NEUTRAL_HOST, Recorder, Recording, ReplayError, Replayer,
};
use host_test::{plugin, simulated};
use http::Uri;
use jiff::Timestamp;
use ninjaone_simulator::Credentials;
use scenarios::{SCENARIOS, Scenario};

/// What every recording says of itself.
const RECONSTRUCTED: &str = "RECONSTRUCTED: not recorded from a live NinjaOne, of which none was called. Method, path, query and \
    body of each request are what the connector sends. The answers are those of the project's simulator unless said otherwise: \
    paths, parameters, field names and success statuses are as the API is specified, the answer to a token request is as \
    documented, and all else in them is made up. People, addresses and telephone numbers are fictional.";

/// One test for each recording, named after what it shows.
macro_rules! each_recording {
    ($($promise:ident: $file:literal,)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                replay($file).await;
            }
        )+

        /// The recordings that have a test.
        const TESTED: &[&str] = &[$($file),+];
    };
}

each_recording! {
    a_sync_gives_what_was_observed_and_takes_null_for_missing: "sync",
    a_role_that_is_granted_is_not_granted_again: "grant",
    a_role_that_is_revoked_is_not_revoked_again: "revoke",
    a_technician_is_created: "create-technician",
    an_end_user_is_created_invited_and_given_a_role: "create-end-user",
    an_address_that_was_taken_meanwhile_is_told_with_who_has_it: "create-duplicate",
    a_change_without_an_answer_is_read_back: "update",
    an_account_is_deleted_and_looked_for: "delete",
    an_account_that_is_gone_is_not_deleted_again: "delete-gone",
    a_wrong_secret_is_not_accepted: "wrong-secret",
    an_unknown_client_is_not_accepted: "unknown-client",
    a_scope_that_the_application_lacks_is_named: "invalid-scope",
    a_token_that_expired_is_replaced_and_the_listing_goes_on: "token-expired",
    a_write_without_the_privilege_names_the_scope: "insufficient-privileges",
    an_endpoint_that_wants_a_person_is_told_from_a_missing_scope: "user-context-required",
    an_instance_without_the_endpoint_is_told_from_a_missing_role: "no-user-endpoints",
    a_web_page_is_taken_for_throttling: "throttled-by-page",
    a_service_that_is_unavailable_is_left_alone_as_long_as_it_asks: "unavailable",
    a_failure_of_the_server_is_told_with_its_status: "server-error",
}

#[test]
fn every_recording_has_a_scenario_and_a_test() {
    let set = |names: &mut dyn Iterator<Item = String>| -> BTreeSet<String> { names.collect() };
    let tested = set(&mut TESTED.iter().map(|file| file.to_string()));
    let scenarios = set(&mut SCENARIOS.iter().map(|scenario| scenario.file.to_string()));
    let stem = |path: &PathBuf| Some(path.file_stem()?.to_str()?.to_string());
    let files = set(&mut recordings().filter_map(|path| stem(&path)));
    assert_eq!(scenarios, tested);
    assert_eq!(files, tested);
}

#[test]
fn every_recording_says_that_it_is_reconstructed() {
    for path in recordings() {
        let recording = Recording::read(&path).expect("it is a recording");
        let comment = recording.comment.expect("it has a comment");
        assert!(comment.starts_with(RECONSTRUCTED), "{}", path.display());
    }
}

#[tokio::test]
async fn a_request_that_is_not_in_the_recording_fails_the_replay_and_the_error_names_what_is() {
    let replayer = Arc::new(Replayer::new(read("grant")));
    let mut connector = connector(replayer.clone(), &replayed_url(), &Credentials::default());
    let accounts = ListRequest::everything(ResourceKinds::ACCOUNTS);
    assert!(connector.list(&accounts).await.is_err());
    let error = replayer.finish().expect_err("accounts were not listed");
    assert!(
        matches!(error, ReplayError::Unexpected { number: 2, .. }),
        "{error}"
    );
    let error = error.to_string();
    for part in ["GET /v2/users?includeRoles=true", "GET /v2/user/roles"] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

#[tokio::test]
async fn an_entry_that_is_left_over_fails_the_replay() {
    let mut recording = read("sync");
    let last = recording.exchanges.last().cloned();
    recording.exchanges.extend(last);
    let replayer = play(find("sync"), recording).await;
    let error = replayer.finish().expect_err("one is left over");
    assert!(
        matches!(error, ReplayError::LeftOver { left: 1, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn another_body_or_query_fails_the_replay() {
    for (file, index, change) in [
        ("grant", 3, Change::Body("[17]")),
        ("sync", 1, Change::Query("/v2/users?includeRoles=false")),
    ] {
        let mut recording = read(file);
        let request = &mut recording.exchanges[index].request;
        match change {
            Change::Body(body) => *request.body_mut() = Bytes::from_static(body.as_bytes()),
            Change::Query(path) => *request.uri_mut() = Uri::from_static(path),
        }
        let replayer = Arc::new(Replayer::new(recording));
        let scenario = find(file);
        let replaying = replayer.clone();
        // The scenario fails by an assertion, since the connector does.
        let played = tokio::spawn(async move {
            let mut connector = connector(replaying, &replayed_url(), &Credentials::default());
            (scenario.play)(&mut connector).await;
        });
        assert!(played.await.is_err(), "{file}");
        let error = replayer.finish().expect_err("it differs");
        assert!(
            matches!(error, ReplayError::Unexpected { number, .. } if number == index + 1),
            "{error}"
        );
    }
}

/// How a recording is made to differ from what is sent.
enum Change {
    Body(&'static str),
    Query(&'static str),
}

#[test]
fn what_is_called_observed_is_what_was_observed() {
    let Some(examples) = examples() else {
        println!("not compared with the observed examples: they are not beside this repository");
        return;
    };
    let text = |name: &str| fs::read_to_string(examples.join(name)).expect("it is there");
    assert_eq!(
        scenarios::TECHNICIAN_RECORD,
        text("user-technician.captured-redacted.json").trim_end()
    );
    let errors: serde_json::Value =
        serde_json::from_str(&text("errors.observed.json")).expect("it is JSON");
    let errors = errors.as_array().expect("they are in a list");
    for body in [
        scenarios::UNKNOWN_CLIENT,
        scenarios::NOT_AUTHENTICATED,
        scenarios::USER_CONTEXT_REQUIRED,
        scenarios::UNKNOWN_ROUTE,
    ] {
        let body: serde_json::Value = serde_json::from_str(body).expect("it is JSON");
        assert!(errors.iter().any(|error| error["body"] == body), "{body}");
    }
}

/// Where the observed examples are, on the machines that have them.
fn examples() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/ninjaone/examples");
    folder.is_dir().then_some(folder)
}

#[tokio::test]
#[ignore = "writes the recordings, which are under version control"]
async fn make_the_recordings_anew() {
    for scenario in SCENARIOS {
        let recording = make(scenario).await;
        fs::write(path(scenario.file), recording.to_har()).expect("the folder can be written to");
    }
}

/// Plays a scenario against the simulator, and records it.
async fn make(scenario: &Scenario) -> Recording {
    let simulator = simulated(scenarios::tenant((scenario.application)())).await;
    let memory = Memory::default();
    let improvised = Arc::new(Improvised::new(scenario.by_hand));
    let recorder = Arc::new(Recorder::new(improvised, memory.clone()));
    let mut credentials = simulator.credentials().clone();
    (scenario.mistake)(&mut credentials);
    let mut connector = connector(recorder.clone(), &simulator.base_url(), &credentials);
    (scenario.play)(&mut connector).await;
    recorder.finish().await.expect("memory can be written to");
    let mut recording = memory.recording().expect("it is a recording");
    recording.comment = Some(format!("{RECONSTRUCTED}\n\n{}", scenario.comment));
    make_timeless(&mut recording);
    recording
}

/// Takes out what differs from run to run: a second between requests, and no time for any.
fn make_timeless(recording: &mut Recording) {
    let start: Timestamp = "2026-11-24T12:00:00Z".parse().expect("it is a time");
    for (seconds, exchange) in (0..).zip(&mut recording.exchanges) {
        exchange.started = start + Duration::from_secs(seconds);
        exchange.took = Duration::ZERO;
        if let Answer::Whole(answer) | Answer::Partial(answer, _) = &mut exchange.answer {
            answer.headers_mut().remove("date");
        }
    }
}

/// Plays a scenario from its recording, all of which has to be sent, and nothing else.
async fn replay(file: &str) {
    let replayer = play(find(file), read(file)).await;
    replayer
        .finish()
        .unwrap_or_else(|error| panic!("{file}: {error}"));
}

async fn play(scenario: &Scenario, recording: Recording) -> Arc<Replayer> {
    let replayer = Arc::new(Replayer::new(recording));
    let mut connector = connector(replayer.clone(), &replayed_url(), &Credentials::default());
    (scenario.play)(&mut connector).await;
    replayer
}

fn connector(
    transport: Arc<dyn Transport>,
    base_url: &str,
    credentials: &Credentials,
) -> Connector {
    let settings = TenantSettings::new()
        .plain("base-url", base_url)
        .plain("client-id", &credentials.client_id)
        .secret("client-secret", credentials.client_secret.clone().into())
        .plain("scope", credentials.scopes.to_string());
    let egress = EgressPolicy::only(base_url).expect("it is https, or on this computer");
    let tenant = Tenant::new("test", settings, egress);
    plugin().instantiate(tenant.transport(transport))
}

fn replayed_url() -> String {
    format!("https://{NEUTRAL_HOST}")
}

fn find(file: &str) -> &'static Scenario {
    let found = SCENARIOS.iter().find(|scenario| scenario.file == file);
    found.expect("there is such a scenario")
}

fn read(file: &str) -> Recording {
    Recording::read(&path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn path(file: &str) -> PathBuf {
    folder().join(file).with_extension("har")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host-test/recordings")
}

/// The recordings in the folder.
fn recordings() -> impl Iterator<Item = PathBuf> {
    let is_recording = |path: &PathBuf| path.extension().is_some_and(|name| name == "har");
    files().into_iter().filter(is_recording)
}

/// The files in the folder.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("it can be listed").path())
        .collect();
    files.sort_unstable();
    files
}
