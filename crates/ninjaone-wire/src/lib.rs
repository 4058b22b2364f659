//! What NinjaOne sends and takes, as Rust types: a crate of its own, so that the part of the component that every element of an
//! answer goes through is compiled for speed, and the rest for size (`[profile.component]` in the workspace's `Cargo.toml`).
//!
//! For that the functions here are not generic over what they read, or are called by one that is not: generic code is compiled
//! where it is used.
//!
//! What this crate does not know: endpoints, errors, and how an answer arrives.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod object;
pub mod wire;
