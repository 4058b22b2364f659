//! Records what a transport sends and gets, and answers from recordings.

#![deny(missing_docs)]

mod breakdown;
mod har;
mod json_text;
mod recorder;
mod recording;
mod redact;
mod replay;

pub use self::breakdown::Breakdown;
pub use self::recorder::Recorder;
pub use self::recording::{Answer, Exchange, Recording, RecordingError, RecordingFile};
pub use self::redact::NEUTRAL_HOST;
pub use self::replay::{ReplayError, Replayer};
