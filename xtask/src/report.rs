//! `cargo xtask report`: reports, in a browser.

use anyhow::Result;
use xshell::{Cmd, cmd};

use crate::simulator::Tenant;
use crate::workspace::Workspace;
use crate::{component, host, provision};

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
    let missing = |program: &&str| !workspace.has(&format!("{program} --version"));
    if let Some(program) = ["node", "npm"].into_iter().find(missing) {
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
    let sh = workspace.shell();
    let component = component::build(workspace)?;
    host::announce_first_build(workspace)?;
    let folder = sh.create_dir(workspace.target().join("report"))?;
    let program = |command: &str| host::program(workspace, command, component.path());
    // Makes `name`.html, and `name`.jsonl with what the connector listed. `of` adds to a sync whom it is of.
    let make = |name: &str, of: &dyn Fn(Cmd<'_>) -> Cmd<'_>| -> Result<()> {
        let [snapshot, listed, page] =
            ["db", "jsonl", "html"].map(|ending| folder.join(name).with_extension(ending));
        sh.write_file(listed, of(program("sync")).arg("--json").read()?)?;
        // The snapshot of an earlier run may be of another tenant: simulators choose free ports.
        let sync = of(program("sync")).args(["--allow-loss", "--out"]);
        sync.arg(&snapshot).run()?;
        program("report")
            .arg(snapshot)
            .arg("--out")
            .arg(page)
            .run()?;
        Ok(())
    };
    let tenant = Tenant::start(workspace, ACCOUNTS)?;
    make("tenant", &|sync| {
        sync.args(["--details", DETAILS]).envs(&tenant.settings)
    })?;
    drop(tenant);
    let scripts = workspace.root().join("host-test/browser");
    let recording = scripts.join("peculiar.har");
    make("peculiar", &|sync| sync.arg("--replay").arg(&recording))?;
    let _folder = sh.push_dir(scripts);
    cmd!(sh, "npm ci --no-audit --no-fund --loglevel=error").run()?;
    cmd!(sh, "npm run --silent check -- {folder} peculiar tenant")
        .env("CHROME", chromium)
        .run()?;
    Ok(())
}
