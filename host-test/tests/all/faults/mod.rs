//! Nothing is lost and nothing is done twice, whatever goes wrong between the connector and NinjaOne.
//!
//! Each fault is committed on each operation: on its reads, on its writes before and after the tenant carries them out, and on
//! its request for a token. What each has to end in is stated in `rules`; whatever it ends in, a list is whole or fails, what a
//! write says is true of the tenant, and no write arrives twice. Where it fails, the same connector goes on once all is well
//! again, and everything comes right.
//!
//! The matrix prints itself: `cargo test -p host-test --test all faults -- --nocapture`. With `FAULTS="HTTP/2: gone"` only the
//! rows whose names have that in them are tried.

mod catalogue;
mod cell;
mod damage;
mod operations;
mod rules;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use catalogue::{Fault, Times, What, catalogue};
use cell::{Cell, Healthy, List, same};
use connector_host::contract::{AccountDetails, ListRequest, ResourceKinds};
use connector_host::transport::Timeouts;
use connector_host::{CallError, HostOptions, Limits, Plugin};
use host_test::faulty::{Asked, Proxy, Verdict};
use host_test::{connector, list_request, simulated};
use operations::{COLUMNS, Hit, options};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long the host waits for an answer where the other side is slow. Long enough that a busy computer is not taken for a
/// slow network.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// Room for what runs at a time. Each takes some six sockets, and many systems let a process have 1,024.
static ROOM: Semaphore = Semaphore::const_new(112);

/// The component, by hosts that differ in what a fault is about.
struct Plugins {
    usual: Plugin,
    /// Waits for [`PATIENCE`] only.
    impatient: Plugin,
    /// Takes answers of 256 KiB only.
    narrow: Plugin,
    /// Lets go of what nobody reads for a second.
    tidy: Plugin,
}

impl Plugins {
    fn load() -> Self {
        let load = |timeouts, limits| {
            let options = HostOptions::default().timeouts(timeouts).limits(limits);
            host_test::load(options)
        };
        let impatient = Timeouts::default()
            .connect(PATIENCE)
            .first_byte(PATIENCE)
            .between_bytes(PATIENCE);
        let narrow = Limits::default().response_body(256 << 10);
        let tidy = Limits::default().idle_body(Duration::from_secs(1));
        Plugins {
            usual: load(Timeouts::default(), Limits::default()),
            impatient: load(impatient, Limits::default()),
            narrow: load(Timeouts::default(), narrow),
            tidy: load(Timeouts::default(), tidy),
        }
    }

    fn for_fault(&self, fault: &Fault) -> &Plugin {
        if fault.is_slow() {
            &self.impatient
        } else if fault.is_endless() {
            &self.narrow
        } else if matches!(fault.what, What::Pause(_)) {
            &self.tidy
        } else {
            &self.usual
        }
    }
}

/// Another host than the tenant's, which must not hear of anything.
struct Elsewhere {
    base_url: String,
    visits: Arc<AtomicUsize>,
}

impl Elsewhere {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let visits = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&visits);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        });
        Elsewhere { base_url, visits }
    }
}

