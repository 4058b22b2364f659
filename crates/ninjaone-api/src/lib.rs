//! NinjaOne's Public API v2, as far as the connector uses it: endpoints, wire types, tokens, failures, and what is tried again.
//!
//! It is the half of the connector that knows the vendor, over two small traits ([`http::Transport`] and [`host::Host`]), and the
//! pattern for the next vendor. What the requests mean to a governance host is decided by the connector; no type of its contract is
//! in here. The facts that this crate stands on are those of `docs/ninjaone-api.md`, the project's collection of what is publicly
//! known; where a fact is observed and not documented, the code says so.
//!
//! | part | what it is for |
//! | --- | --- |
//! | [`Api`] | the calls, each a function |
//! | [`endpoint`] | the table of endpoints, with the scopes that they need |
//! | [`Elements`], [`RoleEvents`] | what an answer has, one element at a time while it arrives |
//! | [`wire`], [`object`] | what NinjaOne sends and takes, as Rust types; objects of JSON, read leniently |
//! | [`token`] | gets and keeps the token |
//! | [`error`], `failure` | one error from every source; what a failed exchange means |
//! | [`retry`] | what is tried again within a call, how often, and after which pause |
//! | [`settings`] | the four settings, checked |
//! | [`confidential`] | what no error and no log may show of what the other side said |
//! | [`http`], [`host`] | the outside, as traits |
//!
//! The component compiles this crate for speed and the rest for size (`[profile.component]` in the workspace's `Cargo.toml`).
//! For that, what every element of an answer goes through is not generic over what it reads, or is called by something that is
//! not: generic code is compiled where it is used.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod api;
pub mod confidential;
pub mod elements;
pub mod endpoint;
pub mod error;
mod exchange;
mod failure;
pub mod host;
pub mod http;
mod json;
pub mod object;
pub mod retry;
mod retry_after;
pub mod roles;
pub mod settings;
pub mod token;
pub mod wire;

pub use api::Api;
pub use elements::Elements;
pub use error::Error;
pub use roles::{RoleEvent, RoleEvents};
