//! What each cell of the matrix has to end in.
//!
//! | what is hit | what is right |
//! | --- | --- |
//! | a read, or the token | the right result where the fault is harmless, or passes before the connector or the host has tried often enough; else the fault's own error |
//! | a write that was not carried out | the same, but a create is sent again only where it was certainly not carried out; where the answer says that it was, `unconfirmed`, or that the answer makes no sense |
//! | the answer to a write that was carried out | the right result, since the connector looks |
//! | that answer, and every one after it | the fault's own error, or `unconfirmed`: nobody can tell what became of the write |

use super::catalogue::{Class, Expected, Fault, NO_MEMBERS, Place, Times, What};
use super::operations::{Hit, Operation};

/// The outcomes that are right for a cell.
#[derive(Debug)]
pub struct Rule {
    /// The right result.
    pub right: bool,
    /// One of these errors. Where the first roles of a create are hit, as the reason of a step of a partly done change.
    pub errors: Vec<Expected>,
}

/// Where the request for a token differs from other reads: there are no identifiers in its answer, it is short, and the error
/// that a status stands for is about the credentials. `None`: the result is right.
pub const TOKENS_DIFFER: [(&str, Option<Expected>); 13] = [
    ("endless body", Some(Expected::Malformed)),
    ("HTTP/2: endless body", Some(Expected::Malformed)),
    ("10 MB of text", Some(Expected::Malformed)),
    ("401 once", Some(Expected::Unauthorized)),
    ("403", Some(Expected::Unauthorized)),
    ("ids of another type", None),
    ("ids beyond int32", None),
    ("negative ids", None),
    ("roles without members", None),
    ("odd values", Some(Expected::Malformed)),
    ("duplicate ids", None),
    ("10 000 levels", None),
    ("nulls everywhere", Some(Expected::Malformed)),
];

/// What is right for a cell; `None` where there is no such cell.
pub fn rule(fault: &Fault, operation: Operation, hit: Hit, times: Times) -> Option<Rule> {
    // A silence is one that lasts.
    let lasts = times == Times::Always;
    if !fault.times.contains(&times) || (hit.is_silence() && !lasts) {
        return None;
    }
    match fault.what {
        // It is no one request that is hit: once for each operation, and only where there are pages.
        What::OneStream if hit != Hit::Reads => return None,
        What::Pause(_) if hit != Hit::Reads || !operation.is_list() => return None,
        What::Pause(_) => return Some(right()),
        // The token is asked for before there is a connection to be without room; and what has no body needs none.
        What::NoRoom if hit == Hit::Tokens || hit == Hit::Reads => return None,
        What::NoRoom if operation == Operation::Delete => return None,
        // A write goes over a connection of its own, on which it may be sent before the host knows that there is no room.
        What::NoRoom if !hit.is_carried_out() => return Some(right().or(fault.error)),
        _ => {}
    }
    Some(match hit {
        Hit::Reads => read(fault, operation, lasts),
        Hit::Tokens => token(fault, operation, lasts),
        Hit::Unseen | Hit::UnseenRoles => unseen(fault, operation, hit, lasts),
        // An answer that says that nothing was done, to what was done, is no fault but a lie.
        _ if fault.denies() => return None,
        Hit::Answers | Hit::RoleAnswers => right(),
        Hit::Silence | Hit::RoleSilence => silence(fault, operation),
    })
}

fn read(fault: &Fault, operation: Operation, lasts: bool) -> Rule {
    let is_check = operation == Operation::Check;
    match fault.class {
        // Activities come one older than the other: there is no second one of the same number among them.
        Class::Harmless if fault.name == "duplicate ids" => match operation {
            Operation::ListEvents => error(Expected::Malformed),
            // Among others it reads the sign-ins of technicians, and there may be only one.
            Operation::ListAccountsInDetail => right().or(Expected::Malformed),
            _ => right(),
        },
        Class::Harmless | Class::StaleToken => right(),
        Class::Bare => bare(fault, operation),
        Class::Definite if may_be_passed_over(fault, operation) => right().or(fault.error),
        Class::Passing if !lasts && !is_check => right(),
        _ if !lasts && fault.is_dead() => right(),
        // Of lists, `check` reads the beginning.
        _ if is_check && fault.place == Place::Body => right().or(fault.error),
        _ => error(fault.error),
    }
}

