//! A NinjaOne tenant that runs on this machine: the identity part of the Public API v2, over real HTTP.
//!
//! No live tenant is needed to run, test or measure a connector, and a test can see what a live
//! tenant would never show: every request that arrived, and the state that the writes left behind.
//!
//! # What it simulates
//!
//! - `POST /ws/oauth/token` and `/oauth/token`: OAuth 2.0 client credentials, with the client in
//!   the form body or in HTTP Basic.
//! - `/v2/users`, `/v2/user/technicians`, `/v2/user/technician/{id}`, `/v2/user/end-users`,
//!   `/v2/user/end-user/{id}`, `/v2/user/roles`, `/v2/user/role/{id}/add-members` and
//!   `/remove-members`, `/v2/organizations`, `/v2/organization/{id}` and `/v2/activities`; all of
//!   them below `/api/v2` as well.
//! - A tenant of any size, the same for the same seed and size: from nobody to millions of
//!   accounts. Lists are streamed, so their size costs no memory.
//!
//! A request goes through `api.rs` (routes), `oauth.rs` (the gate) and `tenant.rs` (the state and
//! its rules), and is answered by `records.rs`, `listing.rs` (streams) or `errors.rs`.
//!
//! # What is known, and what is reconstructed
//!
//! The facts come from `docs/ninjaone-api.md`, which grades each one. *Observed* are the errors
//! of the authorization layer, the answer to an unknown client and to an unknown route, and the
//! field set of one technician in `/v2/users`. *Specified* are the other field sets, the
//! parameters and the success statuses. Everything else is *reconstructed*; where a write depends
//! on it, [`Behavior`] has a switch for it, so that a test can run against each plausible NinjaOne.
//! Reconstructed without a switch:
//!
//! - the `resultCode` of a missing entity, of a validation error and of a refusal;
//! - the values of a role's `type` and of a member's `source`, which the specification leaves open;
//! - the date formats of `/v2/activities`, and which status codes its write activities carry;
//! - a role for technicians refuses end users, and the other way round, with 400.
//!
//! # What it does not simulate
//!
//! Devices, tickets and policies; throttling and broken connections (put a faulty proxy in front
//! for those); the authorization code grant; and the expiry of invitations over time.
//!
//! # TLS and HTTP/2
//!
//! With [`Protocol::Https`] the simulator is reached as a live tenant is: over TLS, and over HTTP/2
//! where the client offers it. Its certificate is of an authority of its own, new with each start;
//! a client has to be told to trust [`Simulator::authority`].
//!
//! # Example
//!
//! ```
//! use ninjaone_simulator::{Options, Simulator};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let simulator = Simulator::start(Options { accounts: 20, ..Options::default() }).await?;
//! let (url, credentials) = (simulator.base_url(), simulator.credentials());
//! // … run a sync with this url and these credentials …
//! assert!(simulator.writes().is_empty(), "a sync must not write");
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod activities;
mod api;
mod authority;
mod behavior;
mod dice;
mod errors;
mod extract;
mod generate;
mod listing;
mod model;
mod names;
mod oauth;
mod options;
mod records;
mod request_log;
mod requests;
mod scope;
mod server;
mod tenant;
#[cfg(test)]
mod testing;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use tokio::{net::TcpListener, sync::oneshot};

pub use behavior::*;
pub use model::{
    Account, AccountKind, Authentication, Email, Invitation, Membership, Organization, Phone,
    Quirk, Role, Source, Uid,
};
pub use options::{Credentials, Options, Protocol};
pub use request_log::RequestRecord;
pub use scope::{Scope, Scopes, UnknownScope};
pub use server::Connections;

use authority::Authority;
use oauth::Tokens;
use request_log::RequestLog;
use server::Server;
use tenant::Tenant;

/// A running simulator. Dropping it stops the server.
///
/// The state it shows is the true one: [`Behavior::read_lag`] delays what the API shows, and
/// nothing here.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    /// The certificate of its authority as PEM; `None` without TLS.
    authority: Option<String>,
    shared: Arc<Shared>,
    /// Never sent on: the server stops when this end of the channel is dropped.
    _running: oneshot::Sender<()>,
}

