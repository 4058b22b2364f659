//! Makes a component smaller: takes out what is there for debuggers, and has Binaryen's `wasm-opt` work on the core modules.
//!
//! `wasm-opt` does not read components, so the core modules are taken out, optimized, and put back where they were. Only
//! those are touched that are large enough for it to matter; the others are the adapters that the linker adds.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use component_build::process;
use wasm_encoder::{Component, RawSection};
use wasmparser::{Parser, Payload};

/// Binaryen's optimizer.
pub const WASM_OPT: &str = "wasm-opt";

/// What compilers for this target may make use of, and `wasm-opt` has to be told about.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];
/// The passes. Flattening lets the control flow be made anew, which is a hundredth smaller than the compiler's, and takes
/// two rounds of optimization to be worth it. Functions that are called often get the short numbers. Nothing is ever in the
/// first 1,024 bytes of memory: the linker puts the stack first, so they are its last, and a call that deep ends in a trap
/// anyway. What is compiled is as quick with other passes, and without any (within one per cent).
const PASSES: [&str; 8] = [
    "--strip-producers",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--converge",
    "--reorder-functions",
    "--low-memory-unused",
];
/// How small a core module is left as it is, in bytes.
const SMALL: usize = 4096;

/// The component without what the linker adds to it for debuggers and for the curious (the names of its inner parts, and of the
/// tools that made it, which `strip` in the profile does not reach), and with its core modules optimized for size. Where there is no
/// `wasm-opt`, they stay as they are: the component is a tenth larger then, and no different otherwise.
pub fn optimize(component: &[u8], scratch: &Path) -> Result<Vec<u8>> {
    let has_optimizer = process::is_available(WASM_OPT);
    rewrite(component, |module| match has_optimizer {
        true => optimize_module(module, scratch),
        false => Ok(module.to_vec()),
    })
}

/// The component without its custom sections, and with each of its larger core modules replaced.
fn rewrite(
    component: &[u8],
    mut replacement: impl FnMut(&[u8]) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    let mut rewritten = Component::new();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let is_custom = matches!(payload, Payload::CustomSection(_));
        if let (0, false, Some((id, range))) = (depth, is_custom, payload.as_section()) {
            let content = &component[usize::try_from(range.start)?..usize::try_from(range.end)?];
            let is_module = matches!(payload, Payload::ModuleSection { .. });
            let data = match is_module && content.len() > SMALL {
                true => &replacement(content)?,
                false => content,
            };
            rewritten.section(&RawSection { id, data });
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(rewritten.finish())
}

/// One core module, optimized by way of two files in the folder `scratch`.
fn optimize_module(module: &[u8], scratch: &Path) -> Result<Vec<u8>> {
    let before = scratch.join("before.wasm");
    let after = scratch.join("after.wasm");
    fs::create_dir_all(scratch)
        .and_then(|()| fs::write(&before, module))
        .with_context(|| format!("cannot write to {}", scratch.display()))?;
    process::run(
        Command::new(WASM_OPT)
            .args(FEATURES)
            .args(PASSES)
            .arg("--output")
            .args([&after, &before]),
    )?;
    fs::read(&after).with_context(|| format!("cannot read {}", after.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component of one core module of about this size, with custom sections within it and after it.
    fn component(size: usize) -> Vec<u8> {
        let custom = |data: &[u8]| wasm_encoder::CustomSection {
            name: "x".into(),
            data: data.to_vec().into(),
        };
        let mut module = wasm_encoder::Module::new();
        module.section(&custom(&vec![0; size]));
        let mut component = Component::new();
        component.section(&wasm_encoder::ModuleSection(&module));
        component.section(&custom(b"yz"));
        component.finish()
    }

    const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

    #[test]
    fn a_large_module_is_replaced_and_the_outermost_custom_sections_are_taken_out() {
        let rewritten = rewrite(&component(SMALL), |_| Ok(EMPTY_MODULE.to_vec()));
        let expected = b"\0asm\x0d\0\x01\0\x01\x08\0asm\x01\0\0\0";
        assert_eq!(rewritten.expect("it is a component"), expected);
    }

    #[test]
    fn a_small_module_stays_with_its_custom_sections() {
        let component = component(10);
        let rewritten = rewrite(&component, |_| panic!("it is small"));
        let without_the_last = &component[..component.len() - b"\0\x04\x01xyz".len()];
        assert_eq!(rewritten.expect("it is a component"), without_the_last);
    }
}
