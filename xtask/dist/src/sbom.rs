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
    let dependencies = packages
        .iter()
        .zip(&references)
        .map(|(package, reference)| {
            let on = package.dependencies.iter().map(|index| &references[*index]);
            json!({ "ref": reference, "dependsOn": on.collect::<Vec<_>>() })
        });
    let components = packages.iter().skip(1).map(library);
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": release.created.to_string(),
            "lifecycles": [{ "phase": "build" }],
            "component": subject(component, release, &references[0]),
        },
        "components": components.chain(release.built_with.iter().map(|program| tool(program))).collect::<Vec<_>>(),
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

/// A program that the component was built with: `rustc 1.96.0 (…)`. A compiler stands for its standard library too, which
/// is in the component.
fn tool(program: &str) -> Value {
    let name = program.split(' ').next().unwrap_or_default();
    let version = program
        .split(' ')
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let compiler = name == "rustc";
    let mut tool = json!({
        "type": if compiler { "library" } else { "application" },
        "bom-ref": program,
        "name": if compiler { "rust-std" } else { name },
        "scope": if compiler { "required" } else { "excluded" },
        "description": program,
    });
    if let Some(version) = version {
        tool["version"] = json!(version);
    }
    if compiler {
        tool["licenses"] = json!([{ "expression": "MIT OR Apache-2.0" }]);
    }
    tool
}

/// The package URL, by which auditors know a package.
fn package_url(package: &Package) -> String {
    // A version may have a plus, which means something in a URL.
    let version = package.known.version.to_string().replace('+', "%2B");
    format!("pkg:cargo/{}@{version}", package.known.name)
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
        assert_eq!(
            components.len(),
            packages().len() - 1 + release().built_with.len()
        );
        for component in components.iter().filter(|c| c["purl"].is_string()) {
            assert!(
                component["licenses"][0]["expression"].is_string(),
                "{component}"
            );
            assert_eq!(component["hashes"][0]["alg"], "SHA-256", "{component}");
        }
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
        assert_eq!(scope("wasm-opt"), "excluded");
    }

    #[test]
    fn the_tree_names_only_what_is_listed() {
        let bill = bill_of_materials(b"it", &release(), packages());
        let listed = |reference: &Value| {
            let components = bill["components"].as_array().expect("they are a list");
            *reference == bill["metadata"]["component"]["bom-ref"]
                || components.iter().any(|c| c["bom-ref"] == *reference)
        };
        for node in bill["dependencies"].as_array().expect("they are a list") {
            assert!(listed(&node["ref"]), "{node}");
            let on = node["dependsOn"].as_array().expect("they are a list");
            assert!(on.iter().all(listed), "{node}");
        }
    }
}
