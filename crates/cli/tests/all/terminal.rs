//! What a tenant says is data: no terminal takes it for a command.

use std::process::Output;

use host_test::faulty::{Answer, Fault, Proxy, Verdict};
use host_test::program::program_at;
use host_test::tenant;

/// Clears the screen, rings, returns to the beginning of the line, colors, and turns the direction of writing around.
const ODD: &str = "\\u001b[2J\\u0007\\r\\u009b31m\\u202e";

/// Puts it into everything that is text in an answer.
fn with_odd_texts(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    // The values of the kinds have to stay what they are.
    let mut odd = text.into_owned();
    for field in [
        "firstName",
        "lastName",
        "email",
        "name",
        "description",
        "phone",
        "message",
    ] {
        odd = odd.replace(&format!("\"{field}\":\""), &format!("\"{field}\":\"{ODD}"));
    }
    odd.into_bytes()
}

fn run(base_url: &str, arguments: &[&str]) -> Output {
    program_at(base_url, arguments)
        .output()
        .expect("the program runs")
}

/// What of an output a terminal would act on.
fn commands(output: &[u8]) -> String {
    let text = String::from_utf8(output.to_vec()).expect("it is UTF-8");
    text.chars()
        .filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}')
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_tenant_says_reaches_the_terminal_as_a_command() {
    let simulator = tenant(5).await;
    let lists = Proxy::start(&simulator, |asked| {
        if asked.is_read() {
            Verdict::After(Fault::Damaged(with_odd_texts))
        } else {
            Verdict::Pass
        }
    })
    .await;
    let failures = Proxy::start(&simulator, |asked| {
        if asked.is_token_request() {
            return Verdict::Pass;
        }
        let body = format!(
            "{{\"resultCode\":\"{ODD}\",\"errorMessage\":\"{ODD}\",\"incidentId\":\"{ODD}\"}}"
        );
        Verdict::Before(Fault::Answer(Answer::json(400, body)))
    })
    .await;
    let folder = tempfile::tempdir().expect("there is room for files");
    let snapshot = folder.path().join("snapshot.db");
    let snapshot = snapshot.to_str().expect("it is text");
    let mut shown = String::new();
    for (base_url, arguments) in [
        (lists.base_url(), &["list", "accounts", "roles", "-vv"][..]),
        (lists.base_url(), &["list", "accounts", "--json"]),
        (lists.base_url(), &["list", "organizations"]),
        (lists.base_url(), &["list", "events"]),
        (lists.base_url(), &["sync", "--progress", "--out", snapshot]),
        (
            simulator.base_url(),
            &["sync", "--out", snapshot, "--allow-loss"],
        ),
        (failures.base_url(), &["list", "accounts", "-vv"]),
        (failures.base_url(), &["check"]),
        (failures.base_url(), &["list", "accounts", "--json"]),
        (
            lists.base_url(),
            &["grant", "--account", "1\u{1b}[2J", "--role", "1"],
        ),
    ] {
        let output = run(&base_url, arguments);
        for stream in [&output.stdout, &output.stderr] {
            assert_eq!(commands(stream), "", "{arguments:?}");
            shown += &String::from_utf8_lossy(stream);
        }
    }
    // It was there, and is shown in a form that does nothing.
    assert!(shown.contains("\\u{1b}[2J") && shown.contains("\\u001b[2J"));
}
