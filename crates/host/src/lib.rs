//! Runs identity connectors: WebAssembly components of the world `identity:connector/plugin`.
//!
//! A [`Host`] loads a component as a [`Plugin`]; for each tenant the plugin makes a [`Connector`], whose methods are the
//! functions of the contract in `wit/`. A connector can ask for its settings, log, read a clock, and send requests to its
//! tenant's base URL. It can do nothing else: a component that wants more does not load.
//!
//! # Example
//!
//! All accounts of a tenant, page by page. Here the tenant is a simulated one.
//!
//! ```
//! use std::path::Path;
//!
//! use connector_host::contract::{Item, ListRequest, ResourceKinds};
//! use ninjaone_simulator::{Options, Simulator};
//! use connector_host::{EgressPolicy, Host, HostOptions, Tenant, TenantSettings};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use test_components::NINJAONE_CONNECTOR;
//! // The file that `cargo xtask build` writes.
//! let component = Path::new(NINJAONE_CONNECTOR);
//! let simulator = Simulator::start(Options { accounts: 20, ..Options::default() }).await?;
//! let credentials = simulator.credentials();
//!
//! // Once per process: the engine, and the component, compiled.
//! let host = Host::new(HostOptions::default())?;
//! let plugin = host.load(component).await?;
//!
//! // Once per tenant: its settings, and the one place where its requests may go.
//! let base_url = simulator.base_url();
//! let settings = TenantSettings::new()
//!     .plain("base-url", &base_url)
//!     .plain("client-id", &credentials.client_id)
//!     .secret("client-secret", credentials.client_secret.clone().into());
//! let tenant = Tenant::new("example", settings, EgressPolicy::only(&base_url)?);
//! let mut connector = plugin.instantiate(tenant);
//!
//! // As often as there is something to do.
//! let mut listing = connector.list_all(ListRequest::everything(ResourceKinds::ACCOUNTS));
//! let mut accounts = Vec::new();
//! while let Some(page) = listing.next_page().await? {
//!     accounts.extend(page.items.into_iter().filter_map(|item| match item {
//!         Item::Account(account) => Some(account.id),
//!         _ => None,
//!     }));
//! }
//! assert_eq!(accounts.len(), simulator.accounts().len());
//! # Ok(())
//! # }
//! ```
//!
//! # What can go wrong
//!
//! Every call ends in the connector's answer or in a [`CallError`]: an error of the contract, with all that is known about it;
//! a trap, with the message of the guest's panic; or a limit that was reached. After anything but an error of the contract
//! the instance is gone, and the next call starts a fresh one. [`CallError::retry`] says whether to repeat a call.
//!
//! # What a connector cannot do
//!
//! Whatever it does, a buggy or hostile connector costs its own tenant the call that it does it in, and nothing else:
//!
//! - A trap, a panic, a stack that overflows, a loop or a wait without end, and every limit that is reached end the call in a
//!   [`CallError`] that says which it was. The next call works. Other connectors get their turn meanwhile, even on one thread.
//! - What it may take of the host is limited: time and memory by [`Limits`], all else by [`Limit`].
//! - What the host holds for it is limited as well: requests under way and their bytes, answers that it leaves lying unread.
//! - It sends requests to the origin that its [`EgressPolicy`] allows; anything else is refused before a connection is made, and
//!   logged as a warning.
//! - Each [`Tenant`] has connections of its own, so that what one leaves lying holds back no other.
//! - No instance sees what another one had, of the same tenant or not.
//! - A secret that it asked for, and the credentials that it sent, are blanked in its failures and in all that it logs, its last
//!   panic included. They are not blanked in the items that it lists.
//! - Nothing is left of an instance that is gone, and nothing piles up in one that lives on.
//!
//! The tests `isolation`, `egress` and `leaks` hold the host to it with a component that misbehaves on command.
//!
//! # What it does not know
//!
//! Any vendor, what becomes of an answer, and how a request gets through the network: the words of the contract ([`contract`]) and
//! the transport ([`transport`]) are crates of their own, without wasmtime. The feature `conformance` lets the conformance suite
//! judge its connectors.
//!
//! # Where to read on
//!
//! [`contract`] has the words of the contract, and [`CallError`] what a call can end in.
//!
//! To read the code: `host` loads and links, `plugin` makes connectors, `exports` finds their functions, `connector` calls them under
//! a deadline, `instance` is what the imports of one instance work on, `listing` makes sure that a listing is whole, `outgoing` hands requests to the transport of
//! the tenant ([`transport`], a crate of its own), and `limits` counts memory.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod bindings;
mod code_cache;
mod concealed;
mod connector;
mod error;
mod exports;
mod host;
mod imports;
mod instance;
#[cfg(feature = "conformance")]
mod judged;
mod limits;
mod listing;
mod logging;
mod outgoing;
mod plugin;
mod settings;

pub use connector_contract as contract;
pub use connector_transport as transport;
pub use connector_transport::{BoxFuture, EgressError, EgressPolicy};

pub use self::code_cache::CodeCacheError;
pub use self::connector::Connector;
pub use self::error::{CallError, LoadError};
pub use self::host::{Host, HostOptions, MOST_POOLED_INSTANCES};
#[cfg(feature = "conformance")]
pub use self::judged::Judged;
pub use self::limits::{Limit, Limits};
pub use self::listing::{Checkpoint, Listing, ListingBounds};
pub use self::plugin::{Plugin, Tenant};
pub use self::settings::{Setting, Settings, SettingsError, TenantSettings};

/// The examples of the README, so that they are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
