//! One cell of the matrix: a tenant, a proxy that commits one fault, a connector, and one call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use connector_host::contract::{
    Action, Attribute, Change, Error, ErrorKind, Failure, Item, Outcome, ResourceKind, StepStatus,
    Value,
};
use connector_host::{CallError, Connector, EgressPolicy, Listing, Plugin, Tenant};
use ninjaone_simulator::{Credentials, Simulator};

use super::catalogue::{Class, Expected, Fault, SPACIOUS, Times, What, Wire};
use super::operations::{Call, Hit, Operation, State, Write, options, state};
use super::rules::Rule;
use host_test::faulty::http2::Http2;
use host_test::faulty::{self, Asked, Proxy, Verdict};
use host_test::proxy::{Conduct, ConnectProxy};
use host_test::{settings, simulated};

/// How long a connection is refused where it is only once: less than the connector pauses before it gives up.
const REFUSED_FOR: Duration = Duration::from_millis(100);
/// How long whoever asked pauses after each page: longer than the host keeps what nobody reads.
const PAUSE: Duration = Duration::from_millis(1_500);
/// How long after a request its tunnel is cut: the first half of the answer has come by then.
const UNTIL_CUT: Duration = Duration::from_millis(300);
/// No call takes this long: the deadline of the host is shorter.
const HANG: Duration = Duration::from_secs(120);

/// What an operation does where nothing goes wrong.
pub struct Healthy {
    /// The requests, in order.
    requests: Vec<Asked>,
    /// The items of a list.
    items: Vec<Item>,
    /// How the tenant is before and after a write.
    before: State,
    after: State,
    /// How it may be where a create got to some of its roles: without any, with one, and so on.
    partly: Vec<State>,
    /// How often each write is sent.
    writes: BTreeMap<String, usize>,
}

impl Healthy {
    pub async fn of(plugin: &Plugin, operation: Operation) -> Self {
        let simulator = simulated(options()).await;
        let proxy = Proxy::start(&simulator, |_| Verdict::Pass).await;
        let mut connector = connector(plugin, &simulator, &proxy);
        let before = state(&simulator);
        let mut items = Vec::new();
        let mut partly = Vec::new();
        match operation.call(&simulator) {
            Call::Check => {
                let report = connector.check().await.expect("a report");
                assert!(report.healthy, "{report:?}");
            }
            Call::List(request) => {
                let mut listing = connector.list_all(request);
                while let Some(page) = listing.next_page().await.expect("a page") {
                    items.extend(page.items);
                }
                assert_whole(operation, &items, &simulator);
            }
            Call::Write(write) => {
                let change = write.send(&mut connector).await.expect("a change");
                assert_eq!(change.outcome, Outcome::Changed, "{operation:?}");
                let mut roles = 0;
                while let Some(fewer) = write.with_fewer_roles(roles) {
                    partly.push(Box::pin(state_after(plugin, &fewer)).await);
                    roles += 1;
                }
            }
        }
        let writes = writes(&simulator);
        assert!(writes.values().all(|count| *count == 1), "{writes:?}");
        Healthy {
            requests: proxy
                .passed()
                .into_iter()
                .map(|passed| passed.asked)
                .collect(),
            items,
            before,
            after: state(&simulator),
            partly,
            writes,
        }
    }
}

/// Makes sure that a list is of everything that the tenant has. Its activities it does not show.
fn assert_whole(operation: Operation, items: &[Item], simulator: &Simulator) {
    let accounts = simulator.accounts();
    let has: Vec<String> = match operation {
        Operation::ListAccounts | Operation::ListAccountsInDetail => accounts
            .iter()
            .map(|account| format!("account {}", account.id))
            .collect(),
        Operation::ListRoles => simulator
            .roles()
            .iter()
            .map(|role| format!("role {}", role.id))
            .collect(),
        Operation::ListGrants => {
            let grants = accounts.iter().flat_map(|account| {
                let held = account.memberships.iter().map(|held| held.role);
                held.map(|role| format!("grant {} {role}", account.id))
            });
            grants.collect()
        }
        Operation::ListOrganizations => simulator
            .organizations()
            .iter()
            .map(|one| format!("organization {}", one.id))
            .collect(),
        _ => return assert!(!items.is_empty()),
    };
    let listed: Vec<_> = items.iter().map(identifier).collect();
    assert_eq!(listed.len(), has.len(), "{operation:?}");
    assert_eq!(
        BTreeSet::from_iter(listed),
        BTreeSet::from_iter(has),
        "{operation:?}"
    );
}

