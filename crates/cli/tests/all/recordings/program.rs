//! `--record` and `--replay`, as people and scripts meet them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use connector_recording::Recording;
use ninjaone_simulator::Simulator;

use super::secrets::found;
use host_test::program::{program, program_for};
use host_test::tenant;

/// A file of its own for each test.
fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recordings");
    fs::create_dir_all(&folder).expect("the folder of the build can be written to");
    let file = folder.join(name);
    // Left by an earlier run.
    let _ = fs::remove_file(&file);
    file
}

fn record(simulator: &Simulator, arguments: &[&str], file: &Path) -> Output {
    let mut program = program_for(simulator, arguments);
    program.arg("--record").arg(file);
    program.output().expect("the program runs")
}

fn replay(arguments: &[&str], file: &Path) -> Output {
    let mut program = program(arguments);
    program.arg("--replay").arg(file);
    program.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The lines that are about what is there, and not about how long it took.
fn items(output: &Output) -> String {
    let text = text(&output.stdout);
    let lines = text.lines().filter(|line| !line.contains("durationMs"));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_replays_to_the_same_output_without_network_or_settings() {
    let simulator = tenant(8).await;
    for (name, arguments) in [
        (
            "list.har",
            ["list", "accounts", "roles", "grants", "--json"].as_slice(),
        ),
        ("sync.har", &["sync", "--json"]),
        (
            "grant.har",
            &["grant", "--account", "1", "--role", "1", "--json"],
        ),
        ("describe.har", &["describe"]),
    ] {
        let file = file(name);
        let recorded = record(&simulator, arguments, &file);
        assert!(recorded.status.success(), "{}", text(&recorded.stderr));
        let replayed = replay(arguments, &file);
        assert!(replayed.status.success(), "{}", text(&replayed.stderr));
        assert!(!items(&recorded).is_empty());
        assert_eq!(items(&recorded), items(&replayed), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_recorded_and_fails_the_same_when_it_is_replayed() {
    let simulator = tenant(5).await;
    let file = file("failure.har");
    let arguments = [
        "grant",
        "--account",
        "1",
        "--role",
        "999999",
        "--json",
        "--quiet",
    ];
    let recorded = record(&simulator, &arguments, &file);
    assert_eq!(recorded.status.code(), Some(13));
    let replayed = replay(&arguments, &file);
    assert_eq!(replayed.status.code(), Some(13));
    assert_eq!(text(&recorded.stderr), text(&replayed.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_by_the_program_has_no_secret_in_it_and_says_what_is() {
    let simulator = tenant(8).await;
    let file = file("secrets.har");
    let recorded = record(&simulator, &["list", "accounts"], &file);
    assert!(
        text(&recorded.stderr).contains("personal data"),
        "{}",
        text(&recorded.stderr)
    );
    let har = fs::read_to_string(&file).expect("it was written");
    let credentials = simulator.credentials();
    let secrets = [
        credentials.client_secret.clone(),
        credentials.client_id.clone(),
        simulator.base_url().replace("http://", ""),
    ];
    assert_eq!(found(&har, &secrets), [""; 0]);
    let comment = Recording::read(&file).expect("it is a recording").comment;
    let comment = comment.expect("it has a comment");
    assert!(comment.contains("personal data"), "{comment}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_written_to_is_told_before_anything_is_sent() {
    let simulator = tenant(1).await;
    let output = record(
        &simulator,
        &["list", "accounts"],
        &file("no/such/folder.har"),
    );
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert_eq!(simulator.request_count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_replay_of_something_else_fails_and_says_where_it_parted() {
    let simulator = tenant(5).await;
    let file = file("something-else.har");
    let recorded = record(&simulator, &["list", "accounts"], &file);
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));
    let replayed = replay(&["list", "roles"], &file);
    assert_eq!(replayed.status.code(), Some(1));
    let said = text(&replayed.stderr);
    for part in ["GET /v2/user/roles", "request number 2 is GET /v2/users"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_leaves_something_over_fails() {
    let simulator = tenant(5).await;
    let file = file("left-over.har");
    let recorded = record(&simulator, &["list", "accounts"], &file);
    assert!(recorded.status.success(), "{}", text(&recorded.stderr));
    let replayed = replay(&["describe"], &file);
    assert_eq!(replayed.status.code(), Some(1));
    let said = text(&replayed.stderr);
    assert!(said.contains("2 of the 2 requests"), "{said}");
}

#[test]
fn a_file_that_is_no_recording_is_told_by_name() {
    let file = file("broken.har");
    fs::write(&file, "{}").expect("the folder of the build can be written to");
    let replayed = replay(&["list", "accounts"], &file);
    assert_eq!(replayed.status.code(), Some(2));
    let said = text(&replayed.stderr);
    assert!(
        said.contains("broken.har") && said.contains("HAR"),
        "{said}"
    );
}

#[test]
fn commands_that_call_no_tenant_refuse_to_record() {
    let file = file("simulate.har");
    for command in ["simulate", "demo"] {
        let output = program(&[command, "--record"]).arg(&file).output();
        let output = output.expect("the program runs");
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert!(!file.exists(), "{command}");
    }
}

#[test]
fn the_help_says_that_personal_data_stays_in_recordings() {
    let help = program(&["list", "--help"])
        .output()
        .expect("the program runs");
    let help = text(&help.stdout);
    assert!(help.contains("PERSONAL DATA"), "{help}");
}
