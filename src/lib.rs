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
//! # What always holds
//!
//! - **No answer is kept whole.** The vendor's half hands out one value at a time, and `list::walk` one item. Memory does not grow with
//!   the tenant, but for an eighth of a byte to two bytes for each identifier that was met (`list::id_set`).
//! - **A cursor is exact or refused.** It carries a digest of what was passed; see `list::cursor`.
//! - **A read error never ends a listing early.** Every reader reads to the end of the body and checks that it is the end.
//! - **Only what does no harm twice is tried again**: reads; requests that certainly were not carried out; changes of a set or of
//!   fields, once a look shows that they are not there. Never a create that may have got through. All that one call tries again
//!   comes from one budget, and no pause outlasts the host (the import `deadline`).
//! - **Nobody is believed to be gone but by the list of users.** A 404 may be a gateway's, and a 400 may mean anything.
//! - **No error and no log has a query, a body or a header in it.** Of the answer to a request that failed, an error has NinjaOne's
//!   code, its sentence (200 characters at most) and the request id: decoded, then without secrets, then cut.
//! - **`std` without its I/O, environment and time.** Time comes from the host; chance, for the pauses, from the digits of its clocks.
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
