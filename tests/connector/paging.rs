//! Pages and cursors: every item exactly once, whichever instance gives the page.

use ninjaone_connector::contract::{
    AccountDetails, Continuation, Error, Item, ListRequest, Notice, Page, ResourceKinds,
};
use ninjaone_connector::list::LARGEST_PAGE;
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::json;

use crate::support::tenant::{Answer, Fault, technician};
use crate::support::{World, assignment, error, list_all, list_of, names};

const EVERYTHING: ResourceKinds = ResourceKinds::ACCOUNTS
    .union(ResourceKinds::ROLES)
    .union(ResourceKinds::GRANTS)
    .union(ResourceKinds::ORGANIZATIONS);

/// How many items the tenant of the tests has.
const ITEMS: usize = 14;

fn of_size(kinds: ResourceKinds, limit: u32) -> ListRequest {
    ListRequest {
        limit: Some(limit),
        ..list_of(kinds)
    }
}

fn at(cursor: &str, request: &ListRequest) -> ListRequest {
    ListRequest {
        cursor: Some(cursor.to_string()),
        ..request.clone()
    }
}

fn cursor(page: &Page) -> String {
    match &page.next {
        Continuation::More(cursor) => cursor.clone(),
        Continuation::Complete(_) => panic!("the listing is complete"),
    }
}

/// The cursor after the first page.
fn first_cursor(world: &World, request: &ListRequest) -> String {
    cursor(&world.list(request).expect("a page"))
}

fn all_names(pages: &[Page]) -> Vec<String> {
    pages.iter().flat_map(|page| names(&page.items)).collect()
}

/// Everything, with each page from an instance of its own.
fn list_all_afresh(world: &World, request: &ListRequest) -> Vec<Page> {
    let mut request = request.clone();
    let mut pages = Vec::new();
    loop {
        let page = world.fresh_instance().list(&request).expect("a page");
        pages.push(page.clone());
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(_) => return pages,
        }
    }
}

#[test]
fn every_item_is_given_exactly_once_whatever_the_size_of_the_pages() {
    let world = World::new();
    let (whole, summary) = list_all(&world, &list_of(EVERYTHING));
    let expected = all_names(&whole);
    assert_eq!((whole.len(), expected.len()), (1, ITEMS));
    for details in [AccountDetails::empty(), AccountDetails::MANAGEMENT] {
        for size in 1..=15 {
            let request = ListRequest {
                details,
                ..of_size(EVERYTHING, size)
            };
            let (pages, counted) = list_all(&world, &request);
            assert_eq!(all_names(&pages), expected, "{size}");
            assert_eq!(counted, summary, "{size}");
            let full = pages
                .iter()
                .filter(|page| page.items.len() == size as usize);
            assert_eq!(full.count(), ITEMS / size as usize, "{size}");
            let afresh = list_all_afresh(&world, &request);
            assert_eq!(afresh, pages, "{size}");
        }
    }
}

#[test]
fn it_does_not_matter_in_which_pieces_an_answer_arrives() {
    let whole = list_all(&World::new(), &list_of(EVERYTHING));
    for chunk_bytes in 1..200 {
        let world = World::changed(|tenant| tenant.chunk_bytes = chunk_bytes);
        assert_eq!(
            list_all(&world, &list_of(EVERYTHING)),
            whole,
            "{chunk_bytes}"
        );
    }
}

#[test]
fn an_open_answer_is_continued_without_asking_again() {
    let world = World::new();
    let request = of_size(ResourceKinds::ACCOUNTS, 2);
    let (pages, _) = list_all(&world, &request);
    assert_eq!(pages.len(), 3);
    assert_eq!(world.tenant.lines(), ["GET /v2/users?includeRoles=true"]);
}

