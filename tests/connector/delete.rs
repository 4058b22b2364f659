//! Deleting accounts: nobody who administers NinjaOne by accident, and "gone" only when it was seen.

use ninjaone_connector::contract::{
    Action, Change, Error, Failure, Mode, Outcome, RefusalReason, UnchangedReason,
};
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::{Value, json};

use crate::support::tenant::{Answer, Fault, State, Unknowns, unknown_route};
use crate::support::{World, complaints, error, outcome, unchanged};

const DELETE: &str = "DELETE /v2/user/technician/2";
const GET: &str = "GET /v2/user/technician/2";
const GONE: Outcome = unchanged(UnchangedReason::AlreadyGone);

/// Deletes the technician 2, who is no administrator.
fn delete(world: &World) -> Result<Change, Failure> {
    world.delete("2", Mode::Apply)
}

fn refused(reason: RefusalReason) -> Error {
    Error::Refused(reason)
}

/// Leaves one administrator, the first technician, beside others who cannot help.
fn leave_one_administrator(tenant: &mut State) {
    tenant.user_mut(3)["enabled"] = json!(false);
    tenant.user_mut(2)["administrator"] = json!(null);
}

#[test]
fn an_account_is_deleted_with_one_write_whatever_ninjaone_answers() {
    for unknowns in Unknowns::all() {
        for (account, request) in [("2", DELETE), ("11", "DELETE /v2/user/end-user/11")] {
            let world = World::with(unknowns);
            let deleted = outcome(world.delete(account, Mode::Apply));
            assert_eq!(deleted, Outcome::Changed, "{unknowns:?}");
            assert_eq!(world.tenant.state().users.len(), 4);
            let writes = world.tenant.writes();
            assert_eq!(
                (writes.len(), writes[0].request()),
                (1, request.to_string())
            );
            assert_eq!(writes[0].body, "");
        }
    }
}

#[test]
fn nobody_is_gone_by_a_list_of_users_with_somebody_in_it_who_may_be_the_one() {
    for id in [
        json!(null),
        json!(true),
        json!(-2),
        json!(4_294_967_298_u64),
    ] {
        let world = World::changed(|tenant| tenant.user_mut(2)["id"] = id.clone());
        for path in [GET, "GET /v2/user/end-user/2"] {
            let not_found = Answer::text(404, r#"{"resultCode":"USER_NOT_FOUND"}"#);
            world.tenant.always(path, Fault::Refuse(not_found));
        }
        let error = error(delete(&world));
        assert!(
            matches!(error, Error::MalformedResponse(_)),
            "{id}: {error:?}"
        );
        assert_eq!(world.tenant.writes().len(), 0);
    }
}

#[test]
fn a_deletion_may_be_answered_with_200() {
    let world = World::new();
    world
        .tenant
        .always(DELETE, Fault::AnswerAfter(Answer::text(200, "{}")));
    assert_eq!(outcome(delete(&world)), Outcome::Changed);
}

#[test]
fn a_change_says_whom_it_was() {
    for mode in [Mode::Apply, Mode::Plan] {
        for account in ["2", "99"] {
            let change = World::new().delete(account, mode).expect("a change");
            let step = &change.steps[0];
            assert_eq!(
                (step.action, step.account.as_deref()),
                (Action::DeleteAccount, Some(account))
            );
            assert_eq!(
                (step.changes.len(), change.account.as_deref()),
                (0, Some(account))
            );
        }
    }
}

#[test]
fn a_plan_does_every_check_and_sends_no_write() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        assert_eq!(outcome(world.delete("2", Mode::Plan)), Outcome::WouldChange);
        assert_eq!(
            outcome(world.delete("11", Mode::Plan)),
            Outcome::WouldChange
        );
        assert_eq!(
            outcome(world.delete_even(true, "1", Mode::Plan)),
            Outcome::WouldChange
        );
        assert_eq!(world.tenant.writes().len(), 0);
        assert_eq!(
            world.host.log().len(),
            1,
            "only the token: {:?}",
            world.host.log()
        );
    }
}

#[test]
fn an_account_that_is_not_there_is_gone_already() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let world = World::with(unknowns);
            assert_eq!(outcome(world.delete("99", mode)), GONE, "{unknowns:?}");
            assert_eq!(world.tenant.writes().len(), 0);
        }
    }
}

#[test]
fn an_administrator_is_refused_unless_that_is_allowed() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let world = World::with(unknowns);
            let failure = world.delete("1", mode).expect_err("an administrator");
            assert_eq!(failure.error, refused(RefusalReason::Administrator));
            assert!(
                failure.message.contains("explicit permission"),
                "{}",
                failure.message
            );
            assert_eq!(world.tenant.writes().len(), 0);
        }
        let world = World::with(unknowns);
        let allowed = world.delete_even(true, "1", Mode::Apply);
        assert_eq!(outcome(allowed), Outcome::Changed, "{unknowns:?}");
    }
}

