//! `cargo xtask examples`: the component in hosts that are not ours.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::simulator::Tenant;
use crate::workspace::Workspace;
use crate::{component, process};

/// Run the component in hosts that are not this project's, against a NinjaOne simulator
///
/// Runs each program of examples/hosts/: installs what it needs into its own folder or into cargo's target directory, starts a
/// simulated tenant for it, and holds what it prints to what it should. One whose runtime (Node.js, Python) is not on this machine
/// is skipped, which is said.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// What every example prints of the simulated tenant after its first line: how each line begins.
const EXPECTED: [&str; 4] = [
    "accounts: 300",
    "grant: changed",
    "grant: unchanged",
    "not found: 999999",
];
/// How many accounts the simulated tenant has.
const ACCOUNTS: u32 = 300;
/// A technician of the simulated tenant, for the example that is told whom to give what.
const ACCOUNT: &str = "1";
/// A role that they do not hold.
const ROLE: &str = "1";

/// A program of examples/hosts/.
struct Example {
    /// Its folder.
    name: &'static str,
    /// What it cannot do without.
    needs: &'static [Need],
    /// The commands that make it ready, and the one that runs it, which is the last.
    commands: fn(&Workspace) -> Vec<Command>,
}

/// Something that is on a machine or not.
struct Need {
    /// Its name.
    name: &'static str,
    /// A command that succeeds where it is.
    shown_by: &'static [&'static str],
}

/// The one for Node.js.
const JAVASCRIPT: Example = Example {
    name: "javascript",
    needs: &[
        Need {
            name: "Node.js",
            shown_by: &["node", "--version"],
        },
        Need {
            name: "npm",
            shown_by: &["npm", "--version"],
        },
    ],
    commands: |_| {
        [
            &["ci", "--no-audit", "--no-fund", "--loglevel=error"][..],
            &["run", "--silent", "build"],
            &["run", "--silent", "check"],
            &["run", "--silent", "start"],
        ]
        .into_iter()
        .map(|arguments| command("npm", arguments))
        .collect()
    },
};

/// All of them.
const EXAMPLES: [Example; 3] = [
    JAVASCRIPT,
    Example {
        name: "python",
        needs: &[
            Need {
                name: "Python 3",
                shown_by: &["python3", "--version"],
            },
            // Debian has it in a package of its own, python3-venv.
            Need {
                name: "Python's venv with pip",
                shown_by: &["python3", "-c", "import ensurepip, venv"],
            },
        ],
        commands: |workspace| {
            let environment = workspace.target().join("examples/python");
            let python = environment.join("bin/python");
            let mut make = command("python3", &["-m", "venv"]);
            make.arg(&environment);
            let mut install = Command::new(&python);
            install.args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ]);
            install.args(["--requirement", "requirements.txt"]);
            let mut run = Command::new(&python);
            run.arg("main.py");
            vec![make, install, run]
        },
    },
    Example {
        name: "rust",
        needs: &[],
        commands: |workspace| {
            // Together with the host, so that cargo builds wasmtime with the same features for both, and only once.
            let mut build = workspace.cargo("build");
            build.args([
                "--package",
                "connector-cli",
                "--package",
                "embedding-in-rust",
            ]);
            let mut run = Command::new(workspace.target().join("debug/embedding-in-rust"));
            run.args([ACCOUNT, ROLE]);
            vec![build, run]
        },
    },
];

/// Runs every example.
pub fn run(workspace: &Workspace) -> Result<()> {
    let component = component::build(workspace)?;
    for example in &EXAMPLES {
        run_where_possible(workspace, example, component.path())?;
    }
    Ok(())
}

/// Runs the component in Node.js, whose host offers all of WASI.
pub fn run_in_node(workspace: &Workspace, component: &Path) -> Result<()> {
    run_where_possible(workspace, &JAVASCRIPT, component)
}

/// Runs one example, or says why it is skipped.
fn run_where_possible(workspace: &Workspace, example: &Example, component: &Path) -> Result<()> {
    let is_missing =
        |need: &&Need| process::read(&mut command(need.shown_by[0], &need.shown_by[1..])).is_err();
    if let Some(need) = example.needs.iter().find(is_missing) {
        println!(
            "{}: skipped, since there is no {} here",
            example.name, need.name
        );
        return Ok(());
    }
    run_one(workspace, example, component)
        .with_context(|| format!("the example {} failed", example.name))
}

/// Runs one example against a tenant of its own.
fn run_one(workspace: &Workspace, example: &Example, component: &Path) -> Result<()> {
    let folder = workspace.root().join("examples/hosts").join(example.name);
    let mut commands = (example.commands)(workspace);
    let mut last = commands.pop().context("it has no command")?;
    for mut command in commands {
        process::run(command.current_dir(&folder).env("COMPONENT", component))?;
    }
    let tenant = Tenant::start(workspace, ACCOUNTS)?;
    last.current_dir(&folder).env("COMPONENT", component);
    tenant.lead(&mut last);
    let printed = process::read(&mut last)?;
    for line in printed.lines() {
        println!("{}: {line}", example.name);
    }
    check(&printed)
}

/// Holds what an example printed to what it should.
fn check(printed: &str) -> Result<()> {
    let lines: Vec<_> = printed.lines().skip(1).collect();
    let as_expected = lines.len() == EXPECTED.len()
        && lines
            .iter()
            .zip(EXPECTED)
            .all(|(line, expected)| in_words_of_the_contract(line).starts_with(expected));
    if !as_expected {
        bail!(
            "it should have printed, after its first line:\n{}",
            EXPECTED.join("\n")
        );
    }
    Ok(())
}

/// A line as the contract names things: Rust shows a case in camel case, and with the name of its type before it.
fn in_words_of_the_contract(line: &str) -> String {
    line.to_lowercase().replace("outcome::", "")
}

/// A command of a program on the search path.
fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_example_prints_is_held_to_each_line() {
        let printed = format!("NinjaOne, connector 0.1.0\n{}", EXPECTED.join("\n"));
        assert!(check(&printed).is_ok());
        assert!(check(&printed.replace("300", "299")).is_err());
        assert!(check(printed.trim_end_matches(|c| c != '\n')).is_err());
        assert!(check("").is_err());
    }

    #[test]
    fn every_folder_of_examples_is_run() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hosts");
        let entries = folder.read_dir().expect("it is there");
        let mut folders: Vec<_> = entries
            .map(|entry| entry.expect("it can be read").file_name())
            .collect();
        folders.sort();
        assert_eq!(folders, EXAMPLES.map(|example| example.name));
    }
}
