//! Creating accounts: never two for one call, and every wrong field is named at once.

use ninjaone_connector::contract::{
    Action, Attribute, Change, Error, ErrorKind, Failure, FieldChange, Mode, NewAccount, Outcome,
    ResourceKind, ResourceKinds, ResourceReference, StepStatus, UnchangedReason, Value,
};
use ninjaone_connector::ninjaone::http::TransportErrorKind;
use serde_json::json;

use crate::support::tenant::{Answer, Answers, Fault, Unknowns, end_user, unknown_route};
use crate::support::{World, complaints, error, list_of, listed, unchanged};

const CREATE_TECHNICIAN: &str = "POST /v2/user/technicians";
const CREATE_END_USER: &str = "POST /v2/user/end-users";
const USERS: &str = "GET /v2/users";

fn text(text: &str) -> Option<String> {
    Some(text.to_string())
}

fn new_technician() -> NewAccount {
    NewAccount {
        kind: "technician".to_string(),
        email: text("grace@acme.example"),
        given_name: text("Grace"),
        family_name: text("Hopper"),
        phone: None,
        organization: None,
        send_invitation: None,
        attributes: Vec::new(),
        roles: Vec::new(),
    }
}

fn new_end_user() -> NewAccount {
    NewAccount {
        kind: "end-user".to_string(),
        organization: text("101"),
        ..new_technician()
    }
}

fn with_roles(roles: &[&str]) -> NewAccount {
    NewAccount {
        roles: roles.iter().map(ToString::to_string).collect(),
        ..new_technician()
    }
}

fn attribute(name: &str, value: Value) -> Attribute {
    Attribute {
        name: name.to_string(),
        value,
    }
}

fn field(field: &str, after: &str) -> FieldChange {
    FieldChange {
        field: field.to_string(),
        before: None,
        after: Some(Value::Text(after.to_string())),
    }
}

fn create(world: &World, account: &NewAccount) -> Result<Change, Failure> {
    world.create(account, Mode::Apply)
}

/// How many accounts the tenant has with the address of the new one.
fn created(world: &World) -> usize {
    let state = world.tenant.state();
    let own = state.users.iter();
    own.filter(|user| user["email"] == "grace@acme.example")
        .count()
}

fn exists(id: &str) -> Error {
    Error::AlreadyExists(ResourceReference {
        kind: ResourceKind::Account,
        id: id.to_string(),
    })
}

/// The fields complained about, in both modes, with nothing written.
fn wrong_fields(account: &NewAccount) -> Vec<String> {
    let world = World::new();
    let planned = complaints(error(world.create(account, Mode::Plan)));
    assert_eq!(complaints(error(create(&world, account))), planned);
    assert_eq!(world.tenant.writes().len(), 0);
    planned
}

#[test]
fn an_account_is_created_with_one_write_whatever_ninjaone_answers() {
    for unknowns in Unknowns::all() {
        for account in [new_technician(), new_end_user()] {
            let world = World::with(unknowns);
            let change = create(&world, &account).expect("a change");
            assert_eq!(change.outcome, Outcome::Changed, "{unknowns:?}");
            assert_eq!(change.account.as_deref(), Some("13"));
            assert_eq!((world.tenant.writes().len(), created(&world)), (1, 1));
        }
    }
}

