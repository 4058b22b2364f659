//! Programs that cargo installs, for checks that cargo does not have itself.

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// A cargo subcommand from crates.io.
pub struct Tool {
    /// The name of the package, which is that of the program.
    package: &'static str,
    /// The version that the project's files are written for.
    version: &'static str,
    /// What it is needed for, and how long it takes to install.
    about: &'static str,
}

/// Checks licences, sources and duplicate versions of the dependencies.
pub const CARGO_DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
    about: "to check the dependencies; three minutes",
};

/// Builds and runs fuzz targets.
pub const CARGO_FUZZ: Tool = Tool {
    package: "cargo-fuzz",
    version: "0.13.2",
    about: "to fuzz the borders of the connector; half a minute",
};

/// Changes the code in small ways, and tells which of them no test notices.
pub const CARGO_MUTANTS: Tool = Tool {
    package: "cargo-mutants",
    version: "27.1.0",
    about: "to test the tests; two minutes",
};

/// Builds components.
pub const CARGO_COMPONENT: Tool = Tool {
    package: "cargo-component",
    version: "0.21.1",
    about: "to build the component with it; four minutes",
};

/// Gets WebAssembly packages from registries.
pub const WKG: Tool = Tool {
    package: "wkg",
    version: "0.16.1",
    about: "to pull a component from a registry; four minutes",
};

/// Installs `tool` where it is missing. One of another version is taken as it is.
pub fn provision(workspace: &Workspace, tool: &Tool) -> Result<()> {
    let Tool {
        package,
        version,
        about,
    } = tool;
    if process::is_available(package) {
        return Ok(());
    }
    println!(
        "No {package} yet: installing it with `cargo install {package} --version {version} --locked` ({about})."
    );
    process::run(
        workspace
            .cargo("install")
            .args([package, "--version", version, "--locked", "--debug"])
            // Quick to build matters more here than quick to run.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .arg("--target-dir")
            .arg(workspace.target().join("tools")),
    )
    .with_context(|| format!("{package} is needed {about}"))
}
