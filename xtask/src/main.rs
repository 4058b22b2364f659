//! The project's commands, run as `cargo xtask <command>`.
//!
//! One module per command, each with its help text and a `run` function; to add one, write its module and a line in
//! [`COMMANDS`]. The rest serves them: [`provision`] finds (or installs) a compiler and standard library for WebAssembly and a
//! browser, [`tools`] installs cargo's subcommands, [`compiler`] knows how cargo is called with it, [`component`] builds
//! components, [`optimize`] makes them smaller, [`interface`] reads what one imports and exports, and [`simulator`] runs simulated
//! tenants.

#![deny(missing_docs, clippy::missing_docs_in_private_items)]

mod bench;
mod build;
mod builds;
mod compiler;
mod component;
mod demo;
mod dist;
mod docs;
mod examples;
mod fuzz;
mod host;
mod install;
mod interface;
mod optimize;
mod process;
mod provision;
mod proxy;
mod registry;
mod report;
mod simulator;
mod soak;
mod steps;
mod tiers;
mod tools;
mod workspace;

use std::process::ExitCode;

use workspace::Workspace;

/// One command of `cargo xtask`.
struct Command {
    /// What is typed to run it.
    name: &'static str,
    /// What it does, in a line.
    summary: &'static str,
    /// What `cargo xtask <name> --help` prints.
    help: &'static str,
    /// Does it, with the arguments that follow the name.
    run: fn(&Workspace, &[String]) -> anyhow::Result<()>,
    /// Whether it takes arguments; one that does not refuses them.
    takes_arguments: bool,
}

/// Every command there is.
const COMMANDS: &[Command] = &[
    Command {
        name: "build",
        summary: "Build the component and show its size, imports and exports",
        help: build::HELP,
        run: build::run,
        takes_arguments: true,
    },
    Command {
        name: "demo",
        summary: "Run the component in the host against a NinjaOne simulator",
        help: demo::HELP,
        run: demo::run,
        takes_arguments: true,
    },
    Command {
        name: "install",
        summary: "Install the host's program with the component in it",
        help: install::HELP,
        run: install::run,
        takes_arguments: true,
    },
    Command {
        name: "docs",
        summary: "Write the generated pages of docs/ anew",
        help: docs::HELP,
        run: |workspace, _| docs::run(workspace),
        takes_arguments: false,
    },
    Command {
        name: "examples",
        summary: "Run the component in hosts that are not this project's",
        help: examples::HELP,
        run: |workspace, _| examples::run(workspace),
        takes_arguments: false,
    },
    Command {
        name: "report",
        summary: "Make reports, and hold them in a browser against what was listed",
        help: report::HELP,
        run: |workspace, _| report::run(workspace),
        takes_arguments: false,
    },
    Command {
        name: "builds",
        summary: "Build the component in the other ways that people do, and run it",
        help: builds::HELP,
        run: |workspace, _| builds::run(workspace),
        takes_arguments: false,
    },
    Command {
        name: "dist",
        summary: "Make the files of a release: component, contract, bill of materials, OCI artifacts",
        help: dist::HELP,
        run: dist::run,
        takes_arguments: true,
    },
    Command {
        name: "registry",
        summary: "Push a release to a local registry, and pull and run it from there",
        help: registry::HELP,
        run: |workspace, _| registry::run(workspace),
        takes_arguments: false,
    },
    Command {
        name: "proxy",
        summary: "Reach a simulated tenant through Squid, a real proxy",
        help: proxy::HELP,
        run: |workspace, _| proxy::run(workspace),
        takes_arguments: false,
    },
    Command {
        name: "fuzz",
        summary: "Feed the connector arbitrary answers, settings and cursors",
        help: fuzz::HELP,
        run: fuzz::run,
        takes_arguments: true,
    },
    Command {
        name: "soak",
        summary: "Sync many simulated tenants at once, over connections that fail, for a while",
        help: soak::HELP,
        run: soak::run,
        takes_arguments: true,
    },
    Command {
        name: "bench",
        summary: "Measure speed and memory beside the same code compiled natively",
        help: bench::HELP,
        run: bench::run,
        takes_arguments: true,
    },
    Command {
        name: "check",
        summary: "Check what is quick to check, all day",
        help: tiers::CHECK_HELP,
        run: |workspace, _| tiers::check(workspace),
        takes_arguments: false,
    },
    Command {
        name: "test",
        summary: "Check all that holds a promise of the documentation",
        help: tiers::TEST_HELP,
        run: |workspace, _| tiers::test(workspace),
        takes_arguments: false,
    },
    Command {
        name: "ci",
        summary: "Check everything that has to hold before a change is merged",
        help: tiers::CI_HELP,
        run: tiers::ci,
        takes_arguments: true,
    },
    Command {
        name: "nightly",
        summary: "Look for faults for hours",
        help: tiers::NIGHTLY_HELP,
        run: |workspace, _| tiers::nightly(workspace),
        takes_arguments: false,
    },
];

