//! The life of an account, through the real component: what each write does, and that it says so.

use connector_host::contract::{
    AccountDeletion, AccountUpdate, Attribute, Change, Error, FieldUpdate, Item, Mode, NewAccount,
    Operation, Outcome, ProvisionRequest, RefusalReason, ResourceKind, ResourceKinds,
    ResourceReference, StepStatus, UnchangedReason, Value,
};
use host_test::{assignment, connector, deletion, failure, list, role_for, tenant};
use ninjaone_simulator::{Account, AccountKind, Simulator};

fn ada(kind: &str) -> NewAccount {
    NewAccount {
        phone: Some("+44 20 7946 0000".to_string()),
        ..host_test::ada(kind)
    }
}

fn end_user(simulator: &Simulator) -> NewAccount {
    let organization = simulator.organizations()[0].id.to_string();
    NewAccount {
        organization: Some(organization),
        ..ada("end-user")
    }
}

fn delete(account: &str) -> ProvisionRequest {
    deletion(account, false)
}

fn find(simulator: &Simulator, wanted: impl Fn(&Account) -> bool) -> String {
    simulator
        .accounts()
        .iter()
        .find(|account| wanted(account))
        .expect("the tenant has one")
        .id
        .to_string()
}

async fn holds(simulator: &Simulator, account: &str, role: &str) -> bool {
    list(&mut connector(simulator), ResourceKinds::GRANTS)
        .await
        .iter()
        .any(|item| matches!(item, Item::Grant(grant) if grant.account == account && grant.role == role))
}

fn id(change: &Change) -> String {
    change
        .account
        .clone()
        .expect("a creation tells the account")
}

#[tokio::test]
async fn a_technician_lives_from_creation_to_deletion() {
    let simulator = tenant(50).await;
    let mut connector = connector(&simulator);
    let role = role_for(&simulator, AccountKind::Technician);

    let created = connector
        .provision(&ProvisionRequest::Create(ada("technician")), Mode::Apply)
        .await
        .expect("created");
    assert_eq!(created.outcome, Outcome::Changed);
    let account = id(&created);
    let there = simulator
        .account(account.parse().expect("a number"))
        .expect("it is in the tenant");
    assert_eq!(
        (there.full_name().as_str(), there.kind),
        ("Ada Lovelace", AccountKind::Technician)
    );

    let granted = connector
        .grant(&assignment(&account, &role), Mode::Apply)
        .await
        .expect("granted");
    assert_eq!(granted.outcome, Outcome::Changed);
    assert!(holds(&simulator, &account, &role).await);

    let again = connector
        .grant(&assignment(&account, &role), Mode::Apply)
        .await
        .expect("granted");
    assert_eq!(
        again.outcome,
        Outcome::Unchanged(UnchangedReason::AlreadyGranted)
    );

    let revoked = connector
        .revoke(&assignment(&account, &role), Mode::Apply)
        .await
        .expect("revoked");
    assert_eq!(revoked.outcome, Outcome::Changed);
    assert!(!holds(&simulator, &account, &role).await);

    let again = connector
        .revoke(&assignment(&account, &role), Mode::Apply)
        .await
        .expect("revoked");
    assert_eq!(
        again.outcome,
        Outcome::Unchanged(UnchangedReason::NotGranted)
    );

    let deleted = connector
        .provision(&delete(&account), Mode::Apply)
        .await
        .expect("deleted");
    assert_eq!(deleted.outcome, Outcome::Changed);
    assert!(
        simulator
            .account(account.parse().expect("a number"))
            .is_none()
    );

    let again = connector
        .provision(&delete(&account), Mode::Apply)
        .await
        .expect("deleted");
    assert_eq!(
        again.outcome,
        Outcome::Unchanged(UnchangedReason::AlreadyGone)
    );

    let gone = connector
        .revoke(&assignment(&account, &role), Mode::Apply)
        .await
        .expect("revoked");
    assert_eq!(
        gone.outcome,
        Outcome::Unchanged(UnchangedReason::NotGranted)
    );
}

