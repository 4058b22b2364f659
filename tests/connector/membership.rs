//! Grant and revoke: one membership is changed, once, and only what was seen is said.

use ninjaone_connector::contract::{
    Action, Change, Error, Failure, Mode, Outcome, RefusalReason, ResourceKind, ResourceReference,
    StepStatus, UnchangedReason, Value,
};
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::json;

use crate::support::tenant::{Answer, Answers, Fault, Unknowns, unknown_route};
use crate::support::{World, complaints, error, outcome, unchanged};

const ROLES: &str = "GET /v2/user/roles";
const ADD: &str = "PATCH /v2/user/role/21/add-members";
const REMOVE: &str = "PATCH /v2/user/role/21/remove-members";
const GRANTED: Outcome = unchanged(UnchangedReason::AlreadyGranted);
const NOT_GRANTED: Outcome = unchanged(UnchangedReason::NotGranted);

fn not_found(kind: ResourceKind, id: &str) -> Error {
    let id = id.to_string();
    Error::NotFound(ResourceReference { kind, id })
}

/// Grants the role 21 to the technician 2, who does not hold it.
fn grant(world: &World) -> Result<Change, Failure> {
    world.grant("2", "21", Mode::Apply)
}

/// Takes the role 21 from the technician 1, who holds it.
fn revoke(world: &World) -> Result<Change, Failure> {
    world.revoke("1", "21", Mode::Apply)
}

fn bodies(world: &World) -> Vec<(String, String)> {
    let writes = world.tenant.writes().into_iter();
    writes.map(|sent| (sent.request(), sent.body)).collect()
}

fn one(request: &str, body: &str) -> Vec<(String, String)> {
    vec![(request.to_string(), body.to_string())]
}

#[test]
fn a_role_is_granted_with_one_write_whatever_ninjaone_answers() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        assert_eq!(outcome(grant(&world)), Outcome::Changed, "{unknowns:?}");
        assert_eq!(world.tenant.state().members(21), [1, 2]);
        assert_eq!(bodies(&world), one(ADD, "[2]"));
    }
}

#[test]
fn a_role_without_a_list_of_members_is_granted_by_what_the_answer_shows_and_never_seen_to_be_revoked()
 {
    for body in [r#"[{"id": 21}]"#, r#"[{"id": 21, "members": null}]"#] {
        let world = World::new();
        world.tenant.serve("/v2/user/roles", body);
        assert_eq!(outcome(grant(&world)), Outcome::Changed);
        assert_eq!(error(revoke(&world)), Error::Unconfirmed);
        assert_eq!(world.tenant.writes().len(), 2);
        world
            .tenant
            .always(ADD, Fault::Refuse(Answer::text(204, "")));
        assert_eq!(error(grant(&world)), Error::Unconfirmed);
    }
}

