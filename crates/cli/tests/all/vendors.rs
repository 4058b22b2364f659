//! The program runs connectors of any vendor: what it knows of one stands where its simulator is started, and nowhere else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use host_test::program::program;

/// What is looked for, in whichever case.
const VENDOR: &str = "ninjaone";

/// The commands that start the simulator.
const SIMULATED: [&str; 2] = ["simulate", "demo"];

/// The sources in which the vendor is named.
const NAMING: [&str; 3] = [
    "cli/src/args/simulate.rs",
    "cli/src/commands/simulate.rs",
    "cli/src/demo.rs",
];

fn is_naming(text: &str) -> bool {
    text.to_lowercase().contains(VENDOR)
}

/// All sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("it is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    let files = files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|ext| ext == "rs"));
    files.chain(below).collect()
}

#[test]
fn no_source_names_the_vendor_but_those_about_its_simulator() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let packages = std::fs::read_dir(&crates).expect("it is there");
    let packages = packages.map(|package| package.expect("it can be read").path());
    // The half of the connector that speaks to the vendor.
    let packages = packages.filter(|package| !package.ends_with("ninjaone-api"));
    let mut naming = BTreeSet::new();
    for file in packages.flat_map(|package| sources(&package.join("src"))) {
        let text = std::fs::read_to_string(&file).expect("it is text");
        // Comments may give examples.
        let mut code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        if code.any(is_naming) {
            let name = file.strip_prefix(&crates).expect("it is there");
            naming.insert(name.display().to_string());
        }
    }
    assert_eq!(naming, BTreeSet::from(NAMING.map(String::from)));
}

#[test]
fn no_help_names_the_vendor_but_that_of_its_simulator() {
    let help = |arguments: &[&str]| {
        let output = program(arguments).output().expect("the program runs");
        String::from_utf8(output.stdout).expect("it is text")
    };
    let first = help(&["--help"]);
    let lines = first
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // What is further in is the rest of a line.
    let lines = lines.filter(|line| !line.starts_with("   "));
    let commands: Vec<_> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 10, "there are only {commands:?}");
    for command in commands
        .iter()
        .filter(|command| !SIMULATED.contains(command))
    {
        let help = help(&[command, "--help"]);
        assert!(help.contains("--base-url"), "{help}");
        assert!(!is_naming(&help), "{help}");
    }
    let naming: Vec<_> = first.lines().filter(|line| is_naming(line)).collect();
    let about = |line: &&str| {
        SIMULATED
            .iter()
            .any(|command| line.trim_start().starts_with(command))
    };
    assert!(naming.iter().all(about), "{naming:?}");
}
