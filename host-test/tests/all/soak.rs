//! Many tenants in one process, for a while, over connections that fail now and then: every sync is exact or fails, what a
//! write says is true, and nothing crosses from one tenant to another.
//!
//! All tenants are behind two addresses, as NinjaOne's are: most behind one that speaks HTTP/2 over TLS, and some behind one that
//! speaks HTTP/1.1. Some take in what they get slowly, or pause between two pages for longer than the host keeps what nobody
//! reads, or give a listing up.
//!
//! Ten seconds, or as many as `SOAK_SECONDS` says; `cargo xtask soak` takes two minutes. `SOAK_SEED` chooses the tenants and
//! the faults: the same requests meet the same faults again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use connector_host::contract::{ErrorKind, Item, ListRequest, Mode, Outcome, ResourceKinds};
use connector_host::{CallError, Connector, EgressPolicy, HostOptions, Limits, Plugin, Tenant};
use h2::Reason;
use host_test::faulty::http2::{self, Http2};
use host_test::faulty::{Answer, Asked, Fault, Proxy, Verdict};
use host_test::{assignment, settings, simulated};
use ninjaone_simulator::{
    Account, AccountKind, Credentials, Invitation, Options, Quirk, Scopes, Simulator, Source,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

const TENANTS: u64 = 64;
/// One tenant in so many is behind the address that speaks HTTP/1.1.
const OVER_HTTP_1_ONE_IN: u64 = 4;
/// One request in so many is hit.
const ONE_IN: u64 = 20;
/// Short, so that tokens are renewed now and then.
const TOKEN_LIFETIME: Duration = Duration::from_secs(5);
/// How long the host keeps what nobody reads.
const IDLE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn many_tenants_over_failing_connections_stay_exact_and_apart() {
    let seconds = variable("SOAK_SECONDS").unwrap_or(10);
    let seed = variable("SOAK_SEED").unwrap_or(1);
    println!("{TENANTS} tenants for {seconds} s, SOAK_SEED={seed}");
    let plugin = host_test::load(HostOptions::default().limits(Limits::default().idle_body(IDLE)));
    let (over_http_1, over_http_2) = (0..TENANTS).partition(|n| n % OVER_HTTP_1_ONE_IN == 3);
    let fronts = [
        Front::open(seed, over_http_1, None).await,
        Front::open(seed, over_http_2, Some(Http2::default())).await,
    ];
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tenants = JoinSet::new();
    for tenant in fronts.iter().flat_map(|front| front.connect(&plugin)) {
        tenants.spawn(async move {
            let mut tenant = tenant;
            while Instant::now() < end {
                tenant.sync().await;
                tenant.change_a_grant().await;
            }
            tenant.tally
        });
    }
    let mut all = Tally::default();
    while let Some(tenant) = tenants.join_next().await {
        all.add(tenant.expect("a tenant stays exact"));
    }
    for front in fronts {
        all.add(front.finish());
    }
    println!("{all}");
    assert!(all.exact > 0, "there were syncs that went well");
    assert!(!all.faults.is_empty(), "there were faults");
    assert!(all.paused > 0, "somebody paused");
    assert!(all.given_up > 0, "somebody gave a listing up");
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a whole number, not {value:?}")),
    )
}

