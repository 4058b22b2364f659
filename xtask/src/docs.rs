//! `cargo xtask docs`: the pages of `docs/` that are written from what the project says of itself.

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{component, host, process};

/// What `cargo xtask docs --help` prints.
pub const HELP: &str = "\
Write the generated pages of docs/ anew.

Usage: cargo xtask docs

  docs/contract.md     from wit/
  docs/json.md         from docs/json.schema.json
  docs/operations.md   from what the component says in `describe`

Builds the component first. The tests that write the pages also fail, in `cargo xtask test`, when one is out of date.
";

/// The tests that write pages, with the packages that they are of.
const TESTS: [(&str, &[&str]); 2] = [
    ("host-test", &["contract", "documentation"]),
    ("connector-cli", &["json"]),
];

/// Has the tests write what they would otherwise compare with.
pub fn run(workspace: &Workspace) -> Result<()> {
    component::build(workspace)?;
    host::announce_first_build(workspace)?;
    for (package, files) in TESTS {
        let mut test = workspace.cargo("test");
        test.args(["--quiet", "--package", package, "--test", "all", "--"]);
        process::run(test.args(files).env("UPDATE_DOCS", "1"))?;
    }
    Ok(())
}
