//! Compiles the project's components for `wasm32-unknown-unknown`, with whichever compiler of this machine can.
//!
//! `cargo xtask` and the build script of the tests (`host-test/components`) both compile by this, so that a component is the same
//! whoever asked for it. It installs nothing: where no compiler can, [`Compiler::find`] says why, and `cargo xtask build` provides
//! one.
//!
//! What this package does not know: what the components do, and how they are made smaller for a release.

#![deny(missing_docs)]

use std::env::{self, home_dir, join_paths, split_paths};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

pub mod process;

use self::process::read;

/// The target of components: no operating system, so a component can reach nothing that its WIT world does not name.
pub const TARGET: &str = "wasm32-unknown-unknown";
/// The profile of components in the workspace's `Cargo.toml`.
pub const PROFILE: &str = "component";
/// The package of the connector, at the top of the workspace.
pub const CONNECTOR: &str = "ninjaone-connector";
/// Where the guests are, one package each: the components that the tests load beside the connector, those that are there for nothing
/// else and the examples of connectors.
pub const GUESTS: [&str; 2] = ["examples/connectors", "host-test/guests"];
/// Debian's rustc.
pub const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The oldest compiler that the sources are written for, as the workspace's `Cargo.toml` has it.
const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

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
    /// Compiled.
    Prebuilt,
    /// As sources, which cargo compiles along with the component, for size.
    Sources,
}

/// A component that cargo built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file.
    pub component: PathBuf,
    /// The files of this workspace that it was compiled from.
    pub sources: Vec<PathBuf>,
}

impl Compiler {
    /// Finds one: the toolchain's, since one compiler is simpler than two, or else Debian's.
    ///
    /// # Errors
    ///
    /// Where neither has a standard library for the target; it says why of both.
    pub fn find() -> Result<Self> {
        let toolchain = match toolchain_std() {
            Ok(std) => return Ok(Self::Toolchain(std)),
            Err(error) => error,
        };
        match debian_std() {
            Ok(std) => Ok(Self::Debian(std)),
            Err(debian) => bail!(
                "no compiler on this machine has a standard library for {TARGET}: rustc {toolchain:#}; {DEBIAN_RUSTC} {debian:#}"
            ),
        }
    }

    /// The compiler's own name and version.
    ///
    /// # Errors
    ///
    /// Where it cannot be run.
    pub fn version(self) -> Result<String> {
        read(Command::new(self.rustc()).arg("--version"))
    }

    /// The program.
    pub fn rustc(self) -> &'static str {
        match self {
            Self::Toolchain(_) => "rustc",
            Self::Debian(_) => DEBIAN_RUSTC,
        }
    }

    /// In which form it has a standard library for the target.
    pub fn std(self) -> Std {
        match self {
            Self::Toolchain(std) | Self::Debian(std) => std,
        }
    }

    /// Compiles the component of a package of the workspace at `root`, into the target directory `target`.
    ///
    /// # Errors
    ///
    /// Where it does not compile; cargo's own messages are on standard error then.
    pub fn build(self, root: &Path, target: &Path, package: &str) -> Result<Built> {
        // The connector's package is a library for native tests too, and cargo does not optimize across crates what is also an `rlib`:
        // the component would come out a third larger.
        let mut build = cargo(root, target, "rustc");
        build.args(["--lib", "--crate-type", "cdylib"]);
        self.configure(&mut build, root, package)?;
        process::run(&mut build)?;
        let folder = target.join(TARGET).join(PROFILE);
        let stem = package.replace('-', "_");
        let component = folder.join(format!("{stem}.wasm"));
        ensure!(
            component.is_file(),
            "cargo built {package}, but no {} came out: is it a `cdylib`?",
            component.display()
        );
        let list = folder.join(format!("{stem}.d"));
        let list =
            fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let sources = sources(&list).context("cargo's list of sources has another form")?;
        Ok(Built { component, sources })
    }

    /// Adds to a call of cargo what makes it use this compiler on the component of a package.
    ///
    /// # Errors
    ///
    /// Where the compiler cannot be asked for its own folders.
    pub fn configure(self, cargo: &mut Command, root: &Path, package: &str) -> Result<()> {
        cargo.args(["--package", package, "--profile", PROFILE]);
        cargo.args(["--target", TARGET]);
        // Takes precedence over RUSTFLAGS, which are meant for native code if set (`-C target-cpu=native`).
        cargo.env("CARGO_ENCODED_RUSTFLAGS", self.rustflags(root)?);
        self.choose(cargo, &[])?;
        if self.std() == Std::Sources {
            cargo.env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
            // The text and lists of every element of an answer are made there. Not in the manifest, where cargo would warn of a
            // package that it does not know whenever it builds anything else.
            cargo.arg("--config");
            cargo.arg(format!("profile.{PROFILE}.package.alloc.opt-level=3"));
        }
        Ok(())
    }

    /// Makes a call of cargo use this compiler. With Debian's, programs of these folders go before others.
    ///
    /// # Errors
    ///
    /// Where the toolchain cannot be asked for its linkers.
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
    fn rustflags(self, root: &Path) -> Result<OsString> {
        let mut prefixes = source_prefixes(&cargo_home()?, root);
        if self.std() == Std::Sources {
            prefixes.push((library_sources(self.rustc())?, "/rustc"));
        }
        let mut flags = remap_flags(&prefixes);
        // Addresses in the linked file take five bytes each otherwise, however small they are.
        flags.push("\u{1f}-Clink-arg=--compress-relocations");
        Ok(flags)
    }
}

