//! What is tried again within a call, how often, after which pause; and what is not.

use ninjaone_connector::contract::{Error, Item, Mode, Outcome, ResourceKinds};
use ninjaone_connector::ninjaone::host::SettingError;
use ninjaone_connector::ninjaone::http::TransportErrorKind;

use crate::support::tenant::{Answer, Fault};
use crate::support::{World, list_of};

const TOKEN: &str = "POST /ws/oauth/token";
const USERS: &str = "GET /v2/users";
const ROLES: &str = "GET /v2/user/roles";
const CUT_SHORT: Fault = Fault::CutShort(TransportErrorKind::Network);
const ADD: &str = "PATCH /v2/user/role/21/add-members";

/// A world where chance gives the longest pauses.
fn world() -> World {
    let world = World::new();
    // One less than the product of all numbers that a pause is taken modulo: 501, 1001, 2001, 4001.
    world.host.load_dice(501 * 1_001 * 2_001 * 4_001 - 1);
    world
}

fn accounts(world: &World) -> Result<usize, Error> {
    let page = world.list(&list_of(ResourceKinds::ACCOUNTS));
    page.map(|page| page.items.len())
        .map_err(|failure| failure.error)
}

fn times(world: &World, request: &str) -> usize {
    let lines = world.tenant.lines();
    lines
        .iter()
        .filter(|line| line.starts_with(request))
        .count()
}

#[test]
fn what_passes_by_itself_is_tried_again() {
    for fault in [
        Fault::Drop(TransportErrorKind::Unreachable),
        Fault::Drop(TransportErrorKind::Network),
        Fault::Drop(TransportErrorKind::ConnectTimeout),
        Fault::Drop(TransportErrorKind::FirstByteTimeout),
        Fault::Refuse(Answer::text(408, "")),
        Fault::Refuse(Answer::text(429, "")),
        Fault::Refuse(Answer::text(500, "")),
        Fault::Refuse(Answer::text(502, "")),
        Fault::Refuse(Answer::text(503, "")),
        Fault::Refuse(Answer::text(504, "")),
        Fault::Refuse(Answer::html(200)),
    ] {
        for request in [TOKEN, USERS] {
            let world = world();
            world.tenant.once(request, fault.clone());
            assert_eq!(accounts(&world), Ok(5));
            assert_eq!(world.host.pauses().len(), 1);
        }
    }
}

#[test]
fn what_stays_as_it_is_is_not_tried_again() {
    for fault in [
        Fault::Drop(TransportErrorKind::Untrusted),
        Fault::Drop(TransportErrorKind::Denied),
        Fault::Drop(TransportErrorKind::TooLarge),
        Fault::Refuse(Answer::text(400, "")),
        Fault::Refuse(Answer::text(403, "")),
        Fault::Refuse(Answer::text(404, "")),
        Fault::Refuse(Answer::text(302, "")),
        Fault::Refuse(Answer::text(501, "")),
        Fault::Refuse(Answer::text(200, "[{]")),
    ] {
        let world = world();
        world.tenant.once(USERS, fault);
        accounts(&world).expect_err("it is not tried again");
        assert!(world.host.pauses().is_empty());
    }
}

#[test]
fn pauses_grow_and_a_call_gives_up_after_the_fourth() {
    let world = world();
    world
        .tenant
        .always(USERS, Fault::Refuse(Answer::text(500, "")));
    assert_eq!(accounts(&world), Err(Error::Upstream(500)));
    assert_eq!(world.host.pauses(), [500, 1_000, 2_000, 4_000]);
    assert_eq!(times(&world, USERS), 5);
}

#[test]
fn chance_can_shorten_a_pause_to_nothing() {
    let world = World::new();
    world.host.load_dice(0);
    world
        .tenant
        .always(USERS, Fault::Refuse(Answer::text(500, "")));
    assert_eq!(accounts(&world), Err(Error::Upstream(500)));
    assert_eq!(world.host.pauses(), [0, 0, 0, 0]);
}

#[test]
fn each_call_has_a_budget_of_its_own() {
    let world = world();
    world
        .tenant
        .always(USERS, Fault::Refuse(Answer::text(500, "")));
    for call in 1..=2 {
        assert_eq!(accounts(&world), Err(Error::Upstream(500)));
        assert_eq!(times(&world, USERS), call * 5);
    }
}