#[test]
fn the_last_member_is_revoked_where_empty_lists_are_left_out() {
    let world = World::new();
    let others = r#"{"id": 22, "members": [{"id": 11}]}"#;
    let roles = Answer::text(200, format!(r#"[{{"id": 21}}, {others}]"#));
    world.tenant.after(1, ROLES, Fault::Refuse(roles));
    assert_eq!(outcome(revoke(&world)), Outcome::Changed);
    // Where no role has a list, it proves nothing.
    let world = World::new();
    let roles = Answer::text(200, r#"[{"id": 21}, {"id": 22}]"#);
    world.tenant.after(1, ROLES, Fault::Refuse(roles));
    assert_eq!(error(revoke(&world)), Error::Unconfirmed);
}

#[test]
fn a_revocation_is_not_believed_to_its_own_answer() {
    let world = World::new();
    let without = json!({"id": 21, "members": []});
    world
        .tenant
        .always(REMOVE, Fault::Refuse(Answer::json(200, &without)));
    assert_eq!(error(revoke(&world)), Error::Unconfirmed);
}

#[test]
fn a_change_that_shows_a_little_later_is_waited_for() {
    // Whatever the answer is, its status says that the change was accepted.
    for answers in [Answers::Nothing, Answers::Text] {
        let world = World::with(Unknowns {
            answers,
            ..Unknowns::DOCUMENTED
        });
        let before = r#"[{"id": 21, "type": "TECHNICIAN", "members": [{"id": 1}]}]"#;
        for _ in 0..3 {
            world
                .tenant
                .once(ROLES, Fault::Refuse(Answer::text(200, before)));
        }
        assert_eq!(outcome(grant(&world)), Outcome::Changed, "{answers:?}");
        assert_eq!(world.host.pauses(), [500, 1_000]);
        assert_eq!(world.tenant.writes().len(), 1);
    }
}

#[test]
fn an_attempt_that_was_not_accepted_is_looked_for_once() {
    let account = "GET /v2/user/technician/2";
    for status in [400, 404] {
        let world = World::new();
        world
            .tenant
            .always(ADD, Fault::Refuse(Answer::text(status, "")));
        error(grant(&world));
        assert_eq!(world.tenant.lines(), [ROLES, account, ADD, ROLES]);
        assert!(world.host.pauses().is_empty());
    }
    let world = World::new();
    world
        .tenant
        .always(ADD, Fault::Drop(TransportErrorKind::Network));
    error(grant(&world));
    let lines = world.tenant.lines();
    assert_eq!(lines[..2], [ROLES, account]);
    assert_eq!(lines[2..], [ADD, ROLES].repeat(5));
}

#[test]
fn nobody_looks_again_for_longer_than_the_host_waits() {
    let world = World::new();
    world
        .tenant
        .always(ADD, Fault::Refuse(Answer::text(204, "")));
    world.host.stop_waiting_in(2_000);
    assert_eq!(error(grant(&world)), Error::Unconfirmed);
    assert_eq!(world.host.pauses(), [500, 1_000]);
}

#[test]
fn other_members_who_are_gone_are_told() {
    let roles = |members: &str| {
        let role = format!(r#"[{{"id": 21, "type": "TECHNICIAN", "members": [{members}]}}]"#);
        Fault::Refuse(Answer::text(200, role))
    };
    let (one, two, three) = (r#"{"id": 1}"#, r#"{"id": 2}"#, r#"{"id": 3}"#);
    let lists = [
        (
            grant as fn(&World) -> _,
            [one, three].join(","),
            two.to_string(),
            (2, 1),
        ),
        // As many as before, but one of them is new.
        (grant, [one, three].join(","), [one, two].join(","), (2, 2)),
        (revoke, [one, two, three].join(","), two.to_string(), (3, 1)),
    ];
    for (change, before, after, (had, has)) in lists {
        let world = World::with(Unknowns {
            answers: Answers::Nothing,
            ..Unknowns::DOCUMENTED
        });
        world.tenant.once(ROLES, roles(&before));
        world.tenant.once(ROLES, roles(&after));
        let change: Change = Result::expect(change(&world), "a change");
        assert_eq!(change.outcome, Outcome::Partial);
        assert_eq!(change.steps[0].status, StepStatus::Done(Outcome::Changed));
        let lost = &change.steps[1];
        assert_eq!(lost.changes[0].before, Some(Value::Integer(had)));
        assert_eq!(lost.changes[0].after, Some(Value::Integer(has)));
        let StepStatus::Failed(reason) = &lost.status else {
            panic!("not failed: {lost:?}");
        };
        assert!(
            reason.message.contains("removed more"),
            "{}",
            reason.message
        );
    }
}

#[test]
fn a_role_is_revoked_with_one_write_whatever_ninjaone_answers() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        assert_eq!(outcome(revoke(&world)), Outcome::Changed, "{unknowns:?}");
        assert_eq!(world.tenant.state().members(21), [0; 0]);
        assert_eq!(bodies(&world), one(REMOVE, "[1]"));
    }
}

#[test]
fn a_change_says_whose_role_it_was() {
    let world = World::new();
    for (change, action, account) in [
        (grant(&world), Action::GrantRole, "2"),
        (revoke(&world), Action::RevokeRole, "1"),
        (world.revoke("1", "21", Mode::Plan), Action::RevokeRole, "1"),
    ] {
        let change = change.expect("a change");
        let step = &change.steps[0];
        assert_eq!(change.account.as_deref(), Some(account));
        assert_eq!(
            (step.action, step.account.as_deref()),
            (action, Some(account))
        );
        assert_eq!((step.role.as_deref(), step.changes.len()), (Some("21"), 0));
    }
}

#[test]
fn an_answer_that_shows_the_new_member_is_enough() {
    let world = World::new();
    outcome(grant(&world));
    let account = "GET /v2/user/technician/2";
    assert_eq!(world.tenant.lines(), [ROLES, account, ADD]);
    world.tenant.forget_sent();
    // That somebody is missing from an answer is no proof.
    outcome(revoke(&world));
    assert_eq!(world.tenant.lines(), [ROLES, REMOVE, ROLES]);
}

#[test]
fn what_is_as_wanted_is_left_alone() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let world = World::with(unknowns);
            assert_eq!(outcome(world.grant("1", "21", mode)), GRANTED);
            assert_eq!(outcome(world.revoke("2", "21", mode)), NOT_GRANTED);
            assert_eq!(world.tenant.lines(), [ROLES, ROLES]);
        }
    }
}

