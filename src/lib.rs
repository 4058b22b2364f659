//! A connector for identity governance: who has an account in NinjaOne and which roles they hold, and changes to both.
//!
//! It is one WebAssembly component with the contract of `wit/`: a host gives it four settings and calls it. It can send HTTP
//! requests through the host, read a clock, ask for its settings and how long the host waits, and log; nothing else.
//!
//! # How the parts fit
//!
//! Dependencies point down this list:
//!
//! | part | what it is for |
//! | --- | --- |
//! | `component`, `imports` | the exports of the component: WIT in, WIT out; its imports |
//! | [`connector`] | one instance: its token, its open listings |
//! | [`describe`], [`check`], [`list`], [`membership`], [`provision`] | the capabilities, one file or folder each |
//! | `find`, [`convert`], `same` | looking accounts up; NinjaOne's types to the contract's; when texts are the same to people |
//! | [`error`] | why a call failed, as the contract has it |
//! | [`contract`] | the contract as Rust types, generated from `wit/` |
//! | [`ninjaone`] | the vendor's half, a crate of its own: all that speaks to NinjaOne, and no type of the contract |
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
