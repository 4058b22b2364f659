//! `man`: the manual, a page for the program and one for each command. What the pages say is what the help says.

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{Cli, ManArgs};
use crate::exit;
use crate::failure::Failure;
use crate::session::Session;

pub fn run(session: &Session, args: &ManArgs) -> Result<(), Failure> {
    let program = Cli::command().mut_subcommands(with_exit_codes);
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        Man::new(program).render(&mut page)?;
        return Ok(session
            .output
            .text(String::from_utf8_lossy(&page).trim_end())?);
    };
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(program, folder));
    written.map_err(|error| {
        Failure::Local(format!(
            "cannot write the man pages to {}: {error}",
            folder.display()
        ))
    })?;
    if !session.output.is_json() {
        session.output.text(&format!(
            "The pages are in {folder}: `man -l {folder}/connector-host.1` shows the first.",
            folder = folder.display()
        ))?;
    }
    Ok(())
}

/// A command with the exit codes below its examples, which the help has for the program alone.
fn with_exit_codes(command: Command) -> Command {
    let examples = command.get_after_long_help().map(ToString::to_string);
    let below = format!("{}\n\n{}", examples.unwrap_or_default(), exit::help());
    command
        .after_long_help(below)
        .mut_subcommands(with_exit_codes)
}
