//! What the tests here are about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jiff::Timestamp;
use wasm_encoder::{
    ComponentExportKind, ComponentExportSection, ComponentInstanceSection, CustomSection,
};

use crate::packages::{self, Key, Package};
use crate::release::{Provenance, Release};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The packages of the component, read once.
pub fn packages() -> &'static BTreeMap<Key, Package> {
    static PACKAGES: LazyLock<BTreeMap<Key, Package>> =
        LazyLock::new(|| packages::packages(&root()).expect("cargo knows them"));
    &PACKAGES
}

/// A release of which everything is known.
pub fn release() -> Release {
    Release {
        name: "ninjaone-connector".to_owned(),
        version: "1.2.3".to_owned(),
        description: "A connector for NinjaOne".to_owned(),
        license: "Apache-2.0".to_owned(),
        provenance: Provenance {
            source: Some("https://example.com/connector".to_owned()),
            revision: Some("a1b2c3".to_owned()),
            created: Timestamp::UNIX_EPOCH,
            built_with: ["rustc 1.96.0 (x)", "wasm-opt version 108"]
                .map(str::to_owned)
                .into(),
        },
    }
}

/// A component that exports an interface with nothing in it, and has so many bytes more.
pub fn component(more: usize) -> Vec<u8> {
    let mut component = wasm_encoder::Component::new();
    let mut instances = ComponentInstanceSection::new();
    instances.export_items(Vec::<(&str, ComponentExportKind, u32)>::new());
    component.section(&instances);
    let mut exports = ComponentExportSection::new();
    exports.export(
        "identity:connector/types@0.1.0",
        ComponentExportKind::Instance,
        0,
        None,
    );
    component.section(&exports);
    component.section(&CustomSection {
        name: "more".into(),
        data: vec![0; more].into(),
    });
    component.finish()
}
