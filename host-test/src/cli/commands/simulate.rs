//! `simulate`: a simulated NinjaOne on this computer.

use std::future;

use connector_host::simulator::Simulator;
use serde::Serialize;

use crate::cli::args::SimulateArgs;
use crate::cli::failure::Failure;
use crate::cli::session::Session;

/// The first line on standard output: what a connector needs to know.
#[derive(Serialize)]
#[serde(tag = "type", rename = "simulator", rename_all = "camelCase")]
struct Started {
    base_url: String,
    client_id: String,
    client_secret: String,
    scope: String,
}

pub async fn run(session: &Session, args: SimulateArgs) -> Result<(), Failure> {
    let options = args.options().map_err(Failure::Usage)?;
    let port = options.port;
    let simulator = Simulator::start(options).await.map_err(|error| {
        Failure::Local(format!(
            "cannot listen on port {port} of this computer: {error}. Without --port it takes one that is free"
        ))
    })?;
    let credentials = simulator.credentials();
    let started = Started {
        base_url: simulator.base_url(),
        client_id: credentials.client_id.clone(),
        client_secret: credentials.client_secret.clone(),
        scope: credentials.scopes.to_string(),
    };
    if session.output.is_json() {
        session.output.json(&started)?;
    } else {
        session.output.text(&started.to_shell())?;
    }
    session.output.flush()?;
    // Until Ctrl-C, which drops this future and with it the simulator.
    future::pending().await
}

impl Started {
    /// A line to paste into a shell, which sets up every other command.
    fn to_shell(&self) -> String {
        format!(
            "export NINJAONE_BASE_URL={} NINJAONE_CLIENT_ID={} NINJAONE_CLIENT_SECRET={} NINJAONE_SCOPE={}",
            quoted(&self.base_url),
            quoted(&self.client_id),
            quoted(&self.client_secret),
            quoted(&self.scope)
        )
    }
}

/// A word for a POSIX shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_word_is_kept() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
