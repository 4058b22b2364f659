//! Looking accounts up, by identifier and by address.

use crate::error::{Error, Kind, Problem};
use crate::ninjaone::Api;
use crate::ninjaone::wire::{Id, User, UserType};

/// The user with that identifier among users of these types, with its type; `None` where there is none.
///
/// NinjaOne says that a user is not of a type with 404 or with 400 ("Bad request or invalid user type"), which of them is
/// not known. Where there is a 400, the list of users decides, lest a request that was merely refused be taken for "there is
/// no such account".
pub(crate) fn user(
    api: &Api,
    id: Id,
    types: &[UserType],
) -> Result<Option<(UserType, User)>, Error> {
    let mut refusals = Vec::new();
    for user_type in types {
        match api.user(*user_type, id) {
            Ok(Some(user)) => return Ok(Some((*user_type, user))),
            Ok(None) => {}
            Err(error) if matches!(error.kind(), Kind::Rejected) => refusals.push(error),
            Err(error) => return Err(error),
        }
    }
    match refusals.pop() {
        Some(refusal) if is_listed(api, id, types)? => Err(refusal),
        _ => Ok(None),
    }
}

/// Whether the list of users has that user, with one of these types.
fn is_listed(api: &Api, id: Id, types: &[UserType]) -> Result<bool, Error> {
    api.retries.repeating(|| {
        let mut users = api.users(None)?;
        let mut listed = false;
        while let Some(user) = users.try_next()? {
            let user_type = user.user_type.as_deref().and_then(UserType::from_api);
            listed |=
                user.id == Some(id) && user_type.is_none_or(|user_type| types.contains(&user_type));
        }
        Ok(listed)
    })
}

/// The user with that address, compared without regard to case, among users of both types; `None` where there is none.
///
/// NinjaOne has no search by address, so this reads the list of all users, to its end: one that breaks off is an error.
pub(crate) fn by_email(api: &Api, email: &str) -> Result<Option<User>, Error> {
    api.retries.repeating(|| {
        let mut users = api.users(None)?;
        let mut found = None;
        while let Some(user) = users.try_next()? {
            if found.is_none()
                && user
                    .email
                    .as_ref()
                    .is_some_and(|own| same_address(own, email))
            {
                found = Some(user);
            }
        }
        Ok(found)
    })
}

/// Whether two addresses are the same but for the case of ASCII letters. Other letters are compared as they are: whether
/// NinjaOne tells them apart is not known.
pub(crate) fn same_address(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Reads an identifier, and notes a problem where it is none.
pub(crate) fn parse_id(field: &str, text: &str, problems: &mut Vec<Problem>) -> Option<Id> {
    let id = Id::parse(text);
    if id.is_none() {
        let problem = format!("{text:?} is not an identifier of NinjaOne's");
        problems.push(Problem::new(
            field,
            &problem,
            "give the whole number that a listing showed",
        ));
    }
    id
}
