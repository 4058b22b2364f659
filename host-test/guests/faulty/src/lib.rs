//! The in-memory connector with faults put in, so that the tests can hold the conformance suite against them.
//!
//! The setting `fault` names the fault; without it, the connector breaks one promise only: to describe itself, it asks for that
//! setting. The sources are those of `examples/connectors/in-memory`, but for the exports, which is where the faults are.
//!
//! Natively the crate is empty.

#![cfg(target_arch = "wasm32")]
#![deny(missing_docs)]
#![deny(unsafe_code)]
#![allow(
    clippy::result_large_err,
    reason = "the contract says what a failure is"
)]

mod component;
#[path = "../../../../examples/connectors/in-memory/src/contract.rs"]
mod contract;
#[path = "../../../../examples/connectors/in-memory/src/describe.rs"]
mod describe;
#[path = "../../../../examples/connectors/in-memory/src/directory.rs"]
mod directory;
#[path = "../../../../examples/connectors/in-memory/src/list.rs"]
mod list;
#[path = "../../../../examples/connectors/in-memory/src/settings.rs"]
mod settings;
#[path = "../../../../examples/connectors/in-memory/src/write.rs"]
mod write;