impl Simulator {
    /// Generates the tenant and serves it on 127.0.0.1, over HTTP/1.1 and HTTP/2, with TLS if the
    /// options say so.
    ///
    /// Must be called inside a tokio runtime, which then also runs the server. Generating blocks
    /// the calling task: about a second for a million accounts in an optimised build.
    ///
    /// # Errors
    ///
    /// The error of the operating system when the port cannot be listened on, or when there is no
    /// chance for the keys of TLS.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let (authority, tls) = match options.protocol {
            Protocol::Http => (None, None),
            Protocol::Https => {
                let Authority { pem, acceptor } = Authority::new()?;
                (Some(pem), Some(acceptor))
            }
        };
        let shared = Arc::new(Shared::new(options));
        let (running, stopped) = oneshot::channel::<()>();
        let server = Server {
            routes: api::router(&shared),
            shared: Arc::clone(&shared),
            tls,
        };
        tokio::spawn(server.run(listener, async {
            // An error is the signal: the sender is gone, and with it the simulator.
            let _ = stopped.await;
        }));
        Ok(Self {
            address,
            authority,
            shared,
            _running: running,
        })
    }

    /// Where the API is, without a trailing slash: `http://127.0.0.1:<port>`, or with TLS
    /// `https://localhost:<port>`.
    #[must_use]
    pub fn base_url(&self) -> String {
        match self.authority {
            None => format!("http://{}", self.address),
            Some(_) => format!("https://localhost:{}", self.address.port()),
        }
    }

    /// The certificate authority that a client has to trust, as PEM; `None` without TLS.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// How many connections there have been, and are.
    #[must_use]
    pub fn connections(&self) -> Connections {
        *self.shared.connections()
    }

    /// The credentials of the one API application of the tenant, and the scopes it was given.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// All accounts as they are now, by ascending id. Copies them: meant for small tenants.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.shared.tenant().accounts().cloned().collect()
    }

    /// One account as it is now, or `None` when nobody has this id (any more).
    #[must_use]
    pub fn account(&self, id: u32) -> Option<Account> {
        self.shared.tenant().account(id).cloned()
    }

    /// All roles, by ascending id.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        self.shared.tenant().roles().to_vec()
    }

    /// The ids of the accounts that hold a role now, ascending; empty for an unknown role.
    #[must_use]
    pub fn role_members(&self, role: u32) -> Vec<u32> {
        let tenant = self.shared.tenant();
        let members = tenant.accounts().filter(|account| account.holds(role));
        members.map(|account| account.id).collect()
    }

    /// All organizations, by ascending id.
    #[must_use]
    pub fn organizations(&self) -> Vec<Organization> {
        self.shared.tenant().organizations().to_vec()
    }

    /// The last requests that arrived, oldest first; at most [`Options::request_log`] of them.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.log().records().cloned().collect()
    }

    /// The writes among [`Simulator::requests`]: all but reads and requests for a token.
    #[must_use]
    pub fn writes(&self) -> Vec<RequestRecord> {
        let log = self.shared.log();
        log.records()
            .filter(|record| record.is_write())
            .cloned()
            .collect()
    }

    /// How many requests have ever arrived, also those that the log has dropped since.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.shared.log().count()
    }

    /// Makes every token issued so far invalid, as if all had expired: the next request with one
    /// is answered 401.
    pub fn revoke_tokens(&self) {
        self.shared.tokens().revoke_all();
    }
}

/// What all requests share. Each lock is held for one step of one request, and never two at once.
#[derive(Debug)]
struct Shared {
    behavior: Behavior,
    credentials: Credentials,
    latency: Duration,
    seed: u64,
    tenant: RwLock<Tenant>,
    tokens: Mutex<Tokens>,
    log: Mutex<RequestLog>,
    connections: Mutex<Connections>,
}

impl Shared {
    fn new(options: Options) -> Self {
        Self {
            behavior: options.behavior,
            latency: options.latency,
            seed: options.seed,
            tenant: RwLock::new(generate::tenant(&options)),
            tokens: Mutex::new(Tokens::new(options.seed, options.token_lifetime)),
            log: Mutex::new(RequestLog::new(options.request_log)),
            connections: Mutex::default(),
            credentials: options.credentials,
        }
    }

    // A panic in one request must not turn all later ones into panics, so poisoning is ignored:
    // every change checks first and then applies, and leaves nothing half done.

    fn tenant(&self) -> RwLockReadGuard<'_, Tenant> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tenant_mut(&self) -> RwLockWriteGuard<'_, Tenant> {
        self.tenant.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, RequestLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        let connections = self.connections.lock();
        connections.unwrap_or_else(PoisonError::into_inner)
    }
}