/// What came of it all.
#[derive(Default)]
struct Tally {
    exact: u64,
    failed: BTreeMap<&'static str, u64>,
    /// Pauses that were longer than the host keeps what nobody reads.
    paused: u64,
    /// Listings that nobody read to the end.
    given_up: u64,
    changed: u64,
    unchanged: u64,
    writes_failed: BTreeMap<&'static str, u64>,
    requests: u64,
    connections: u64,
    faults: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        let sum = |into: &mut BTreeMap<_, u64>, from: BTreeMap<_, u64>| {
            for (name, count) in from {
                *into.entry(name).or_default() += count;
            }
        };
        self.exact += other.exact;
        self.paused += other.paused;
        self.given_up += other.given_up;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.requests += other.requests;
        self.connections += other.connections;
        sum(&mut self.failed, other.failed);
        sum(&mut self.writes_failed, other.writes_failed);
        sum(&mut self.faults, other.faults);
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<&'static str, u64>| {
            let total: u64 = counts.values().sum();
            let each: Vec<_> = counts
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            format!("{total:>7}  {}", each.join(", "))
        };
        writeln!(f, "syncs exact       {:>7}", self.exact)?;
        writeln!(f, "syncs failed      {}", list(&self.failed))?;
        writeln!(f, "syncs given up    {:>7}", self.given_up)?;
        writeln!(f, "long pauses       {:>7}", self.paused)?;
        writeln!(
            f,
            "writes            {:>7}  changed {}, unchanged {}",
            self.changed + self.unchanged,
            self.changed,
            self.unchanged
        )?;
        writeln!(f, "writes failed     {}", list(&self.writes_failed))?;
        writeln!(
            f,
            "requests          {:>7}  over {} connections",
            self.requests, self.connections
        )?;
        writeln!(f, "faults committed  {}", list(&self.faults))?;
        write!(
            f,
            "peak memory       {:>7}  with all tenants' simulators and proxies",
            peak_memory()
        )
    }
}

/// The most memory that this process had at a time, where the system tells.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map_or("?".to_string(), |kib| format!("{} MiB", kib / 1024))
}

/// An address with many tenants behind it, and what is seen there.
struct Front {
    tenants: Vec<(u64, Arc<Simulator>)>,
    proxy: Proxy,
    seed: u64,
    seen: Arc<Mutex<Seen>>,
}

/// What a proxy sees: the faults it committed, and what came to whom.
#[derive(Default)]
struct Seen {
    faults: BTreeMap<&'static str, u64>,
    /// The tenant that each connection belongs to.
    connections: HashMap<usize, usize>,
    /// What somebody sent who is not the one to send it.
    foreign: Option<String>,
}

impl Front {
    /// Starts the tenants of these numbers, and the proxy before them.
    async fn open(seed: u64, numbers: Vec<u64>, http2: Option<Http2>) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut tenants = Vec::new();
        let mut plans = Vec::new();
        for number in numbers {
            let mut dice = Dice(seed << 32 | number);
            tenants.push((number, Arc::new(simulator(number, &mut dice).await)));
            plans.push(plan(dice, number, http2.is_some(), Arc::clone(&seen)));
        }
        let simulators: Vec<_> = tenants.iter().map(|(_, simulator)| &**simulator).collect();
        let plan = move |asked: &Asked| plans[asked.tenant](asked);
        let proxy = Proxy::of_many(&simulators, http2, plan).await;
        Front {
            tenants,
            proxy,
            seed,
            seen,
        }
    }

    /// A connector for each tenant.
    fn connect(&self, plugin: &Plugin) -> Vec<Soaked> {
        let tenants = self.tenants.iter().map(|(number, simulator)| {
            let base_url = self.proxy.base_url();
            let settings = settings(simulator).plain("base-url", &base_url);
            let egress = EgressPolicy::only(&base_url).expect("the proxy is on loopback");
            let tenant = Tenant::new(number.to_string(), settings, egress);
            Soaked {
                number: *number,
                simulator: Arc::clone(simulator),
                connector: plugin.instantiate(self.proxy.trusted_by(tenant)),
                pace: Pace::of(*number),
                dice: Dice(!(self.seed << 32 | number)),
                tally: Tally::default(),
            }
        });
        tenants.collect()
    }

    fn finish(self) -> Tally {
        let mut seen = self.seen.lock().expect("no plan panics");
        assert_eq!(seen.foreign, None);
        Tally {
            faults: std::mem::take(&mut seen.faults),
            requests: self.proxy.count() as u64,
            connections: self.proxy.connections() as u64,
            ..Tally::default()
        }
    }
}

async fn simulator(number: u64, dice: &mut Dice) -> Simulator {
    let small = 20 + dice.below(400) as u32;
    let accounts = match Pace::of(number) {
        // So that most of it is unread when they pause, whatever is taken in ahead.
        Pace::Absent => 4_000 + small,
        _ => small,
    };
    simulated(Options {
        accounts,
        organizations: Some(1 + dice.below(40) as u32),
        seed: dice.roll(),
        credentials: Credentials {
            client_id: format!("client-{number}"),
            client_secret: format!("secret-{number}-not-a-real-one"),
            scopes: Scopes::all(),
        },
        token_lifetime: TOKEN_LIFETIME,
        request_log: 16,
        ..Options::default()
    })
    .await
}

