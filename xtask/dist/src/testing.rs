//! What the tests here are about.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jiff::Timestamp;

use crate::packages::{self, Package};
use crate::release::Release;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The packages of the component, read once.
pub fn packages() -> &'static [Package] {
    static PACKAGES: LazyLock<Vec<Package>> =
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
        source: Some("https://example.com/connector".to_owned()),
        revision: Some("a1b2c3".to_owned()),
        created: Timestamp::UNIX_EPOCH,
        built_with: vec![
            "rustc 1.96.0 (x)".to_owned(),
            "wasm-opt version 108".to_owned(),
        ],
    }
}

/// The smallest component there is.
pub fn empty_component() -> Vec<u8> {
    b"\0asm\x0d\0\x01\0".to_vec()
}
