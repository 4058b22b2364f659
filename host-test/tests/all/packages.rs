//! Which package may know which: what a reader can rely on not to find.

use std::collections::BTreeSet;
use std::process::Command;

/// What `cargo tree` prints of a package with these words, a line for each package that it is built from.
fn tree(package: &str, edges: &str, format: &str, words: &[&str]) -> Vec<String> {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--prefix", "none", "--no-dedupe", "--edges", edges])
        .args(["--format", format, "--package", package])
        .args(words)
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{package}: {said}");
    let lines = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    lines.lines().map(str::to_string).collect()
}

/// All that a package is built from, directly or not, its own tests and build scripts left out.
fn needed_by(package: &str) -> BTreeSet<String> {
    let lines = tree(package, "normal", "{p}", &["--target", "all"]);
    let names = lines.iter().filter_map(|line| line.split(' ').next());
    names
        .filter(|name| *name != package)
        .map(str::to_string)
        .collect()
}

/// The packages that wasmtime is built from, as a selection of packages has them: with features, of which a package may have several
/// sets, for this computer and for macros.
fn beneath_wasmtime(package: &str, edges: &str) -> BTreeSet<String> {
    let beneath: BTreeSet<_> = ["wasmtime", "wasmtime-wasi-http"]
        .into_iter()
        .flat_map(|root| tree(root, "normal,build", "{p}", &[]))
        .collect();
    let lines = tree(package, edges, "{p}|{f}", &[]).into_iter();
    lines
        .filter(|line| {
            line.split('|')
                .next()
                .is_some_and(|name| beneath.contains(name))
        })
        .collect()
}

#[test]
fn the_program_and_all_tests_have_one_wasmtime() {
    let program = beneath_wasmtime("connector-cli", "normal,build");
    assert!(program.iter().any(|line| line.starts_with("wasmtime v")));
    for package in ["connector-cli", "connector-host", "host-test"] {
        let tests = beneath_wasmtime(package, "normal,build,dev");
        let different: Vec<_> = program.symmetric_difference(&tests).collect();
        assert!(
            different.is_empty(),
            "cargo compiles wasmtime a second time for {package}, since these have other features: {different:#?}"
        );
    }
}

/// Whether a package is, or begins with, one of these names.
fn met<'a>(needed: &'a BTreeSet<String>, names: &[&str]) -> Vec<&'a String> {
    let is_named = |package: &&String| names.iter().any(|name| package.starts_with(name));
    needed.iter().filter(is_named).collect()
}

#[test]
fn no_package_knows_more_than_its_subject() {
    const HOST: &[&str] = &["wasmtime", "connector-host"];
    /// How requests are sent.
    const TRANSPORT: &[&str] = &["connector-transport", "http", "hyper", "rustls", "tokio"];
    /// What an embedder has no use for.
    const PROGRAM: &[&str] = &[
        "axum",
        "clap",
        "comfy-table",
        "har",
        "indicatif",
        "ninjaone",
        "rusqlite",
        "connector-cli",
        "connector-conformance",
        "connector-recording",
        "connector-report",
        "connector-snapshot",
    ];
    for (package, unknown) in [
        ("secrets", HOST),
        ("connector-escape", HOST),
        ("ninjaone-api", HOST),
        (
            "ninjaone-api",
            &[
                "ninjaone-connector",
                "ninjaone-simulator",
                "waki",
                "wasi",
                "wit-bindgen",
            ],
        ),
        ("ninjaone-simulator", HOST),
        (
            "ninjaone-simulator",
            &["connector", "ninjaone-api", "ninjaone-connector"],
        ),
        ("connector-contract", HOST),
        ("connector-contract", TRANSPORT),
        ("connector-contract", &["connector", "ninjaone", "secrets"]),
        ("connector-transport", HOST),
        ("connector-recording", HOST),
        ("connector-host", PROGRAM),
        ("connector-snapshot", HOST),
        ("connector-snapshot", TRANSPORT),
        (
            "connector-snapshot",
            &[
                "axum",
                "clap",
                "connector-conformance",
                "connector-cli",
                "connector-report",
                "ninjaone",
            ],
        ),
        ("connector-report", HOST),
        ("connector-report", TRANSPORT),
        (
            "connector-report",
            &["axum", "clap", "connector-cli", "ninjaone"],
        ),
        ("connector-conformance", HOST),
        ("connector-conformance", TRANSPORT),
        (
            "connector-conformance",
            &["axum", "clap", "connector-cli", "ninjaone", "rusqlite"],
        ),
        ("ninjaone-connector", HOST),
    ] {
        let needed = needed_by(package);
        let met = met(&needed, unknown);
        assert!(met.is_empty(), "{package} needs {met:?}");
    }
    // The check sees what is there.
    let host = needed_by("connector-host");
    for package in ["wasmtime", "connector-contract", "connector-transport"] {
        assert!(host.contains(package), "{package}");
    }
    assert!(needed_by("connector-cli").contains("rusqlite"));
}
