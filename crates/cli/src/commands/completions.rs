//! `completions`: the script by which a shell completes commands, options and their values.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::args::{Cli, CompletionsArgs};
use crate::failure::Failure;
use crate::session::Session;

pub fn run(session: &Session, args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_string();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let mut script = corrected(&String::from_utf8_lossy(&script));
    if args.shell == Shell::Fish {
        script += &arguments_for_fish(&command);
    }
    Ok(session.output.text(script.trim_end())?)
}

/// The script without two faults of clap_complete. Where one is corrected there, nothing is left here to replace.
fn corrected(script: &str) -> String {
    script
        // A hyphen in the name of a program is spelt in two ways, and bash completes nothing after a command:
        // https://github.com/clap-rs/clap/issues/6421.
        .replace("connector__subcmd__host", "connector__host")
        // After what is listed zsh completes no option, since two colons hide the words before them:
        // https://github.com/clap-rs/clap/issues/4652.
        .replace("'*::kinds", "'*:kinds")
}

/// What clap_complete leaves out for fish, which knows options only: the values of arguments, as `accounts` after `list`
/// (https://github.com/clap-rs/clap/issues/6295).
fn arguments_for_fish(program: &Command) -> String {
    let mut script = String::new();
    let name = program.get_name();
    for command in program.get_subcommands() {
        for argument in command.get_positionals() {
            let values = argument.get_possible_values();
            let values: Vec<_> = values.iter().map(|value| value.get_name()).collect();
            if !values.is_empty() {
                script += &format!(
                    "complete -c {name} -n \"__fish_{}_using_subcommand {}\" -f -a \"{}\"\n",
                    name.replace('-', "_"),
                    command.get_name(),
                    values.join(" ")
                );
            }
        }
    }
    script
}
