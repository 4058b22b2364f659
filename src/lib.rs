//! A connector for identity governance: who has an account in NinjaOne and which roles they hold, and changes to both.
//!
//! It is one WebAssembly component with the contract of `wit/`: a host gives it four settings and calls it. It can send HTTP
//! requests through the host, read a clock, ask for its settings and how long the host waits, and log; nothing else.
//!
//! # How the parts fit
//!
//! Dependencies point down this list (`ARCHITECTURE.md` names the two exceptions):
//!
//! | part | what it is for |
//! | --- | --- |
//! | `component` | the exports of the component: WIT in, WIT out |
//! | [`connector`] | one instance: its settings, its token, its open listing |
//! | [`describe`], [`check`], [`list`], [`membership`], [`provision`] | the capabilities, one file or folder each |
//! | `find`, [`convert`] | looking accounts up; NinjaOne's types to the contract's |
//! | [`ninjaone`] | NinjaOne's endpoints, wire types, tokens and failures; no type of the contract |
//! | [`retry`] | what is tried again within a call, how often, and after which pause |
//! | [`settings`], [`error`] | the four settings, checked; one error from every source |
//! | [`http`], [`host`] | the outside, behind two small traits |
//! | `confidential` | what no error and no log may show of what the other side said |
//! | `same` | when two texts are the same to people |
//! | [`contract`] | the contract as Rust types, generated from `wit/` |
//!
//! Natively it is an ordinary library, so that all of it but the outside is tested without WebAssembly; [`Connector::new`]
//! takes the outside as arguments.

#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod check;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod connector;
pub mod contract;
pub mod convert;
pub mod describe;
pub mod error;
mod find;
#[cfg(target_arch = "wasm32")]
mod imports;
pub mod list;
pub mod membership;
pub mod provision;
mod same;

pub use connector::Connector;
pub use ninjaone_api as ninjaone;
