//! Whether the connector is what it says it is.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::run::{
    Checked, Fault, LISTINGS, Run, Write, broken, expect_error, filtered, is_among, not_tried,
};
use super::{Access, CallError};
use connector_contract::{
    AccountDeletion, AccountDetails, AccountKindDescription, AccountUpdate, Assignment, Error,
    FieldDescription, FieldType, FilterFields, ListRequest, Mode, Operation, OperationDescription,
    Outcome, ProvisionRequest,
};

pub(super) async fn needs_nothing(run: &mut Run) -> Checked {
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = asked.clone();
    let sent_before = run.requests();
    let mut connector = run.fresh_behind(Arc::new(move |_| {
        asking.fetch_add(1, Ordering::Relaxed);
        Access::Denied
    }));
    for _ in 0..2 {
        let description = connector.describe().await?;
        if description != *run.description {
            return broken("it described itself in two ways");
        }
    }
    let asked = asked.load(Ordering::Relaxed);
    let sent = run.sent_since(sent_before);
    if asked > 0 || sent.is_some_and(|sent| sent > 0) {
        return broken(format!(
            "it asked for {asked} settings and sent {} requests",
            sent.map_or("an unknown number of".to_string(), |sent| sent.to_string())
        ));
    }
    if sent.is_none() {
        return not_tried(
            "it asked for no setting; this host cannot tell whether it sent a request",
        );
    }
    Ok(format!(
        "{} {}, with {} operations, three times",
        run.description.name,
        run.description.version,
        run.description.operations.len()
    ))
}

pub(super) async fn is_complete(run: &mut Run) -> Checked {
    let description = &*run.description;
    let mut faults = Vec::new();
    let mut wrong = |is_wrong: bool, fault: String| {
        if is_wrong {
            faults.push(fault);
        }
    };
    let fits_a_file = |name: &str| {
        let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        !name.is_empty() && name.chars().all(fit)
    };
    wrong(
        !fits_a_file(&description.name),
        format!("the name {:?} does not fit file names", description.name),
    );
    wrong(description.title.is_empty(), "it has no title".to_string());
    wrong(
        description.summary.is_empty(),
        "it has no summary".to_string(),
    );
    let core = description
        .version
        .split(['-', '+'])
        .next()
        .unwrap_or_default();
    let numbers: Vec<_> = core.split('.').map(str::parse::<u64>).collect();
    wrong(
        numbers.len() != 3 || numbers.iter().any(Result::is_err),
        format!("the version {:?} is not semantic", description.version),
    );
    wrong(
        description.largest_page == 0,
        "its largest-page is 0".to_string(),
    );
    wrong(
        description.operations.is_empty(),
        "it declares no operation".to_string(),
    );

    twice(
        "setting",
        description.settings.iter().map(|setting| &setting.key),
        &mut wrong,
    );
    for setting in &description.settings {
        let key = &setting.key;
        wrong(
            setting.title.is_empty() || setting.description.is_empty(),
            format!("the setting {key} has no title or description"),
        );
        wrong(
            setting.required && setting.default.is_some(),
            format!("the setting {key} is required and has a default"),
        );
        wrong(
            setting.secret && setting.default.is_some(),
            format!("the setting {key} is secret and has a default"),
        );
    }
    twice(
        "kind",
        description.account_kinds.iter().map(|kind| &kind.kind),
        &mut wrong,
    );
    for kind in &description.account_kinds {
        wrong(
            kind.title.is_empty() || kind.description.is_empty(),
            format!("the kind {} has no title or description", kind.kind),
        );
        for fields in [&kind.create_fields, &kind.update_fields] {
            twice("field", fields.iter().map(|field| &field.name), &mut wrong);
            for field in fields {
                wrong(
                    is_impossible(field),
                    format!(
                        "the field {} of {} can have no value",
                        field.name, kind.kind
                    ),
                );
            }
        }
    }
    let names = description
        .operations
        .iter()
        .map(|operation| operation.operation.name());
    twice("operation", names, &mut wrong);
    for operation in &description.operations {
        operation_is_consistent(operation, &mut wrong);
    }
    let takes = |operation, fields: fn(&AccountKindDescription) -> bool| {
        run.operation(operation).is_some() && !description.account_kinds.iter().any(fields)
    };
    wrong(
        takes(Operation::CreateAccount, |kind| {
            !kind.create_fields.is_empty()
        }),
        "it declares create-account, and no kind with fields to create one".to_string(),
    );
    wrong(
        takes(Operation::UpdateAccount, |kind| {
            !kind.update_fields.is_empty()
        }),
        "it declares update-account, and no kind with fields to update".to_string(),
    );
    if !faults.is_empty() {
        return broken(faults.join("; "));
    }
    Ok(format!(
        "{} settings, {} kinds of account, {} operations",
        description.settings.len(),
        description.account_kinds.len(),
        description.operations.len()
    ))
}

/// Finds what is there more than once.
fn twice<T: Ord + Debug>(
    what: &str,
    names: impl Iterator<Item = T>,
    wrong: &mut impl FnMut(bool, String),
) {
    let mut met = BTreeSet::new();
    for name in names {
        let text = format!("the {what} {name:?} is there twice");
        wrong(!met.insert(name), text);
    }
}

