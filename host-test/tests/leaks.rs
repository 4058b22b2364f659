//! Nothing piles up: not in an instance over its calls, and not in the host over its instances, however they end.
//!
//! Each test makes 10,000 calls or instances, and holds what there is after the last against what there was after the first
//! 2,000: by then every pool, cache and allocator has grown to what it needs. What an instance has is known exactly, and must not
//! grow at all. What the process has is noisy, since the allocator keeps memory as it sees fit, and the simulated tenant and
//! its ends of the connections are in there too: hence the allowances, small beside what 8,000 of anything add up to.
//!
//! `cargo test -p host-test --test leaks -- --nocapture` shows what was measured.

use std::fs;
use std::future::ready;
use std::time::{Duration, Instant};

use connector_host::contract::{Assignment, ErrorKind, ListRequest, Mode, ResourceKinds};
use connector_host::{Connector, EgressPolicy};
use host_test::misbehaving::{self, limits, obey};
use host_test::{assignment, connector};
use ninjaone_simulator::{AccountKind, Options, Simulator};
use tokio::sync::{Mutex, MutexGuard};

/// How many calls, or instances, a test is about.
const ALL: u32 = 10_000;
/// After how many of them things must have settled.
const SETTLED: u32 = 2_000;
/// By how many KiB the process may have grown in between: a quarter of a KiB for each call or instance.
const RESIDENT_ALLOWANCE: usize = 2 * 1024;
/// How many more files it may have open.
const FILES_ALLOWANCE: usize = 8;

/// What the process has. `None` where that is not measured: on systems without `/proc`.
#[derive(Clone, Copy, Debug)]
struct Process {
    resident_kib: Option<usize>,
    open_files: Option<usize>,
}

impl Process {
    fn now() -> Self {
        Process {
            resident_kib: resident_kib(),
            open_files: fs::read_dir("/proc/self/fd").ok().map(Iterator::count),
        }
    }
}

/// The resident memory of this process: the kernel writes `VmRSS:  123 kB`.
fn resident_kib() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    resident.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// What an instance has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holdings {
    guest_memory: usize,
    open_handles: usize,
}

impl Holdings {
    fn of(connector: &mut Connector) -> Self {
        Holdings {
            guest_memory: connector.guest_memory().expect("it is running"),
            open_handles: connector.open_handles().expect("it is running"),
        }
    }
}

/// Watches the process while something is repeated.
struct Watch {
    what: &'static str,
    start: Instant,
    settled: Process,
    // A process has one memory, so the tests of this file take turns.
    _turn: MutexGuard<'static, ()>,
}

impl Watch {
    async fn start(what: &'static str) -> Self {
        static TURN: Mutex<()> = Mutex::const_new(());
        Watch {
            what,
            _turn: TURN.lock().await,
            start: Instant::now(),
            settled: Process::now(),
        }
    }

    /// To be told of each repetition.
    fn done(&mut self, number: u32) {
        if number == SETTLED {
            self.settled = Process::now();
        }
    }

    /// Prints what was measured, and makes sure that the process did not grow.
    fn end(self) {
        let (what, settled, end) = (self.what, self.settled, Process::now());
        let seconds = self.start.elapsed().as_secs_f32();
        println!("{ALL} {what} in {seconds:.1} s: {settled:?}, in the end {end:?}");
        assert_within(
            "resident KiB",
            settled.resident_kib,
            end.resident_kib,
            RESIDENT_ALLOWANCE,
        );
        assert_within(
            "open files",
            settled.open_files,
            end.open_files,
            FILES_ALLOWANCE,
        );
    }
}

fn assert_within(what: &str, settled: Option<usize>, end: Option<usize>, allowance: usize) {
    match (settled, end) {
        (Some(settled), Some(end)) => {
            assert!(end <= settled + allowance, "{settled} {what} became {end}");
        }
        _ => println!("{what}: not measured on this system"),
    }
}

/// A simulated tenant, and calls to make for it.
struct Work {
    simulator: Simulator,
    possible: Assignment,
    impossible: Assignment,
}

impl Work {
    async fn new() -> Self {
        let simulator = host_test::simulated(Options {
            accounts: 60,
            // Both would be memory of this process: what was asked, and tokens that are still good.
            request_log: 0,
            token_lifetime: Duration::from_secs(2),
            ..Options::default()
        })
        .await;
        let role = host_test::role_for(&simulator, AccountKind::Technician);
        let accounts = simulator.accounts();
        let technician = accounts
            .iter()
            .find(|account| account.kind == AccountKind::Technician)
            .expect("there is a technician");
        Work {
            possible: assignment(&technician.id.to_string(), &role),
            impossible: assignment("987654321", &role),
            simulator,
        }
    }

