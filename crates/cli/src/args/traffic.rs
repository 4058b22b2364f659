//! The options that record requests, or replay them.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Recordings (HAR 1.2)")]
pub struct TrafficFlags {
    /// Record what is sent and what comes back, personal data and all, also where the command fails
    ///
    /// Credentials, tokens, cookies and the host of the tenant are taken out, and of header fields only a few are kept.
    ///
    /// THE PERSONAL DATA OF ACCOUNTS IS NOT TAKEN OUT: names, addresses and telephone numbers are what answers are about. Keep
    /// the file as safe as the tenant itself, and do not pass it on before you have looked through it.
    ///
    /// The file is written whole or not at all, and on Unix only its owner can read it. Requests are sent one after the other.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "replay")]
    pub record: Option<PathBuf>,
    /// Answer every request from a recording, in its order, and use no network
    ///
    /// Needs no settings; of those that are given, flags and --config count. A request that is not the next of the recording is
    /// a failure that names what is, and so is one that is left over.
    #[arg(long, global = true, value_name = "FILE")]
    pub replay: Option<PathBuf>,
}

impl TrafficFlags {
    /// Whether the order of the requests matters, so that they have to be sent one after the other.
    pub fn is_ordered(&self) -> bool {
        self.record.is_some() || self.replay.is_some()
    }
}
