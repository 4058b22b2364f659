//! A connector between a fake tenant and a fake host, and short ways to call it.

pub mod host;
pub mod tenant;

use std::fmt::Debug;
use std::rc::Rc;

use ninjaone_connector::Connector;
use ninjaone_connector::contract::{
    AccountDeletion, AccountUpdate, Assignment, Change, CheckReport, Continuation, Error,
    ErrorKind, Failure, FieldUpdate, Item, ListRequest, Mode, NewAccount, Operation, Outcome, Page,
    ProvisionRequest, ResourceKinds, StepStatus, Summary, UnchangedReason, Value,
};
use ninjaone_connector::describe;

use self::host::{Clock, FakeHost, SECRET};
use self::tenant::{State, Tenant, Unknowns};

/// One instance of the connector and its outside.
pub struct World {
    pub tenant: Tenant,
    pub host: FakeHost,
    connector: Connector,
}

impl World {
    /// A connector whose settings are right, for the tenant of [`Tenant::new`].
    pub fn new() -> Self {
        let host = FakeHost::new();
        let tenant = Tenant::new(host.clock());
        Self::of(tenant, host)
    }

    /// A tenant that differs in what nobody knows.
    pub fn with(unknowns: Unknowns) -> Self {
        let world = World::new();
        world.tenant.change().unknowns = unknowns;
        world
    }

    /// A tenant that was changed first.
    pub fn changed(change: impl FnOnce(&mut State)) -> Self {
        let world = World::new();
        change(&mut world.tenant.change());
        world
    }

    /// A fresh instance, with the same outside.
    pub fn fresh_instance(&self) -> Self {
        Self::of(self.tenant.clone(), self.host.clone())
    }

    fn of(tenant: Tenant, host: FakeHost) -> Self {
        let connector = Connector::new(Box::new(tenant.clone()), Box::new(host.clone()));
        World {
            tenant,
            host,
            connector,
        }
    }

    pub fn clock(&self) -> &Rc<Clock> {
        self.host.clock()
    }

    pub fn check(&self) -> Result<CheckReport, Failure> {
        let report = self.connector.check();
        self.assert_no_secret(&report);
        report
    }

    pub fn list(&self, request: &ListRequest) -> Result<Page, Failure> {
        let kinds = [
            (ResourceKinds::ACCOUNTS, Operation::ListAccounts),
            (ResourceKinds::ROLES, Operation::ListRoles),
            (ResourceKinds::GRANTS, Operation::ListGrants),
            (ResourceKinds::ORGANIZATIONS, Operation::ListOrganizations),
            (ResourceKinds::EVENTS, Operation::ListEvents),
        ];
        let asked = kinds
            .iter()
            .filter(|(kind, _)| request.kinds.contains(*kind));
        let operations: Vec<_> = asked.map(|(_, operation)| *operation).collect();
        self.watched(&operations, |connector| connector.list(request))
    }

    pub fn grant(&self, account: &str, role: &str, mode: Mode) -> Result<Change, Failure> {
        let assignment = assignment(account, role);
        let change = self.watched(&[Operation::Grant], |c| c.grant(&assignment, mode));
        assert_outcomes_described(Operation::Grant, mode, &change);
        change
    }

    pub fn revoke(&self, account: &str, role: &str, mode: Mode) -> Result<Change, Failure> {
        let assignment = assignment(account, role);
        let change = self.watched(&[Operation::Revoke], |c| c.revoke(&assignment, mode));
        assert_outcomes_described(Operation::Revoke, mode, &change);
        change
    }

    pub fn create(&self, account: &NewAccount, mode: Mode) -> Result<Change, Failure> {
        let request = ProvisionRequest::Create(account.clone());
        self.provision(Operation::CreateAccount, request, mode)
    }

    pub fn update(
        &self,
        account: &str,
        fields: &[(&str, FieldUpdate)],
        mode: Mode,
    ) -> Result<Change, Failure> {
        let fields = fields.iter();
        let request = ProvisionRequest::Update(AccountUpdate {
            account: account.to_string(),
            fields: fields
                .map(|(name, update)| ((*name).to_string(), update.clone()))
                .collect(),
        });
        self.provision(Operation::UpdateAccount, request, mode)
    }

    pub fn delete(&self, account: &str, mode: Mode) -> Result<Change, Failure> {
        self.delete_even(false, account, mode)
    }

    pub fn delete_even(
        &self,
        administrator: bool,
        account: &str,
        mode: Mode,
    ) -> Result<Change, Failure> {
        let request = ProvisionRequest::Delete(AccountDeletion {
            account: account.to_string(),
            allow_administrator: administrator,
        });
        self.provision(Operation::DeleteAccount, request, mode)
    }

    pub fn provision(
        &self,
        operation: Operation,
        request: ProvisionRequest,
        mode: Mode,
    ) -> Result<Change, Failure> {
        let change = self.watched(&[operation], |c| c.provision(request, mode));
        assert_outcomes_described(operation, mode, &change);
        change
    }

    /// Calls the connector, and holds it to what it says of itself.
    fn watched<T: Debug>(
        &self,
        operations: &[Operation],
        call: impl FnOnce(&Connector) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let before = self.tenant.sent().len();
        let result = call(&self.connector);
        self.assert_no_secret(&result);
        let described: Vec<_> = operations
            .iter()
            .filter_map(|name| describe::operation(*name))
            .collect();
        for sent in &self.tenant.sent()[before..] {
            let request = template(&sent.request());
            assert!(
                described
                    .iter()
                    .flat_map(|own| own.requests)
                    .any(|own| own.endpoint.to_string() == request),
                "{operations:?} sends {request}, which describe does not tell"
            );
        }
        if let Err(failure) = &result {
            let kind = ninjaone_connector::error::kind(&failure.error);
            assert!(
                kind == ErrorKind::Unsupported
                    || describe::COMMON_ERRORS.contains(&kind)
                    || described.is_empty()
                    || described.iter().any(|own| own.errors.contains(&kind)),
                "{operations:?} fails with {kind:?}, which describe does not tell: {failure:?}"
            );
        }
        result
    }