/// A call of `cargo subcommand` in the workspace at `root`, with a target directory, arguments to follow.
///
/// It gets nothing of what cargo tells a program or build script of its own package, compiler and flags. Some build scripts ask to
/// run again when these variables change, so that a build from here and one from a shell would undo each other.
pub fn cargo(root: &Path, target: &Path, subcommand: &str) -> Command {
    let mut cargo = Command::new(cargo_program());
    cargo
        .arg(subcommand)
        .current_dir(root)
        .env("CARGO_TARGET_DIR", target);
    forget_this_package(&mut cargo);
    cargo
}

/// The cargo that runs this program, or the one on the search path.
pub fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Takes out of a command's environment what cargo put there for this program.
pub fn forget_this_package(command: &mut Command) {
    for name in of_this_package() {
        command.env_remove(name);
    }
}

/// The variables that cargo, or clippy in its place, set for this program.
pub fn of_this_package() -> impl Iterator<Item = OsString> {
    /// What clippy tells itself, which would have components be linted in place of compiled.
    const OF_CLIPPY: [&str; 2] = ["CLIPPY_ARGS", "RUSTC_WORKSPACE_WRAPPER"];
    const OF_A_BUILD_SCRIPT: [&str; 10] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "DEBUG",
        "HOST",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC",
        "RUSTDOC",
        "TARGET",
    ];
    const PREFIXES: [&str; 4] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
    ];
    let is_build_script = env::var_os("OUT_DIR").is_some();
    let names = env::vars_os().map(|(name, _)| name);
    names.filter(move |name| {
        let text = name.to_string_lossy();
        PREFIXES.iter().any(|prefix| text.starts_with(prefix))
            || OF_CLIPPY.contains(&&*text)
            || (is_build_script && OF_A_BUILD_SCRIPT.contains(&&*text))
    })
}

/// The packages of the guests of the workspace at `root`: all that there are, so that none can be added and forgotten.
///
/// # Errors
///
/// Where a folder cannot be read, or a manifest names no package.
pub fn guests(root: &Path) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for folder in GUESTS.map(|folder| root.join(folder)) {
        let entries = folder
            .read_dir()
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let manifest = entry?.path().join("Cargo.toml");
            if !manifest.is_file() {
                continue;
            }
            let text = fs::read_to_string(&manifest)?;
            let name = text
                .lines()
                .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
            let name = name.with_context(|| format!("{} names no package", manifest.display()))?;
            packages.push(name.to_owned());
        }
    }
    packages.sort();
    Ok(packages)
}

/// In which form the toolchain's rustc has a standard library for the target.
///
/// # Errors
///
/// Where it has none.
pub fn toolchain_std() -> Result<Std> {
    std_of("rustc")
}