async fn state_after(plugin: &Plugin, write: &Write) -> State {
    let simulator = simulated(options()).await;
    let proxy = Proxy::start(&simulator, |_| Verdict::Pass).await;
    let mut connector = connector(plugin, &simulator, &proxy);
    write.send(&mut connector).await.expect("a change");
    state(&simulator)
}

pub fn connector(plugin: &Plugin, simulator: &Simulator, proxy: &Proxy) -> Connector {
    let settings = settings(simulator).plain("base-url", proxy.base_url());
    let egress = EgressPolicy::only(&proxy.base_url()).expect("the proxy is on loopback");
    plugin.instantiate(proxy.trusted_by(Tenant::new("faulty", settings, egress)))
}

/// How a cell ended: in a word, and with what is wrong about it.
pub struct Ended {
    pub word: String,
    pub complaint: Option<String>,
}

/// What a cell is of.
pub struct Cell<'a> {
    pub fault: &'a Fault,
    pub operation: Operation,
    pub hit: Hit,
    pub times: Times,
    pub rule: Rule,
}

impl Cell<'_> {
    /// Calls the operation while the fault is committed; and where that fails once more, with the same connector, once all
    /// is well again: then everything has to come right.
    pub async fn run(&self, plugin: &Plugin, healthy: &Healthy) -> Ended {
        let simulator = simulated(options()).await;
        let proxy = self.proxy(&simulator, healthy).await;
        let mut connector = connector(plugin, &simulator, &proxy);
        let ended = async {
            match self.operation.call(&simulator) {
                Call::Check => self.check(&mut connector, &proxy).await,
                Call::List(request) => {
                    let mut list = List {
                        listing: connector.list_all(request),
                        items: Vec::new(),
                        pause: matches!(self.fault.what, What::Pause(_)).then_some(PAUSE),
                    };
                    self.list(&mut list, &proxy, healthy).await
                }
                Call::Write(write) => {
                    self.write(&write, &mut connector, &simulator, &proxy, healthy)
                        .await
                }
            }
        };
        match tokio::time::timeout(HANG, ended).await {
            Ok((word, Ok(()))) => Ended {
                word,
                complaint: None,
            },
            Ok((word, Err(complaint))) => Ended {
                word: format!("!{word}"),
                complaint: Some(complaint),
            },
            Err(_) => Ended {
                word: "!!!".to_string(),
                complaint: Some("it hangs".to_string()),
            },
        }
    }

    async fn proxy(&self, simulator: &Simulator, healthy: &Healthy) -> Proxy {
        let (hit, times) = (self.hit, self.times);
        let over_http2 = Http2::default();
        match &self.fault.what {
            What::Done(fault) => Proxy::start(simulator, plan(fault.clone(), hit, times)).await,
            What::DoneOverHttp2(fault) => {
                let plan = plan(fault.clone(), hit, times);
                Proxy::over_http2(simulator, over_http2, plan).await
            }
            What::Pause(Wire::Http1) => Proxy::start(simulator, spacious).await,
            What::Pause(Wire::Http2) => Proxy::over_http2(simulator, over_http2, spacious).await,
            What::OneStream => {
                let over_http2 = over_http2.with_streams(1);
                Proxy::over_http2(simulator, over_http2, spacious).await
            }
            What::Proxy(conduct) => {
                let (via, conduct) = (Arc::new(ConnectProxy::start().await), *conduct);
                let connections = (times == Times::Once).then_some(1);
                let last = self.last_before(healthy);
                if last.is_none() {
                    via.behave(conduct, connections);
                }
                let told = Arc::clone(&via);
                let plan = move |asked: &Asked| {
                    if Some(asked.number) != last {
                        return Verdict::Pass;
                    }
                    told.behave(conduct, connections);
                    Verdict::PassTheLastHere
                };
                let proxy = Proxy::over_http2(simulator, over_http2, plan).await;
                proxy.through(via)
            }
            What::Cut(fault) => {
                let via = Arc::new(ConnectProxy::start().await);
                let cut = Arc::new(Arc::clone(&via));
                let mut plan = plan(fault.clone(), hit, times);
                let plan = move |asked: &Asked| {
                    let verdict = plan(asked);
                    if !matches!(verdict, Verdict::Pass) {
                        // Not beyond this plan, in whose place there is another once all is well again.
                        let cut = Arc::downgrade(&cut);
                        tokio::spawn(async move {
                            tokio::time::sleep(UNTIL_CUT).await;
                            cut.upgrade().inspect(|via| via.cut());
                        });
                    }
                    verdict
                };
                let proxy = Proxy::over_http2(simulator, over_http2, plan).await;
                proxy.through(via)
            }
            What::NoRoom => {
                // A client need not know of it when it sends its first request.
                let last = self.last_before(healthy).expect("the token comes first");
                let plan = move |asked: &Asked| match asked.number == last {
                    true => Verdict::PassTheLastBody,
                    false => Verdict::Pass,
                };
                Proxy::over_http2(simulator, over_http2, plan).await
            }
            What::Refusal => {
                let time = (times == Times::Once).then_some(REFUSED_FOR);
                let Some(last) = self.last_before(healthy) else {
                    return Proxy::refusing(simulator, time, |_| Verdict::Pass);
                };
                let plan = move |asked: &Asked| match asked.number == last {
                    true => Verdict::PassTheLast(time),
                    false => Verdict::Pass,
                };
                Proxy::start(simulator, plan).await
            }
        }
    }

    /// The number of the last request before the first that is hit; `None` where that is the first of all.
    fn last_before(&self, healthy: &Healthy) -> Option<usize> {
        let mut requests = healthy.requests.iter();
        let first = requests.position(|asked| self.hit.covers(asked));
        first
            .expect("the operation sends such a request")
            .checked_sub(1)
    }

    async fn check(
        &self,
        connector: &mut Connector,
        proxy: &Proxy,
    ) -> (String, Result<(), String>) {
        let report = match connector.check().await {
            Ok(report) => report,
            Err(error) => return (word(&error).to_string(), Err(format!("no report: {error}"))),
        };
        let failures = report
            .probes
            .iter()
            .filter_map(|probe| probe.failure.as_ref());
        let kinds: Vec<_> = failures.map(|failure| failure.kind).collect();
        let verdict = if report.healthy != kinds.is_empty() {
            Err(format!("the report contradicts itself: {report:?}"))
        } else if kinds.is_empty() {
            self.rule.allows_right()
        } else {
            kinds
                .iter()
                .try_for_each(|kind| self.rule.allows_kind(*kind))
        };
        let word = kinds
            .first()
            .map_or("ok", |kind| kind_word(*kind))
            .to_string();
        if verdict.is_err() || kinds.is_empty() {
            return (word, verdict);
        }
        proxy.heal();
        let again = match connector.check().await {
            Ok(report) if report.healthy => Ok(()),
            other => Err(format!("all is well again, and it says {other:?}")),
        };
        (word, again)
    }

    async fn list(
        &self,
        list: &mut List<'_>,
        proxy: &Proxy,
        healthy: &Healthy,
    ) -> (String, Result<(), String>) {
        let Err(error) = list.go_on().await else {
            let left = self.fault.leaves(self.operation, &healthy.items);
            let whole = same(&list.items, left, self.fault.class);
            let verdict = self.rule.allows_right().and(whole);
            // A page of events is an answer of its own, which is read to its end.
            let lies_unread = list.pause.is_some() && self.operation != Operation::ListEvents;
            let asked_again = proxy.passed().len() > healthy.requests.len();
            if lies_unread && !asked_again {
                let complaint = "nothing was let go while it paused, and so nothing was tried";
                return ("ok".to_string(), verdict.and(Err(complaint.to_string())));
            }
            return ("ok".to_string(), verdict);
        };
        let word = word(&error);
        if let Err(complaint) = self.judge(&error, proxy) {
            return (word, Err(complaint));
        }
        let given = healthy.items.get(..list.items.len()).unwrap_or_default();
        if let Err(complaint) = same(&list.items, given, self.fault.class) {
            return (word, Err(format!("before it failed: {complaint}")));
        }
        proxy.heal();
        let gone_on = match list.go_on().await {
            Ok(()) => same(&list.items, &healthy.items, self.fault.class),
            Err(error) => Err(error.to_string()),
        };
        (
            word,
            gone_on.map_err(|complaint| format!("when it went on: {complaint}")),
        )
    }

    async fn write(
        &self,
        write: &Write,
        connector: &mut Connector,
        simulator: &Simulator,
        proxy: &Proxy,
        healthy: &Healthy,
    ) -> (String, Result<(), String>) {
        let said = write.send(connector).await;
        let (word, verdict) = match &said {
            Ok(change) if change.outcome == Outcome::Partial => {
                ("par".to_string(), self.judge_partial(change))
            }
            Ok(change) if change.outcome == Outcome::Changed => {
                ("ok".to_string(), self.rule.allows_right())
            }
            Ok(change) => {
                let outcome = change.outcome.name();
                (outcome[..3].to_string(), Err(format!("it says {outcome}")))
            }
            Err(error) => (word(error), self.judge(error, proxy)),
        };
        let verdict = verdict
            .and_then(|()| truth(&said, &state(simulator), healthy))
            .and_then(|()| sent_once(simulator, healthy));
        if verdict.is_err() || said.is_ok() {
            return (word, verdict);
        }
        proxy.heal();
        let again = write.send(connector).await;
        let now = state(simulator);
        let verdict = match &again {
            // The account is there; its roles are for the host to grant.
            Err(CallError::Connector(failure))
                if write.is_create() && matches!(failure.error, Error::AlreadyExists(_)) =>
            {
                let there = now == healthy.after || healthy.partly.contains(&now);
                there.then_some(()).ok_or("it says that the account exists")
            }
            Ok(_) => (now == healthy.after)
                .then_some(())
                .ok_or("it was not done"),
            Err(_) => Err("it fails"),
        };
        let verdict = verdict
            .map_err(|complaint| format!("all is well again, and {complaint}: {again:?}"))
            .and_then(|()| sent_once(simulator, healthy));
        (word, verdict)
    }

    /// Whether an error is right: the one that the rule names, about a request that was hit, without a secret.
    fn judge(&self, error: &CallError, proxy: &Proxy) -> Result<(), String> {
        let failure = match (error, &self.fault.what) {
            (CallError::NoConnection { failure, passes }, What::Proxy(conduct)) => {
                says_what_the_proxy_does(*conduct, failure, *passes)?;
                failure
            }
            (CallError::Connector(failure), What::Proxy(_)) => {
                return Err(format!("it does not tell of the proxy: {failure:?}"));
            }
            (CallError::Connector(failure), _) => failure,
            _ => return Err(format!("no failure of the contract: {error:?}")),
        };
        self.rule.allows(failure)?;
        let text = format!("{failure:?}");
        let secret = Credentials::default().client_secret;
        if text.contains(&secret) || text.contains("simulated-") {
            return Err(format!("a secret is in {text}"));
        }
        if matches!(failure.error, Error::Unconfirmed | Error::Refused(_)) {
            // What the connector found out by itself, from several answers.
            return Ok(());
        }
        let passed = proxy.passed();
        let mut hit = passed.iter().filter(|passed| passed.is_hit).peekable();
        let Some(exchange) = &failure.exchange else {
            return Err(format!("it does not tell which request failed: {text}"));
        };
        let is_named =
            |asked: &Asked| exchange.request == format!("{} {}", asked.method, asked.path);
        if hit.peek().is_some() && !hit.any(|passed| is_named(&passed.asked)) {
            return Err(format!("it blames {}, which was not hit", exchange.request));
        }
        Ok(())
    }

    fn judge_partial(&self, change: &Change) -> Result<(), String> {
        // Where all else is null or makes no sense, the account is there, and what it holds cannot be told.
        let nobody_can_tell = self.fault.class == Class::Bare && self.hit.is_silence();
        // A write may go out before the host knows that there is no room for it, and the next one may not.
        let room_is_chance = matches!(self.fault.what, What::NoRoom);
        if !self.hit.is_of_first_roles() && !nobody_can_tell && !room_is_chance {
            return Err(format!("only its roles can be left out: {change:?}"));
        }
        let reasons = change.steps.iter().filter_map(|step| match &step.status {
            StepStatus::Failed(reason) => Some(reason.kind),
            _ => None,
        });
        let kinds: Vec<_> = reasons.collect();
        match kinds[..] {
            [kind] => self.rule.allows_kind(kind),
            _ => Err(format!("one step failed, and only one: {change:?}")),
        }
    }
}