#[tokio::test]
async fn an_end_user_is_created_with_everything_that_is_given() {
    let simulator = tenant(50).await;
    let role = role_for(&simulator, AccountKind::EndUser);
    let account = NewAccount {
        send_invitation: Some(true),
        attributes: vec![Attribute {
            name: "fullPortalAccess".to_string(),
            value: Value::Boolean(true),
        }],
        roles: vec![role.clone()],
        ..end_user(&simulator)
    };
    let change = connector(&simulator)
        .provision(&ProvisionRequest::Create(account), Mode::Apply)
        .await
        .expect("created");
    assert_eq!(change.outcome, Outcome::Changed);
    let statuses: Vec<_> = change
        .steps
        .iter()
        .map(|step| step.status.clone())
        .collect();
    assert_eq!(statuses, vec![StepStatus::Done(Outcome::Changed); 2]);
    let invitation = change.steps[0]
        .changes
        .iter()
        .find(|change| change.field == "invitation")
        .expect("the result tells it");
    assert_eq!(invitation.after, Some(Value::Text("PENDING".to_string())));
    let number = id(&change).parse().expect("a number");
    assert_eq!(
        simulator.account(number).expect("it is there").kind,
        AccountKind::EndUser
    );
    assert!(
        simulator
            .role_members(role.parse().expect("a number"))
            .contains(&number)
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_with_the_account_that_has_it() {
    let simulator = tenant(50).await;
    let taken = simulator
        .accounts()
        .into_iter()
        .find(|account| account.kind == AccountKind::EndUser)
        .expect("there is one");
    let account = NewAccount {
        email: Some(taken.email.to_string().to_uppercase()),
        ..ada("technician")
    };
    let failure = failure(
        connector(&simulator)
            .provision(&ProvisionRequest::Create(account), Mode::Apply)
            .await,
    );
    let existing = ResourceReference {
        kind: ResourceKind::Account,
        id: taken.id.to_string(),
    };
    assert_eq!(failure.error, Error::AlreadyExists(existing));
    assert!(simulator.writes().is_empty());
}

#[tokio::test]
async fn every_invalid_field_of_a_new_account_is_reported_at_once() {
    let simulator = tenant(5).await;
    let account = NewAccount {
        email: Some("not an address".to_string()),
        given_name: Some("x".repeat(151)),
        family_name: None,
        organization: Some("999999".to_string()),
        roles: vec!["999999".to_string()],
        attributes: vec![Attribute {
            name: "administrator".to_string(),
            value: Value::Boolean(true),
        }],
        ..ada("end-user")
    };
    let failure = failure(
        connector(&simulator)
            .provision(&ProvisionRequest::Create(account), Mode::Apply)
            .await,
    );
    let Error::InvalidArgument(problems) = failure.error else {
        panic!("{failure:?}")
    };
    let mut fields: Vec<_> = problems
        .iter()
        .map(|problem| problem.field.as_str())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "administrator",
            "email",
            "family-name",
            "given-name",
            "organization",
            "roles"
        ]
    );
    assert!(simulator.writes().is_empty());
}

#[tokio::test]
async fn fields_are_changed_read_back_and_not_sent_again() {
    let simulator = tenant(50).await;
    let mut connector = connector(&simulator);
    let account = find(&simulator, |account| {
        account.kind == AccountKind::Technician && !account.scim
    });
    let update = ProvisionRequest::Update(AccountUpdate {
        account: account.clone(),
        fields: vec![(
            "given-name".to_string(),
            FieldUpdate::Set(Value::Text("Augusta".to_string())),
        )],
    });
    let change = connector
        .provision(&update, Mode::Apply)
        .await
        .expect("changed");
    assert_eq!(change.outcome, Outcome::Changed);
    assert_eq!(
        change.steps[0].changes[0].after,
        Some(Value::Text("Augusta".to_string()))
    );
    assert_eq!(simulator.writes().len(), 1);
    let again = connector
        .provision(&update, Mode::Apply)
        .await
        .expect("nothing to do");
    assert_eq!(
        again.outcome,
        Outcome::Unchanged(UnchangedReason::NoDifference)
    );
    assert_eq!(
        simulator.writes().len(),
        1,
        "what is so already is not sent"
    );
}

