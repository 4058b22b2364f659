//! Where a name in the documentation leads to, on the page of the contract.

use std::collections::HashMap;

use wit_parser::{InterfaceId, PackageId, Resolve, TypeDefKind};

use crate::members::{defined, members};

/// The anchor of each name that the contract defines: of types, of their members (`account.id`) and of functions.
pub struct Links {
    anchors: HashMap<String, String>,
}

impl Links {
    pub fn new(resolve: &Resolve, package: PackageId) -> Self {
        let interfaces = &resolve.packages[package].interfaces;
        let mut links = Self {
            anchors: HashMap::new(),
        };
        for interface in interfaces.values() {
            links.add_types(resolve, *interface);
        }
        // Where a type has the name of a function, such as `grant`, the name alone means the type.
        for (interface, id) in interfaces {
            for name in resolve.interfaces[*id].functions.keys() {
                let target = anchor(&format!("func {name}"));
                links.add(format!("{interface}.{name}"), &target);
                links.add(name.clone(), &target);
            }
        }
        links.add_cases(resolve, package);
        links
    }

    fn add(&mut self, name: String, target: &str) {
        self.anchors.entry(name).or_insert(target.to_string());
    }

    fn add_types(&mut self, resolve: &Resolve, interface: InterfaceId) {
        for (name, definition) in defined(resolve, interface) {
            let target = anchor(&format!("{} {name}", definition.kind.as_str()));
            for member in members(definition) {
                self.add(format!("{name}.{}", member.name), &target);
            }
            self.add(name.to_string(), &target);
        }
    }

    /// Cases that a sentence names alone, such as `unchanged`: those of a variant that no other one, and no record, has too.
    fn add_cases(&mut self, resolve: &Resolve, package: PackageId) {
        let mut types: HashMap<&str, Vec<(&str, bool)>> = HashMap::new();
        for interface in resolve.packages[package].interfaces.values() {
            for (name, definition) in defined(resolve, *interface) {
                // An enum may repeat the cases of a variant without what they carry; the variant says more of them.
                if matches!(definition.kind, TypeDefKind::Enum(_)) {
                    continue;
                }
                let is_variant = matches!(definition.kind, TypeDefKind::Variant(_));
                for member in members(definition) {
                    types
                        .entry(member.name)
                        .or_default()
                        .push((name, is_variant));
                }
            }
        }
        for (case, of) in types {
            if let [(variant, true)] = of[..] {
                self.add(case.to_string(), &anchor(&format!("variant {variant}")));
            }
        }
    }

    /// The name as code, linked where it is known.
    pub fn name(&self, name: &str) -> String {
        match self.anchors.get(name) {
            Some(target) => format!("[`{name}`](#{target})"),
            None => format!("`{name}`"),
        }
    }

    /// A text with each name in backquotes linked, except for those that mean something nearer than what they would lead to.
    pub fn text(&self, text: &str, nearer: &[&str]) -> String {
        let mut linked = String::new();
        for (index, part) in text.split('`').enumerate() {
            let is_code = index % 2 == 1;
            linked += &match is_code {
                true if nearer.contains(&part) => format!("`{part}`"),
                true => self.name(part),
                false => part.to_string(),
            };
        }
        linked
    }
}

/// What a heading is linked by, as GitHub makes it from its text.
pub fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-');
    let text: String = heading.trim().chars().filter(kept).collect();
    text.to_lowercase().replace(' ', "-")
}
