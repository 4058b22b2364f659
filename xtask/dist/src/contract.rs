//! The contract as a WIT package, and the part of its documentation that a component can carry.

use std::path::Path;

use anyhow::{Context, Result, bail};
use wit_component::DecodedWasm;
use wit_parser::{PackageId, PackageMetadata, Resolve};

use crate::release::Release;

/// The world that connectors are components of.
const WORLD: &str = "plugin";

/// The contract.
pub struct Contract {
    /// The contract and what it makes use of.
    resolve: Resolve,
    /// The contract in it.
    package: PackageId,
}

impl Contract {
    /// Reads the contract of the workspace at `root`.
    pub fn read(root: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(root.join("wit"))?;
        Ok(Self { resolve, package })
    }

    /// What there is to say of it in a release: its own name, version and description, and whatever holds for all files.
    pub fn release(&self, connector: &Release) -> Result<Release> {
        let package = &self.resolve.packages[self.package];
        let version = package.name.version.as_ref();
        let docs = package.docs.contents.as_ref();
        let docs = docs.context("the contract's package has no documentation")?;
        let summary = docs.split("\n\n").next().unwrap_or_default();
        Ok(Release {
            name: format!("{}-{}", package.name.namespace, package.name.name),
            version: version.context("the contract has no version")?.to_string(),
            description: summary.replace('\n', " "),
            ..connector.clone()
        })
    }

    /// The contract in the binary form, with all of its documentation.
    pub fn encode(&self) -> Result<Vec<u8>> {
        wit_component::encode(&self.resolve, self.package)
    }

    /// The documentation that goes into `component`, in the form that tools for WIT read. A component has places for the
    /// documentation of its own world only, and none for that of the interfaces: those it only names.
    pub fn documentation(&self, component: &[u8]) -> Result<Vec<u8>> {
        let DecodedWasm::Component(mut resolve, world) = wit_component::decode(component)? else {
            bail!("this is a WIT package, and not a component");
        };
        let contract = &self.resolve.packages[self.package];
        let documented = contract.worlds.get(WORLD);
        let documented =
            documented.with_context(|| format!("the contract has no world {WORLD}"))?;
        let docs = self.resolve.worlds[*documented].docs.contents.clone();
        let docs = docs.with_context(|| format!("the world {WORLD} has no documentation"))?;
        resolve.worlds[world].docs.contents = Some(format!(
            "{docs}\n\nThe package {} documents each interface.",
            contract.name
        ));
        let root = resolve.worlds[world].package;
        PackageMetadata::extract(&resolve, root.context("the world is in no package")?).encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{release, root};

    #[test]
    fn the_package_has_the_documentation_of_every_interface() {
        let contract = Contract::read(&root()).expect("it can be read");
        let package = contract.encode().expect("it can be written");
        let DecodedWasm::WitPackage(resolve, package) =
            wit_component::decode(&package).expect("it can be read again")
        else {
            panic!("it is no WIT package");
        };
        let interfaces = &resolve.packages[package].interfaces;
        assert_eq!(interfaces.len(), 5);
        for (name, id) in interfaces {
            let interface = &resolve.interfaces[*id];
            assert!(interface.docs.contents.is_some(), "{name}");
            for function in interface.functions.values() {
                assert!(function.docs.contents.is_some(), "{}", function.name);
            }
        }
    }

    #[test]
    fn the_contract_is_released_under_its_own_name_and_version() {
        let contract = Contract::read(&root()).expect("it can be read");
        let of_connector = release();
        let released = contract.release(&of_connector).expect("all is there");
        assert_eq!(released.name, "identity-connector");
        assert_ne!(released.version, of_connector.version);
        assert!(!released.description.contains("NinjaOne"));
        assert_eq!(
            released.provenance.revision,
            of_connector.provenance.revision
        );
    }
}