#[test]
fn every_field_is_sent_and_nothing_else() {
    let world = World::new();
    create(
        &world,
        &NewAccount {
            phone: text("+1 2"),
            ..new_technician()
        },
    )
    .expect("a change");
    let full = NewAccount {
        phone: text("+1 2"),
        email: text("e@acme.example"),
        send_invitation: Some(true),
        attributes: vec![attribute("fullPortalAccess", Value::Boolean(true))],
        ..new_end_user()
    };
    create(&world, &full).expect("a change");
    let uninvited = NewAccount {
        email: text("f@acme.example"),
        send_invitation: Some(false),
        attributes: vec![attribute("fullPortalAccess", Value::Boolean(false))],
        ..new_end_user()
    };
    create(&world, &uninvited).expect("a change");
    create(
        &world,
        &NewAccount {
            email: text("g@acme.example"),
            ..new_end_user()
        },
    )
    .expect("a change");
    let writes = world.tenant.writes();
    let sent: Vec<_> = writes
        .iter()
        .map(|sent| (sent.request(), sent.query.as_str(), sent.body.as_str()))
        .collect();
    let technician = CREATE_TECHNICIAN.to_string();
    let end_user = CREATE_END_USER.to_string();
    assert_eq!(
        sent,
        [
            (
                technician,
                "",
                r#"{"firstName":"Grace","lastName":"Hopper","email":"grace@acme.example","phone":"+1 2"}"#
            ),
            (
                end_user.clone(),
                "sendInvitation=true",
                r#"{"firstName":"Grace","lastName":"Hopper","email":"e@acme.example","phone":"+1 2","organizationId":101,"fullPortalAccess":true}"#
            ),
            (
                end_user.clone(),
                "sendInvitation=false",
                r#"{"firstName":"Grace","lastName":"Hopper","email":"f@acme.example","organizationId":101,"fullPortalAccess":false}"#
            ),
            (
                end_user,
                "",
                r#"{"firstName":"Grace","lastName":"Hopper","email":"g@acme.example","organizationId":101}"#
            ),
        ]
    );
}

#[test]
fn a_change_names_every_field_and_where_the_invitation_stands() {
    let account = NewAccount {
        phone: text("+1 2"),
        attributes: vec![attribute("fullPortalAccess", Value::Boolean(true))],
        ..new_end_user()
    };
    let portal = FieldChange {
        field: "fullPortalAccess".to_string(),
        before: None,
        after: Some(Value::Boolean(true)),
    };
    let mut expected = vec![
        field("kind", "end-user"),
        field("email", "grace@acme.example"),
        field("given-name", "Grace"),
        field("family-name", "Hopper"),
        field("phone", "+1 2"),
        field("organization", "101"),
        portal,
    ];
    let world = World::new();
    let planned = world.create(&account, Mode::Plan).expect("a change");
    assert_eq!(planned.steps[0].changes, expected);
    let done = create(&world, &account).expect("a change");
    expected.push(field("invitation", "PENDING"));
    assert_eq!(done.steps[0].changes, expected);
    assert_eq!(done.steps[0].action, Action::CreateAccount);
    assert_eq!(done.steps[0].account.as_deref(), Some("13"));
    assert_eq!(done.steps[0].status, StepStatus::Done(Outcome::Changed));
}

#[test]
fn a_plan_has_the_same_steps_and_sends_no_write() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        let change = world
            .create(&with_roles(&["21", "23"]), Mode::Plan)
            .expect("a change");
        assert_eq!(
            (change.outcome, change.account),
            (Outcome::WouldChange, None)
        );
        let steps: Vec<_> = change
            .steps
            .iter()
            .map(|step| (step.action, step.account.as_deref(), step.role.as_deref()))
            .collect();
        assert_eq!(
            steps,
            [
                (Action::CreateAccount, None, None),
                (Action::GrantRole, None, Some("21")),
                (Action::GrantRole, None, Some("23")),
            ]
        );
        let done = StepStatus::Done(Outcome::WouldChange);
        assert!(change.steps.iter().all(|step| step.status == done));
        assert_eq!((world.tenant.writes().len(), created(&world)), (0, 0));
        assert_eq!(
            world.host.log().len(),
            1,
            "only the token: {:?}",
            world.host.log()
        );
    }
}

#[test]
fn roles_are_granted_to_the_new_account() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        let change = create(&world, &with_roles(&["21", "23", "21"])).expect("a change");
        assert_eq!(change.outcome, Outcome::Changed, "{unknowns:?}");
        let granted: Vec<_> = change.steps[1..]
            .iter()
            .map(|step| {
                (
                    step.action,
                    step.account.as_deref(),
                    step.role.as_deref(),
                    step.status.clone(),
                )
            })
            .collect();
        let done = |outcome| StepStatus::Done(outcome);
        let step = |role, status| (Action::GrantRole, Some("13"), Some(role), status);
        assert_eq!(
            granted,
            [
                step("21", done(Outcome::Changed)),
                step("23", done(Outcome::Changed)),
                step("21", done(unchanged(UnchangedReason::AlreadyGranted))),
            ]
        );
        assert_eq!(world.tenant.state().members(21), [1, 13]);
        assert_eq!(world.tenant.state().members(23), [1, 11, 13]);
    }
}

