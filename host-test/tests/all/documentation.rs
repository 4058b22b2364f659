//! The documentation says what the connector says of itself, and what it names is there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use connector_host::contract::{Description, ErrorKind, OperationDescription, Outcome};
use host_test::{connector, tenant};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md");

const BEFORE: &str = "\
# Operations

What the NinjaOne connector can do, as `describe` tells it: each operation with the requests that it may send, the scopes that
it asks for, how it can end well in the mode `apply`, and how it can fail. A test derives this page from `describe`, and fails
when they differ; `cargo xtask docs` writes it anew.

What each endpoint of NinjaOne really enforces is not known: the scopes are those of the one published guide to such a connector. In the mode
`plan` only the `GET` requests are sent, and the outcome is `would-change` where it would be `changed`.

";

fn page(description: &Description) -> String {
    let mut page = BEFORE.to_string();
    page +=
        "| operation | requests | scopes | outcomes | errors |\n| --- | --- | --- | --- | --- |\n";
    for operation in &description.operations {
        page += &row(operation);
    }
    let common = errors(&description.common_errors);
    write!(
        page,
        "\nEvery operation that sends a request can also fail with: {common}.\n"
    )
    .expect("a string takes it");
    page
}

fn row(operation: &OperationDescription) -> String {
    let requests: Vec<_> = operation
        .requests
        .iter()
        .map(|request| format!("`{request}`"))
        .collect();
    let outcomes: Vec<_> = operation.outcomes.iter().map(outcome).collect();
    format!(
        "| **{}**<br>{} | {} | {} | {} | {} |\n",
        operation.operation.name(),
        operation.summary,
        requests.join("<br>"),
        operation.scopes.join(", "),
        outcomes.join("<br>"),
        errors(&operation.errors),
    )
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Changed => "`changed`".to_string(),
        Outcome::Unchanged(reason) => format!("`unchanged` ({})", reason.name()),
        Outcome::WouldChange => "`would-change`".to_string(),
        Outcome::Partial => "`partial`".to_string(),
    }
}

fn errors(kinds: &[ErrorKind]) -> String {
    let names: Vec<_> = kinds
        .iter()
        .map(|kind| format!("`{}`", kind.name()))
        .collect();
    names.join(", ")
}

#[tokio::test]
async fn the_page_of_operations_is_what_describe_says() {
    let simulator = tenant(0).await;
    let description = connector(&simulator)
        .describe()
        .await
        .expect("a description");
    let expected = page(&description);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, &expected).expect("the page can be written");
    }
    let written = std::fs::read_to_string(FILE).expect("the page is there");
    assert!(
        written == expected,
        "{} is not what describe says; `cargo xtask docs` writes it anew",
        Path::new(FILE).display()
    );
}

#[test]
fn every_test_that_a_promise_of_security_is_held_by_is_there() {
    let root = root();
    let text = std::fs::read_to_string(root.join("SECURITY.md")).expect("it is there");
    let mut tests = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        // What stands in backquotes: a file, and then the tests in it.
        let mut source = String::new();
        for name in row.split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                source = std::fs::read_to_string(root.join(name))
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            } else if name.contains('_') && !source.is_empty() {
                assert!(
                    source.contains(&format!("fn {name}()")),
                    "there is no test {name}"
                );
                tests += 1;
            }
        }
    }
    assert!(tests > 40, "only {tests} tests were found");
}

/// The folder of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below `folder` with that ending, but for what tools keep there.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().expect("it is a folder") {
        let entry = entry.expect("it can be read");
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let is_of_tools = name.starts_with('.') || name == "target" || name == "node_modules";
        if path.is_dir() && !is_of_tools {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_link_to_a_file_leads_to_one() {
    let mut links = 0;
    for page in files(&root(), ".md") {
        let text = std::fs::read_to_string(&page).expect("it is there");
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let folder = page.parent().expect("it is in a folder");
            assert!(
                folder.join(target).exists(),
                "{}: there is no {target}",
                page.display()
            );
            links += 1;
        }
    }
    assert!(links > 10, "only {links} links were found");
}

#[test]
fn what_is_known_of_the_api_and_the_code_that_stands_on_it_find_each_other() {
    const PAGE: &str = "docs/ninjaone-api.md";
    let page = std::fs::read_to_string(root().join(PAGE)).expect("it is there");
    let named = page.split('`').skip(1).step_by(2);
    let sources: Vec<_> = named.filter(|name| name.ends_with(".rs")).collect();
    assert!(sources.len() > 10, "only {} were found", sources.len());
    for source in sources {
        assert!(root().join(source).is_file(), "there is no {source}");
    }
    let mut cited = 0;
    let sources = ["src", "crates/ninjaone-api"].map(|folder| files(&root().join(folder), ".rs"));
    for source in sources.concat() {
        let text = std::fs::read_to_string(&source).expect("it is there");
        let mut before: Vec<_> = text.split(&format!("\" in `{PAGE}`")).collect();
        before.pop();
        for citation in before {
            let title = citation.rsplit('"').next().unwrap_or_default();
            assert!(
                page.contains(&format!("# {title}\n")),
                "{} cites a section {title:?}, which is not there",
                source.display()
            );
            cited += 1;
        }
    }
    assert!(cited > 5, "only {cited} citations were found");
}