/// Makes sure that whoever runs the host learns that it is the proxy, what it does, and whether that passes by itself.
fn says_what_the_proxy_does(
    conduct: Conduct,
    failure: &Failure,
    passes: bool,
) -> Result<(), String> {
    let (wanted, words) = match conduct {
        Conduct::Refuses => (false, "does not let through"),
        Conduct::Asks => (false, "wants a user name"),
        Conduct::Hangs => (true, "did not answer in time"),
        Conduct::Closes => (true, "without an answer"),
        Conduct::Open => return Err("nothing is wrong with the proxy".to_string()),
    };
    let is_said = passes == wanted && failure.message.contains(words);
    let complaint = || format!("passes: {passes}, in place of {words:?}: {failure:?}");
    is_said.then_some(()).ok_or_else(complaint)
}

/// Answers reads so that some of an answer is unread when a page is there.
fn spacious(asked: &Asked) -> Verdict {
    match asked.is_read() {
        true => Verdict::After(SPACIOUS),
        false => Verdict::Pass,
    }
}

/// Commits a fault on the requests that are hit.
fn plan(fault: faulty::Fault, hit: Hit, times: Times) -> impl FnMut(&Asked) -> Verdict {
    let mut begun = false;
    move |asked| {
        let is_first = hit.covers(asked) && !begun;
        begun |= is_first;
        let is_hit = match times {
            Times::Once => is_first,
            Times::Always if hit.is_silence() => begun,
            Times::Always => hit.covers(asked),
        };
        match is_hit {
            true if hit.is_carried_out() => Verdict::After(fault.clone()),
            true => Verdict::Before(fault.clone()),
            false => Verdict::Pass,
        }
    }
}

