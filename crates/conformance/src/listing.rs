//! Whether listings are whole, in order, and cut where they are told to be.

use std::collections::BTreeSet;

use super::CallError;
use super::run::{
    Caller, Checked, Fault, Run, broken, detailed, expect_error, filtered, name, names, not_tried,
};
use connector_contract::{
    AccountDetails, Continuation, Error, Filter, FilterFields, Item, ListRequest, Operation,
    ResourceKinds,
};

/// How many pages of few items are compared, so that a large tenant does not take for ever.
const PAGES: usize = 100;

pub(super) async fn pages_add_up(run: &mut Run) -> Checked {
    let mut told = Vec::new();
    for (kind, _, title) in run.listings() {
        let all = names(&run.all(kind).await?);
        if let Some(twice) = first_twice(&all) {
            return broken(format!("{title}: {twice} was given twice"));
        }
        for limit in [1, 7] {
            let request = ListRequest {
                limit: Some(limit),
                ..ListRequest::everything(kind)
            };
            let listed = run.fresh().pages(request, PAGES).await?;
            let got = names(&listed.items);
            let expected = match listed.summary {
                Some(_) => &all[..],
                None => &all[..got.len().min(all.len())],
            };
            same(&format!("{title} by pages of {limit}"), expected, &got)?;
        }
        told.push(format!("{} {title}", all.len()));
    }
    listings_told(&told)
}

pub(super) async fn largest_page_is_kept(run: &mut Run) -> Checked {
    let largest = run.description.largest_page as usize;
    let mut most = 0;
    for (kind, _, title) in run.listings() {
        for limit in [None, Some(0), Some(u32::MAX)] {
            let request = ListRequest {
                limit,
                ..ListRequest::everything(kind)
            };
            let page = run.fresh().list(&request).await?;
            if page.items.len() > largest {
                let got = page.items.len();
                return broken(format!(
                    "{title}: a page of {got} items, where {largest} is the most"
                ));
            }
            if page.items.is_empty() && !run.all(kind).await?.is_empty() && limit == Some(0) {
                return broken(format!(
                    "{title}: the limit 0 is the connector's choice, and it gave nothing"
                ));
            }
            most = most.max(page.items.len());
        }
    }
    Ok(format!("at most {most} items on a page, of {largest}"))
}

pub(super) async fn kinds_together(run: &mut Run) -> Checked {
    let listings = run.listings();
    if listings.len() < 2 {
        return not_tried("there is one listing only");
    }
    let kinds = listings
        .iter()
        .fold(ResourceKinds::empty(), |kinds, (kind, ..)| kinds | *kind);
    let together = run.all(kinds).await?;
    let mut apart = BTreeSet::new();
    for (kind, ..) in &listings {
        apart.extend(names(&run.all(*kind).await?));
    }
    let got: BTreeSet<_> = names(&together).into_iter().collect();
    if let Some(difference) = got.symmetric_difference(&apart).next() {
        return broken(format!("{difference} is in one of the two listings only"));
    }
    // Roles and grants share a place: the grants of a role come before it, and after the role before it.
    let place = |item: &Item| match item {
        Item::Account(_) => 0,
        Item::Role(_) | Item::Grant(_) => 1,
        Item::Organization(_) => 2,
        Item::Event(_) => 3,
    };
    if !together.is_sorted_by_key(place) {
        return broken("the kinds are not in the order of resource-kinds");
    }
    if kinds.contains(ResourceKinds::ROLES) {
        let mut waiting: Option<&String> = None;
        for item in together.iter() {
            match item {
                Item::Grant(grant) => {
                    if waiting.is_some_and(|role| *role != grant.role) {
                        return broken(format!(
                            "the grants of {} end without the role",
                            grant.role
                        ));
                    }
                    waiting = Some(&grant.role);
                }
                Item::Role(role) if waiting.is_some_and(|waiting| *waiting != role.id) => {
                    return broken(format!(
                        "the role {} comes among the grants of another",
                        role.id
                    ));
                }
                _ => waiting = None,
            }
        }
    }
    Ok(format!("{} items, in order", together.len()))
}

