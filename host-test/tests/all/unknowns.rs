//! Whatever NinjaOne really does where that is not known: the outcome for the caller is the same.
//!
//! Each test goes through every value of a switch of the simulator.

use connector_host::contract::{
    AccountDeletion, AccountUpdate, Change, Error, FieldUpdate, Mode, NewAccount, Outcome,
    ProvisionRequest, RefusalReason, UnchangedReason, Value,
};
use connector_host::{CallError, Connector};
use host_test::{
    ada, assignment, connector, connector_with, deletion, failure, role_for, settings, simulated,
};
use ninjaone_simulator::{AccountKind, Behavior, Options, Role, Simulator};

/// Runs a test against a tenant for each value of a switch, with the value's name.
async fn for_each_value<F>(switch: &str, test: impl Fn(Simulator, Connector, &'static str) -> F)
where
    F: Future<Output = ()>,
{
    let switch = Behavior::SWITCHES
        .iter()
        .find(|one| one.name == switch)
        .expect("there is such a switch");
    assert!(
        switch.values.len() > 1,
        "{} has nothing to choose from",
        switch.name
    );
    for value in switch.values {
        let mut behavior = Behavior::default();
        behavior
            .set(switch.name, value.name)
            .expect("it is one of its values");
        let simulator = simulated(Options {
            accounts: 120,
            behavior,
            ..Options::default()
        })
        .await;
        let connector = connector(&simulator);
        test(simulator, connector, value.name).await;
    }
}

fn technician(simulator: &Simulator) -> String {
    let accounts = simulator.accounts();
    let plain = accounts.iter().find(|account| {
        account.kind == AccountKind::Technician
            && !account.scim
            && !account.administrator
            && account.memberships.is_empty()
    });
    plain
        .expect("the tenant has a plain technician")
        .id
        .to_string()
}

fn end_user(simulator: &Simulator) -> String {
    let accounts = simulator.accounts();
    let plain = accounts
        .iter()
        .find(|account| account.kind == AccountKind::EndUser && !account.scim);
    plain
        .expect("the tenant has a plain end user")
        .id
        .to_string()
}

fn new_technician(email: &str) -> ProvisionRequest {
    ProvisionRequest::Create(NewAccount {
        email: Some(email.to_string()),
        ..ada("technician")
    })
}

fn rename(account: &str) -> ProvisionRequest {
    ProvisionRequest::Update(AccountUpdate {
        account: account.to_string(),
        fields: vec![(
            "given-name".to_string(),
            FieldUpdate::Set(Value::Text("Augusta".to_string())),
        )],
    })
}

fn outcome(change: Result<Change, CallError>) -> Outcome {
    change.expect("it went well").outcome
}

#[tokio::test]
async fn adding_a_member_twice() {
    for_each_value(
        "add-existing-member",
        |simulator, mut connector, value| async move {
            let assignment = assignment(
                &technician(&simulator),
                &role_for(&simulator, AccountKind::Technician),
            );
            assert_eq!(
                outcome(connector.grant(&assignment, Mode::Apply).await),
                Outcome::Changed,
                "{value}"
            );
            let again = outcome(connector.grant(&assignment, Mode::Apply).await);
            assert_eq!(
                again,
                Outcome::Unchanged(UnchangedReason::AlreadyGranted),
                "{value}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn removing_a_stranger() {
    for_each_value(
        "remove-stranger",
        |simulator, mut connector, value| async move {
            let assignment = assignment(
                &technician(&simulator),
                &role_for(&simulator, AccountKind::Technician),
            );
            let revoked = outcome(connector.revoke(&assignment, Mode::Apply).await);
            assert_eq!(
                revoked,
                Outcome::Unchanged(UnchangedReason::NotGranted),
                "{value}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_role_that_nobody_holds() {
    for_each_value(
        "empty-members",
        |simulator, mut connector, value| async move {
            let empty = |role: &&Role| simulator.role_members(role.id).is_empty();
            let roles = simulator.roles();
            let role = roles.iter().find(empty).expect("one is held by nobody");
            let account = match role.kind {
                AccountKind::Technician => technician(&simulator),
                AccountKind::EndUser => end_user(&simulator),
            };
            let assignment = assignment(&account, &role.id.to_string());
            let granted = outcome(connector.grant(&assignment, Mode::Apply).await);
            assert_eq!(granted, Outcome::Changed, "{value}");
            let revoked = outcome(connector.revoke(&assignment, Mode::Apply).await);
            assert_eq!(revoked, Outcome::Changed, "{value}");
        },
    )
    .await;
}

#[tokio::test]
async fn the_role_in_the_answer_or_no_body() {
    for_each_value(
        "role-write-body",
        |simulator, mut connector, value| async move {
            let assignment = assignment(
                &technician(&simulator),
                &role_for(&simulator, AccountKind::Technician),
            );
            assert_eq!(
                outcome(connector.grant(&assignment, Mode::Apply).await),
                Outcome::Changed,
                "{value}"
            );
            assert_eq!(
                outcome(connector.revoke(&assignment, Mode::Apply).await),
                Outcome::Changed,
                "{value}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn an_address_that_is_taken() {
    for_each_value(
        "duplicate-email",
        |simulator, mut connector, value| async move {
            let taken = simulator.accounts()[7].email.to_string();
            let refused = failure(
                connector
                    .provision(&new_technician(&taken), Mode::Apply)
                    .await,
            );
            assert!(
                matches!(refused.error, Error::AlreadyExists(_)),
                "{value}: {refused:?}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn an_address_that_differs_only_in_case() {
    for_each_value(
        "email-comparison",
        |simulator, mut connector, value| async move {
            let taken = simulator.accounts()[7].email.to_string().to_uppercase();
            let refused = failure(
                connector
                    .provision(&new_technician(&taken), Mode::Apply)
                    .await,
            );
            assert!(
                matches!(refused.error, Error::AlreadyExists(_)),
                "{value}: {refused:?}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_changed_technician_in_the_answer_or_no_body() {
    for_each_value(
        "patch-technician-body",
        |simulator, mut connector, value| async move {
            let renamed = outcome(
                connector
                    .provision(&rename(&technician(&simulator)), Mode::Apply)
                    .await,
            );
            assert_eq!(renamed, Outcome::Changed, "{value}");
        },
    )
    .await;
}

#[tokio::test]
async fn deleting_who_is_deleted_already() {
    for_each_value(
        "delete-deleted",
        |simulator, mut connector, value| async move {
            let account = technician(&simulator);
            assert_eq!(
                outcome(
                    connector
                        .provision(&deletion(&account, true), Mode::Apply)
                        .await
                ),
                Outcome::Changed,
                "{value}"
            );
            let again = outcome(
                connector
                    .provision(&deletion(&account, true), Mode::Apply)
                    .await,
            );
            assert_eq!(
                again,
                Outcome::Unchanged(UnchangedReason::AlreadyGone),
                "{value}"
            );
        },
    )
    .await;
}

#[tokio::test]
async fn asking_for_an_account_of_the_wrong_kind() {
    for_each_value("wrong-kind", |simulator, mut connector, value| async move {
        let end_user = end_user(&simulator);
        let wrong_role = role_for(&simulator, AccountKind::Technician);
        let refused = failure(
            connector
                .grant(&assignment(&end_user, &wrong_role), Mode::Apply)
                .await,
        );
        assert_eq!(
            refused.error,
            Error::Refused(RefusalReason::WrongAccountKind),
            "{value}"
        );
        let unknown = failure(
            connector
                .grant(&assignment("999999", &wrong_role), Mode::Apply)
                .await,
        );
        assert!(
            matches!(unknown.error, Error::NotFound(_)),
            "{value}: {unknown:?}"
        );
        assert_eq!(
            outcome(connector.provision(&rename(&end_user), Mode::Apply).await),
            Outcome::Changed,
            "{value}"
        );
        assert_eq!(
            outcome(
                connector
                    .provision(&deletion(&end_user, true), Mode::Apply)
                    .await
            ),
            Outcome::Changed,
            "{value}"
        );
        let gone = outcome(
            connector
                .provision(&deletion(&end_user, true), Mode::Apply)
                .await,
        );
        assert_eq!(
            gone,
            Outcome::Unchanged(UnchangedReason::AlreadyGone),
            "{value}"
        );
    })
    .await;
}

#[tokio::test]
async fn changing_who_is_managed_by_scim() {
    for_each_value(
        "scim-managed",
        |simulator, mut connector, value| async move {
            let accounts = simulator.accounts();
            let managed = accounts
                .iter()
                .find(|account| account.scim && !account.administrator)
                .expect("there is one");
            for request in [
                deletion(&managed.id.to_string(), true),
                rename(&managed.id.to_string()),
            ] {
                let refused = failure(connector.provision(&request, Mode::Apply).await);
                assert_eq!(
                    refused.error,
                    Error::Refused(RefusalReason::ExternallyManaged),
                    "{value}"
                );
            }
            assert!(simulator.writes().is_empty(), "{value}");
        },
    )
    .await;
}

#[tokio::test]
async fn deleting_the_last_administrator() {
    for_each_value(
        "delete-last-administrator",
        |simulator, _, value| async move {
            drop(simulator);
            // A tenant of one account is one administrator.
            let mut behavior = Behavior::default();
            behavior
                .set("delete-last-administrator", value)
                .expect("it is one of its values");
            let simulator = simulated(Options {
                accounts: 1,
                behavior,
                ..Options::default()
            })
            .await;
            let last = simulator.accounts()[0].id.to_string();
            let refused = failure(
                connector(&simulator)
                    .provision(&deletion(&last, true), Mode::Apply)
                    .await,
            );
            assert_eq!(
                refused.error,
                Error::Refused(RefusalReason::LastAdministrator),
                "{value}"
            );
            assert!(simulator.writes().is_empty(), "{value}");
        },
    )
    .await;
}

#[tokio::test]
async fn deleting_an_administrator_without_permission() {
    for_each_value(
        "delete-administrator",
        |simulator, mut connector, value| async move {
            let accounts = simulator.accounts();
            let administrator = accounts
                .iter()
                .find(|a| a.administrator && !a.scim)
                .expect("there is one");
            let request = ProvisionRequest::Delete(AccountDeletion {
                account: administrator.id.to_string(),
                allow_administrator: false,
            });
            let refused = failure(connector.provision(&request, Mode::Apply).await);
            assert!(
                matches!(refused.error, Error::Refused(_)),
                "{value}: {refused:?}"
            );
            assert!(simulator.writes().is_empty(), "{value}");
        },
    )
    .await;
}

#[tokio::test]
async fn whether_a_new_technician_is_invited() {
    for_each_value(
        "technician-invitation",
        |simulator, mut connector, value| async move {
            let created = connector
                .provision(&new_technician("ada@example.com"), Mode::Apply)
                .await
                .expect("created");
            assert_eq!(created.outcome, Outcome::Changed, "{value}");
            let told = created.steps[0]
                .changes
                .iter()
                .any(|change| change.field == "invitation");
            assert!(
                told,
                "{value}: the result tells where the invitation stands"
            );
            drop(simulator);
        },
    )
    .await;
}

#[tokio::test]
async fn a_wrong_secret() {
    for_each_value("wrong-secret", |simulator, _, value| async move {
        let wrong = settings(&simulator).secret("client-secret", "wrong".to_string().into());
        let mut connector = connector_with(&simulator, wrong);
        let report = connector.check().await.expect("a report");
        assert!(!report.healthy, "{value}");
        let failed = report.probes[0]
            .failure
            .as_ref()
            .expect("there is no token");
        assert_eq!(
            failed.kind,
            connector_host::contract::ErrorKind::Unauthorized,
            "{value}"
        );
    })
    .await;
}

#[tokio::test]
async fn how_a_missing_scope_is_refused() {
    for_each_value("insufficient-scope", |_, _, value| async move {
        let mut behavior = Behavior::default();
        behavior
            .set("insufficient-scope", value)
            .expect("it is one of its values");
        let mut options = Options {
            accounts: 120,
            behavior,
            ..Options::default()
        };
        options.credentials.scopes = "monitoring management".parse().expect("scopes");
        let simulator = simulated(options).await;
        let mut connector = connector(&simulator);
        let assignment = assignment(
            &technician(&simulator),
            &role_for(&simulator, AccountKind::Technician),
        );
        let refused = failure(connector.grant(&assignment, Mode::Apply).await);
        let Error::MissingPermission(needed) = &refused.error else {
            panic!("{value}: {refused:?}")
        };
        assert_eq!(needed, &["control"], "{value}");
    })
    .await;
}

#[tokio::test]
async fn the_shape_of_a_validation_error() {
    for_each_value(
        "error-message",
        |simulator, mut connector, value| async move {
            let unknown = failure(
                connector
                    .grant(&assignment("1", "999999"), Mode::Apply)
                    .await,
            );
            assert!(
                matches!(unknown.error, Error::NotFound(_)),
                "{value}: {unknown:?}"
            );
            assert_eq!(
                outcome(
                    connector
                        .provision(&new_technician("ada@example.com"), Mode::Apply)
                        .await
                ),
                Outcome::Changed,
                "{value}"
            );
            drop(simulator);
        },
    )
    .await;
}

#[tokio::test]
async fn a_read_that_does_not_show_a_write_yet_is_unconfirmed_and_not_a_success() {
    let mut behavior = Behavior::default();
    behavior.set("read-lag", "50").expect("a number");
    behavior.set("role-write-body", "empty").expect("a value");
    let simulator = simulated(Options {
        accounts: 120,
        behavior,
        ..Options::default()
    })
    .await;
    let assignment = assignment(
        &technician(&simulator),
        &role_for(&simulator, AccountKind::Technician),
    );
    let told = failure(connector(&simulator).grant(&assignment, Mode::Apply).await);
    assert_eq!(told.error, Error::Unconfirmed);
    assert_eq!(simulator.writes().len(), 1, "and it was not sent twice");
}

/// A switch that is added to the simulator has to be tested here too, or be named with the reason why not.
#[test]
fn every_switch_is_tried_both_ways() {
    const ELSEWHERE: [&str; 3] = [
        "user-endpoints", // what `check` says of it: checks.rs
        "scope-rule",     // which scope is enforced: no write depends on knowing
        "patch-enabled",  // the connector never sends `enabled`
    ];
    let here: String = include_str!("unknowns.rs").split_whitespace().collect();
    for switch in Behavior::SWITCHES {
        let tried = here.contains(&format!("for_each_value(\"{}\"", switch.name));
        assert_ne!(tried, ELSEWHERE.contains(&switch.name), "{}", switch.name);
    }
}
