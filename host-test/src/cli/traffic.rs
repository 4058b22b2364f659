//! Where requests go: over the network, over it and into a recording, or to a recording alone.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use connector_host::transport::{ExtraRoots, Network, NetworkOptions, Transport};
use connector_recording::{
    NEUTRAL_HOST, Recorder, Recording, RecordingError, RecordingFile, ReplayError, Replayer,
};

use super::args::TrafficFlags;
use super::config::Config;
use super::failure::Failure;
use super::text;

/// The end of the path at which NinjaOne gives tokens. What is before it belongs to the base URL.
const TOKEN_PATH: &str = "/ws/oauth/token";

/// Where the requests of one run go.
pub enum Traffic {
    /// Over the network.
    Live(Arc<Network>),
    /// Over the network, and into a file at the end.
    Recorded {
        recorder: Arc<Recorder>,
        /// Taken out when it is written.
        file: Mutex<Option<RecordingFile>>,
    },
    /// To a recording.
    Replayed {
        replayer: Arc<Replayer>,
        /// Settings that fit the recording.
        settings: Config,
    },
}

impl Traffic {
    /// Opens the files that the options name: one that cannot be read or written is told before anything is sent.
    pub fn open(flags: &TrafficFlags, ca_file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = &flags.replay {
            let recording = Recording::read(path).map_err(|error| unusable(path, &error))?;
            return Ok(Self::Replayed {
                settings: settings(&recording),
                replayer: Arc::new(Replayer::new(recording)),
            });
        }
        let network = Arc::new(network(ca_file)?);
        let Some(path) = &flags.record else {
            return Ok(Self::Live(network));
        };
        let file = RecordingFile::create(path).map_err(|error| unusable(path, &error))?;
        Ok(Self::Recorded {
            recorder: Arc::new(Recorder::new(network)),
            file: Mutex::new(Some(file)),
        })
    }

    /// What sends the requests.
    pub fn transport(&self) -> Arc<dyn Transport> {
        match self {
            Self::Live(network) => network.clone(),
            Self::Recorded { recorder, .. } => recorder.clone(),
            Self::Replayed { replayer, .. } => replayer.clone(),
        }
    }

    /// Whether the order of the requests matters, so that they have to be sent one after the other.
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::Live(_))
    }

    /// Writes the recording, or makes sure that all of it was replayed, and says how the run ended with that.
    pub fn finish(&self, result: Result<(), Failure>) -> Result<(), Failure> {
        match self {
            Self::Live(_) => result,
            Self::Recorded { recorder, file } => {
                let file = file.lock().unwrap_or_else(PoisonError::into_inner).take();
                file.map_or(Ok(()), |file| save(file, &recorder.recording(), &result))
                    .and(result)
            }
            Self::Replayed { replayer, .. } => match replayer.finish() {
                Ok(()) => result,
                // What the command made of it is a consequence.
                Err(error @ ReplayError::Unexpected { .. }) => Err(error.into()),
                Err(left_over) => result.and(Err(left_over.into())),
            },
        }
    }
}

/// The network, with the certificate authorities of this file trusted too.
fn network(ca_file: Option<&Path>) -> Result<Network, Failure> {
    let Some(path) = ca_file else {
        return Ok(Network::new());
    };
    let unusable = |reason: String| {
        let path = path.display();
        Failure::Usage(format!(
            "cannot take certificate authorities from {path}: {reason}"
        ))
    };
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let pem = text::without_mark(&pem).map_err(|error| unusable(error.to_string()))?;
    let extra_roots = ExtraRoots::from_pem(pem).map_err(|error| unusable(error.to_string()))?;
    Ok(Network::with(
        NetworkOptions::default().extra_roots(extra_roots),
    ))
}

/// Writes the recording. That it cannot be written is not worth more than why the command failed.
fn save(
    file: RecordingFile,
    recording: &Recording,
    result: &Result<(), Failure>,
) -> Result<(), Failure> {
    let path = file.path().to_path_buf();
    match (file.save(recording), result) {
        (Ok(()), _) => {
            tracing::warn!(
                requests = recording.exchanges.len(),
                "recorded to {}: the personal data of accounts is in it",
                path.display()
            );
            Ok(())
        }
        (Err(error), Ok(())) => Err(unusable(&path, &error)),
        (Err(error), Err(_)) => {
            tracing::error!("cannot use the recording {}: {error}", path.display());
            Ok(())
        }
    }
}

/// Settings with which a connector sends just what was recorded: any credentials, and the scope that was asked for.
fn settings(recording: &Recording) -> Config {
    let token_request = recording
        .exchanges
        .iter()
        .map(|exchange| &exchange.request)
        .find(|request| request.uri().path().ends_with(TOKEN_PATH));
    let prefix = token_request.and_then(|request| request.uri().path().strip_suffix(TOKEN_PATH));
    let scope = token_request.and_then(|request| {
        form_urlencoded::parse(request.body())
            .find(|(name, _)| name == "scope")
            .map(|(_, scope)| scope.into_owned())
    });
    Config {
        base_url: Some(format!(
            "https://{NEUTRAL_HOST}{}",
            prefix.unwrap_or_default()
        )),
        client_id: Some("client-id".to_string()),
        client_secret: Some("client-secret".into()),
        scope,
        others: Vec::new(),
    }
}

fn unusable(path: &Path, error: &RecordingError) -> Failure {
    Failure::Usage(format!(
        "cannot use the recording {}: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_a_replay_are_those_of_the_recorded_token_request() {
        let har = r#"{"log": {"version": "1.2", "creator": {"name": "", "version": ""}, "entries": [{
            "startedDateTime": "2026-11-01T00:00:00Z", "time": 0, "cache": {},
            "timings": {"send": 0, "wait": 0, "receive": 0},
            "request": {"method": "POST", "url": "https://tenant.example.invalid/path/ws/oauth/token",
                "httpVersion": "", "cookies": [], "headers": [], "queryString": [], "headersSize": -1, "bodySize": -1,
                "postData": {"mimeType": "", "params": [{"name": "scope", "value": "monitoring management"}]}},
            "response": {"status": 200, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
                "content": {"size": 0, "mimeType": ""}, "redirectURL": "", "headersSize": -1, "bodySize": -1}
        }]}}"#;
        let recording = Recording::from_har(har.as_bytes()).expect("it is a recording");
        let settings = settings(&recording);
        assert_eq!(
            settings.base_url.as_deref(),
            Some("https://tenant.example.invalid/path")
        );
        assert_eq!(settings.scope.as_deref(), Some("monitoring management"));
    }
}