#[test]
fn a_technician_of_whom_nobody_says_that_they_are_no_administrator_is_taken_for_one() {
    for value in [Value::Null, json!(true)] {
        let world = World::changed(|tenant| tenant.user_mut(2)["administrator"] = value.clone());
        assert_eq!(error(delete(&world)), refused(RefusalReason::Administrator));
        let allowed = world.delete_even(true, "2", Mode::Apply);
        assert_eq!(outcome(allowed), Outcome::Changed);
    }
}

#[test]
fn the_last_administrator_who_can_sign_in_is_refused_whatever_is_allowed() {
    for unknowns in Unknowns::all() {
        for (mode, allowed) in [
            (Mode::Apply, true),
            (Mode::Plan, true),
            (Mode::Apply, false),
        ] {
            let world = World::with(unknowns);
            leave_one_administrator(&mut world.tenant.change());
            let failure = world
                .delete_even(allowed, "1", mode)
                .expect_err("the last one");
            assert_eq!(failure.error, refused(RefusalReason::LastAdministrator));
            assert!(
                failure.message.contains("last system administrator"),
                "{}",
                failure.message
            );
            assert_eq!(world.tenant.writes().len(), 0);
        }
    }
}

#[test]
fn an_administrator_of_whom_nobody_says_that_they_can_sign_in_does_not_count() {
    let world = World::changed(|tenant| tenant.user_mut(3)["enabled"] = json!(null));
    let last = error(world.delete_even(true, "1", Mode::Apply));
    assert_eq!(last, refused(RefusalReason::LastAdministrator));
}

#[test]
fn an_administrator_who_cannot_sign_in_can_be_deleted_while_another_can() {
    let world = World::changed(|tenant| tenant.user_mut(3)["enabled"] = json!(false));
    let deleted = world.delete_even(true, "3", Mode::Apply);
    assert_eq!(outcome(deleted), Outcome::Changed);
}

#[test]
fn whether_another_administrator_is_left_is_read_to_the_end() {
    let world = World::new();
    world.tenant.serve(
        "/v2/users",
        r#"[{"id": 3, "administrator": true, "enabled": true}"#,
    );
    let error = error(world.delete_even(true, "1", Mode::Apply));
    assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
    assert_eq!(world.tenant.writes().len(), 0);
}

#[test]
fn an_end_user_is_never_taken_for_an_administrator() {
    let world = World::changed(leave_one_administrator);
    assert_eq!(outcome(world.delete("11", Mode::Apply)), Outcome::Changed);
}

#[test]
fn an_account_that_an_identity_provider_manages_is_refused() {
    for mode in [Mode::Apply, Mode::Plan] {
        for account in [2, 11] {
            let world = World::changed(|tenant| tenant.user_mut(account)["scimUser"] = json!(true));
            let failure = world
                .delete_even(true, &account.to_string(), mode)
                .expect_err("refused");
            assert_eq!(failure.error, refused(RefusalReason::ExternallyManaged));
            assert!(
                failure.message.contains("has to be removed there"),
                "{}",
                failure.message
            );
            assert_eq!(world.tenant.writes().len(), 0);
        }
    }
}

#[test]
fn a_deletion_whose_answer_was_lost_is_not_sent_again_and_seen_to_be_done() {
    for unknowns in Unknowns::all() {
        for lost in [
            Fault::LoseAnswer(TransportErrorKind::Network),
            Fault::LoseAnswer(TransportErrorKind::FirstByteTimeout),
            Fault::AnswerAfter(Answer::text(500, "")),
        ] {
            let world = World::with(unknowns);
            world.tenant.always(DELETE, lost);
            assert_eq!(outcome(delete(&world)), Outcome::Changed, "{unknowns:?}");
            assert_eq!(world.tenant.writes().len(), 1);
        }
    }
}

#[test]
fn a_deletion_that_was_not_carried_out_is_sent_again_where_that_helps_and_fails_as_what_went_wrong()
{
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
            Fault::Refuse(Answer::text(429, "")),
            Error::RateLimited(None),
            5,
        ),
        (Fault::Refuse(unknown_route()), Error::Upstream(404), 1),
        (Fault::Refuse(Answer::html(404)), Error::Upstream(404), 1),
    ] {
        let world = World::new();
        world.tenant.always(DELETE, fault);
        let failure = delete(&world).expect_err("not done");
        assert_eq!(failure.error, expected);
        assert_eq!(failure.exchange.expect("an exchange").request, DELETE);
        assert_eq!(
            (
                world.tenant.writes().len(),
                world.tenant.state().users.len()
            ),
            (times, 5)
        );
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
        world.tenant.always(DELETE, Fault::Refuse(answer));
        error(delete(&world));
        assert_eq!(world.tenant.lines(), [GET, DELETE]);
    }
}

