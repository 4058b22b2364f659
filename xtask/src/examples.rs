//! `cargo xtask examples`: the component in hosts that are not ours.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Cmd, cmd};

use crate::component;
use crate::simulator::Tenant;
use crate::workspace::Workspace;

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
    /// What it cannot do without, by its name, and a call that succeeds where it is.
    needs: &'static [(&'static str, &'static str)],
    /// The commands that make it ready, and the one that runs it, which is the last.
    commands: fn(&Workspace) -> Vec<Cmd<'_>>,
}

/// The one for Node.js.
const JAVASCRIPT: Example = Example {
    name: "javascript",
    needs: &[("Node.js", "node --version"), ("npm", "npm --version")],
    commands: |workspace| {
        let sh = workspace.shell();
        vec![
            cmd!(sh, "npm ci --no-audit --no-fund --loglevel=error"),
            cmd!(sh, "npm run --silent build"),
            cmd!(sh, "npm run --silent check"),
            cmd!(sh, "npm run --silent start"),
        ]
    },
};

/// All of them.
const EXAMPLES: [Example; 3] = [
    JAVASCRIPT,
    Example {
        name: "python",
        needs: &[
            ("Python 3", "python3 --version"),
            // Debian has it in a package of its own, python3-venv.
            ("Python's venv with pip", "python3 -m ensurepip --version"),
        ],
        commands: |workspace| {
            let sh = workspace.shell();
            let environment = workspace.target().join("examples/python");
            let python = environment.join("bin/python");
            let install =
                "install --quiet --disable-pip-version-check --requirement requirements.txt";
            vec![
                cmd!(sh, "python3 -m venv {environment}"),
                cmd!(sh, "{python} -m pip").args(install.split(' ')),
                cmd!(sh, "{python} main.py"),
            ]
        },
    },
    Example {
        name: "rust",
        needs: &[],
        commands: |workspace| {
            let program = workspace.target().join("debug/embedding-in-rust");
            vec![
                // Together with the host, so that cargo builds wasmtime with the same features for both, and only once.
                workspace.cargo("build --package connector-cli --package embedding-in-rust"),
                cmd!(workspace.shell(), "{program} {ACCOUNT} {ROLE}"),
            ]
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
    let Example { name, needs, .. } = example;
    if let Some((need, _)) = needs.iter().find(|(_, call)| !workspace.has(call)) {
        println!("{name}: skipped, since there is no {need} here");
        return Ok(());
    }
    run_one(workspace, example, component).with_context(|| format!("the example {name} failed"))
}

/// Runs one example against a tenant of its own.
fn run_one(workspace: &Workspace, example: &Example, component: &Path) -> Result<()> {
    let sh = workspace.shell();
    let _folder = sh.push_dir(Path::new("examples/hosts").join(example.name));
    let _component = sh.push_env("COMPONENT", component);
    let mut commands = (example.commands)(workspace);
    let last = commands.pop().context("it has no command")?;
    for command in commands {
        command.run()?;
    }
    let tenant = Tenant::start(workspace, ACCOUNTS)?;
    let printed = last.envs(&tenant.settings).read()?;
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
