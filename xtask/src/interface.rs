//! What a component imports and exports: read from the file itself, so it is what a host will see.

use anyhow::Result;
use wasmparser::{Parser, Payload};

/// The names a component imports and exports, in the order it lists them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// What a host has to provide.
    pub imports: Vec<String>,
    /// What a host can call.
    pub exports: Vec<String>,
}

impl Interface {
    /// Reads the interface of the component in `bytes`.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        anyhow::ensure!(Parser::is_component(bytes), "it does not begin like one");
        let mut interface = Self::default();
        // Components nest, and the inner ones are nobody's business: only the outermost imports from the host.
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        interface.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        interface.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(interface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How every component begins: `\0asm`, the version of the format, and the mark that it is no core module.
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";

    /// A section: its number, its length, its content.
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("the tests' sections are short");
        [&[id, length], content].concat()
    }

    /// A component that imports an instance as `import`, exports it as `export`, and has `inner` in between.
    fn component(import: &str, inner: &[u8], export: &str) -> Vec<u8> {
        let named = |name: &str| {
            let length = u8::try_from(name.len()).expect("the tests' names are short");
            [&[1, 0, length], name.as_bytes()].concat()
        };
        let an_instance_type_without_members = section(7, &[1, 0x42, 0]);
        let import_of_that_type = section(10, &[named(import), vec![5, 0]].concat());
        let export_of_that_instance = section(11, &[named(export), vec![5, 0, 0]].concat());
        [
            HEADER,
            &an_instance_type_without_members,
            &import_of_that_type,
            inner,
            &export_of_that_instance,
        ]
        .concat()
    }

    #[test]
    fn imports_and_exports_of_the_outermost_component_are_listed() {
        let inner = section(4, &component("inner:in/a", &[], "inner:out/b"));
        let interface = Interface::of(&component(
            "wasi:io/poll@0.2.6",
            &inner,
            "identity:connector/connector@0.1.0",
        ));
        let expected = Interface {
            imports: vec!["wasi:io/poll@0.2.6".to_owned()],
            exports: vec!["identity:connector/connector@0.1.0".to_owned()],
        };
        assert_eq!(interface.expect("it is a component"), expected);
    }

    #[test]
    fn nothing_is_imported_or_exported_by_an_empty_component() {
        assert_eq!(
            Interface::of(HEADER).expect("it is a component"),
            Interface::default()
        );
    }

    #[test]
    fn a_core_module_is_refused() {
        assert!(Interface::of(b"\0asm\x01\0\0\0").is_err());
    }
}