#[test]
fn a_role_that_cannot_be_granted_makes_the_outcome_partial_and_skips_the_rest() {
    let world = World::new();
    let add = "PATCH /v2/user/role/23/add-members";
    let refusal = Answer::failure(400, "NO").header("x-nj-request-id", "NJ-1");
    world.tenant.always(add, Fault::Refuse(refusal));
    let change = create(&world, &with_roles(&["21", "23", "21"])).expect("a change");
    assert_eq!(
        (change.outcome, change.account.as_deref()),
        (Outcome::Partial, Some("13"))
    );
    assert_eq!(change.steps[0].status, StepStatus::Done(Outcome::Changed));
    assert_eq!(change.steps[1].status, StepStatus::Done(Outcome::Changed));
    let StepStatus::Failed(reason) = &change.steps[2].status else {
        panic!("not failed: {change:?}");
    };
    assert_eq!(reason.kind, ErrorKind::Upstream);
    assert!(
        reason.message.contains("add-members was answered 400 (NO)"),
        "{}",
        reason.message
    );
    assert!(
        reason.message.ends_with(" (request id NJ-1)"),
        "{}",
        reason.message
    );
    assert_eq!(change.steps[3].status, StepStatus::Skipped);
    assert_eq!(world.tenant.state().members(21), [1, 13]);
}

#[test]
fn an_empty_list_of_users_does_not_prove_that_an_address_is_free() {
    for nothing in ["[]", "null"] {
        let world = World::new();
        world.tenant.serve("/v2/users", nothing);
        let error = error(create(&world, &new_technician()));
        assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
        assert_eq!(world.tenant.writes().len(), 0);
    }
}

#[test]
fn a_role_that_vanishes_before_it_is_granted_is_a_failed_step() {
    let world = World::new();
    world.tenant.always(
        CREATE_TECHNICIAN,
        Fault::outrun(|tenant| tenant.roles.retain(|role| role.id != 21)),
    );
    let change = create(&world, &with_roles(&["21"])).expect("a change");
    assert_eq!(change.outcome, Outcome::Partial);
    let StepStatus::Failed(reason) = &change.steps[1].status else {
        panic!("not failed: {change:?}");
    };
    assert_eq!(reason.kind, ErrorKind::NotFound);
}

#[test]
fn an_address_that_is_taken_is_refused_in_whatever_case_with_the_account_that_has_it() {
    for unknowns in Unknowns::all() {
        for mode in [Mode::Apply, Mode::Plan] {
            let world = World::with(unknowns);
            for (account, id) in [(new_technician(), "12"), (new_end_user(), "12")] {
                let account = NewAccount {
                    email: text("FAY@acme.EXAMPLE"),
                    ..account
                };
                assert_eq!(error(world.create(&account, mode)), exists(id));
            }
            assert_eq!(world.tenant.writes().len(), 0);
        }
    }
}

#[test]
fn an_address_that_several_accounts_have_is_told_with_the_first_of_them() {
    let world = World::changed(|tenant| {
        for id in [40, 41] {
            tenant.users.push(end_user(id, "grace@acme.example"));
        }
    });
    assert_eq!(error(create(&world, &new_technician())), exists("40"));
}

#[test]
fn an_address_that_is_taken_in_the_meantime_is_told_with_the_account_that_has_it() {
    for taken_email in [409, 400] {
        let world = World::with(Unknowns {
            taken_email,
            ..Unknowns::DOCUMENTED
        });
        world.tenant.always(
            CREATE_TECHNICIAN,
            Fault::outrun(|tenant| tenant.users.push(end_user(50, "grace@acme.example"))),
        );
        let failure = create(&world, &new_technician()).expect_err("taken");
        assert_eq!(failure.error, exists("50"));
        assert!(
            failure
                .message
                .contains("grace@acme.example in NinjaOne already: 50"),
            "{}",
            failure.message
        );
        assert_eq!(world.tenant.writes().len(), 1);
    }
}