/// A listing, and what it gave so far.
pub struct List<'a> {
    pub listing: Listing<'a>,
    pub items: Vec<Item>,
    /// How long whoever asked pauses after a page.
    pub pause: Option<Duration>,
}

impl List<'_> {
    pub async fn go_on(&mut self) -> Result<(), CallError> {
        while let Some(page) = self.listing.next_page().await? {
            self.items.extend(page.items);
            if let Some(pause) = self.pause {
                tokio::time::sleep(pause).await;
            }
        }
        Ok(())
    }
}

impl Rule {
    fn allows_right(&self) -> Result<(), String> {
        let right = self.right.then_some(());
        right.ok_or_else(|| format!("it went well, and not as it should: {self:?}"))
    }

    fn allows(&self, failure: &Failure) -> Result<(), String> {
        let named = self.errors.iter().any(|wanted| wanted.is(&failure.error));
        let named = named.then_some(());
        named.ok_or_else(|| format!("the rule is {self:?}, and it says {failure:?}"))
    }

    fn allows_kind(&self, kind: ErrorKind) -> Result<(), String> {
        let mut kinds = self.errors.iter().copied().map(Expected::kind);
        let named = kinds.any(|wanted| wanted == kind).then_some(());
        named.ok_or_else(|| format!("the rule is {self:?}, and it says {}", kind.name()))
    }
}