#[test]
fn a_plan_says_what_would_change_and_sends_no_write() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        assert_eq!(
            outcome(world.grant("2", "21", Mode::Plan)),
            Outcome::WouldChange
        );
        assert_eq!(
            outcome(world.revoke("1", "21", Mode::Plan)),
            Outcome::WouldChange
        );
        assert_eq!(bodies(&world), []);
        assert_eq!(
            world.host.log().len(),
            1,
            "only the token: {:?}",
            world.host.log()
        );
    }
}

#[test]
fn a_role_that_is_not_there_is_not_found() {
    for mode in [Mode::Apply, Mode::Plan] {
        let world = World::new();
        let expected = not_found(ResourceKind::Role, "99");
        assert_eq!(error(world.grant("1", "99", mode)), expected);
        assert_eq!(error(world.revoke("1", "99", mode)), expected);
        assert_eq!(bodies(&world), []);
    }
    let message = World::new()
        .revoke("1", "99", Mode::Plan)
        .expect_err("not found")
        .message;
    assert!(message.contains("no role 99"), "{message}");
}

#[test]
fn granting_to_an_account_that_is_not_there_is_not_found_and_revoking_from_it_is_done_already() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let world = World::with(unknowns);
            let failure = world.grant("99", "21", mode).expect_err("not found");
            assert_eq!(
                failure.error,
                not_found(ResourceKind::Account, "99"),
                "{unknowns:?}"
            );
            assert!(
                failure.message.contains("no account 99"),
                "{}",
                failure.message
            );
            assert_eq!(outcome(world.revoke("99", "21", mode)), NOT_GRANTED);
            assert_eq!(bodies(&world), []);
        }
    }
}

#[test]
fn a_role_for_another_kind_of_account_is_refused() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let world = World::with(unknowns);
            for (account, role) in [("11", "21"), ("1", "22")] {
                let refused = error(world.grant(account, role, mode));
                assert_eq!(
                    refused,
                    Error::Refused(RefusalReason::WrongAccountKind),
                    "{unknowns:?}"
                );
            }
            assert_eq!(bodies(&world), []);
        }
    }
    let message = World::new()
        .grant("11", "21", Mode::Plan)
        .expect_err("refused")
        .message;
    assert_eq!(
        message,
        "the role \"Helpdesk\" is for accounts of the kind technician, and the account 11 is of the kind end-user; choose a role for that kind"
    );
}

#[test]
fn a_role_that_names_no_kind_or_one_that_is_not_known_can_be_granted_to_anybody() {
    for role_type in [None, Some("CONTRACTOR")] {
        for account in ["2", "12"] {
            let world = World::changed(|tenant| tenant.role_mut(23).role_type = role_type);
            let granted = outcome(world.grant(account, "23", Mode::Apply));
            assert_eq!(granted, Outcome::Changed);
        }
    }
}

#[test]
fn the_kind_that_the_role_is_for_is_asked_first() {
    let world = World::new();
    outcome(world.grant("12", "22", Mode::Plan));
    assert_eq!(world.tenant.lines(), [ROLES, "GET /v2/user/end-user/12"]);
}

#[test]
fn what_is_already_granted_is_not_refused_for_its_kind() {
    let world = World::changed(|tenant| tenant.role_mut(21).members.push(11));
    assert_eq!(outcome(world.grant("11", "21", Mode::Apply)), GRANTED);
}

