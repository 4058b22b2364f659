//! The software bill of materials: CycloneDX 1.6, as JSON.
//!
//! It lists what the component is made of with licence, source and checksum, and with the scope `excluded` what made it and
//! is not in it. That the standard library is made of packages itself is not shown.

use serde_json::{Value, json};

use crate::digest::sha256;
use crate::packages::Package;
use crate::release::Release;

/// The bill of materials of `component`.
pub fn bill_of_materials(component: &[u8], release: &Release, packages: &[Package]) -> Value {
    let references: Vec<_> = packages.iter().map(package_url).collect();
    let library_of_language = standard_library(release);
    let standard = library_of_language
        .iter()
        .map(|library| &library["bom-ref"]);
    let dependencies = packages
        .iter()
        .zip(&references)
        .map(|(package, reference)| {
            let on = package
                .dependencies
                .iter()
                .map(|index| json!(references[*index]));
            // Every package in the component stands on it.
            let standard = standard.clone().filter(|_| !package.build_only).cloned();
            json!({ "ref": reference, "dependsOn": on.chain(standard).collect::<Vec<_>>() })
        });
    let components = packages.iter().skip(1).map(library);
    let components: Vec<_> = components.chain(library_of_language.clone()).collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": release.created.to_string(),
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": release.built_with.iter().map(|program| tool(program)).collect::<Vec<_>>() },
            "component": subject(component, release, &references[0]),
        },
        "components": components,
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}

/// What the bill is of.
fn subject(component: &[u8], release: &Release, reference: &str) -> Value {
    let mut references = Vec::new();
    if let Some(source) = &release.source {
        references.push(json!({ "type": "vcs", "url": source }));
    }
    let revision = release.revision.iter();
    json!({
        "type": "library",
        "bom-ref": reference,
        "name": release.name,
        "version": release.version,
        "description": release.description,
        "hashes": [{ "alg": "SHA-256", "content": sha256(component) }],
        "licenses": [{ "expression": release.license }],
        "purl": reference,
        "externalReferences": references,
        "properties": revision.map(|revision| json!({ "name": "revision", "value": revision })).collect::<Vec<_>>(),
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
        "scope": if package.build_only { "excluded" } else { "required" },
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

/// A program that the component was built with, by what it calls itself: `wasm-opt version 108`.
fn tool(program: &str) -> Value {
    let (name, version) = name_and_version(program);
    json!({ "type": "application", "name": name, "version": version, "description": program })
}

/// The standard library, which comes with the compiler and has its version.
fn standard_library(release: &Release) -> Option<Value> {
    let compilers = release
        .built_with
        .iter()
        .map(|program| name_and_version(program));
    let (_, version) = compilers.into_iter().find(|(name, _)| *name == "rustc")?;
    let reference = format!("pkg:generic/rust-std@{version}");
    Some(json!({
        "type": "library",
        "bom-ref": reference,
        "name": "rust-std",
        "version": version,
        "description": "The Rust standard library",
        "scope": "required",
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
        "purl": reference,
    }))
}

/// The first word of what a program calls itself, and the first that begins with a digit.
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
    use super::*;
    use crate::testing::{packages, release};

    #[test]
    fn every_package_is_listed_once_with_licence_and_checksum() {
        let bill = bill_of_materials(b"it", &release(), packages());
        let components = bill["components"].as_array().expect("they are a list");
        let mut references: Vec<_> = components
            .iter()
            .map(|c| c["bom-ref"].to_string())
            .collect();
        references.sort();
        references.dedup();
        assert_eq!(references.len(), components.len());
        // The connector is what it is of, and the standard library is no package.
        assert_eq!(components.len(), packages().len());
        for component in components {
            assert!(
                component["licenses"][0]["expression"].is_string(),
                "{component}"
            );
            // What comes with the compiler, or is a part of this project, was not downloaded.
            let reference = component["bom-ref"].as_str().expect("it is text");
            assert_eq!(
                component["hashes"][0]["alg"] == "SHA-256",
                reference.starts_with("pkg:cargo/"),
                "{component}"
            );
        }
    }

    #[test]
    fn the_bill_is_of_this_very_component() {
        let bill = bill_of_materials(b"abc", &release(), packages());
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
        let bill = bill_of_materials(b"it", &release(), packages());
        let scope = |name: &str| {
            let components = bill["components"].as_array().expect("they are a list");
            let found = components.iter().find(|c| c["name"] == name);
            found.expect("it is listed")["scope"].clone()
        };
        assert_eq!(scope("waki"), "required");
        assert_eq!(scope("rust-std"), "required");
        assert_eq!(scope("wit-bindgen-rust-macro"), "excluded");
    }

    #[test]
    fn the_tree_names_only_what_is_listed() {
        let bill = bill_of_materials(b"it", &release(), packages());
        let listed = |reference: &Value| {
            let components = bill["components"].as_array().expect("they are a list");
            *reference == bill["metadata"]["component"]["bom-ref"]
                || components.iter().any(|c| c["bom-ref"] == *reference)
        };
        let nodes = bill["dependencies"].as_array().expect("they are a list");
        for node in nodes {
            assert!(listed(&node["ref"]), "{node}");
            let on = node["dependsOn"].as_array().expect("they are a list");
            assert!(on.iter().all(listed), "{node}");
        }
        let of_connector = nodes[0]["dependsOn"].as_array().expect("they are a list");
        assert!(of_connector.contains(&json!("pkg:generic/rust-std@1.96.0")));
    }
}
