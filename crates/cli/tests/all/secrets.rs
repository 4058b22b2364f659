//! Neither the client secret nor a token comes out anywhere: in no output, log, error, recording, snapshot, `Debug` output or
//! panic, at the most verbose level, whole or in parts, plain or encoded.

use std::process::Output;

use connector_host::contract::{ListRequest, Mode, ProvisionRequest, ResourceKinds};
use connector_host::{CallError, Connector, EgressPolicy, Tenant, TenantSettings};
use host_test::faulty::{Answer, Asked, Fault, Proxy, Verdict};
use host_test::log::Log;
use host_test::program::program_at;
use host_test::secrets::Search;
use host_test::{ada, assignment, deletion, misbehaving};
use ninjaone_simulator::{Credentials, Options, Simulator};

/// A secret that is found wherever it goes.
const SECRET: &str = "mK7qZ-xW3.rT9~bN5_vL1 hJ8+gF4/dS2=pQ6";

async fn marked_tenant() -> Simulator {
    host_test::simulated(Options {
        accounts: 40,
        credentials: Credentials {
            client_secret: SECRET.to_string(),
            ..Credentials::default()
        },
        ..Options::default()
    })
    .await
}

/// Answers with an error page that shows the whole request, as some proxies do.
fn echo(status: u16, asked: &Asked) -> Verdict {
    let body = String::from_utf8_lossy(&asked.body);
    let sent = format!("{}\n{body}", asked.head);
    let json = serde_json::json!({"resultCode": sent, "errorMessage": sent, "incidentId": "I-1"});
    Verdict::Before(Fault::Answer(Answer::json(status, json.to_string())))
}

/// What went with the requests that must not come out: the client secret, and every token.
fn secrets(proxy: &Proxy) -> Vec<String> {
    let mut secrets = vec![SECRET.to_string()];
    for passed in proxy.passed() {
        if let Some(token) = passed.asked.header("authorization") {
            let token = token.trim().trim_start_matches("Bearer ");
            secrets.push(token.to_string());
        }
    }
    secrets.sort();
    secrets.dedup();
    secrets
}

fn search(proxy: &Proxy) -> Search {
    let secrets = secrets(proxy);
    assert!(secrets.len() > 1, "no token was sent: nothing was tried");
    Search::new(secrets.iter().map(String::as_str))
}

/// The program as it says the most.
fn program(proxy: &Proxy, secret: &str, arguments: &[&str]) -> Output {
    program_at(&proxy.base_url(), arguments)
        .arg("-vv")
        .env("NINJAONE_CLIENT_SECRET", secret)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("the program runs")
}

/// Every command that sends requests, and what it is given.
const COMMANDS: [&[&str]; 11] = [
    &["describe"],
    &["check"],
    &["list", "accounts", "roles", "grants", "organizations"],
    &["list", "events"],
    &["grant", "--account", "17", "--role", "1", "--plan"],
    &["grant", "--account", "17", "--role", "1"],
    &["revoke", "--account", "17", "--role", "1"],
    &[
        "provision",
        "create",
        "--kind",
        "technician",
        "--given-name",
        "Ada",
        "--family-name",
        "Lovelace",
        "--email",
        "ada@example.com",
    ],
    &["provision", "delete", "--account", "17"],
    &["provision", "delete", "--account", "18", "--plan"],
    &["sync"],
];

