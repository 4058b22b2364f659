//! Updating accounts: what differs is sent, once, and what was seen afterwards is said.

use ninjaone_connector::contract::{
    Action, Change, Error, Failure, FieldChange, FieldUpdate, Mode, Operation, Outcome,
    ProvisionRequest, RefusalReason, ResourceKind, ResourceReference, StepStatus, UnchangedReason,
    Value,
};
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::json;

use crate::support::tenant::{Answer, Fault, Unknowns, technician, unknown_route};
use crate::support::{World, complaints, error, outcome, set, unchanged};

const PATCH: &str = "PATCH /v2/user/technician/2";
const GET: &str = "GET /v2/user/technician/2";

/// Gives the technician 2 another given name.
fn rename(world: &World, mode: Mode) -> Result<Change, Failure> {
    world.update("2", &[("given-name", set("Benedict"))], mode)
}

fn access(access: bool) -> FieldUpdate {
    FieldUpdate::Set(Value::Boolean(access))
}

/// The fields complained about, in both modes, with nothing written.
fn wrong_fields(account: &str, fields: &[(&str, FieldUpdate)]) -> Vec<String> {
    let world = World::new();
    let planned = complaints(error(world.update(account, fields, Mode::Plan)));
    assert_eq!(
        complaints(error(world.update(account, fields, Mode::Apply))),
        planned
    );
    assert_eq!(world.tenant.writes().len(), 0);
    planned
}

#[test]
fn an_account_is_changed_with_one_write_whatever_ninjaone_answers() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        assert_eq!(
            outcome(rename(&world, Mode::Apply)),
            Outcome::Changed,
            "{unknowns:?}"
        );
        assert_eq!(
            world.tenant.state().user(2).expect("a user")["firstName"],
            "Benedict"
        );
        let end_user = world.update("11", &[("family-name", set("Moneypenny"))], Mode::Apply);
        assert_eq!(outcome(end_user), Outcome::Changed, "{unknowns:?}");
        assert_eq!(
            world.tenant.state().user(11).expect("a user")["lastName"],
            "Moneypenny"
        );
        assert_eq!(world.tenant.writes().len(), 2);
    }
}

#[test]
fn only_what_differs_is_sent_and_told() {
    let world = World::new();
    let change = world.update(
        "11",
        &[
            ("given-name", set("End")),
            ("family-name", set("Moneypenny")),
            ("organization", set("101")),
            ("fullPortalAccess", access(true)),
        ],
        Mode::Apply,
    );
    let change = change.expect("a change");
    let step = &change.steps[0];
    assert_eq!(
        (step.action, step.account.as_deref()),
        (Action::UpdateAccount, Some("11"))
    );
    let field = |field: &str, before, after| FieldChange {
        field: field.to_string(),
        before: Some(before),
        after: Some(after),
    };
    let text = |text: &str| Value::Text(text.to_string());
    assert_eq!(
        step.changes,
        [
            field("family-name", text("Number 11"), text("Moneypenny")),
            field("organization", text("100"), text("101")),
            field(
                "fullPortalAccess",
                Value::Boolean(false),
                Value::Boolean(true)
            ),
        ]
    );
    let writes = world.tenant.writes();
    assert_eq!(writes[0].request(), "PATCH /v2/user/end-user/11");
    assert_eq!(
        writes[0].body,
        r#"{"lastName":"Moneypenny","organizationId":101,"fullPortalAccess":true}"#
    );
}

#[test]
fn each_field_can_be_changed_alone() {
    for (account, name, update, body) in [
        ("2", "given-name", set("A"), r#"{"firstName":"A"}"#),
        ("2", "family-name", set("B"), r#"{"lastName":"B"}"#),
        (
            "11",
            "organization",
            set("101"),
            r#"{"organizationId":101}"#,
        ),
        (
            "11",
            "fullPortalAccess",
            access(true),
            r#"{"fullPortalAccess":true}"#,
        ),
    ] {
        let world = World::new();
        let changed = world.update(account, &[(name, update)], Mode::Apply);
        assert_eq!(outcome(changed), Outcome::Changed);
        assert_eq!(world.tenant.writes()[0].body, body);
    }
}

#[test]
fn a_value_that_was_not_there_before_is_none_before() {
    let world = World::changed(|tenant| {
        tenant.user_mut(11)["firstName"] = json!(null);
        tenant
            .user_mut(11)
            .as_object_mut()
            .expect("an object")
            .remove("fullPortalAccess");
    });
    let fields = [
        ("given-name", set("Eve")),
        ("fullPortalAccess", access(false)),
    ];
    let change = world.update("11", &fields, Mode::Plan).expect("a change");
    let before: Vec<_> = change.steps[0]
        .changes
        .iter()
        .map(|field| &field.before)
        .collect();
    assert_eq!(before, [&None, &None]);
}

#[test]
fn what_is_as_wanted_is_left_alone() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let world = World::with(unknowns);
            let technician = [
                ("given-name", set("Tech")),
                ("family-name", set("Number 2")),
            ];
            let end_user = [
                ("organization", set("100")),
                ("fullPortalAccess", access(false)),
            ];
            for (account, fields) in [("2", technician), ("11", end_user)] {
                let same = outcome(world.update(account, &fields, mode));
                assert_eq!(same, unchanged(UnchangedReason::NoDifference));
            }
            assert_eq!(world.tenant.writes().len(), 0);
        }
    }
}

