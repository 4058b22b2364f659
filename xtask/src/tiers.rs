//! The tiers of what has to hold: `cargo xtask check`, `test`, `ci` and `nightly`.

use anyhow::{Context, Result};
use component_build::process;
use xshell::{Cmd, cmd};

use crate::steps::Steps;
use crate::tools::{self, CARGO_DENY, CARGO_MUTANTS};
use crate::workspace::Workspace;
use crate::{
    bench, builds, compiler, component, dist, examples, fuzz, host, install, provision, proxy,
    registry, report, soak,
};

/// Check what a contributor wants to know all day: within a minute or two, once everything was built
///
///   format        cargo fmt --all --check
///   clippy        of the packages that differ from the branch main, warnings being errors
///   tests         unit and integration tests but the slow ones
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Check;

/// Check all that holds a promise of README.md and SECURITY.md
///
/// In this order, and no further than the first failure:
///   format        cargo fmt --all --check
///   component     as `cargo xtask build` does it, but that no wasm-opt is installed for it
///   clippy        of the whole workspace and of fuzz/, natively, warnings being errors
///   tests         unit, integration and documentation tests of the whole workspace
///   docs          of the whole workspace, warnings being errors
///   dependencies  cargo deny: licences, sources, duplicate versions
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Test;

/// Check everything that has to hold before a change is merged
///
/// After `cargo xtask test`, what needs other runtimes or long builds:
///   clippy wasm   of the component and the guests for their own target, warnings being errors
///   proxy         cargo xtask proxy
///   examples      cargo xtask examples
///   report        cargo xtask report
///   builds        cargo xtask builds
///   release       cargo xtask dist --verify
///   registry      cargo xtask registry
///   install       the program with the component in it, as `cargo xtask install` does it but for its optimizations
///   fuzz          cargo xtask fuzz, for a minute
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Ci {
    /// Without `cargo xtask test`, which was run before
    #[arg(long)]
    rest: bool,
}

/// Look for what no change is expected to have broken, for hours
///
///   advisories    cargo deny: known vulnerabilities. Needs the network
///   fuzz          cargo xtask fuzz, for two and a half hours
///   soak          cargo xtask soak, for half an hour
///   mutants       mutation testing of what has changed in a day
///   bench         cargo xtask bench
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Nightly;

/// The packages with tests, in two groups that are tested together: those that know no wasmtime, which are built within seconds, and
/// those that do. Together, the tests of the first would change the features of wasmtime's dependencies, and cargo would compile
/// wasmtime a second time.
const GROUPS: [&[&str]; 2] = [
    &[
        "component-build",
        "connector-conformance",
        "connector-contract",
        "connector-dist",
        "connector-escape",
        "connector-recording",
        "connector-report",
        "connector-snapshot",
        "connector-transport",
        "ninjaone-api",
        "ninjaone-connector",
        "ninjaone-simulator",
        "secrets",
        "xtask",
    ],
    &["connector-host", "host-test", "connector-cli"],
];
/// What takes long, by a part of its name that no other has: `check` leaves it out.
const SLOW: [&str; 8] = [
    "calls_leave_nothing_behind_in_their_instance",
    "instances_leave_nothing_behind_in_the_host",
    "instances_that_break_off_leave_nothing_behind",
    "corpus::",
    "display::",
    "faults::",
    "soak::",
    "specification::",
];
/// How long `nightly` soaks, in seconds.
const NIGHTLY_SOAK: u64 = 1800;
/// How long it fuzzes.
const NIGHTLY_FUZZ: u32 = 9000;
/// How long `ci` does.
const FUZZ: u32 = 60;