#[tokio::test]
async fn a_field_that_the_api_cannot_change_is_refused_by_name() {
    let simulator = tenant(50).await;
    let account = find(&simulator, |account| {
        account.kind == AccountKind::Technician
    });
    let set = |field: &str| {
        (
            field.to_string(),
            FieldUpdate::Set(Value::Text("1".to_string())),
        )
    };
    let update = AccountUpdate {
        account,
        fields: vec![set("email"), set("organization"), set("nonsense")],
    };
    let failure = failure(
        connector(&simulator)
            .provision(&ProvisionRequest::Update(update), Mode::Apply)
            .await,
    );
    let Error::InvalidArgument(problems) = failure.error else {
        panic!("{failure:?}")
    };
    let fields: Vec<_> = problems
        .iter()
        .map(|problem| problem.field.as_str())
        .collect();
    assert_eq!(fields, ["email", "organization", "nonsense"]);
    assert!(simulator.writes().is_empty());
}

#[tokio::test]
async fn enabling_and_disabling_are_unsupported_and_not_claimed() {
    let simulator = tenant(5).await;
    let mut connector = connector(&simulator);
    let claimed = connector
        .describe()
        .await
        .expect("it describes itself")
        .operations;
    for (request, operation) in [
        (
            ProvisionRequest::Enable("1".to_string()),
            Operation::EnableAccount,
        ),
        (
            ProvisionRequest::Disable("1".to_string()),
            Operation::DisableAccount,
        ),
    ] {
        let failure = failure(connector.provision(&request, Mode::Apply).await);
        assert_eq!(failure.error, Error::Unsupported(operation));
        assert!(
            claimed
                .iter()
                .all(|description| description.operation != operation)
        );
    }
    assert!(simulator.writes().is_empty());
}

#[tokio::test]
async fn unknown_accounts_and_roles_and_roles_of_the_other_kind_are_refused_before_any_write() {
    let simulator = tenant(50).await;
    let mut connector = connector(&simulator);
    let technician = find(&simulator, |account| {
        account.kind == AccountKind::Technician
    });
    let for_technicians = role_for(&simulator, AccountKind::Technician);
    let for_end_users = role_for(&simulator, AccountKind::EndUser);

    let unknown_role = failure(
        connector
            .grant(&assignment(&technician, "999999"), Mode::Apply)
            .await,
    );
    assert_eq!(
        unknown_role.error,
        Error::NotFound(ResourceReference {
            kind: ResourceKind::Role,
            id: "999999".to_string()
        })
    );

    let unknown_account = failure(
        connector
            .grant(&assignment("999999", &for_technicians), Mode::Apply)
            .await,
    );
    assert_eq!(
        unknown_account.error,
        Error::NotFound(ResourceReference {
            kind: ResourceKind::Account,
            id: "999999".to_string()
        })
    );

    let wrong_kind = failure(
        connector
            .grant(&assignment(&technician, &for_end_users), Mode::Apply)
            .await,
    );
    assert_eq!(
        wrong_kind.error,
        Error::Refused(RefusalReason::WrongAccountKind)
    );

    let nonsense = failure(connector.grant(&assignment("one", "-1"), Mode::Apply).await);
    let Error::InvalidArgument(problems) = nonsense.error else {
        panic!("{nonsense:?}")
    };
    assert_eq!(problems.len(), 2);
    assert!(simulator.writes().is_empty());
}