#[test]
fn a_plan_says_what_would_change_and_sends_no_write() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        let planned = rename(&world, Mode::Plan).expect("a change");
        let applied = rename(&World::with(unknowns), Mode::Apply).expect("a change");
        assert_eq!(planned.steps[0].changes, applied.steps[0].changes);
        assert_eq!(outcome(Ok(planned)), Outcome::WouldChange);
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
fn an_account_that_is_not_there_is_not_found() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let error =
                error(World::with(unknowns).update("99", &[("given-name", set("A"))], mode));
            let nobody = ResourceReference {
                kind: ResourceKind::Account,
                id: "99".to_string(),
            };
            assert_eq!(error, Error::NotFound(nobody), "{unknowns:?}");
        }
    }
}

#[test]
fn an_account_that_an_identity_provider_manages_is_refused() {
    for mode in [Mode::Apply, Mode::Plan] {
        let world = World::changed(|tenant| tenant.user_mut(2)["scimUser"] = json!(true));
        let failure = rename(&world, mode).expect_err("refused");
        assert_eq!(
            failure.error,
            Error::Refused(RefusalReason::ExternallyManaged)
        );
        assert!(
            failure.message.contains("has to be changed there"),
            "{}",
            failure.message
        );
        let same = world.update("2", &[("given-name", set("Tech"))], mode);
        assert_eq!(outcome(same), unchanged(UnchangedReason::NoDifference));
        assert_eq!(world.tenant.writes().len(), 0);
    }
}

#[test]
fn an_account_of_which_nobody_says_who_manages_it_can_be_changed() {
    let world = World::changed(|tenant| tenant.user_mut(2)["scimUser"] = json!(null));
    assert_eq!(outcome(rename(&world, Mode::Apply)), Outcome::Changed);
}

#[test]
fn a_write_whose_answer_was_lost_is_not_sent_again_and_seen_to_be_done() {
    for lost in [
        Fault::LoseAnswer(TransportErrorKind::Network),
        Fault::LoseAnswer(TransportErrorKind::FirstByteTimeout),
        Fault::AnswerAfter(Answer::text(500, "")),
        Fault::AnswerAfter(Answer::text(408, "")),
    ] {
        let world = World::new();
        world.tenant.always(PATCH, lost);
        assert_eq!(outcome(rename(&world, Mode::Apply)), Outcome::Changed);
        assert_eq!(world.tenant.writes().len(), 1);
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
            Fault::Refuse(Answer::text(429, "")),
            Error::RateLimited(None),
            5,
        ),
        (Fault::Refuse(unknown_route()), Error::Upstream(404), 1),
        (
            Fault::Refuse(Answer::html(200)),
            Error::RateLimited(None),
            5,
        ),
    ] {
        let world = World::new();
        world.tenant.always(PATCH, fault);
        let failure = rename(&world, Mode::Apply).expect_err("not done");
        assert_eq!(failure.error, expected);
        assert_eq!(failure.exchange.expect("an exchange").request, PATCH);
        assert_eq!(world.tenant.writes().len(), times);
    }
}

#[test]
fn a_refusal_is_not_followed_by_a_look() {
    for answer in [Answer::text(400, ""), Answer::text(403, "")] {
        let world = World::new();
        world.tenant.always(PATCH, Fault::Refuse(answer));
        error(rename(&world, Mode::Apply));
        assert_eq!(world.tenant.lines(), [GET, PATCH]);
    }
}

