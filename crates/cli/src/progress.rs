//! How far a long command has come, on standard error: a line that is drawn over, or where that is no terminal a line now and then.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use connector_host::contract::Counts;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::args::Options;

/// How often it is drawn, so that it moves also while nothing comes.
const TICK: Duration = Duration::from_millis(100);
/// How long it is between two lines.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// What was received so far, of which nobody knows how much there will be. In a terminal of 80 columns it fits on a line.
const RECEIVED: &str = "{spinner} {msg} ({rate} {prefix}/s, {elapsed})";
/// Steps, of which the number is known.
const STEPS: &str = "[{bar:30}] {pos} of {len} {prefix}, {elapsed}";

/// Shows how far it is. Clones show the same.
#[derive(Clone)]
pub struct Progress {
    shown: Arc<Shown>,
    /// Once the command was cut off, the thread that ends the program. What the others still do nobody wants to know.
    cut_off: Arc<OnceLock<ThreadId>>,
}

enum Shown {
    Nothing,
    /// Hidden until something begins.
    Bar(ProgressBar),
    Lines(Mutex<Lines>),
}

struct Lines {
    begun: Instant,
    written: Option<Instant>,
}

impl Progress {
    /// Shows nothing unless a person is there to see it, or asked for it.
    pub fn new(options: &Options) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        // Items that come as lines on the same terminal show for themselves how far it is.
        let taken = options.json && io::stdout().is_terminal();
        let drawn = io::stderr().is_terminal() && !dumb && !taken;
        let shown = if options.quiet {
            Shown::Nothing
        } else if drawn {
            Shown::Bar(ProgressBar::with_draw_target(
                None,
                ProgressDrawTarget::hidden(),
            ))
        } else if options.progress {
            Shown::Lines(Mutex::new(Lines {
                begun: Instant::now(),
                written: None,
            }))
        } else {
            Shown::Nothing
        };
        Self {
            shown: Arc::new(shown),
            cut_off: Arc::default(),
        }
    }

    /// From here on something is received.
    pub fn begin(&self) {
        if let Shown::Bar(bar) = &*self.shown {
            bar.set_message(Counts::default().to_string());
            bar.set_prefix("items");
            show(bar, RECEIVED);
        }
    }

    /// Says how much has been received so far.
    pub fn update(&self, received: &Counts) {
        let all = received.roles + received.grants + received.organizations + received.events;
        let (count, what) = match received.accounts {
            0 => (all, "items"),
            accounts => (accounts, "accounts"),
        };
        match &*self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_message(received.to_string());
                bar.set_prefix(what);
                bar.set_position(count);
            }
            Shown::Lines(lines) => write_line(lines, |elapsed| {
                let rate = count as f64 / elapsed.as_secs_f64().max(0.001);
                format!("received so far: {received} ({rate:.0} {what}/s, {elapsed:.1?})")
            }),
        }
    }

    /// From here on so many steps are done.
    pub fn begin_steps(&self, steps: u64, what: &'static str) {
        if let Shown::Bar(bar) = &*self.shown {
            bar.set_length(steps);
            bar.set_prefix(what);
            show(bar, STEPS);
        }
    }

    /// Says how many steps are done.
    pub fn update_steps(&self, done: u64) {
        match &*self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => bar.set_position(done),
            Shown::Lines(lines) => write_line(lines, |elapsed| {
                format!("done so far: {done} ({elapsed:.1?})")
            }),
        }
    }

    /// Takes it away.
    pub fn clear(&self) {
        if let Shown::Bar(bar) = &*self.shown {
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    /// From here on only this thread tells of what it does.
    pub fn cut_off(&self) {
        // It happens once.
        let _ = self.cut_off.set(thread::current().id());
        self.clear();
    }

    /// Whether this thread is one that was cut off.
    pub fn is_cut_off(&self) -> bool {
        let ending = self.cut_off.get();
        ending.is_some_and(|ending| *ending != thread::current().id())
    }

    /// Does what writes to the terminal, and takes the line away for as long.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &*self.shown {
            Shown::Bar(bar) => bar.suspend(write),
            Shown::Nothing | Shown::Lines(_) => write(),
        }
    }
}

fn show(bar: &ProgressBar, template: &str) {
    let rate = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        // Nobody can be told that it cannot be drawn.
        let _ = write!(text, "{:.0}", state.per_sec());
    };
    // The templates are those above, which are right.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
    }
    bar.reset();
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.enable_steady_tick(TICK);
}

fn write_line(lines: &Mutex<Lines>, line: impl FnOnce(Duration) -> String) {
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    if lines
        .written
        .is_none_or(|written| written.elapsed() >= BETWEEN_LINES)
    {
        lines.written = Some(Instant::now());
        // Progress that cannot be shown is no failure.
        let _ = writeln!(io::stderr(), "{}", line(lines.begun.elapsed()));
    }
}
