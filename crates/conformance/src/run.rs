//! What the checks share: fresh instances, a record of every call, and what was found out so far.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{self, Duration};

use super::{Access, CallError, Gate, Instance, Options, Subject};
use connector_contract::{
    AccountDetails, Assignment, Change, CheckReport, Continuation, Counts, Description, Error,
    ErrorKind, FieldProblem, Filter, Item, ListRequest, Mode, NewAccount, Operation,
    OperationDescription, Outcome, Page, ProvisionRequest, ResourceKinds, Summary,
};

/// What a check says: what was done and what came back, or a fault.
pub(super) type Checked = Result<String, Fault>;

/// Why a check cannot say that a promise was kept.
#[derive(Debug)]
pub(super) enum Fault {
    /// It was not, and this is what came back.
    Broken(String),
    /// It could not be tried, for this reason.
    NotTried(String),
}

/// A call that should have succeeded did not.
impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Fault::Broken(told(&error))
    }
}

/// That a promise was broken, and how.
pub(super) fn broken<T>(how: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Broken(how.into()))
}

/// That a promise could not be tried, and why.
pub(super) fn not_tried<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::NotTried(why.into()))
}

/// An error on one line.
pub(super) fn told(error: &CallError) -> String {
    match error {
        CallError::Failure(failure) => format!("{} ({})", failure.error.name(), failure.message),
        CallError::BrokeOff(reason) => reason.clone(),
    }
}

/// An answer in a few words, for a finding.
pub(super) fn outcome_told(answer: &Result<Change, CallError>) -> String {
    match answer {
        Ok(change) => match change.outcome.reason() {
            Some(reason) => format!("{}: {reason}", change.outcome.name()),
            None => change.outcome.name().to_string(),
        },
        Err(error) => told(error),
    }
}

/// The listings that there are.
pub(super) const LISTINGS: [(ResourceKinds, Operation, &str); 5] = [
    (ResourceKinds::ACCOUNTS, Operation::ListAccounts, "accounts"),
    (ResourceKinds::ROLES, Operation::ListRoles, "roles"),
    (ResourceKinds::GRANTS, Operation::ListGrants, "grants"),
    (
        ResourceKinds::ORGANIZATIONS,
        Operation::ListOrganizations,
        "organizations",
    ),
    (ResourceKinds::EVENTS, Operation::ListEvents, "events"),
];

/// One run of all checks.
pub(super) struct Run {
    subject: Box<dyn Subject>,
    pub options: Options,
    /// What the connector says of itself.
    pub description: Arc<Description>,
    /// One instance for everything that writes, and for looking at what came of it: what lives in the memory of an instance is a
    /// connected system too.
    pub writer: Caller,
    /// The accounts that were made here.
    pub own: Vec<Own>,
    /// Those that were made here and removed again.
    pub gone: Vec<Own>,
    pub ledger: Arc<Mutex<Ledger>>,
    /// What was listed whole, before anything was written.
    listed: BTreeMap<u32, Arc<Vec<Item>>>,
}

/// An account that was made here.
#[derive(Clone)]
pub(super) struct Own {
    pub id: String,
    pub account: NewAccount,
}

impl Run {
    pub fn new(subject: Box<dyn Subject>, options: Options) -> Self {
        let ledger = Arc::<Mutex<Ledger>>::default();
        Run {
            writer: Caller {
                instance: subject.open(open_gate()),
                ledger: ledger.clone(),
            },
            description: Arc::new(nothing_described()),
            own: Vec::new(),
            gone: Vec::new(),
            listed: BTreeMap::new(),
            subject,
            options,
            ledger,
        }
    }

    /// Has the connector describe itself, and learns what is secret.
    pub async fn begin(&mut self) -> Result<(), Fault> {
        let description = self.fresh().describe().await?;
        let mut secrets = Vec::new();
        for setting in description.settings.iter().filter(|setting| setting.secret) {
            secrets.extend(self.subject.setting(&setting.key).await);
        }
        lock(&self.ledger).secrets = secrets;
        self.description = Arc::new(description);
        Ok(())
    }

