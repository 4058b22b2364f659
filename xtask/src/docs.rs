//! `cargo xtask docs`: the pages of `docs/` that are written from what the project says of itself.

use anyhow::Result;

use crate::host;
use crate::workspace::Workspace;

/// Write the generated pages of docs/ anew
///
///   docs/contract.md     from wit/
///   docs/json.md         from docs/json.schema.json
///   docs/operations.md   from what the component says in `describe`
///
/// The tests that write the pages also fail, in `cargo xtask test`, when one is out of date.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// The files of tests that write pages.
const TESTS: [&str; 2] = ["documentation::", "json::"];

/// Has the tests write what they would otherwise compare with.
pub fn run(workspace: &Workspace) -> Result<()> {
    let contract = workspace.cargo("test --quiet --package connector-contract --test wit");
    contract.env("UPDATE_DOCS", "1").run()?;
    let tests = host::tests(workspace)?;
    tests
        .args(["--quiet", "--"])
        .args(TESTS)
        .env("UPDATE_DOCS", "1")
        .run()?;
    Ok(())
}
