//! `cargo xtask test`: everything that has to hold before a change is merged.

use anyhow::{Context, Result};

use crate::steps::Steps;
use crate::tools::{self, CARGO_DENY};
use crate::workspace::Workspace;
use crate::{
    builds, compiler, component, dist, examples, fuzz, host, install, process, provision, proxy,
    registry, report,
};

/// What `cargo xtask test --help` prints.
pub const HELP: &str = "\
Check everything that has to hold before a change is merged.

Usage: cargo xtask test

In this order, and no further than the first failure:
  format        cargo fmt --all --check
  component     cargo xtask build
  guests        cargo xtask guests
  clippy        of the whole workspace and of fuzz/, natively, warnings being errors
  clippy wasm   of the component and the guests for their own target, warnings being errors
  tests         unit, integration and documentation tests of the whole workspace
  proxy         cargo xtask proxy
  examples      cargo xtask examples
  report        cargo xtask report
  builds        cargo xtask builds
  release       cargo xtask dist --verify
  registry      cargo xtask registry
  install       the program with the component in it, as `cargo xtask install` does it but for its optimizations
  docs          of the whole workspace, warnings being errors
  dependencies  cargo deny: licences, sources, duplicate versions
  fuzz          cargo xtask fuzz, for a minute
";

/// The packages of the workspace that have tests, those that are built quickly first.
const PACKAGES: [&str; 15] = [
    "xtask",
    "connector-dist",
    "secrets",
    "ninjaone-connector",
    "connector-transport",
    "connector-recording",
    "connector-escape",
    "ninjaone-api",
    "ninjaone-simulator",
    "connector-host",
    "connector-conformance",
    "connector-snapshot",
    "connector-report",
    "host-test",
    "connector-cli",
];

/// Runs every check, and prints how long each took.
pub fn run(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    steps.run("format", || {
        process::run(workspace.cargo("fmt").args(["--all", "--check"]))
            .context("some files are not formatted: run `cargo fmt --all`")?;
        process::run(&mut fuzz::cargo(workspace, "fmt", &["--check"]))
            .context("some files are not formatted: run `cargo fmt` in fuzz/")
    })?;
    let component = steps.run("component", || component::build(workspace))?;
    print!("{}", component.report()?);
    steps.run("guests", || component::build_guests(workspace))?;
    host::announce_first_build(workspace)?;
    steps.run("clippy", || {
        let mut clippy = workspace.cargo("clippy");
        process::run(
            clippy
                .args(["--workspace", "--all-targets", "--"])
                .args(compiler::DENY_WARNINGS),
        )?;
        let target = workspace.target().join("fuzz");
        let mut clippy = fuzz::cargo(workspace, "clippy", &["--target-dir"]);
        process::run(clippy.arg(target).arg("--").args(compiler::DENY_WARNINGS))
    })?;
    steps.run("clippy wasm", || {
        let compiler = provision::provision()?;
        provision::provision_clippy(compiler)?;
        for package in [component::CONNECTOR]
            .into_iter()
            .chain(workspace.guests().iter().map(String::as_str))
        {
            process::run(&mut compiler.clippy(workspace, package)?)?;
        }
        Ok(())
    })?;
    // One package at a time: all at once, the guest's dependencies would ask for more features of those that they share
    // with wasmtime, and cargo would compile it a second time for that.
    steps.run("tests", || {
        for package in PACKAGES {
            process::run(workspace.cargo("test").args(["--package", package]))?;
        }
        Ok(())
    })?;
    steps.run("proxy", || proxy::run(workspace))?;
    steps.run("examples", || examples::run(workspace))?;
    steps.run("report", || report::run(workspace))?;
    steps.run("builds", || builds::run(workspace))?;
    steps.run("release", || dist::run(workspace, &["--verify".to_owned()]))?;
    steps.run("registry", || registry::run(workspace))?;
    // After what runs the program as it is built otherwise: for this it is built once more.
    steps.run("install", || install::check(workspace))?;
    steps.run("docs", || {
        let mut doc = workspace.cargo("doc");
        process::run(
            doc.args(["--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    steps.run("dependencies", || {
        tools::provision(workspace, &CARGO_DENY)?;
        let mut deny = workspace.cargo("deny");
        process::run(deny.args(["--workspace", "check", "licenses", "bans", "sources"]))
    })?;
    steps.run("fuzz", || fuzz::run(workspace, &[]))?;
    print!("\nAll checks passed.\n{steps}");
    Ok(())
}