/// The exit code for a command line that makes no sense, as is usual.
const USAGE_ERROR: u8 = 2;

/// What the command line asks for.
enum Request<'a> {
    /// Print a text.
    Help(String),
    /// Run a command with these arguments.
    Run(&'static Command, &'a [String]),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments) {
        Ok(Request::Help(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Request::Run(command, arguments)) => match run(command, arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("\ncargo xtask {}: {error:#}", command.name);
                ExitCode::FAILURE
            }
        },
        Err(message) => {
            eprintln!("cargo xtask: {message}\n\n{}", overview());
            ExitCode::from(USAGE_ERROR)
        }
    }
}

/// Runs `command` in the workspace this program was built from.
fn run(command: &Command, arguments: &[String]) -> anyhow::Result<()> {
    (command.run)(&Workspace::locate()?, arguments)
}

/// Makes out what `arguments` ask for, or says what is wrong with them.
fn parse(arguments: &[String]) -> Result<Request<'_>, String> {
    let Some((name, rest)) = arguments.split_first() else {
        return Err("a command is missing".to_owned());
    };
    if is_help(name) {
        return Ok(Request::Help(overview()));
    }
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| format!("there is no command `{name}`"))?;
    match rest.first() {
        Some(first) if is_help(first) => Ok(Request::Help(command.help.to_owned())),
        Some(first) if !command.takes_arguments => {
            Err(format!("`{name}` takes no arguments, but got `{first}`"))
        }
        _ => Ok(Request::Run(command, rest)),
    }
}

/// Whether `argument` asks for help.
fn is_help(argument: &str) -> bool {
    matches!(argument, "help" | "--help" | "-h")
}

/// What `cargo xtask --help` prints.
fn overview() -> String {
    let commands: String = COMMANDS
        .iter()
        .map(|command| format!("  {:<10}{}\n", command.name, command.summary))
        .collect();
    format!(
        "The project's commands.\n\n\
         Usage: cargo xtask <command>\n\n\
         Commands:\n{commands}\n\
         `cargo xtask <command> --help` says more about one.\n"
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_command_is_found_and_has_help() {
        for command in COMMANDS {
            let line = words(command.name);
            assert!(
                matches!(parse(&line), Ok(Request::Run(found, [])) if found.name == command.name)
            );
            let line = words(&format!("{} --help", command.name));
            assert!(matches!(parse(&line), Ok(Request::Help(text)) if text == command.help));
            assert!(overview().contains(command.summary));
        }
    }

    #[test]
    fn an_unknown_command_is_named() {
        let line = words("biuld");
        let message = parse(&line).err().expect("`biuld` is no command");
        assert!(message.contains("`biuld`"), "{message}");
    }

    #[test]
    fn arguments_are_refused_where_none_are_taken() {
        assert!(parse(&words("docs --release")).is_err());
        assert!(parse(&words("demo --users 5")).is_ok());
    }

    #[test]
    fn every_command_that_the_documentation_or_a_workflow_names_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = 0;
        for folder in ["", "docs", ".ci", ".github/workflows"] {
            for entry in root.join(folder).read_dir().expect("it is there") {
                let path = entry.expect("it can be read").path();
                // Cargo.lock and the like are text too, and name none.
                let Ok(text) = std::fs::read_to_string(&path) else {
                    continue;
                };
                for rest in text.split("cargo xtask ").skip(1) {
                    let end = rest.find(|c: char| !c.is_ascii_lowercase());
                    let name = &rest[..end.unwrap_or(rest.len())];
                    let is_known = COMMANDS.iter().any(|command| command.name == name);
                    assert!(
                        is_known || name.is_empty(),
                        "{}: there is no command `{name}`",
                        path.display()
                    );
                    found += 1;
                }
            }
        }
        assert!(found > 20, "only {found} were found");
    }

    #[test]
    fn what_is_tested_on_github_is_what_everybody_tests() {
        let workflow = include_str!("../../.github/workflows/test.yml");
        for command in [
            "cargo xtask test",
            "cargo xtask ci --rest",
            "cargo xtask demo",
        ] {
            assert!(
                workflow.contains(&format!("- run: {command}\n")),
                "{command}"
            );
        }
        let nightly = include_str!("../../.github/workflows/nightly.yml");
        assert!(nightly.contains("- run: cargo xtask nightly\n"));
        let script = include_str!("../../.ci/run");
        assert!(script.ends_with("cargo xtask test\nexec cargo xtask ci --rest\n"));
    }
}