    /// A fresh instance for the tenant.
    pub fn fresh(&self) -> Caller {
        self.fresh_behind(open_gate())
    }

    /// A fresh instance with the settings that this gate lets through.
    pub fn fresh_behind(&self, gate: Gate) -> Caller {
        Caller {
            instance: self.subject.open(gate),
            ledger: self.ledger.clone(),
        }
    }

    /// How many requests were sent so far, where the host can tell.
    pub fn requests(&self) -> Option<usize> {
        self.subject.requests()
    }

    /// How many requests were sent since there were so many, where the host can tell.
    pub fn sent_since(&self, before: Option<usize>) -> Option<usize> {
        Some(self.requests()?.saturating_sub(before?))
    }

    /// The operation, if it is declared.
    pub fn operation(&self, name: Operation) -> Option<&OperationDescription> {
        let mut operations = self.description.operations.iter();
        operations.find(|operation| operation.operation == name)
    }

    /// Fails as not tried where an operation is not declared.
    pub fn needs(&self, name: Operation) -> Result<(), Fault> {
        match self.operation(name) {
            Some(_) => Ok(()),
            None => not_tried(format!("{} is not declared", name.name())),
        }
    }

    /// The listings that are declared, each with its kind and its name.
    pub fn listings(&self) -> Vec<(ResourceKinds, OperationDescription, &'static str)> {
        let listings = LISTINGS.into_iter();
        listings
            .filter_map(|(kind, name, title)| Some((kind, self.operation(name)?.clone(), title)))
            .collect()
    }

    /// Everything of these kinds, as it was before anything was written.
    pub async fn all(&mut self, kinds: ResourceKinds) -> Result<Arc<Vec<Item>>, Fault> {
        let bits = LISTINGS.iter().enumerate();
        let key = bits.fold(0, |key, (bit, (kind, ..))| {
            key | (u32::from(kinds.contains(*kind)) << bit)
        });
        if let Some(listed) = self.listed.get(&key) {
            return Ok(listed.clone());
        }
        let request = ListRequest::everything(kinds);
        let listed = self.fresh().pages(request, usize::MAX).await?.items;
        let listed = Arc::new(listed);
        self.listed.insert(key, listed.clone());
        Ok(listed)
    }
}

/// Lets every setting through.
fn open_gate() -> Gate {
    Arc::new(|_| Access::AsSet)
}

fn nothing_described() -> Description {
    Description {
        name: String::new(),
        title: String::new(),
        version: String::new(),
        summary: String::new(),
        settings: Vec::new(),
        account_kinds: Vec::new(),
        operations: Vec::new(),
        common_errors: Vec::new(),
        largest_page: 0,
    }
}

/// A write of any sort.
#[derive(Clone, Debug)]
pub(super) enum Write {
    Grant(Assignment),
    Revoke(Assignment),
    Provision(ProvisionRequest),
}

impl Write {
    pub fn operation(&self) -> Operation {
        match self {
            Write::Grant(_) => Operation::Grant,
            Write::Revoke(_) => Operation::Revoke,
            Write::Provision(ProvisionRequest::Create(_)) => Operation::CreateAccount,
            Write::Provision(ProvisionRequest::Update(_)) => Operation::UpdateAccount,
            Write::Provision(ProvisionRequest::Enable(_)) => Operation::EnableAccount,
            Write::Provision(ProvisionRequest::Disable(_)) => Operation::DisableAccount,
            Write::Provision(ProvisionRequest::Delete(_)) => Operation::DeleteAccount,
        }
    }
}

/// An instance, with a record of what is asked of it.
pub(super) struct Caller {
    instance: Box<dyn Instance>,
    ledger: Arc<Mutex<Ledger>>,
}

