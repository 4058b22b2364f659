//! The commands.

pub mod check;
pub mod completions;
pub mod conformance;
pub mod describe;
pub mod diff;
mod items;
pub mod list;
pub mod man;
pub mod provision;
pub mod report;
pub mod simulate;
pub mod sync;
pub mod tenants;
pub mod write;
