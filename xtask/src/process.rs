//! Running other programs, with errors that say what was run and what came back.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs `command` with this program's own input and output, and fails unless it succeeds.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !status.success() {
        bail!(
            "`{}` failed ({status}); its own messages are above",
            shown(command)
        );
    }
    Ok(())
}

/// Runs `command` and gives back what it prints, without the final line break.
pub fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` failed ({}): {}",
            shown(command),
            output.status,
            message.trim()
        );
    }
    let text = String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not text", shown(command)))?;
    Ok(text.trim_end().to_owned())
}

/// Whether `program` can be started at all.
pub fn is_available(program: &str) -> bool {
    read(Command::new(program).arg("--version")).is_ok()
}

/// The command much as one would type it; a program that was found by its path is shown by its name.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = [name].into_iter().chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["fmt", "--all"]);
        assert_eq!(shown(&command), "cargo fmt --all");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).expect_err("there is none");
        assert_eq!(error.to_string(), "cannot run `no-such-program`");
        assert!(!is_available("no-such-program"));
    }
}
