//! Where requests go: over the network, over it and into a recording, or to a recording alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_host::transport::{ExtraRoots, Network, NetworkOptions, Proxy, Transport};
use connector_recording::{
    NEUTRAL_HOST, Recorder, Recording, RecordingError, RecordingFile, ReplayError, Replayer,
    Summary,
};
use secrecy::{ExposeSecret, SecretString};

use super::args::TrafficFlags;
use super::config::{self, Config};
use super::failure::Failure;
use super::text;

/// The end of the path at which NinjaOne gives tokens. What is before it belongs to the base URL.
const TOKEN_PATH: &str = "/ws/oauth/token";

/// How the tenant is reached.
#[derive(Clone, Debug, Default)]
pub struct Way {
    pub ca_file: Option<PathBuf>,
    /// The URL of a proxy, which may have a password in it, or `none`.
    pub proxy: Option<SecretString>,
    pub no_proxy: Option<String>,
}

impl Way {
    fn network(&self) -> Result<Network, Failure> {
        let options = NetworkOptions::default().proxy(self.proxy()?);
        Ok(Network::with(match &self.ca_file {
            Some(path) => options.extra_roots(extra_roots(path)?),
            None => options,
        }))
    }

    fn proxy(&self) -> Result<Proxy, Failure> {
        let variable = config::variable;
        let proxy = match self.proxy.as_ref().map(ExposeSecret::expose_secret) {
            Some("none") => Ok(Proxy::none()),
            Some(url) => {
                let except = variable("NO_PROXY").or_else(|| variable("no_proxy"));
                Proxy::url(url).map(|proxy| proxy.except(&except.unwrap_or_default()))
            }
            None => Proxy::from_variables(variable),
        };
        let proxy =
            proxy.map_err(|error| Failure::Usage(format!("cannot use the proxy: {error}")))?;
        Ok(match &self.no_proxy {
            Some(hosts) => proxy.except(hosts),
            None => proxy,
        })
    }
}

/// Where the requests of one run go.
pub enum Traffic {
    /// Over the network.
    Live(Arc<Network>),
    /// Over the network, and into a file.
    Recorded {
        recorder: Arc<Recorder>,
        path: PathBuf,
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
    /// Without a `way`, the command calls no tenant.
    pub fn open(flags: &TrafficFlags, way: Option<Way>) -> Result<Self, Failure> {
        if let Some(path) = &flags.replay {
            let recording = Recording::read(path).map_err(|error| unusable(path, &error))?;
            return Ok(Self::Replayed {
                settings: settings(&recording),
                replayer: Arc::new(Replayer::new(recording)),
            });
        }
        let network = way.map_or_else(|| Ok(Network::new()), |way| way.network());
        let network = Arc::new(network?);
        let Some(path) = &flags.record else {
            return Ok(Self::Live(network));
        };
        let file = RecordingFile::create(path).map_err(|error| unusable(path, &error))?;
        Ok(Self::Recorded {
            recorder: Arc::new(Recorder::new(network, file)),
            path: path.clone(),
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

    /// Keeps what is secret among these settings out of a recording.
    pub fn conceal(&self, config: &Config) {
        if let (Self::Recorded { recorder, .. }, Some(secret)) = (self, &config.client_secret) {
            recorder.conceal(secret.expose_secret());
        }
    }

    /// Whether the order of the requests matters, so that they have to be sent one after the other.
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::Live(_))
    }

    /// Puts the recording in its place, or makes sure that all of it was replayed, and says how the run ended with that.
    pub async fn finish(&self, result: Result<(), Failure>) -> Result<(), Failure> {
        match self {
            Self::Live(_) => result,
            Self::Recorded { recorder, path } => {
                // That there is no recording is not worth more than why the command failed.
                let recorded = match (recorder.finish().await, &result) {
                    (Ok(summary), _) => {
                        told(&summary, path);
                        Ok(())
                    }
                    (Err(error), Ok(())) => Err(unusable(path, &error)),
                    (Err(error), Err(_)) => {
                        tracing::error!("cannot use the recording {}: {error}", path.display());
                        Ok(())
                    }
                };
                recorded.and(result)
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

/// Says what is in a recording, and what is not.
fn told(summary: &Summary, path: &Path) {
    tracing::warn!(
        requests = summary.exchanges,
        "recorded to {}: the personal data of accounts is in it",
        path.display()
    );
    if let Some(warning) = summary.warning() {
        tracing::warn!("{warning}");
    }
}

/// The certificate authorities in a file.
fn extra_roots(path: &Path) -> Result<ExtraRoots, Failure> {
    let unusable = |reason: String| {
        let path = path.display();
        Failure::Usage(format!(
            "cannot take certificate authorities from {path}: {reason}"
        ))
    };
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let pem = text::without_mark(&pem).map_err(|error| unusable(error.to_string()))?;
    ExtraRoots::from_pem(pem).map_err(|error| unusable(error.to_string()))
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
