//! A connector that does on command what a buggy or hostile one would, so that the tests can hold the host against it.
//!
//! It exports the world that every connector exports. `list` takes the command from the cursor: the name of a behavior and,
//! after a space, its argument. Whatever the behavior has to say comes back as the cursor of the next page. `describe` names
//! the behaviors in its summary, so that a test can see to it that none goes untested.
//!
//! Natively the crate is empty.

#![deny(missing_docs)]
#![deny(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod behavior;
#[cfg(target_arch = "wasm32")]
mod component;
#[cfg(target_arch = "wasm32")]
mod contract;