#[test]
fn a_change_that_is_accepted_and_not_seen_is_unconfirmed_whatever_ninjaone_answers() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        world.tenant.always(PATCH, Fault::Pretend);
        let failure = rename(&world, Mode::Apply).expect_err("not seen");
        assert_eq!(failure.error, Error::Unconfirmed, "{unknowns:?}");
        assert!(
            failure.message.contains("the account 2"),
            "{}",
            failure.message
        );
        assert_eq!(world.tenant.writes().len(), 1);
    }
}

#[test]
fn a_change_that_is_seen_in_part_is_unconfirmed() {
    let world = World::new();
    let half = Fault::outrun(|tenant| tenant.user_mut(2)["lastName"] = json!("Half"));
    world.tenant.after(1, GET, half);
    let fields = [
        ("given-name", set("Benedict")),
        ("family-name", set("Whole")),
    ];
    assert_eq!(
        error(world.update("2", &fields, Mode::Apply)),
        Error::Unconfirmed
    );
}

#[test]
fn an_account_that_vanishes_after_the_change_is_unconfirmed() {
    let world = World::new();
    let vanishes = Fault::outrun(|tenant| tenant.users.retain(|user| user["id"] != 2));
    world.tenant.after(1, GET, vanishes);
    assert_eq!(error(rename(&world, Mode::Apply)), Error::Unconfirmed);
}

#[test]
fn the_failure_of_the_write_is_told_before_that_of_the_look_afterwards() {
    let world = World::new();
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(500, "")));
    let failure = rename(&world, Mode::Apply).expect_err("nobody knows");
    assert_eq!(failure.error, Error::Upstream(500));
    assert_eq!(failure.exchange.expect("an exchange").request, GET);
    let world = World::new();
    world
        .tenant
        .always(PATCH, Fault::LoseAnswer(TransportErrorKind::Network));
    world
        .tenant
        .after(1, GET, Fault::Refuse(Answer::text(500, "")));
    assert_eq!(error(rename(&world, Mode::Apply)), Error::Network);
}

#[test]
fn every_field_that_is_wrong_is_named_at_once() {
    let fields = [
        ("given-name", set(" ")),
        ("family-name", FieldUpdate::Clear),
        ("email", set("new@acme.example")),
        ("phone", set("+1")),
        ("organization", set("acme")),
        ("fullPortalAccess", set("true")),
        ("shoe-size", FieldUpdate::Set(Value::Integer(9))),
    ];
    assert_eq!(
        wrong_fields("11", &fields),
        [
            "given-name",
            "family-name",
            "email",
            "phone",
            "organization",
            "fullPortalAccess",
            "shoe-size"
        ]
    );
}

#[test]
fn what_a_technician_does_not_have_is_refused() {
    let fields = [
        ("organization", set("100")),
        ("fullPortalAccess", access(true)),
    ];
    assert_eq!(
        wrong_fields("2", &fields),
        ["organization", "fullPortalAccess"]
    );
    let failure = World::new()
        .update("2", &fields, Mode::Plan)
        .expect_err("wrong");
    assert!(
        failure
            .message
            .contains("what it can change is given-name, family-name."),
        "{}",
        failure.message
    );
}

#[test]
fn a_field_that_is_named_twice_is_refused() {
    let fields = [
        ("given-name", set("A")),
        ("family-name", set("B")),
        ("given-name", set("A")),
    ];
    assert_eq!(wrong_fields("2", &fields), ["given-name"]);
}

#[test]
fn a_change_of_nothing_is_refused() {
    assert_eq!(wrong_fields("2", &[]), ["fields"]);
}

#[test]
fn a_value_of_another_type_is_refused() {
    for value in [
        Value::Boolean(true),
        Value::Integer(100),
        Value::Json("[]".to_string()),
    ] {
        let fields = [
            ("given-name", FieldUpdate::Set(value.clone())),
            ("organization", FieldUpdate::Set(value)),
        ];
        assert_eq!(wrong_fields("11", &fields), ["given-name", "organization"]);
    }
}

#[test]
fn a_number_is_not_taken_for_a_boolean() {
    for value in [Value::Text("100".to_string()), Value::Integer(1)] {
        let fields = [("fullPortalAccess", FieldUpdate::Set(value))];
        assert_eq!(wrong_fields("11", &fields), ["fullPortalAccess"]);
    }
}

#[test]
fn one_thing_wrong_with_a_field_is_said_once() {
    assert_eq!(
        wrong_fields("11", &[("organization", set(" "))]),
        ["organization"]
    );
}

