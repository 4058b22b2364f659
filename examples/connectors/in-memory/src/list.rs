//! Listing: everything that was asked for in a fixed order, of which each page is a part.
//!
//! A cursor is the number of items that were given and a digest of them. Where the directory still has those items, it goes on
//! after them, in any instance; where it does not, it says so.

use crate::contract::{
    Continuation, Counts, Error, Failure, Filter, FilterFields, Item, ListRequest, Operation, Page,
    ResourceKinds, Summary, failure, problem, refuse,
};
use crate::describe::{self, LARGEST_PAGE};
use crate::directory::{Directory, kind_of_role};

/// The items on a page where the host does not say.
const USUAL_PAGE: u32 = 50;

const LISTINGS: [(ResourceKinds, Operation); 5] = [
    (ResourceKinds::ACCOUNTS, Operation::ListAccounts),
    (ResourceKinds::ROLES, Operation::ListRoles),
    (ResourceKinds::GRANTS, Operation::ListGrants),
    (ResourceKinds::ORGANIZATIONS, Operation::ListOrganizations),
    (ResourceKinds::EVENTS, Operation::ListEvents),
];

/// One page.
pub fn page(directory: &Directory, request: &ListRequest) -> Result<Page, Failure> {
    check(request)?;
    let mut items = directory.items();
    items.retain(|item| request.kinds.contains(name(item).0) && is_wanted(item, &request.filter));
    let start = match &request.cursor {
        None => 0,
        Some(cursor) => place(cursor, request, &items).ok_or_else(|| {
            let message = "this cursor is of another listing, or its place is gone; start anew";
            failure(Error::InvalidCursor, message)
        })?,
    };
    let limit = request.limit.filter(|limit| *limit > 0);
    let limit = limit.unwrap_or(USUAL_PAGE).min(LARGEST_PAGE) as usize;
    let end = items.len().min(start + limit);
    let next = if end < items.len() {
        Continuation::More(cursor(request, &items[..end]))
    } else {
        let (counts, resume) = (count(&items), None);
        Continuation::Complete(Summary { counts, resume })
    };
    Ok(Page {
        items: items[start..end].to_vec(),
        notices: Vec::new(),
        next,
    })
}

/// Refuses what `describe` does not declare.
fn check(request: &ListRequest) -> Result<(), Failure> {
    let filter = &request.filter;
    let mut given = FilterFields::empty();
    given.set(FilterFields::ID, filter.id.is_some());
    given.set(FilterFields::EMAIL, filter.email.is_some());
    given.set(FilterFields::ACCOUNT_KIND, filter.account_kind.is_some());
    given.set(FilterFields::ACCOUNT, filter.account.is_some());
    given.set(FilterFields::ROLE, filter.role.is_some());
    given.set(FilterFields::SINCE, filter.since.is_some());
    let supported = describe::operations();
    let mut problems = Vec::new();
    let asked = |listing: &&(ResourceKinds, _)| request.kinds.contains(listing.0);
    for (_, listing) in LISTINGS.iter().filter(asked) {
        let Some(operation) = supported.iter().find(|of| of.operation == *listing) else {
            let message = "the directory keeps no record of that; see `describe`";
            return Err(failure(Error::Unsupported(*listing), message));
        };
        for (name, _) in given.difference(operation.filters).iter_names() {
            let field = format!("filter.{}", name.to_lowercase().replace('_', "-"));
            problems.push(problem(&field, "it does not apply", "leave it out"));
        }
    }
    refuse(problems, Error::InvalidArgument)
}

/// What an item is, and what identifies it.
fn name(item: &Item) -> (ResourceKinds, String) {
    match item {
        Item::Account(account) => (ResourceKinds::ACCOUNTS, account.id.clone()),
        Item::Role(role) => (ResourceKinds::ROLES, role.id.clone()),
        Item::Grant(of) => (ResourceKinds::GRANTS, format!("{} {}", of.account, of.role)),
        Item::Organization(of) => (ResourceKinds::ORGANIZATIONS, of.id.clone()),
        Item::Event(event) => (ResourceKinds::EVENTS, event.id.clone()),
    }
}

/// Whether a filter lets an item through. Fields that do not apply to it were refused before.
fn is_wanted(item: &Item, filter: &Filter) -> bool {
    let email = filter.email.as_ref().map(|email| email.to_lowercase());
    let (kind, account) = (&filter.account_kind, &filter.account);
    let wanted = [&filter.id, &email, kind, account, &filter.role];
    let mut pairs = wanted.into_iter().zip(facts(item));
    pairs.all(|(wanted, fact)| wanted.is_none() || *wanted == fact)
}

/// What filters go by: the identifier, address, kind, account and role of an item.
fn facts(item: &Item) -> [Option<String>; 5] {
    match item.clone() {
        Item::Account(account) => {
            let email = account.email.map(|email| email.to_lowercase());
            [Some(account.id), email, account.kind, None, None]
        }
        Item::Role(role) => {
            let id = Some(role.id);
            [id.clone(), None, role.account_kind, None, id]
        }
        Item::Grant(grant) => {
            let kind = kind_of_role(&grant.role).ok().flatten().map(str::to_string);
            [None, None, kind, Some(grant.account), Some(grant.role)]
        }
        Item::Organization(organization) => [Some(organization.id), None, None, None, None],
        Item::Event(_) => Default::default(),
    }
}

fn count(items: &[Item]) -> Counts {
    let count = |kind| items.iter().filter(|item| name(item).0 == kind).count() as u64;
    Counts {
        accounts: count(ResourceKinds::ACCOUNTS),
        roles: count(ResourceKinds::ROLES),
        grants: count(ResourceKinds::GRANTS),
        organizations: count(ResourceKinds::ORGANIZATIONS),
        events: count(ResourceKinds::EVENTS),
    }
}

/// The cursor after these items of this listing. The request is part of the digest, so that it fits no other listing.
fn cursor(request: &ListRequest, given: &[Item]) -> String {
    let (kinds, filter, details) = (request.kinds, &request.filter, request.details);
    let names: Vec<_> = given.iter().map(|item| name(item).1).collect();
    let text = format!("{kinds:?} {filter:?} {details:?} {names:?}");
    // FNV-1a, which every version computes alike.
    let digest = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |digest: u64, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{}.{digest:016x}", given.len())
}

/// Where a cursor continues, if it is the one of that place.
fn place(text: &str, request: &ListRequest, items: &[Item]) -> Option<usize> {
    let place = text.split_once('.')?.0.parse().ok()?;
    let given = items.get(..place)?;
    (cursor(request, given) == text).then_some(place)
}
