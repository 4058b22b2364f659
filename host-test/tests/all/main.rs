//! The component under the host: one file for each subject.

mod checks;
mod conformance;
mod connect_proxy;
mod corpus;
mod credentials;
mod deadlines;
mod documentation;
mod egress;
mod events;
mod faults;
mod http2;
mod isolation;
mod lifecycle;
mod listing;
mod lost_answers;
mod packages;
mod pauses;
mod sandbox;
mod soak;
mod specification;
mod unknowns;

/// A test of each guest that the build script of `test-components` compiles.
mod guests {
    pub(crate) use crate::conformance::faults_are_found as faulty;
    pub(crate) use crate::conformance::the_in_memory_connector_keeps_every_promise as in_memory_connector;
    pub(crate) use crate::isolation::every_behavior_of_the_guest_is_tested as misbehaving;
}

/// Makes a guest without a test an error of the compiler.
macro_rules! is_tested {
    ($guest:ident) => {
        const _: fn() = guests::$guest;
    };
}
host_test::components::each_guest!(is_tested);
