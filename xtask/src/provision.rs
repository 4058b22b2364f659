//! Finds a compiler with a standard library for the component's target, and installs one where there is none.
//!
//! What the machine offers is observed first ([`Facts`]); what follows from it is decided by a pure function ([`choose`]).
//! A way that was tried and did not help becomes a fact too, so the next best follows, and if none is left, the error lists
//! why each was of no use.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use component_build::{Compiler, DEBIAN_RUSTC, Std, TARGET, has_target, process};

use crate::compiler::DEBIAN_CLIPPY;
use crate::optimize::WASM_OPT;

/// Debian's packages with an up-to-date rustc and the sources of its standard library.
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];

/// The target with the whole of WASI.
pub const WASIP2: &str = "wasm32-wasip2";
/// Where Debian has the C library that the standard library for WASI stands on.
const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// The names that Chromium and its like go by.
const CHROMIUMS: [&str; 3] = ["chromium", "google-chrome", "chromium-browser"];

/// Finds a compiler for the component, installing what is missing. Prints nothing where nothing has to be installed.
pub fn provision() -> Result<Compiler> {
    let mut facts = Facts::observe();
    loop {
        match choose(&facts) {
            Route::Use(compiler) => return Ok(compiler),
            Route::Rustup => {
                println!(
                    "No standard library for {TARGET} yet: installing it with `rustup target add {TARGET}`."
                );
                facts.rustup = Err(tried(process::run(
                    Command::new("rustup").args(["target", "add", TARGET]),
                )));
                facts.toolchain = observe(component_build::toolchain_std());
            }
            Route::Apt => {
                println!(
                    "No standard library for {TARGET} yet: installing Debian's {} with apt-get (half a minute).",
                    DEBIAN_PACKAGES.join(" and ")
                );
                facts.apt = Err(tried(apt_install(&DEBIAN_PACKAGES)));
                facts.debian = observe(component_build::debian_std());
            }
            Route::None => bail!(no_route(&facts)),
        }
    }
}

/// Makes sure that there is a clippy for `compiler`. For the toolchain's own that is left to rustup, which says itself what
/// to do where it has none.
pub fn provision_clippy(compiler: Compiler) -> Result<()> {
    let package = match compiler {
        Compiler::Toolchain(_) => return Ok(()),
        Compiler::Debian(_) if Path::new(DEBIAN_CLIPPY).exists() => return Ok(()),
        Compiler::Debian(Std::Sources) => "rust-web-clippy",
        Compiler::Debian(Std::Prebuilt) => "rust-clippy",
    };
    println!("No clippy for {DEBIAN_RUSTC} yet: installing Debian's {package} with apt-get.");
    apt_install(&[package])
}

/// The flags with which `compiler` links for wasm32-wasip2, after installing what it lacks for that; an error where it cannot.
pub fn provision_wasip2(compiler: Compiler) -> Result<Vec<String>> {
    match compiler {
        Compiler::Toolchain(_) if has_target("rustc", WASIP2) => Ok(Vec::new()),
        Compiler::Toolchain(_) => {
            observe_rustup().map_err(anyhow::Error::msg)?;
            println!(
                "No standard library for {WASIP2} yet: installing it with `rustup target add {WASIP2}`."
            );
            process::run(Command::new("rustup").args(["target", "add", WASIP2]))?;
            Ok(Vec::new())
        }
        Compiler::Debian(Std::Prebuilt) if has_target(DEBIAN_RUSTC, WASIP2) => Ok(Vec::new()),
        Compiler::Debian(Std::Prebuilt) => bail!("Debian's rustc has no standard library for it"),
        Compiler::Debian(Std::Sources) => {
            if !Path::new(DEBIAN_WASI_LIBC).exists() {
                println!(
                    "No C library for {WASIP2} yet: installing Debian's wasi-libc with apt-get."
                );
                apt_install(&["wasi-libc"])?;
            }
            Ok(vec![
                "-Clink-self-contained=no".to_owned(),
                format!("-L{DEBIAN_WASI_LIBC}"),
            ])
        }
    }
}

