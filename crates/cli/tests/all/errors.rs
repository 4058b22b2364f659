//! Errors as a person meets them: what was tried, what came back, and what to do next.

use host_test::program::{program_at, program_for};
use host_test::tenant;
use ninjaone_simulator::Credentials;

/// What a command says on standard error, with the settings of a tenant, and its exit code.
fn said(base_url: &str, arguments: &[&str]) -> (String, i32) {
    let mut program = program_at(base_url, arguments);
    program.env("NINJAONE_SCOPE", "monitoring");
    let output = program.output().expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("it is UTF-8");
    (said, output.status.code().expect("it ended by itself"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_error_says_what_was_tried_what_came_back_and_what_to_do() {
    let simulator = tenant(3).await;
    let here = simulator.base_url();
    let elsewhere = here.replace("http:", "https:");
    let port = here.rsplit(':').next().expect("it has one").to_string();
    for (base_url, arguments, exit, parts) in [
        (
            "",
            &["check"][..],
            10,
            &["base-url: it is not set", "NINJAONE_BASE_URL", "--help"][..],
        ),
        (
            &*here,
            &["check", "--base-url", "app.ninjarmm.com"],
            10,
            &["has no scheme", "https:// in front"],
        ),
        (
            &here,
            &["list", "roles", "--client-secret", "wrong"],
            11,
            &["Listing roles", "401", "make a new secret"],
        ),
        (
            &here,
            &["list", "roles", "--base-url", "https://nowhere.invalid"],
            22,
            &["cannot be resolved", "check the base URL"],
        ),
        (
            "http://127.0.0.1:9",
            &["list", "roles"],
            22,
            &["connection was refused", "check the base URL"],
        ),
        (
            &elsewhere,
            &["list", "roles"],
            22,
            &["TLS handshake failed", "check the base URL"],
        ),
        (
            &here,
            &["grant", "--account", "1", "--role", "1"],
            12,
            &["Granting role 1", "the scope management"],
        ),
        (
            &here,
            &["describe", "--component", "nowhere.wasm"],
            2,
            &["no file nowhere.wasm", "--component"],
        ),
        (
            &here,
            &["describe", "--component", "Cargo.toml"],
            2,
            &["not a WebAssembly component", "--component"],
        ),
        (
            &here,
            &["check", "--config", "nowhere.toml"],
            2,
            &["nowhere.toml", "No such file", "--config"],
        ),
        (
            &here,
            &["check", "--ca-file", "Cargo.toml"],
            2,
            &["Cargo.toml", "BEGIN CERTIFICATE"],
        ),
        (
            &here,
            &["diff", "nowhere.db", "nowhere.db"],
            2,
            &["no snapshot nowhere.db", "sync --out"],
        ),
        (
            &here,
            &["diff", "Cargo.toml", "Cargo.toml"],
            2,
            &["Cargo.toml is not a snapshot", "name another"],
        ),
        (
            &here,
            &["sync", "--out", "/nowhere/a.db"],
            1,
            &["no folder /nowhere", "make it"],
        ),
        (
            &here,
            &["simulate", "--port", &port],
            1,
            &[&port, "in use", "Without --port"],
        ),
        (
            &here,
            &["list", "roles", "--deadline", "0.000001"],
            21,
            &["Listing roles", "stopped after", "--deadline"],
        ),
        (
            &here,
            &["list", "events", "--since", "yesterday"],
            2,
            &["yesterday", "such as 2026-"],
        ),
        (&here, &["lst"], 2, &["'lst'", "'list'"]),
        (&here, &["list", "acounts"], 2, &["'acounts'", "'accounts'"]),
        (
            &here,
            &["check", "--tenent", "acme"],
            2,
            &["'--tenent'", "'--tenant'"],
        ),
        (
            &here,
            &["check", "--color", "allways"],
            2,
            &["'allways'", "'always'"],
        ),
    ] {
        let (said, code) = said(base_url, arguments);
        assert_eq!(code, exit, "{arguments:?}: {said}");
        for part in parts {
            assert!(
                said.contains(part),
                "{arguments:?}: {part} is not in: {said}"
            );
        }
        assert!(
            !said.contains(&Credentials::default().client_secret),
            "{said}"
        );
    }
}

#[test]
fn what_is_wrong_is_said_once() {
    let (said, _) = said("", &["list", "roles"]);
    assert_eq!(said.matches("it is not set").count(), 1, "{said}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told() {
    let simulator = tenant(3).await;
    let full = std::fs::File::options().write(true).open("/dev/full");
    let output = program_for(&simulator, &["list", "accounts"])
        .stdout(full.expect("it is there"))
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).expect("it is UTF-8");
    assert!(said.contains("No space left"), "{said}");
}
