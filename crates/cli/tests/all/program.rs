//! The program as people and scripts meet it: output, exit codes, and how it ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use host_test::program::program;
use serde_json::Value;

/// A tenant that `connector-host simulate` runs, until it is dropped.
struct Simulation {
    child: Child,
    settings: Value,
}

impl Simulation {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program(&["simulate", "--json"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut first_line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut first_line)
            .expect("it says where it is");
        let settings = serde_json::from_str(&first_line).expect("the first line is JSON");
        Simulation { child, settings }
    }

    fn setting(&self, name: &str) -> &str {
        self.settings[name]
            .as_str()
            .expect("the first line has all settings")
    }

    /// The program with the settings of this tenant in its environment.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut program = program(arguments);
        program
            .env("NINJAONE_BASE_URL", self.setting("baseUrl"))
            .env("NINJAONE_CLIENT_ID", self.setting("clientId"))
            .env("NINJAONE_CLIENT_SECRET", self.setting("clientSecret"))
            .env("NINJAONE_SCOPE", self.setting("scope"));
        if let Some(ca_file) = self.settings["caFile"].as_str() {
            program.env("CONNECTOR_CA_FILE", ca_file);
        }
        program
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().expect("the program runs")
    }

    /// Ends it as Ctrl-C does.
    fn interrupt(mut self) -> ExitStatus {
        interrupt(&self.child);
        self.child.wait().expect("it ends")
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn interrupt(child: &Child) {
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.expect("kill runs").success());
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).expect("output is UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn ids(lines: &[Value], kind: &str) -> Vec<String> {
    let of_kind = lines
        .iter()
        .filter(|line| line["kind"] == kind || line["type"] == kind);
    of_kind
        .map(|line| line["id"].as_str().expect("an id").to_string())
        .collect()
}