#[test]
fn all_that_a_call_tries_again_comes_from_one_budget() {
    let world = world();
    for _ in 0..3 {
        world
            .tenant
            .once(TOKEN, Fault::Refuse(Answer::text(500, "")));
    }
    world
        .tenant
        .always(USERS, Fault::Refuse(Answer::text(502, "")));
    assert_eq!(accounts(&world), Err(Error::Upstream(502)));
    assert_eq!(world.host.pauses().len(), 4);
    assert_eq!(times(&world, USERS), 2);
}

#[test]
fn the_wait_that_is_asked_for_is_waited_for() {
    for status in [429, 503] {
        let world = world();
        let answer = Answer::text(status, "").header("retry-after", "7");
        world.tenant.once(USERS, Fault::Refuse(answer));
        assert_eq!(accounts(&world), Ok(5));
        assert_eq!(world.host.pauses(), [7_500]);
    }
}

#[test]
fn a_wait_that_does_not_fit_into_a_call_is_given_back_at_once() {
    for (retry_after, millis) in [
        ("20", 20_000),
        ("3600", 3_600_000),
        ("99999999999999999", u64::MAX),
    ] {
        let world = world();
        let answer = Answer::text(429, "").header("retry-after", retry_after);
        world.tenant.always(USERS, Fault::Refuse(answer));
        assert_eq!(accounts(&world), Err(Error::RateLimited(Some(millis))));
        assert!(world.host.pauses().is_empty());
    }
}

#[test]
fn waits_add_up() {
    let world = world();
    let answer = Answer::text(429, "").header("retry-after", "8");
    world.tenant.always(USERS, Fault::Refuse(answer));
    assert_eq!(accounts(&world), Err(Error::RateLimited(Some(8_000))));
    // A third would make more than 20 seconds.
    assert_eq!(world.host.pauses(), [8_500, 9_000]);
}

#[test]
fn no_pause_outlasts_the_host() {
    for (left, pauses) in [
        (500, vec![]),
        (501, vec![500]),
        (1_500, vec![500]),
        (1_501, vec![500, 1_000]),
    ] {
        let world = world();
        world
            .tenant
            .always(USERS, Fault::Refuse(Answer::text(500, "")));
        world.host.stop_waiting_in(left);
        assert_eq!(accounts(&world), Err(Error::Upstream(500)));
        assert_eq!(world.host.pauses(), pauses, "with {left} ms left");
    }
}

#[test]
fn the_next_attempt_has_as_long_as_the_last_one_took() {
    // Getting a token and asking for users take five seconds each, and the pause half a second.
    for (left, answer) in [(20_500, Err(Error::Upstream(504))), (20_501, Ok(5))] {
        let world = world();
        world.tenant.change().latency_nanos = 5_000_000_000;
        world
            .tenant
            .once(USERS, Fault::Refuse(Answer::text(504, "")));
        world.host.stop_waiting_in(left);
        assert_eq!(accounts(&world), answer, "with {left} ms left");
    }
}

#[test]
fn each_attempt_counts_by_itself() {
    // Two looks, the write and a look after it take five seconds each, and the pause half a second.
    for (left, granted) in [
        (25_500, Err(Error::Upstream(500))),
        (25_501, Ok(Outcome::Changed)),
    ] {
        let world = world();
        accounts(&world).expect("the token is there from then on");
        world.tenant.change().latency_nanos = 5_000_000_000;
        world.tenant.once(ADD, Fault::Refuse(Answer::text(500, "")));
        world.host.stop_waiting_in(left);
        let change = world.grant("2", "21", Mode::Apply);
        let outcome = change.map(|change| change.outcome);
        let outcome = outcome.map_err(|failure| failure.error);
        assert_eq!(outcome, granted, "with {left} ms left");
    }
}

#[test]
fn a_listing_goes_on_after_what_it_has_where_an_answer_broke_off() {
    for kinds in [
        ResourceKinds::ACCOUNTS,
        ResourceKinds::ROLES | ResourceKinds::GRANTS,
        ResourceKinds::ACCOUNTS | ResourceKinds::ROLES | ResourceKinds::GRANTS,
        ResourceKinds::ORGANIZATIONS,
        ResourceKinds::EVENTS,
    ] {
        let undisturbed = World::new().list(&list_of(kinds)).expect("a page");
        for path in [
            "/v2/users",
            "/v2/user/roles",
            "/v2/organizations",
            "/v2/activities",
        ] {
            let world = world();
            world.tenant.once(&format!("GET {path}"), CUT_SHORT);
            let page = world.list(&list_of(kinds)).expect("a page");
            assert_eq!(page, undisturbed, "{kinds:?} with {path} cut short");
        }
    }
}

