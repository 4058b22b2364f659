//! Events: what happened to users, to follow changes between full syncs; and when accounts signed in last.

use std::collections::BTreeSet;

use connector_host::contract::{
    AccountDetails, Continuation, Event, EventKind, Item, ListRequest, Mode, NewAccount,
    ProvisionRequest, ResourceKinds,
};
use host_test::{ada, connector, deletion, list, list_request, tenant};
use ninjaone_simulator::Simulator;

fn events(items: Vec<Item>) -> Vec<Event> {
    let events = items.into_iter().filter_map(|item| match item {
        Item::Event(event) => Some(event),
        _ => None,
    });
    events.collect()
}

/// Lists the events that a request asks for, and gives the cursor to continue from later.
async fn follow(simulator: &Simulator, request: ListRequest) -> (Vec<Event>, String) {
    let mut connector = connector(simulator);
    let mut listing = connector.list_all(request);
    let mut items = Vec::new();
    while let Some(page) = listing.next_page().await.expect("a page") {
        items.extend(page.items);
    }
    let resume = listing.summary().expect("it is whole").resume.clone();
    (
        events(items),
        resume.expect("events tell where to continue"),
    )
}

async fn create_and_delete(simulator: &Simulator, email: &str) -> String {
    let mut connector = connector(simulator);
    let account = NewAccount {
        email: Some(email.to_string()),
        ..ada("technician")
    };
    let created = connector
        .provision(&ProvisionRequest::Create(account), Mode::Apply)
        .await
        .expect("created");
    let account = created.account.expect("it has an id");
    connector
        .provision(&deletion(&account, false), Mode::Apply)
        .await
        .expect("deleted");
    account
}

#[tokio::test]
async fn events_come_newest_first_each_once_and_over_several_requests() {
    let simulator = tenant(3_000).await;
    let request = ListRequest {
        limit: Some(700),
        ..ListRequest::everything(ResourceKinds::EVENTS)
    };
    let listed = events(list_request(&mut connector(&simulator), request).await);
    assert!(listed.len() > 1_000, "there are {}", listed.len());
    let ids: Vec<i64> = listed
        .iter()
        .map(|event| event.id.parse().expect("a number"))
        .collect();
    assert!(ids.is_sorted_by(|newer, older| newer > older));
    assert!(listed.iter().any(|event| event.kind == EventKind::SignedIn));
}

#[tokio::test]
async fn a_host_follows_what_has_happened_since() {
    let simulator = tenant(100).await;
    let everything = ListRequest::everything(ResourceKinds::EVENTS);
    let (before, resume) = follow(&simulator, everything.clone()).await;
    let account = create_and_delete(&simulator, "grace@example.com").await;

    let since = ListRequest {
        cursor: Some(resume),
        ..everything.clone()
    };
    let (news, resume) = follow(&simulator, since).await;
    let kinds: Vec<_> = news.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(
        kinds,
        [EventKind::AccountDeleted, EventKind::AccountCreated]
    );
    assert!(
        news.iter()
            .all(|event| event.account.as_deref() == Some(account.as_str()))
    );
    let known: BTreeSet<_> = before.iter().map(|event| &event.id).collect();
    assert!(news.iter().all(|event| !known.contains(&event.id)));

    let nothing_new = ListRequest {
        cursor: Some(resume),
        ..everything
    };
    let (news, _) = follow(&simulator, nothing_new).await;
    assert!(news.is_empty(), "{news:?}");
}

#[tokio::test]
async fn a_cursor_of_events_continues_exactly_in_a_fresh_instance_though_something_has_happened() {
    let simulator = tenant(500).await;
    let everything = ListRequest::everything(ResourceKinds::EVENTS);
    let (all, _) = follow(&simulator, everything.clone()).await;
    let mut request = ListRequest {
        limit: Some(100),
        ..everything
    };
    let mut in_pieces = Vec::new();
    loop {
        let page = connector(&simulator).list(&request).await.expect("a page");
        in_pieces.extend(events(page.items));
        create_and_delete(
            &simulator,
            &format!("someone{}@example.com", in_pieces.len()),
        )
        .await;
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(_) => break,
        }
    }
    assert_eq!(format!("{in_pieces:?}"), format!("{all:?}"));
}

#[tokio::test]
async fn events_can_be_narrowed_to_an_account_and_to_a_time() {
    let simulator = tenant(300).await;
    let all = events(list(&mut connector(&simulator), ResourceKinds::EVENTS).await);
    let middle = &all[all.len() / 2];

    let mut of_account = ListRequest::everything(ResourceKinds::EVENTS);
    of_account.filter.account = middle.account.clone();
    let narrowed = events(list_request(&mut connector(&simulator), of_account).await);
    let expected: Vec<_> = all
        .iter()
        .filter(|event| event.account == middle.account)
        .collect();
    assert_eq!(format!("{narrowed:?}"), format!("{expected:?}"));

    let mut since = ListRequest::everything(ResourceKinds::EVENTS);
    since.filter.since = middle.time;
    let narrowed = events(list_request(&mut connector(&simulator), since).await);
    let expected: Vec<_> = all
        .iter()
        .filter(|event| event.time >= middle.time)
        .collect();
    assert!(!narrowed.is_empty() && narrowed.len() < all.len());
    assert_eq!(format!("{narrowed:?}"), format!("{expected:?}"));
}

#[tokio::test]
async fn the_last_sign_in_comes_with_accounts_when_it_is_asked_for() {
    let simulator = tenant(300).await;
    let all = events(list(&mut connector(&simulator), ResourceKinds::EVENTS).await);
    let mut request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    let without = list_request(&mut connector(&simulator), request.clone()).await;
    request.details = AccountDetails::LAST_SIGN_IN;
    let with = list_request(&mut connector(&simulator), request).await;
    let mut signed_in = 0;
    for (item, plain) in with.iter().zip(&without) {
        let (Item::Account(account), Item::Account(plain)) = (item, plain) else {
            panic!("only accounts were asked for")
        };
        let newest = all.iter().find(|event| {
            event.kind == EventKind::SignedIn && event.account.as_ref() == Some(&account.id)
        });
        assert_eq!(
            account.last_sign_in,
            newest.and_then(|event| event.time),
            "{}",
            account.id
        );
        assert_eq!(plain.last_sign_in, None);
        signed_in += usize::from(account.last_sign_in.is_some());
    }
    assert!(signed_in > 50, "{signed_in} accounts signed in");
}
