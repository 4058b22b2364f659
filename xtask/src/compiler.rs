//! How cargo is called to compile a component, with either compiler that can.

use std::env::{self, home_dir, join_paths, split_paths};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::{Workspace, cargo_program, forget_this_package};
use crate::{process, provision};

/// The target of components: no operating system, so a component can reach nothing that its WIT world does not name.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// The profile of components in `Cargo.toml`.
pub const PROFILE: &str = "component";
/// What makes clippy (and rustc) treat a warning as an error.
pub const DENY_WARNINGS: [&str; 2] = ["-D", "warnings"];

/// Debian's rustc.
pub const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// Debian's clippy, which fits Debian's rustc and no other.
pub const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";

/// A compiler for components. Whatever runs natively is always built by the toolchain's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// The toolchain's rustc.
    Toolchain(Std),
    /// Debian's rustc.
    Debian(Std),
}

/// In which form a compiler has a standard library for the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Std {
    /// Compiled, for speed.
    Prebuilt,
    /// As sources, which cargo compiles along with the component, for size.
    Sources,
}

impl Compiler {
    /// The compiler's own name and version.
    pub fn version(self) -> Result<String> {
        process::read(Command::new(self.rustc()).arg("--version"))
    }

    /// The program.
    fn rustc(self) -> &'static str {
        match self {
            Self::Toolchain(_) => "rustc",
            Self::Debian(_) => DEBIAN_RUSTC,
        }
    }

    /// In which form it has a standard library for the target.
    fn std(self) -> Std {
        match self {
            Self::Toolchain(std) | Self::Debian(std) => std,
        }
    }

    /// The command that builds the component of a package.
    pub fn build(self, workspace: &Workspace, package: &str) -> Result<Command> {
        // The connector's package is a library for native tests too, and cargo does not optimize across crates what is also an `rlib`:
        // the component would come out a third larger.
        let mut build = Command::from(workspace.cargo("rustc --lib --crate-type cdylib"));
        self.configure(&mut build, workspace, package)?;
        Ok(build)
    }

    /// The command that runs clippy on the component of a package for its target, warnings being errors.
    pub fn clippy(self, workspace: &Workspace, package: &str) -> Result<Command> {
        let mut clippy = match self {
            Self::Toolchain(_) => workspace.cargo("clippy").into(),
            Self::Debian(_) => debian_clippy(workspace),
        };
        self.configure(&mut clippy, workspace, package)?;
        clippy.arg("--").args(DENY_WARNINGS);
        Ok(clippy)
    }

    /// Adds to a call of cargo what makes it use this compiler on the component of a package.
    fn configure(self, cargo: &mut Command, workspace: &Workspace, package: &str) -> Result<()> {
        cargo.args([
            "--package",
            package,
            "--profile",
            PROFILE,
            "--target",
            TARGET,
        ]);
        // Takes precedence over RUSTFLAGS, which are meant for native code if set (`-C target-cpu=native`).
        cargo.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags(workspace)?);
        self.choose(cargo, &[])?;
        if self.std() == Std::Sources {
            cargo.env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
            // What every element of an answer goes through is here too: text, lists, memory. Not in the manifest, where cargo
            // would warn of packages that it does not know whenever it builds anything else.
            for package in ["core", "alloc"] {
                cargo.args([
                    "--config",
                    &format!("profile.{PROFILE}.package.{package}.opt-level=3"),
                ]);
            }
        }
        Ok(())
    }

    /// Makes a call of cargo use this compiler. With Debian's, programs of these folders go before others.
    pub fn choose(self, cargo: &mut Command, folders: &[PathBuf]) -> Result<()> {
        if let Self::Debian(_) = self {
            cargo
                .env("RUSTC", DEBIAN_RUSTC)
                .env("PATH", path_with_linkers(folders)?);
        }
        if self.std() == Std::Sources {
            // Building the standard library is unstable in cargo, and this is what allows it there. Variables and not flags: not
            // every subcommand takes those.
            cargo
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
        }
        Ok(())
    }

    /// The flags for rustc, in cargo's encoding.
    fn rustflags(self, workspace: &Workspace) -> Result<OsString> {
        let mut prefixes = source_prefixes(&cargo_home()?, workspace.root());
        if self.std() == Std::Sources {
            prefixes.push((library_sources(self.rustc())?, "/rustc"));
        }
        let mut flags = remap_flags(&prefixes);
        // Addresses in the linked file take five bytes each otherwise, however small they are.
        flags.push("\u{1f}-Clink-arg=--compress-relocations");
        Ok(flags)
    }
}