#[test]
fn a_fresh_instance_asks_again_for_what_it_needs() {
    let world = World::new();
    let request = of_size(EVERYTHING, 7);
    let first = first_cursor(&world, &request);
    let fresh = world.fresh_instance();
    world.tenant.forget_sent();
    let page = fresh.list(&at(&first, &request)).expect("a page");
    assert_eq!(names(&page.items)[0], "grant 11 22");
    // The accounts are met again, since members are compared with them.
    let again = ["GET /v2/users?includeRoles=true", "GET /v2/user/roles"];
    assert_eq!(world.tenant.lines()[..2], again);
    let without_accounts = of_size(ResourceKinds::ROLES | ResourceKinds::ORGANIZATIONS, 4);
    let first = first_cursor(&world, &without_accounts);
    world.tenant.forget_sent();
    let page = fresh.list(&at(&first, &without_accounts)).expect("a page");
    assert_eq!(names(&page.items), ["organization 101"]);
    assert_eq!(
        world.tenant.lines()[0],
        "GET /v2/organizations?pageSize=1000"
    );
}

#[test]
fn a_page_can_be_asked_for_again() {
    let world = World::new();
    let request = of_size(EVERYTHING, 5);
    let first = first_cursor(&world, &request);
    let second = world.list(&at(&first, &request)).expect("a page");
    assert_eq!(world.list(&at(&first, &request)).expect("a page"), second);
    let third = world.list(&at(&cursor(&second), &request)).expect("a page");
    assert_eq!(all_names(&[second, third]).len(), 9);
}

#[test]
fn listings_that_take_turns_do_not_disturb_each_other() {
    let world = World::new();
    let accounts = of_size(ResourceKinds::ACCOUNTS, 3);
    let grants = of_size(ResourceKinds::GRANTS, 3);
    let (account_cursor, grant_cursor) = (
        first_cursor(&world, &accounts),
        first_cursor(&world, &grants),
    );
    let page = world.list(&at(&account_cursor, &accounts)).expect("a page");
    assert_eq!(names(&page.items), ["account 11", "account 12"]);
    let page = world.list(&at(&grant_cursor, &grants)).expect("a page");
    assert_eq!(names(&page.items), ["grant 11 23"]);
}

#[test]
fn the_size_of_a_page_may_change_on_the_way() {
    let world = World::new();
    let first = first_cursor(&world, &of_size(EVERYTHING, 3));
    for world in [&world, &world.fresh_instance()] {
        let page = world
            .list(&at(&first, &of_size(EVERYTHING, 100)))
            .expect("a page");
        assert_eq!(page.items.len(), ITEMS - 3);
    }
}

#[test]
fn notices_are_the_same_in_a_fresh_instance() {
    let world = World::changed(|tenant| {
        tenant
            .users
            .push(technician(1, "again@acme.example", false));
        tenant.role_mut(23).members = vec![1, 99, 1, 11];
    });
    let request = of_size(EVERYTHING, 1);
    let (pages, _) = list_all(&world, &request);
    assert_eq!(list_all_afresh(&world, &request), pages);
    let notices: Vec<_> = pages.iter().flat_map(|page| &page.notices).collect();
    assert_eq!(notices.len(), 3);
    assert_eq!(notices[1], &Notice::UnknownMember(assignment("99", "23")));
}

#[test]
fn a_tenant_that_changed_before_the_place_of_the_cursor_gives_invalid_cursor() {
    let request = of_size(EVERYTHING, 8);
    let accounts = of_size(ResourceKinds::ACCOUNTS, 3);
    type Changed = fn(&mut crate::support::tenant::State);
    let cases: [(&ListRequest, Changed); 8] = [
        (&accounts, |tenant| drop(tenant.users.remove(0))),
        (&accounts, |tenant| tenant.users.truncate(2)),
        (&accounts, |tenant| tenant.users.swap(0, 1)),
        (&accounts, |tenant| tenant.users[1]["id"] = json!(4)),
        (&request, |tenant| tenant.role_mut(21).members = vec![2]),
        (&request, |tenant| tenant.role_mut(21).members = vec![]),
        (&request, |tenant| tenant.roles[0].id = 20),
        (&request, |tenant| tenant.roles.truncate(1)),
    ];
    for (request, changed) in cases {
        let world = World::new();
        let first = first_cursor(&world, request);
        changed(&mut world.tenant.change());
        let failure = world
            .fresh_instance()
            .list(&at(&first, request))
            .expect_err("what was given has changed");
        assert_eq!(failure.error, Error::InvalidCursor);
        assert!(
            failure.message.contains("anew without a cursor"),
            "{}",
            failure.message
        );
        // The open answer is from before the change.
        world.list(&at(&first, request)).expect("a page");
    }
}