#[test]
fn a_name_that_is_too_long_or_has_a_line_break_is_refused() {
    let long = "x".repeat(151);
    let fields = [("given-name", set(&long)), ("family-name", set("a\nb"))];
    assert_eq!(wrong_fields("2", &fields), ["given-name", "family-name"]);
}

#[test]
fn an_organization_that_is_not_there_is_refused_together_with_what_else_is_wrong() {
    let fields = [("organization", set("99")), ("email", set("a@b.c"))];
    assert_eq!(wrong_fields("11", &fields), ["email", "organization"]);
}

#[test]
fn an_organization_that_cannot_be_looked_up_is_an_error() {
    let world = World::new();
    world.tenant.always(
        "GET /v2/organization/101",
        Fault::Refuse(Answer::text(500, "")),
    );
    let result = world.update("11", &[("organization", set("101"))], Mode::Apply);
    assert_eq!(error(result), Error::Upstream(500));
    assert_eq!(world.tenant.writes().len(), 0);
}

#[test]
fn an_identifier_that_is_none_is_refused_before_anything_is_sent() {
    let world = World::new();
    for mode in [Mode::Apply, Mode::Plan] {
        let refused = error(world.update("ben", &[("shoe-size", set("9"))], mode));
        assert_eq!(complaints(refused), ["account"]);
    }
    assert!(world.tenant.lines().is_empty());
}

#[test]
fn a_change_is_logged_without_personal_data() {
    let world = World::new();
    outcome(rename(&world, Mode::Apply));
    assert_eq!(
        world.host.log()[1..],
        ["Info updating an account account=2"]
    );
}

#[test]
fn nobody_can_be_let_in_or_kept_out_and_nothing_is_sent() {
    let world = World::new();
    for mode in [Mode::Apply, Mode::Plan] {
        for (request, operation, verb) in [
            (
                ProvisionRequest::Enable("2".to_string()),
                Operation::EnableAccount,
                "enable",
            ),
            (
                ProvisionRequest::Disable("2".to_string()),
                Operation::DisableAccount,
                "disable",
            ),
        ] {
            let failure = world
                .provision(operation, request, mode)
                .expect_err("unsupported");
            assert_eq!(failure.error, Error::Unsupported(operation));
            assert!(
                failure.message.contains(&format!("no way to {verb}")),
                "{}",
                failure.message
            );
        }
    }
    assert!(world.tenant.lines().is_empty());
}

#[test]
fn a_change_that_takes_other_values_away_is_partial_and_names_them() {
    let world = World::changed(|tenant| tenant.user_mut(2)["phone"] = json!("+1 555"));
    let replaces = Fault::outrun(|tenant| {
        let user = tenant.user_mut(2);
        (user["phone"], user["firstName"]) = (json!(null), json!(null));
    });
    world.tenant.always(PATCH, replaces);
    let fields = [("family-name", set("Roe"))];
    let change = world.update("2", &fields, Mode::Apply).expect("a change");
    assert_eq!(change.outcome, Outcome::Partial);
    assert_eq!(change.steps[0].status, StepStatus::Done(Outcome::Changed));
    let lost: Vec<_> = change.steps[1]
        .changes
        .iter()
        .map(|c| c.field.as_str())
        .collect();
    assert_eq!(lost, ["given-name", "phone"]);
    let StepStatus::Failed(reason) = &change.steps[1].status else {
        panic!("not failed: {change:?}");
    };
    assert!(
        reason.message.contains("given-name, phone"),
        "{}",
        reason.message
    );
}

#[test]
fn every_value_that_is_taken_away_is_told() {
    for (account, request, taken, names) in [
        (
            2,
            PATCH,
            &["email", "phone", "enabled", "administrator"][..],
            &["email", "phone", "enabled", "administrator"][..],
        ),
        (
            11,
            "PATCH /v2/user/end-user/11",
            &["lastName", "organizationId", "fullPortalAccess"],
            &["family-name", "organization", "fullPortalAccess"],
        ),
    ] {
        let world = World::changed(|tenant| tenant.user_mut(2)["phone"] = json!("+1 555"));
        let takes = Fault::outrun(move |tenant| {
            for name in taken {
                tenant.user_mut(account)[*name] = json!(null);
            }
        });
        world.tenant.always(request, takes);
        let fields = [("given-name", set("Jo"))];
        let change = world.update(&account.to_string(), &fields, Mode::Apply);
        let change = change.expect("a change");
        assert_eq!(change.outcome, Outcome::Partial);
        let lost = change.steps[1].changes.iter();
        assert!(lost.clone().all(|change| change.after.is_none()));
        let lost: Vec<_> = lost.map(|change| change.field.as_str()).collect();
        assert_eq!(lost, names);
    }
}

