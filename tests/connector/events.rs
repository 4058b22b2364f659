//! Events and last sign-ins: activities of users, newest first, each once, and later only what is new.

use ninjaone_connector::contract::{
    AccountDetails, Attribute, Continuation, Error, Event, EventKind, Item, ListRequest, Page,
    ResourceKinds, Summary, Value,
};
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::{Value as Json, json};

use crate::support::tenant::{Answer, Fault, Unknowns, activity};
use crate::support::{World, error, list_all, list_of, listed, names};

const EVENTS: ResourceKinds = ResourceKinds::EVENTS;
const FIRST: &str = "GET /v2/activities?class=USER&pageSize=1000";

/// Continues a listing, or takes it up again.
fn from(cursor: Option<String>, request: &ListRequest) -> ListRequest {
    ListRequest {
        cursor,
        ..request.clone()
    }
}

fn summary(page: &Page) -> Summary {
    match &page.next {
        Continuation::Complete(summary) => summary.clone(),
        Continuation::More(_) => panic!("there is more"),
    }
}

/// The one event that comes of an activity.
fn event_of(activity: &Json) -> Event {
    let world = World::changed(|tenant| tenant.activities = vec![activity.clone()]);
    let page = world.list(&list_of(EVENTS)).expect("a page");
    match &page.items[..] {
        [Item::Event(event)] => event.clone(),
        other => panic!("not one event: {other:?}"),
    }
}

fn since(milliseconds: i64) -> ListRequest {
    let mut request = list_of(EVENTS);
    request.filter.since = Some(milliseconds);
    request
}

#[test]
fn a_failure_under_the_status_of_a_success_is_no_end_of_the_events() {
    for failure in [r#"{"resultCode":"FAILURE"}"#, r#"{"error":"server_error"}"#] {
        let world = World::new();
        world.tenant.serve("/v2/activities", failure);
        let error = error(world.list(&list_of(ResourceKinds::EVENTS)));
        assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
    }
}

#[test]
fn events_are_listed_newest_first_and_counted() {
    let world = World::new();
    let (pages, summary) = list_all(&world, &list_of(EVENTS));
    assert_eq!(
        names(&pages[0].items),
        ["event 9", "event 8", "event 5", "event 4", "event 2"]
    );
    assert_eq!((summary.counts.events, summary.counts.accounts), (5, 0));
    let second = format!("{FIRST}&olderThan=2");
    assert_eq!(world.tenant.lines(), [FIRST, &second]);
}

#[test]
fn events_come_after_all_else_and_can_be_taken_up_again_from_there() {
    let world = World::new();
    let request = list_of(ResourceKinds::ACCOUNTS | ResourceKinds::ORGANIZATIONS | EVENTS);
    let (pages, summary) = list_all(&world, &request);
    let all = names(&pages[0].items);
    assert_eq!((all.len(), all[7].as_str()), (12, "event 9"));
    world.tenant.forget_sent();
    let later = world.fresh_instance();
    let page = later.list(&from(summary.resume, &request)).expect("a page");
    assert_eq!(page.items.len(), 0);
    assert_eq!(world.tenant.lines(), [FIRST]);
}

#[test]
fn every_field_of_an_event_is_given() {
    let text = |text: &str| Some(text.to_string());
    let event = event_of(&json!({
        "id": 9_000_000_000_i64, "activityTime": 1_700_000_000.25, "statusCode": "APP_USER_CREATED", "userId": 5,
        "message": "Ada was created", "severity": "NONE", "deviceId": null,
    }));
    assert_eq!(
        event,
        Event {
            id: "9000000000".to_string(),
            kind: EventKind::AccountCreated,
            time: Some(1_700_000_000_250),
            account: text("5"),
            message: text("Ada was created"),
            attributes: vec![Attribute {
                name: "severity".to_string(),
                value: Value::Text("NONE".to_string()),
            }],
        }
    );
    let nothing = event_of(&json!({"id": 1, "activityTime": null}));
    assert_eq!(nothing.kind, EventKind::Other(String::new()));
    assert_eq!((nothing.time, nothing.account), (None, None));
    assert_eq!((nothing.message, nothing.attributes.len()), (None, 0));
}

