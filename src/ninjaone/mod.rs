//! NinjaOne's Public API v2, as far as the connector uses it: wire types, endpoints, tokens, errors.
//!
//! Every function here is one request (and, where the token had to be renewed, one more). What the requests mean for a
//! governance host is decided above, in the capabilities; no type of the contract is in here.
//!
//! The facts that this module stands on are those of `docs/ninjaone-api.md`, the project's collection of what is publicly
//! known; where a fact is observed and not documented, the code says so.

mod answer;
pub mod api;
pub mod elements;
mod headers;
mod json;
mod open_exchange;
mod retry_after;
pub mod roles;
pub mod token;

pub use ninjaone_wire::{object, wire};

pub use self::api::Api;
pub use self::elements::Elements;
pub use self::roles::{RoleEvent, RoleEvents};
