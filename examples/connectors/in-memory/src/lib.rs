//! An example of a connector: an invented directory, kept in the memory of the instance.
//!
//! It is meant to be read by whoever writes the next connector, and is held to the contract by the conformance suite like any
//! other. Natively the crate is empty.

#![cfg(target_arch = "wasm32")]
#![deny(missing_docs)]
#![deny(unsafe_code)]
#![allow(
    clippy::result_large_err,
    reason = "the contract says what a failure is"
)]

mod component;
mod contract;
mod describe;
mod directory;
mod list;
mod settings;
mod write;
