//! Programs that cargo installs, for checks that cargo does not have itself.

use anyhow::{Context, Result};

use crate::workspace::Workspace;

/// A cargo subcommand from crates.io: the name of the package, which is that of the program; the version that the project's files
/// are written for; what it is needed for, and how long it takes to install.
pub struct Tool(&'static str, &'static str, &'static str);

/// Checks licences, sources and duplicate versions of the dependencies.
pub const CARGO_DENY: Tool = Tool(
    "cargo-deny",
    "0.20.2",
    "to check the dependencies; three minutes",
);
/// Builds and runs fuzz targets.
pub const CARGO_FUZZ: Tool = Tool(
    "cargo-fuzz",
    "0.13.2",
    "to fuzz the borders of the connector; half a minute",
);
/// Changes the code in small ways, and tells which of them no test notices.
pub const CARGO_MUTANTS: Tool = Tool("cargo-mutants", "27.1.0", "to test the tests; two minutes");
/// Builds components.
pub const CARGO_COMPONENT: Tool = Tool(
    "cargo-component",
    "0.21.1",
    "to build the component with it; four minutes",
);
/// Brings components and WIT packages to registries, and gets them from there.
pub const WKG: Tool = Tool("wkg", "0.16.1", "to push to a registry; four minutes");

/// Installs `tool` where it is missing. One of another version is taken as it is.
pub fn provision(workspace: &Workspace, tool: &Tool) -> Result<()> {
    let Tool(package, version, about) = tool;
    if workspace.has(&format!("{package} --version")) {
        return Ok(());
    }
    println!("No {package} yet: cargo installs it ({about}).");
    workspace
        // Quick to build matters more here than quick to run.
        .cargo("install --locked --debug --target-dir")
        .arg(workspace.target().join("tools"))
        .args([package, "--version", version])
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .run()
        .with_context(|| format!("{package} is needed {about}"))
}
