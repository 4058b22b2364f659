//! Color, progress and the log as a person meets them: color only on a terminal or where it is asked for, and progress that neither
//! stays nor runs into anything else. What needs a terminal gets one from `script`, where there is one.

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

use host_test::{program, simulated, tenant};
use ninjaone_simulator::{Options, Simulator};

const PROGRAM: &str = env!("CARGO_BIN_EXE_connector-host");

/// Gives a command the settings of a tenant, and an environment in which nothing says anything about color.
fn with_settings(command: &mut Command, simulator: &Simulator) {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm");
    program::with_settings(command, &simulator.base_url(), simulator.credentials());
}

fn piped(simulator: &Simulator, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments);
    with_settings(&mut command, simulator);
    command
}

/// The program in a terminal of 80 columns; standard error is the same terminal. `None` where there is no `script`.
fn on_a_terminal(simulator: &Simulator, arguments: &[&str]) -> Option<Command> {
    on_a_wide_terminal(simulator, 80, arguments)
}

fn on_a_wide_terminal(
    simulator: &Simulator,
    columns: usize,
    arguments: &[&str],
) -> Option<Command> {
    if Command::new("script").arg("--version").output().is_err() {
        // Not `eprintln!`, which is shown only where a test fails.
        let why = "skipped: there is no `script` on this computer to make a terminal";
        let _ = writeln!(io::stderr(), "{why}");
        return None;
    }
    let words: Vec<_> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let line = format!(
        "stty rows 24 cols {columns} && '{PROGRAM}' {}",
        words.join(" ")
    );
    let mut command = Command::new("script");
    command
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null());
    with_settings(&mut command, simulator);
    Some(command)
}