#[test]
fn white_space_at_the_ends_changes_nothing() {
    let world = World::new();
    let fields = [("given-name", set(" Tech \u{a0}"))];
    assert_eq!(
        outcome(world.update("2", &fields, Mode::Apply)),
        unchanged(UnchangedReason::NoDifference)
    );
    assert_eq!(world.tenant.writes().len(), 0);
}

#[test]
fn a_value_that_is_stored_in_another_form_is_changed_once_and_told_as_it_is_stored() {
    for (sent, stored) in [("van  Dijk", "van Dijk"), ("Rene\u{301}", "René")] {
        let world = World::new();
        let stores = Fault::AnswerAfter(Answer::text(200, ""));
        world.tenant.always(PATCH, stores);
        let tidies = Fault::outrun(move |tenant| {
            tenant.user_mut(2)["lastName"] = json!(stored);
        });
        world.tenant.after(1, GET, tidies);
        let fields = [("family-name", set(sent))];
        let change = world.update("2", &fields, Mode::Apply).expect("a change");
        assert_eq!(change.outcome, Outcome::Changed);
        let after = change.steps[0].changes[0].after.clone();
        assert_eq!(after, Some(Value::Text(stored.to_string())));
        let again = world.update("2", &fields, Mode::Apply);
        assert_eq!(outcome(again), unchanged(UnchangedReason::NoDifference));
        assert_eq!(world.tenant.writes().len(), 1);
    }
}

#[test]
fn a_value_that_is_stored_in_a_form_that_is_the_same_to_people_is_seen() {
    for (sent, stored) in [("van Dijk", "van Dijk  "), ("René", "Rene\u{301}")] {
        let world = World::new();
        let stores = Fault::outrun(move |tenant| {
            tenant.user_mut(2)["lastName"] = json!(stored);
        });
        world.tenant.after(1, GET, stores);
        let fields = [("family-name", set(sent))];
        let change = world.update("2", &fields, Mode::Apply).expect("a change");
        assert_eq!(change.outcome, Outcome::Changed);
        let after = change.steps[0].changes[0].after.clone();
        assert_eq!(after, Some(Value::Text(stored.to_string())));
    }
}

#[test]
fn white_space_that_is_stored_can_be_taken_off() {
    let world = World::changed(|tenant| tenant.user_mut(2)["lastName"] = json!("van  Dijk "));
    let fields = [("family-name", set("van Dijk"))];
    let changed = outcome(world.update("2", &fields, Mode::Apply));
    assert_eq!(changed, Outcome::Changed);
    assert_eq!(
        world.tenant.state().user(2).expect("a user")["lastName"],
        "van Dijk"
    );
}

#[test]
fn a_change_that_shows_a_little_later_is_waited_for() {
    let world = World::new();
    let before = technician(2, "ben@acme.example", false);
    for _ in 0..3 {
        world
            .tenant
            .once(GET, Fault::Refuse(Answer::json(200, &before)));
    }
    assert_eq!(outcome(rename(&world, Mode::Apply)), Outcome::Changed);
    assert_eq!(world.host.pauses(), [500, 1_000]);
    assert_eq!(world.tenant.writes().len(), 1);
}

#[test]
fn a_404_of_a_gateway_is_not_yet_that_there_is_no_such_organization() {
    let world = World::new();
    let request = "GET /v2/organization/101";
    world
        .tenant
        .once(request, Fault::Refuse(Answer::text(404, "")));
    let fields = [("organization", set("101"))];
    assert_eq!(
        error(world.update("11", &fields, Mode::Plan)),
        Error::Upstream(404)
    );
    let other = Answer::json(200, &serde_json::json!({"id": 100}));
    world.tenant.once(request, Fault::Refuse(other));
    let error = error(world.update("11", &fields, Mode::Plan));
    assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
}

#[test]
fn white_space_that_stays_as_it_was_is_not_taken_off() {
    let world = World::changed(|tenant| tenant.user_mut(2)["lastName"] = json!("van  Dijk "));
    world.tenant.always(PATCH, Fault::Pretend);
    let fields = [("family-name", set("van Dijk"))];
    let failure = world
        .update("2", &fields, Mode::Apply)
        .expect_err("not seen");
    assert_eq!(failure.error, Error::Unconfirmed);
    assert!(
        failure.message.contains("family-name"),
        "{}",
        failure.message
    );
}
