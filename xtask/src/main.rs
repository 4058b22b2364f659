//! The project's commands, run as `cargo xtask <command>`.
//!
//! One module per command, each with its arguments, whose documentation is its help, and a `run` function; to add one, write its
//! module and its lines in [`Command`] and [`run`]. The rest serves them: [`provision`] finds (or installs) a compiler and
//! standard library for WebAssembly and a browser, [`tools`] installs cargo's subcommands, [`compiler`] knows how cargo is called
//! with it, [`component`] builds components, [`optimize`] makes them smaller, [`interface`] reads what one imports and exports,
//! and [`simulator`] runs simulated tenants.

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

use clap::{Parser, Subcommand};

use workspace::Workspace;

/// The project's commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    /// The one to run.
    #[command(subcommand)]
    command: Command,
}

#[allow(
    clippy::missing_docs_in_private_items,
    reason = "each is described in its own module"
)]
#[derive(Subcommand)]
enum Command {
    Build(build::Arguments),
    Demo(demo::Arguments),
    Install(install::Arguments),
    Docs(docs::Arguments),
    Examples(examples::Arguments),
    Report(report::Arguments),
    Builds(builds::Arguments),
    Dist(dist::Arguments),
    Registry(registry::Arguments),
    Proxy(proxy::Arguments),
    Fuzz(fuzz::Arguments),
    Soak(soak::Arguments),
    Bench(bench::Arguments),
    Check(tiers::Check),
    Test(tiers::Test),
    Ci(tiers::Ci),
    Nightly(tiers::Nightly),
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    match Workspace::locate().and_then(|workspace| run(&workspace, command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ncargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` in the workspace this program was built from.
fn run(workspace: &Workspace, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Build(arguments) => build::run(workspace, &arguments),
        Command::Demo(arguments) => demo::run(workspace, &arguments),
        Command::Install(arguments) => install::run(workspace, &arguments),
        Command::Docs(_) => docs::run(workspace),
        Command::Examples(_) => examples::run(workspace),
        Command::Report(_) => report::run(workspace),
        Command::Builds(_) => builds::run(workspace),
        Command::Dist(arguments) => dist::run(workspace, &arguments),
        Command::Registry(_) => registry::run(workspace),
        Command::Proxy(_) => proxy::run(workspace),
        Command::Fuzz(arguments) => fuzz::run(workspace, &arguments),
        Command::Soak(arguments) => soak::run(workspace, &arguments),
        Command::Bench(arguments) => bench::run(workspace, &arguments),
        Command::Check(_) => tiers::check(workspace),
        Command::Test(_) => tiers::test(workspace),
        Command::Ci(arguments) => tiers::ci(workspace, &arguments),
        Command::Nightly(_) => tiers::nightly(workspace),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_has_a_summary_and_says_more_about_itself() {
        let mut commands = Arguments::command();
        commands.build();
        for command in commands
            .get_subcommands()
            .filter(|it| it.get_name() != "help")
        {
            assert!(command.get_about().is_some(), "{command}");
            assert!(command.get_long_about().is_some(), "{command}");
        }
    }

    #[test]
    fn every_command_that_the_documentation_or_a_workflow_names_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let commands = Arguments::command();
        let mut found = 0;
        for folder in ["", "docs", ".ci", ".github/workflows"] {
            for entry in root.join(folder).read_dir().expect("it is there") {
                let path = entry.expect("it can be read").path();
                // Cargo.lock and the like are text too, and name none.
                let Ok(text) = std::fs::read_to_string(&path) else {
                    continue;
                };
                for rest in text.split("cargo xtask ").skip(1) {
                    let name = rest.chars().take_while(char::is_ascii_lowercase);
                    let name: String = name.collect();
                    let is_known = commands.find_subcommand(&name).is_some();
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
