//! What a file of WebAssembly says of itself: sections that a host does not read and `wasm-tools metadata show` does.

use std::fmt::Display;
use std::str::FromStr;

use anyhow::{Context, Result};
use auditable_serde::{DependencyKind, Package as Listed, Source, VersionInfo};
use wasm_encoder::{ComponentSection, CustomSection};
use wasm_metadata::{AddMetadata, AddMetadataField, Dependencies};

use crate::packages::Package;
use crate::release::Release;

/// `component` with its name, version, description, licence, source and revision, its documentation, and the list of the
/// packages in it.
pub fn describe_component(
    component: &[u8],
    release: &Release,
    documentation: &[u8],
    packages: &[Package],
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
    add.source = field(release.source.as_deref())?;
    add.revision = field(release.revision.as_deref())?;
    add.to_wasm(file)
}

/// A field, in the form that it has to have.
fn field<T>(value: Option<&str>) -> Result<AddMetadataField<T>>
where
    T: FromStr<Err: Display> + std::fmt::Debug + Clone,
{
    let Some(value) = value else {
        return Ok(AddMetadataField::Keep);
    };
    let parsed = T::from_str(value).map_err(|error| anyhow::anyhow!("{error}"));
    parsed
        .map(AddMetadataField::Set)
        .with_context(|| format!("`{value}` cannot be put in the component's metadata"))
}

/// The packages in the component, in the form that `cargo auditable` gave to this list.
fn dependencies(packages: &[Package]) -> Result<Dependencies> {
    // Indexes count those packages only that are listed.
    let place = |index: usize| {
        packages[..index]
            .iter()
            .filter(|package| !package.build_only)
            .count()
    };
    let listed = packages.iter().enumerate();
    let listed = listed.filter(|(_, package)| !package.build_only);
    let packages = listed.map(|(index, package)| Listed {
        name: package.known.name.to_string(),
        version: package.known.version.clone(),
        source: match &package.known.source {
            None => Source::Local,
            Some(source) if source.is_crates_io() => Source::CratesIo,
            Some(_) => Source::Registry,
        },
        kind: DependencyKind::Runtime,
        dependencies: package.inside.iter().map(|index| place(*index)).collect(),
        root: index == 0,
    });
    Dependencies::new(VersionInfo {
        packages: packages.collect(),
        format: 1,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wasm_metadata::Payload;

    use super::*;
    use crate::testing::{empty_component, packages, release};

    #[test]
    fn what_is_said_of_a_component_is_what_tools_show() {
        let described = describe_component(&empty_component(), &release(), b"\x01{}", packages())
            .expect("it can be described");
        let payload = Payload::from_binary(&described).expect("it is a component");
        let shown = payload.metadata();
        let text = |value: Option<String>| value.expect("it is there");
        assert_eq!(shown.name.as_deref(), Some("ninjaone-connector"));
        assert_eq!(
            text(shown.version.as_ref().map(ToString::to_string)),
            "1.2.3"
        );
        assert_eq!(
            text(shown.licenses.as_ref().map(ToString::to_string)),
            "Apache-2.0"
        );
        assert_eq!(
            text(shown.source.as_ref().map(ToString::to_string)),
            "https://example.com/connector"
        );
        assert_eq!(
            text(shown.revision.as_ref().map(ToString::to_string)),
            "a1b2c3"
        );
        assert!(text(shown.description.as_ref().map(ToString::to_string)).contains("NinjaOne"));
        let list = shown
            .dependencies
            .as_ref()
            .expect("it is there")
            .version_info();
        let names: Vec<_> = list
            .packages
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert!(names.starts_with(&["ninjaone-connector"]), "{names:?}");
        assert!(names.contains(&"waki"), "{names:?}");
        assert!(!names.contains(&"wit-bindgen-rust-macro"), "{names:?}");
        let waki = &list.packages[1 + names[1..]
            .iter()
            .position(|name| *name == "waki")
            .expect("it is there")];
        let below = waki.dependencies.iter().map(|index| names[*index]);
        let below: BTreeSet<_> = below.collect();
        assert_eq!(
            below,
            BTreeSet::from(["anyhow", "form_urlencoded", "http", "serde", "wit-bindgen"])
        );
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let unknown = Release {
            source: None,
            revision: None,
            ..release()
        };
        let described = describe(&empty_component(), &unknown).expect("it can be described");
        let payload = Payload::from_binary(&described).expect("it is a component");
        assert!(payload.metadata().source.is_none());
        assert!(payload.metadata().revision.is_none());
    }

    #[test]
    fn a_licence_that_is_no_spdx_expression_is_refused() {
        let wrong = Release {
            license: "as you like".to_owned(),
            ..release()
        };
        let error = describe(&empty_component(), &wrong).expect_err("it is no licence");
        assert!(error.to_string().contains("as you like"), "{error:#}");
    }
}