/// Runs what is quick.
pub fn check(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("format", || format(workspace))?;
    provision::provision()?;
    host::announce_first_build(workspace)?;
    steps.run("clippy", || {
        let changed = changed_packages(workspace)?;
        if changed.is_empty() {
            println!("nothing differs from main");
            return Ok(());
        }
        let mut clippy = compiler::native_clippy(workspace)?;
        for package in &changed {
            clippy.args(["--package", package]);
        }
        clippy.args(["--all-targets", "--"]);
        process::run(clippy.args(compiler::DENY_WARNINGS))
    })?;
    steps.run("tests", || {
        let skips = SLOW.iter().flat_map(|name| ["--skip", name]);
        let skips: Vec<_> = skips.collect();
        for group in GROUPS {
            // All but documentation tests, each of which is a program to link.
            let test = tests_of(workspace, group);
            test.args(["--all-targets", "--"]).args(&skips).run()?;
        }
        Ok(())
    })?;
    print!("\nAll checks passed.\n{steps}");
    Ok(())
}

/// Runs all that holds a promise.
pub fn test(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    promises(workspace, &mut steps)?;
    print!("\nAll checks passed.\n{steps}");
    Ok(())
}

/// Runs everything.
pub fn ci(workspace: &Workspace, arguments: &Ci) -> Result<()> {
    let mut steps = Steps::default();
    if !arguments.rest {
        promises(workspace, &mut steps)?;
    }
    steps.run("clippy wasm", || {
        let compiler = provision::provision()?;
        provision::provision_clippy(compiler)?;
        let guests = component_build::guests(workspace.root())?;
        let packages = guests.iter().map(String::as_str);
        for package in packages.chain([component::CONNECTOR]) {
            process::run(&mut compiler::component_clippy(
                compiler, workspace, package,
            )?)?;
        }
        Ok(())
    })?;
    steps.run("proxy", || proxy::run(workspace))?;
    steps.run("examples", || examples::run(workspace))?;
    steps.run("report", || report::run(workspace))?;
    steps.run("builds", || builds::run(workspace))?;
    steps.run("release", || {
        dist::run(
            workspace,
            &dist::Arguments {
                verify: true,
                ..Default::default()
            },
        )
    })?;
    steps.run("registry", || registry::run(workspace))?;
    // After what runs the program as it is built otherwise: for this it is built once more.
    steps.run("install", || install::check(workspace))?;
    steps.run("fuzz", || {
        fuzz::run(workspace, &fuzz::Arguments::all_for(FUZZ))
    })?;
    print!("\nAll checks passed.\n{steps}");
    Ok(())
}

/// Runs what takes hours.
pub fn nightly(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("advisories", || {
        tools::provision(workspace, &CARGO_DENY)?;
        let deny = workspace.cargo("deny --workspace check advisories");
        deny.run().map_err(Into::into)
    })?;
    steps.run("fuzz", || {
        fuzz::run(workspace, &fuzz::Arguments::all_for(NIGHTLY_FUZZ))
    })?;
    steps.run("soak", || {
        soak::run(
            workspace,
            &soak::Arguments {
                seconds: NIGHTLY_SOAK,
            },
        )
    })?;
    steps.run("mutants", || {
        tools::provision(workspace, &CARGO_MUTANTS)?;
        let difference = workspace.target().join("changed.diff");
        let sh = workspace.shell();
        let since = "--before=25 hours ago";
        let before = cmd!(sh, "git log -1 {since} --format=%H").read()?;
        // A repository that is younger has no such commit.
        let changed = match before.is_empty() {
            true => String::new(),
            false => cmd!(sh, "git diff {before}").read()?,
        };
        if changed.is_empty() {
            println!("nothing has changed in a day");
            return Ok(());
        }
        sh.write_file(&difference, changed + "\n")?;
        // Most tests of the vendor's half are those of the component.
        let tests = format!("{},ninjaone-api", component::CONNECTOR);
        workspace
            .cargo("mutants --package ninjaone-api --package")
            .args([component::CONNECTOR, "--test-package", &tests, "--in-diff"])
            .arg(&difference)
            .arg("--output")
            .arg(workspace.target())
            // Each mutant is built in a copy, with a target directory of its own.
            .env_remove("CARGO_TARGET_DIR")
            .run()
            .map_err(Into::into)
    })?;
    steps.run("bench", || {
        bench::run(
            workspace,
            &bench::Arguments {
                enforce: true,
                ..Default::default()
            },
        )
    })?;
    print!("\nNothing was found.\n{steps}");
    Ok(())
}

