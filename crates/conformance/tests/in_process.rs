//! A connector in the same process, without component and engine, is judged like any other; and where its host cannot know
//! something, nothing is said to have held that depends on it.

use std::hash::{DefaultHasher, Hash, Hasher};

use connector_conformance::{
    self as conformance, Access, BoxFuture, CHECKS, CallError, Gate, Instance, Options, Report,
    Subject, Verdict,
};
use connector_contract::{
    Account, AccountDetails, AccountKindDescription, Assignment, Change, CheckReport, Continuation,
    Counts, Description, Error, ErrorKind, Failure, FieldProblem, FieldType, Filter, FilterFields,
    Grant, Item, ListRequest, Mode, Operation, OperationCheck, OperationDescription, Page,
    Permission, ProvisionRequest, ResourceKinds, Role, SettingDescription, Summary,
};

/// Who holds which role.
const HOLDERS: [(&str, &[&str]); 2] = [("auditor", &["ada"]), ("operator", &["ada", "grace"])];
const PEOPLE: [&str; 3] = ["ada", "grace", "mary"];
const LARGEST_PAGE: usize = 2;
const SETTING: &str = "key-of-the-directory";

/// A directory that only exists in memory, and what its host does of its own.
#[derive(Clone, Copy, Default)]
struct Directory {
    /// Whether its connector passes over an item each time that a listing goes on.
    loses_items: bool,
    /// Whether the host can tell what it sees beside the answers.
    tells: bool,
}

impl Subject for Directory {
    fn open(&self, gate: Gate) -> Box<dyn Instance> {
        let directory = *self;
        Box::new(Connector { directory, gate })
    }

    fn setting<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<String>> {
        let value = (key == SETTING).then(|| "an-open-secret".to_string());
        Box::pin(std::future::ready(value))
    }

    fn requests(&self) -> Option<usize> {
        // It never sends one.
        self.tells.then_some(0)
    }
}

struct Connector {
    directory: Directory,
    gate: Gate,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, CallError>>;

fn answer<'a, T: Send + 'a>(answer: Result<T, Error>) -> Answer<'a, T> {
    Box::pin(std::future::ready(answer.map_err(|error| {
        CallError::Failure(Box::new(Failure {
            message: format!("it is {}", error.name()),
            error,
            exchange: None,
        }))
    })))
}

impl Instance for Connector {
    fn describe(&mut self) -> Answer<'_, Description> {
        answer(Ok(description()))
    }

    fn check(&mut self) -> Answer<'_, CheckReport> {
        answer(self.signed_in().map(|()| {
            CheckReport {
                healthy: true,
                endpoint: "memory".to_string(),
                granted_scopes: None,
                probes: Vec::new(),
                operations: operations()
                    .map(|operation| OperationCheck {
                        operation,
                        permission: Permission::Allowed,
                    })
                    .collect(),
                advice: Vec::new(),
            }
        }))
    }

    fn list<'a>(&'a mut self, request: &'a ListRequest) -> Answer<'a, Page> {
        answer(self.page(request))
    }

    fn grant<'a>(&'a mut self, _: &'a Assignment, _: Mode) -> Answer<'a, Change> {
        answer(Err(Error::Unsupported(Operation::Grant)))
    }

    fn revoke<'a>(&'a mut self, _: &'a Assignment, _: Mode) -> Answer<'a, Change> {
        answer(Err(Error::Unsupported(Operation::Revoke)))
    }

    fn provision<'a>(&'a mut self, request: &'a ProvisionRequest, _: Mode) -> Answer<'a, Change> {
        answer(Err(Error::Unsupported(match request {
            ProvisionRequest::Create(_) => Operation::CreateAccount,
            ProvisionRequest::Update(_) => Operation::UpdateAccount,
            ProvisionRequest::Enable(_) => Operation::EnableAccount,
            ProvisionRequest::Disable(_) => Operation::DisableAccount,
            ProvisionRequest::Delete(_) => Operation::DeleteAccount,
        })))
    }

    fn has_told_secret(&self) -> Option<bool> {
        self.directory.tells.then_some(false)
    }
}

