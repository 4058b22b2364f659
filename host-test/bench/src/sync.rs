//! A sync of one tenant: everything, by several instances at the same time.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::children::{Launcher, Target, Tenant};
use crate::component::{self, Component};
use crate::floor::{self, Floor};
use crate::jobs::{self, Code, Rounds, Side};
use crate::native::{self, Native};
use crate::process::{Resident, cpu};

/// How many accounts a page has of a listing that pauses after it.
pub const SHORT_PAGE: u32 = 100;

/// What is listed together.
#[derive(Clone, Copy)]
pub enum Kinds {
    /// Accounts.
    Accounts,
    /// Roles with their members.
    RolesAndGrants,
    /// Organizations.
    Organizations,
}

/// What each instance lists: as the program's `sync` has it.
pub const INSTANCES: [Kinds; 3] = [Kinds::Accounts, Kinds::RolesAndGrants, Kinds::Organizations];

/// What a sync gave.
#[derive(Default)]
pub struct Synced {
    /// How many accounts …
    pub accounts: u64,
    /// … and grants, …
    pub grants: u64,
    /// … and roles and organizations there were.
    pub others: u64,
    /// The lengths of the accounts' identifiers, of all accounts and grants: so that there is reason to have them.
    pub characters: u64,
    /// When the first page of accounts was there.
    pub first_page: Option<Duration>,
    /// The linear memory of the instance that had the most, in bytes. It never shrinks, so this is the most it ever had.
    pub guest_memory: Option<u64>,
}

impl Synced {
    /// Takes note of a page that has come.
    pub fn page(&mut self, kinds: Kinds, start: Instant) {
        if matches!(kinds, Kinds::Accounts) {
            self.first_page.get_or_insert_with(|| start.elapsed());
        }
    }

    /// Takes in an account, whose identifier has so many characters.
    pub fn account(&mut self, characters: usize) {
        self.accounts += 1;
        self.characters += characters as u64;
    }

    /// Takes in a grant to an account, whose identifier has so many characters.
    pub fn grant(&mut self, characters: usize) {
        self.grants += 1;
        self.characters += characters as u64;
    }

    /// Takes in what another instance gave.
    pub fn add(&mut self, other: Synced) {
        self.accounts += other.accounts;
        self.grants += other.grants;
        self.others += other.others;
        self.characters += other.characters;
        self.first_page = self.first_page.or(other.first_page);
        self.guest_memory = self.guest_memory.max(other.guest_memory);
    }
}

/// The sync that a process does.
#[derive(Clone, Serialize, Deserialize)]
pub struct Job {
    /// Who does it.
    pub side: Side,
    /// With which component, where it is the component.
    pub code: Code,
    /// A small tenant to warm up with.
    pub warm_up: Target,
    /// The tenant.
    pub target: Target,
    /// How often.
    pub times: usize,
}

/// What a sync took, on average over the times it was done.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Took {
    /// In seconds.
    pub wall: f64,
    /// In seconds, of this process alone.
    pub cpu: f64,
    /// In seconds, from the start to the first page of accounts.
    pub first_page: f64,
    /// How many requests were sent.
    pub requests: f64,
    /// The linear memory of the instance that had the most, in bytes. 0 natively.
    pub guest_memory: u64,
    /// By how many bytes the resident memory of the process grew at most, from when it was ready.
    pub resident_over_idle: u64,
    /// How many accounts …
    pub accounts: u64,
    /// … and grants there were.
    pub grants: u64,
    /// Whether two sides had the same.
    pub characters: u64,
}

/// A side, ready.
#[derive(Clone)]
pub enum Ready {
    /// A component, loaded.
    Component(Arc<Component>),
    /// The library.
    Native(Native),
    /// The floor.
    Floor(Floor),
}

impl Ready {
    /// Gets it ready, with a pool for so many instances where it is the component and that is wanted.
    pub async fn new(
        side: Side,
        code: &Code,
        pooled: Option<u32>,
        target: &Target,
    ) -> Result<Self> {
        match side {
            Side::Component | Side::Released => {
                let component = Component::load(code, pooled).await?;
                component.connector(target)?.describe().await?;
                Ok(Ready::Component(Arc::new(component)))
            }
            Side::Native => Ok(Ready::Native(Native::default())),
            Side::Floor => Ok(Ready::Floor(Floor::new())),
        }
    }

    /// A tenant, with connections and a token of its own.
    pub fn tenant(&self, target: &Target) -> Result<Connected> {
        Ok(match self {
            Ready::Component(component) => {
                let tenant = component.tenant(target)?;
                Connected::Component(component.clone(), tenant)
            }
            Ready::Native(native) => Connected::Native(native.tenant(target)?),
            Ready::Floor(floor) => Connected::Floor(floor.tenant(target)?),
        })
    }

    /// Lists everything of a tenant that nobody spoke to before.
    pub async fn sync(&self, target: &Target) -> Result<Synced> {
        self.tenant(target)?.sync().await
    }

    fn requests(&self) -> u64 {
        match self {
            Ready::Component(component) => component.sent.take(),
            Ready::Native(native) => native.sent.take(),
            Ready::Floor(floor) => floor.sent.take(),
        }
    }
}

/// A tenant of a side.
pub enum Connected {
    /// Of a component.
    Component(Arc<Component>, connector_host::Tenant),
    /// Of the library.
    Native(native::Tenant),
    /// Of the floor.
    Floor(floor::Tenant),
}

/// A listing that was begun and is not read on, for as long as this is kept.
pub enum Paused {
    /// By the component.
    Component {
        _connector: Box<connector_host::Connector>,
    },
    /// By the library, on a thread that waits for the end of this.
    Native { _kept: mpsc::Sender<()> },
}

