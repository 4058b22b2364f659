//! Where requests go: over the network, over it and into a recording, or to a recording alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector_host::contract::Description;
use connector_host::transport::{ExtraRoots, Network, NetworkOptions, Proxy, Transport};
use connector_recording::{
    NEUTRAL_HOST, Recorder, Recording, RecordingError, RecordingFile, ReplayError, Replayer,
    Summary,
};
use secrecy::{ExposeSecret, SecretString};

use super::args::TrafficFlags;
use super::config::{self, BASE_URL, CLIENT_ID, CLIENT_SECRET, Config, SCOPE};
use super::failure::Failure;
use super::text;

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
    pub fn open(
        flags: &TrafficFlags,
        way: Option<Way>,
        connector: Option<&Description>,
    ) -> Result<Self, Failure> {
        if let Some(path) = &flags.replay {
            let recording = Recording::read(path).map_err(|error| unusable(path, &error))?;
            return Ok(Self::Replayed {
                settings: settings(&recording, connector),
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
        if let Self::Recorded { recorder, .. } = self {
            let secrets = config.secrets();
            secrets.for_each(|secret| recorder.conceal(secret.expose_secret()));
        }
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
fn settings(recording: &Recording, connector: Option<&Description>) -> Config {
    let requests = recording.exchanges.iter().map(|exchange| &exchange.request);
    let scope = requests
        .flat_map(|request| form_urlencoded::parse(request.body()))
        .find(|(name, _)| name == "scope");
    let prefix = connector.and_then(|connector| prefix(recording, connector));
    let config = Config::default()
        .plain(
            BASE_URL,
            &format!("https://{NEUTRAL_HOST}{}", prefix.unwrap_or_default()),
        )
        .plain(CLIENT_ID, "client-id")
        .secret(CLIENT_SECRET, "client-secret".into());
    match scope {
        Some((_, scope)) => config.plain(SCOPE, &scope),
        None => config,
    }
}

/// The path in the base URL of what was recorded: what stands before the path of a request that the connector says it sends.
fn prefix<'a>(recording: &'a Recording, connector: &Description) -> Option<&'a str> {
    let requests = connector
        .operations
        .iter()
        .flat_map(|operation| &operation.requests);
    let own = requests.filter_map(|request| request.split([' ', '{']).nth(1));
    let mut paths = recording
        .exchanges
        .iter()
        .map(|exchange| exchange.request.uri().path());
    paths
        .find_map(|path| own.clone().find_map(|own| path.split_once(own)))
        .map(|(prefix, _)| prefix)
}

fn unusable(path: &Path, error: &RecordingError) -> Failure {
    Failure::Usage(format!(
        "cannot use the recording {}: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use connector_host::contract::{AccountDetails, FilterFields, Operation, OperationDescription};

    use super::*;
    use crate::config::tests::{connector, shown};

    #[test]
    fn the_settings_of_a_replay_are_those_that_the_recorded_requests_were_made_with() {
        let entry = |method: &str, path: &str, body: &str| {
            format!(
                r#"{{"startedDateTime": "2026-11-01T00:00:00Z", "time": 0, "cache": {{}},
                "timings": {{"send": 0, "wait": 0, "receive": 0}},
                "request": {{"method": "{method}", "url": "https://tenant.example.invalid{path}", {body}
                    "httpVersion": "", "cookies": [], "headers": [], "queryString": [], "headersSize": -1, "bodySize": -1}},
                "response": {{"status": 200, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
                    "content": {{"size": 0, "mimeType": ""}}, "redirectURL": "", "headersSize": -1, "bodySize": -1}}}}"#
            )
        };
        let form = r#""postData": {"mimeType": "", "params": [{"name": "scope", "value": "read write"}]},"#;
        let entries = [
            entry("POST", "/path/token", form),
            entry("GET", "/path/v2/users?pageSize=1000", ""),
        ];
        let har = format!(
            r#"{{"log": {{"version": "1.2", "creator": {{"name": "", "version": ""}}, "entries": [{}]}}}}"#,
            entries.join(",")
        );
        let recording = Recording::from_har(har.as_bytes()).expect("it is a recording");
        let operation = OperationDescription {
            operation: Operation::ListAccounts,
            summary: String::new(),
            requests: vec![
                "GET /v2/users".to_string(),
                "DELETE /v2/users/{id}".to_string(),
            ],
            filters: FilterFields::empty(),
            details: AccountDetails::empty(),
            scopes: Vec::new(),
            outcomes: Vec::new(),
            errors: Vec::new(),
        };
        let connector = Description {
            operations: vec![operation],
            ..connector()
        };
        let settings = settings(&recording, Some(&connector));
        assert_eq!(
            shown(&settings, BASE_URL),
            Some("https://tenant.example.invalid/path")
        );
        assert_eq!(shown(&settings, SCOPE), Some("read write"));
    }
}
