//! The Rust side of what connectors import from the contract, generated from `wit/`. What they export is in `exports`.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package identity:host;

        world imports {
            import identity:connector/settings@0.1.0;
            import identity:connector/logging@0.1.0;
            import identity:connector/deadline@0.1.0;
        }
    ",
    world: "identity:host/imports",
    // Looking up a setting may mean to ask a vault, and a guest that logs without end is stopped.
    imports: { "identity:connector/settings": async, "identity:connector/logging": trappable },
});
