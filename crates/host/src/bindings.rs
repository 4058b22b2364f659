//! The Rust side of `wit/`, generated. Hosts see the parts that [`contract`](crate::contract) re-exports.

#![expect(
    missing_docs,
    reason = "generated from WIT, whose documentation covers what is re-exported"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "plugin",
    // Looking up a setting may mean to ask a vault, and a guest that logs without end is stopped.
    imports: { "identity:connector/settings": async, "identity:connector/logging": trappable },
    exports: { default: async },
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
    },
    additional_derives: [PartialEq],
});
