//! Which package may know which: what a reader can rely on not to find.

use std::collections::BTreeSet;
use std::process::Command;

/// All that a package is built from, directly or not, its own tests and build scripts left out.
fn needed_by(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "tree", "--edges", "normal", "--target", "all", "--prefix", "none",
        ])
        .args(["--format", "{p}", "--package", package])
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{package}: {said}");
    let lines = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let names = lines.lines().filter_map(|line| line.split(' ').next());
    names
        .filter(|name| *name != package)
        .map(str::to_string)
        .collect()
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
