//! The component under the host: one file for each subject.

mod checks;
mod conformance;
mod connect_proxy;
mod contract;
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
