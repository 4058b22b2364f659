//! What a file of WebAssembly says of itself: sections that a host does not read and `wasm-tools metadata show` does.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use anyhow::{Context, Result};
use auditable_serde::{DependencyKind, Package as Listed, Source, VersionInfo};
use wasm_encoder::{ComponentSection, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField, Dependencies, Payload};

use crate::packages::{Key, Package};
use crate::release::Release;

/// `component` with its name, version, description, licence, source and revision, its documentation, and the list of the
/// packages in it.
pub fn describe_component(
    component: &[u8],
    release: &Release,
    documentation: &[u8],
    packages: &BTreeMap<Key, Package>,
) -> Result<Vec<u8>> {
    let mut described = describe(component, release)?;
    CustomSection {
        name: wit_parser::PackageMetadata::SECTION_NAME.into(),
        data: documentation.into(),
    }
    .append_to_component(&mut described);
    dependencies(packages)?.append_to_component(&mut described);
    Ok(described)
}

/// `file` with what there is to say of it.
pub fn describe(file: &[u8], release: &Release) -> Result<Vec<u8>> {
    let mut add = AddMetadata::default();
    add.name = AddMetadataField::Set(release.name.clone());
    add.version = field(Some(&release.version))?;
    add.description = field(Some(&release.description))?;
    add.licenses = field(Some(&release.license))?;
    add.source = field(release.provenance.source.as_ref())?;
    add.revision = field(release.provenance.revision.as_ref())?;
    add.to_wasm(file)
}

/// A field, in the form that it has to have.
fn field<T>(value: Option<&String>) -> Result<AddMetadataField<T>>
where
    T: FromStr<Err: Display> + Debug + Clone,
{
    let Some(value) = value else {
        return Ok(AddMetadataField::Keep);
    };
    let parsed = T::from_str(value).map_err(|error| anyhow::anyhow!("{error}"));
    parsed
        .map(AddMetadataField::Set)
        .with_context(|| format!("`{value}` cannot be put in the component's metadata"))
}

/// What registries show of `file`, as it says it of itself: annotations, a key and a value each.
pub fn annotations(file: &[u8]) -> Result<Vec<String>> {
    /// A field, as text.
    fn text(field: Option<&impl ToString>) -> Option<String> {
        field.map(ToString::to_string)
    }
    let payload = Payload::from_binary(file)?;
    let said = payload.metadata();
    let annotations = [
        ("title", text(said.name.as_ref())),
        ("version", text(said.version.as_ref())),
        ("description", text(said.description.as_ref())),
        ("licenses", text(said.licenses.as_ref())),
        ("source", text(said.source.as_ref())),
        ("revision", text(said.revision.as_ref())),
    ];
    let annotations = annotations
        .into_iter()
        .filter_map(|(key, value)| Some(format!("org.opencontainers.image.{key}={}", value?)));
    Ok(annotations.collect())
}

/// The packages in the component, in the form that `cargo auditable` gave to this list.
fn dependencies(packages: &BTreeMap<Key, Package>) -> Result<Dependencies> {
    let listed = packages.iter();
    let listed = listed.filter_map(|(key, package)| Some((key, package, package.inside.as_ref()?)));
    let listed: Vec<_> = listed.collect();
    let keys: Vec<_> = listed.iter().map(|(key, ..)| *key).collect();
    let packages = listed.into_iter().map(|(_, package, inside)| Listed {
        name: package.known.name.to_string(),
        version: package.known.version.clone(),
        source: match &package.known.source {
            None => Source::Local,
            Some(source) if source.is_crates_io() => Source::CratesIo,
            Some(_) => Source::Registry,
        },
        kind: DependencyKind::Runtime,
        dependencies: inside
            .iter()
            .filter_map(|key| keys.binary_search(&key).ok())
            .collect(),
        root: package.is_connector(),
    });
    Dependencies::new(VersionInfo {
        packages: packages.collect(),
        format: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{component, packages, release};

    #[test]
    fn what_is_said_of_a_component_is_what_tools_show() {
        let described = describe_component(&component(0), &release(), b"\x01{}", packages())
            .expect("it can be described");
        let annotations = annotations(&described).expect("it is a component");
        assert_eq!(
            annotations
                .join("\n")
                .replace("org.opencontainers.image.", ""),
            "title=ninjaone-connector\nversion=1.2.3\ndescription=A connector for NinjaOne\n\
             licenses=Apache-2.0\nsource=https://example.com/connector\nrevision=a1b2c3"
        );
        let payload = Payload::from_binary(&described).expect("it is a component");
        let list = payload
            .metadata()
            .dependencies
            .as_ref()
            .expect("it is there");
        let list = &list.version_info().packages;
        let named = |name: &str| list.iter().find(|package| package.name == name);
        assert!(named("ninjaone-connector").is_some_and(|package| package.root));
        assert!(named("wit-bindgen-rust-macro").is_none());
        let below = &named("waki").expect("it is there").dependencies;
        let below: Vec<_> = below.iter().map(|index| &list[*index].name).collect();
        assert_eq!(
            below,
            ["anyhow", "form_urlencoded", "http", "serde", "wit-bindgen"]
        );
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let mut unknown = release();
        unknown.provenance.source = None;
        unknown.provenance.revision = None;
        let described = describe(&component(0), &unknown).expect("it can be described");
        let annotations = annotations(&described).expect("it is a component");
        let is_known = |key: &str| annotations.iter().any(|said| said.contains(key));
        assert!(is_known(".version=") && !is_known(".source=") && !is_known(".revision="));
    }

    #[test]
    fn a_licence_that_is_no_spdx_expression_is_refused() {
        let wrong = Release {
            license: "as you like".to_owned(),
            ..release()
        };
        let error = describe(&component(0), &wrong).expect_err("it is no licence");
        assert!(error.to_string().contains("as you like"), "{error:#}");
    }
}
