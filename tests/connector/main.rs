//! The connector as a native library, between a NinjaOne and a governance host that are both kept in memory.
//!
//! One file for each capability, each test a promise. Two promises are kept by every test, since [`support::World`] looks at
//! every call: nothing that leaves the connector carries a secret, and nothing happens that `describe` does not tell of.

#![expect(
    clippy::result_large_err,
    reason = "the contract says what a failure is"
)]

mod check;
mod create;
mod delete;
mod describe;
mod events;
mod failures;
mod list;
mod malformed;
mod membership;
mod paging;
mod retry;
mod settings;
mod support;
mod token;
mod update;