/// A call of clippy on native code, arguments to follow: the toolchain's own, or where it has none, Debian's, which leaves what it
/// compiles in a folder of its own.
pub fn native_clippy(workspace: &Workspace) -> Result<Command> {
    if workspace.has("cargo clippy --version") {
        return Ok(workspace.cargo("clippy").into());
    }
    println!("The toolchain has no clippy: Debian's is used.");
    provision::provision_clippy(Compiler::Debian(Std::Sources))?;
    let mut clippy = debian_clippy(workspace);
    clippy
        .env("RUSTC", DEBIAN_RUSTC)
        .env("CARGO_TARGET_DIR", workspace.target().join("clippy"));
    Ok(clippy)
}

/// A call of Debian's clippy. The toolchain's cannot read what Debian's rustc compiles; Debian's can, and is content with the
/// toolchain's cargo.
fn debian_clippy(workspace: &Workspace) -> Command {
    let mut clippy = Command::new(DEBIAN_CLIPPY);
    clippy
        .arg("clippy")
        .current_dir(workspace.root())
        .env("CARGO", cargo_program());
    forget_this_package(&mut clippy);
    clippy
}

/// Where a compiler has the sources of the standard library, if they are installed.
pub fn library_sources(rustc: &str) -> Result<PathBuf> {
    let sysroot = process::read(Command::new(rustc).args(["--print", "sysroot"]))?;
    Ok(Path::new(&sysroot).join("lib/rustlib/src/rust"))
}

/// The search path with these folders and then the toolchain's linkers in front: `wasm-component-ld`, and the `wasm-ld` which
/// that runs. A compiler finds those of its own toolchain by itself; Debian's has none.
fn path_with_linkers(folders: &[PathBuf]) -> Result<OsString> {
    let libraries = process::read(Command::new("rustc").args(["--print", "target-libdir"]))?;
    let programs = Path::new(&libraries).with_file_name("bin");
    let linkers = [programs.clone(), programs.join("gcc-ld")];
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = folders.iter().cloned().chain(linkers);
    join_paths(folders.chain(split_paths(&path)))
        .context("cannot put the toolchain's linkers on the search path")
}

/// Cargo's home directory.
fn cargo_home() -> Result<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| home_dir().map(|home| home.join(".cargo")))
        .context("cannot find cargo's home directory: set CARGO_HOME")
}

/// The directories of this machine that sources come from, and what to call them in the component instead. Panic messages
/// hold such paths; without this, the same sources built elsewhere would give another file, and tell where it was built.
fn source_prefixes(cargo_home: &Path, root: &Path) -> Vec<(PathBuf, &'static str)> {
    let mut prefixes = vec![(root.to_owned(), "."), (cargo_home.to_owned(), "/cargo")];
    // One directory per registry, named after where the packages were fetched from, which is no property of the sources.
    // There from the start: this program's own dependencies come from it.
    let registries = cargo_home.join("registry/src").read_dir();
    prefixes.extend(
        registries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| (entry.path(), "/crates")),
    );
    prefixes
}

/// The flags that make rustc replace each of these prefixes, in cargo's encoding. Where several fit, rustc takes the last.
fn remap_flags(prefixes: &[(PathBuf, &'static str)]) -> OsString {
    let mut flags = OsString::new();
    for (from, to) in prefixes {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prefix_becomes_a_flag_even_with_a_space_in_it() {
        let prefixes = [
            (PathBuf::from("/my work"), "."),
            (PathBuf::from("/home/me/.cargo"), "/cargo"),
        ];
        assert_eq!(
            remap_flags(&prefixes),
            "--remap-path-prefix=/my work=.\u{1f}--remap-path-prefix=/home/me/.cargo=/cargo"
        );
    }
}
