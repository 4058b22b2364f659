//! Which package may know which: what a reader can rely on not to find.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What each package of the lock file depends on, the dependencies of its tests included.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let text = std::fs::read_to_string(file).expect("there is a lock file");
    let lock: toml::Table = text.parse().expect("cargo wrote it");
    let packages = lock["package"].as_array().expect("it lists packages");
    let mut all = BTreeMap::<_, BTreeSet<_>>::new();
    for package in packages {
        let name = package["name"].as_str().expect("a package has a name");
        let needs = package.get("dependencies").and_then(toml::Value::as_array);
        let needs = needs.into_iter().flatten().filter_map(toml::Value::as_str);
        // A name that several versions share is followed by the version.
        let needs = needs.filter_map(|need| need.split(' ').next());
        let known = all.entry(name.to_string()).or_default();
        known.extend(needs.map(str::to_string));
    }
    all
}

/// All that a package depends on, directly or not.
fn needed_by(package: &str) -> BTreeSet<String> {
    let all = dependencies();
    let mut needed = BTreeSet::new();
    let mut next = vec![package.to_string()];
    while let Some(package) = next.pop() {
        let direct = all
            .get(&package)
            .unwrap_or_else(|| panic!("there is no package {package}"));
        next.extend(
            direct
                .iter()
                .filter(|need| needed.insert((*need).clone()))
                .cloned(),
        );
    }
    needed
}

#[test]
fn the_transport_and_what_records_it_know_neither_wasmtime_nor_the_host() {
    for package in [
        "connector-transport",
        "connector-recording",
        "ninjaone-api",
        "secrets",
    ] {
        let needed = needed_by(package);
        let host: Vec<_> = needed
            .iter()
            .filter(|name| name.starts_with("wasmtime") || *name == "connector-host")
            .collect();
        assert!(host.is_empty(), "{package} needs {host:?}");
    }
    // The check sees what is there.
    assert!(needed_by("connector-host").contains("wasmtime"));
}
