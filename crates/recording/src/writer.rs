//! Takes the secrets out of exchanges that are over, and writes them.

use std::collections::BTreeMap;
use std::io::{self, BufWriter};

use crate::breakdown::Breakdown;
use crate::file::Sink;
use crate::har::HarWriter;
use crate::recording::{Exchange, RecordingError};
use crate::redact::Redactor;

/// What a recording says of itself.
const COMMENT: &str = "Credentials, tokens, cookies and the name of the host were taken out. The personal data of accounts (names, \
    addresses, telephone numbers) was not: keep it as safe as the tenant's own data.";

/// What came of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// How many exchanges are in it.
    pub exchanges: usize,
    /// Those of which there was more than the recorder keeps, by their places in it, counted from 1. Where there are any, the
    /// recording is not complete, and cannot be replayed beyond the first of them.
    pub cut_off: Vec<usize>,
}

impl Summary {
    /// What to tell people where the recording is not complete.
    pub fn warning(&self) -> Option<String> {
        let first = self.cut_off.first()?;
        Some(format!(
            "the recording is not complete: of {} of its {} exchanges, the first of them number {first}, there was more than the \
             recorder keeps in memory. What the connector was given was whole. Ask for less at a time, or let the recorder keep more",
            self.cut_off.len(),
            self.exchanges
        ))
    }
}

/// An exchange that is over.
pub(crate) struct Over {
    pub(crate) exchange: Exchange,
    /// How much of the tape's memory it takes.
    pub(crate) size: usize,
}

/// Writes exchanges in the order in which they were begun.
pub(crate) struct Writer {
    /// `None` once the recording is finished, or cannot be written.
    har: Option<HarWriter<BufWriter<Box<dyn Sink>>>>,
    /// Why it cannot be written.
    failure: Option<io::Error>,
    redactor: Redactor,
    /// Those that are over, while one that was begun earlier is not.
    waiting: BTreeMap<usize, Over>,
    summary: Summary,
}

impl Writer {
    pub(crate) fn new(sink: Box<dyn Sink>) -> Self {
        let (har, failure) = match HarWriter::new(BufWriter::new(sink)) {
            Ok(har) => (Some(har), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            har,
            failure,
            redactor: Redactor::default(),
            waiting: BTreeMap::new(),
            summary: Summary {
                exchanges: 0,
                cut_off: Vec::new(),
            },
        }
    }

    /// What is secret, as far as it is known.
    pub(crate) fn redactor(&mut self) -> &mut Redactor {
        &mut self.redactor
    }

    /// The recording cannot be written.
    pub(crate) fn fail(&mut self, error: io::Error) {
        self.har = None;
        self.failure.get_or_insert(error);
    }

    /// Takes in what is over, and learns what is secret in it.
    pub(crate) fn take(&mut self, over: BTreeMap<usize, Over>) {
        for over in over.values() {
            self.redactor.learn(&over.exchange);
        }
        self.waiting.extend(over);
    }

    /// Writes what was begun before `oldest`, the oldest that still goes on. More than that where more than `most` bytes would
    /// wait: readers of HAR go by the time, and not by the place. Gives back how much memory that freed.
    pub(crate) fn write(&mut self, oldest: usize, most: usize) -> usize {
        let mut waiting: usize = self.waiting.values().map(|over| over.size).sum();
        let mut freed = 0;
        while let Some(next) = self.waiting.first_entry() {
            if *next.key() > oldest && waiting <= most {
                break;
            }
            let over = next.remove();
            waiting -= over.size;
            freed += over.size;
            if let Err(error) = self.write_one(&over.exchange) {
                self.fail(error);
            }
        }
        freed
    }

    fn write_one(&mut self, exchange: &Exchange) -> io::Result<()> {
        let Some(har) = &mut self.har else {
            return Ok(());
        };
        self.summary.exchanges += 1;
        if exchange.answer.breakdown() == Some(&Breakdown::recording_limit()) {
            self.summary.cut_off.push(self.summary.exchanges);
        }
        har.entry(&self.redactor.clean(exchange).written())
    }

    /// Ends the recording.
    pub(crate) fn finish(&mut self) -> Result<Summary, RecordingError> {
        if let Some(error) = self.failure.take() {
            return Err(RecordingError::Unwritable(error));
        }
        let har = self.har.take().ok_or(RecordingError::Finished)?;
        let comment = match self.summary.warning() {
            None => COMMENT.to_string(),
            Some(warning) => format!("{COMMENT}\n\nWARNING: {warning}."),
        };
        har.end(Some(&comment))
            .and_then(|out| out.into_inner().map_err(io::Error::from))
            .and_then(Sink::keep)
            .map_err(RecordingError::Unwritable)?;
        Ok(self.summary.clone())
    }
}