#[test]
fn members_that_are_unknown_are_not_shown_as_none_or_as_not_counted() {
    let simulation = Simulation::start(&["--accounts", "60", "--behavior", "empty-members=absent"]);
    let listed = json_lines(&simulation.run(&["list", "roles", "--json"]));
    let shown = simulation.run(&["list", "roles", "grants"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let mut unknown = 0;
    for role in listed.iter().filter(|line| line["type"] == "role") {
        let name = role["name"].as_str().expect("it has a name");
        let row = shown.lines().find(|line| line.contains(name));
        let row = row.expect("it has a row").replace(name, "");
        let members = row.split_whitespace().nth(2).expect("it has members");
        match role["memberCount"].as_u64() {
            Some(count) => assert_eq!(members, count.to_string(), "{row}"),
            None => assert_eq!(members, "unknown", "{row}"),
        }
        unknown += usize::from(role["memberCount"].is_null());
    }
    assert!(unknown > 0);
}

#[test]
fn list_accounts_as_json_gives_each_of_10_000_accounts_exactly_once_and_grants_point_at_them() {
    let simulation = Simulation::start(&["--accounts", "10000"]);
    let accounts = simulation.run(&["list", "accounts", "--json"]);
    assert!(accounts.status.success(), "{}", text(&accounts.stderr));
    let accounts: Vec<String> = json_lines(&accounts)
        .iter()
        .filter_map(|line| line["id"].as_str().map(str::to_string))
        .collect();
    assert_eq!(accounts.len(), 10_000);
    let accounts: BTreeSet<_> = accounts.into_iter().collect();
    assert_eq!(accounts.len(), 10_000, "each exactly once");

    let roles = simulation.run(&["list", "roles", "--json"]);
    let roles: BTreeSet<_> = json_lines(&roles)
        .iter()
        .filter_map(|line| line["id"].as_str().map(str::to_string))
        .collect();
    let grants = json_lines(&simulation.run(&["list", "grants", "--json"]));
    let grants: Vec<_> = grants
        .iter()
        .filter(|line| line["account"].is_string())
        .collect();
    assert!(grants.len() > 1_000, "there are {}", grants.len());
    for grant in grants {
        assert!(
            accounts.contains(grant["account"].as_str().expect("an account")),
            "{grant}"
        );
        assert!(
            roles.contains(grant["role"].as_str().expect("a role")),
            "{grant}"
        );
    }
}

#[test]
fn settings_can_be_flags_environment_or_a_file_and_the_secret_a_file_of_its_own() {
    let simulation = Simulation::start(&["--accounts", "3"]);
    let folder = std::env::temp_dir().join(format!("connector-host-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let secret = folder.join("secret");
    std::fs::write(&secret, format!("{}\n", simulation.setting("clientSecret"))).expect("a file");
    let config = folder.join("tenant.toml");
    let toml = format!(
        "base-url = {:?}\nclient-id = {:?}\nclient-secret-file = {:?}\nscope = {:?}\n",
        simulation.setting("baseUrl"),
        simulation.setting("clientId"),
        secret.display().to_string(),
        simulation.setting("scope"),
    );
    std::fs::write(&config, toml).expect("a file");
    let by_file = program(&["list", "accounts", "--config"])
        .arg(&config)
        .output()
        .expect("it runs");
    assert!(by_file.status.success(), "{}", text(&by_file.stderr));
    let by_flag = program(&[
        "list",
        "accounts",
        "--base-url",
        simulation.setting("baseUrl"),
        "--client-id",
        simulation.setting("clientId"),
    ])
    .arg("--client-secret-file")
    .arg(&secret)
    .output()
    .expect("it runs");
    assert!(by_flag.status.success(), "{}", text(&by_flag.stderr));
    std::fs::remove_dir_all(&folder).expect("it is there");
}

#[test]
fn the_simulated_tenant_speaks_tls_and_its_first_line_says_whom_to_trust() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simulated-ca.pem");
    let kept = file.display().to_string();
    let usual = Simulation::start(&["--tls", "--accounts", "3"]);
    let named = Simulation::start(&["--tls", "--accounts", "3", "--ca-out", &kept]);
    assert_eq!(named.setting("caFile"), kept);
    for simulation in [&usual, &named] {
        assert!(simulation.setting("baseUrl").starts_with("https://"));
        let listed = simulation.run(&["list", "accounts", "--json"]);
        assert!(listed.status.success(), "{}", text(&listed.stderr));
        assert_eq!(ids(&json_lines(&listed), "account").len(), 3);
        // Nobody else is trusted, and so nothing is sent to whoever is not.
        let mut distrusting = simulation.program(&["list", "accounts"]);
        let refused = distrusting.env_remove("CONNECTOR_CA_FILE").output();
        assert_eq!(refused.expect("it runs").status.code(), Some(22));
    }
    let temporary = usual.setting("caFile").to_string();
    assert!(usual.interrupt().success() && named.interrupt().success());
    assert!(!Path::new(&temporary).exists(), "{temporary} is left");
    assert!(file.exists(), "it was asked for");
}

#[test]
fn for_people_the_first_line_of_the_simulated_tenant_is_one_to_paste() {
    let mut child = program(&["simulate", "--tls", "--accounts", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("it says where it is");
    let mut shell = Command::new("sh");
    host_test::program::without_settings(&mut shell);
    let listed = shell
        .args(["-c", &format!("{line}\n\"$0\" list accounts --json")])
        .arg(env!("CARGO_BIN_EXE_connector-host"))
        .output();
    interrupt(&child);
    child.wait().expect("it ends");
    let listed = listed.expect("the shell runs");
    assert!(listed.status.success(), "{}", text(&listed.stderr));
}

#[test]
fn exit_codes_differ_by_kind_of_failure() {
    let simulation = Simulation::start(&["--accounts", "20"]);
    let code = |arguments: &[&str]| simulation.run(arguments).status.code();
    assert_eq!(code(&["list", "accounts"]), Some(0));
    assert_eq!(code(&["list", "nonsense"]), Some(2));
    assert_eq!(code(&["check", "--base-url", "app.ninjarmm.com"]), Some(10));
    assert_eq!(
        code(&["list", "accounts", "--client-id", "nobody"]),
        Some(11)
    );
    assert_eq!(
        code(&["grant", "--account", "1", "--role", "999999"]),
        Some(13)
    );
    assert_eq!(code(&["grant", "--account", "x", "--role", "1"]), Some(15));
    assert_eq!(code(&["provision", "disable", "--account", "1"]), Some(17));
    assert_eq!(
        code(&["list", "accounts", "--base-url", "http://127.0.0.1:9"]),
        Some(22)
    );
}

#[test]
fn a_failure_says_what_was_tried_what_came_back_and_what_to_do_and_not_the_secret() {
    let simulation = Simulation::start(&["--accounts", "1"]);
    let output = simulation
        .program(&["list", "accounts", "-vv"])
        .env("NINJAONE_CLIENT_SECRET", "a-wrong-secret-marked-so")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(11));
    let said = text(&output.stderr);
    for part in [
        "POST /ws/oauth/token",
        "401",
        "check the setting client-secret",
        "request id",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    assert!(!said.contains("marked-so"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_failure_as_json_is_one_object_on_standard_error() {
    let simulation = Simulation::start(&["--accounts", "1"]);
    let output = simulation.run(&["grant", "--account", "1", "--role", "999999", "--json"]);
    let error: Value = serde_json::from_slice(&output.stderr).expect("one object");
    let error = error.get("error").unwrap_or(&error);
    assert_eq!(error["kind"], "not-found", "{error}");
    assert_eq!(error["retry"], "no", "{error}");
}

#[test]
fn a_sync_counts_everything_and_its_summary_comes_last() {
    let simulation = Simulation::start(&["--accounts", "300"]);
    let output = simulation.run(&["sync", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = json_lines(&output);
    let (summary, items) = lines.split_last().expect("there are lines");
    let listed = ids(items, "account").len();
    assert_eq!(listed, 300, "{summary}");
    assert!(summary.to_string().contains("300"), "{summary}");
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let simulation = Simulation::start(&["--accounts", "5000"]);
    let mut child = simulation
        .program(&["list", "accounts", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut first = [0; 10];
    child
        .stdout
        .take()
        .expect("it is piped")
        .read_exact(&mut first)
        .expect("something comes");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn an_interrupted_listing_says_that_it_was_cut_and_ends_with_130() {
    let simulation = Simulation::start(&["--accounts", "5", "--latency", "60000"]);
    let child = simulation
        .program(&["list", "accounts"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    std::thread::sleep(std::time::Duration::from_secs(5));
    interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("cut") && said.lines().count() == 1, "{said}");
}

/// A write that is under way, against a tenant that answers as slowly as this.
#[cfg(unix)]
struct Write {
    child: Child,
    said: BufReader<std::process::ChildStderr>,
    _simulation: Simulation,
}

#[cfg(unix)]
impl Write {
    fn begin(latency: &str, arguments: &[&str]) -> Self {
        let simulation = Simulation::start(&["--accounts", "5", "--latency", latency]);
        let grant = ["grant", "--account", "1", "--role", "1", "--json", "-v"];
        let mut child = simulation
            .program(&[&grant[..], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let said = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut write = Self {
            child,
            said,
            _simulation: simulation,
        };
        // The log of its first request.
        write.wait_for("/ws/oauth/token");
        write
    }

    fn wait_for(&mut self, part: &str) {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            let length = self.said.read_line(&mut line).expect("it is text");
            assert!(length > 0, "it ended without a word of {part}");
        }
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// How it ends: its exit code, its output, and what else it said.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("it is text");
        let mut output = String::new();
        let stdout = self.child.stdout.as_mut().expect("it is piped");
        stdout.read_to_string(&mut output).expect("it is text");
        let status = self.child.wait().expect("it ends");
        (status.code(), output, said)
    }
}

#[cfg(unix)]
#[test]
fn a_write_that_is_interrupted_is_finished_and_ends_as_it_would_have() {
    for signal in ["-INT", "-TERM"] {
        let mut write = Write::begin("300", &[]);
        write.signal(signal);
        write.wait_for("finishing the write");
        let (exit, output, said) = write.end();
        assert_eq!(exit, Some(0), "{said}");
        let change: Value = serde_json::from_str(&output).expect("its result is there");
        assert_eq!(change["outcome"], "changed", "{change}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_interruption_cuts_a_write_off() {
    let mut write = Write::begin("6000", &[]);
    write.signal("-INT");
    write.wait_for("Ctrl-C again to cut it off");
    write.signal("-INT");
    let (exit, output, said) = write.end();
    assert_eq!((exit, &*output), (Some(130), ""), "{said}");
    assert!(said.contains("may have been done all the same"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_write_that_does_not_end_in_time_is_cut_off() {
    let mut write = Write::begin("6000", &[]);
    write.signal("-TERM");
    write.wait_for("finishing the write");
    let (exit, output, said) = write.end();
    assert_eq!((exit, &*output), (Some(130), ""), "{said}");
    assert!(said.contains("may have been done all the same"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_plan_that_is_interrupted_ends_at_once_and_has_changed_nothing() {
    let write = Write::begin("6000", &["--plan"]);
    write.signal("-INT");
    let (exit, output, said) = write.end();
    assert_eq!((exit, &*output), (Some(130), ""), "{said}");
    assert!(said.contains("Nothing was changed"), "{said}");
    assert!(!said.contains("finishing"), "{said}");
}

#[test]
fn a_missing_component_says_how_to_build_it() {
    let output = program(&["describe", "--component", "nowhere.wasm"])
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    assert!(
        text(&output.stderr).contains("cargo xtask build"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn conformance_tells_of_each_promise_and_writes_only_where_it_is_allowed() {
    let simulation = Simulation::start(&["--accounts", "10"]);
    let output = simulation.run(&["conformance", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    let mut lines = json_lines(&output);
    let sum = lines.pop().expect("there is a last line");
    assert_eq!(sum["type"], "conformance");
    assert_eq!(
        (&sum["broken"], &sum["leftBehind"]),
        (&0.into(), &serde_json::json!([]))
    );
    let verdict = |name: &str| {
        let finding = lines.iter().find(|line| line["name"] == name);
        finding.expect("it is among the findings")["verdict"].clone()
    };
    assert_eq!(verdict("pages-add-up"), "held");
    assert_eq!(verdict("deletion"), "not-tried");

    let table = text(&simulation.run(&["conformance", "--write"]).stdout);
    assert!(table.contains("held       deletion"), "{table}");
    assert!(table.contains(" 0 broken, 1 not tried."), "{table}");
}

#[test]
fn conformance_fails_where_a_promise_is_broken() {
    let component = host_test::components::FAULTY;
    let output = program(&[
        "conformance",
        "--client-secret",
        "a-secret",
        "--setting",
        "fault=lost-items",
    ])
    .env("CONNECTOR_COMPONENT", component)
    .output()
    .expect("the program runs");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let table = text(&output.stdout);
    assert!(table.contains("broken     pages-add-up"), "{table}");
    assert!(
        text(&output.stderr).contains("breaks promises"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn the_demo_shows_every_step_and_succeeds() {
    let output = program(&["demo"]).output().expect("it runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    for part in [
        "Unchanged: the account already holds the role",
        "there is no such account any more",
        "received no write",
        "unauthorized",
    ] {
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
}
