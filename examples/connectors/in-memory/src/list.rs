//! Listing: everything that was asked for in a fixed order, of which each page is a part.
//!
//! A cursor is the number of items that were given and a digest of them. Where the directory still has those items, it goes on
//! after them, in any instance; where it does not, it says so.

use crate::contract::{
    Continuation, Counts, Error, Failure, Filter, FilterFields, Grant, Item, ListRequest,
    Operation, Page, ResourceKinds, Role, Summary, failure, problem, refuse_problems,
};
use crate::describe::{LARGEST_PAGE, OPERATIONS};
use crate::directory::Directory;

/// The items on a page where the host does not say.
const USUAL_PAGE: u32 = 50;

const LISTINGS: [(ResourceKinds, Operation, &str); 5] = [
    (ResourceKinds::ACCOUNTS, Operation::ListAccounts, "accounts"),
    (ResourceKinds::ROLES, Operation::ListRoles, "roles"),
    (ResourceKinds::GRANTS, Operation::ListGrants, "grants"),
    (
        ResourceKinds::ORGANIZATIONS,
        Operation::ListOrganizations,
        "organizations",
    ),
    (ResourceKinds::EVENTS, Operation::ListEvents, "events"),
];

/// One page.
pub fn page(directory: &Directory, request: &ListRequest) -> Result<Page, Failure> {
    check(request)?;
    let items = select(directory, request.kinds, &request.filter);
    let start = match &request.cursor {
        None => 0,
        Some(cursor) => place(cursor, request, &items).ok_or_else(|| {
            let message = "this cursor is not one of this listing, or its place is gone; start anew without a cursor";
            failure(Error::InvalidCursor, message)
        })?,
    };
    let limit = request.limit.filter(|limit| *limit > 0);
    let limit = limit.unwrap_or(USUAL_PAGE).min(LARGEST_PAGE) as usize;
    let end = items.len().min(start + limit);
    let next = if end < items.len() {
        Continuation::More(cursor(request, &items[..end]))
    } else {
        Continuation::Complete(Summary {
            counts: count(&items),
            resume: None,
        })
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
    let fields = [
        (filter.id.is_some(), FilterFields::ID, "filter.id"),
        (filter.email.is_some(), FilterFields::EMAIL, "filter.email"),
        (
            filter.account_kind.is_some(),
            FilterFields::ACCOUNT_KIND,
            "filter.account-kind",
        ),
        (
            filter.account.is_some(),
            FilterFields::ACCOUNT,
            "filter.account",
        ),
        (filter.role.is_some(), FilterFields::ROLE, "filter.role"),
        (filter.since.is_some(), FilterFields::SINCE, "filter.since"),
    ];
    let mut problems = Vec::new();
    for (_, name, title) in LISTINGS
        .iter()
        .filter(|(kind, ..)| request.kinds.contains(*kind))
    {
        let Some(operation) = OPERATIONS.iter().find(|operation| operation.name == *name) else {
            let message = format!("the directory keeps no {title}");
            return Err(failure(Error::Unsupported(*name), message));
        };
        for (given, field, key) in fields {
            if given && !operation.filters.contains(field) {
                problems.push(problem(
                    key,
                    &format!("it does not apply to {title}"),
                    "leave it out",
                ));
            }
        }
    }
    refuse_problems(problems)
}

/// All that was asked for, in the order of the contract.
fn select(directory: &Directory, kinds: ResourceKinds, filter: &Filter) -> Vec<Item> {
    let mut items = Vec::new();
    if kinds.contains(ResourceKinds::ACCOUNTS) {
        let accounts = directory.accounts.iter().filter(|account| {
            let address = account.email.as_deref().unwrap_or_default();
            wants(&filter.id, &account.id)
                && filter
                    .email
                    .as_ref()
                    .is_none_or(|email| email.eq_ignore_ascii_case(address))
                && (filter.account_kind.is_none() || filter.account_kind == account.kind)
        });
        items.extend(accounts.cloned().map(Item::Account));
    }
    for role in &directory.roles {
        if !wants(&filter.role, &role.id)
            || (filter.account_kind.is_some() && filter.account_kind != role.account_kind)
        {
            continue;
        }
        let members = directory.members.iter().filter(|(of, _)| *of == role.id);
        if kinds.contains(ResourceKinds::GRANTS) {
            let members = members
                .clone()
                .filter(|(_, account)| wants(&filter.account, account));
            items.extend(members.map(|(role, account)| {
                Item::Grant(Grant {
                    account: account.clone(),
                    role: role.clone(),
                    source: None,
                    attributes: Vec::new(),
                })
            }));
        }
        if kinds.contains(ResourceKinds::ROLES) && wants(&filter.id, &role.id) {
            items.push(Item::Role(Role {
                member_count: Some(members.count() as u64),
                ..role.clone()
            }));
        }
    }
    if kinds.contains(ResourceKinds::ORGANIZATIONS) {
        let organizations = directory.organizations.iter();
        let organizations =
            organizations.filter(|organization| wants(&filter.id, &organization.id));
        items.extend(organizations.cloned().map(Item::Organization));
    }
    items
}

/// Whether a field of a filter lets this value through.
fn wants(field: &Option<String>, value: &str) -> bool {
    field.as_deref().is_none_or(|wanted| wanted == value)
}

fn count(items: &[Item]) -> Counts {
    let count = |is: fn(&Item) -> bool| items.iter().filter(|item| is(item)).count() as u64;
    Counts {
        accounts: count(|item| matches!(item, Item::Account(_))),
        roles: count(|item| matches!(item, Item::Role(_))),
        grants: count(|item| matches!(item, Item::Grant(_))),
        organizations: count(|item| matches!(item, Item::Organization(_))),
        events: 0,
    }
}

/// The cursor after these items of this listing.
fn cursor(request: &ListRequest, given: &[Item]) -> String {
    // The request is part of the digest, so that the cursor fits no other; FNV-1a, which every version computes alike.
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(&format!(
        "{:?} {:?} {:?}",
        request.kinds, request.filter, request.details
    ));
    for item in given {
        match item {
            Item::Account(account) => add(&account.id),
            Item::Role(role) => add(&role.id),
            Item::Grant(grant) => add(&format!("{} {}", grant.account, grant.role)),
            Item::Organization(organization) => add(&organization.id),
            Item::Event(event) => add(&event.id),
        }
    }
    format!("{}.{digest:016x}", given.len())
}

/// Where a cursor continues, if it is the one of that place.
fn place(text: &str, request: &ListRequest, items: &[Item]) -> Option<usize> {
    let place = text.split_once('.')?.0.parse().ok()?;
    let given = items.get(..place)?;
    (cursor(request, given) == text).then_some(place)
}
