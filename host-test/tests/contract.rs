//! The contract is documented to the last field, and vendored packages are at fixed versions.

use std::path::Path;

use wit_parser::{Docs, Resolve, TypeDefKind};

fn resolve() -> (Resolve, wit_parser::PackageId) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(&wit).expect("the contract can be parsed");
    (resolve, package)
}

#[test]
fn every_item_of_the_contract_is_documented() {
    let (resolve, package) = resolve();
    let package = &resolve.packages[package];
    let mut missing = Vec::new();
    let mut check = |name: String, docs: &Docs| {
        if docs
            .contents
            .as_ref()
            .is_none_or(|text| text.trim().is_empty())
        {
            missing.push(name);
        }
    };
    check(package.name.to_string(), &package.docs);
    for world in package.worlds.values() {
        let world = &resolve.worlds[*world];
        check(format!("world {}", world.name), &world.docs);
    }
    for (interface_name, interface) in &package.interfaces {
        let interface = &resolve.interfaces[*interface];
        check(format!("interface {interface_name}"), &interface.docs);
        for (name, function) in &interface.functions {
            check(format!("{interface_name}.{name}"), &function.docs);
        }
        for (name, id) in &interface.types {
            let definition = &resolve.types[*id];
            let path = format!("{interface_name}.{name}");
            let members: Vec<(&String, &Docs)> = match &definition.kind {
                TypeDefKind::Record(record) => {
                    record.fields.iter().map(|f| (&f.name, &f.docs)).collect()
                }
                TypeDefKind::Variant(variant) => {
                    variant.cases.iter().map(|c| (&c.name, &c.docs)).collect()
                }
                TypeDefKind::Enum(of) => of.cases.iter().map(|c| (&c.name, &c.docs)).collect(),
                TypeDefKind::Flags(flags) => {
                    flags.flags.iter().map(|f| (&f.name, &f.docs)).collect()
                }
                // A name that another interface defines, and documents, is only used here.
                TypeDefKind::Type(wit_parser::Type::Id(_)) => continue,
                _ => Vec::new(),
            };
            check(path.clone(), &definition.docs);
            for (member, docs) in members {
                check(format!("{path}.{member}"), docs);
            }
        }
    }
    assert!(missing.is_empty(), "without documentation: {missing:#?}");
}

#[test]
fn every_package_has_a_fixed_version() {
    let (resolve, _) = resolve();
    for (_, package) in &resolve.packages {
        assert!(package.name.version.is_some(), "{} has none", package.name);
    }
}
