//! Color, where it helps and is wanted: on a terminal, unless `NO_COLOR`, `TERM=dumb` or `--color` say otherwise.
//!
//! Whether a stream gets color is decided once, and what is written without is written without from the start: nothing is taken out
//! again afterwards.

use std::ffi::OsString;

use anstream::AutoStream;
use anstream::stream::RawStream;
use anstyle::{AnsiColor, Effects, Style};
use clap::ValueEnum;

/// What `--color` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, by NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM
    Auto,
    Always,
    Never,
}

/// What a word means, and so which color it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Head,
    Good,
    Bad,
    Doubtful,
    Error,
    Warning,
}

/// Colors words, or leaves them as they are.
#[derive(Clone, Copy, Debug)]
pub struct Painter {
    paints: bool,
}

/// Makes a choice count for all that is written: by this program, by clap, and in the log.
pub fn choose(color: Color) {
    let choice = match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Looks for the choice among arguments that nobody has read yet, for the help and for what is wrong with them.
pub fn choose_early(arguments: impl Iterator<Item = OsString>) {
    let mut last = OsString::new();
    for argument in arguments {
        let text = argument.to_string_lossy();
        let value = match text.strip_prefix("--color=") {
            Some(value) => Some(value),
            None => (last == "--color").then_some(&*text),
        };
        // What it cannot be is told when the arguments are read.
        if let Some(color) = value.and_then(|value| Color::from_str(value, false).ok()) {
            choose(color);
        }
        last = argument;
    }
}

impl Mark {
    fn style(self) -> Style {
        let colored = |color: AnsiColor| Style::new().fg_color(Some(anstyle::Color::Ansi(color)));
        match self {
            Self::Head => Style::new().effects(Effects::BOLD),
            Self::Good => colored(AnsiColor::Green),
            Self::Bad => colored(AnsiColor::Red),
            Self::Doubtful => colored(AnsiColor::Yellow),
            Self::Error => colored(AnsiColor::Red).effects(Effects::BOLD),
            Self::Warning => colored(AnsiColor::Yellow).effects(Effects::BOLD),
        }
    }
}

impl Painter {
    /// Colors what is written to this stream, where that is wanted.
    pub fn new(stream: &impl RawStream) -> Self {
        Self {
            paints: AutoStream::choice(stream) != anstream::ColorChoice::Never,
        }
    }

    /// One that paints, or does not, whatever the stream is.
    #[cfg(test)]
    pub fn that(paints: bool) -> Self {
        Self { paints }
    }

    pub fn paints(self) -> bool {
        self.paints
    }

    pub fn paint(self, mark: Mark, text: &str) -> String {
        if !self.paints {
            return text.to_string();
        }
        let style = mark.style();
        format!("{style}{text}{style:#}")
    }
}
