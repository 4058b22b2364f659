//! What a simulator is started with.

use std::{fmt, time::Duration};

use super::{Behavior, Scopes};

/// The options of a simulator. Every field has a default that suits a test:
/// `Options { accounts: 1_000, ..Options::default() }`. More may be added: name those that matter.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0, the default, takes a free one.
    pub port: u16,
    /// Whether it speaks TLS; it does not by default.
    pub protocol: Protocol,
    /// How many accounts there are at the start; 50 by default. 1 is a single administrator, 0 an
    /// empty tenant, which still has its API application.
    pub accounts: u32,
    /// What the tenant is generated from: the same seed and sizes give the same tenant.
    pub seed: u64,
    /// How many organizations there are; by default one for every fifty accounts, within 1 and
    /// 2,000, and none in an empty tenant.
    pub organizations: Option<u32>,
    /// How many roles there are, for technicians and for end users in turn; by default 12, and
    /// none in an empty tenant. The last of four or more has no members.
    pub roles: Option<u32>,
    /// The API application that may ask for tokens, and the scopes it was given.
    pub credentials: Credentials,
    /// How long a token is valid; an hour by default, as documented. Answered in whole seconds.
    pub token_lifetime: Duration,
    /// How long every request is held before it is worked on; not at all by default.
    pub latency: Duration,
    /// How many requests the log keeps; 4,096 by default. Their bodies are limited to 16 MiB
    /// together, whatever this says.
    pub request_log: usize,
    /// How the simulator answers where it is not known how NinjaOne does.
    pub behavior: Behavior,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            protocol: Protocol::default(),
            accounts: 50,
            seed: 1,
            organizations: None,
            roles: None,
            credentials: Credentials::default(),
            token_lifetime: Duration::from_secs(3600),
            latency: Duration::ZERO,
            request_log: 4096,
            behavior: Behavior::default(),
        }
    }
}

impl Options {
    /// The number of organizations to generate, given or scaled.
    pub(super) fn organization_count(&self) -> u32 {
        let scaled = if self.accounts == 0 {
            0
        } else {
            (self.accounts / 50).clamp(1, 2000)
        };
        self.organizations.unwrap_or(scaled)
    }

    /// The number of roles to generate, given or usual.
    pub(super) fn role_count(&self) -> u32 {
        self.roles
            .unwrap_or(if self.accounts == 0 { 0 } else { 12 })
    }
}

/// How a simulator is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Without TLS: HTTP/1.1, and HTTP/2 to clients that know it is there.
    #[default]
    Http,
    /// With TLS, by a certificate of the simulator's own authority: HTTP/2 to clients that offer it
    /// (ALPN), and HTTP/1.1 to all others.
    Https,
}

/// The API application of the simulated tenant: "API Services (machine-to-machine)".
#[derive(Clone)]
pub struct Credentials {
    /// The client id; `simulator-client` by default.
    pub client_id: String,
    /// The client secret; an obviously fake one by default. Not shown by `Debug`.
    pub client_secret: String,
    /// The scopes that the application was given; all of them by default. Asking for another one
    /// fails the token request: there is no narrowing.
    pub scopes: Scopes,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            client_id: "simulator-client".to_owned(),
            client_secret: "simulator-secret-not-a-real-one".to_owned(),
            scopes: Scopes::all(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("client_secret", &"[redacted]")
            .field("scopes", &self.scopes)
            .finish()
    }
}
