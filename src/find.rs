//! Looking accounts up, by identifier and by address.

use crate::ninjaone::Api;
use crate::ninjaone::error::{Error, Kind, Problem};
use crate::ninjaone::wire::{Id, User, UserType};
use crate::same;

/// What is wrong with an element without an identifier.
pub(crate) const NO_ID: &str = "has no id that is a whole number";

/// The user with that identifier among users of these types, with its type; `None` where there is none.
///
/// The endpoints for one type of user do not say for sure that somebody is not there. NinjaOne says so with 404 or with 400
/// ("Bad request or invalid user type"), which of them is not known; a gateway says 404 too; and endpoints have failed for
/// weeks (500) for users of the other type. So what one endpoint says keeps nobody from the other, and where neither has the
/// user, the list of all users decides.
///
/// # Errors
///
/// When the user is listed and cannot be read, or nobody can tell.
pub(crate) fn user(
    api: &Api,
    id: Id,
    types: &[UserType],
) -> Result<Option<(UserType, User)>, Error> {
    api.retries.repeating(|| {
        let mut failures = Vec::new();
        for user_type in types {
            match api.user(*user_type, id) {
                Ok(user) => return Ok(Some((*user_type, user))),
                Err(error) if is_about_one_endpoint(&error) => failures.push((*user_type, error)),
                Err(error) => return Err(error),
            }
        }
        match failure_that_stands(listed(api, id)?, types, failures) {
            Some(failure) => Err(failure),
            None => Ok(None),
        }
    })
}

/// Whether a user of that type, who was there, is neither found nor listed, as a user of whichever type.
///
/// # Errors
///
/// When nobody can tell.
pub(crate) fn is_gone(api: &Api, id: Id, user_type: UserType) -> Result<bool, Error> {
    api.retries.repeating(|| {
        let failure = match api.user(user_type, id) {
            Ok(_) => return Ok(false),
            Err(error) if is_about_one_endpoint(&error) => error,
            Err(error) => return Err(error),
        };
        let says_no = matches!(failure.kind(), Kind::NotFound | Kind::Rejected);
        match listed(api, id)? {
            // A token that may not see some users may get a list without them.
            Listed::Missing if matches!(failure.kind(), Kind::MissingPermission(_)) => Err(failure),
            Listed::Missing => Ok(true),
            // It may still be on its way out, or the list may prove nothing.
            Listed::Here(_) | Listed::Empty if says_no => Ok(false),
            Listed::Here(_) | Listed::Empty => Err(failure),
        }
    })
}

/// Whether a failure says something of an endpoint or of a user, and not of the connection.
fn is_about_one_endpoint(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::NotFound
            | Kind::Rejected
            | Kind::NoSuchEndpoint
            | Kind::MissingPermission(_)
            | Kind::Upstream
            | Kind::Malformed(_)
    )
}

/// What the list of users says of one of them.
enum Listed {
    /// The user is there. With the type, where it is one that is known here.
    Here(Option<UserType>),
    /// Others are there.
    Missing,
    /// Nobody is there. Somebody made the API application, so this list proves nothing.
    Empty,
}

/// Looks for a user in the list of all users, to its end: a list that breaks off is an error, and so is one with somebody in it
/// whose identifier cannot be read, who may be the one.
fn listed(api: &Api, id: Id) -> Result<Listed, Error> {
    let mut users = api.users(None)?;
    let mut listed = Listed::Empty;
    let mut unreadable = None;
    while let Some(user) = users.try_next()? {
        if user.id == Some(id) {
            let user_type = user.user_type.as_deref().and_then(UserType::from_api);
            listed = Listed::Here(user_type);
        } else if matches!(listed, Listed::Empty) {
            listed = Listed::Missing;
        }
        if user.id.is_none() && unreadable.is_none() {
            unreadable = Some(users.malformed(NO_ID));
        }
    }
    match (listed, unreadable) {
        (Listed::Missing, Some(unreadable)) => Err(unreadable),
        (listed, _) => Ok(listed),
    }
}

/// Of what the endpoints said, what stands against the list of users; `None` where the user is not there.
fn failure_that_stands(
    listed: Listed,
    types: &[UserType],
    mut failures: Vec<(UserType, Error)>,
) -> Option<Error> {
    let stands = match listed {
        // A token that may not see some users may get a list without them.
        Listed::Missing => failures
            .iter()
            .position(|(_, error)| matches!(error.kind(), Kind::MissingPermission(_)))?,
        Listed::Here(Some(user_type)) => types.iter().position(|asked| *asked == user_type)?,
        Listed::Here(None) | Listed::Empty => failures.len().checked_sub(1)?,
    };
    Some(failures.swap_remove(stands).1)
}

/// The user with that address, among users of both types; `None` where there is none. Addresses are compared so that no
/// person gets two accounts: see [`same::address`].
///
/// NinjaOne has no search by address, so this reads the list of all users, to its end: one that breaks off is an error.
pub(crate) fn by_email(api: &Api, email: &str) -> Result<Option<User>, Error> {
    api.retries.repeating(|| {
        let mut users = api.users(None)?;
        let mut found = None;
        let mut is_empty = true;
        while let Some(user) = users.try_next()? {
            is_empty = false;
            if found.is_none()
                && user
                    .email
                    .as_ref()
                    .is_some_and(|own| same_address(own, email))
            {
                found = Some(user);
            }
        }
        match is_empty {
            // Somebody made the API application, so such a list proves nothing.
            true => Err(users.unbelievable("nobody is in it")),
            false => Ok(found),
        }
    })
}

/// Whether two addresses may be those of one person: see [`same::address`].
pub(crate) fn same_address(one: &str, other: &str) -> bool {
    same::address(one) == same::address(other)
}

/// Reads an identifier, and notes a problem where it is none.
pub(crate) fn parse_id(field: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Id> {
    let id = Id::parse(text);
    if id.is_none() {
        let problem = format!("{:?} is not an identifier of NinjaOne's", same::start(text));
        problems.push(Problem::new(
            field,
            &problem,
            "give the whole number that a listing showed",
        ));
    }
    id
}