#[test]
fn a_listing_does_not_go_on_where_the_answer_has_changed_in_between() {
    let world = world();
    let broken = r#"[{"id": 1}, {"id": 7}, {"id": 2}"#;
    let broken = Answer::text(200, broken).breaks_off(TransportErrorKind::Network);
    world.tenant.once(USERS, Fault::Refuse(broken));
    assert_eq!(accounts(&world), Err(Error::InvalidCursor));
}

#[test]
fn a_look_that_breaks_off_is_taken_again() {
    for request in [ROLES, USERS] {
        let world = world();
        world.tenant.once(request, CUT_SHORT);
        let change = world.grant("2", "21", Mode::Apply).expect("granted");
        assert_eq!(change.outcome, Outcome::Changed);
    }
}

#[test]
fn an_attempt_that_was_made_twice_counts_as_done_by_us() {
    // The first one is answered 500 and takes effect after the look; the second one is then refused as needless.
    for needless_change in [200, 400, 404] {
        let world = world();
        world.tenant.change().unknowns.needless_change = needless_change;
        world.tenant.once(ADD, Fault::Refuse(Answer::text(500, "")));
        world.tenant.once(
            ADD,
            Fault::outrun(|state| state.role_mut(21).members.push(2)),
        );
        let change = world.grant("2", "21", Mode::Apply).expect("granted");
        assert_eq!(change.outcome, Outcome::Changed);
        assert!(world.tenant.state().members(21).contains(&2));
    }
}

#[test]
fn what_an_earlier_attempt_did_may_show_a_little_later() {
    // The first attempt takes effect after the look, the second one is refused as needless, and neither shows at once.
    let world = World::new();
    world.tenant.change().unknowns.needless_change = 400;
    world.tenant.once(ADD, Fault::Refuse(Answer::text(500, "")));
    world.tenant.once(
        ADD,
        Fault::outrun(|state| state.role_mut(21).members.push(2)),
    );
    let before = Answer::text(200, r#"[{"id": 21, "members": [{"id": 1}]}]"#);
    world.tenant.once_after(2, ROLES, Fault::Refuse(before));
    let change = world.grant("2", "21", Mode::Apply).expect("granted");
    assert_eq!(change.outcome, Outcome::Changed);
    assert_eq!(world.tenant.writes().len(), 2);
    assert_eq!(world.host.pauses(), [0, 500]);
}

#[test]
fn a_check_shows_failures_as_they_come() {
    let world = world();
    world
        .tenant
        .once(USERS, Fault::Refuse(Answer::text(500, "")));
    let report = world.check().expect("a report");
    assert!(!report.healthy);
    assert!(world.host.pauses().is_empty());
}

#[test]
fn a_check_does_not_wait_for_a_setting() {
    let world = world();
    let sealed = SettingError::Unavailable("the vault is sealed".to_string());
    world.host.fail("base-url", sealed);
    world.check().expect_err("there is no setting");
    assert!(world.host.pauses().is_empty());
}

#[test]
fn what_is_tried_again_is_logged_with_its_reason_and_its_pause() {
    let world = world();
    world
        .tenant
        .once(USERS, Fault::Refuse(Answer::text(502, "")));
    assert_eq!(accounts(&world), Ok(5));
    let log = world.host.log().join("\n");
    assert!(
        log.contains("Warn trying again pause-ms=500 after=GET /v2/users was answered 502"),
        "{log}"
    );
}

#[test]
fn grants_given_before_an_answer_broke_off_are_not_given_again() {
    let world = world();
    world.tenant.once(ROLES, CUT_SHORT);
    let page = world.list(&list_of(ResourceKinds::GRANTS)).expect("a page");
    let mut grants: Vec<_> = page
        .items
        .iter()
        .map(|item| match item {
            Item::Grant(grant) => (grant.account.clone(), grant.role.clone()),
            other => panic!("no grant: {other:?}"),
        })
        .collect();
    let all = grants.len();
    grants.dedup();
    assert_eq!(grants.len(), all);
    assert!(page.notices.is_empty());
}

#[test]
fn what_is_tried_again_is_logged_with_its_request_id() {
    let world = World::new();
    let refused = Answer::text(500, "").header("x-nj-request-id", "NJ-7");
    world.tenant.once("GET /v2/users", Fault::Refuse(refused));
    world
        .list(&list_of(ResourceKinds::ACCOUNTS))
        .expect("a page");
    let log = world.host.log();
    let line = log.iter().find(|line| line.contains("trying again"));
    assert!(
        line.is_some_and(|line| line.contains("request-id=NJ-7")),
        "{log:?}"
    );
}