/// Makes sure that there is Binaryen's `wasm-opt`.
pub fn provision_wasm_opt() -> Result<()> {
    if process::is_available(WASM_OPT) {
        return Ok(());
    }
    println!("No {WASM_OPT} yet: installing Debian's binaryen with apt-get.");
    apt_install(&["binaryen"])
}

/// Makes sure that there are the programs of Debian packages of the same names.
pub fn provision_programs(programs: &[&str]) -> Result<()> {
    let missing: Vec<_> = programs
        .iter()
        .copied()
        .filter(|program| !process::is_available(program))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!(
        "No {} yet: installing Debian's packages of the same name with apt-get.",
        missing.join(" and no ")
    );
    apt_install(&missing)
}

/// Finds Chromium: the one that `CHROME` names, or one on the search path, or Debian's, which is installed.
pub fn provision_chromium() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("CHROME") {
        return on_search_path(&program)
            .with_context(|| format!("CHROME names {}, which is not there", program.display()));
    }
    let find = || CHROMIUMS.iter().find_map(on_search_path);
    if let Some(program) = find() {
        return Ok(program);
    }
    println!("No Chromium yet: installing Debian's chromium, and a font, with apt-get (a minute).");
    apt_install(&["chromium", "fonts-dejavu-core"])?;
    find().context("there is none after installing it either")
}

/// The file of a program that is named by its path, or found on the search path.
fn on_search_path(program: impl AsRef<Path>) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    // A path that begins at the root replaces the folder that it is joined to.
    std::env::split_paths(&folders)
        .map(|folder| folder.join(&program))
        .find(|file| file.is_file())
}

/// What the machine offers. Whatever it does not offer says why.
struct Facts {
    /// What the toolchain's rustc has.
    toolchain: Result<Std, String>,
    /// Whether rustup may be asked for a standard library.
    rustup: Result<(), String>,
    /// What Debian's rustc has.
    debian: Result<Std, String>,
    /// Whether packages can be installed with apt-get.
    apt: Result<(), String>,
}

impl Facts {
    /// Looks at the machine.
    fn observe() -> Self {
        Self {
            toolchain: observe(component_build::toolchain_std()),
            rustup: observe_rustup(),
            debian: observe(component_build::debian_std()),
            apt: observe_program("apt-get"),
        }
    }
}

/// What to do next about the compiler.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    /// Nothing: this one is ready.
    Use(Compiler),
    /// Add the target to the toolchain with rustup.
    Rustup,
    /// Install Debian's packages.
    Apt,
    /// Give up.
    None,
}

/// Chooses the next step. The toolchain's own rustc is preferred, since one compiler is simpler than two, and what is installed for
/// one user before what is installed for the whole machine.
fn choose(facts: &Facts) -> Route {
    if let Ok(std) = facts.toolchain {
        return Route::Use(Compiler::Toolchain(std));
    }
    if facts.rustup.is_ok() {
        return Route::Rustup;
    }
    if let Ok(std) = facts.debian {
        return Route::Use(Compiler::Debian(std));
    }
    if facts.apt.is_ok() {
        return Route::Apt;
    }
    Route::None
}

/// The error for a machine on which no way is left.
fn no_route(facts: &Facts) -> String {
    let why = |outcome: &Result<(), String>| outcome.clone().err().unwrap_or_default();
    format!(
        "no compiler here has a standard library for {TARGET}, and none could be installed.\n  \
           rustc: {}\n  \
           rustup target: {}\n  \
           {DEBIAN_RUSTC}: {}\n  \
           apt-get: {}\n\
         Run one of these, then this command again:\n  \
           rustup target add {TARGET}\n  \
           sudo apt-get update && sudo apt-get install --no-install-recommends {}",
        why(&facts.toolchain.clone().map(drop)),
        why(&facts.rustup),
        why(&facts.debian.clone().map(drop)),
        why(&facts.apt),
        DEBIAN_PACKAGES.join(" "),
    )
}

