//! The contract as Rust types, generated from `wit/`.
#![allow(missing_docs, reason = "generated: every item is documented in wit/")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes raw pointers"
)]
#![allow(clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: "../../../wit",
    world: "plugin",
    generate_all,
    pub_export_macro: true,
});

pub use self::exports::identity::connector::connector::Guest;
pub use self::exports::identity::connector::types::*;
