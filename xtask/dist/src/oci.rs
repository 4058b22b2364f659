//! An OCI image layout: a folder that `skopeo` and `oras` copy to a registry as it is.
//!
//! The manifests are those of the CNCF's "Wasm OCI Artifact Layout", which `wkg` and the registries of WebAssembly
//! components expect: the file is the only layer, and the config says what it imports and exports.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldItem};

use crate::digest::sha256;
use crate::release::Release;

/// The media type of a manifest, which says what belongs to one component or WIT package.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// That of the layout's index, which names the manifests.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// That of the config of a component or of a WIT package.
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// That of the component or the WIT package itself.
const LAYER: &str = "application/wasm";

/// The files of a layout, by their paths in it.
#[derive(Default)]
pub struct Layout {
    /// Everything that has a digest.
    blobs: BTreeMap<String, Vec<u8>>,
    /// What the index names.
    manifests: Vec<Value>,
}

impl Layout {
    /// Adds `file`, a component or a WIT package, under the name of its release.
    pub fn add(&mut self, file: &[u8], release: &Release) -> Result<()> {
        let layer = self.blob(LAYER, file.to_vec());
        let config = json!({
            "created": release.created.to_string(),
            "author": null,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer["digest"]],
            "component": interface(file)?,
        });
        let config = self.blob(CONFIG, serde_json::to_vec(&config)?);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": [layer],
            "annotations": annotations(release),
        });
        let mut manifest = self.blob(MANIFEST, serde_json::to_vec(&manifest)?);
        manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": release.name });
        self.manifests.push(manifest);
        Ok(())
    }

    /// The files.
    pub fn into_files(self) -> Result<BTreeMap<String, Vec<u8>>> {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests });
        let mut files = self.blobs;
        files.insert("index.json".to_owned(), serde_json::to_vec(&index)?);
        files.insert(
            "oci-layout".to_owned(),
            br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec(),
        );
        Ok(files)
    }

    /// Keeps `bytes` and describes them.
    fn blob(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = sha256(&bytes);
        let descriptor = json!({
            "mediaType": media_type,
            "digest": format!("sha256:{digest}"),
            "size": bytes.len(),
        });
        self.blobs.insert(format!("blobs/sha256/{digest}"), bytes);
        descriptor
    }
}

/// What registries show of it.
fn annotations(release: &Release) -> Value {
    let mut annotations = json!({
        "org.opencontainers.image.title": release.name,
        "org.opencontainers.image.description": release.description,
        "org.opencontainers.image.version": release.version,
        "org.opencontainers.image.licenses": release.license,
        "org.opencontainers.image.created": release.created.to_string(),
    });
    let known = [("source", &release.source), ("revision", &release.revision)];
    for (name, value) in known {
        if let Some(value) = value {
            annotations[format!("org.opencontainers.image.{name}")] = json!(value);
        }
    }
    annotations
}

/// What a component imports and exports. A WIT package exports what is in it, and imports nothing.
fn interface(file: &[u8]) -> Result<Value> {
    let (imports, exports) =
        match wit_component::decode(file).context("it is not WebAssembly with types")? {
            DecodedWasm::Component(resolve, world) => {
                let world = &resolve.worlds[world];
                (
                    names(&resolve, &world.imports),
                    names(&resolve, &world.exports),
                )
            }
            DecodedWasm::WitPackage(resolve, package) => {
                let package = &resolve.packages[package];
                let interfaces = package
                    .interfaces
                    .values()
                    .filter_map(|id| resolve.id_of(*id));
                let worlds = package
                    .worlds
                    .keys()
                    .map(|name| package.name.interface_id(name));
                (Vec::new(), interfaces.chain(worlds).collect())
            }
        };
    ensure!(!exports.is_empty(), "it exports nothing");
    Ok(json!({ "imports": imports, "exports": exports, "target": null }))
}

/// The names of what a world imports or exports.
fn names<'a>(
    resolve: &Resolve,
    items: impl IntoIterator<Item = (&'a wit_parser::WorldKey, &'a WorldItem)>,
) -> Vec<String> {
    let items = items.into_iter();
    items.map(|(key, _)| resolve.name_world_key(key)).collect()
}