#[test]
fn a_tenant_that_changed_after_the_place_of_the_cursor_is_listed_on() {
    let world = World::new();
    let request = of_size(ResourceKinds::ACCOUNTS, 3);
    let first = first_cursor(&world, &request);
    world.tenant.change().users.truncate(4);
    let page = world
        .fresh_instance()
        .list(&at(&first, &request))
        .expect("a page");
    assert_eq!(names(&page.items), ["account 11"]);
    assert!(matches!(page.next, Continuation::Complete(summary) if summary.counts.accounts == 4));
}

#[test]
fn organizations_that_changed_before_the_place_of_the_cursor_give_invalid_cursor() {
    let request = of_size(ResourceKinds::ORGANIZATIONS, 1);
    let world = World::new();
    let first = first_cursor(&world, &request);
    world.tenant.change().organizations[0]["id"] = json!(99);
    let error = error(world.fresh_instance().list(&at(&first, &request)));
    assert_eq!(error, Error::InvalidCursor);
}

#[test]
fn a_cursor_of_another_request_is_refused_before_anything_is_sent() {
    let request = of_size(ResourceKinds::ACCOUNTS, 2);
    type Other = fn(&mut ListRequest);
    let others: [Other; 6] = [
        |other| other.kinds = ResourceKinds::GRANTS,
        |other| other.kinds |= ResourceKinds::ROLES,
        |other| other.details = AccountDetails::MANAGEMENT,
        |other| other.filter.id = Some("1".to_string()),
        |other| other.filter.email = Some("1".to_string()),
        |other| other.filter.account_kind = Some("technician".to_string()),
    ];
    for other in others {
        let world = World::new();
        let mut continued = at(&first_cursor(&world, &request), &request);
        world.tenant.forget_sent();
        other(&mut continued);
        assert_eq!(
            error(world.list(&continued)),
            Error::InvalidCursor,
            "{continued:?}"
        );
        assert!(world.tenant.lines().is_empty());
    }
}

#[test]
fn a_cursor_of_another_filter_is_refused() {
    let mut by_account = of_size(ResourceKinds::GRANTS, 1);
    by_account.filter.account = Some("11".to_string());
    let mut by_role = of_size(ResourceKinds::GRANTS, 1);
    by_role.filter.role = Some("11".to_string());
    let mut other_account = by_account.clone();
    other_account.filter.account = Some("1".to_string());
    let world = World::new();
    let first = first_cursor(&world, &by_account);
    for other in [&by_role, &other_account] {
        assert_eq!(error(world.list(&at(&first, other))), Error::InvalidCursor);
    }
    world.list(&at(&first, &by_account)).expect("a page");
}

#[test]
fn a_cursor_of_other_settings_is_refused() {
    for (key, value) in [
        ("base-url", "https://other.example"),
        ("client-id", "other"),
    ] {
        let world = World::new();
        let request = of_size(ResourceKinds::ACCOUNTS, 2);
        let first = first_cursor(&world, &request);
        world.host.set(key, value);
        assert_eq!(
            error(world.list(&at(&first, &request))),
            Error::InvalidCursor
        );
    }
}