    /// Nothing that leaves the connector carries the secret or a token.
    fn assert_no_secret(&self, result: &impl Debug) {
        let mut shown = self.host.log();
        shown.push(format!("{result:?}"));
        shown.extend(self.tenant.sent().iter().map(|sent| sent.url.clone()));
        for text in shown {
            let plain = decoded(&text);
            for secret in [SECRET, "S3-cr_e.t", "/=&% ~", "token-"] {
                assert!(!text.contains(secret), "{secret:?} in {text}");
                assert!(!plain.contains(secret), "{secret:?} in {plain}");
            }
        }
    }
}

/// A text with all escapes undone that servers use, whichever they are and however deep.
fn decoded(text: &str) -> String {
    let mut text = text.to_string();
    for _ in 0..4 {
        text = undone(&text, "%", 2, "");
        text = undone(&text, "\\u", 4, "");
        text = undone(&text, "&#x", 2, ";");
        text = text.replace("&#43;", "+").replace("&amp;", "&");
        text = text.replace('\\', "");
    }
    text
}

/// A text with this escape undone, which has so many hexadecimal digits.
fn undone(text: &str, escape: &str, digits: usize, end: &str) -> String {
    let mut pieces = text.split(escape);
    let mut plain = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let number = piece
            .get(..digits)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match number.and_then(char::from_u32) {
            Some(letter) => {
                plain.push(letter);
                let rest = &piece[digits..];
                plain.push_str(rest.strip_prefix(end).unwrap_or(rest));
            }
            None => plain.extend([escape, piece]),
        }
    }
    plain
}

fn assert_outcomes_described(operation: Operation, mode: Mode, change: &Result<Change, Failure>) {
    let (Some(own), Ok(change)) = (describe::operation(operation), change) else {
        return;
    };
    match mode {
        Mode::Apply => assert!(own.outcomes.contains(&change.outcome), "{change:?}"),
        Mode::Plan => assert!(
            !matches!(change.outcome, Outcome::Changed | Outcome::Partial),
            "{change:?}"
        ),
    }
}

/// A request with its identifiers taken out, as `describe` names it.
pub fn template(request: &str) -> String {
    let is_id = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = request
        .split('/')
        .map(|part| if is_id(part) { "{id}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

pub fn assignment(account: &str, role: &str) -> Assignment {
    Assignment {
        account: account.to_string(),
        role: role.to_string(),
    }
}

/// A request for these kinds, without filter, cursor or limit.
pub fn list_of(kinds: ResourceKinds) -> ListRequest {
    ListRequest::everything(kinds)
}

/// Everything that is listed, page by page in one instance, and what the listing says of itself.
pub fn list_all(world: &World, request: &ListRequest) -> (Vec<Page>, Summary) {
    let mut request = request.clone();
    let mut pages = Vec::new();
    loop {
        let page = world.list(&request).expect("a page");
        pages.push(page.clone());
        assert!(pages.len() < 1_000, "the listing does not end");
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(summary) => return (pages, summary),
        }
    }
}

/// Each item in a word: `account 1`, `role 21`, `grant 1 21`, `organization 100`.
pub fn names(items: &[Item]) -> Vec<String> {
    let name = |item: &Item| match item {
        Item::Account(account) => format!("account {}", account.id),
        Item::Role(role) => format!("role {}", role.id),
        Item::Grant(grant) => format!("grant {} {}", grant.account, grant.role),
        Item::Organization(organization) => format!("organization {}", organization.id),
        Item::Event(event) => format!("event {}", event.id),
    };
    items.iter().map(name).collect()
}

/// What is listed on one page that has to be the only one.
pub fn listed(world: &World, request: &ListRequest) -> Vec<String> {
    let page = world.list(request).expect("a page");
    assert!(
        matches!(page.next, Continuation::Complete(_)),
        "{:?}",
        page.next
    );
    names(&page.items)
}

/// The outcome of a change of one step, whose step has to say the same.
pub fn outcome(change: Result<Change, Failure>) -> Outcome {
    let change = change.expect("a change");
    assert_eq!(change.steps.len(), 1, "{change:?}");
    assert_eq!(change.steps[0].status, StepStatus::Done(change.outcome));
    assert_eq!(change.steps[0].account, change.account);
    change.outcome
}

/// The error of a call that has to fail.
pub fn error<T: Debug>(result: Result<T, Failure>) -> Error {
    result.expect_err("a failure").error
}

/// The fields or settings that an error complains about; each has to come with what is wrong and what to do.
pub fn complaints(error: Error) -> Vec<String> {
    let (Error::InvalidArgument(problems) | Error::InvalidSettings(problems)) = error else {
        panic!("not about fields: {error:?}");
    };
    for problem in &problems {
        assert!(
            !problem.problem.is_empty() && !problem.mend.is_empty(),
            "{problem:?}"
        );
    }
    problems.into_iter().map(|problem| problem.field).collect()
}

pub fn set(text: &str) -> FieldUpdate {
    FieldUpdate::Set(Value::Text(text.to_string()))
}

pub const fn unchanged(reason: UnchangedReason) -> Outcome {
    Outcome::Unchanged(reason)
}
