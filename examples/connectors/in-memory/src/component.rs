//! The exports: settings first, then the directory, then what was asked for.
#![allow(
    unsafe_code,
    reason = "the export macro of wit-bindgen defines the raw entry points"
)]

use std::cell::RefCell;
use std::panic;

use crate::contract::identity::connector::logging::{self, Level};
use crate::contract::{
    self, Assignment, Change, CheckReport, Description, Failure, Guest, ListRequest, Mode, Page,
    ProvisionRequest,
};
use crate::directory::Directory;
use crate::settings::Settings;
use crate::{describe, list, write};

thread_local! {
    /// The connected system. A component has one thread, and an instance has one tenant.
    static DIRECTORY: RefCell<Option<Directory>> = const { RefCell::new(None) };
}

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        describe::description()
    }

    fn check() -> Result<CheckReport, Failure> {
        with_directory(|_| Ok(describe::report()))
    }

    fn list(request: ListRequest) -> Result<Page, Failure> {
        with_directory(|directory| list::page(directory, &request))
    }

    fn grant(assignment: Assignment, mode: Mode) -> Result<Change, Failure> {
        with_directory(|directory| write::grant(directory, &assignment, mode))
    }

    fn revoke(assignment: Assignment, mode: Mode) -> Result<Change, Failure> {
        with_directory(|directory| write::revoke(directory, &assignment, mode))
    }

    fn provision(request: ProvisionRequest, mode: Mode) -> Result<Change, Failure> {
        with_directory(|directory| write::provision(directory, &request, mode))
    }
}

/// Checks the settings anew, as a connector does that sends them along, and opens the directory with the first call.
fn with_directory<T>(
    call: impl FnOnce(&mut Directory) -> Result<T, Failure>,
) -> Result<T, Failure> {
    // A trap says nothing by itself: this is how its reason gets out.
    panic::set_hook(Box::new(|panic| {
        logging::log(Level::Error, &format!("panic: {panic}"), &[]);
    }));
    let settings = Settings::load()?;
    DIRECTORY.with_borrow_mut(|directory| {
        call(directory.get_or_insert_with(|| Directory::new(settings.directory_size)))
    })
}

contract::export!(Component with_types_in contract);