/// Whether what a write said is true of the tenant as it is now. An error leaves open what became of it, but for anything
/// else than was asked for.
fn truth(said: &Result<Change, CallError>, now: &State, healthy: &Healthy) -> Result<(), String> {
    let is_true = match said {
        Ok(change) if change.outcome == Outcome::Partial => {
            let granted = change.steps.iter().filter(|step| {
                step.action == Action::GrantRole && matches!(step.status, StepStatus::Done(_))
            });
            healthy.partly[granted.count()..].contains(now) || *now == healthy.after
        }
        Ok(_) => *now == healthy.after,
        Err(_) => *now == healthy.before || *now == healthy.after || healthy.partly.contains(now),
    };
    let is_true = is_true.then_some(());
    is_true.ok_or_else(|| format!("it is not so: {said:?}"))
}

/// Whether the tenant got no write more often than it takes.
fn sent_once(simulator: &Simulator, healthy: &Healthy) -> Result<(), String> {
    for (write, count) in writes(simulator) {
        if healthy
            .writes
            .get(&write)
            .is_none_or(|wanted| count > *wanted)
        {
            return Err(format!("{write} arrived {count} times"));
        }
    }
    Ok(())
}

fn writes(simulator: &Simulator) -> BTreeMap<String, usize> {
    let mut writes = BTreeMap::new();
    for write in simulator.writes() {
        *writes
            .entry(format!("{} {}", write.method, write.path))
            .or_default() += 1;
    }
    writes
}