impl Caller {
    pub async fn describe(&mut self) -> Result<Description, CallError> {
        let start = time::Instant::now();
        let answer = self.instance.describe().await;
        self.record("describe".to_string(), Vec::new(), None, start, &answer);
        answer
    }

    pub async fn check(&mut self) -> Result<CheckReport, CallError> {
        let start = time::Instant::now();
        let answer = self.instance.check().await;
        self.record("check".to_string(), Vec::new(), None, start, &answer);
        answer
    }

    pub async fn list(&mut self, request: &ListRequest) -> Result<Page, CallError> {
        let asked = LISTINGS
            .iter()
            .filter(|(kind, ..)| request.kinds.contains(*kind));
        let mut what = "list".to_string();
        let mut operations = Vec::new();
        for (_, operation, title) in asked {
            // Writing to a string cannot fail.
            let _ = write!(what, " {title}");
            operations.push(*operation);
        }
        let start = time::Instant::now();
        let answer = self.instance.list(request).await;
        self.record(what, operations, None, start, &answer);
        answer
    }

    pub async fn write(&mut self, write: &Write, mode: Mode) -> Result<Change, CallError> {
        let start = time::Instant::now();
        let answer = match write {
            Write::Grant(assignment) => self.instance.grant(assignment, mode).await,
            Write::Revoke(assignment) => self.instance.revoke(assignment, mode).await,
            Write::Provision(request) => self.instance.provision(request, mode).await,
        };
        let operation = write.operation();
        let what = format!("{} ({})", operation.name(), mode.name());
        self.record(what, vec![operation], Some(mode), start, &answer);
        let mut ledger = lock(&self.ledger);
        if let (Ok(change), Some(call)) = (&answer, ledger.calls.last_mut()) {
            call.outcome = Some(change.outcome);
        }
        drop(ledger);
        answer
    }

    /// Lists page by page, to the end or for so many pages, and holds each page to its limit and the summary to the pages.
    pub async fn pages(&mut self, mut request: ListRequest, most: usize) -> Result<Listed, Fault> {
        let from_the_start = request.cursor.is_none();
        let mut listed = Listed::default();
        let mut received = Counts::default();
        while listed.pages.len() < most {
            let page = self.list(&request).await?;
            if let Some(limit) = request.limit.filter(|limit| *limit > 0)
                && page.items.len() > limit as usize
            {
                return broken(format!(
                    "a page of {} items, asked for at most {limit}",
                    page.items.len()
                ));
            }
            page.items.iter().for_each(|item| received.count(item));
            listed.pages.push(page.items.len());
            let got_on = !page.items.is_empty();
            listed.items.extend(page.items);
            match page.next {
                Continuation::More(cursor) => {
                    if !got_on && request.cursor.as_ref() == Some(&cursor) {
                        return broken(
                            "an empty page, and the same cursor again: it does not get on",
                        );
                    }
                    request.cursor = Some(cursor);
                }
                Continuation::Complete(summary) => {
                    if from_the_start && summary.counts != received {
                        return broken(format!(
                            "the summary says {}, and the pages had {received}",
                            summary.counts
                        ));
                    }
                    listed.summary = Some(summary);
                    break;
                }
            }
        }
        Ok(listed)
    }

    fn record<T: Debug>(
        &mut self,
        what: String,
        operations: Vec<Operation>,
        mode: Option<Mode>,
        start: time::Instant,
        answer: &Result<T, CallError>,
    ) {
        let took = start.elapsed();
        let memory = self.instance.memory();
        let text = format!("{answer:?}");
        let mut ledger = lock(&self.ledger);
        let shows_secret = ledger.findable_secrets().any(|secret| {
            let escaped = format!("{secret:?}");
            text.contains(secret) || text.contains(escaped.trim_matches('"'))
        });
        // Where the host takes them out of answers, it is the one that has seen them.
        let told = self.instance.has_told_secret();
        let shows_secret = if shows_secret { Some(true) } else { told };
        ledger.calls.push(Call {
            what,
            operations,
            mode,
            took,
            memory,
            shows_secret,
            outcome: None,
            failed: answer.as_ref().err().map(Failed::new),
        });
    }
}

