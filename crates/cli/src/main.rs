//! The program `connector-host`: a connector at the command line. One module per command, and the few that they share.

#![forbid(unsafe_code)]

mod args;
mod color;
mod commands;
mod component;
mod config;
mod demo;
mod exit;
mod failure;
mod interruption;
mod log;
mod output;
mod progress;
mod session;
mod suggest;
mod text;
mod traffic;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;

use self::args::{Cli, Command};
use self::exit::Exit;
use self::failure::{Failure, NOTHING_CHANGED};
use self::interruption::Interruptions;
use self::progress::Progress;
use self::session::Session;

/// A tenth less CPU time for a sync than with the system's, and many tenants at once do not wait for each other in it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the program.
fn main() -> ExitCode {
    color::choose_early(std::env::args_os());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    color::choose(cli.options.color);
    let progress = Progress::new(&cli.options);
    log::start(&cli.options, &progress);
    let as_json = cli.options.json;
    match run(cli, progress) {
        Ok(()) => ExitCode::from(Exit::Ok as u8),
        Err(failure) => {
            failure.report(as_json);
            ExitCode::from(failure.exit() as u8)
        }
    }
}

/// Tells what is wrong with the command line, or shows the help that was asked for.
fn misused(error: &clap::Error) -> ExitCode {
    // Which options there are is not known here; it is enough that it was asked for somewhere.
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        let failure = Failure::Usage(text.to_string());
        failure.report(true);
        return ExitCode::from(failure.exit() as u8);
    }
    error.exit()
}

fn run(cli: Cli, progress: Progress) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Local(format!("cannot start the runtime: {error}")))?;
    let session = Arc::new(Session::new(cli.options, &cli.command, progress)?);
    let (cut, write_cut) = (if_interrupted(&cli.command), if_cut_off(&cli.command));
    let result = runtime.block_on(async {
        let interruptions = Interruptions::new()
            .map_err(|error| Failure::Local(format!("cannot listen for Ctrl-C: {error}")))?;
        // In a task of its own: Ctrl-C does not wait for a command that is busy.
        let command = tokio::spawn(dispatch(session.clone(), cli.command));
        match interruption::wait(command, interruptions, &session.writing).await {
            Some(ended) => ended.unwrap_or_else(|error| {
                Err(Failure::Local(format!("the command broke off: {error}")))
            }),
            None => {
                session.progress.cut_off();
                let cut = if session.writing.has_begun() {
                    Some(write_cut)
                } else {
                    cut
                };
                cut.map_or(Ok(()), |cut| Err(Failure::Interrupted(cut)))
            }
        }
    });
    // The task may still be at work on it, and cannot put it in its place any more.
    session.unfinished.remove();
    let result = runtime.block_on(session.finish(result));
    // The end of the program does not wait, for a name that is being resolved, say.
    runtime.shutdown_background();
    session.progress.clear();
    // What was written before a failure is worth having; the failure is worth more than one of flushing.
    let flushed = session.output.flush();
    result.and(flushed.map_err(Failure::from))
}

async fn dispatch(session: Arc<Session>, command: Command) -> Result<(), Failure> {
    let session = &*session;
    match command {
        Command::Describe => commands::describe::run(session).await,
        Command::Check => commands::check::run(session).await,
        Command::List(args) => commands::list::run(session, args).await,
        Command::Grant(args) => commands::write::grant(session, args).await,
        Command::Revoke(args) => commands::write::revoke(session, args).await,
        Command::Provision(command) => commands::provision::run(session, command).await,
        Command::Conformance(args) => commands::conformance::run(session, args).await,
        Command::Sync(args) => commands::sync::run(session, args).await,
        Command::Diff(args) => commands::diff::run(session, &args),
        Command::Report(args) => commands::report::run(session, &args),
        Command::Tenants => commands::tenants::run(session),
        Command::Simulate(args) => commands::simulate::run(session, args).await,
        Command::Demo => demo::run(session).await,
        Command::Completions(args) => commands::completions::run(session, &args),
        Command::Man(args) => commands::man::run(session, &args),
    }
}

/// What to know when Ctrl-C has cut the command off while it wrote.
fn if_cut_off(command: &Command) -> &'static str {
    match command {
        Command::Conformance(_) => {
            "Accounts whose address begins with conformance- may be left in the tenant."
        }
        _ => "The write may have been done all the same: look before repeating it.",
    }
}

/// What to know when Ctrl-C has cut the command off before it wrote; `None` where that is how it ends.
fn if_interrupted(command: &Command) -> Option<&'static str> {
    match command {
        Command::Sync(args) if args.out.is_some() => {
            Some("The listing was cut. A snapshot is replaced by a whole one, or not at all.")
        }
        Command::Report(_) => Some("A report is replaced by a whole one, or not at all."),
        Command::List(_) | Command::Sync(_) => {
            Some("The listing was cut: what was written is not the whole.")
        }
        Command::Grant(_)
        | Command::Revoke(_)
        | Command::Provision(_)
        | Command::Conformance(_)
        | Command::Describe
        | Command::Check
        | Command::Diff(_)
        | Command::Tenants
        | Command::Demo
        | Command::Completions(_)
        | Command::Man(_) => Some(NOTHING_CHANGED),
        Command::Simulate(_) => None,
    }
}
