//! The contract as Rust types, generated from `wit/`.
#![allow(missing_docs, reason = "generated: every item is documented in wit/")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes raw pointers"
)]
#![allow(clippy::all, reason = "generated")]

// Natively nothing is imported, so the bindings of imports are only there to compile.
#[cfg(not(target_arch = "wasm32"))]
wit_bindgen::generate!({
    path: "wit",
    world: "plugin",
    generate_all,
    additional_derives: [PartialEq],
    additional_derives_ignore: ["stream-error"],
    pub_export_macro: true,
});

// What the world imports beside the contract is bound by `waki` and `wasi`, which `imports` uses.
#[cfg(target_arch = "wasm32")]
wit_bindgen::generate!({
    path: "wit",
    world: "plugin",
    with: {
        "wasi:clocks/monotonic-clock@0.2.12": wasi::clocks::monotonic_clock,
        "wasi:clocks/wall-clock@0.2.12": wasi::clocks::wall_clock,
        "wasi:http/outgoing-handler@0.2.12": waki::bindings::wasi::http::outgoing_handler,
        "wasi:http/types@0.2.12": waki::bindings::wasi::http::types,
        "wasi:io/error@0.2.12": waki::bindings::wasi::io::error,
        "wasi:io/poll@0.2.12": waki::bindings::wasi::io::poll,
        "wasi:io/streams@0.2.12": waki::bindings::wasi::io::streams,
    },
    additional_derives: [PartialEq],
    pub_export_macro: true,
});

pub use self::exports::identity::connector::connector::Guest;
pub use self::exports::identity::connector::types::*;

impl ListRequest {
    /// Everything of these kinds, from the start, with the connector's own page size.
    pub fn everything(kinds: ResourceKinds) -> Self {
        ListRequest {
            kinds,
            filter: Filter {
                id: None,
                email: None,
                account_kind: None,
                account: None,
                role: None,
                since: None,
            },
            details: AccountDetails::empty(),
            cursor: None,
            limit: None,
        }
    }
}