#[test]
fn a_time_is_told_to_the_nearest_millisecond() {
    for (seconds, milliseconds) in [
        (1.001, 1_001),
        (1_446_822_377.123, 1_446_822_377_123),
        (1_700_000_000.999, 1_700_000_000_999),
        (1_700_000_000.0, 1_700_000_000_000),
        (-1.5, -1_500),
    ] {
        let event = event_of(&json!({"id": 1, "activityTime": seconds}));
        assert_eq!(event.time, Some(milliseconds), "{seconds}");
    }
}

#[test]
fn what_happened_is_told_by_the_code() {
    let other = |code: &str| EventKind::Other(code.to_string());
    for (code, kind) in [
        ("APP_USER_CREATED", EventKind::AccountCreated),
        ("END_USER_CREATED", EventKind::AccountCreated),
        ("END_USER_CREATED_API", EventKind::AccountCreated),
        ("APP_USER_UPDATED", EventKind::AccountUpdated),
        ("END_USER_UPDATED_API", EventKind::AccountUpdated),
        ("APP_USER_DELETED", EventKind::AccountDeleted),
        ("END_USER_DELETED_API", EventKind::AccountDeleted),
        ("APP_USER_LOGGED_IN", EventKind::SignedIn),
        ("END_USER_LOGGED_IN", EventKind::SignedIn),
        (
            "TECHNICIAN_ROLE_ASSIGNMENT_CHANGED",
            EventKind::RoleAssignmentChanged,
        ),
        (
            "END_USER_ROLE_ASSIGNMENT_CHANGED",
            EventKind::RoleAssignmentChanged,
        ),
        ("APP_USER_LOGGED_OUT", other("APP_USER_LOGGED_OUT")),
        ("END_USER_ROLE_CREATED", other("END_USER_ROLE_CREATED")),
        ("NODE_ROLE_CREATED", other("NODE_ROLE_CREATED")),
        ("CLOUDBERRY_USER_CREATED", other("CLOUDBERRY_USER_CREATED")),
    ] {
        let event = event_of(&json!({"id": 1, "statusCode": code}));
        assert_eq!(event.kind, kind, "{code}");
    }
}

#[test]
fn every_event_is_given_exactly_once_whatever_the_sizes_of_the_pages() {
    for largest_activity_page in 1..=6 {
        let world = World::changed(|tenant| tenant.largest_activity_page = largest_activity_page);
        let (whole, expected) = list_all(&world, &list_of(EVENTS));
        for limit in 1..=6 {
            let mut request = ListRequest {
                limit: Some(limit),
                ..list_of(EVENTS)
            };
            let (pages, summary) = list_all(&world, &request);
            let all: Vec<_> = pages.into_iter().flat_map(|page| page.items).collect();
            assert_eq!((&all, &summary), (&whole[0].items, &expected));
            let mut afresh = Vec::new();
            let summary = loop {
                let page = world.fresh_instance().list(&request).expect("a page");
                afresh.extend(page.items);
                match page.next {
                    Continuation::More(cursor) => request.cursor = Some(cursor),
                    Continuation::Complete(summary) => break summary,
                }
            };
            assert_eq!((afresh, summary), (all, expected.clone()), "{limit}");
        }
    }
}

#[test]
fn an_open_answer_is_continued_without_asking_again() {
    let world = World::new();
    let request = ListRequest {
        limit: Some(2),
        ..list_of(EVENTS)
    };
    list_all(&world, &request);
    assert_eq!(world.tenant.lines().len(), 2);
}

