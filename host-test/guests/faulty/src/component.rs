//! The exports, each spoiled as the setting `fault` says.
#![allow(
    unsafe_code,
    reason = "the export macro of wit-bindgen defines the raw entry points"
)]

use std::cell::RefCell;

use crate::contract::identity::connector::settings as host;
use crate::contract::{
    self, AccountDetails, Assignment, Change, CheckReport, Continuation, Counts, Description,
    Error, Event, EventKind, Failure, Filter, Guest, Item, ListRequest, Mode, Operation,
    OperationDescription, Outcome, Page, ProvisionRequest, RefusalReason, ResourceKinds, Summary,
    failure,
};
use crate::directory::Directory;
use crate::settings::{CLIENT_SECRET, Settings};
use crate::{describe, list, write};

thread_local! {
    /// The connected system.
    static DIRECTORY: RefCell<Option<Directory>> = const { RefCell::new(None) };
    /// The cursors that this instance gave.
    static GIVEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        let mut description = describe::description();
        match &*fault() {
            "no-page" => description.largest_page = 0,
            "small-promise" => description.largest_page = 3,
            "costly-details" => {
                description.operations[0].details = AccountDetails::LAST_SIGN_IN;
            }
            "events-again" => description.operations.push(OperationDescription {
                operation: Operation::ListEvents,
                ..description.operations[0].clone()
            }),
            "few-outcomes" => {
                for operation in &mut description.operations {
                    operation.outcomes.truncate(1);
                }
            }
            _ => {}
        }
        description
    }

    fn check() -> Result<CheckReport, Failure> {
        spoiled(with_directory(|_| {
            let mut report = describe::report();
            if fault() == "forgetful-check" {
                report.operations.pop();
            }
            Ok(report)
        }))
    }

    fn list(mut request: ListRequest) -> Result<Page, Failure> {
        let fault = fault();
        match (&*fault, &request.cursor) {
            ("empty-events", _) if request.kinds == ResourceKinds::EVENTS => {
                return Ok(empty_page());
            }
            ("events-again", _) if request.kinds == ResourceKinds::EVENTS => return Ok(one_event()),
            ("own-cursors", Some(cursor)) if !GIVEN.with_borrow(|given| given.contains(cursor)) => {
                return Err(failure(
                    Error::InvalidCursor,
                    "this is one of another instance",
                ));
            }
            ("ignored-filters", _) => request.filter = nothing_filtered(),
            _ => {}
        }
        let listed = with_directory(|directory| list::page(directory, &request));
        let mut page = match (&*fault, listed) {
            ("no-settings-needed", Err(_)) => empty_page(),
            // As if there were none: the listing starts anew.
            (
                "any-cursor",
                Err(Failure {
                    error: Error::InvalidCursor,
                    ..
                }),
            ) => {
                request.cursor = None;
                with_directory(|directory| list::page(directory, &request))?
            }
            (_, listed) => spoiled(listed)?,
        };
        match &*fault {
            "lost-items" if request.cursor.is_some() => {
                page.items.pop();
            }
            "costly-details" if request.details != AccountDetails::empty() => page.items.clear(),
            "out-of-order" => page.items.reverse(),
            _ => {}
        }
        if let Continuation::More(cursor) = &page.next {
            GIVEN.with_borrow_mut(|given| given.push(cursor.clone()));
        }
        Ok(page)
    }

    fn grant(assignment: Assignment, mode: Mode) -> Result<Change, Failure> {
        written(mode, |directory, mode| {
            write::grant(directory, &assignment, mode)
        })
    }

    fn revoke(assignment: Assignment, mode: Mode) -> Result<Change, Failure> {
        assert!(fault() != "trap", "as it was told to");
        written(mode, |directory, mode| {
            write::revoke(directory, &assignment, mode)
        })
    }

    fn provision(mut request: ProvisionRequest, mode: Mode) -> Result<Change, Failure> {
        if let ("unknown-fields", ProvisionRequest::Update(update)) = (&*fault(), &mut request) {
            update
                .fields
                .retain(|(name, _)| !name.starts_with("no-such"));
        }
        written(mode, |directory, mode| {
            write::provision(directory, &request, mode)
        })
    }
}

/// The fault to have: none where the host does not say.
fn fault() -> String {
    host::get("fault").ok().flatten().unwrap_or_default()
}

fn with_directory<T>(
    call: impl FnOnce(&mut Directory) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let settings = Settings::load()?;
    DIRECTORY.with_borrow_mut(|directory| {
        call(directory.get_or_insert_with(|| Directory::new(settings.directory_size)))
    })
}

/// Writes, and says of it what the fault makes of it.
fn written(
    mode: Mode,
    write: impl FnOnce(&mut Directory, Mode) -> Result<Change, Failure>,
) -> Result<Change, Failure> {
    let fault = fault();
    let done_in = match &*fault {
        "plan-writes" => Mode::Apply,
        "only-plans" => Mode::Plan,
        _ => mode,
    };
    let written = with_directory(|directory| write(directory, done_in));
    let wrong_kind = Error::Refused(RefusalReason::WrongAccountKind);
    match (&*fault, written) {
        ("plan-writes", Ok(change)) if mode == Mode::Plan => Ok(Change {
            outcome: Outcome::WouldChange,
            ..change
        }),
        ("only-plans", Ok(change)) if mode == Mode::Apply => Ok(Change {
            outcome: Outcome::Changed,
            account: Some("a0".to_string()),
            ..change
        }),
        ("always-changed", Ok(change)) if mode == Mode::Apply => Ok(Change {
            outcome: Outcome::Changed,
            ..change
        }),
        ("any-kind", Err(failure)) if failure.error == wrong_kind => Ok(Change {
            outcome: Outcome::Changed,
            steps: Vec::new(),
            account: None,
        }),
        (_, written) => spoiled(written),
    }
}

/// A failure, told badly where that is the fault.
fn spoiled<T>(answer: Result<T, Failure>) -> Result<T, Failure> {
    answer.map_err(|failure| match &*fault() {
        "vague" => Failure {
            error: Error::Other,
            ..failure
        },
        "silent" => Failure {
            message: String::new(),
            ..failure
        },
        "telling" => {
            let secret = host::get(CLIENT_SECRET).ok().flatten().unwrap_or_default();
            Failure {
                message: format!("{} ({secret})", failure.message),
                ..failure
            }
        }
        _ => failure,
    })
}

fn nothing_filtered() -> Filter {
    Filter {
        id: None,
        email: None,
        account_kind: None,
        account: None,
        role: None,
        since: None,
    }
}

fn empty_page() -> Page {
    Page {
        items: Vec::new(),
        notices: Vec::new(),
        next: Continuation::Complete(Summary {
            counts: Counts {
                accounts: 0,
                roles: 0,
                grants: 0,
                organizations: 0,
                events: 0,
            },
            resume: None,
        }),
    }
}

/// The same event, whatever was given before.
fn one_event() -> Page {
    let mut page = empty_page();
    page.items.push(Item::Event(Event {
        id: "e1".to_string(),
        kind: EventKind::SignedIn,
        time: None,
        account: None,
        message: None,
        attributes: Vec::new(),
    }));
    if let Continuation::Complete(summary) = &mut page.next {
        summary.counts.events = 1;
        summary.resume = Some("after e1".to_string());
    }
    page
}

contract::export!(Component with_types_in contract);
