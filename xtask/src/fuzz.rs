//! `cargo xtask fuzz`: arbitrary input for every border of the connector.

use std::path::PathBuf;

use anyhow::{Context, Result};
use xshell::{Cmd, cmd};

use crate::tools::{self, CARGO_FUZZ};
use crate::workspace::Workspace;

/// Feed the connector arbitrary answers, settings and cursors
///
/// Runs every fuzz target of fuzz/ (or those named) on its kept corpus and onward from there, for SECONDS in all: 60, where
/// nothing is said. What is found new stays in cargo's target directory; `keep` takes the useful part of it into the corpus, which
/// is one archive for each target in fuzz/corpus/. An input that breaks a promise ends the run and is kept in fuzz/artifacts/.
///
/// Needs a C++ compiler, for libFuzzer. Runs on a stable toolchain, without sanitizers: there is no unsafe code to watch.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// For how many seconds in all, or `keep`
    #[arg(default_value = "60", value_name = "SECONDS", value_parser = what)]
    what: What,
    /// The fuzz targets, where not all are meant
    #[arg(value_parser = TARGETS.map(|(name, _)| name))]
    targets: Vec<String>,
}

impl Arguments {
    /// Asks for all targets, for so many seconds.
    pub fn all_for(seconds: u32) -> Self {
        Self {
            what: What::Run(seconds),
            targets: Vec::new(),
        }
    }
}

/// What to do with the fuzz targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Run them, for so many seconds in all.
    Run(u32),
    /// Take what is useful of what they found into the corpus.
    Keep,
}

/// Every fuzz target, with its share of the time in percent: more for those with more to find.
const TARGETS: [(&str, u32); 5] = [
    ("listing", 40),
    ("answer", 20),
    ("exchange", 25),
    ("settings", 7),
    ("cursor", 8),
];

/// Runs what the arguments name.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let names = &arguments.targets;
    let chosen = |target: &str| names.is_empty() || names.iter().any(|name| name == target);
    let targets = TARGETS.into_iter().filter(|(target, _)| chosen(target));
    let targets: Vec<_> = targets.collect();
    let shares: u32 = targets.iter().map(|(_, share)| share).sum();
    tools::provision(workspace, &CARGO_FUZZ)?;
    for (target, share) in targets {
        match arguments.what {
            What::Run(seconds) => fuzz(workspace, target, (seconds * share / shares).max(1))?,
            What::Keep => keep(workspace, target)?,
        }
    }
    Ok(())
}

/// Reads a number of seconds, or the word `keep`.
fn what(text: &str) -> Result<What, std::num::ParseIntError> {
    if text == "keep" {
        return Ok(What::Keep);
    }
    text.parse().map(What::Run)
}

/// Where what is found of a target stays.
fn found(workspace: &Workspace, target: &str) -> PathBuf {
    workspace.target().join("fuzz-found").join(target)
}

/// The archive of a target's kept inputs.
fn archive(workspace: &Workspace, target: &str) -> PathBuf {
    let folder = workspace.root().join("fuzz/corpus");
    folder.join(format!("{target}.tar.gz"))
}

/// Unpacks the kept inputs of a target into a folder of their own, which it names.
fn unpack(workspace: &Workspace, target: &str) -> Result<PathBuf> {
    let sh = workspace.shell();
    let folder = workspace.target().join("fuzz-corpus").join(target);
    sh.remove_path(&folder)?;
    sh.create_dir(&folder)?;
    let archive = archive(workspace, target);
    cmd!(sh, "tar -xzf {archive} -C {folder}").run()?;
    Ok(folder)
}

/// Takes what is useful of what was found of a target into its archive.
fn keep(workspace: &Workspace, target: &str) -> Result<()> {
    let sh = workspace.shell();
    let corpus = unpack(workspace, target)?;
    for file in sh.read_dir(sh.create_dir(found(workspace, target))?)? {
        sh.copy_file(file, &corpus)?;
    }
    cargo_fuzz(workspace, "cmin")
        .arg(target)
        .arg(&corpus)
        .run()?;
    let archive = archive(workspace, target);
    // Nothing of this computer and of this moment is in it, so that the same inputs give the same archive.
    cmd!(
        sh,
        "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rw,go=r,a+X -C {corpus}
         --use-compress-program='gzip -n9' -cf {archive} ."
    )
    .run()?;
    Ok(())
}

/// Runs one target.
fn fuzz(workspace: &Workspace, target: &str, seconds: u32) -> Result<()> {
    let found = workspace.shell().create_dir(found(workspace, target))?;
    let dictionary = workspace.root().join("fuzz/json.dict");
    println!("{target}: {seconds} s");
    cargo_fuzz(workspace, "run")
        .arg(target)
        .args([&found, &unpack(workspace, target)?])
        .arg("--")
        .arg(format!("-dict={}", dictionary.display()))
        .arg(format!("-max_total_time={seconds}"))
        .args(["-max_len=4096", "-print_final_stats=1", "-verbosity=0"])
        .run()
        .with_context(|| {
            format!("an input broke a promise of the target `{target}`: see above, and fuzz/artifacts/{target}")
        })
}

/// A call of `cargo fuzz`, its target to follow.
fn cargo_fuzz<'a>(workspace: &'a Workspace, subcommand: &str) -> Cmd<'a> {
    workspace
        .cargo("fuzz")
        .args([subcommand, "--sanitizer", "none", "--target-dir"])
        .arg(workspace.target().join("fuzz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_share_and_they_make_a_whole() {
        assert_eq!(TARGETS.iter().map(|(_, share)| share).sum::<u32>(), 100);
        let manifest = include_str!("../../fuzz/Cargo.toml");
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
        for (target, _) in TARGETS {
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
        }
    }
}