impl Connected {
    /// Lists everything.
    pub async fn sync(&self) -> Result<Synced> {
        match self {
            Connected::Component(component, tenant) => component.sync(tenant).await,
            Connected::Native(tenant) => tenant.sync().await,
            Connected::Floor(tenant) => tenant.sync().await,
        }
    }

    /// Begins to list the accounts, and pauses.
    pub async fn pause(&self) -> Result<Paused> {
        Ok(match self {
            Connected::Component(component, tenant) => Paused::Component {
                _connector: Box::new(component::begin(component.connector_of(tenant)).await?),
            },
            Connected::Native(tenant) => Paused::Native {
                _kept: native::begin(tenant.clone()).await?,
            },
            Connected::Floor(_) => bail!("the floor has no pages to pause between"),
        })
    }
}

/// Does a job.
pub async fn work(job: Job) -> Result<Took> {
    // In a task, as the program's: what runs on the thread that waits for a runtime takes longer to wake up.
    tokio::spawn(async move {
        let ready = Ready::new(job.side, &job.code, None, &job.target).await?;
        let idle = Resident::own()?.now;
        for _ in 0..2 {
            ready.sync(&job.warm_up).await?;
        }
        ready.requests();
        let (start, cpu_before) = (Instant::now(), cpu());
        let mut all = Synced::default();
        let mut first_page = 0.0;
        for _ in 0..job.times {
            let synced = ready.sync(&job.target).await?;
            first_page += synced.first_page.unwrap_or_default().as_secs_f64();
            all.add(synced);
        }
        let times = job.times as f64;
        Ok(Took {
            wall: start.elapsed().as_secs_f64() / times,
            cpu: (cpu() - cpu_before).as_secs_f64() / times,
            first_page: first_page / times,
            requests: ready.requests() as f64 / times,
            guest_memory: all.guest_memory.unwrap_or_default(),
            resident_over_idle: Resident::own()?.peak.saturating_sub(idle),
            accounts: all.accounts / job.times as u64,
            grants: all.grants / job.times as u64,
            characters: all.characters / job.times as u64,
        })
    })
    .await?
}

/// What a sync of a tenant of one size took, by each side.
#[derive(Serialize)]
pub struct Figures {
    /// How many accounts the tenant has.
    pub accounts: u32,
    /// What each side took.
    #[serde(flatten)]
    pub rounds: Rounds<Took>,
}

/// Sizes of tenants, how many rounds to do, and how many syncs in each, so that a round takes long enough to be measured.
const SIZES: [(u32, usize, usize); 4] = [
    (1_000, 7, 50),
    (10_000, 7, 10),
    (100_000, 7, 1),
    (1_000_000, 3, 1),
];
/// The largest tenant of a quick run, and how many rounds it does.
const QUICK: (u32, usize) = (100_000, 3);

/// How many accounts the tenant has that all sides sync.
pub const COMPARED: u32 = 100_000;

/// How many accounts a tenant has that is also synced over HTTP/2.
pub const OVER_HTTP2: u32 = 100_000;

/// Measures syncs of one size over TLS and HTTP/2.
pub fn measure_over_http2(launcher: &Launcher, quick: bool) -> Result<Figures> {
    eprintln!("sync of {OVER_HTTP2} accounts over TLS and HTTP/2");
    let warm_up = launcher.tenant_over_http2(1_000)?;
    let tenant = launcher.tenant_over_http2(OVER_HTTP2)?;
    let mut figures = Figures::new(OVER_HTTP2);
    for _ in 0..if quick { 1 } else { 5 } {
        figures.round(launcher, &Side::BOTH, &warm_up, &tenant, 1)?;
    }
    Ok(figures)
}

/// Measures syncs of all sizes.
pub fn measure(launcher: &Launcher, quick: bool) -> Result<Vec<Figures>> {
    let warm_up = launcher.tenant(1_000)?;
    let mut all = Vec::new();
    for (accounts, rounds, times) in SIZES {
        if quick && accounts > QUICK.0 {
            continue;
        }
        let rounds = if quick { QUICK.1 } else { rounds };
        eprintln!("sync of {accounts} accounts: {rounds} rounds by each side");
        let sides: &[Side] = match accounts {
            COMPARED => &Side::ALL,
            _ => &Side::BOTH,
        };
        let tenant = launcher.tenant(accounts)?;
        let mut figures = Figures::new(accounts);
        for _ in 0..rounds {
            figures.round(launcher, sides, &warm_up, &tenant, times)?;
        }
        all.push(figures);
    }
    Ok(all)
}

impl Figures {
    /// None yet.
    pub fn new(accounts: u32) -> Self {
        Figures {
            accounts,
            rounds: Rounds::none(),
        }
    }

    /// One round: a process of each of these sides syncs the tenant so often.
    pub fn round(
        &mut self,
        launcher: &Launcher,
        sides: &[Side],
        warm_up: &Tenant,
        tenant: &Tenant,
        times: usize,
    ) -> Result<()> {
        for side in sides.iter().copied() {
            let took: Took = launcher.work(&jobs::Job::Sync(Job {
                side,
                code: launcher.code(side),
                warm_up: warm_up.target.clone(),
                target: tenant.target.clone(),
                times,
            }))?;
            let same = |took: &Took| (took.accounts, took.grants, took.characters);
            ensure!(
                took.accounts == u64::from(self.accounts)
                    && self
                        .rounds
                        .of(Side::Component)
                        .iter()
                        .all(|first| same(first) == same(&took)),
                "{side:?} did not list the same as the component"
            );
            self.rounds.add(side, took);
        }
        Ok(())
    }
}