/// The steps of `test`.
fn promises(workspace: &Workspace, steps: &mut Steps) -> Result<()> {
    steps.run("format", || format(workspace))?;
    // For `cargo host`; the tests compile their own.
    let component = steps.run("component", || component::build(workspace))?;
    print!("{}", component.report()?);
    host::announce_first_build(workspace)?;
    steps.run("clippy", || {
        let mut clippy = compiler::native_clippy(workspace)?;
        clippy.args(["--workspace", "--all-targets", "--"]);
        process::run(clippy.args(compiler::DENY_WARNINGS))?;
        let mut clippy = compiler::native_clippy(workspace)?;
        clippy
            .arg("--manifest-path")
            .arg(workspace.root().join("fuzz/Cargo.toml"))
            .arg("--target-dir")
            .arg(workspace.target().join("fuzz"));
        process::run(clippy.arg("--").args(compiler::DENY_WARNINGS))
    })?;
    steps.run("tests", || {
        for group in GROUPS {
            tests_of(workspace, group).run()?;
        }
        Ok(())
    })?;
    steps.run("docs", || {
        let doc = workspace.cargo("doc --workspace --no-deps");
        doc.env("RUSTDOCFLAGS", "-D warnings")
            .run()
            .map_err(Into::into)
    })?;
    steps.run("dependencies", || {
        tools::provision(workspace, &CARGO_DENY)?;
        let deny = workspace.cargo("deny --workspace check licenses bans sources");
        deny.run().map_err(Into::into)
    })
}

/// A call of cargo that tests these packages.
fn tests_of<'a>(workspace: &'a Workspace, group: &[&str]) -> Cmd<'a> {
    let packages = group.iter().flat_map(|package| ["--package", package]);
    workspace.cargo("test").args(packages)
}

/// Makes sure that all is formatted.
fn format(workspace: &Workspace) -> Result<()> {
    for of_these in [
        "fmt --all --check",
        "fmt --check --manifest-path fuzz/Cargo.toml",
    ] {
        workspace.cargo(of_these).run().context(
            "some files are not formatted: run `cargo fmt --all`, and `cargo fmt` in fuzz/",
        )?;
    }
    Ok(())
}

/// The packages in which a file differs from the branch main, or is new. Where there is no such branch, all of them.
fn changed_packages(workspace: &Workspace) -> Result<Vec<String>> {
    let sh = workspace.shell();
    let since = cmd!(sh, "git merge-base HEAD main").ignore_stderr().read();
    let Ok(since) = since else {
        return Ok(workspace
            .packages()
            .iter()
            .map(|package| package.name.clone())
            .collect());
    };
    let tracked = cmd!(sh, "git diff --name-only {since}").read()?;
    let new = cmd!(sh, "git ls-files --others --exclude-standard").read()?;
    let files: Vec<_> = tracked.lines().chain(new.lines()).collect();
    let has_changed = |folder: &str| {
        let within = |file: &&str| match folder {
            "" => {
                file.starts_with("src/")
                    || file.starts_with("tests/")
                    || file.starts_with("wit/")
                    || *file == "Cargo.toml"
            }
            folder => file.starts_with(folder),
        };
        files.iter().any(within)
    };
    let packages = workspace.packages().iter();
    let changed = packages.filter(|package| has_changed(&package.folder));
    Ok(changed.map(|package| package.name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_with_tests_is_tested() {
        let workspace = Workspace::locate().expect("it is here");
        for package in workspace.packages() {
            let is_tested = GROUPS
                .iter()
                .any(|group| group.contains(&package.name.as_str()));
            // These have no tests, or have them run by a command of their own.
            let is_no_library = package.folder.starts_with("examples/")
                || package.folder.starts_with("host-test/guests/")
                || ["connector-bench", "test-components"].contains(&&*package.name);
            assert!(is_tested != is_no_library, "{}", package.name);
        }
    }
}