#[test]
fn what_is_no_cursor_is_refused_before_anything_is_sent() {
    let world = World::new();
    let request = of_size(ResourceKinds::ACCOUNTS, 2);
    let good = first_cursor(&world, &request);
    world.tenant.forget_sent();
    for text in [
        "",
        "x",
        "1",
        &good[1..],
        &good[..good.len() - 1],
        &format!("{good} "),
    ] {
        let failure = world.list(&at(text, &request)).expect_err("no cursor");
        assert_eq!(failure.error, Error::InvalidCursor, "{text:?}");
        assert!(
            failure.message.contains("anew without a cursor"),
            "{}",
            failure.message
        );
    }
    assert!(world.tenant.lines().is_empty());
}

#[test]
fn a_cursor_whose_place_was_forged_is_refused() {
    let world = World::new();
    let request = of_size(ResourceKinds::ACCOUNTS, 2);
    let good = first_cursor(&world, &request);
    let parts: Vec<_> = good.split('.').collect();
    // Form, fingerprint, stage, taken, digest, counts.
    for (part, forged) in [
        (2, "1"),
        (2, "ffffffffffffffff"),
        (3, "1"),
        (3, "3"),
        (3, "ffff"),
        (4, "0"),
    ] {
        let mut parts = parts.clone();
        parts[part] = forged;
        let error = error(world.list(&at(&parts.join("."), &request)));
        assert_eq!(error, Error::InvalidCursor, "{parts:?}");
    }
}

#[test]
fn a_cursor_says_nothing() {
    let world = World::new();
    let first = first_cursor(&world, &of_size(EVERYTHING, 2));
    let is_plain = |c: char| c.is_ascii_hexdigit() || c == '.';
    assert!(first.chars().all(is_plain), "{first}");
}

#[test]
fn an_answer_that_breaks_off_is_an_error_and_can_be_taken_up_again() {
    let world = World::new();
    let request = of_size(ResourceKinds::ACCOUNTS, 2);
    let broken = r#"[{"id": 1}, {"id": 2}, {"id": 3}"#;
    let broken = Answer::text(200, broken).breaks_off(TransportErrorKind::BetweenBytesTimeout);
    for _ in 0..6 {
        world
            .tenant
            .once("GET /v2/users", Fault::Refuse(broken.clone()));
    }
    let first = first_cursor(&world, &request);
    let error = error(world.list(&at(&first, &request)));
    assert!(matches!(error, Error::Timeout(_)), "{error:?}");
    let page = world.list(&at(&first, &request)).expect("a page");
    assert_eq!(names(&page.items), ["account 3", "account 11"]);
}

#[test]
fn a_page_has_a_thousand_items_unless_the_host_says_otherwise_and_five_thousand_at_the_most() {
    let users: Vec<_> = (0..6_000).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    let users = format!("[{}]", users.join(","));
    for (limit, expected) in [
        (None, 1_000),
        (Some(0), 1_000),
        (Some(1), 1),
        (Some(4_999), 4_999),
        (Some(5_000), 5_000),
        (Some(5_001), 5_000),
        (Some(u32::MAX), 5_000),
    ] {
        let world = World::new();
        world.tenant.serve("/v2/users", users.clone());
        let request = ListRequest {
            limit,
            ..list_of(ResourceKinds::ACCOUNTS)
        };
        assert_eq!(
            world.list(&request).expect("a page").items.len(),
            expected,
            "{limit:?}"
        );
    }
    assert_eq!(LARGEST_PAGE, 5_000);
}

