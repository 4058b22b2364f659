//! Running programs that were set up as a [`Command`], with errors that say what was run and what came back.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Runs `command` with this program's own input and output.
///
/// # Errors
///
/// Where it does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status();
    let status = status.with_context(|| format!("cannot run `{shown}`"))?;
    ensure!(
        status.success(),
        "`{shown}` failed ({status}); its own messages are above"
    );
    Ok(())
}

/// Runs `command` and gives back what it prints, without the final line break.
///
/// # Errors
///
/// Where it does not succeed, or prints what is not text.
pub fn read(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run `{shown}`"))?;
    let message = String::from_utf8_lossy(&output.stderr);
    let (status, message) = (output.status, message.trim());
    ensure!(status.success(), "`{shown}` failed ({status}): {message}");
    let text = String::from_utf8(output.stdout);
    let text = text.with_context(|| format!("`{shown}` printed something that is not text"))?;
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
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
