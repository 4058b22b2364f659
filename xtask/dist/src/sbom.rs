//! The software bill of materials: CycloneDX 1.6, as JSON.
//!
//! It lists what the component is made of with licence, source and checksum, and with the scope `excluded` what made it and
//! is not in it. That the standard library is made of packages itself is not shown. `cargo cyclonedx` would list packages that
//! other members of the workspace turn on, take what made the component for a part of it, and name the folder it ran in.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::packages::{Key, Package};
use crate::release::Release;
use crate::sha256;

/// The bill of materials of `component`.
pub fn bill_of_materials(
    component: &[u8],
    release: &Release,
    packages: &BTreeMap<Key, Package>,
) -> Value {
    let tools = release.provenance.built_with.iter().map(|program| {
        let (name, version) = name_and_version(program);
        json!({ "type": "application", "name": name, "version": version, "description": program })
    });
    let standard = standard_library(release);
    let dependencies = packages.values().map(|package| {
        let on = package.dependencies.iter();
        let on = on.map(|key| json!(package_url(&packages[key])));
        // Every package in the component stands on the standard library.
        let on = on.chain(package.inside.iter().map(|_| standard["purl"].clone()));
        json!({ "ref": package_url(package), "dependsOn": on.collect::<Vec<_>>() })
    });
    let (connector, others): (Vec<_>, Vec<_>) = packages.values().partition(|it| it.is_connector());
    let mut subject = library(connector[0]);
    subject["hashes"] = json!([{ "alg": "SHA-256", "content": sha256(component) }]);
    if let Some(source) = &release.provenance.source {
        subject["externalReferences"] = json!([{ "type": "vcs", "url": source }]);
    }
    if let Some(revision) = &release.provenance.revision {
        subject["properties"] = json!([{ "name": "revision", "value": revision }]);
    }
    let components = others.into_iter().map(library).chain([standard.clone()]);
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": release.provenance.created.to_string(),
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": tools.collect::<Vec<_>>() },
            "component": subject,
        },
        "components": components.collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}

/// A package.
fn library(package: &Package) -> Value {
    let known = &package.known;
    let mut library = json!({
        "type": "library",
        "bom-ref": package_url(package),
        "name": known.name.as_str(),
        "version": known.version.to_string(),
        "scope": if package.inside.is_some() { "required" } else { "excluded" },
        "purl": package_url(package),
    });
    if let Some(description) = &known.description {
        library["description"] = json!(description.trim());
    }
    if let Some(license) = &known.license {
        // What cargo took for "or" before it took SPDX expressions.
        library["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(checksum) = &package.checksum {
        library["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &known.repository {
        library["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    library
}

/// The standard library, which comes with the compiler and has its version.
fn standard_library(release: &Release) -> Value {
    let (_, version) = name_and_version(&release.provenance.built_with[0]);
    let reference = format!("pkg:generic/rust-std@{version}");
    json!({
        "type": "library",
        "bom-ref": reference,
        "name": "rust-std",
        "version": version,
        "description": "The Rust standard library",
        "scope": "required",
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
        "purl": reference,
    })
}

/// The first word of what a program calls itself, and the first that begins with a digit: `wasm-opt version 108`.
fn name_and_version(program: &str) -> (&str, &str) {
    let mut words = program.split(' ');
    let name = words.next().unwrap_or_default();
    let version = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    (name, version.unwrap_or_default())
}

/// The package URL, by which auditors know a package.
fn package_url(package: &Package) -> String {
    // A version may have a plus, which means something in a URL.
    let version = package.known.version.to_string().replace('+', "%2B");
    // One of this workspace is not the package of the same name that crates.io may have.
    let kind = match package.known.source {
        Some(_) => "cargo",
        None => "generic",
    };
    format!("pkg:{kind}/{}@{version}", package.known.name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{packages, release};

    /// A bill of materials, and what it lists, by what others name it with.
    fn bill() -> (Value, BTreeMap<String, Value>) {
        let bill = bill_of_materials(b"abc", &release(), packages());
        let components = bill["components"].as_array().expect("they are a list");
        let by_reference = |component: &Value| {
            let reference = component["bom-ref"].as_str().expect("it is text");
            (reference.to_owned(), component.clone())
        };
        let listed = components.iter().map(by_reference).collect();
        assert_eq!(components.len(), packages().len(), "each is listed once");
        (bill, listed)
    }

    #[test]
    fn every_package_is_listed_once_with_licence_and_checksum() {
        let (_, listed) = bill();
        // The connector is what it is of, and the standard library is no package.
        assert_eq!(listed.len(), packages().len());
        for (reference, component) in listed {
            assert!(
                component["licenses"][0]["expression"].is_string(),
                "{reference}"
            );
            // What comes with the compiler, or is a part of this project, was not downloaded.
            assert_eq!(
                component["hashes"][0]["alg"] == "SHA-256",
                reference.starts_with("pkg:cargo/"),
                "{reference}"
            );
        }
    }

    #[test]
    fn the_bill_is_of_this_very_component() {
        let (bill, _) = bill();
        assert_eq!(
            bill["metadata"]["component"]["hashes"][0]["content"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        let tools = &bill["metadata"]["tools"]["components"];
        assert_eq!(tools[0]["name"], "rustc");
        assert_eq!(tools[1]["version"], "108");
    }

    #[test]
    fn what_only_builds_the_component_is_excluded() {
        let (_, listed) = bill();
        let scope = |name: &str| {
            let found = listed.values().find(|component| component["name"] == name);
            found.expect("it is listed")["scope"].clone()
        };
        assert_eq!(scope("waki"), "required");
        assert_eq!(scope("rust-std"), "required");
        assert_eq!(scope("wit-bindgen-rust-macro"), "excluded");
    }

    #[test]
    fn the_tree_names_only_what_is_listed() {
        let (bill, listed) = bill();
        let subject = bill["metadata"]["component"]["bom-ref"]
            .as_str()
            .expect("it is text");
        let mut known: BTreeSet<_> = listed.keys().map(String::as_str).collect();
        known.insert(subject);
        for node in bill["dependencies"].as_array().expect("they are a list") {
            let on = node["dependsOn"].as_array().expect("they are a list");
            for reference in on.iter().chain([&node["ref"]]) {
                assert!(
                    known.contains(reference.as_str().expect("it is text")),
                    "{node}"
                );
            }
            if node["ref"] == subject {
                assert!(on.contains(&json!("pkg:generic/rust-std@1.96.0")));
            }
        }
    }
}