#[tokio::test]
async fn administrators_are_deleted_only_with_permission_and_the_last_one_never() {
    let simulator = tenant(200).await;
    let mut connector = connector(&simulator);
    let administrators: Vec<_> = simulator
        .accounts()
        .into_iter()
        .filter(|a| a.administrator && a.enabled && !a.scim)
        .collect();
    assert!(administrators.len() > 1, "the tenant has a few");
    let (last, others) = administrators.split_last().expect("there are some");
    let refused = failure(
        connector
            .provision(&delete(&last.id.to_string()), Mode::Apply)
            .await,
    );
    assert_eq!(refused.error, Error::Refused(RefusalReason::Administrator));
    let allowed = |id: u32| {
        ProvisionRequest::Delete(AccountDeletion {
            account: id.to_string(),
            allow_administrator: true,
        })
    };
    for other in others {
        let deleted = connector
            .provision(&allowed(other.id), Mode::Apply)
            .await
            .expect("deleted");
        assert_eq!(deleted.outcome, Outcome::Changed);
    }
    let scim_administrators = simulator
        .accounts()
        .iter()
        .filter(|a| a.administrator && a.enabled && a.scim)
        .count();
    let outcome = connector.provision(&allowed(last.id), Mode::Apply).await;
    if scim_administrators == 0 {
        assert_eq!(
            failure(outcome).error,
            Error::Refused(RefusalReason::LastAdministrator)
        );
    } else {
        assert_eq!(outcome.expect("others are left").outcome, Outcome::Changed);
    }
}

#[tokio::test]
async fn an_account_that_scim_manages_is_left_alone() {
    let simulator = tenant(500).await;
    let managed = find(&simulator, |account| account.scim && !account.administrator);
    let failure = failure(
        connector(&simulator)
            .provision(&delete(&managed), Mode::Apply)
            .await,
    );
    assert_eq!(
        failure.error,
        Error::Refused(RefusalReason::ExternallyManaged)
    );
    assert!(simulator.writes().is_empty());
}

#[tokio::test]
async fn a_plan_of_each_write_checks_everything_and_sends_none() {
    let simulator = tenant(200).await;
    let mut connector = connector(&simulator);
    let technician = find(&simulator, |a| {
        a.kind == AccountKind::Technician && !a.scim && !a.administrator && a.memberships.is_empty()
    });
    let role = role_for(&simulator, AccountKind::Technician);
    let update = AccountUpdate {
        account: technician.clone(),
        fields: vec![(
            "family-name".to_string(),
            FieldUpdate::Set(Value::Text("King".to_string())),
        )],
    };
    let outcomes = [
        connector
            .grant(&assignment(&technician, &role), Mode::Plan)
            .await
            .expect("a plan"),
        connector
            .provision(&ProvisionRequest::Create(ada("technician")), Mode::Plan)
            .await
            .expect("a plan"),
        connector
            .provision(&ProvisionRequest::Update(update), Mode::Plan)
            .await
            .expect("a plan"),
        connector
            .provision(&delete(&technician), Mode::Plan)
            .await
            .expect("a plan"),
    ];
    for change in &outcomes {
        assert_eq!(change.outcome, Outcome::WouldChange);
    }
    let renamed = &outcomes[2].steps[0].changes[0];
    assert!(
        renamed.before.is_some() && renamed.before != renamed.after,
        "a plan tells before and after"
    );
    let (member, held) = simulator
        .roles()
        .iter()
        .find_map(|role| Some((*simulator.role_members(role.id).first()?, role.id)))
        .expect("somebody holds a role");
    let revoke = connector
        .revoke(
            &assignment(&member.to_string(), &held.to_string()),
            Mode::Plan,
        )
        .await
        .expect("a plan");
    assert_eq!(revoke.outcome, Outcome::WouldChange);
    let wrong = failure(
        connector
            .grant(&assignment(&technician, "999999"), Mode::Plan)
            .await,
    );
    assert!(
        matches!(wrong.error, Error::NotFound(_)),
        "a plan checks what the write would check"
    );
    assert!(simulator.writes().is_empty(), "{:?}", simulator.writes());
}