/// What was listed.
#[derive(Default)]
pub(super) struct Listed {
    pub items: Vec<Item>,
    /// How many items each page had.
    pub pages: Vec<usize>,
    /// There where it was listed to the end.
    pub summary: Option<Summary>,
}

/// Every call that was made, and what to look for in the answers.
#[derive(Default)]
pub(super) struct Ledger {
    pub calls: Vec<Call>,
    pub secrets: Vec<String>,
}

impl Ledger {
    /// The secrets that do not turn up by chance.
    pub fn findable_secrets(&self) -> impl Iterator<Item = &String> {
        self.secrets.iter().filter(|secret| secret.len() >= 8)
    }
}

/// A call that was made.
pub(super) struct Call {
    pub what: String,
    pub operations: Vec<Operation>,
    pub mode: Option<Mode>,
    pub took: Duration,
    /// The memory of the instance afterwards; `None` where the call broke it off, or the host cannot tell.
    pub memory: Option<usize>,
    /// Whether there was a secret in the answer; `None` where nobody can tell.
    pub shows_secret: Option<bool>,
    pub outcome: Option<Outcome>,
    pub failed: Option<Failed>,
}

/// How a call failed.
pub(super) struct Failed {
    /// The kind, where it is a failure of the contract.
    pub kind: Option<ErrorKind>,
    pub message: String,
}

impl Failed {
    fn new(error: &CallError) -> Self {
        match error {
            CallError::Failure(failure) => Failed {
                kind: Some(failure.error.kind()),
                message: failure.message.clone(),
            },
            CallError::BrokeOff(reason) => Failed {
                kind: None,
                message: reason.clone(),
            },
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds an answer to be a failure of the contract that is as it should be.
pub(super) fn expect_error<T: Debug>(
    doing: &str,
    answer: Result<T, CallError>,
    wanted: &str,
    is_wanted: impl Fn(&Error) -> bool,
) -> Result<(), Fault> {
    match answer {
        Err(CallError::Failure(failure)) if is_wanted(&failure.error) => Ok(()),
        Err(error) => broken(format!(
            "{doing}: expected {wanted}, and got {}",
            told(&error)
        )),
        Ok(_) => broken(format!("{doing}: expected {wanted}, and it succeeded")),
    }
}

/// Whether one of these problems is about an argument: by its name, or by its name after that of what it belongs to, as in
/// `filter.email`.
pub(super) fn is_among(name: &str, problems: &[FieldProblem]) -> bool {
    problems.iter().any(|problem| {
        let own = problem.field.rsplit_once('.').map(|(_, own)| own);
        problem.field == name || own == Some(name)
    })
}

/// A request with a filter of one field.
pub(super) fn filtered(kinds: ResourceKinds, set: impl FnOnce(&mut Filter)) -> ListRequest {
    let mut request = ListRequest::everything(kinds);
    set(&mut request.filter);
    request
}

/// A request for details.
pub(super) fn detailed(details: AccountDetails) -> ListRequest {
    ListRequest {
        details,
        ..ListRequest::everything(ResourceKinds::ACCOUNTS)
    }
}

/// What identifies an item, and what kind it is of.
pub(super) fn name(item: &Item) -> String {
    match item {
        Item::Account(account) => format!("account {}", account.id),
        Item::Role(role) => format!("role {}", role.id),
        Item::Grant(grant) => format!("grant {} {}", grant.account, grant.role),
        Item::Organization(organization) => format!("organization {}", organization.id),
        Item::Event(event) => format!("event {}", event.id),
    }
}

/// The names of items, in order.
pub(super) fn names(items: &[Item]) -> Vec<String> {
    items.iter().map(name).collect()
}