#[test]
fn a_write_whose_answer_was_lost_is_not_sent_again_and_seen_to_be_done() {
    for unknowns in Unknowns::all() {
        for lost in [
            Fault::LoseAnswer(TransportErrorKind::Network),
            Fault::LoseAnswer(TransportErrorKind::FirstByteTimeout),
            Fault::LoseAnswer(TransportErrorKind::TooLarge),
            Fault::LoseAnswer(TransportErrorKind::Internal),
            Fault::AnswerAfter(Answer::text(500, "")),
            Fault::AnswerAfter(Answer::text(302, "")),
            Fault::AnswerAfter(Answer::text(408, "")),
            Fault::AnswerAfter(Answer::text(200, "{\"id\":")),
            Fault::AnswerAfter(Answer::text(200, "garbage")),
            Fault::AnswerAfter(Answer::text(200, "{}")),
            Fault::AnswerAfter(Answer::text(200, "{\"id\": 21, \"members\": []} x")),
            Fault::AnswerAfter(Answer::text(200, "{\"id\": 5, \"members\": []}")),
            Fault::AnswerAfter(Answer::text(200, "").breaks_off(TransportErrorKind::Network)),
        ] {
            let world = World::with(unknowns);
            world.tenant.always(ADD, lost.clone());
            world.tenant.always(REMOVE, lost);
            assert_eq!(outcome(grant(&world)), Outcome::Changed, "{unknowns:?}");
            assert_eq!(bodies(&world), one(ADD, "[2]"));
            world.tenant.forget_sent();
            assert_eq!(outcome(revoke(&world)), Outcome::Changed, "{unknowns:?}");
            assert_eq!(bodies(&world), one(REMOVE, "[1]"));
        }
    }
}

#[test]
fn a_write_that_did_not_arrive_is_sent_again_where_that_helps_and_fails_as_what_went_wrong() {
    for (fault, expected, times) in [
        (Fault::Drop(TransportErrorKind::Network), Error::Network, 5),
        (
            Fault::Refuse(Answer::text(500, "")),
            Error::Upstream(500),
            5,
        ),
        (
            Fault::Refuse(Answer::text(400, "")),
            Error::Upstream(400),
            1,
        ),
        (
            Fault::Refuse(Answer::text(404, "")),
            Error::Upstream(404),
            1,
        ),
        (
            Fault::Refuse(Answer::text(409, "")),
            Error::Upstream(409),
            1,
        ),
        (
            Fault::Refuse(Answer::text(429, "")),
            Error::RateLimited(None),
            5,
        ),
        (
            Fault::Refuse(Answer::text(405, "")),
            Error::Upstream(405),
            1,
        ),
        (
            Fault::Refuse(Answer::text(200, "x")),
            Error::MalformedResponse(Some(0)),
            1,
        ),
        (Fault::Refuse(unknown_route()), Error::Upstream(404), 1),
    ] {
        let world = World::new();
        world.tenant.always(ADD, fault.clone());
        world.tenant.always(REMOVE, fault);
        assert_eq!(error(grant(&world)), expected);
        assert_eq!(world.tenant.writes().len(), times);
        assert_eq!(error(revoke(&world)), expected);
        assert_eq!(world.tenant.writes().len(), 2 * times);
    }
}

#[test]
fn a_refusal_that_leaves_no_doubt_is_not_followed_by_a_look() {
    for answer in [
        Answer::text(403, ""),
        Answer::text(405, ""),
        unknown_route(),
    ] {
        let world = World::new();
        world.tenant.always(REMOVE, Fault::Refuse(answer));
        error(revoke(&world));
        assert_eq!(world.tenant.lines(), [ROLES, REMOVE]);
    }
}

#[test]
fn the_failure_of_the_write_is_told_when_the_look_afterwards_fails_too() {
    let world = World::new();
    world
        .tenant
        .always(ADD, Fault::LoseAnswer(TransportErrorKind::FirstByteTimeout));
    world
        .tenant
        .after(1, ROLES, Fault::Refuse(Answer::text(500, "")));
    let failure = grant(&world).expect_err("nobody knows");
    assert!(matches!(failure.error, Error::Timeout(_)), "{failure:?}");
    assert_eq!(failure.exchange.expect("an exchange").request, ADD);
}