impl Connector {
    fn signed_in(&self) -> Result<(), Error> {
        match (self.gate)(SETTING) {
            Access::AsSet => Ok(()),
            Access::NotSet | Access::Denied => Err(Error::InvalidSettings(vec![problem(SETTING)])),
        }
    }

    fn page(&self, request: &ListRequest) -> Result<Page, Error> {
        self.signed_in()?;
        if request.kinds.contains(ResourceKinds::ORGANIZATIONS) {
            return Err(Error::Unsupported(Operation::ListOrganizations));
        }
        if request.kinds.contains(ResourceKinds::EVENTS) {
            return Err(Error::Unsupported(Operation::ListEvents));
        }
        refuse_undeclared(request)?;
        let all = items(request);
        let start = match &request.cursor {
            None => 0,
            Some(given) => (0..all.len())
                .find(|place| cursor(request, *place) == *given)
                .ok_or(Error::InvalidCursor)?,
        };
        let most = match request.limit {
            None | Some(0) => LARGEST_PAGE,
            Some(limit) => LARGEST_PAGE.min(limit as usize),
        };
        let end = all.len().min(start + most);
        let lost = usize::from(self.directory.loses_items && start > 0);
        let next = if end < all.len() {
            Continuation::More(cursor(request, end))
        } else {
            let mut counts = Counts::default();
            all.iter().for_each(|item| counts.count(item));
            Continuation::Complete(Summary {
                counts,
                resume: None,
            })
        };
        Ok(Page {
            items: all[start + lost..end].to_vec(),
            notices: Vec::new(),
            next,
        })
    }
}

/// Where a listing goes on: by a digest, so that none fits another request.
fn cursor(request: &ListRequest, place: usize) -> String {
    let ListRequest { kinds, filter, .. } = request;
    let mut digest = DefaultHasher::new();
    format!("{:?} {filter:?} {place}", kinds.names()).hash(&mut digest);
    format!("{:016x}", digest.finish())
}

fn items(request: &ListRequest) -> Vec<Item> {
    let ListRequest { kinds, filter, .. } = request;
    let mut items = Vec::new();
    if kinds.contains(ResourceKinds::ACCOUNTS) {
        let named = |id: &&str| filter.id.as_deref().is_none_or(|wanted| wanted == *id);
        items.extend(PEOPLE.into_iter().filter(named).map(account));
    }
    for (role, holders) in HOLDERS {
        if kinds.contains(ResourceKinds::GRANTS) {
            let named = |id: &&&str| {
                filter
                    .account
                    .as_deref()
                    .is_none_or(|wanted| wanted == **id)
            };
            items.extend(holders.iter().filter(named).map(|account| {
                Item::Grant(Grant {
                    account: account.to_string(),
                    role: role.to_string(),
                    source: None,
                    attributes: Vec::new(),
                })
            }));
        }
        if kinds.contains(ResourceKinds::ROLES) {
            items.push(Item::Role(Role {
                id: role.to_string(),
                ..Role::default()
            }));
        }
    }
    items
}

fn account(id: &str) -> Item {
    Item::Account(Account {
        id: id.to_string(),
        kind: Some("person".to_string()),
        ..Account::default()
    })
}

/// Refuses a filter that does not apply to each kind that is asked for.
fn refuse_undeclared(request: &ListRequest) -> Result<(), Error> {
    let Filter {
        id,
        email,
        account_kind,
        account,
        role,
        since,
    } = &request.filter;
    let only = |kind| request.kinds == kind;
    let wrong: Vec<_> = [
        ("id", id.is_some() && !only(ResourceKinds::ACCOUNTS)),
        ("account", account.is_some() && !only(ResourceKinds::GRANTS)),
        ("email", email.is_some()),
        ("account-kind", account_kind.is_some()),
        ("role", role.is_some()),
        ("since", since.is_some()),
    ]
    .into_iter()
    .filter(|(_, is_wrong)| *is_wrong)
    .map(|(name, _)| problem(name))
    .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Error::InvalidArgument(wrong))
}