#[test]
fn a_create_whose_answer_was_lost_is_not_sent_again_and_seen_to_be_done() {
    for unknowns in Unknowns::all() {
        for lost in [
            Fault::LoseAnswer(TransportErrorKind::Network),
            Fault::LoseAnswer(TransportErrorKind::FirstByteTimeout),
            Fault::LoseAnswer(TransportErrorKind::TooLarge),
            Fault::AnswerAfter(Answer::text(500, "")),
            Fault::AnswerAfter(Answer::text(200, "{\"id\":")),
            Fault::AnswerAfter(Answer::text(200, "garbage")),
            Fault::AnswerAfter(Answer::text(200, "{}")),
            Fault::AnswerAfter(Answer::text(200, "{\"id\": -1}")),
        ] {
            let world = World::with(unknowns);
            world.tenant.always(CREATE_TECHNICIAN, lost);
            let change = create(&world, &with_roles(&["21"])).expect("a change");
            assert_eq!(change.outcome, Outcome::Changed, "{unknowns:?}");
            assert_eq!(change.account.as_deref(), Some("13"));
            assert_eq!(created(&world), 1);
            assert_eq!(world.tenant.state().members(21), [1, 13]);
        }
    }
}

#[test]
fn an_answer_that_shows_the_new_account_is_enough() {
    let world = World::new();
    create(&world, &new_technician()).expect("a change");
    let look = "GET /v2/users?includeRoles=true";
    assert_eq!(world.tenant.lines(), [look, CREATE_TECHNICIAN]);
}

