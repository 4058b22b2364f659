//! Compiles the components that the tests load, and writes a constant for each, and the macro `each_guest`.
//!
//! cargo runs this again when a source of one of them has changed, so no test can be green because of a component that is out of
//! date.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use component_build::{CONNECTOR, Compiler, GUESTS, guests};

/// Another target directory for components than that of this build; set by `cargo xtask`, which builds with several.
const TARGET_DIRECTORY: &str = "COMPONENT_TARGET_DIR";

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let root = root.context("this package is in a folder of a folder of the workspace")?;
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo names no OUT_DIR")?);
    let target = match env::var_os(TARGET_DIRECTORY) {
        Some(folder) => PathBuf::from(folder),
        // `<target directory>/<profile>/build/<package>/out`
        None => out
            .ancestors()
            .nth(4)
            .context("OUT_DIR has another form")?
            .to_owned(),
    };
    let compiler = Compiler::find().context(
        "the tests need the components: `cargo xtask build` provides a compiler for them",
    )?;

    let connector = compiler.build(root, &target, CONNECTOR)?;
    let mut sources = connector.sources;
    let mut code = constant(CONNECTOR, &kept(&connector.component, &out)?)?;
    let mut names = Vec::new();
    for package in guests(root)? {
        let guest = compiler.build(root, &target, &package)?;
        sources.extend(guest.sources);
        code += &constant(&package, &kept(&guest.component, &out)?)?;
        names.push(package.replace('-', "_"));
    }
    writeln!(code, "/// Calls a macro with the name of each guest.")?;
    writeln!(
        code,
        "#[macro_export]\nmacro_rules! each_guest {{\n    ($callback:ident) => {{"
    )?;
    for name in names {
        writeln!(code, "        $callback!({name});")?;
    }
    writeln!(code, "    }};\n}}")?;
    let file = out.join("components.rs");
    fs::write(&file, code).with_context(|| format!("cannot write {}", file.display()))?;

    // cargo's list names no manifests: each is in a folder above its sources.
    let manifests: BTreeSet<_> = sources
        .iter()
        .flat_map(|source| source.ancestors())
        .map(|folder| folder.join("Cargo.toml"))
        .filter(|manifest| manifest.starts_with(root) && manifest.is_file())
        .collect();
    for file in sources.iter().chain(&manifests) {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    for other in ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"]
        .iter()
        .chain(&GUESTS)
    {
        println!("cargo::rerun-if-changed={}", root.join(other).display());
    }
    println!("cargo::rerun-if-env-changed={TARGET_DIRECTORY}");
    Ok(())
}

/// A copy of a component where nothing but this build writes, and its file.
fn kept(component: &Path, out: &Path) -> Result<PathBuf> {
    let copy = out.join(component.file_name().context("it is a file")?);
    fs::copy(component, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}

/// A constant with the file of a package's component.
fn constant(package: &str, file: &Path) -> Result<String> {
    let name = package.replace('-', "_").to_uppercase();
    let file = file
        .to_str()
        .context("the target directory's name is not text")?;
    Ok(format!(
        "/// The file of the component of the package `{package}`.\npub const {name}: &str = {file:?};\n"
    ))
}