fn is_impossible(field: &FieldDescription) -> bool {
    let no_choice = match &field.type_ {
        FieldType::Choice(values) | FieldType::Words(values) => values.is_empty(),
        _ => false,
    };
    no_choice || field.length.is_some_and(|(fewest, most)| fewest > most)
}

fn operation_is_consistent(operation: &OperationDescription, wrong: &mut impl FnMut(bool, String)) {
    let name = operation.operation.name();
    let lists = LISTINGS
        .iter()
        .any(|(_, listing, _)| *listing == operation.operation);
    wrong(
        operation.summary.is_empty(),
        format!("{name} has no summary"),
    );
    wrong(
        lists != operation.outcomes.is_empty(),
        format!("{name} has outcomes and is a listing, or has none and is a write"),
    );
    wrong(
        !lists && !operation.outcomes.contains(&Outcome::Changed),
        format!("{name} can never end in changed"),
    );
    wrong(
        !lists && operation.filters != FilterFields::empty(),
        format!("{name} is a write and has filters"),
    );
    wrong(
        operation.operation != Operation::ListAccounts
            && operation.details != AccountDetails::empty(),
        format!("{name} lists no accounts and has details of them"),
    );
}

pub(super) async fn undeclared_is_unsupported(run: &mut Run) -> Checked {
    let mut tried = Vec::new();
    let mut connector = run.fresh();
    for (kind, name, title) in LISTINGS {
        if run.operation(name).is_none() {
            let answer = connector.list(&ListRequest::everything(kind)).await;
            is_unsupported(&format!("listing {title}"), answer, name)?;
            tried.push(name.name());
        }
    }
    // Even where it is only planned, a write is left alone until writes are allowed.
    for write in invented_writes().into_iter().filter(|_| run.options.write) {
        let name = write.operation();
        if run.operation(name).is_none() {
            let answer = connector.write(&write, Mode::Plan).await;
            is_unsupported(&format!("planning {}", name.name()), answer, name)?;
            tried.push(name.name());
        }
    }
    if tried.is_empty() {
        return not_tried("everything that could be tried is declared");
    }
    Ok(format!("unsupported: {}", tried.join(", ")))
}

fn is_unsupported<T: Debug>(
    doing: &str,
    answer: Result<T, CallError>,
    operation: Operation,
) -> Result<(), Fault> {
    let wanted = format!("unsupported with {}", operation.name());
    expect_error(doing, answer, &wanted, |error| {
        *error == Error::Unsupported(operation)
    })
}

/// One write of each operation, about what is not there.
fn invented_writes() -> Vec<Write> {
    let account = || "no-such-account".to_string();
    let assignment = || Assignment {
        account: account(),
        role: "no-such-role".to_string(),
    };
    vec![
        Write::Grant(assignment()),
        Write::Revoke(assignment()),
        Write::Provision(ProvisionRequest::Create(super::writing::blank(
            "no-such-kind",
        ))),
        Write::Provision(ProvisionRequest::Update(AccountUpdate {
            account: account(),
            fields: Vec::new(),
        })),
        Write::Provision(ProvisionRequest::Enable(account())),
        Write::Provision(ProvisionRequest::Disable(account())),
        Write::Provision(ProvisionRequest::Delete(AccountDeletion {
            account: account(),
            allow_administrator: false,
        })),
    ]
}

pub(super) async fn undeclared_filters_are_refused(run: &mut Run) -> Checked {
    let kind_of_account = run
        .description
        .account_kinds
        .first()
        .map_or("any", |kind| &*kind.kind);
    let kind_of_account = kind_of_account.to_string();
    let mut connector = run.fresh();
    let mut tried = 0;
    for (kind, operation, title) in run.listings() {
        let requests = [
            (
                FilterFields::ID,
                "id",
                filtered(kind, |filter| filter.id = Some("1".to_string())),
            ),
            (
                FilterFields::EMAIL,
                "email",
                filtered(kind, |filter| {
                    filter.email = Some("a@example.com".to_string())
                }),
            ),
            (
                FilterFields::ACCOUNT_KIND,
                "account-kind",
                filtered(kind, |filter| {
                    filter.account_kind = Some(kind_of_account.clone())
                }),
            ),
            (
                FilterFields::ACCOUNT,
                "account",
                filtered(kind, |filter| filter.account = Some("1".to_string())),
            ),
            (
                FilterFields::ROLE,
                "role",
                filtered(kind, |filter| filter.role = Some("1".to_string())),
            ),
            (
                FilterFields::SINCE,
                "since",
                filtered(kind, |filter| filter.since = Some(0)),
            ),
        ];
        for (field, name, request) in requests {
            if operation.filters.contains(field) {
                continue;
            }
            let answer = connector.list(&request).await;
            expect_error(
                &format!("listing {title} by {name}"),
                answer,
                &format!("invalid-argument with {name}"),
                |error| matches!(error, Error::InvalidArgument(problems) if is_among(name, problems)),
            )?;
            tried += 1;
        }
    }
    if tried == 0 {
        return not_tried("every filter is declared");
    }
    Ok(format!("{tried} filters, each refused by its name"))
}