#[test]
fn a_create_that_did_not_arrive_fails_as_what_went_wrong_and_is_sent_again_only_where_it_was_turned_away()
 {
    for (fault, expected, times) in [
        (Fault::Drop(TransportErrorKind::Network), Error::Network, 1),
        (
            Fault::Refuse(Answer::text(500, "")),
            Error::Upstream(500),
            1,
        ),
        (
            Fault::Refuse(Answer::text(400, "")),
            Error::Upstream(400),
            1,
        ),
        (
            Fault::Refuse(Answer::text(409, "")),
            Error::Upstream(409),
            1,
        ),
        (
            Fault::Refuse(Answer::text(422, "")),
            Error::Upstream(422),
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
        (
            Fault::Refuse(Answer::text(200, "x")),
            Error::MalformedResponse(Some(0)),
            1,
        ),
        (Fault::Refuse(unknown_route()), Error::Upstream(404), 1),
    ] {
        let world = World::new();
        world.tenant.always(CREATE_TECHNICIAN, fault);
        assert_eq!(error(create(&world, &new_technician())), expected);
        assert_eq!((world.tenant.writes().len(), created(&world)), (times, 0));
    }
}

#[test]
fn a_refusal_that_leaves_no_doubt_is_not_followed_by_a_look() {
    for answer in [
        Answer::text(429, ""),
        Answer::text(403, ""),
        unknown_route(),
    ] {
        let world = World::new();
        world
            .tenant
            .always(CREATE_TECHNICIAN, Fault::Refuse(answer));
        error(create(&world, &new_technician()));
        let lines = world.tenant.lines();
        assert_eq!(lines.last().map(String::as_str), Some(CREATE_TECHNICIAN));
    }
}

#[test]
fn a_new_account_that_is_listed_a_little_later_is_waited_for() {
    for fault in [
        Fault::AnswerAfter(Answer::text(204, "")),
        Fault::LoseAnswer(TransportErrorKind::Network),
    ] {
        let world = World::new();
        world.tenant.always(CREATE_TECHNICIAN, fault);
        let before = Answer::json(200, &json!([{"id": 1, "email": "ada@acme.example"}]));
        for _ in 0..2 {
            let stale = Fault::Refuse(before.clone());
            world.tenant.once_after(1, USERS, stale);
        }
        let change = create(&world, &new_technician()).expect("a change");
        assert_eq!(change.account.as_deref(), Some("13"));
        assert_eq!(world.host.pauses(), [500, 1_000]);
        assert_eq!((world.tenant.writes().len(), created(&world)), (1, 1));
    }
}

#[test]
fn a_create_that_was_refused_is_looked_for_once() {
    let look = "GET /v2/users?includeRoles=true";
    for status in [400, 409, 422] {
        let world = World::new();
        let refusal = Fault::Refuse(Answer::text(status, ""));
        world.tenant.always(CREATE_TECHNICIAN, refusal);
        error(create(&world, &new_technician()));
        assert_eq!(world.tenant.lines(), [look, CREATE_TECHNICIAN, look]);
        assert!(world.host.pauses().is_empty());
    }
}

#[test]
fn a_create_that_is_accepted_and_not_seen_is_unconfirmed() {
    for answers in [Answers::Vague, Answers::Nothing] {
        let world = World::with(Unknowns {
            answers,
            ..Unknowns::DOCUMENTED
        });
        world.tenant.always(CREATE_TECHNICIAN, Fault::Pretend);
        let failure = create(&world, &new_technician()).expect_err("not seen");
        assert_eq!(failure.error, Error::Unconfirmed);
        assert!(
            failure.message.contains("grace@acme.example"),
            "{}",
            failure.message
        );
        assert_eq!(world.tenant.writes().len(), 1);
    }
}

#[test]
fn the_failure_of_the_write_is_told_when_the_look_afterwards_fails_too() {
    let world = World::new();
    world.tenant.always(
        CREATE_TECHNICIAN,
        Fault::LoseAnswer(TransportErrorKind::Network),
    );
    world
        .tenant
        .after(1, USERS, Fault::Refuse(Answer::text(500, "")));
    let failure = create(&world, &new_technician()).expect_err("nobody knows");
    assert_eq!(failure.error, Error::Network);
    assert_eq!(
        failure.exchange.expect("an exchange").request,
        CREATE_TECHNICIAN
    );
}

#[test]
fn a_list_of_users_that_breaks_off_is_an_error_and_nothing_is_written() {
    for body in ["[", r#"[{"id": 1, "email": "grace@acme.example"}"#] {
        let world = World::new();
        world.tenant.serve("/v2/users", body);
        let error = error(create(&world, &new_technician()));
        assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
        assert_eq!(world.tenant.writes().len(), 0);
    }
}

#[test]
fn every_field_that_is_missing_is_named_at_once() {
    let nothing = |kind: &str| NewAccount {
        kind: kind.to_string(),
        email: None,
        given_name: None,
        family_name: None,
        organization: None,
        ..new_technician()
    };
    assert_eq!(
        wrong_fields(&nothing("technician")),
        ["given-name", "family-name", "email"]
    );
    assert_eq!(
        wrong_fields(&nothing("end-user")),
        ["given-name", "family-name", "email"]
    );
}

#[test]
fn every_field_that_is_wrong_is_named_at_once() {
    let account = NewAccount {
        email: text("nobody"),
        given_name: text(" "),
        family_name: text("a\tb"),
        phone: text(""),
        organization: text("acme"),
        attributes: vec![
            attribute("fullPortalAccess", Value::Text("yes".to_string())),
            attribute("email", Value::Text("a@b.c".to_string())),
            attribute("shoe-size", Value::Integer(9)),
        ],
        roles: vec!["helpdesk".to_string(), "99".to_string()],
        ..new_end_user()
    };
    assert_eq!(
        wrong_fields(&account),
        [
            "given-name",
            "family-name",
            "phone",
            "email",
            "organization",
            "fullPortalAccess",
            "email",
            "shoe-size",
            "roles",
            "roles",
        ]
    );
}

#[test]
fn a_field_is_not_taken_for_an_attribute_whatever_its_value() {
    for value in [Value::Text("a@b.c".to_string()), Value::Boolean(true)] {
        let account = NewAccount {
            attributes: vec![attribute("phone", value)],
            ..new_end_user()
        };
        assert_eq!(wrong_fields(&account), ["phone"]);
    }
}

#[test]
fn what_a_technician_does_not_have_is_refused() {
    let account = NewAccount {
        organization: text("100"),
        send_invitation: Some(false),
        attributes: vec![attribute("fullPortalAccess", Value::Boolean(true))],
        ..new_technician()
    };
    assert_eq!(
        wrong_fields(&account),
        ["organization", "fullPortalAccess", "send-invitation"]
    );
    let failure = World::new()
        .create(&account, Mode::Plan)
        .expect_err("wrong");
    assert!(
        failure.message.contains("NinjaOne's API cannot set it for an account of the kind technician; leave it out; what it can set is \
                                  given-name, family-name, email, phone"),
        "{}",
        failure.message
    );
}

#[test]
fn a_kind_that_is_not_known_is_refused_before_anything_is_sent() {
    for kind in ["", "TECHNICIAN", "robot"] {
        let world = World::new();
        let account = NewAccount {
            kind: kind.to_string(),
            email: None,
            ..new_technician()
        };
        assert_eq!(complaints(error(create(&world, &account))), ["kind"]);
        assert!(world.tenant.lines().is_empty());
    }
}

#[test]
fn a_name_may_have_150_characters_as_java_counts_them() {
    for (letter, characters, fits) in [
        ("é", 1, true),
        ("é", 150, true),
        ("é", 151, false),
        ("😀", 75, true),
        ("😀", 76, false),
    ] {
        let name = letter.repeat(characters);
        let account = NewAccount {
            given_name: Some(name.clone()),
            family_name: Some(name),
            ..new_technician()
        };
        let result = World::new().create(&account, Mode::Plan);
        match fits {
            true => drop(result.expect("a change")),
            false => {
                let failure = result.expect_err("too long");
                assert!(
                    failure
                        .message
                        .contains("characters (UTF-16 units), and NinjaOne takes at most 150"),
                    "{}",
                    failure.message
                );
                assert_eq!(complaints(failure.error), ["given-name", "family-name"]);
            }
        }
    }
}

#[test]
fn an_address_needs_little_and_ninjaone_says_the_rest() {
    let with_email = |email: &str| NewAccount {
        email: text(email),
        ..new_technician()
    };
    for email in [
        "a@b.c",
        "taro..yamada.@mail.example.com",
        "jo@intranet",
        "o'hara!#$%&*/=?^_`{|}~-@acme.example",
        "\"odd@one\"@acme.example",
        "grâce@acmé.example",
        &format!("{}@acme.example", "l".repeat(300)),
    ] {
        World::new()
            .create(&with_email(email), Mode::Plan)
            .expect(email);
    }
    for (email, rule) in [
        ("grace", "an @ with something on both sides"),
        ("@acme.example", "an @ with something on both sides"),
        ("grace@", "an @ with something on both sides"),
        ("grace hopper@acme.example", "no white space"),
        ("grace@acme.example fay@acme.example", "no white space"),
    ] {
        let failure = World::new()
            .create(&with_email(email), Mode::Plan)
            .expect_err(email);
        assert!(failure.message.contains(rule), "{}", failure.message);
        assert_eq!(complaints(failure.error), ["email"]);
    }
}

#[test]
fn an_organization_that_is_not_there_is_refused() {
    let account = NewAccount {
        organization: text("99"),
        ..new_end_user()
    };
    assert_eq!(wrong_fields(&account), ["organization"]);
}

#[test]
fn an_organization_that_cannot_be_looked_up_is_an_error() {
    let world = World::new();
    world.tenant.always(
        "GET /v2/organization/101",
        Fault::Refuse(Answer::text(500, "")),
    );
    assert_eq!(error(create(&world, &new_end_user())), Error::Upstream(500));
    assert_eq!(world.tenant.writes().len(), 0);
}

#[test]
fn roles_that_are_not_there_or_for_another_kind_are_refused_with_one_look() {
    assert_eq!(wrong_fields(&with_roles(&["22"])), ["roles"]);
    assert_eq!(
        wrong_fields(&with_roles(&["21", "99", "98", "22"])),
        ["roles", "roles", "roles"]
    );
    let for_end_user = NewAccount {
        roles: vec!["21".to_string()],
        ..new_end_user()
    };
    assert_eq!(wrong_fields(&for_end_user), ["roles"]);
    let failure = World::new()
        .create(&with_roles(&["22", "99"]), Mode::Plan)
        .expect_err("wrong");
    let message = failure.message;
    assert!(
        message.contains("the role 22 is not for accounts of the kind technician"),
        "{message}"
    );
    assert!(message.contains("there is no role 99"), "{message}");
    let world = World::new();
    world
        .create(&with_roles(&["21", "23"]), Mode::Plan)
        .expect("a change");
    assert_eq!(
        world.tenant.lines(),
        ["GET /v2/user/roles", "GET /v2/users?includeRoles=true"]
    );
}

#[test]
fn a_role_that_is_not_asked_for_does_not_matter() {
    let world = World::new();
    world
        .create(&with_roles(&["23"]), Mode::Plan)
        .expect("a change");
    world
        .create(&new_technician(), Mode::Plan)
        .expect("a change");
}

#[test]
fn roles_that_cannot_be_looked_up_are_an_error() {
    let world = World::new();
    world.tenant.serve("/v2/user/roles", r#"[{"id": 21}"#);
    let error = error(create(&world, &with_roles(&["21"])));
    assert!(matches!(error, Error::MalformedResponse(_)), "{error:?}");
    assert_eq!(world.tenant.writes().len(), 0);
}

#[test]
fn a_create_is_logged_without_personal_data() {
    let world = World::new();
    create(&world, &new_end_user()).expect("a change");
    assert_eq!(
        world.host.log()[1..],
        ["Info creating an account kind=end-user"]
    );
}

#[test]
fn an_account_that_was_just_created_exists_when_the_call_is_repeated() {
    let world = World::new();
    create(&world, &new_technician()).expect("a change");
    assert_eq!(error(create(&world, &new_technician())), exists("13"));
    let user = world.tenant.state().user(13).expect("created").clone();
    assert_eq!(
        (&user["userType"], &user["phone"]),
        (&json!("TECHNICIAN"), &json!(null))
    );
}

#[test]
fn the_same_address_in_disguise_is_an_account_that_exists_already() {
    for (stored, given) in [
        ("Ren.Sato@Example.com ", "ren.sato@example.com"),
        ("RENÉ.SATO@EXAMPLE.COM", "rene\u{301}.sato@example.com"),
        ("KORİ.SATO@example.com", "kori.sato@example.com"),
        ("ren.sato\u{200b}@example.com", "ren.sato@example.com"),
        ("ren.sato@example.com", "  Ren.Sato@example.com\t"),
    ] {
        let world = World::changed(|tenant| tenant.user_mut(2)["email"] = json!(stored));
        let account = NewAccount {
            email: text(given),
            ..new_technician()
        };
        assert_eq!(error(world.create(&account, Mode::Apply)), exists("2"));
        assert_eq!(world.tenant.writes().len(), 0);
        let mut request = list_of(ResourceKinds::ACCOUNTS);
        request.filter.email = text(given);
        assert_eq!(listed(&world, &request), ["account 2"]);
    }
}

#[test]
fn white_space_at_the_ends_is_not_sent() {
    let world = World::new();
    let account = NewAccount {
        given_name: text(" Grace "),
        email: text("grace@acme.example "),
        ..new_technician()
    };
    world.create(&account, Mode::Apply).expect("a change");
    let body: serde_json::Value =
        serde_json::from_str(&world.tenant.writes()[0].body).expect("JSON");
    assert_eq!(
        (&body["firstName"], &body["email"]),
        (&json!("Grace"), &json!("grace@acme.example"))
    );
}

#[test]
fn an_attribute_that_is_named_twice_is_refused() {
    let access = |access| attribute("fullPortalAccess", Value::Boolean(access));
    let account = NewAccount {
        attributes: vec![access(true), access(false)],
        ..new_end_user()
    };
    assert_eq!(wrong_fields(&account), ["fullPortalAccess"]);
}

#[test]
fn an_end_user_without_an_organization_is_for_ninjaone_to_refuse() {
    let world = World::new();
    let account = NewAccount {
        organization: None,
        ..new_end_user()
    };
    world.create(&account, Mode::Apply).expect("a change");
    assert!(!world.tenant.writes()[0].body.contains("organizationId"));
}

#[test]
fn a_role_for_every_kind_is_for_a_new_account_too() {
    let world = World::changed(|tenant| tenant.role_mut(23).role_type = Some("ALL"));
    let change = create(&world, &with_roles(&["23"])).expect("a change");
    assert_eq!(change.outcome, Outcome::Changed);
}

#[test]
fn several_roles_are_granted_without_a_look_for_each() {
    let world = World::new();
    create(&world, &with_roles(&["21", "23"])).expect("a change");
    let lines = world.tenant.lines();
    let looks = lines.iter().filter(|line| *line == "GET /v2/user/roles");
    assert_eq!(looks.count(), 1, "{lines:?}");
}

#[test]
fn an_answer_about_somebody_else_is_not_taken_for_the_new_account() {
    let world = World::new();
    let other = json!({"id": 1, "email": "ada@acme.example"});
    world.tenant.always(
        CREATE_TECHNICIAN,
        Fault::AnswerAfter(Answer::json(200, &other)),
    );
    let change = create(&world, &new_technician()).expect("a change");
    assert_eq!(change.account.as_deref(), Some("13"));
}
