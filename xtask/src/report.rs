//! `cargo xtask report`: reports, in a browser.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::simulator::Tenant;
use crate::workspace::Workspace;
use crate::{component, host, process, provision};

/// Make reports, and hold them in a browser against what the connector listed
///
/// Syncs a simulated tenant of 10,000 accounts, and a recording of a small one with everything that is awkward in it; makes a
/// report of each with `connector-host report`; and opens both in headless Chromium (host-test/browser/), which tries what a
/// report promises: its numbers, search, filters, order, the keyboard, accessibility by axe, its policy, and that it fits a narrow
/// screen. The pages, and pictures of them, are left in report/ of cargo's target directory.
///
/// The browser is the one that CHROME names, else one on the search path, else Debian's chromium, which is installed. Where there
/// is no Node.js or no browser, the step is skipped, which is said.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// How many accounts the simulated tenant has.
const ACCOUNTS: u32 = 10_000;
/// What a sync asks for, so that everything that a report can show is there.
const DETAILS: &str = "last-sign-in,management";

/// Makes the reports and opens them.
pub fn run(workspace: &Workspace) -> Result<()> {
    if let Some(program) = ["node", "npm"]
        .into_iter()
        .find(|program| !process::is_available(program))
    {
        println!("reports in a browser: skipped, since there is no {program} here");
        return Ok(());
    }
    let chromium = match provision::provision_chromium() {
        Ok(chromium) => chromium,
        // Whoever names one wants that one.
        Err(reason) if std::env::var_os("CHROME").is_some() => return Err(reason),
        Err(reason) => {
            println!(
                "reports in a browser: skipped, since there is no Chromium here, and none could be installed ({reason:#})"
            );
            return Ok(());
        }
    };
    let component = component::build(workspace)?;
    host::announce_first_build(workspace)?;
    let folder = workspace.target().join("report");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let maker = Maker {
        workspace,
        component: component.path(),
        folder: &folder,
    };
    let tenant = Tenant::start(workspace, ACCOUNTS)?;
    maker.make("tenant", &|sync| {
        tenant.lead(sync.args(["--details", DETAILS]))
    })?;
    drop(tenant);
    let scripts = workspace.root().join("host-test/browser");
    let recording = scripts.join("peculiar.har");
    maker.make("peculiar", &|sync| {
        sync.arg("--replay").arg(&recording);
    })?;
    let npm = |arguments: &[&str]| {
        let mut npm = Command::new("npm");
        npm.args(arguments).current_dir(&scripts);
        npm
    };
    process::run(&mut npm(&[
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]))?;
    let mut check = npm(&["run", "--silent", "check", "--"]);
    process::run(
        check
            .arg(&folder)
            .args(["peculiar", "tenant"])
            .env("CHROME", chromium),
    )
}

/// Makes reports into one folder.
struct Maker<'a> {
    /// The project.
    workspace: &'a Workspace,
    /// The connector.
    component: &'a Path,
    /// Where to.
    folder: &'a Path,
}

impl Maker<'_> {
    /// Makes `name`.html, and `name`.jsonl with what the connector listed. `lead` adds to a sync whom it is of.
    fn make(&self, name: &str, lead: &dyn Fn(&mut Command)) -> Result<()> {
        let [snapshot, listed, page] =
            ["db", "jsonl", "html"].map(|ending| self.folder.join(name).with_extension(ending));
        let mut sync = self.program("sync");
        lead(&mut sync);
        let listed =
            File::create(&listed).with_context(|| format!("cannot write {}", listed.display()))?;
        process::run(sync.arg("--json").stdout(listed))?;
        let mut sync = self.program("sync");
        lead(&mut sync);
        // The snapshot of an earlier run may be of another tenant: simulators choose free ports.
        process::run(sync.arg("--allow-loss").arg("--out").arg(&snapshot))?;
        process::run(
            self.program("report")
                .arg(&snapshot)
                .arg("--out")
                .arg(&page),
        )
    }

    /// The host's program, with the connector, for one command.
    fn program(&self, command: &str) -> Command {
        host::program(self.workspace, command, self.component)
    }
}