#[test]
fn where_somebody_else_was_quicker_the_account_was_gone_already() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        let quicker = Fault::outrun(|tenant| tenant.users.retain(|user| user["id"] != 2));
        world.tenant.always(DELETE, quicker);
        assert_eq!(outcome(delete(&world)), GONE, "{unknowns:?}");
    }
}

#[test]
fn a_deletion_that_is_accepted_and_not_seen_is_unconfirmed() {
    let world = World::new();
    world.tenant.always(DELETE, Fault::Pretend);
    let failure = delete(&world).expect_err("still there");
    assert_eq!(failure.error, Error::Unconfirmed);
    assert!(
        failure.message.contains("still shows it"),
        "{}",
        failure.message
    );
    assert_eq!(world.tenant.writes().len(), 1);
}

#[test]
fn the_failure_of_the_write_is_told_before_that_of_the_look_afterwards() {
    let world = World::new();
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(500, "")));
    let list = "GET /v2/users";
    world
        .tenant
        .always(list, Fault::Refuse(Answer::text(500, "")));
    let failure = delete(&world).expect_err("nobody knows");
    assert_eq!(failure.exchange.expect("an exchange").request, list);
    let world = World::new();
    world
        .tenant
        .always(DELETE, Fault::LoseAnswer(TransportErrorKind::Network));
    for request in [GET, list] {
        let passed = usize::from(request == GET);
        world
            .tenant
            .after(passed, request, Fault::Refuse(Answer::text(500, "")));
    }
    assert_eq!(error(delete(&world)), Error::Network);
}

#[test]
fn an_account_is_not_taken_for_gone_because_a_web_page_says_404() {
    // Whether it says that it is one, or not.
    for page in [Answer::html(404), Answer::text(404, "\u{feff}\n<html>")] {
        let world = World::new();
        for path in ["technician/2", "end-user/2"] {
            let request = format!("GET /v2/user/{path}");
            world.tenant.always(&request, Fault::Refuse(page.clone()));
        }
        assert_eq!(error(delete(&world)), Error::Upstream(404));
    }
    let world = World::new();
    for path in ["technician/2", "end-user/2"] {
        world.tenant.always(
            &format!("GET /v2/user/{path}"),
            Fault::Refuse(unknown_route()),
        );
    }
    assert_eq!(error(delete(&world)), Error::Upstream(404));
}

#[test]
fn an_identifier_that_is_none_is_refused_before_anything_is_sent() {
    let world = World::new();
    for mode in [Mode::Apply, Mode::Plan] {
        assert_eq!(complaints(error(world.delete("ben", mode))), ["account"]);
    }
    assert!(world.tenant.lines().is_empty());
}

#[test]
fn a_deletion_is_logged() {
    let world = World::new();
    outcome(delete(&world));
    assert_eq!(
        world.host.log()[1..],
        ["Info deleting an account account=2"]
    );
}

#[test]
fn a_404_is_not_yet_that_there_is_no_such_account() {
    for not_found in [
        Answer::text(404, ""),
        Answer::json(
            404,
            &json!({"message": "no Route matched with those values"}),
        ),
        Answer::json(
            404,
            &json!({"resultCode": "FAILURE", "errorMessage": {"code": "HTTP 404 Not Found"}}),
        ),
        Answer::failure(404, "USER_NOT_FOUND"),
    ] {
        let world = World::new();
        for path in ["technician/2", "end-user/2"] {
            let request = format!("GET /v2/user/{path}");
            world
                .tenant
                .always(&request, Fault::Refuse(not_found.clone()));
        }
        assert_eq!(error(delete(&world)), Error::Upstream(404));
        assert_eq!(
            error(world.grant("2", "21", Mode::Apply)),
            Error::Upstream(404)
        );
        assert_eq!(world.tenant.writes().len(), 0);
    }
}

#[test]
fn a_deletion_is_not_confirmed_by_a_404_while_the_account_is_listed() {
    let world = World::new();
    world.tenant.always(DELETE, Fault::Pretend);
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(404, "")));
    assert_eq!(error(delete(&world)), Error::Unconfirmed);
    assert_eq!(world.host.pauses(), [500, 1_000, 2_000, 4_000, 8_000]);
}

#[test]
fn a_deletion_is_not_confirmed_by_a_list_where_the_account_may_not_be_seen() {
    let world = World::new();
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(403, "")));
    let error = error(delete(&world));
    assert!(matches!(error, Error::MissingPermission(_)), "{error:?}");
}

#[test]
fn a_look_that_fails_while_the_account_is_listed_is_told_as_what_failed() {
    let world = World::new();
    world.tenant.always(DELETE, Fault::Pretend);
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(500, "")));
    assert_eq!(error(delete(&world)), Error::Upstream(500));
}