#[test]
fn a_look_that_fails_after_a_change_was_accepted_is_told_as_what_went_wrong() {
    let world = World::new();
    world
        .tenant
        .always(ADD, Fault::AnswerAfter(Answer::text(204, "")));
    world
        .tenant
        .after(1, ROLES, Fault::Refuse(Answer::text(500, "")));
    let failure = grant(&world).expect_err("nobody knows");
    assert_eq!(failure.error, Error::Upstream(500));
    assert_eq!(failure.exchange.expect("an exchange").request, ROLES);
}

#[test]
fn where_somebody_else_was_quicker_nothing_was_changed() {
    for needless_change in [400, 404] {
        let world = World::with(Unknowns {
            needless_change,
            ..Unknowns::DOCUMENTED
        });
        world.tenant.always(
            ADD,
            Fault::outrun(|tenant| tenant.role_mut(21).members.push(2)),
        );
        world.tenant.always(
            REMOVE,
            Fault::outrun(|tenant| tenant.role_mut(21).members.clear()),
        );
        assert_eq!(outcome(grant(&world)), GRANTED);
        assert_eq!(outcome(revoke(&world)), NOT_GRANTED);
    }
}

#[test]
fn a_change_that_is_not_seen_afterwards_is_unconfirmed_whatever_ninjaone_answers() {
    for unknowns in Unknowns::all() {
        // Garbage is no acceptance: then the answer is malformed.
        let expected = match unknowns.answers {
            Answers::Text => Error::MalformedResponse(Some(0)),
            _ => Error::Unconfirmed,
        };
        // An answer that shows the change is believed.
        let fault = match unknowns.answers {
            Answers::Whole => Fault::Refuse(Answer::text(204, "")),
            _ => Fault::Pretend,
        };
        let world = World::with(unknowns);
        world.tenant.always(ADD, fault.clone());
        world.tenant.always(REMOVE, fault);
        let failure = grant(&world).expect_err("not seen");
        assert_eq!(failure.error, expected, "{unknowns:?}");
        let failure = revoke(&world).expect_err("not seen");
        assert_eq!(failure.error, expected, "{unknowns:?}");
        assert_eq!(world.tenant.writes().len(), 2);
    }
}

#[test]
fn an_answer_that_shows_no_members_does_not_confirm_a_revocation() {
    for body in ["{\"id\": 21}", "{\"id\": 21, \"members\": null}"] {
        let world = World::new();
        world
            .tenant
            .always(REMOVE, Fault::Refuse(Answer::text(200, body)));
        assert_eq!(error(revoke(&world)), Error::Unconfirmed, "{body}");
    }
}

#[test]
fn an_answer_that_shows_other_members_does_not_confirm_a_grant() {
    let world = World::new();
    let other = json!({"id": 21, "members": [{"id": 1}, {"id": 22}]});
    world
        .tenant
        .always(ADD, Fault::Refuse(Answer::json(200, &other)));
    let failure = grant(&world).expect_err("not seen");
    assert_eq!(failure.error, Error::Unconfirmed);
    assert!(
        failure
            .message
            .contains("does not list the account 2 among the members of the role 21"),
        "{}",
        failure.message
    );
    let unchanged = json!({"id": 21, "members": [{"id": 1}]});
    world
        .tenant
        .always(REMOVE, Fault::Refuse(Answer::json(200, &unchanged)));
    let failure = revoke(&world).expect_err("not seen");
    assert_eq!(failure.error, Error::Unconfirmed);
    assert!(
        failure.message.contains("still lists the account 1"),
        "{}",
        failure.message
    );
}

#[test]
fn an_answer_about_another_role_confirms_nothing() {
    let world = World::new();
    let other = json!({"id": 22, "members": [{"id": 2}]});
    world
        .tenant
        .always(ADD, Fault::Refuse(Answer::json(200, &other)));
    assert_eq!(error(grant(&world)), Error::Unconfirmed);
}

#[test]
fn an_empty_list_of_roles_does_not_prove_that_a_role_is_not_there() {
    for nothing in ["[]", "null"] {
        let world = World::new();
        world.tenant.serve("/v2/user/roles", nothing);
        for error in [error(grant(&world)), error(revoke(&world))] {
            assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
        }
        assert_eq!(world.tenant.writes().len(), 0);
    }
}