/// How somebody takes in the pages of a listing.
#[derive(Clone, Copy)]
enum Pace {
    /// As they come.
    Prompt,
    /// With a short pause after each.
    Slow,
    /// Of large tenants, and away now and then for longer than the host keeps what nobody reads.
    Absent,
}

impl Pace {
    fn of(number: u64) -> Self {
        match number % 16 {
            1 => Pace::Absent,
            2 | 7 => Pace::Slow,
            _ => Pace::Prompt,
        }
    }
}

/// A tenant, and the connector that syncs it.
struct Soaked {
    number: u64,
    simulator: Arc<Simulator>,
    connector: Connector,
    pace: Pace,
    dice: Dice,
    tally: Tally,
}

impl Soaked {
    /// One sync of everything, which is exact or fails.
    async fn sync(&mut self) {
        let kinds = ResourceKinds::ACCOUNTS
            | ResourceKinds::ROLES
            | ResourceKinds::GRANTS
            | ResourceKinds::ORGANIZATIONS;
        let limits: &[u32] = match self.pace {
            Pace::Absent => &[1_000],
            _ => &[7, 100, 1_000],
        };
        let request = ListRequest {
            limit: Some(limits[self.dice.below(limits.len() as u64) as usize]),
            ..ListRequest::everything(kinds)
        };
        let mut listing = self.connector.list_all(request);
        let mut items = Vec::new();
        let failure = loop {
            match listing.next_page().await {
                Ok(Some(page)) => items.extend(page.items.iter().map(line)),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
            match self.pace {
                Pace::Prompt => {}
                Pace::Slow => sleep(Duration::from_millis(self.dice.below(20))).await,
                Pace::Absent => match self.dice.below(6) {
                    0 => {
                        self.tally.paused += 1;
                        sleep(IDLE + IDLE / 2).await;
                    }
                    1 => {
                        self.tally.given_up += 1;
                        return;
                    }
                    _ => {}
                },
            }
        };
        if let Some(error) = failure {
            *self.tally.failed.entry(typed(&error)).or_default() += 1;
            return;
        }
        items.sort_unstable();
        let wanted = lines(&self.simulator);
        assert_eq!(items, wanted, "tenant {}", self.number);
        self.tally.exact += 1;
    }

    /// Gives somebody a role, or takes it, and sees whether what is said of it is true.
    async fn change_a_grant(&mut self) {
        let roles = self.simulator.roles();
        let role = &roles[self.dice.below(roles.len() as u64) as usize];
        let mut accounts = self.simulator.accounts();
        accounts.retain(|account| account.kind == role.kind);
        if accounts.is_empty() {
            return;
        }
        let account = accounts[self.dice.below(accounts.len() as u64) as usize].id;
        let wanted = self.dice.below(2) == 0;
        let before = memberships(&self.simulator);
        let pair = assignment(&account.to_string(), &role.id.to_string());
        let said = match wanted {
            true => self.connector.grant(&pair, Mode::Apply).await,
            false => self.connector.revoke(&pair, Mode::Apply).await,
        };
        let mut after = memberships(&self.simulator);
        let this = (account, role.id);
        let tally = &mut self.tally;
        match &said {
            Ok(change) => {
                assert_eq!(
                    after.contains(&this),
                    wanted,
                    "tenant {}: {change:?}",
                    self.number
                );
                let changed = change.outcome == Outcome::Changed;
                assert_eq!(
                    changed,
                    before.contains(&this) != wanted,
                    "tenant {}: {change:?}",
                    self.number
                );
                *(if changed {
                    &mut tally.changed
                } else {
                    &mut tally.unchanged
                }) += 1;
            }
            Err(error) => *tally.writes_failed.entry(typed(error)).or_default() += 1,
        }
        // Whatever was said, nothing else was changed.
        if before.contains(&this) {
            after.insert(this);
        } else {
            after.remove(&this);
        }
        assert_eq!(after, before, "tenant {}", self.number);
    }
}

/// The kind of a failure, which has to be one that the faults lead to.
fn typed(error: &CallError) -> &'static str {
    let CallError::Connector(failure) = error else {
        panic!("no failure of the contract: {error:?}");
    };
    let kind = failure.error.kind();
    let right = [
        ErrorKind::MalformedResponse,
        ErrorKind::Network,
        ErrorKind::RateLimited,
        ErrorKind::Unauthorized,
        ErrorKind::Upstream,
    ];
    assert!(right.contains(&kind), "{failure:?}");
    kind.name()
}