pub(super) async fn details(run: &mut Run) -> Checked {
    run.needs(Operation::ListAccounts)?;
    let declared = run
        .operation(Operation::ListAccounts)
        .map_or(AccountDetails::empty(), |operation| operation.details);
    if declared == AccountDetails::empty() {
        return not_tried("no detail is declared");
    }
    let expected = names(&run.all(ResourceKinds::ACCOUNTS).await?);
    for detail in [AccountDetails::LAST_SIGN_IN, AccountDetails::MANAGEMENT] {
        if declared.contains(detail) {
            let listed = run.fresh().pages(detailed(detail), usize::MAX).await?;
            let (expected, got) = (sorted(expected.clone()), sorted(names(&listed.items)));
            same(
                &format!("accounts with {}", detail.names().join(" ")),
                &expected,
                &got,
            )?;
        }
    }
    Ok(declared.names().join(", "))
}

pub(super) async fn cursors_continue(run: &mut Run) -> Checked {
    let mut told = Vec::new();
    for (kind, _, title) in run.listings() {
        let all = names(&run.all(kind).await?);
        let Some((mut first, request)) = first_page(run.fresh(), kind).await? else {
            continue;
        };
        let given = all.len().min(first.given);
        let rest = &all[given..];
        let answers = [
            (
                "the same instance",
                first.connector.pages(request.clone(), PAGES).await?,
            ),
            ("a fresh instance", run.fresh().pages(request, PAGES).await?),
        ];
        for (place, listed) in answers {
            let got = names(&listed.items);
            let expected = &rest[..got.len().min(rest.len())];
            let expected = if listed.summary.is_some() {
                rest
            } else {
                expected
            };
            same(
                &format!("{title} after {given}, in {place}"),
                expected,
                &got,
            )?;
        }
        told.push(title.to_string());
    }
    listings_told(&told)
}

pub(super) async fn foreign_cursors_are_refused(run: &mut Run) -> Checked {
    let mut told = Vec::new();
    let mut foreign: Option<(String, &str)> = None;
    for (kind, operation, title) in run.listings() {
        let request = |cursor: &str| ListRequest {
            cursor: Some(cursor.to_string()),
            ..ListRequest::everything(kind)
        };
        let mut cursors = vec![
            (
                "one that was made up".to_string(),
                request("no cursor of anybody"),
            ),
            ("an empty one".to_string(), request("")),
        ];
        if let Some((cursor, of)) = &foreign {
            cursors.push((format!("one of {of}"), request(cursor)));
        }
        if let Some((_, page)) = first_page(run.fresh(), kind).await? {
            let cursor = page.cursor.unwrap_or_default();
            let half: String = cursor.chars().take(cursor.chars().count() / 2).collect();
            cursors.push(("half of one".to_string(), request(&half)));
            cursors.push((
                "one with more to it".to_string(),
                request(&format!("{cursor}~")),
            ));
            for place in 0..cursor.chars().count() {
                let what = format!("one with its character {place} changed");
                cursors.push((what, request(&with_one_changed(&cursor, place))));
            }
            if operation.filters.contains(FilterFields::ID) {
                let mut request = request(&cursor);
                request.filter.id = Some("1".to_string());
                cursors.push(("one of another filter".to_string(), request));
            }
            foreign = Some((cursor, title));
        }
        for (what, request) in cursors {
            let answer = run.fresh().list(&request).await;
            let doing = format!("listing {title} with a cursor, {what}");
            expect_error(&doing, answer, "invalid-cursor", |error| {
                *error == Error::InvalidCursor
            })?;
        }
        told.push(title.to_string());
    }
    listings_told(&told)
}

pub(super) async fn events_resume(run: &mut Run) -> Checked {
    run.needs(Operation::ListEvents)?;
    let request = ListRequest::everything(ResourceKinds::EVENTS);
    let mut connector = run.fresh();
    let listed = connector.pages(request.clone(), usize::MAX).await?;
    let Some(resume) = listed.summary.and_then(|summary| summary.resume) else {
        return not_tried("the listing gave no cursor to resume from");
    };
    let request = ListRequest {
        cursor: Some(resume),
        ..request
    };
    let given: BTreeSet<_> = names(&listed.items).into_iter().collect();
    for mut connector in [connector, run.fresh()] {
        let later = connector.pages(request.clone(), usize::MAX).await?;
        if let Some(again) = names(&later.items)
            .iter()
            .find(|name| given.contains(*name))
        {
            return broken(format!("{again} was given again"));
        }
    }
    Ok(format!("none of {} events was given again", given.len()))
}