#[test]
fn a_role_that_vanishes_after_the_write_is_unconfirmed() {
    let world = World::new();
    world
        .tenant
        .always(REMOVE, Fault::AnswerAfter(Answer::text(204, "")));
    world.tenant.after(
        1,
        ROLES,
        Fault::outrun(|tenant| tenant.roles.retain(|role| role.id != 21)),
    );
    assert_eq!(error(revoke(&world)), Error::Unconfirmed);
}

#[test]
fn a_list_of_roles_that_breaks_off_is_an_error_and_nothing_is_written() {
    let broken = r#"[{"id": 21, "members": [{"id": 1}]}"#;
    for mode in [Mode::Apply, Mode::Plan] {
        let world = World::new();
        world.tenant.serve("/v2/user/roles", broken);
        for result in [world.grant("1", "21", mode), world.revoke("2", "21", mode)] {
            assert_eq!(error(result), Error::MalformedResponse(Some(35)));
        }
        assert_eq!(bodies(&world), []);
    }
}

#[test]
fn members_of_other_roles_do_not_count() {
    let world = World::changed(|tenant| tenant.role_mut(23).members.push(2));
    assert_eq!(outcome(grant(&world)), Outcome::Changed);
    assert_eq!(outcome(world.revoke("11", "21", Mode::Apply)), NOT_GRANTED);
}

#[test]
fn an_account_that_cannot_be_looked_up_is_an_error_and_nothing_is_written() {
    let world = World::new();
    world.tenant.always(
        "GET /v2/user/technician/2",
        Fault::Refuse(Answer::text(500, "")),
    );
    assert_eq!(error(grant(&world)), Error::Upstream(500));
    assert_eq!(bodies(&world), []);
}

#[test]
fn an_account_of_which_one_kind_is_refused_and_the_other_is_missing_is_not_taken_for_gone() {
    let world = World::with(Unknowns {
        wrong_type: 404,
        ..Unknowns::DOCUMENTED
    });
    world.tenant.always(
        "GET /v2/user/technician/2",
        Fault::Refuse(Answer::failure(400, "BAD_REQUEST")),
    );
    assert_eq!(error(grant(&world)), Error::Upstream(400));
    assert_eq!(error(world.delete("2", Mode::Apply)), Error::Upstream(400));
    assert_eq!(bodies(&world), []);
}

#[test]
fn both_identifiers_are_checked_at_once_before_anything_is_sent() {
    let world = World::new();
    for mode in [Mode::Apply, Mode::Plan] {
        assert_eq!(
            complaints(error(world.grant("ada", "01", mode))),
            ["account", "role"]
        );
        assert_eq!(
            complaints(error(world.revoke("-1", "21", mode))),
            ["account"]
        );
        assert_eq!(complaints(error(world.revoke("1", "", mode))), ["role"]);
    }
    assert!(world.tenant.lines().is_empty());
}

#[test]
fn of_what_is_no_identifier_the_start_is_repeated() {
    let hundred = "é".repeat(100);
    for (given, repeated) in [
        ("ada".to_string(), "\"ada\"".to_string()),
        (hundred.clone(), format!("\"{hundred}\"")),
        (format!("{hundred}é"), format!("\"{hundred}…\"")),
    ] {
        let refused = World::new().grant(&given, "21", Mode::Plan);
        let message = refused.expect_err("no identifier").message;
        let says = format!("account: {repeated} is not an identifier");
        assert!(message.starts_with(&says), "{message}");
    }
}

#[test]
fn a_write_is_logged_with_whom_it_concerns() {
    let world = World::new();
    outcome(grant(&world));
    outcome(revoke(&world));
    assert_eq!(
        world.host.log()[1..],
        [
            "Info granting a role account=2 role=21",
            "Info revoking a role account=1 role=21",
        ]
    );
}

#[test]
fn members_who_are_named_twice_and_then_once_are_not_gone() {
    let twice =
        r#"[{"id": 21, "type": "TECHNICIAN", "members": [{"id": 1}, {"id": 1}, {"id": 3}]}]"#;
    let served = || Fault::Refuse(Answer::text(200, twice));
    let world = World::changed(|tenant| tenant.role_mut(21).members.push(3));
    world.tenant.once(ROLES, served());
    assert_eq!(outcome(grant(&world)), Outcome::Changed);
    let world = World::changed(|tenant| tenant.role_mut(21).members.push(3));
    world.tenant.once(ROLES, served());
    assert_eq!(outcome(revoke(&world)), Outcome::Changed);
}
