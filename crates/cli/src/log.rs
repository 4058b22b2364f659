//! The log, on standard error: warnings for everybody, and with `-v` what goes on.

use std::fmt;
use std::io::{self, Write};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use super::args::Options;
use super::color::{Mark, Painter};
use super::progress::Progress;

/// Begins to log what the options ask for, out of the way of the progress.
pub fn start(options: &Options, progress: &Progress) {
    let level = match (options.quiet, options.verbose) {
        (true, _) => "off",
        (false, 0) => "warn",
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    // The engine's own log is left out: thousands of lines for each call, about what goes on between host and guest.
    let filter = EnvFilter::new(format!("connector={level},connector_host={level}"));
    let painter = Painter::new(&io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Beside(progress.clone()))
        .with_ansi(painter.paints());
    if options.verbose > 0 {
        log.init();
    } else {
        log.event_format(Plain(painter)).init();
    }
}

/// Writes to standard error, and takes the progress away for as long.
#[derive(Clone)]
struct Beside(Progress);

impl MakeWriter<'_> for Beside {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.is_cut_off() {
            return Ok(bytes.len());
        }
        self.0.aside(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A line for people: what kind of message it is, and the message.
struct Plain(Painter);

impl<S, F> FormatEvent<S, F> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, F>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let head = if *event.metadata().level() == Level::ERROR {
            self.0.paint(Mark::Error, "error:")
        } else {
            self.0.paint(Mark::Warning, "warning:")
        };
        write!(writer, "{head} ")?;
        context
            .field_format()
            .format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
