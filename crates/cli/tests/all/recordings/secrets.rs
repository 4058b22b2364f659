//! No recording has a secret in it: neither those that are kept with the project, nor one that is made here and now.

use std::fs;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use connector_host::BoxFuture;
use connector_host::contract::ResourceKinds;
use connector_host::transport::{self, Body, Network, Terms, Transport};
use connector_recording::{Memory, Recorder};
use http::{Request, Response};
use ninjaone_simulator::Credentials;
use serde_json::Value;

use super::{connector, files, recordings};
use host_test::{list, tenant};

/// What shows that something was not taken out, in lower case.
const TRACES: [&str; 6] = [
    "bearer ",
    "basic ",
    "client_secret=",
    "set-cookie",
    "\"cookie\"",
    "authorization",
];

/// Where traces of secrets are in a text.
pub fn found(text: &str, secrets: &[String]) -> Vec<String> {
    let lower = text.to_lowercase();
    let traces = TRACES.iter().filter(|trace| lower.contains(*trace));
    let secrets = secrets
        .iter()
        .flat_map(|secret| forms(secret))
        .filter(|form| text.contains(form));
    traces
        .map(|trace| trace.to_string())
        .chain(secrets)
        .collect()
}

/// A secret, as it is and as it may be encoded. Of its base64 the part that is the same wherever it stands in what is encoded.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_string(),
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
    ];
    for padding in ["", "1", "12"] {
        let padded = format!("{padding}{secret}");
        for encoded in [STANDARD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            // Four characters at each end hold bits of what is beside it.
            forms.push(encoded[4..encoded.len() - 4].to_string());
        }
    }
    forms
}

/// The secrets of the simulator, which all recordings were made with.
fn secrets() -> Vec<String> {
    vec![
        Credentials::default().client_secret,
        "a-secret-that-is-wrong".to_string(),
    ]
}

#[test]
fn no_file_among_the_recordings_has_a_secret_in_it() {
    for path in files() {
        let text = fs::read_to_string(&path).expect("it is text");
        assert_eq!(found(&text, &secrets()), [""; 0], "{}", path.display());
    }
}

#[test]
fn every_token_in_the_recordings_is_the_placeholder() {
    for path in recordings() {
        let text = fs::read_to_string(&path).expect("it is text");
        let har: Value = serde_json::from_str(&text).expect("it is JSON");
        let entries = har["log"]["entries"].as_array().expect("it has entries");
        for entry in entries {
            assert_no_token(entry, &path.display().to_string());
        }
    }
}

/// Every token that was answered is the placeholder.
fn assert_no_token(entry: &Value, place: &str) {
    let text = entry["response"]["content"]["text"].as_str().unwrap_or("");
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(token) = body.get("access_token") {
        assert_eq!(token, "access-token", "{place}");
    }
}

/// Sends over the network, and remembers the tokens that went with it.
#[derive(Default)]
struct Eavesdropper {
    network: Arc<Network>,
    tokens: Mutex<Vec<String>>,
}

impl Transport for Eavesdropper {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
        if let Some(value) = request.headers().get("authorization") {
            let value = value.to_str().expect("it is text");
            let token = value.strip_prefix("Bearer ").expect("it is a token");
            let mut tokens = self.tokens.lock().expect("no other test has it");
            tokens.push(token.to_string());
        }
        self.network.clone().send(request, terms)
    }
}

#[tokio::test]
async fn a_fresh_recording_has_neither_the_secret_nor_the_token_nor_the_host_in_it() {
    let simulator = tenant(20).await;
    let base_url = simulator.base_url();
    let network = Arc::new(Eavesdropper::default());
    let memory = Memory::default();
    let recorder = Arc::new(Recorder::new(network.clone(), memory.clone()));
    let mut connector = connector(recorder.clone(), &base_url, simulator.credentials());
    list(&mut connector, ResourceKinds::ACCOUNTS).await;
    let mut secrets = network.tokens.lock().expect("it is over").clone();
    assert_eq!(secrets.len(), 1, "a token went with the listing");
    secrets.extend([
        simulator.credentials().client_secret.clone(),
        simulator.credentials().client_id.clone(),
        base_url.replace("http://", ""),
    ]);
    recorder.finish().await.expect("memory can be written to");
    assert_eq!(found(&memory.har(), &secrets), [""; 0]);
}

#[test]
fn a_secret_is_found_in_whichever_form() {
    let secret = "simulator-secret-not-a-real-one".to_string();
    for hidden in [
        secret.clone(),
        STANDARD.encode(format!("simulator-client:{secret}")),
        URL_SAFE_NO_PAD.encode(&secret),
        "Authorization: Bearer x".to_string(),
        "&client_secret=x".to_string(),
    ] {
        assert_ne!(
            found(&hidden, std::slice::from_ref(&secret)),
            [""; 0],
            "{hidden}"
        );
    }
}
