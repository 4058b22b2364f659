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
    let script = mended(&String::from_utf8_lossy(&script));
    Ok(session.output.text(script.trim_end())?)
}

/// The script without two faults of clap_complete. Where one is mended there, nothing is left here to replace.
fn mended(script: &str) -> String {
    script
        // A hyphen in the name of a program is spelt in two ways, and bash completes nothing after a command:
        // https://github.com/clap-rs/clap/issues/6421.
        .replace("connector__subcmd__host", "connector__host")
        // After what is listed zsh completes no option, since two colons hide the words before them:
        // https://github.com/clap-rs/clap/issues/4652.
        .replace("'*::kinds", "'*:kinds")
}
