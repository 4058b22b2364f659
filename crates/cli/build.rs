//! Puts a component into the program, where CONNECTOR_HOST_EMBED names its file: `cargo xtask install` does. Without the variable the
//! program carries none, and the library never does.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Names the file, with an absolute path: cargo runs this in the folder of the package, and not where it was called.
const VARIABLE: &str = "CONNECTOR_HOST_EMBED";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(embedded_component)");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let named = env::var_os(VARIABLE).filter(|file| !file.is_empty());
    let Some(file) = named.map(PathBuf::from) else {
        return;
    };
    if let Err(reason) = embed(&file) {
        // A program without the component that it should carry must not come out of it.
        println!(
            "cargo::error={VARIABLE} names {}, which cannot be embedded: {reason}",
            file.display()
        );
        return;
    }
    println!("cargo::rerun-if-changed={}", file.display());
    println!("cargo::rustc-cfg=embedded_component");
}

fn embed(file: &Path) -> Result<(), String> {
    if !file.is_absolute() {
        return Err("its path is not absolute".to_string());
    }
    let folder = env::var_os("OUT_DIR").ok_or("cargo gives no OUT_DIR")?;
    let copy = Path::new(&folder).join("component.wasm");
    fs::copy(file, copy).map_err(|error| error.to_string())?;
    Ok(())
}