    /// Makes one of the calls there are: every fourth sends requests (a page, a plan, what must fail), and the others do not.
    async fn call(&self, connector: &mut Connector, number: u32) {
        match number % 12 {
            3 => self.list(connector).await,
            7 => {
                let plan = connector.grant(&self.possible, Mode::Plan).await;
                plan.expect("there are the account and the role");
            }
            11 => {
                let outcome = connector.grant(&self.impossible, Mode::Apply).await;
                let failure = host_test::failure(outcome);
                assert_eq!(failure.error.kind(), ErrorKind::NotFound);
            }
            _ => {
                let description = connector.describe().await;
                description.expect("it describes itself");
            }
        }
    }

    /// Asks for a page, and leaves the rest of the answer where it is.
    async fn list(&self, connector: &mut Connector) {
        let mut request = ListRequest::everything(ResourceKinds::ACCOUNTS);
        request.limit = Some(20);
        let page = connector.list(&request).await.expect("there are accounts");
        assert_eq!(page.items.len(), 20);
    }
}

#[tokio::test]
async fn calls_leave_nothing_behind_in_their_instance() {
    let work = Work::new().await;
    let mut connector = connector(&work.simulator);
    /// How much of an answer arrives at once is chance, and the largest pieces may come late: two pages of memory, in bytes. What
    /// leaks 20 bytes in a call takes more.
    const LARGER_PIECES: usize = 2 * 65_536;
    let mut settled = None;
    let mut watch = Watch::start("calls of one instance").await;
    for number in 1..=ALL {
        work.call(&mut connector, number).await;
        watch.done(number);
        if number == SETTLED {
            settled = Some(Holdings::of(&mut connector));
        }
    }
    let settled = settled.expect("there are more calls than that");
    let end = Holdings::of(&mut connector);
    println!("the instance: {settled:?}, in the end {end:?}");
    assert_eq!(end.open_handles, settled.open_handles);
    assert!(
        end.guest_memory <= settled.guest_memory + LARGER_PIECES,
        "{end:?}"
    );
    watch.end();
}

#[tokio::test]
async fn instances_leave_nothing_behind_in_the_host() {
    let work = Work::new().await;
    let mut watch = Watch::start("fresh instances").await;
    for number in 1..=ALL {
        let mut fresh = connector(&work.simulator);
        work.call(&mut fresh, number).await;
        watch.done(number);
    }
    watch.end();
}

#[tokio::test]
async fn instances_that_break_off_leave_nothing_behind_in_the_host() {
    let plugin = misbehaving::plugin(limits());
    let tenant = misbehaving::tenant("test", "hunter2", EgressPolicy::nothing());
    let mut watch = Watch::start("instances that break off").await;
    for number in 1..=ALL {
        let mut connector = plugin.instantiate(tenant.clone());
        let kept = obey(&mut connector, "leak-handles 10").await;
        kept.expect("that many are allowed");
        match number % 4 {
            0 => assert!(obey(&mut connector, "trap").await.is_err()),
            1 => assert!(obey(&mut connector, "panic again").await.is_err()),
            2 => assert!(obey(&mut connector, "huge-header 200").await.is_err()),
            _ => {
                let call = obey(&mut connector, "sleep-forever");
                tokio::select! {
                    biased;
                    outcome = call => panic!("it woke up: {outcome:?}"),
                    () = ready(()) => {}
                }
            }
        }
        watch.done(number);
    }
    watch.end();
}

#[tokio::test]
async fn a_guest_that_leaks_is_seen_to() {
    let mut leaky = misbehaving::connector(limits());
    obey(&mut leaky, "keep-memory 1").await.expect("it answers");
    let before = Holdings::of(&mut leaky);
    obey(&mut leaky, "leak-handles 1")
        .await
        .expect("it answers");
    for _ in 0..100 {
        obey(&mut leaky, "keep-memory 1").await.expect("it answers");
    }
    let after = Holdings::of(&mut leaky);
    assert!(after.guest_memory > before.guest_memory, "{after:?}");
    assert_eq!(after.open_handles, before.open_handles + 1);
}