#[test]
fn later_only_what_has_happened_since_is_listed() {
    for largest_activity_page in [1, 2, 1_000] {
        let world = World::changed(|tenant| tenant.largest_activity_page = largest_activity_page);
        let request = list_of(EVENTS);
        let (_, first) = list_all(&world, &request);
        for (id, user) in [(12, 1), (15, 2)] {
            let new = activity(id, "APP_USER_UPDATED", user, 1_800_000_000.0);
            world.tenant.change().activities.insert(0, new);
        }
        let later = from(first.resume, &request);
        let (pages, second) = list_all(&world.fresh_instance(), &later);
        assert_eq!(names(&pages[0].items), ["event 15", "event 12"]);
        // The listing that was taken up counts from its own start.
        assert_eq!(second.counts.events, 2);
        let (pages, third) = list_all(&world, &from(second.resume.clone(), &request));
        assert_eq!((pages[0].items.len(), third.counts.events), (0, 0));
        assert_eq!(third.resume, second.resume);
    }
}

#[test]
fn what_happens_while_events_are_listed_is_listed_later() {
    let world = World::new();
    let request = ListRequest {
        limit: Some(2),
        ..list_of(EVENTS)
    };
    let page = world.list(&request).expect("a page");
    let Continuation::More(cursor) = page.next else {
        panic!("there is more");
    };
    let new = activity(20, "APP_USER_UPDATED", 1, 1_800_000_000.0);
    world.tenant.change().activities.insert(0, new);
    let (pages, summary) = list_all(&world.fresh_instance(), &from(Some(cursor), &request));
    assert_eq!(names(&pages[0].items), ["event 5", "event 4"]);
    let (pages, _) = list_all(&world, &from(summary.resume, &request));
    assert_eq!(names(&pages[0].items), ["event 20"]);
}

#[test]
fn a_tenant_without_events_is_listed_from_the_start_later() {
    let world = World::changed(|tenant| tenant.activities.clear());
    let request = list_of(EVENTS);
    let first = summary(&world.list(&request).expect("a page"));
    let new = activity(1, "APP_USER_UPDATED", 1, 1_800_000_000.0);
    world.tenant.change().activities.insert(0, new);
    let page = world.list(&from(first.resume, &request)).expect("a page");
    assert_eq!(names(&page.items), ["event 1"]);
}

#[test]
fn only_events_can_be_taken_up_again_later() {
    let world = World::new();
    let others = ResourceKinds::all() - EVENTS;
    assert_eq!(list_all(&world, &list_of(others)).1.resume, None);
}

#[test]
fn events_are_filtered_by_account() {
    let world = World::new();
    let mut request = list_of(EVENTS);
    request.filter.account = Some("11".to_string());
    assert_eq!(listed(&world, &request), ["event 8", "event 5"]);
}

#[test]
fn events_are_filtered_by_time_and_no_older_page_is_asked_for_than_needed() {
    let world = World::changed(|tenant| tenant.largest_activity_page = 1);
    for (milliseconds, expected) in [
        (1_770_000_000_500, vec!["event 9", "event 8", "event 5"]),
        (1_770_000_000_501, vec!["event 9", "event 8"]),
    ] {
        world.tenant.forget_sent();
        assert_eq!(listed(&world, &since(milliseconds)), expected);
        assert_eq!(world.tenant.lines().len(), expected.len() + 1);
    }
    assert!(listed(&world, &since(i64::MAX)).is_empty());
    assert_eq!(listed(&world, &since(0)).len(), 5);
}

#[test]
fn an_event_without_a_time_is_given_whatever_the_time_asked_for() {
    let world = World::changed(|tenant| tenant.activities[2]["activityTime"] = json!(null));
    assert_eq!(listed(&world, &since(i64::MAX)), ["event 5"]);
}

