//! The program, as those who run it see it: one file for each subject.

mod display;
mod errors;
mod json;
mod network;
mod program;
mod proxies;
mod readme;
mod recordings;
mod report;
mod secrets;
mod shells;
mod snapshots;
mod surroundings;
mod tenants;
mod terminal;
mod tls;
mod vendors;
