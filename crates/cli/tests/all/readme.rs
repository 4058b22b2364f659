//! What the README says to type, does.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use host_test::program::with_settings;
use host_test::tenant;

/// The sections whose commands run one after the other against a simulated tenant.
const SECTIONS: [&str; 3] = ["Try it", "Follow what changes", "Review who has access"];
/// How many accounts the tenant has that the README has the reader start.
const ACCOUNTS: u32 = 10_000;

/// The calls of the program in a section, as they are written. What other programs make of their output is not tried here, and
/// the simulator is there already.
fn commands(section: &str) -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).expect("it can be read");
    let heading = format!("\n## {section}\n");
    let (_, after) = readme.split_once(&heading).expect("the section is there");
    let text = after.split("\n## ").next().expect("it has an end");
    let blocks = text.split("```sh\n").skip(1);
    blocks
        .filter_map(|block| block.split("```").next())
        .flat_map(str::lines)
        .filter(|line| line.contains("cargo host ") && !line.contains("cargo host simulate"))
        .map(|line| {
            line.split(" | ")
                .next()
                .expect("it has a beginning")
                .to_string()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_does_what_is_said() {
    let simulator = tenant(ACCOUNTS).await;
    let folder = tempfile::tempdir().expect("there is room for files");
    for section in SECTIONS {
        let commands = commands(section);
        assert!(!commands.is_empty(), "there are commands in {section}");
        for command in commands {
            let script = format!("cargo() {{ shift; \"$CONNECTOR_HOST\" \"$@\"; }}\n{command}\n");
            let mut shell = Command::new("sh");
            shell
                .args(["-e", "-c", &script])
                .current_dir(folder.path())
                .env("CONNECTOR_HOST", env!("CARGO_BIN_EXE_connector-host"));
            with_settings(&mut shell, &simulator.base_url(), simulator.credentials());
            let output = shell.output().expect("there is a shell");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{command}\n{said}");
        }
    }
    for file in ["grants.jsonl", "tenant.db", "yesterday.db", "report.html"] {
        assert!(folder.path().join(file).is_file(), "{file} is there");
    }
}