#[test]
fn a_look_that_is_throttled_is_not_followed_by_the_list_of_all_users() {
    let world = World::new();
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(429, "")));
    assert_eq!(error(delete(&world)), Error::RateLimited(None));
    let lines = world.tenant.lines();
    assert!(
        lines.iter().all(|line| [GET, DELETE].contains(&&**line)),
        "{lines:?}"
    );
}

#[test]
fn an_account_that_is_listed_as_another_type_is_not_gone() {
    let world = World::new();
    world.tenant.always(DELETE, Fault::Pretend);
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(404, "")));
    let user = json!([{"id": 2, "userType": "END_USER"}]);
    let listed = Fault::AnswerAfter(Answer::json(200, &user));
    world.tenant.after(1, "GET /v2/users", listed);
    assert_eq!(error(delete(&world)), Error::Unconfirmed);
}

#[test]
fn a_deletion_that_shows_a_little_later_is_waited_for() {
    let world = World::new();
    world.tenant.always(DELETE, Fault::Pretend);
    let gone = Fault::outrun(|tenant| tenant.users.retain(|user| user["id"] != 2));
    world.tenant.after(3, GET, gone);
    assert_eq!(outcome(delete(&world)), Outcome::Changed);
    assert_eq!(world.host.pauses(), [500, 1_000]);
}

#[test]
fn an_empty_list_of_users_proves_nothing() {
    let world = World::new();
    world.tenant.serve("/v2/users", "[]");
    assert_eq!(error(world.delete("99", Mode::Apply)), Error::Upstream(404));
}

#[test]
fn an_endpoint_that_refuses_one_kind_of_account_does_not_shut_out_the_other() {
    for refusal in [
        Answer::text(403, ""),
        Answer::json(
            500,
            &json!({"resultCode": "FAILURE", "errorMessage": "NullPointerException"}),
        ),
        unknown_route(),
    ] {
        let world = World::new();
        for id in [11, 99] {
            let request = format!("GET /v2/user/technician/{id}");
            world
                .tenant
                .always(&request, Fault::Refuse(refusal.clone()));
        }
        assert_eq!(outcome(world.delete("11", Mode::Apply)), Outcome::Changed);
        assert!(world.host.pauses().is_empty());
    }
}

#[test]
fn a_failure_of_the_connection_sends_nobody_to_another_endpoint() {
    for fault in [
        Fault::Drop(TransportErrorKind::Network),
        Fault::Drop(TransportErrorKind::FirstByteTimeout),
        Fault::Refuse(Answer::text(429, "")),
    ] {
        let world = World::new();
        world.tenant.always(GET, fault);
        error(delete(&world));
        assert_eq!(world.tenant.lines(), [GET; 5]);
    }
}

#[test]
fn who_may_not_be_seen_is_not_taken_for_gone() {
    let world = World::changed(|tenant| tenant.users.retain(|user| user["id"] != 2));
    world
        .tenant
        .always(GET, Fault::Refuse(Answer::text(403, "")));
    let error = error(delete(&world));
    assert!(matches!(error, Error::MissingPermission(_)), "{error:?}");
}

#[test]
fn a_success_that_is_not_the_account_asked_for_is_no_account() {
    for body in [
        r#"{"resultCode": "FAILURE", "errorMessage": "user_not_found"}"#,
        r#"{"id": 1, "administrator": false, "userType": "TECHNICIAN"}"#,
        r#"{"id": 11, "administrator": false, "userType": "END_USER"}"#,
        "null",
        "",
    ] {
        let world = World::new();
        for id in [11, 99] {
            world
                .tenant
                .serve(&format!("/v2/user/technician/{id}"), body);
        }
        assert_eq!(outcome(world.delete("99", Mode::Apply)), GONE, "{body}");
        assert_eq!(outcome(world.delete("11", Mode::Apply)), Outcome::Changed);
        let writes = world.tenant.writes();
        assert_eq!(writes[0].request(), "DELETE /v2/user/end-user/11");
        assert_eq!(writes.len(), 1);
        // What is listed and cannot be read is an error.
        let world = World::new();
        world.tenant.serve("/v2/user/technician/2", body);
        let error = error(delete(&world));
        assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
        assert_eq!(world.tenant.writes().len(), 0);
    }
}

#[test]
fn an_administrator_whose_invitation_is_open_cannot_sign_in() {
    for status in ["PENDING", "EXPIRED"] {
        let world = World::changed(|tenant| tenant.user_mut(3)["invitationStatus"] = json!(status));
        let last = error(world.delete_even(true, "1", Mode::Apply));
        assert_eq!(last, refused(RefusalReason::LastAdministrator));
    }
}
