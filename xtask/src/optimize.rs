//! Makes the component smaller: Binaryen's `wasm-opt` on the core modules in it.
//!
//! `wasm-opt` does not read components, so the core modules are taken out, optimized, and put back where they were. Only
//! those are touched that are large enough for it to matter; the others are the adapters that the linker adds.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use wasmparser::{Parser, Payload};

use crate::component::push_leb128;
use crate::{process, provision};

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
/// anyway.
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

/// The component with its core modules optimized for size. Where there is no `wasm-opt`, says so and leaves it as it is: it
/// is larger then, and no different otherwise.
pub fn optimize(component: Vec<u8>, scratch: &Path) -> Result<Vec<u8>> {
    if let Err(reason) = provision::provision_wasm_opt() {
        println!(
            "The component is not optimized for size, which makes it 8 % larger: there is no {WASM_OPT}, and none could be \
             installed ({reason:#}). It comes with Binaryen, or by `cargo install wasm-opt --locked`."
        );
        return Ok(component);
    }
    replace_modules(&component, |module| optimize_module(module, scratch))
}

/// The component with each of its larger core modules replaced.
fn replace_modules(
    component: &[u8],
    mut replacement: impl FnMut(&[u8]) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    const HEADER: usize = 8;
    let mut replaced = component.get(..HEADER).context("it is too short")?.to_vec();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        if let (0, Some((id, range))) = (depth, payload.as_section()) {
            let content = &component[usize::try_from(range.start)?..usize::try_from(range.end)?];
            let module = matches!(payload, Payload::ModuleSection { .. });
            let content = if module && content.len() > SMALL {
                &replacement(content)?
            } else {
                content
            };
            replaced.push(id);
            push_leb128(&mut replaced, content.len());
            replaced.extend_from_slice(content);
        }
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    Ok(replaced)
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

    /// A component of one core module, with a custom section of this size in the module, and one after it.
    fn component(size: usize) -> Vec<u8> {
        let mut custom = vec![0];
        push_leb128(&mut custom, size + 2);
        custom.extend([1, b'x']);
        custom.resize(custom.len() + size, 0);
        let module = [b"\0asm\x01\0\0\0".as_slice(), &custom].concat();
        let mut component = b"\0asm\x0d\0\x01\0\x01".to_vec();
        push_leb128(&mut component, module.len());
        [component, module, b"\0\x04\x03abc".to_vec()].concat()
    }

    #[test]
    fn a_large_module_is_replaced_and_all_else_stays() {
        let replaced = replace_modules(&component(SMALL), |_| Ok(b"\0asm\x01\0\0\0".to_vec()));
        let expected = b"\0asm\x0d\0\x01\0\x01\x08\0asm\x01\0\0\0\0\x04\x03abc";
        assert_eq!(replaced.expect("it is a component"), expected);
    }

    #[test]
    fn a_small_module_stays() {
        let component = component(10);
        let replaced = replace_modules(&component, |_| panic!("it is small"));
        assert_eq!(replaced.expect("it is a component"), component);
    }
}