#[test]
fn a_page_ends_after_a_mebibyte_of_an_answer() {
    let note = "x".repeat(400_000);
    let users: Vec<_> = (0..7)
        .map(|id| format!(r#"{{"id":{id},"note":"{note}"}}"#))
        .collect();
    let world = World::new();
    world
        .tenant
        .serve("/v2/users", format!("[{}]", users.join(",")));
    let (pages, _) = list_all(&world, &list_of(ResourceKinds::ACCOUNTS));
    let sizes: Vec<_> = pages.iter().map(|page| page.items.len()).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn a_page_of_roles_ends_after_a_mebibyte_of_an_answer() {
    let note = "x".repeat(400_000);
    let roles: Vec<_> = (0..7)
        .map(|id| format!(r#"{{"id":{id},"note":"{note}"}}"#))
        .collect();
    let world = World::new();
    world
        .tenant
        .serve("/v2/user/roles", format!("[{}]", roles.join(",")));
    let (pages, _) = list_all(&world, &list_of(ResourceKinds::ROLES));
    let sizes: Vec<_> = pages.iter().map(|page| page.items.len()).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn a_page_of_organizations_ends_after_a_mebibyte_of_an_answer() {
    let note = "x".repeat(400_000);
    let world = World::changed(|tenant| {
        tenant.organizations = (1..=7).map(|id| json!({"id": id, "note": note})).collect();
    });
    let (pages, _) = list_all(&world, &list_of(ResourceKinds::ORGANIZATIONS));
    let sizes: Vec<_> = pages.iter().map(|page| page.items.len()).collect();
    assert_eq!(sizes, [3, 3, 1]);
}

#[test]
fn items_that_are_filtered_out_do_not_end_a_page() {
    let note = "x".repeat(400_000);
    let mut users: Vec<_> = (0..7)
        .map(|id| format!(r#"{{"id":{id},"note":"{note}"}}"#))
        .collect();
    users.push(r#"{"id": 9, "email": "a@b"}"#.to_string());
    let world = World::new();
    world
        .tenant
        .serve("/v2/users", format!("[{}]", users.join(",")));
    let mut request = list_of(ResourceKinds::ACCOUNTS);
    request.filter.email = Some("a@b".to_string());
    let page = world.list(&request).expect("a page");
    assert_eq!(names(&page.items), ["account 9"]);
}

#[test]
fn organizations_are_asked_for_until_a_page_is_empty() {
    let world = World::changed(|tenant| {
        tenant.organizations = (1..=5).map(|id| json!({"id": id})).collect();
        tenant.largest_organization_page = 2;
    });
    let (pages, summary) = list_all(&world, &list_of(ResourceKinds::ORGANIZATIONS));
    let items: Vec<Item> = pages.into_iter().flat_map(|page| page.items).collect();
    assert_eq!((items.len(), summary.counts.organizations), (5, 5));
    assert_eq!(
        world.tenant.lines(),
        [
            "GET /v2/organizations?pageSize=1000",
            "GET /v2/organizations?pageSize=1000&after=2",
            "GET /v2/organizations?pageSize=1000&after=4",
            "GET /v2/organizations?pageSize=1000&after=5",
        ]
    );
}

#[test]
fn pages_of_organizations_that_go_round_are_malformed_and_not_endless() {
    for pages in [
        // `after` is not heeded.
        &[r#"[{"id": 4}, {"id": 5}]"#, r#"[{"id": 4}, {"id": 5}]"#][..],
        // A longer round.
        &[r#"[{"id": 4}]"#, r#"[{"id": 5}]"#, r#"[{"id": 4}]"#],
        &[r#"[{"id": 4}, {"id": 5}]"#, r#"[{"id": 5}, {"id": 3}]"#],
    ] {
        let world = World::new();
        for page in pages {
            let page = Answer::text(200, *page);
            world
                .tenant
                .once("GET /v2/organizations", Fault::Refuse(page));
        }
        let failure = world
            .list(&list_of(ResourceKinds::ORGANIZATIONS))
            .expect_err("endless");
        assert!(
            matches!(failure.error, Error::MalformedResponse(Some(_))),
            "{failure:?}"
        );
        assert!(failure.message.contains("go round"), "{}", failure.message);
        assert_eq!(world.tenant.lines().len(), pages.len());
    }
}

#[test]
fn a_page_of_organizations_may_begin_with_the_one_that_it_is_to_come_after() {
    let world = World::new();
    for page in [
        r#"[{"id": 4}, {"id": 5}]"#,
        r#"[{"id": 5}, {"id": 6}]"#,
        r#"[{"id": 6}]"#,
    ] {
        let page = Answer::text(200, page);
        world
            .tenant
            .once("GET /v2/organizations", Fault::Refuse(page));
    }
    let (pages, summary) = list_all(&world, &list_of(ResourceKinds::ORGANIZATIONS));
    assert_eq!(
        names(&pages[0].items),
        ["organization 4", "organization 5", "organization 6"]
    );
    assert_eq!(summary.counts.organizations, 3);
}

#[test]
fn a_filter_that_nothing_passes_gives_empty_pages_and_no_endless_call() {
    let name = "x".repeat(1_000);
    let users: Vec<_> = (1..=20_000)
        .map(|id| {
            format!(r#"{{"id": {id}, "email": "u{id}@acme.example", "firstName": "{name}"}}"#)
        })
        .collect();
    let world = World::new();
    world
        .tenant
        .serve("/v2/users", format!("[{}]", users.join(",")));
    world.tenant.change().chunk_bytes = 64 * 1024;
    let mut request = list_of(ResourceKinds::ACCOUNTS);
    request.filter.email = Some("nobody@acme.example".to_string());
    let (pages, summary) = list_all(&world, &request);
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|page| page.items.is_empty()));
    assert_eq!(summary.counts.accounts, 0);
    assert_eq!(world.tenant.lines().len(), 1);
}

#[test]
fn a_page_ends_when_half_of_the_time_is_gone() {
    let world = World::changed(|tenant| {
        tenant.users = (1..=1_000)
            .map(|id| json!({"id": id, "userType": "TECHNICIAN"}))
            .collect();
        // The answer takes longer than half of what the host waits.
        tenant.latency_nanos = 6_000_000_000;
    });
    world.host.stop_waiting_in(14_000);
    let page = world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect("a page");
    assert_eq!(page.items.len(), 256);
    assert!(matches!(page.next, Continuation::More(_)));
}

#[test]
fn listings_that_take_turns_ask_once_each() {
    let world = World::new();
    let mut requests = [
        list_of(ResourceKinds::ACCOUNTS),
        list_of(ResourceKinds::GRANTS),
        list_of(ResourceKinds::ORGANIZATIONS),
        list_of(ResourceKinds::ROLES),
    ];
    let mut given = 0;
    for _ in 0..6 {
        for request in &mut requests {
            request.limit = Some(1);
            let page = world.list(request).expect("a page");
            given += page.items.len();
            match page.next {
                Continuation::More(cursor) => request.cursor = Some(cursor),
                Continuation::Complete(_) => {}
            }
        }
    }
    assert!(given >= 5 + 4 + 2 + 3, "{given}");
    let lines = world.tenant.lines();
    let of_users = lines
        .iter()
        .filter(|line| line.starts_with("GET /v2/users"));
    assert_eq!(of_users.count(), 1, "{lines:?}");
}

#[test]
fn a_long_answer_survives_more_failures_than_a_short_one() {
    let users: Vec<_> = (1..=100).map(|id| format!(r#"{{"id": {id}}}"#)).collect();
    let body = format!("[{}]", users.join(","));
    let world = World::new();
    for failures in 1..=8 {
        let part = body[..body.len() * failures / 9].to_string();
        let broken = Answer::text(200, part).breaks_off(TransportErrorKind::Network);
        world.tenant.once("GET /v2/users", Fault::Refuse(broken));
    }
    world.tenant.serve("/v2/users", body);
    let (_, summary) = list_all(&world, &list_of(ResourceKinds::ACCOUNTS));
    assert_eq!(summary.counts.accounts, 100);
}
