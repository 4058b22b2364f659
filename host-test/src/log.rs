//! What is logged, to look for something in it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;

/// Takes in what this thread logs, at every level, until it is dropped.
pub struct Log {
    text: Text,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn capture() -> Self {
        // Somebody who listens to everything, for good. Otherwise tests that run beside this one and listen to nothing could have it
        // noted just now that nobody is interested in a span. Another test may have done it before.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let text = Text::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Log {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// All lines so far.
    pub fn text(&self) -> String {
        let text = self.text.0.lock().expect("no writer panics");
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The lines so far that have this in them.
    pub fn lines_with(&self, wanted: &str) -> Vec<String> {
        self.text()
            .lines()
            .filter(|line| line.contains(wanted))
            .map(str::to_string)
            .collect()
    }
}

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