/// Whether two lists have the same items in the same order, each with everything that was sent about it.
pub fn same(given: &[Item], wanted: &[Item], class: Class) -> Result<(), String> {
    let text: fn(&Item) -> String = match class {
        // Nothing else was sent.
        Class::Bare => identifier,
        _ => |item| format!("{:?}", in_order(item.clone())),
    };
    let (given, wanted): (Vec<_>, Vec<_>) = (
        given.iter().map(text).collect(),
        wanted.iter().map(text).collect(),
    );
    let first_difference = given
        .iter()
        .zip(&wanted)
        .find(|(given, wanted)| given != wanted);
    match first_difference {
        Some((given, wanted)) => Err(format!("{given} is listed in place of {wanted}")),
        None if given.len() != wanted.len() => Err(format!(
            "{} items are listed of {}",
            given.len(),
            wanted.len()
        )),
        None => Ok(()),
    }
}

fn identifier(item: &Item) -> String {
    let (kind, id) = match item {
        Item::Account(account) => (ResourceKind::Account, account.id.clone()),
        Item::Role(role) => (ResourceKind::Role, role.id.clone()),
        Item::Grant(grant) => (
            ResourceKind::Grant,
            format!("{} {}", grant.account, grant.role),
        ),
        Item::Organization(organization) => (ResourceKind::Organization, organization.id.clone()),
        Item::Event(event) => (ResourceKind::Event, event.id.clone()),
    };
    format!("{} {id}", kind.name())
}

/// The item without the field that a damaged body has too many, and with its attributes in the order of their names: writing
/// JSON anew changes it.
fn in_order(mut item: Item) -> Item {
    let attributes = match &mut item {
        Item::Account(account) => &mut account.attributes,
        Item::Role(role) => &mut role.attributes,
        Item::Grant(grant) => &mut grant.attributes,
        Item::Organization(organization) => &mut organization.attributes,
        Item::Event(event) => &mut event.attributes,
    };
    attributes.retain(|attribute| attribute.name != "unheardOf");
    attributes.sort_by(|one, other| one.name.cmp(&other.name));
    for Attribute { value, .. } in attributes {
        if let Value::Json(json) = value {
            let parsed: serde_json::Value = serde_json::from_str(json).expect("it is JSON");
            *json = parsed.to_string();
        }
    }
    item
}

/// An error in three letters, or its status.
fn word(error: &CallError) -> String {
    match error {
        CallError::Connector(failure) => match failure.error {
            Error::Upstream(status) => status.to_string(),
            _ => kind_word(failure.error.kind()).to_string(),
        },
        other => other.kind()[..3].to_string(),
    }
}

fn kind_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::MalformedResponse => "bad",
        ErrorKind::LimitExceeded => "big",
        ErrorKind::RateLimited => "rat",
        ErrorKind::Upstream => "up",
        _ => &kind.name()[..3],
    }
}
