//! The contract is documented to the last field, its page says what its WIT says, and vendored packages are at fixed versions.

mod links;
mod members;
mod page;

use std::path::Path;

use members::{defined, members};
use wit_parser::{Docs, PackageId, Resolve};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contract.md");

fn resolve() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
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
    for (interface_name, id) in &package.interfaces {
        let interface = &resolve.interfaces[*id];
        check(format!("interface {interface_name}"), &interface.docs);
        for (name, function) in &interface.functions {
            check(format!("{interface_name}.{name}"), &function.docs);
        }
        for (name, definition) in defined(&resolve, *id) {
            let path = format!("{interface_name}.{name}");
            check(path.clone(), &definition.docs);
            for member in members(definition) {
                check(format!("{path}.{}", member.name), member.docs);
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

#[test]
fn the_page_of_the_contract_is_what_its_wit_says() {
    let (resolve, package) = resolve();
    let expected = page::page(&resolve, package);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(FILE, &expected).expect("the page can be written");
    }
    let written = std::fs::read_to_string(FILE).expect("the page is there");
    assert!(
        written == expected,
        "docs/contract.md is not what wit/ says; `cargo xtask docs` writes it anew"
    );
}

#[test]
fn every_link_of_the_page_leads_to_one_heading_of_it() {
    let (resolve, package) = resolve();
    let page = page::page(&resolve, package);
    let anchors: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| links::anchor(line.trim_start_matches('#')))
        .collect();
    let targets: Vec<_> = page
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .collect();
    assert!(targets.len() > 150, "only {} links", targets.len());
    for target in targets {
        let headings = anchors.iter().filter(|anchor| *anchor == target).count();
        assert_eq!(headings, 1, "headings that #{target} leads to");
    }
}