fn run(mut command: Command) -> Output {
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn both(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// Whether there is an escape that sets a color or a style.
fn is_colored(text: &str) -> bool {
    text.split('\u{1b}').skip(1).any(|escape| {
        let end = escape.find(|c: char| c.is_ascii_alphabetic());
        end.is_some_and(|end| escape.as_bytes()[end] == b'm')
    })
}

/// Commands that show what can be colored: results, tables, help, errors, warnings and the log.
const SHOWING: [&[&str]; 8] = [
    &["check"],
    &["list", "roles", "-v"],
    &["conformance"],
    &["grant", "--account", "1", "--role", "1", "--plan"],
    &["grant", "--account", "1", "--role", "999999"],
    &["list", "--help"],
    &["lst"],
    &["list", "accounts", "--base-url", "https://127.0.0.1"],
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_colored_that_no_terminal_shows() {
    let simulator = tenant(3).await;
    for arguments in SHOWING {
        let said = both(&run(piped(&simulator, arguments)));
        assert!(!said.contains('\u{1b}'), "{arguments:?}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_colored_where_that_is_asked_for() {
    let simulator = tenant(3).await;
    for arguments in SHOWING {
        let asked = run(piped(
            &simulator,
            &[arguments, &["--color", "always"]].concat(),
        ));
        assert!(is_colored(&both(&asked)), "{arguments:?}: {}", both(&asked));
        let mut forced = piped(&simulator, arguments);
        forced.env("CLICOLOR_FORCE", "1");
        let forced = both(&run(forced));
        assert!(is_colored(&forced), "{arguments:?}: {forced}");
    }
    // Programs read JSON.
    let json = run(piped(&simulator, &["check", "--json", "--color", "always"]));
    assert!(!both(&json).contains('\u{1b}'), "{}", both(&json));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_color_unless_somebody_says_no() {
    let simulator = tenant(3).await;
    for arguments in SHOWING {
        let Some(command) = on_a_terminal(&simulator, arguments) else {
            return;
        };
        let said = both(&run(command));
        assert!(is_colored(&said), "{arguments:?}: {said}");
        for (variable, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let command = on_a_terminal(&simulator, arguments);
            let mut command = command.expect("there was one before");
            command.env(variable, value);
            let said = both(&run(command));
            assert!(!is_colored(&said), "{variable}: {arguments:?}: {said:?}");
        }
        let never = [arguments, &["--color=never"]].concat();
        let command = on_a_terminal(&simulator, &never).expect("there was one before");
        let said = both(&run(command));
        assert!(!is_colored(&said), "{arguments:?}: {said:?}");
    }
}

/// What a terminal has in its lines in the end: a carriage return goes back, and an escape may clear the line.
fn on_the_screen(written: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in written.replace("\r\n", "\n").split('\n') {
        let last = line.rsplit("\u{1b}[2K").next().unwrap_or_default();
        lines.push(last.rsplit('\r').next().unwrap_or_default().to_string());
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_moves_on_a_terminal_and_is_gone_at_the_end() {
    let simulator = tenant(20_000).await;
    for arguments in [
        &["sync", "-v"][..],
        &["list", "accounts", "--limit", "500", "-v"],
    ] {
        let Some(command) = on_a_terminal(&simulator, arguments) else {
            return;
        };
        let said = both(&run(command));
        for part in [" accounts", " accounts/s, "] {
            assert!(said.contains(part), "{part} is not in: {said:?}");
        }
        let lines = on_the_screen(&said);
        let left = lines.iter().find(|line| line.contains("accounts/s, "));
        assert_eq!(left, None, "{arguments:?}");
        // Each line of the log is on its own.
        let log: Vec<_> = lines
            .iter()
            .filter(|line| line.contains("answered"))
            .collect();
        assert!(!log.is_empty(), "{said:?}");
        for line in log {
            let plain = line.replace("\u{1b}[2m", "");
            assert!(plain.starts_with("20"), "{line:?}");
        }
    }
    let command = on_a_terminal(&simulator, &["sync", "--quiet"]).expect("there was one before");
    let said = both(&run(command));
    assert!(!said.contains("/s, "), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_of_conformance_counts_to_the_end() {
    let simulator = tenant(3).await;
    let Some(command) = on_a_terminal(&simulator, &["conformance"]) else {
        return;
    };
    let said = both(&run(command));
    assert!(said.contains(" promises tried, "), "{said:?}");
    let left = on_the_screen(&said);
    let left = left.iter().find(|line| line.contains("promises tried"));
    assert_eq!(left, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_elsewhere_is_whole_lines_and_only_where_it_is_asked_for() {
    let simulator = tenant(300).await;
    for arguments in [["sync", "--json"], ["list", "accounts"]] {
        let silent = run(piped(&simulator, &arguments));
        assert_eq!(text(&silent.stderr), "", "{arguments:?}");
        let asked = run(piped(
            &simulator,
            &[&arguments[..], &["--progress"]].concat(),
        ));
        let said = text(&asked.stderr);
        assert!(said.starts_with("received so far: "), "{said:?}");
        assert!(said.ends_with(")\n") && said.contains("/s, "), "{said:?}");
        assert!(!said.contains(['\r', '\u{1b}']), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verbose_shows_each_request_with_all_that_is_known_of_it_and_nothing_secret() {
    let simulator = simulated(Options {
        accounts: 3,
        ..Options::default()
    })
    .await;
    let asked = [
        "list",
        "accounts",
        "--email",
        "somebody.in.particular@example.com",
        "-v",
    ];
    let output = run(piped(&simulator, &asked));
    let said = text(&output.stderr);
    let requests: Vec<_> = said
        .lines()
        .filter(|line| line.contains("answered"))
        .collect();
    assert_eq!(
        requests.len() as u64,
        simulator.request_count() as u64,
        "{said}"
    );
    for request in requests {
        for part in ["method=", "path=\"/", "status=200", "ms=", "request_id=\""] {
            assert!(request.contains(part), "{part} is not in: {request}");
        }
    }
    let credentials = simulator.credentials();
    for secret in [
        &*credentials.client_secret,
        "Bearer",
        "access_token",
        "somebody.in.particular",
    ] {
        assert!(!said.contains(secret), "{secret} is in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_fit_the_terminal_and_cut_nothing() {
    let simulator = tenant(300).await;
    // What there is, as programs read it.
    let lines = text(&run(piped(&simulator, &["list", "accounts", "--json"])).stdout);
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"));
    let addresses =
        lines.filter_map(|line: serde_json::Value| line["email"].as_str().map(str::to_string));
    let addresses: Vec<_> = addresses.collect();
    assert!(
        addresses.iter().any(|address| address.len() > 60),
        "there are long ones"
    );
    for columns in [40, 60, 200] {
        let arguments = ["list", "accounts", "--quiet", "--color", "never"];
        let Some(command) = on_a_wide_terminal(&simulator, columns, &arguments) else {
            return;
        };
        let shown = text(&run(command).stdout);
        for line in shown.lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
        // An address that is broken goes on where it stood, but for what stands beside it.
        let whole: String = shown.split_whitespace().collect();
        for address in addresses
            .iter()
            .filter(|address| columns < 100 || address.len() < 40)
        {
            assert!(whole.contains(address), "{columns}: {address}");
        }
    }
    // Elsewhere lines are as long as they need, so that `grep` finds them.
    let shown = text(&run(piped(&simulator, &["list", "accounts"])).stdout);
    assert_eq!(shown.lines().count(), 300 + 1);
    assert!(addresses.iter().all(|address| shown.contains(address)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_to_do_about_a_check_is_told_once_and_pointed_at() {
    let simulator = tenant(1).await;
    let mut check = piped(&simulator, &["check"]);
    check.env("NINJAONE_CLIENT_SECRET", "wrong");
    let output = check.output().expect("the program runs");
    let shown = text(&output.stdout);
    let pointing = shown.matches("see 1 below").count();
    assert_eq!(pointing, 10, "{shown}");
    // Beside the request, and as what to do.
    assert_eq!(shown.matches("make a new secret").count(), 2, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_is_a_line_for_people() {
    let simulator = tenant(1).await;
    let output = run(piped(
        &simulator,
        &["list", "accounts", "--base-url", "https://127.0.0.1"],
    ));
    let said = text(&output.stderr);
    assert!(said.starts_with("warning: "), "{said}");
    let quiet = [
        "list",
        "accounts",
        "--base-url",
        "https://127.0.0.1",
        "--quiet",
    ];
    let said = text(&run(piped(&simulator, &quiet)).stderr);
    assert!(said.starts_with("error: "), "{said}");
}
