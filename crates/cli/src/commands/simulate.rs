//! `simulate`: a simulated NinjaOne on this computer.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, future, io};

use ninjaone_simulator::Simulator;
use serde::Serialize;

use crate::args::SimulateArgs;
use crate::failure::Failure;
use crate::session::Session;

/// The first line on standard output: what a connector needs to know.
#[derive(Serialize)]
#[serde(tag = "type", rename = "simulator", rename_all = "camelCase")]
struct Started {
    base_url: String,
    client_id: String,
    client_secret: String,
    scope: String,
    ca_file: Option<String>,
}

pub async fn run(session: &Session, mut args: SimulateArgs) -> Result<(), Failure> {
    let ca_out = args.ca_out.take();
    let options = args.options().map_err(Failure::Usage)?;
    let port = options.port;
    let simulator = Simulator::start(options).await.map_err(|error| {
        Failure::Local(format!(
            "cannot listen on port {port} of this computer: {error}. Without --port it takes one that is free"
        ))
    })?;
    let authority = match simulator.authority() {
        Some(pem) => Some(write_authority(session, ca_out.as_deref(), pem)?),
        None => None,
    };
    let credentials = simulator.credentials();
    let started = Started {
        base_url: simulator.base_url(),
        client_id: credentials.client_id.clone(),
        client_secret: credentials.client_secret.clone(),
        scope: credentials.scopes.to_string(),
        ca_file: authority.map(|path| path.display().to_string()),
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
        let settings = [
            ("NINJAONE_BASE_URL", Some(&self.base_url)),
            ("NINJAONE_CLIENT_ID", Some(&self.client_id)),
            ("NINJAONE_CLIENT_SECRET", Some(&self.client_secret)),
            ("NINJAONE_SCOPE", Some(&self.scope)),
            ("CONNECTOR_CA_FILE", self.ca_file.as_ref()),
        ];
        let mut line = "export".to_string();
        for (name, value) in settings {
            if let Some(value) = value {
                // Writing to text cannot fail.
                let _ = write!(line, " {name}={}", quoted(value));
            }
        }
        line
    }
}

/// Writes the certificate authority to this file, or to one that is removed when the program ends. Gives the path from the root:
/// the line that has it is for another terminal, which may be in another folder.
fn write_authority(session: &Session, path: Option<&Path>, pem: &str) -> Result<PathBuf, Failure> {
    let Some(path) = path else {
        return write_temporary(session, pem).map_err(|error| {
            Failure::Local(format!(
                "cannot write the certificate authority to a temporary file: {error}. --ca-out names another place"
            ))
        });
    };
    let written = fs::write(path, pem).and_then(|()| std::path::absolute(path));
    written.map_err(|error| {
        let path = path.display();
        Failure::Local(format!(
            "cannot write the certificate authority to {path}: {error}"
        ))
    })
}

fn write_temporary(session: &Session, pem: &str) -> io::Result<PathBuf> {
    let file = session.unfinished.temporary("simulated-ca", "pem")?;
    file.write(pem.as_bytes())?;
    std::path::absolute(file.path())
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
