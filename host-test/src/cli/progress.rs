//! How far a listing has come, on standard error: one line that is written over again and again.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use connector_host::contract::Counts;

use super::args::Options;

/// How often the line is written at most.
const PAUSE: Duration = Duration::from_millis(100);

/// Shows how much has been received.
pub struct Progress {
    shown: bool,
    /// When the line was written last.
    written: Mutex<Option<Instant>>,
}

impl Progress {
    /// Shows nothing unless a person is there to see it, or asked for it.
    pub fn new(options: &Options) -> Self {
        Self {
            shown: options.progress || (!options.quiet && io::stderr().is_terminal()),
            written: Mutex::default(),
        }
    }

    /// Shows how many items have been received so far, unless the line is still too new.
    pub fn update(&self, received: &Counts) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shown && written.is_none_or(|written| written.elapsed() >= PAUSE) {
            *written = Some(Instant::now());
            write(&format!("received so far: {received}"));
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.take().is_some() {
            write("");
        }
    }
}

fn write(text: &str) {
    // Carriage return, the text, and erase what is left of an older, longer line. Progress that cannot be shown is no failure.
    let _ = write!(io::stderr(), "\r{text}\u{1b}[K");
}