#[test]
fn a_page_of_events_ends_after_a_mebibyte_of_an_answer() {
    let note = "x".repeat(400_000);
    let world = World::changed(|tenant| {
        let activities = (1..=7).rev();
        tenant.activities = activities
            .map(|id| json!({"id": id, "message": note}))
            .collect();
    });
    let (pages, _) = list_all(&world, &list_of(EVENTS));
    let sizes: Vec<_> = pages.iter().map(|page| page.items.len()).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn a_page_of_activities_may_begin_with_the_one_that_it_is_to_be_older_than() {
    let world = World::changed(|tenant| {
        tenant.largest_activity_page = 2;
        tenant.older_than_includes = true;
    });
    let (pages, summary) = list_all(&world, &list_of(EVENTS));
    let events: Vec<_> = pages.iter().flat_map(|page| names(&page.items)).collect();
    assert_eq!(
        events,
        ["event 9", "event 8", "event 5", "event 4", "event 2"]
    );
    assert_eq!(summary.counts.events, 5);
}

#[test]
fn activities_that_do_not_get_older_are_malformed_and_not_endless() {
    let world = World::new();
    let same_again = r#"{"activities": [{"id": 5}, {"id": 4}]}"#;
    world.tenant.serve("/v2/activities", same_again);
    let failure = world.list(&list_of(EVENTS)).expect_err("endless");
    assert_eq!(failure.error, Error::MalformedResponse(Some(16)));
    assert_eq!(world.tenant.lines().len(), 2);
    for ids in ["[{\"id\": 5}, {\"id\": 6}]", "[{\"id\": 5}, {\"id\": 5}]"] {
        let world = World::new();
        let body = format!("{{\"activities\": {ids}}}");
        world.tenant.serve("/v2/activities", body);
        let error = error(world.list(&list_of(EVENTS)));
        assert_eq!(error, Error::MalformedResponse(Some(27)));
    }
}

#[test]
fn an_activity_whose_id_no_cursor_can_hold_is_malformed() {
    // A fresh instance would have begun anew after such a one, and so for ever.
    for id in [0, -1, i64::MIN] {
        let world = World::new();
        let body = format!("{{\"activities\": [{{\"id\": {id}}}]}}");
        world.tenant.serve("/v2/activities", body);
        let error = error(world.list(&list_of(EVENTS)));
        assert_eq!(error, Error::MalformedResponse(Some(16)));
    }
}

#[test]
fn an_answer_that_makes_no_sense_as_activities_is_told_with_the_byte() {
    for (body, byte) in [
        ("", 0),
        ("[]", 0),
        ("{", 1),
        (r#"{"x": 1} 5"#, 9),
        (r#"{"x": }"#, 6),
        (r#"{"activities" []}"#, 14),
        (r#"{"activities": 5}"#, 15),
        (r#"{"activities": null"#, 19),
        (r#"{"activities": [], "activities": []}"#, 32),
        (r#"{"activities": [{}]}"#, 16),
        (r#"{"activities": [{"id": "x"}]}"#, 16),
        (r#"{"activities": [{"id": 1}"#, 25),
        (r#"{"activities": []"#, 17),
        (r#"{"activities": [] "x": 1}"#, 18),
        (r#"{"activities": [], "x"}"#, 22),
        (r#"{"activities": [], "x": nul}"#, 24),
        (r#"{"activities": []} {"#, 19),
    ] {
        let world = World::new();
        world.tenant.serve("/v2/activities", body);
        let error = error(world.list(&list_of(EVENTS)));
        assert_eq!(error, Error::MalformedResponse(Some(byte)), "{body}");
    }
}

#[test]
fn an_identifier_of_an_activity_may_be_text() {
    let world = World::new();
    let body = r#"{"activities": [{"id": "9007199254740993", "userId": "5"}]}"#;
    let only = Fault::Refuse(Answer::text(200, body));
    world.tenant.once("GET /v2/activities", only);
    world.tenant.serve("/v2/activities", "null");
    let items = world.list(&list_of(EVENTS)).expect("a page").items;
    let Some(Item::Event(event)) = items.first() else {
        panic!("no event: {items:?}");
    };
    assert_eq!(
        (event.id.as_str(), event.account.as_deref()),
        ("9007199254740993", Some("5"))
    );
}

#[test]
fn what_stands_beside_the_activities_is_passed_over() {
    let world = World::new();
    let body =
        r#" {"a": [1, {}], "b": "}", "activities" : [ ] , "c": {"activities": 5}, "d": null} "#;
    world.tenant.serve("/v2/activities", body);
    assert!(listed(&world, &list_of(EVENTS)).is_empty());
}

/// The last sign-in of each account, where it is asked for.
fn sign_ins(world: &World) -> Vec<(String, Option<i64>)> {
    let mut request = list_of(ResourceKinds::ACCOUNTS);
    request.details = AccountDetails::LAST_SIGN_IN;
    let page = world.list(&request).expect("a page");
    let sign_in = |item: &Item| match item {
        Item::Account(own) => (own.id.clone(), own.last_sign_in),
        other => panic!("not an account: {other:?}"),
    };
    page.items.iter().map(sign_in).collect()
}

#[test]
fn an_account_has_its_last_sign_in_whether_ninjaone_heeds_the_filter_or_not() {
    for heeds_filters in [true, false] {
        for largest_activity_page in [1, 2, 1_000] {
            let world = World::with(Unknowns {
                heeds_filters,
                ..Unknowns::DOCUMENTED
            });
            world.tenant.change().largest_activity_page = largest_activity_page;
            let expected = [
                ("1".to_string(), Some(1_790_000_000_250)),
                ("2".to_string(), None),
                ("3".to_string(), None),
                ("11".to_string(), Some(1_770_000_000_500)),
                ("12".to_string(), None),
            ];
            assert_eq!(sign_ins(&world), expected);
        }
    }
}

#[test]
fn sign_ins_are_asked_for_by_their_codes_and_once_in_a_listing() {
    let world = World::new();
    let mut request = list_of(ResourceKinds::ACCOUNTS | ResourceKinds::GRANTS);
    request.details = AccountDetails::LAST_SIGN_IN;
    request.limit = Some(2);
    let (_, summary) = list_all(&world, &request);
    assert_eq!(summary.counts.accounts, 5);
    let lines = world.tenant.lines();
    assert_eq!(
        lines[..4],
        [
            format!("{FIRST}&status=APP_USER_LOGGED_IN"),
            format!("{FIRST}&olderThan=4&status=APP_USER_LOGGED_IN"),
            format!("{FIRST}&status=END_USER_LOGGED_IN"),
            format!("{FIRST}&olderThan=5&status=END_USER_LOGGED_IN"),
        ]
    );
    assert_eq!(lines.len(), 6);
}

#[test]
fn a_fresh_instance_asks_for_sign_ins_again_only_where_accounts_are_left() {
    let world = World::new();
    let mut request = list_of(ResourceKinds::ACCOUNTS | ResourceKinds::GRANTS);
    request.details = AccountDetails::LAST_SIGN_IN;
    for (limit, asked) in [(3, true), (6, false)] {
        request.limit = Some(limit);
        request.cursor = None;
        let Continuation::More(cursor) = world.list(&request).expect("a page").next else {
            panic!("there is more");
        };
        world.tenant.forget_sent();
        let page = world.fresh_instance().list(&from(Some(cursor), &request));
        let asks = |line: &String| line.starts_with(FIRST);
        assert_eq!(world.tenant.lines().iter().any(asks), asked);
        for item in page.expect("a page").items {
            if let Item::Account(own) = item {
                assert_eq!(own.last_sign_in.is_some(), own.id == "11");
            }
        }
    }
}

#[test]
fn last_sign_ins_are_not_asked_for_unless_wanted() {
    let world = World::new();
    let page = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect("a page");
    assert!(
        page.items
            .iter()
            .all(|item| matches!(item, Item::Account(own) if own.last_sign_in.is_none()))
    );
    assert_eq!(world.tenant.lines().len(), 1);
}

#[test]
fn a_sign_in_without_a_user_or_a_time_is_passed_over() {
    let world = World::changed(|tenant| {
        tenant.activities[0]["activityTime"] = json!(null);
        tenant.activities[2]["userId"] = json!(null);
    });
    let known: Vec<_> = sign_ins(&world)
        .into_iter()
        .filter_map(|(id, at)| Some((id, at?)))
        .collect();
    assert_eq!(known, [("1".to_string(), 1_760_000_000_000)]);
}

#[test]
fn sign_ins_that_cannot_be_read_are_an_error_and_no_list_without_them() {
    let world = World::new();
    world.tenant.serve("/v2/activities", r#"{"activities": ["#);
    let mut request = list_of(ResourceKinds::ACCOUNTS);
    request.details = AccountDetails::LAST_SIGN_IN;
    let error = error(world.list(&request));
    assert_eq!(error, Error::MalformedResponse(Some(16)));
}

/// A tenant with so many sign-ins, on so many bytes each, newest first.
fn with_sign_ins(sign_ins: i64, bytes: usize) -> World {
    let note = "x".repeat(bytes);
    World::changed(|tenant| {
        tenant.largest_activity_page = 100;
        tenant.activities = (1..=sign_ins)
            .rev()
            .map(|id| {
                let user = if id == 7 { 2 } else { 1 };
                json!({
                    "id": id, "statusCode": "APP_USER_LOGGED_IN", "userId": user,
                    "activityTime": 1_700_000_000 + id, "message": note,
                })
            })
            .collect();
    })
}

fn with_last_sign_in() -> ListRequest {
    let mut request = list_of(ResourceKinds::ACCOUNTS);
    request.details = AccountDetails::LAST_SIGN_IN;
    request
}

/// The last sign-ins of the technicians 1 and 2, by pages of fresh instances or of one.
fn last_of_two(world: &World, fresh: bool) -> (Vec<usize>, Vec<Option<i64>>) {
    let mut request = with_last_sign_in();
    let (mut sizes, mut times) = (Vec::new(), Vec::new());
    loop {
        let page = match fresh {
            true => world.fresh_instance().list(&request),
            false => world.list(&request),
        };
        let page = page.expect("a page");
        sizes.push(page.items.len());
        for item in page.items {
            if let Item::Account(account) = item {
                times.push(account.last_sign_in);
            }
        }
        assert!(sizes.len() < 50, "it does not end");
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(_) => return (sizes, times[..2].to_vec()),
        }
    }
}

#[test]
fn sign_ins_are_read_in_pages_without_items_before_the_accounts() {
    for fresh in [false, true] {
        let world = with_sign_ins(3_000, 10_000);
        let (sizes, times) = last_of_two(&world, fresh);
        assert_eq!(sizes[..3], [0, 0, 0], "{fresh}");
        assert_eq!(sizes.iter().sum::<usize>(), 5);
        let expected = [1_700_003_000_000, 1_700_000_007_000].map(Some);
        assert_eq!(times, expected);
    }
}

#[test]
fn the_sign_ins_of_one_account_are_not_those_of_all() {
    for heeds_filters in [true, false] {
        let world = with_sign_ins(1_000, 10);
        world.tenant.change().unknowns.heeds_filters = heeds_filters;
        let mut request = with_last_sign_in();
        request.filter.id = Some("2".to_string());
        let page = world.list(&request).expect("a page");
        let [Item::Account(account)] = &page.items[..] else {
            panic!("not one account: {page:?}");
        };
        assert_eq!(account.last_sign_in, Some(1_700_000_007_000));
        let lines = world.tenant.lines();
        let of_activities = lines.iter().filter(|line| line.contains("/v2/activities"));
        assert!(of_activities.clone().all(|line| line.ends_with("&user=2")));
        if heeds_filters {
            assert_eq!(of_activities.count(), 2, "{lines:?}");
        }
    }
}

#[test]
fn a_long_way_through_sign_ins_survives_a_failure_here_and_there() {
    let world = with_sign_ins(1_000, 10);
    for passed in 1..10 {
        let broken = Fault::Drop(TransportErrorKind::Network);
        world
            .tenant
            .once_after(passed, "GET /v2/activities", broken);
    }
    let (_, times) = last_of_two(&world, false);
    assert_eq!(times[0], Some(1_700_001_000_000));
    assert_eq!(world.host.pauses().len(), 9);
}
