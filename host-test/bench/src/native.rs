//! The jobs, done by the same code compiled natively, over the same HTTP client. No sandbox, no limits.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use connector_host::transport::{self, SharedTokens, Terms, Transport as _};
use http_body_util::BodyExt;
use ninjaone_connector::Connector;
use ninjaone_connector::contract::{
    Assignment, Continuation, Failure, Item, ListRequest, Mode, ResourceKinds,
};
use ninjaone_connector::ninjaone::host::{Host, Level, SettingError};
use ninjaone_connector::ninjaone::http::{
    Body, Method, Request, Response, Transport, TransportError, TransportErrorKind,
};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::children::Target;
use crate::sync::{INSTANCES, Kinds, SHORT_PAGE, Synced};
use crate::transport::{Counted, Sent};

/// The library.
#[derive(Clone, Default)]
pub struct Native {
    /// How many requests its connectors sent.
    pub sent: Sent,
}

impl Native {
    /// A tenant, with connections and a token of its own, as in the host.
    pub fn tenant(&self, target: &Target) -> Result<Tenant> {
        let network = Counted::new(target, self.sent.clone())?;
        Ok(Tenant {
            transport: Arc::new(SharedTokens::new(Arc::new(network))),
            target: target.clone(),
        })
    }
}

/// A tenant, and what its requests go through.
#[derive(Clone)]
pub struct Tenant {
    transport: Arc<SharedTokens>,
    target: Target,
}

impl Tenant {
    /// A connector for it. It blocks, so it is for a thread that may.
    pub fn connector(&self) -> Connector {
        let http = Http {
            transport: self.transport.clone(),
            runtime: Handle::current(),
        };
        let host = Surroundings {
            target: self.target.clone(),
            start: Instant::now(),
        };
        Connector::new(Box::new(http), Box::new(host))
    }

    /// Lists everything of it, by fresh connectors.
    pub async fn sync(&self) -> Result<Synced> {
        let start = Instant::now();
        let mut connectors = JoinSet::new();
        for kinds in INSTANCES {
            let tenant = self.clone();
            connectors.spawn_blocking(move || list(&tenant.connector(), kinds, start));
        }
        let mut synced = Synced::default();
        while let Some(part) = connectors.join_next().await {
            synced.add(part.context("a listing was lost")??);
        }
        Ok(synced)
    }
}

/// Lists a first page of accounts. The rest of the answer waits until what this gives is dropped.
pub async fn begin(tenant: Tenant) -> Result<mpsc::Sender<()>> {
    let (kept, dropped) = mpsc::channel();
    let (begun, page) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let connector = tenant.connector();
        let page = connector.list(&ListRequest {
            limit: Some(SHORT_PAGE),
            ..ListRequest::everything(ResourceKinds::ACCOUNTS)
        });
        // Whoever no longer waits for it drops the other end too.
        let _ = begun.send(page.map_err(|failure| said(&failure)));
        let _ = dropped.recv();
    });
    let page = page.await.context("a listing was lost")??;
    let is_begun = matches!(page.next, Continuation::More(_));
    ensure!(is_begun, "the first page was all");
    Ok(kept)
}

fn list(connector: &Connector, kinds: Kinds, start: Instant) -> Result<Synced> {
    let mut synced = Synced::default();
    let mut request = ListRequest::everything(match kinds {
        Kinds::Accounts => ResourceKinds::ACCOUNTS,
        Kinds::RolesAndGrants => ResourceKinds::ROLES | ResourceKinds::GRANTS,
        Kinds::Organizations => ResourceKinds::ORGANIZATIONS,
    });
    loop {
        let page = connector.list(&request).map_err(|failure| said(&failure))?;
        synced.page(kinds, start);
        for item in &page.items {
            match item {
                Item::Account(account) => synced.account(account.id.len()),
                Item::Grant(grant) => synced.grant(grant.account.len()),
                Item::Role(_) | Item::Organization(_) | Item::Event(_) => synced.others += 1,
            }
        }
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(_) => return Ok(synced),
        }
    }
}

/// Gives the account of a tenant the role and takes it again: two writes, each looked at before and after.
pub fn grant_and_revoke(connector: &Connector, target: &Target) -> Result<()> {
    let assignment = Assignment {
        account: target.account.clone(),
        role: target.role.clone(),
    };
    let grant = connector.grant(&assignment, Mode::Apply);
    grant.map_err(|failure| said(&failure))?;
    let revocation = connector.revoke(&assignment, Mode::Apply);
    revocation.map_err(|failure| said(&failure))?;
    Ok(())
}

fn said(failure: &Failure) -> anyhow::Error {
    anyhow!("{:?}: {}", failure.error, failure.message)
}

/// Waits on the host's HTTP client, as an instance does by way of its imports.
struct Http {
    transport: Arc<SharedTokens>,
    runtime: Handle,
}

impl Transport for Http {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut sent = http::Request::builder()
            .method(match request.method {
                Method::Get => http::Method::GET,
                Method::Post => http::Method::POST,
                Method::Patch => http::Method::PATCH,
                Method::Delete => http::Method::DELETE,
            })
            .uri(&request.url);
        for (name, value) in &request.headers {
            sent = sent.header(*name, value.as_str());
        }
        let sent = sent
            .body(Bytes::copy_from_slice(&request.body))
            .map_err(|error| internal(&error))?;
        let response = self
            .runtime
            .block_on(self.transport.clone().send(sent, Terms::default()))
            .map_err(|error| broken(&error))?;
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_string())))
            .collect();
        Ok(Response {
            status: response.status().as_u16(),
            headers,
            body: Box::new(Arriving {
                body: response.into_body(),
                runtime: self.runtime.clone(),
            }),
        })
    }
}

struct Arriving {
    body: transport::Body,
    runtime: Handle,
}

impl Body for Arriving {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        while let Some(frame) = self.runtime.block_on(self.body.frame()) {
            if let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() {
                return Ok(Some(data.into()));
            }
        }
        Ok(None)
    }
}

fn broken(error: &transport::Error) -> TransportError {
    TransportError {
        kind: TransportErrorKind::Network,
        detail: format!("{error:?}"),
    }
}

fn internal(error: &http::Error) -> TransportError {
    TransportError {
        kind: TransportErrorKind::Internal,
        detail: error.to_string(),
    }
}

/// What the connector asks of its host.
struct Surroundings {
    target: Target,
    start: Instant,
}

impl Host for Surroundings {
    fn setting(&self, key: &str) -> Result<Option<String>, SettingError> {
        Ok(self.target.setting(key).map(str::to_string))
    }

    fn log(&self, _level: Level, _message: &str, _fields: &[(&str, &str)]) {}

    fn monotonic_nanos(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn unix_seconds(&self) -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    }

    fn time_left_millis(&self) -> Option<u64> {
        None
    }

    fn pause(&self, nanos: u64) {
        std::thread::sleep(Duration::from_nanos(nanos));
    }

    fn dice(&self) -> u64 {
        self.monotonic_nanos()
    }
}