/// The cells that there can be, row by row: whether every request is hit, the row and the column.
fn places(rows: usize) -> impl Iterator<Item = table::Place> {
    (0..rows).flat_map(|row| {
        let both = (0..COLUMNS.len()).flat_map(|column| [false, true].map(|lasts| (lasts, column)));
        both.map(move |(lasts, column)| (lasts, row, column))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_every_operation_ends_right_or_in_the_error_that_says_so() {
    let start = Instant::now();
    let plugins = Plugins::load();
    let elsewhere = Elsewhere::open().await;
    let mut faults = catalogue(&elsewhere.base_url);
    let chosen = std::env::var("FAULTS").unwrap_or_default();
    faults.retain(|fault| fault.name.contains(&chosen));
    let mut healthy = BTreeMap::new();
    for operation in BTreeSet::from(COLUMNS.map(|(_, operation, _)| operation)) {
        healthy.insert(operation, Healthy::of(&plugins.usual, operation).await);
    }
    let shared = Arc::new((plugins, faults, healthy));

    let mut cells = JoinSet::new();
    for place in places(shared.1.len()) {
        let shared = Arc::clone(&shared);
        cells.spawn(async move {
            let (plugins, faults, healthy) = &*shared;
            let (lasts, row, column) = place;
            let (fault, (_, operation, hit)) = (&faults[row], COLUMNS[column]);
            let times = if lasts { Times::Always } else { Times::Once };
            let cell = Cell {
                fault,
                operation,
                hit,
                times,
                rule: rules::rule(fault, operation, hit, times)?,
            };
            let _room = ROOM.acquire().await.expect("it is never closed");
            let ended = cell
                .run(plugins.for_fault(fault), &healthy[&operation])
                .await;
            Some((place, ended))
        });
    }
    let mut ended = BTreeMap::new();
    while let Some(cell) = cells.join_next().await {
        ended.extend(cell.expect("a cell does not panic"));
    }

    let faults = &shared.1;
    let table = table::render(faults, &ended, start.elapsed());
    println!("{table}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults.txt");
    std::fs::write(&file, &table).expect("the table can be written");
    let mut complaints = Vec::new();
    for ((lasts, row, column), ended) in &ended {
        let Some(complaint) = &ended.complaint else {
            continue;
        };
        let (fault, (name, _, hit)) = (&faults[*row], COLUMNS[*column]);
        let times = if *lasts { "always" } else { "once" };
        let hit = hit.letter();
        complaints.push(format!("{fault}, {times}, {name} ({hit}): {complaint}"));
    }
    assert!(
        complaints.is_empty(),
        "{} cells are wrong:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    let visits = elsewhere.visits.load(Ordering::Relaxed);
    assert_eq!(visits, 0, "a redirect was followed to another host");
}

/// Wherever a sync breaks, it is whole, or fails once and then goes on exactly where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_breaks_at_any_request_loses_nothing_and_gives_nothing_twice() {
    /// What is listed, as a host does it that wants to know everything.
    fn everything() -> ListRequest {
        let kinds = ResourceKinds::ACCOUNTS
            | ResourceKinds::ROLES
            | ResourceKinds::GRANTS
            | ResourceKinds::ORGANIZATIONS
            | ResourceKinds::EVENTS;
        ListRequest {
            limit: Some(5),
            details: AccountDetails::all(),
            ..ListRequest::everything(kinds)
        }
    }
    const BREAKS: [&str; 4] = [
        "reset inside the body",
        "401 once",
        "503 wait 120 s",
        "truncated JSON",
    ];
    let plugin = Plugins::load().usual;
    let simulator = simulated(options()).await;
    let proxy = Proxy::start(&simulator, |_| Verdict::Pass).await;
    let mut healthy = cell::connector(&plugin, &simulator, &proxy);
    let wanted = Arc::new(list_request(&mut healthy, everything()).await);
    let requests = proxy.passed().len();
    assert!(
        requests > 8,
        "there is a token, and something of each kind: {requests}"
    );

    let mut syncs = JoinSet::new();
    for number in 0..requests {
        for name in BREAKS {
            let (plugin, wanted) = (plugin.clone(), Arc::clone(&wanted));
            syncs.spawn(async move {
                let _room = ROOM.acquire().await.expect("it is never closed");
                let mut faults = catalogue("http://127.0.0.1:1").into_iter();
                let fault = faults
                    .find(|fault| fault.name == name)
                    .expect("it is one of them");
                let What::Done(what) = fault.what else {
                    panic!("{name} is done to an answer")
                };
                let simulator = simulated(options()).await;
                let plan = move |asked: &Asked| match asked.number == number {
                    true => Verdict::After(what.clone()),
                    false => Verdict::Pass,
                };
                let proxy = Proxy::start(&simulator, plan).await;
                let mut connector = cell::connector(&plugin, &simulator, &proxy);
                let mut list = List {
                    listing: connector.list_all(everything()),
                    items: Vec::new(),
                    pause: None,
                };
                if let Err(error) = list.go_on().await {
                    let CallError::Connector(failure) = &error else {
                        panic!("{name} at {number}: {error:?}");
                    };
                    assert_eq!(
                        failure.error.kind(),
                        fault.error.kind(),
                        "{name} at {number}"
                    );
                    list.go_on().await.expect("it goes on");
                }
                let whole = same(&list.items, &wanted, fault.class);
                assert_eq!(whole, Ok(()), "{name} at {number}");
            });
        }
    }
    while let Some(sync) = syncs.join_next().await {
        sync.expect("it is whole");
    }
}

/// Every fault that there has to be. A fault is added here and in the catalogue.
const FAULTS: &str = "
    connection refused, reset before the body, reset inside the body, reset after the body, body too short, endless body,
    slow head, slow body, body in pieces, pause between pages,
    HTTP/2: silence, HTTP/2: slow head, HTTP/2: slow body, HTTP/2: no room for requests, HTTP/2: stream refused,
    HTTP/2: stream reset, HTTP/2: reset in the body, HTTP/2: reset as no error, HTTP/2: gone unseen, HTTP/2: gone,
    HTTP/2: gone in the body, HTTP/2: gone after it, HTTP/2: TLS cut off, HTTP/2: TLS damaged, HTTP/2: TCP reset,
    HTTP/2: TCP reset in the body, HTTP/2: body too short, HTTP/2: endless body, HTTP/2: body in pieces,
    HTTP/2: one stream at a time, HTTP/2: pause between pages,
    proxy: hangs, proxy: refuses, proxy: asks who asks, proxy: closes, proxy: cut, proxy: cut in the body,
    408, 500, 502, 504, 200 with a web page,
    429 wait 1 s, 429 wait 120 s, 429 wait until a date, 429 date of RFC 850, 429 date of asctime, 429 wait 1e18 s,
    429 wait -5 s, 429 wait in words, 429 no wait,
    503 wait 1 s, 503 wait 120 s, 503 wait until a date, 503 date of RFC 850, 503 date of asctime, 503 wait 1e18 s,
    503 wait -5 s, 503 wait in words, 503 no wait,
    401 once, 401 for ever, 403, 404 no such endpoint, redirect to the same host, redirect to another host,
    malformed JSON, truncated JSON, ids of another type, odd values, ids beyond int32, negative ids,
    nulls everywhere, roles without members, duplicate ids, 10 MB of text, 10 000 levels, invalid UTF-8, byte-order mark, empty body, gzip";

#[tokio::test]
async fn the_matrix_has_every_fault_and_every_operation_once() {
    let faults = catalogue("http://127.0.0.1:1");
    let mut names: Vec<_> = faults.iter().map(|fault| fault.name.as_str()).collect();
    names.sort_unstable();
    let mut wanted: Vec<_> = FAULTS.split(',').map(str::trim).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted);

    let simulator = simulated(options()).await;
    let description = connector(&simulator).describe().await;
    let described = description.expect("a description").operations;
    let described: BTreeSet<_> = described.iter().map(|o| o.operation.name()).collect();
    let columns = COLUMNS.map(|(_, operation, hit)| (operation, hit));
    for (index, (operation, hit)) in columns.iter().enumerate() {
        assert!(
            !columns[..index].contains(&(*operation, *hit)),
            "{operation:?} {hit:?} is there twice"
        );
        let needed: &[Hit] = match operation.is_write() {
            true => &[Hit::Reads, Hit::Unseen, Hit::Answers, Hit::Silence],
            false => &[Hit::Reads],
        };
        for hit in needed {
            assert!(
                columns.contains(&(*operation, *hit)),
                "{operation:?} lacks {hit:?}"
            );
        }
    }
    let tried = columns
        .iter()
        .filter_map(|(operation, _)| operation.described());
    assert_eq!(tried.collect::<BTreeSet<_>>(), described);
    for (name, _) in rules::TOKENS_DIFFER {
        assert!(names.contains(&name), "{name} is no fault");
    }
}
