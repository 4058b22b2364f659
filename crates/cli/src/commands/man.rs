//! `man`: the manual, a page for the program and one for each command.
//!
//! What the pages say is what the help says. Names, options and commands are set by clap_mangen; examples and exit codes, which it
//! would run together into one paragraph, are set here.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use roff::{Roff, bold, roman};

use crate::args::{Cli, ManArgs};
use crate::exit;
use crate::failure::Failure;
use crate::session::Session;

/// The heading of examples in the help.
const EXAMPLES: &str = "Examples";
/// The heading of exit codes in the help; every page has them as a list.
const EXIT_CODES: &str = "Exit codes";

pub fn run(session: &Session, args: &ManArgs) -> Result<(), Failure> {
    let mut program = Cli::command();
    program.build();
    let Some(folder) = &args.out else {
        let page = page(&program)?;
        return Ok(session.output.text(page.trim_end())?);
    };
    let pages = write(&program, folder).map_err(|error| {
        Failure::Local(format!(
            "cannot write the man pages to {}: {error}",
            folder.display()
        ))
    })?;
    if !session.output.is_json() {
        session.output.text(&format!(
            "{pages} pages are in {folder}: `man -l {folder}/connector-host.1` shows the first.",
            folder = folder.display()
        ))?;
    }
    Ok(())
}

/// Writes the page of a command and those of the commands below it, and says how many.
fn write(command: &Command, folder: &Path) -> io::Result<usize> {
    fs::create_dir_all(folder)?;
    let name = Man::new(command.clone()).get_filename();
    fs::write(folder.join(name), page(command)?)?;
    let below = command
        .get_subcommands()
        .map(|command| write(command, folder));
    below.sum::<io::Result<usize>>().map(|pages| pages + 1)
}

fn page(command: &Command) -> io::Result<String> {
    // Of the options of every command there are too many for a synopsis.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_string();
    let man = Man::new(command.clone().override_usage(usage));
    let name = command.get_display_name().unwrap_or(command.get_name());
    // Not by clap_mangen: it writes an empty date as nothing, and what follows moves into its place.
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(".TH {name} 1 \"\" \"connector-host {version}\" \"connector-host\"\n");
    let mut page = title.into_bytes();
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    let help = command.get_after_long_help().map(ToString::to_string);
    for block in help.unwrap_or_default().split("\n\n") {
        section(&mut rest, block);
    }
    exit_status(&mut rest);
    rest.to_writer(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// A block of the help as a section: its first line is the heading where it ends with a colon.
fn section(page: &mut Roff, block: &str) {
    let Some((heading, text)) = block.split_once(":\n") else {
        return;
    };
    if heading == EXIT_CODES {
        return;
    }
    page.control("SH", [heading.to_uppercase().as_str()]);
    if heading == EXAMPLES {
        return verbatim(page, text);
    }
    for (index, line) in text.lines().enumerate() {
        let is_below = line.starts_with("    ");
        if is_below {
            page.control("IP", []);
        } else if index > 0 {
            page.control("PP", []);
        }
        page.text([roman(line.trim_start())]);
    }
}

/// Lines as they are, each on its own.
fn verbatim(page: &mut Roff, text: &str) {
    page.control("RS", ["4"]);
    page.control("nf", []);
    for line in text.lines() {
        page.text([roman(line.trim_start())]);
    }
    page.control("fi", []);
    page.control("RE", []);
}

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit::meanings() {
        page.control("TP", ["6"]);
        page.text([bold(code.to_string())]);
        page.text([roman(meaning)]);
    }
}
