//! The exports: `describe` and `list`, as the crate says; nothing else is supported.
#![allow(
    unsafe_code,
    reason = "the export macro of wit-bindgen defines the raw entry points"
)]

use std::panic;

use crate::behavior::{self, BEHAVIORS};
use crate::contract::identity::connector::logging::{self, Level};
use crate::contract::{
    self, Assignment, Change, CheckReport, Continuation, Counts, Description, Error, Failure,
    Guest, ListRequest, Mode, Page, ProvisionRequest, Summary,
};

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let names: Vec<_> = BEHAVIORS.iter().map(|(name, _)| *name).collect();
        Description {
            name: "misbehaving".to_string(),
            title: "Nothing".to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            summary: names.join(" "),
            settings: Vec::new(),
            account_kinds: Vec::new(),
            operations: Vec::new(),
            common_errors: Vec::new(),
            largest_page: 0,
        }
    }

    fn check() -> Result<CheckReport, Failure> {
        Err(unsupported())
    }

    fn list(request: ListRequest) -> Result<Page, Failure> {
        // As in a well-behaved connector: this is how the reason of a trap gets out.
        panic::set_hook(Box::new(|panic| {
            logging::log(Level::Error, &format!("panic: {panic}"), &[]);
        }));
        let next = match request.cursor {
            Some(command) => Continuation::More(behavior::obey(&command)),
            None => Continuation::Complete(Summary {
                counts: Counts {
                    accounts: 0,
                    roles: 0,
                    grants: 0,
                    organizations: 0,
                    events: 0,
                },
                resume: None,
            }),
        };
        Ok(Page {
            items: Vec::new(),
            notices: Vec::new(),
            next,
        })
    }

    fn grant(_assignment: Assignment, _mode: Mode) -> Result<Change, Failure> {
        Err(unsupported())
    }

    fn revoke(_assignment: Assignment, _mode: Mode) -> Result<Change, Failure> {
        Err(unsupported())
    }

    fn provision(_request: ProvisionRequest, _mode: Mode) -> Result<Change, Failure> {
        Err(unsupported())
    }
}

fn unsupported() -> Failure {
    Failure {
        error: Error::Other,
        message: "this connector only lists".to_string(),
        exchange: None,
    }
}

contract::export!(Component with_types_in contract);
