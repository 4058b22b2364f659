//! The component cannot do more than it says: what it imports is pinned.

use std::fs;

use connector_host::contract::{ListRequest, ResourceKinds};
use connector_host::{Host, HostOptions, LoadError};
use wasmtime::Engine;
use wasmtime::component::Component;

/// All that the component may ask of a host.
const IMPORTS: [&str; 10] = [
    "identity:connector/deadline@0.1.0",
    "identity:connector/logging@0.1.0",
    "identity:connector/settings@0.1.0",
    "wasi:clocks/monotonic-clock@0.2.12",
    "wasi:clocks/wall-clock@0.2.12",
    "wasi:http/outgoing-handler@0.2.12",
    "wasi:http/types@0.2.12",
    "wasi:io/error@0.2.12",
    "wasi:io/poll@0.2.12",
    "wasi:io/streams@0.2.12",
];

const EXPORTS: [&str; 2] = [
    "identity:connector/connector@0.1.0",
    "identity:connector/types@0.1.0",
];

#[test]
fn the_component_imports_exactly_what_is_allowed() {
    let engine = Engine::default();
    let component =
        Component::from_file(&engine, host_test::component()).expect("it is a component");
    let mut imports: Vec<_> = component
        .component_type()
        .imports(&engine)
        .map(|(name, _)| name.to_string())
        .collect();
    imports.sort();
    assert_eq!(imports, IMPORTS);
}

#[test]
fn the_component_exports_the_contract_and_nothing_else() {
    let engine = Engine::default();
    let component =
        Component::from_file(&engine, host_test::component()).expect("it is a component");
    let mut exports: Vec<_> = component
        .component_type()
        .exports(&engine)
        .map(|(name, _)| name.to_string())
        .collect();
    exports.sort();
    assert_eq!(exports, EXPORTS);
}

#[tokio::test]
async fn a_component_with_other_types_does_not_load_and_is_told_in_which_function() {
    let host = Host::new(HostOptions::default()).expect("the engine starts");
    // A small one, since each is compiled.
    let component = fs::read(host_test::components::IN_MEMORY_CONNECTOR).expect("it can be read");
    for (field, other, function) in [
        ("largest-page", "largest-leaf", "describe"),
        ("allow-administrator", "allow-administrates", "provision"),
    ] {
        let bytes = with_renamed(&component, field.as_bytes(), other.as_bytes());
        let loaded = host.load_bytes(bytes).await.map(|_| ());
        let error = loaded.expect_err("it has another type");
        assert!(matches!(error, LoadError::Incompatible(_)), "{error}");
        let named = format!("its function {function} of identity:connector/connector@0.1.0");
        assert!(error.to_string().contains(&named), "{error}");
    }
}

/// The same component with another name, of as many bytes, in the place of a name.
fn with_renamed(component: &[u8], name: &[u8], other: &[u8]) -> Vec<u8> {
    assert_eq!(name.len(), other.len());
    let mut renamed = component.to_vec();
    let mut places = 0;
    while let Some(place) = renamed
        .windows(name.len())
        .position(|window| window == name)
    {
        renamed[place..place + other.len()].copy_from_slice(other);
        places += 1;
    }
    assert!(places > 0, "it has the name");
    renamed
}

#[test]
fn the_component_tells_nothing_of_the_machine_it_was_built_on() {
    let bytes = fs::read(host_test::component()).expect("it can be read");
    let home = std::env::var("HOME").expect("there is a home directory");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let root = fs::canonicalize(root)
        .expect("it is there")
        .display()
        .to_string();
    for path in [home + "/", root + "/"] {
        let found = bytes
            .windows(path.len())
            .any(|window| window == path.as_bytes());
        assert!(!found, "{path} is in the component");
    }
}

#[tokio::test]
async fn requests_to_another_origin_than_the_base_url_are_denied_by_the_host() {
    let allowed = host_test::tenant(1).await;
    let other = host_test::tenant(1).await;
    // The connector is told one base URL, and the host was told another.
    let mut connector = host_test::connector_with(&allowed, host_test::settings(&other));
    let mut listing = connector.list_all(ListRequest::everything(ResourceKinds::ACCOUNTS));
    let failure = host_test::failure(listing.next_page().await);
    assert!(
        failure
            .message
            .contains("does not allow requests to this address"),
        "{failure:?}"
    );
    assert_eq!((allowed.request_count(), other.request_count()), (0, 0));
}