fn problem(field: &str) -> FieldProblem {
    FieldProblem {
        field: field.to_string(),
        problem: "it is missing, or does not apply".to_string(),
        mend: "give it where it is wanted".to_string(),
    }
}

fn operations() -> impl Iterator<Item = Operation> {
    [
        Operation::ListAccounts,
        Operation::ListRoles,
        Operation::ListGrants,
    ]
    .into_iter()
}

fn description() -> Description {
    let described = |operation| OperationDescription {
        operation,
        summary: "Lists what the directory has.".to_string(),
        requests: Vec::new(),
        scopes: Vec::new(),
        filters: match operation {
            Operation::ListAccounts => FilterFields::ID,
            Operation::ListGrants => FilterFields::ACCOUNT,
            _ => FilterFields::empty(),
        },
        details: AccountDetails::empty(),
        outcomes: Vec::new(),
        errors: vec![ErrorKind::InvalidArgument, ErrorKind::InvalidCursor],
    };
    Description {
        name: "directory".to_string(),
        title: "A directory in memory".to_string(),
        version: "1.0.0".to_string(),
        summary: "Three people and two roles.".to_string(),
        settings: vec![SettingDescription {
            key: SETTING.to_string(),
            title: "Key".to_string(),
            description: "Opens the directory.".to_string(),
            type_: FieldType::Text,
            required: true,
            secret: true,
            default: None,
            example: None,
        }],
        account_kinds: vec![AccountKindDescription {
            kind: "person".to_string(),
            title: "Person".to_string(),
            description: "People.".to_string(),
            create_fields: Vec::new(),
            update_fields: Vec::new(),
        }],
        operations: operations().map(described).collect(),
        common_errors: vec![ErrorKind::InvalidSettings],
        largest_page: u32::try_from(LARGEST_PAGE).expect("it is small"),
    }
}

async fn judge(directory: Directory) -> Report {
    conformance::run(directory, Options { write: true }).await
}

fn verdict(report: &Report, name: &str) -> Verdict {
    let found = report.findings.iter().find(|finding| finding.name == name);
    found.expect("there is such a check").verdict
}

const HONEST: Directory = Directory {
    loses_items: false,
    tells: true,
};

#[tokio::test]
async fn a_connector_in_the_same_process_keeps_the_promises_that_apply_to_it() {
    let report = judge(HONEST).await;
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}");
    for check in CHECKS.iter().filter(|check| !check.writes) {
        let expected = match check.name {
            // It declares no details and no events, writes nothing, and has no memory of its own.
            "details-can-be-asked-for"
            | "events-resume"
            | "outcomes-are-declared"
            | "limits-are-kept" => Verdict::NotTried,
            _ => Verdict::Held,
        };
        assert_eq!(verdict(&report, check.name), expected, "{}", check.name);
    }
}

#[tokio::test]
async fn a_connector_in_the_same_process_is_found_to_lose_items() {
    let report = judge(Directory {
        loses_items: true,
        ..HONEST
    })
    .await;
    for name in ["pages-add-up", "cursors-continue"] {
        assert_eq!(verdict(&report, name), Verdict::Broken, "{name}");
    }
}

#[tokio::test]
async fn what_the_host_cannot_know_is_not_tried_and_all_else_is() {
    let told = judge(HONEST).await;
    let untold = judge(Directory {
        tells: false,
        ..HONEST
    })
    .await;
    for (before, after) in told.findings.iter().zip(&untold.findings) {
        let expected = match before.name {
            "describe-needs-nothing" | "missing-settings-are-named" | "secrets-are-kept" => {
                assert_eq!(before.verdict, Verdict::Held, "{before:?}");
                Verdict::NotTried
            }
            _ => before.verdict,
        };
        assert_eq!(after.verdict, expected, "{after:?}");
    }
}