pub(super) async fn filters_are_exact(run: &mut Run) -> Checked {
    let mut told = Vec::new();
    let kinds: Vec<_> = run
        .description
        .account_kinds
        .iter()
        .map(|kind| kind.kind.clone())
        .collect();
    let roles = match run.operation(Operation::ListRoles) {
        Some(_) => run.all(ResourceKinds::ROLES).await?,
        None => Default::default(),
    };
    for (kind, operation, title) in run.listings() {
        let all = run.all(kind).await?;
        let filters = samples(kind, operation.filters, &all, &kinds);
        for request in &filters {
            let filter = &request.filter;
            let decided = |item: &&Item| is_decided(filter, item, &roles);
            let expected: Vec<_> = all
                .iter()
                .filter(decided)
                .filter(|item| matches(filter, item, &roles))
                .map(name)
                .collect();
            let listed = run.fresh().pages(request.clone(), usize::MAX).await?;
            let got: Vec<_> = listed.items.iter().filter(decided).map(name).collect();
            same(
                &format!("{title} with {}", filter_told(filter)),
                &sorted(expected),
                &sorted(got),
            )?;
        }
        told.push(format!("{} of {title}", filters.len()));
    }
    listings_told(&told)
}

/// Requests with each filter that is declared, for values that are there.
fn samples(
    kind: ResourceKinds,
    declared: FilterFields,
    all: &[Item],
    account_kinds: &[String],
) -> Vec<ListRequest> {
    let some: Vec<_> = [0, all.len() / 2, all.len().saturating_sub(1)]
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter_map(|place| all.get(place))
        .collect();
    let mut requests = Vec::new();
    let mut add = |field: FilterFields, set: &dyn Fn(&mut Filter)| {
        if declared.contains(field) {
            requests.push(filtered(kind, set));
        }
    };
    for account_kind in account_kinds {
        add(FilterFields::ACCOUNT_KIND, &|filter| {
            filter.account_kind = Some(account_kind.clone())
        });
    }
    add(FilterFields::EMAIL, &|filter| {
        filter.email = Some("nobody@example.invalid".to_string())
    });
    for item in some {
        match item {
            Item::Account(account) => {
                add(FilterFields::ID, &|filter| {
                    filter.id = Some(account.id.clone())
                });
                if let Some(email) = &account.email {
                    // The case does not matter.
                    add(FilterFields::EMAIL, &|filter| {
                        filter.email = Some(email.to_uppercase())
                    });
                }
            }
            Item::Role(role) => {
                add(FilterFields::ID, &|filter| {
                    filter.id = Some(role.id.clone())
                });
                add(FilterFields::ROLE, &|filter| {
                    filter.role = Some(role.id.clone())
                });
            }
            Item::Grant(grant) => {
                add(FilterFields::ACCOUNT, &|filter| {
                    filter.account = Some(grant.account.clone())
                });
                add(FilterFields::ROLE, &|filter| {
                    filter.role = Some(grant.role.clone())
                });
                let both = FilterFields::ACCOUNT | FilterFields::ROLE;
                add(both, &|filter| {
                    filter.account = Some(grant.account.clone());
                    filter.role = Some(grant.role.clone());
                });
            }
            Item::Organization(organization) => {
                add(FilterFields::ID, &|filter| {
                    filter.id = Some(organization.id.clone())
                });
            }
            Item::Event(event) => {
                if let Some(account) = &event.account {
                    add(FilterFields::ACCOUNT, &|filter| {
                        filter.account = Some(account.clone())
                    });
                }
                if let Some(time) = event.time {
                    add(FilterFields::SINCE, &|filter| filter.since = Some(time));
                }
            }
        }
    }
    requests
}

