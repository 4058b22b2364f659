//! `completions`: the script by which a shell completes commands, options and their values.

use clap::CommandFactory;

use crate::cli::args::{Cli, CompletionsArgs};
use crate::cli::failure::Failure;
use crate::cli::session::Session;

pub fn run(session: &Session, args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_string();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    // clap_complete spells a hyphen in the name of a program in two ways, so that bash completes nothing after a command:
    // https://github.com/clap-rs/clap/issues/6421. Where that is mended there is nothing to replace.
    let script = script.replace("connector__subcmd__host", "connector__host");
    Ok(session.output.text(script.trim_end())?)
}