/// A list of what has nothing but an identifier is whole all the same. Whether an account may be deleted cannot be told then. Who
/// holds a role cannot be told where a role comes without members: a grant relies on the answer to it, and a revocation is not
/// confirmed while it is so.
fn bare(fault: &Fault, operation: Operation) -> Rule {
    match operation {
        Operation::Revoke if fault.name == NO_MEMBERS => right().or(Expected::Unconfirmed),
        _ if fault.name == NO_MEMBERS => right(),
        Operation::Update => right().or(Expected::Unconfirmed),
        Operation::Delete => error(Expected::Refused),
        _ => right(),
    }
}

/// Whether a fault is none for some operations, since they do not read what it is in: the members of what no place is kept for, and
/// the identifiers of users, where one is looked for by address.
fn may_be_passed_over(fault: &Fault, operation: Operation) -> bool {
    let creates = matches!(
        operation,
        Operation::CreateTechnician | Operation::CreateEndUser
    );
    match fault.name.as_str() {
        "ids of another type" | "negative ids" => {
            creates || operation == Operation::ListAccountsInDetail
        }
        "ids beyond int32" => {
            creates
                || matches!(
                    operation,
                    Operation::ListAccountsInDetail | Operation::ListEvents
                )
        }
        "invalid UTF-8" => matches!(
            operation,
            Operation::ListAccountsInDetail | Operation::ListEvents
        ),
        _ => false,
    }
}

fn token(fault: &Fault, operation: Operation, lasts: bool) -> Rule {
    let differs = TOKENS_DIFFER.iter().find(|(name, _)| *name == fault.name);
    match differs {
        Some((_, None)) => right(),
        Some((_, Some(other))) => error(*other),
        None if fault.class == Class::Passing && !lasts && operation != Operation::Check => right(),
        None if fault.class == Class::Harmless => right(),
        None => error(fault.error),
    }
}

fn unseen(fault: &Fault, operation: Operation, hit: Hit, lasts: bool) -> Rule {
    let is_create = !hit.is_of_first_roles()
        && matches!(
            operation,
            Operation::CreateTechnician | Operation::CreateEndUser
        );
    let certainly_not_done = fault.place == Place::Refused || matches!(fault.what, What::Refusal);
    match fault.class {
        Class::StaleToken => right(),
        _ if matches!(operation, Operation::Update | Operation::Delete)
            && fault.place == Place::Body =>
        {
            // Nothing is read of the answer, which says that it was done.
            error(Expected::Unconfirmed)
        }
        Class::Passing if !lasts && (!is_create || certainly_not_done) => right(),
        _ if fault.place == Place::Body => error(fault.error)
            .or(Expected::Malformed)
            .or(Expected::Unconfirmed),
        _ => error(fault.error),
    }
}

fn silence(fault: &Fault, operation: Operation) -> Rule {
    match fault.class {
        Class::Harmless => right(),
        // That an account is gone is told by the status of an answer, whatever is in its body.
        Class::Definite if operation == Operation::Delete && fault.place == Place::Body => {
            right().or(fault.error)
        }
        Class::Bare => right().or(Expected::Malformed).or(Expected::Unconfirmed),
        _ => error(fault.error).or(Expected::Unconfirmed),
    }
}

fn right() -> Rule {
    Rule {
        right: true,
        errors: Vec::new(),
    }
}

fn error(error: Expected) -> Rule {
    Rule {
        right: false,
        errors: vec![error],
    }
}

impl Rule {
    fn or(mut self, error: Expected) -> Self {
        self.errors.push(error);
        self
    }
}