/// Whether an item is what a filter asks for.
fn matches(filter: &Filter, item: &Item, roles: &[Item]) -> bool {
    let is =
        |field: &Option<String>, value: Option<&String>| field.is_none() || field.as_ref() == value;
    match item {
        Item::Account(account) => {
            let address = account.email.as_ref().map(|email| email.to_lowercase());
            let wanted = filter.email.as_ref().map(|email| email.to_lowercase());
            is(&filter.id, Some(&account.id))
                && is(&filter.account_kind, account.kind.as_ref())
                && is(&wanted, address.as_ref())
        }
        Item::Role(role) => {
            is(&filter.id, Some(&role.id))
                && is(&filter.role, Some(&role.id))
                && is(&filter.account_kind, role.account_kind.as_ref())
        }
        Item::Grant(grant) => {
            is(&filter.account, Some(&grant.account))
                && is(&filter.role, Some(&grant.role))
                && is(&filter.account_kind, kind_of(&grant.role, roles))
        }
        Item::Organization(organization) => is(&filter.id, Some(&organization.id)),
        Item::Event(event) => {
            is(&filter.account, event.account.as_ref())
                && filter
                    .since
                    .is_none_or(|since| event.time.is_some_and(|time| time >= since))
        }
    }
}

/// Whether the contract decides if an item is what a filter asks for: not where a role that every kind of account can hold,
/// or one that cannot be looked up, is asked for by a kind.
fn is_decided(filter: &Filter, item: &Item, roles: &[Item]) -> bool {
    match item {
        _ if filter.account_kind.is_none() => true,
        Item::Role(role) => role.account_kind.is_some(),
        Item::Grant(grant) => kind_of(&grant.role, roles).is_some(),
        _ => true,
    }
}

fn kind_of<'a>(id: &str, roles: &'a [Item]) -> Option<&'a String> {
    roles.iter().find_map(|item| match item {
        Item::Role(role) if role.id == id => role.account_kind.as_ref(),
        _ => None,
    })
}

fn filter_told(filter: &Filter) -> String {
    let texts = [
        ("id", &filter.id),
        ("email", &filter.email),
        ("account-kind", &filter.account_kind),
        ("account", &filter.account),
        ("role", &filter.role),
    ];
    let given = texts
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?)));
    let since = filter.since.map(|since| format!("since {since}"));
    given.chain(since).collect::<Vec<_>>().join(" and ")
}

/// A cursor with another character in one place.
fn with_one_changed(cursor: &str, place: usize) -> String {
    let other = |c| if c == '1' { '2' } else { '1' };
    let characters = cursor.chars().enumerate();
    characters
        .map(|(at, c)| if at == place { other(c) } else { c })
        .collect()
}

/// A first page that is not the last.
struct FirstPage {
    connector: Caller,
    given: usize,
}

/// The first items of a listing, and the request for what follows; `None` where nothing does.
async fn first_page(
    mut connector: Caller,
    kind: ResourceKinds,
) -> Result<Option<(FirstPage, ListRequest)>, CallError> {
    let request = ListRequest {
        limit: Some(2),
        ..ListRequest::everything(kind)
    };
    let page = connector.list(&request).await?;
    let Continuation::More(cursor) = page.next else {
        return Ok(None);
    };
    let first = FirstPage {
        connector,
        given: page.items.len(),
    };
    let request = ListRequest {
        cursor: Some(cursor),
        // Only the limit may differ.
        limit: Some(3),
        ..request
    };
    Ok(Some((first, request)))
}

fn listings_told(told: &[String]) -> Checked {
    if told.is_empty() {
        return not_tried("there is no listing to try it with, or none with enough in it");
    }
    Ok(told.join(", "))
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

fn first_twice(names: &[String]) -> Option<&String> {
    let mut met = BTreeSet::new();
    names.iter().find(|name| !met.insert(*name))
}

/// Holds what was listed to what was expected, and names the first difference.
fn same(what: &str, expected: &[String], got: &[String]) -> Result<(), Fault> {
    if expected == got {
        return Ok(());
    }
    let place = expected
        .iter()
        .zip(got)
        .take_while(|(one, other)| one == other)
        .count();
    let at = |names: &[String]| {
        names
            .get(place)
            .cloned()
            .unwrap_or_else(|| "the end".to_string())
    };
    broken(format!(
        "{what}: expected {} items and got {}; after {place} of them, expected {}, and got {}",
        expected.len(),
        got.len(),
        at(expected),
        at(got)
    ))
}