/// Puts into words how a way that was tried ended, for the case that it did not help.
fn tried(outcome: Result<()>) -> String {
    match outcome {
        Ok(()) => "succeeded, but did not provide the target".to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

/// What was found, or in words why not.
fn observe(found: Result<Std>) -> Result<Std, String> {
    found.map_err(|error| format!("{error:#}"))
}

/// Whether rustup may be asked for the target.
fn observe_rustup() -> Result<(), String> {
    // Set to 0 by whoever does not want rustup to download anything.
    if std::env::var_os("RUSTUP_AUTO_INSTALL").is_some_and(|value| value == "0") {
        return Err("not asked, since RUSTUP_AUTO_INSTALL=0".to_owned());
    }
    observe_program("rustup")
}

/// Whether `program` is there.
fn observe_program(program: &str) -> Result<(), String> {
    if process::is_available(program) {
        return Ok(());
    }
    Err("not on this machine".to_owned())
}

/// Installs Debian packages.
fn apt_install(packages: &[&str]) -> Result<()> {
    // Without fresh lists the install may still work: it decides.
    if let Err(error) = process::run(apt_get()?.arg("update")) {
        println!("{error:#}; going on with the package lists that are there.");
    }
    // Debian's rustc conflicts with other packages, such as Debian's rustup: rather fail than take one of those away.
    let mut install = apt_get()?;
    process::run(
        install
            .args(["install", "--yes", "--no-install-recommends", "--no-remove"])
            .args(packages),
    )
}

/// What keeps packages from starting the servers in them: a test that needs one starts it itself, and stops it.
const RUN_LEVEL: (&str, &str) = ("RUNLEVEL", "1");

/// A call of apt-get with the rights it needs, arguments to follow.
fn apt_get() -> Result<Command> {
    let user = process::read(Command::new("id").arg("--user"))?;
    if user == "0" {
        let mut apt_get = Command::new("apt-get");
        apt_get.env(RUN_LEVEL.0, RUN_LEVEL.1);
        return Ok(apt_get);
    }
    if !process::is_available("sudo") {
        bail!("apt-get needs root, and there is no sudo to become it");
    }
    consent()?;
    let mut sudo = Command::new("sudo");
    sudo.arg(format!("{}={}", RUN_LEVEL.0, RUN_LEVEL.1))
        .arg("apt-get");
    Ok(sudo)
}

/// Asks the person at the terminal, once in a run, whether sudo may be used. Where there is nobody to ask, as in a workflow, that was
/// decided by whoever gave this user the right.
fn consent() -> Result<()> {
    static GIVEN: OnceLock<bool> = OnceLock::new();
    let ask = || {
        eprint!("This needs the rights of root. May `sudo apt-get` be run? [y/N] ");
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
    };
    let given = !std::io::stdin().is_terminal() || *GIVEN.get_or_init(ask);
    ensure!(given, "nothing was installed, since you did not agree");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that offers nothing.
    fn bare() -> Facts {
        Facts {
            toolchain: Err("no std".to_owned()),
            rustup: Err("no target".to_owned()),
            debian: Err("no rustc".to_owned()),
            apt: Err("no apt".to_owned()),
        }
    }

    /// A machine that offers everything.
    fn rich() -> Facts {
        Facts {
            toolchain: Ok(Std::Sources),
            rustup: Ok(()),
            debian: Ok(Std::Sources),
            apt: Ok(()),
        }
    }

    #[test]
    fn what_is_better_goes_first_and_what_did_not_help_is_passed_over() {
        let mut facts = rich();
        let toolchain = Compiler::Toolchain(Std::Sources);
        assert_eq!(choose(&facts), Route::Use(toolchain));
        facts.toolchain = Err("no std".to_owned());
        assert_eq!(choose(&facts), Route::Rustup);
        facts.rustup = Err("offline".to_owned());
        assert_eq!(choose(&facts), Route::Use(Compiler::Debian(Std::Sources)));
        facts.debian = Err("no rustc".to_owned());
        assert_eq!(choose(&facts), Route::Apt);
        assert_eq!(choose(&bare()), Route::None);
    }

    #[test]
    fn giving_up_says_why_and_what_to_run() {
        let message = no_route(&bare());
        for part in [
            "no std",
            "no target",
            "no rustc",
            "no apt",
            "rustup target add wasm32-unknown-unknown",
            "rustc-web rust-web-src",
        ] {
            assert!(message.contains(part), "{part} is not in: {message}");
        }
    }
}