#[tokio::test(flavor = "multi_thread")]
async fn the_program_keeps_the_secret_and_the_tokens_to_itself() {
    let tenant = marked_tenant().await;
    let folder = tempfile::tempdir().expect("there is room for files");
    for status in [None, Some(400), Some(401), Some(403), Some(404), Some(500)] {
        let proxy = Proxy::start(&tenant, move |asked| match status {
            // A token is given, so that there is one to leak, but every tenth time.
            Some(status) if !asked.is_token_request() || asked.number % 10 == 9 => {
                echo(status, asked)
            }
            _ => Verdict::Pass,
        })
        .await;
        let mut outputs = Vec::new();
        let (recording, snapshot) = (folder.path().join("r.har"), folder.path().join("s.db"));
        let (recording, snapshot) = (
            recording.to_str().expect("it is text"),
            snapshot.to_str().expect("it is text"),
        );
        // The pauses before repeats would make this long where everything fails.
        let hurry = ["--deadline", "0.9"];
        for command in COMMANDS {
            for json in [&[][..], &["--json"]] {
                let arguments = [command, json, &hurry].concat();
                outputs.push((arguments.join(" "), program(&proxy, SECRET, &arguments)));
            }
        }
        for arguments in [
            &["sync", "--record", recording, "--out", snapshot][..],
            &["check", "--client-secret", SECRET],
        ] {
            let arguments = [arguments, &hurry].concat();
            outputs.push((arguments.join(" "), program(&proxy, SECRET, &arguments)));
        }
        let search = search(&proxy);
        for (arguments, output) in outputs {
            for stream in [&output.stdout, &output.stderr] {
                let found = search.found(stream);
                assert!(found.is_empty(), "{arguments}, {status:?}: {found:?}");
            }
        }
        for entry in std::fs::read_dir(folder.path()).expect("it is there") {
            let path = entry.expect("it can be read").path();
            let found = search.found(&std::fs::read(&path).expect("it can be read"));
            assert!(found.is_empty(), "{}: {found:?}", path.display());
        }
        if status.is_none() {
            let files = std::fs::read_dir(folder.path()).expect("it is there");
            assert_eq!(files.count(), 2, "a recording and a snapshot");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_accepted_does_not_come_out_either() {
    let tenant = marked_tenant().await;
    let proxy = Proxy::start(&tenant, |_| Verdict::Pass).await;
    let wrong = "wR0ng-zX8.cV6~bM4_nK2 lJ1+hG3/fD5=sA7";
    let search = Search::new([SECRET, wrong]);
    for arguments in [&["check"][..], &["sync", "--json"]] {
        let output = program(&proxy, wrong, arguments);
        assert!(!output.status.success());
        for stream in [&output.stdout, &output.stderr] {
            assert_eq!(search.found(stream), [""; 0], "{arguments:?}");
        }
    }
}

fn connector(proxy: &Proxy, settings: &TenantSettings) -> Connector {
    let egress = EgressPolicy::only(&proxy.base_url()).expect("the proxy is on loopback");
    host_test::plugin().instantiate(Tenant::new("marked", settings.clone(), egress))
}

/// Every function of the contract, and what came of each as `Debug` and `Display` show it.
async fn everything(connector: &mut Connector) -> String {
    fn show<T: std::fmt::Debug>(result: &Result<T, CallError>) -> String {
        match result {
            Ok(value) => format!("{value:?}\n"),
            Err(error) => {
                let json = serde_json::to_string(error).expect("it has a JSON form");
                format!("{error:?}\n{error:#?}\n{error}\n{json}\n")
            }
        }
    }
    let mut shown = show(&connector.describe().await);
    shown += &show(&connector.check().await);
    for kinds in [
        ResourceKinds::ACCOUNTS,
        ResourceKinds::ROLES | ResourceKinds::GRANTS,
        ResourceKinds::ORGANIZATIONS,
        ResourceKinds::EVENTS,
    ] {
        shown += &show(&connector.list(&ListRequest::everything(kinds)).await);
    }
    for mode in [Mode::Plan, Mode::Apply] {
        let pair = assignment("17", "1");
        shown += &show(&connector.grant(&pair, mode).await);
        shown += &show(&connector.revoke(&pair, mode).await);
        for request in [
            ProvisionRequest::Create(ada("technician")),
            deletion("17", true),
        ] {
            shown += &show(&connector.provision(&request, mode).await);
        }
    }
    shown
}

#[tokio::test]
async fn an_embedding_that_logs_everything_keeps_the_secret_and_the_tokens_to_itself() {
    let log = Log::capture();
    let tenant = marked_tenant().await;
    let settings = host_test::settings(&tenant);
    let mut shown = format!("{settings:?}{settings:#?}");
    for status in [None, Some(400), Some(403), Some(404)] {
        let proxy = Proxy::start(&tenant, move |asked| match status {
            Some(status) if !asked.is_token_request() => echo(status, asked),
            _ => Verdict::Pass,
        })
        .await;
        let settings = settings.clone().plain("base-url", proxy.base_url());
        shown += &everything(&mut connector(&proxy, &settings)).await;
        let search = search(&proxy);
        assert_eq!(search.found(shown.as_bytes()), [""; 0], "{status:?}");
        assert_eq!(search.found(log.text().as_bytes()), [""; 0]);
    }
    let requests = log.lines_with("answered").len();
    assert!(
        requests > 10,
        "the log tells of requests, and of {requests}"
    );
}

#[tokio::test]
async fn a_connector_that_logs_its_secret_or_panics_with_it_does_not_get_it_out() {
    let log = Log::capture();
    let plugin = misbehaving::plugin(misbehaving::limits());
    let tenant = misbehaving::tenant("marked", SECRET, EgressPolicy::nothing());
    let mut connector = plugin.instantiate(tenant);
    let mut shown = String::new();
    for command in ["log-secret", "panic-with-secret"] {
        let request = ListRequest {
            cursor: Some(command.to_string()),
            ..ListRequest::everything(ResourceKinds::ACCOUNTS)
        };
        match connector.list(&request).await {
            Ok(page) => shown += &format!("{page:?}"),
            Err(error) => shown += &format!("{error:?}{error}"),
        }
    }
    assert!(shown.contains("[secret]"), "it panicked: {shown}");
    assert!(log.text().contains("[secret]"), "it was logged");
    let search = Search::new([SECRET]);
    assert_eq!(search.found(shown.as_bytes()), [""; 0]);
    assert_eq!(search.found(log.text().as_bytes()), [""; 0]);
}

#[test]
fn a_secret_is_found_in_every_form_and_in_parts() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let search = Search::new([SECRET]);
    for hidden in [
        SECRET.to_string(),
        SECRET[5..14].to_string(),
        SECRET[SECRET.len() - 8..].to_string(),
        form_urlencoded::byte_serialize(SECRET.as_bytes()).collect(),
        STANDARD.encode(format!("client:{SECRET}")),
        STANDARD.encode(&SECRET[3..]),
        format!("{:?}", SECRET.as_bytes()),
        SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
        SECRET.chars().rev().collect(),
    ] {
        let text = format!("before {hidden} after");
        assert_ne!(search.found(text.as_bytes()), [""; 0], "{hidden}");
    }
    assert_eq!(search.found(b"nothing of it: mK7qZ-x"), [""; 0]);
}