/// Commits a fault on one request in [`ONE_IN`] of a tenant, and notes whose credentials and connections come by.
fn plan(
    mut dice: Dice,
    number: u64,
    is_http2: bool,
    seen: Arc<Mutex<Seen>>,
) -> impl FnMut(&Asked) -> Verdict {
    move |asked| {
        let mut seen = seen.lock().expect("no plan panics");
        let owner = *seen
            .connections
            .entry(asked.connection)
            .or_insert(asked.tenant);
        if owner != asked.tenant {
            seen.foreign = Some(format!(
                "tenant {number}: {}, over a connection of another tenant's",
                asked.path
            ));
        }
        if asked.is_token_request() {
            let form = String::from_utf8_lossy(&asked.body);
            let own =
                format!("client_id=client-{number}&client_secret=secret-{number}-not-a-real-one&");
            if !form.contains(&own) {
                seen.foreign = Some(format!("tenant {number}: {form}"));
            }
        }
        if dice.below(ONE_IN) != 0 {
            return Verdict::Pass;
        }
        let (name, fault) = match is_http2 && dice.below(2) == 0 {
            true => a_fault_of_http2(&mut dice),
            false => a_fault(&mut dice),
        };
        *seen.faults.entry(name).or_default() += 1;
        // Only what the tenant carries out has an answer that can be late or damaged; a 401 says that it did not.
        let carried_out = match name {
            "slow head" | "truncated JSON" | "gone after the body" => true,
            "401" | "stream refused" | "gone unseen" => false,
            _ => !asked.is_write() || dice.below(2) == 0,
        };
        match carried_out {
            true => Verdict::After(fault),
            false => Verdict::Before(fault),
        }
    }
}

/// A fault of one kind or another, all of them such that a client can tell.
fn a_fault(dice: &mut Dice) -> (&'static str, Fault) {
    fn half(body: &[u8]) -> Vec<u8> {
        body[..body.len() / 2].to_vec()
    }
    let json = |status| Fault::Answer(Answer::json(status, "{}"));
    let busy = |seconds| Fault::Answer(Answer::new(503, &[("retry-after", seconds)], ""));
    let page = Answer::new(200, &[("content-type", "text/html")], "<html></html>");
    match dice.below(10) {
        0 => ("reset", Fault::Reset),
        1 => ("reset inside the body", Fault::ResetInside),
        2 => ("body too short", Fault::Short),
        3 => ("truncated JSON", Fault::Damaged(half)),
        4 => ("401", json(401)),
        5 => ("500", json(500)),
        6 => ("503, wait 1 s", busy("1")),
        7 => ("503, wait 60 s", busy("60")),
        8 => ("web page", Fault::Answer(page)),
        _ => ("slow head", Fault::SlowHead(Duration::from_millis(100))),
    }
}

/// Likewise, of those that only HTTP/2 and TLS know.
fn a_fault_of_http2(dice: &mut Dice) -> (&'static str, Fault) {
    use http2::Fault::{
        Cut, Gone, GoneAfter, GoneBefore, GoneInside, Reset, ResetInside, Scrambled,
    };
    let (name, fault) = match dice.below(10) {
        0 => ("stream refused", Reset(Reason::REFUSED_STREAM)),
        1 => ("stream reset", Reset(Reason::INTERNAL_ERROR)),
        2 => ("stream reset inside the body", ResetInside(Reason::CANCEL)),
        3 => ("the same as no error", ResetInside(Reason::NO_ERROR)),
        4 => ("gone unseen", GoneBefore),
        5 => ("gone", Gone(Reason::INTERNAL_ERROR)),
        6 => (
            "gone inside the body",
            GoneInside(Reason::ENHANCE_YOUR_CALM),
        ),
        7 => ("gone after the body", GoneAfter),
        8 => ("TLS cut off", Cut),
        _ => ("TLS damaged", Scrambled),
    };
    (name, Fault::Http2(fault))
}

