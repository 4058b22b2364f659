//! The components that the tests load: compiled by the build script from the sources as they are, and named here by constants.
//!
//! To add a guest, add a package to `host-test/guests`; a test for it has to be named in `host-test/tests/all/main.rs`, or the tests
//! do not compile.
//!
//! They are compiled like those of a release, but for what `cargo xtask dist` does to make them smaller.

include!(concat!(env!("OUT_DIR"), "/components.rs"));