/// In which form Debian's rustc has a standard library for the target.
///
/// # Errors
///
/// Where it has none, there is no such rustc, or it is too old.
pub fn debian_std() -> Result<Std> {
    if !Path::new(DEBIAN_RUSTC).exists() {
        bail!("is not on this machine");
    }
    let version = read(Command::new(DEBIAN_RUSTC).arg("--version"))?;
    if !is_recent_enough(&version) {
        bail!("is {version}, and {RUST_VERSION} or newer is needed");
    }
    std_of(DEBIAN_RUSTC)
}

/// In which form a compiler has a standard library for the target, the sources being preferred; an error if it has none.
fn std_of(rustc: &str) -> Result<Std> {
    let sources = library_sources(rustc)?;
    if sources.join("library/std/Cargo.toml").exists() {
        return Ok(Std::Sources);
    }
    if has_target(rustc, TARGET) {
        return Ok(Std::Prebuilt);
    }
    bail!(
        "has neither a compiled one nor the sources in {}",
        sources.display()
    );
}

/// Whether the compiler `rustc` has a standard library for `target`.
pub fn has_target(rustc: &str, target: &str) -> bool {
    read(Command::new(rustc).args(["--print", "target-libdir", "--target", target]))
        .is_ok_and(|directory| Path::new(&directory).exists())
}

/// Whether a compiler that calls itself `version` (`rustc 1.96.0 …`) can compile this workspace.
fn is_recent_enough(version: &str) -> bool {
    let found = version.strip_prefix("rustc ").and_then(minor_version);
    found.is_some_and(|found| minor_version(RUST_VERSION).is_some_and(|needed| found >= needed))
}

/// Reads `1.96.0 …` up to the second number.
fn minor_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(['.', ' ', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Where a compiler has the sources of the standard library, if they are installed.
fn library_sources(rustc: &str) -> Result<PathBuf> {
    let sysroot = read(Command::new(rustc).args(["--print", "sysroot"]))?;
    Ok(Path::new(&sysroot).join("lib/rustlib/src/rust"))
}

/// The search path with these folders and then the toolchain's linkers in front: `wasm-component-ld`, and the `wasm-ld` which
/// that runs. A compiler finds those of its own toolchain by itself; Debian's has none.
fn path_with_linkers(folders: &[PathBuf]) -> Result<OsString> {
    let libraries = read(Command::new("rustc").args(["--print", "target-libdir"]))?;
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

/// The sources in cargo's list of what a file was made from: `<file>: <source> <source>`, a space within a name escaped.
fn sources(list: &str) -> Option<Vec<PathBuf>> {
    const SPACE: char = '\0';
    let (_, names) = list.lines().next()?.split_once(": ")?;
    let names = names.replace("\\ ", &SPACE.to_string());
    let names = names.split(' ').filter(|name| !name.is_empty());
    Some(names.map(|name| name.replace(SPACE, " ").into()).collect())
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

    #[test]
    fn a_package_in_a_folder_of_guests_is_one() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let guests = guests(&root).expect("the workspace has them");
        for guest in ["in-memory-connector", "misbehaving"] {
            assert!(guests.iter().any(|name| name == guest), "{guests:?}");
        }
        assert!(!guests.iter().any(|name| name == "host-test"), "{guests:?}");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_recent_enough(&format!(
            "rustc {RUST_VERSION}.0 (59807616e 2026-04-14)"
        )));
        assert!(is_recent_enough("rustc 1.100.0-nightly (0 2027-01-01)"));
        assert!(!is_recent_enough("rustc 1.63.0"));
        assert!(!is_recent_enough("something else"));
    }

    #[test]
    fn sources_are_told_apart_even_with_a_space_in_a_name() {
        let list = "/target/a.wasm: /my\\ work/src/lib.rs /my\\ work/wit/types.wit\n";
        let found = sources(list).expect("it is such a list");
        assert_eq!(
            found,
            ["/my work/src/lib.rs", "/my work/wit/types.wit"].map(PathBuf::from)
        );
    }
}