/// Who holds what.
fn memberships(simulator: &Simulator) -> HashSet<(u32, u32)> {
    let accounts = simulator.accounts();
    let held = accounts.iter().flat_map(|account| {
        account
            .memberships
            .iter()
            .map(|membership| (account.id, membership.role))
    });
    held.collect()
}

/// Everything that a tenant has, a line for each, sorted.
fn lines(simulator: &Simulator) -> Vec<String> {
    let accounts = simulator.accounts();
    let roles = simulator.roles();
    let mut lines = Vec::new();
    for account in &accounts {
        lines.push(account_line(account));
        for held in &account.memberships {
            let source = match held.source {
                Source::Manual => "MANUAL",
                Source::Scim => "SCIM",
                Source::IdpMapping => "IDP_MAPPING",
            };
            lines.push(format!("grant {} {} {source}", account.id, held.role));
        }
    }
    for role in &roles {
        let members = accounts
            .iter()
            .filter(|account| account.holds(role.id))
            .count();
        lines.push(format!(
            "role {} {} {} {members} {}",
            role.id,
            role.name,
            kind(role.kind),
            role.description
        ));
    }
    for organization in simulator.organizations() {
        let description = organization.description.as_deref().unwrap_or("-");
        lines.push(format!(
            "organization {} {} {description}",
            organization.id, organization.name
        ));
    }
    lines.sort_unstable();
    lines
}

fn account_line(account: &Account) -> String {
    let complete = account.quirk != Quirk::MissingFields;
    let invitation = account
        .invitation
        .filter(|_| complete)
        .map(|invitation| match invitation {
            Invitation::Registered => "Accepted",
            Invitation::Pending => "Pending",
            Invitation::Expired => "Expired",
            Invitation::AwaitingApproval => "Other(\"AWAITING_APPROVAL\")",
        });
    let phone = account
        .phone
        .as_ref()
        .filter(|_| complete)
        .map(ToString::to_string);
    let text = |text: Option<&str>| text.unwrap_or("-").to_string();
    [
        format!(
            "account {} {} {}",
            account.id,
            kind(account.kind),
            account.uid
        ),
        text(account.first_name.as_deref()),
        text(account.last_name.as_deref()),
        account.email.to_string(),
        text(phone.as_deref()),
        text(invitation),
        format!(
            "{} {} {}",
            account.enabled, account.administrator, account.must_change_password
        ),
        format!("{:?}", complete.then_some(account.mfa_configured)),
        format!("{:?}", account.organization.map(|id| id.to_string())),
    ]
    .join(" ")
}

fn kind(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Technician => "technician",
        AccountKind::EndUser => "end-user",
    }
}

/// An item as [`lines`] has it.
fn line(item: &Item) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or("-".to_string());
    let flag = |flag: Option<bool>| flag.map_or("-".to_string(), |flag| flag.to_string());
    match item {
        Item::Account(account) => [
            format!(
                "account {} {} {}",
                account.id,
                text(&account.kind),
                text(&account.external_id)
            ),
            text(&account.given_name),
            text(&account.family_name),
            text(&account.email),
            text(&account.phone),
            account
                .invitation
                .as_ref()
                .map_or("-".to_string(), |i| format!("{i:?}")),
            flag(account.enabled),
            flag(account.administrator),
            flag(account.must_change_password),
            format!("{:?}", account.mfa_configured),
            format!("{:?}", account.organization),
        ]
        .join(" "),
        Item::Role(role) => format!(
            "role {} {} {} {} {}",
            role.id,
            text(&role.name),
            text(&role.account_kind),
            role.member_count
                .map_or("-".to_string(), |count| count.to_string()),
            text(&role.description)
        ),
        Item::Grant(grant) => format!(
            "grant {} {} {}",
            grant.account,
            grant.role,
            text(&grant.source)
        ),
        Item::Organization(organization) => format!(
            "organization {} {} {}",
            organization.id,
            text(&organization.name),
            text(&organization.description)
        ),
        Item::Event(event) => panic!("nobody asked for {event:?}"),
    }
}

/// Repeatable chance: SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }
}
