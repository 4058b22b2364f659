//! What a connector does to itself stays with it: whatever it does, the call ends in an error that says what the matter was,
//! and the host, other connectors and the next call go on.

use std::collections::BTreeSet;
use std::iter;
use std::time::{Duration, Instant};

use connector_host::contract::{ListRequest, ResourceKinds, Retry};
use connector_host::transport::Timeouts;
use connector_host::{
    CallError, Connector, EgressPolicy, Host, HostOptions, Limit, Limits, ListingBounds, LoadError,
    Plugin, Tenant,
};
use host_test::log::Log;
use host_test::misbehaving::{self, component, connector, in_a_hurry, limits, obey};
use ninjaone_simulator::Simulator;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tracing::Instrument;

const SECRET: &str = "hunter2";

/// Has a connector do something that breaks it off, makes sure that the next call works, in an instance that remembers
/// nothing, and gives the error.
async fn broken_off_by(command: &str, limits: Limits) -> CallError {
    let mut connector = connector(limits);
    remembers(&mut connector).await;
    let error = obey(&mut connector, command)
        .await
        .expect_err("it breaks the call off");
    starts_afresh(&mut connector).await;
    error
}

async fn remembers(connector: &mut Connector) {
    obey(connector, "remember me").await.expect("it answers");
    assert_eq!(recall(connector).await, format!("me {SECRET}"));
}

async fn starts_afresh(connector: &mut Connector) {
    assert_eq!(
        connector.guest_memory(),
        None,
        "the broken instance is still there"
    );
    assert_eq!(recall(connector).await, format!(" {SECRET}"));
}

async fn recall(connector: &mut Connector) -> String {
    obey(connector, "recall").await.expect("it answers")
}

/// The error for a limit that is the same for every connector.
#[track_caller]
fn assert_limit(error: &CallError, expected: Limit) {
    match error {
        CallError::LimitReached { limit, .. } => assert_eq!(*limit, expected),
        other => panic!("expected the limit on {expected}, and got {other:?}"),
    }
    assert_eq!(error.kind(), "limit-reached");
    assert!(error.to_string().contains(&expected.to_string()), "{error}");
}

#[tokio::test]
pub(crate) async fn every_behavior_of_the_guest_is_tested() {
    let sources = concat!(
        include_str!("isolation.rs"),
        include_str!("egress.rs"),
        include_str!("../leaks.rs")
    );
    let description = connector(limits()).describe().await;
    let untested: BTreeSet<_> = description
        .expect("it describes itself")
        .summary
        .split(' ')
        .filter(|name| {
            let whole = format!("\"{name}\"");
            let with_argument = format!("\"{name} ");
            !sources.contains(&whole) && !sources.contains(&with_argument)
        })
        .map(str::to_string)
        .collect();
    assert_eq!(untested, BTreeSet::new());
}

// How a call ends.

#[tokio::test]
async fn a_trap_is_told_as_such() {
    let error = broken_off_by("trap", limits()).await;
    assert!(
        matches!(&error, CallError::Trapped { panic: None, trap } if trap.contains("unreachable")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_panic_is_told_with_its_message() {
    let error = broken_off_by("panic over nothing", limits()).await;
    assert!(
        matches!(&error, CallError::Trapped { panic: Some(panic), .. } if panic.contains("over nothing")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_stack_that_overflows_is_a_trap() {
    let error = broken_off_by("recurse", limits()).await;
    assert!(
        matches!(&error, CallError::Trapped { trap, .. } if trap.contains("call stack exhausted")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_loop_without_end_is_stopped_at_the_deadline() {
    let error = broken_off_by("spin", in_a_hurry()).await;
    assert!(
        matches!(error, CallError::DeadlineExceeded { after } if after == in_a_hurry().deadline),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_sleep_without_end_is_stopped_at_the_deadline() {
    let error = broken_off_by("sleep-forever", in_a_hurry()).await;
    assert!(
        matches!(error, CallError::DeadlineExceeded { after } if after == in_a_hurry().deadline),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_costs_its_instance_only() {
    for command in ["sleep-forever", "spin"] {
        let mut connector = connector(limits());
        remembers(&mut connector).await;
        let call = obey(&mut connector, command);
        timeout(Duration::from_millis(50), call)
            .await
            .expect_err("it goes on for ever");
        starts_afresh(&mut connector).await;
    }
}

#[tokio::test]
async fn the_request_of_a_call_that_nobody_waits_for_any_more_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port");
    let url = format!("http://{}", silent.local_addr().expect("it listens"));
    let egress = EgressPolicy::only(&url).expect("it is on loopback");
    let tenant = misbehaving::tenant("test", SECRET, egress);
    let mut connector = misbehaving::plugin(limits()).instantiate(tenant);
    let command = format!("get {url}/");
    let (mut connection, _) = tokio::select! {
        outcome = obey(&mut connector, &command) => panic!("nobody answered, but: {outcome:?}"),
        accepted = silent.accept() => accepted.expect("it listens"),
    };
    let mut request = Vec::new();
    timeout(
        Duration::from_secs(10),
        connection.read_to_end(&mut request),
    )
    .await
    .expect("the host closes the connection")
    .expect("it closes it in peace");
    starts_afresh(&mut connector).await;
}

#[tokio::test]
async fn an_instance_can_be_started_before_its_first_call() {
    let mut connector = connector(limits());
    assert_eq!(connector.guest_memory(), None);
    connector.start().await.expect("it starts");
    assert!(connector.guest_memory().is_some());
    // One that is there stays.
    remembers(&mut connector).await;
    connector.start().await.expect("it runs");
    assert_eq!(recall(&mut connector).await, format!("me {SECRET}"));
}

#[tokio::test]
async fn an_instance_lives_on_where_nothing_breaks_it_off() {
    let mut connector = connector(limits());
    remembers(&mut connector).await;
    assert_eq!(
        obey(&mut connector, "echo still here").await.ok(),
        Some("still here".to_string())
    );
    assert_eq!(recall(&mut connector).await, format!("me {SECRET}"));
}

// Others.

/// Less time than a loop would like, and enough for a neighbor on a busy machine.
fn with_time_for_others() -> Limits {
    limits().deadline(Duration::from_secs(5))
}

/// The real connector, in a host that has others.
async fn neighbor(host: &Host, simulator: &Simulator) -> Connector {
    let plugin = host.load(&host_test::component()).await.expect("it loads");
    let egress = EgressPolicy::only(&simulator.base_url()).expect("the simulator is on loopback");
    plugin.instantiate(Tenant::new(
        "neighbor",
        host_test::settings(simulator),
        egress,
    ))
}

#[tokio::test]
async fn other_connectors_go_on_beside_those_that_break_off() {
    let host = misbehaving::host(with_time_for_others());
    let guest = host.load_bytes(component()).await.expect("it loads");
    let simulator = host_test::tenant(300).await;
    let mut neighbor = neighbor(&host, &simulator).await;
    let neighbor = host_test::list(&mut neighbor, ResourceKinds::ACCOUNTS);
    let attacks = [
        "trap",
        "panic now",
        "recurse",
        "spin",
        "sleep-forever",
        "grow-memory",
        "leak-handles 1000000",
        "flood-log 1000000",
    ];
    let attackers = attacks.map(|command| {
        let tenant = misbehaving::tenant(command, SECRET, EgressPolicy::nothing());
        let mut attacker = guest.instantiate(tenant);
        tokio::spawn(async move { obey(&mut attacker, command).await })
    });
    let accounts = neighbor.await;
    assert_eq!(accounts.len(), simulator.accounts().len());
    for attacker in attackers {
        attacker
            .await
            .expect("the host does not panic")
            .expect_err("the attack breaks the call off");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_loop_without_end_leaves_its_thread_to_others() {
    let host = misbehaving::host(with_time_for_others());
    let guest = host.load_bytes(component()).await.expect("it loads");
    let simulator = host_test::tenant(300).await;
    let mut neighbor = neighbor(&host, &simulator).await;
    let tenant = misbehaving::tenant("attacker", SECRET, EgressPolicy::nothing());
    let mut attacker = guest.instantiate(tenant);
    let attack = tokio::spawn(async move { obey(&mut attacker, "spin").await });
    let accounts = host_test::list(&mut neighbor, ResourceKinds::ACCOUNTS).await;
    assert_eq!(accounts.len(), simulator.accounts().len());
    assert!(!attack.is_finished(), "the loop was over first");
}

#[tokio::test]
async fn tenants_know_nothing_of_each_other() {
    let plugin = misbehaving::plugin(limits());
    let tenant = |name, secret| misbehaving::tenant(name, secret, EgressPolicy::nothing());
    let mut acme = plugin.instantiate(tenant("acme", "acme-secret"));
    let mut rival = plugin.instantiate(tenant("rival", "rival-secret"));
    obey(&mut acme, "remember the plan")
        .await
        .expect("it answers");
    assert_eq!(recall(&mut rival).await, " rival-secret");
    assert_eq!(recall(&mut acme).await, "the plan acme-secret");
}

#[tokio::test]
async fn instances_of_one_tenant_know_nothing_of_each_other() {
    let plugin = misbehaving::plugin(limits());
    let tenant = || misbehaving::tenant("acme", SECRET, EgressPolicy::nothing());
    let mut first = plugin.instantiate(tenant());
    remembers(&mut first).await;
    assert_eq!(
        recall(&mut plugin.instantiate(tenant())).await,
        format!(" {SECRET}")
    );
}

/// The guest in a host that has set memory aside for one instance.
async fn pooled(limits: Limits) -> Plugin {
    let options = HostOptions::default().limits(limits).pooled_instances(1);
    let host = Host::new(options).expect("the engine starts");
    let loaded = host.load_bytes(component()).await;
    loaded.expect("the component loads")
}

#[tokio::test]
async fn memory_that_another_instance_had_is_empty() {
    // One place for one instance, so that the second one gets what the first one had.
    let plugin = pooled(limits()).await;
    let tenant = || misbehaving::tenant("acme", SECRET, EgressPolicy::nothing());
    let mut first = plugin.instantiate(tenant());
    remembers(&mut first).await;
    first.park();
    let mut second = plugin.instantiate(tenant());
    assert_eq!(recall(&mut second).await, format!(" {SECRET}"));
}

#[tokio::test]
async fn a_call_waits_for_a_free_instance_up_to_its_deadline_and_can_be_repeated() {
    let plugin = pooled(in_a_hurry()).await;
    let tenant = || misbehaving::tenant("acme", SECRET, EgressPolicy::nothing());
    let mut first = plugin.instantiate(tenant());
    let mut second = plugin.instantiate(tenant());
    remembers(&mut first).await;
    let busy = obey(&mut second, "recall").await;
    let busy = busy.expect_err("the only place is taken");
    assert!(matches!(busy, CallError::Busy { most: 1 }), "{busy}");
    assert_eq!(busy.retry(), Retry::AfterPause);

    let wait = obey(&mut second, "recall");
    let park = async {
        sleep(Duration::from_millis(100)).await;
        first.park();
    };
    let (answer, ()) = tokio::join!(wait, park);
    answer.expect("it waited until the first gave up its place");
}

#[tokio::test]
async fn a_pool_has_room_for_as_many_instances_as_it_says_and_no_component_takes_that_of_others() {
    let options = HostOptions::default().limits(limits()).pooled_instances(3);
    let host = Host::new(options).expect("the engine starts");
    let empty = [vec![MEMORIES, 3, 1, AT_LEAST, 0]];
    let greedy = host.load_bytes(with_module(&component(), &empty, 20)).await;
    greedy.expect_err("it is made of more parts than a place in the pool has");
    let plugin = host.load_bytes(component()).await.expect("it loads");
    let mut connectors = Vec::new();
    for name in ["acme", "globex", "initech"] {
        let tenant = misbehaving::tenant(name, SECRET, EgressPolicy::nothing());
        let mut connector = plugin.instantiate(tenant);
        remembers(&mut connector).await;
        connectors.push(connector);
    }
}

#[tokio::test]
async fn a_call_that_has_to_start_an_instance_first_takes_no_longer_than_any_other() {
    let plugin = pooled(in_a_hurry()).await;
    let tenant = || misbehaving::tenant("acme", SECRET, EgressPolicy::nothing());
    let mut first = plugin.instantiate(tenant());
    let mut second = plugin.instantiate(tenant());
    remembers(&mut first).await;
    let begun = Instant::now();
    let wait = obey(&mut second, "spin");
    let park = async {
        sleep(Duration::from_millis(600)).await;
        first.park();
    };
    let (stopped, ()) = tokio::join!(wait, park);
    let stopped = stopped.expect_err("it spins");
    assert!(
        matches!(stopped, CallError::DeadlineExceeded { .. }),
        "{stopped}"
    );
    // Twice the deadline would be 1.6 seconds at least: 0.6 of waiting, and the whole deadline after that.
    let took = begun.elapsed();
    assert!(took < Duration::from_millis(1_500), "{took:?}");
}

// Secrets.

#[tokio::test]
async fn a_secret_that_the_guest_logs_is_blanked_wherever_it_is() {
    let log = Log::capture();
    obey(&mut connector(limits()), "log-secret")
        .await
        .expect("it answers");
    let lines = log.lines_with("message-");
    assert!(
        lines[0].contains("message-[secret] name-[secret]=value-[secret]"),
        "{lines:?}"
    );
    assert_eq!(log.lines_with(SECRET), [""; 0]);
}

#[tokio::test]
async fn a_secret_that_the_guest_sends_is_in_no_log_wherever_it_is_in_the_request() {
    let log = Log::capture();
    let simulator = host_test::tenant(1).await;
    let egress = EgressPolicy::only(&simulator.base_url()).expect("it is on loopback");
    let tenant = misbehaving::tenant("acme", SECRET, egress);
    let mut connector = misbehaving::plugin(limits()).instantiate(tenant);
    let authority = simulator.base_url().replace("http://", "");
    obey(&mut connector, &format!("send-secret {authority}"))
        .await
        .expect("it answers");
    assert!(!log.lines_with("denied").is_empty(), "{}", log.text());
    assert!(!log.lines_with("answered").is_empty(), "{}", log.text());
    let mut lines = log.lines_with(SECRET);
    // At the level of a trace, wasmtime itself shows with what its functions are called. That is not the host's log.
    lines.retain(|line| !line.contains("TRACE") || !line.contains("wasmtime"));
    assert_eq!(lines, [""; 0]);
}

#[tokio::test]
async fn requests_that_are_denied_are_told_once_for_each_call() {
    let log = Log::capture();
    let simulator = host_test::tenant(1).await;
    let egress = EgressPolicy::only("https://tenant.example").expect("it may be a base URL");
    let tenant = misbehaving::tenant("acme", SECRET, egress);
    let mut connector = misbehaving::plugin(limits()).instantiate(tenant);
    let authority = simulator.base_url().replace("http://", "");
    for calls in [1, 2] {
        obey(&mut connector, &format!("send-secret {authority}"))
            .await
            .expect("it answers");
        assert_eq!(log.lines_with("denied a request").len(), calls);
    }
}

#[tokio::test]
async fn a_secret_that_the_guest_panics_over_is_in_no_error_and_no_log() {
    let log = Log::capture();
    let error = obey(&mut connector(limits()), "panic-with-secret")
        .await
        .expect_err("it panics");
    let message = error.to_string();
    assert!(message.contains("make sense of [secret]"), "{message}");
    assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    assert_eq!(log.lines_with("make sense of [secret]").len(), 1);
    assert_eq!(log.lines_with(SECRET), [""; 0]);
}

#[tokio::test]
async fn a_call_is_a_child_of_its_caller_s_span_and_names_the_tenant() {
    let log = Log::capture();
    let plugin = misbehaving::plugin(limits());
    let elsewhere = tracing::info_span!("elsewhere");
    let mut connector = elsewhere.in_scope(|| {
        plugin.instantiate(misbehaving::tenant("acme", SECRET, EgressPolicy::nothing()))
    });
    for job in [1, 2] {
        let span = tracing::info_span!("job", number = job);
        let call = obey(&mut connector, "flood-log 1").instrument(span);
        call.await.expect("it answers");
    }
    let lines = log.lines_with("message 0");
    for (line, job) in lines.iter().zip([1, 2]) {
        let spans = format!("job{{number={job}}}:list{{tenant=\"acme\"}}: connector: message 0");
        assert!(
            line.contains(&spans) && !line.contains("elsewhere"),
            "{line}"
        );
    }
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn no_line_of_the_log_is_the_guest_s_own() {
    let log = Log::capture();
    let forged = "2026-11-27T00:00:00Z  INFO connector_host: all is well";
    obey(&mut connector(limits()), &format!("forge-log {forged}"))
        .await
        .expect("it answers");
    let lines = log.lines_with("all is well");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("WARN"), "{lines:?}");
    assert!(
        lines[0].contains("tenant=") && lines[0].contains("test"),
        "the tenant is told: {lines:?}"
    );
}

// Limits.

#[tokio::test]
async fn memory_is_limited() {
    let error = broken_off_by("grow-memory", limits()).await;
    assert!(
        matches!(error, CallError::MemoryLimit { limit } if limit == limits().memory),
        "{error:?}"
    );
}

#[tokio::test]
async fn memory_is_limited_where_it_was_set_aside() {
    let tenant = misbehaving::tenant("test", SECRET, EgressPolicy::nothing());
    let mut connector = pooled(limits()).await.instantiate(tenant);
    for _ in 0..2 {
        let error = obey(&mut connector, "grow-memory")
            .await
            .expect_err("it breaks the call off");
        assert_eq!(error.kind(), "memory-limit", "{error}");
    }
    starts_afresh(&mut connector).await;
}

#[tokio::test]
async fn open_handles_are_limited() {
    let mut leaky = connector(limits());
    obey(&mut leaky, "leak-handles 100")
        .await
        .expect("that many are allowed");
    assert_eq!(leaky.open_handles(), Some(100));
    let error = broken_off_by("leak-handles 1000000", limits()).await;
    assert_limit(&error, Limit::Handles);
}

#[tokio::test]
async fn the_header_of_a_request_is_limited() {
    let error = broken_off_by("huge-header 200", limits()).await;
    assert_limit(&error, Limit::RequestHeader);
}

#[tokio::test]
async fn what_is_handed_over_in_one_call_is_limited() {
    let within = obey(&mut connector(limits()), "huge-result 1000").await;
    assert_eq!(
        within.expect("that much is allowed").len(),
        1000 * 1024,
        "it arrives whole"
    );
    let error = broken_off_by("huge-result 5000", limits()).await;
    assert_limit(&error, Limit::HandedOver);
}

#[tokio::test]
async fn messages_in_one_call_are_limited() {
    let mut chatty = connector(limits());
    for _ in 0..3 {
        obey(&mut chatty, "flood-log 900")
            .await
            .expect("that many are allowed in each call");
    }
    let error = broken_off_by("flood-log 1000000", limits()).await;
    assert_limit(&error, Limit::LogMessages);
}

#[tokio::test]
async fn a_message_of_megabytes_is_cut_and_says_so() {
    let log = Log::capture();
    obey(&mut connector(limits()), "huge-log 1000")
        .await
        .expect("it is no failure");
    let lines = log.lines_with("éé");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].len() < 20 * 1024, "{} bytes", lines[0].len());
    assert!(
        lines[0].contains("[cut, of 1024001 bytes]"),
        "of the message"
    );
    assert!(
        lines[0].contains("[cut, of 1024007 bytes]"),
        "of the fields"
    );
}

#[tokio::test]
async fn table_entries_are_limited() {
    let large = section(
        TABLES,
        &[&[1, FUNCREF, AT_LEAST], &*leb128(20_001)].concat(),
    );
    assert_limit(&not_started(&[large], 1).await, Limit::TableElements);
}

#[tokio::test]
async fn table_entries_are_limited_while_a_table_grows() {
    const REF_NULL: u8 = 0xd0;
    const I32_CONST: u8 = 0x41;
    const TABLE_GROW: [u8; 2] = [0xfc, 15];
    const DROP: u8 = 0x1a;
    const END: u8 = 0x0b;
    let code = [
        &[0, REF_NULL, FUNCREF, I32_CONST],
        &*leb128(20_001),
        &TABLE_GROW,
        &[0, DROP, END],
    ]
    .concat();
    let growing = [
        section(TYPES, &[1, 0x60, 0, 0]),
        section(FUNCTIONS, &[1, 0]),
        section(TABLES, &[1, FUNCREF, AT_LEAST, 0]),
        section(START, &[0]),
        section(CODE, &[&[1], &*leb128(code.len()), &code].concat()),
    ];
    assert_limit(&not_started(&growing, 1).await, Limit::TableElements);
}

#[tokio::test]
async fn core_instances_are_limited() {
    assert_limit(&not_started(&[], 33).await, Limit::Parts);
}

/// As many table entries as there are numbers, and more memory than there is: asked for a thousand times, and then a little.
#[tokio::test]
async fn no_request_for_memory_is_so_large_that_it_switches_the_limit_off() {
    const I32_CONST: u8 = 0x41;
    const MINUS_ONE: u8 = 0x7f;
    const MEMORY_GROW: [u8; 2] = [0x40, 0];
    const DROP: u8 = 0x1a;
    const END: u8 = 0x0b;
    let grow = [&[I32_CONST, MINUS_ONE], &MEMORY_GROW[..], &[DROP]].concat();
    let code = [vec![0], grow.repeat(1000), vec![END]].concat();
    let growing = [
        section(TYPES, &[1, 0x60, 0, 0]),
        section(FUNCTIONS, &[1, 0]),
        section(MEMORIES, &[1, AT_LEAST, 1]),
        section(START, &[0]),
        section(CODE, &[&[1], &*leb128(code.len()), &code].concat()),
    ];
    let error = not_started(&growing, 1).await;
    assert!(matches!(error, CallError::MemoryLimit { .. }), "{error:?}");
}

/// Memories that are hard to count are not in the language that connectors are written in.
#[tokio::test]
async fn what_no_connector_needs_of_webassembly_does_not_load() {
    const AT_LEAST_64_BIT: u8 = 4;
    const V128_CONST: [u8; 2] = [0xfd, 12];
    const RETURN_CALL: u8 = 0x12;
    const DROP: u8 = 0x1a;
    const END: u8 = 0x0b;
    let function = |code: &[u8]| {
        let code = [&[0], code, &[END]].concat();
        vec![
            section(TYPES, &[1, 0x60, 0, 0]),
            section(FUNCTIONS, &[1, 0]),
            section(CODE, &[&[1], &*leb128(code.len()), &code].concat()),
        ]
    };
    let modules = [
        (
            "memory64",
            vec![section(MEMORIES, &[1, AT_LEAST_64_BIT, 1])],
        ),
        (
            "multi-memory",
            vec![section(MEMORIES, &[2, AT_LEAST, 1, AT_LEAST, 1])],
        ),
        (
            "simd",
            function(&[&V128_CONST[..], &[0; 16], &[DROP]].concat()),
        ),
        ("tail calls", function(&[RETURN_CALL, 0])),
    ];
    let host = misbehaving::host(limits());
    let usual = with_module(&component(), &function(&[]), 1);
    host.load_bytes(usual)
        .await
        .expect("a function does nothing");
    for (proposal, module) in modules {
        let hostile = with_module(&component(), &module, 1);
        let error = host.load_bytes(hostile).await.map(drop);
        assert!(
            matches!(error, Err(LoadError::NotAComponent(_))),
            "{proposal}: {error:?}"
        );
    }
}

/// Takes connections and reads nothing of them.
async fn sink() -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there is a free port");
    let authority = listener.local_addr().expect("it is bound").to_string();
    let taking = tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            taken.push(stream);
        }
    });
    (authority, taking)
}

/// Has the guest flood a server that reads nothing, and gives the error and what the next call said.
async fn flooded(requests: usize, kib: usize) -> CallError {
    let (authority, _taking) = sink().await;
    let egress = EgressPolicy::only(&format!("http://{authority}")).expect("it is on loopback");
    let tenant = misbehaving::tenant("acme", SECRET, egress);
    let mut connector = misbehaving::plugin(limits()).instantiate(tenant);
    let flood = format!("flood-requests {requests} {kib} {authority}");
    let error = obey(&mut connector, &flood).await;
    let error = error.expect_err("it breaks the call off");
    starts_afresh(&mut connector).await;
    error
}

#[tokio::test]
async fn requests_under_way_are_limited() {
    assert_limit(&flooded(100, 0).await, Limit::Requests);
}

#[tokio::test]
async fn what_the_host_holds_of_requests_is_limited() {
    assert_limit(&flooded(1, 16 << 10).await, Limit::RequestBytes);
}

#[tokio::test]
async fn requests_that_are_never_sent_take_little_of_the_host() {
    assert_limit(
        &broken_off_by("hoard-requests 100 4000", Limits::default()).await,
        Limit::RequestTarget,
    );
    // What it may make of any size is limited by their number.
    let error = broken_off_by("hoard-requests 1000 0", Limits::default()).await;
    assert_limit(&error, Limit::Handles);
}

#[tokio::test]
async fn looking_for_secrets_does_not_outlast_the_call() {
    let (authority, _taking) = sink().await;
    let egress = EgressPolicy::only(&format!("http://{authority}")).expect("it is on loopback");
    let timeouts = Timeouts::default().first_byte(Duration::from_millis(100));
    let options = HostOptions::default().timeouts(timeouts);
    let host = Host::new(options).expect("the engine starts");
    let guest = host.load_bytes(component()).await.expect("it loads");
    let mut connector = guest.instantiate(misbehaving::tenant("acme", SECRET, egress));
    let begun = Instant::now();
    obey(&mut connector, &format!("slow-secret {authority}"))
        .await
        .expect("it answers");
    // Without a bound it is minutes.
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn answers_that_the_guest_leaves_lying_count_as_requests_under_way() {
    let simulator = host_test::tenant(300).await;
    let egress = EgressPolicy::only(&simulator.base_url()).expect("it is on loopback");
    let tenant = misbehaving::tenant("acme", SECRET, egress);
    let mut connector = misbehaving::plugin(limits()).instantiate(tenant);
    let url = simulator.base_url();
    let within = obey(&mut connector, &format!("leave-answers 8 {url}/v2/users")).await;
    assert_eq!(within.expect("that many are allowed"), "they lie there");
    let beyond = obey(&mut connector, &format!("leave-answers 1 {url}/v2/users")).await;
    assert_limit(&beyond.expect_err("that is one more"), Limit::Requests);
    starts_afresh(&mut connector).await;
}

// Listings without an end.

/// Lists from this cursor, which is a command, until it fails.
async fn listed_to_its_end(command: &str, bounds: ListingBounds) -> CallError {
    let mut connector = connector(limits());
    let mut request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    request.cursor = Some(command.to_string());
    let mut listing = connector.list_all(request).within(bounds);
    loop {
        match listing.next_page().await {
            Ok(page) => assert!(page.is_some(), "the guest says it is whole"),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn a_listing_that_goes_round_in_a_circle_is_noticed() {
    let error = listed_to_its_end("circle here", ListingBounds::default()).await;
    assert!(matches!(error, CallError::ListingStuck), "{error:?}");
}

#[tokio::test]
async fn a_listing_without_an_end_ends_at_its_bounds() {
    let pages = ListingBounds::default().pages(50);
    let error = listed_to_its_end("endless 0", pages).await;
    assert!(
        matches!(error, CallError::ListingEndless { pages: 50, .. }),
        "{error:?}"
    );
    let time = ListingBounds::default().time(Duration::from_millis(50));
    let error = listed_to_its_end("endless 0", time).await;
    assert!(
        matches!(error, CallError::ListingEndless { .. }),
        "{error:?}"
    );
    assert_eq!(error.kind(), "listing-endless");

    let simulator = host_test::tenant(300).await;
    let mut connector = host_test::connector(&simulator);
    let request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    // The first page has 100.
    let items = ListingBounds::default().items(100);
    let mut listing = connector.list_all(request).within(items);
    let first = listing.next_page().await.expect("a page is within");
    assert!(first.is_some());
    let error = listing.next_page().await.expect_err("the bound is reached");
    assert!(
        matches!(error, CallError::ListingEndless { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn tables_are_limited() {
    let tables = [vec![33], [FUNCREF, AT_LEAST, 0].repeat(33)].concat();
    let error = not_started(&[section(TABLES, &tables)], 1).await;
    assert_limit(&error, Limit::Parts);
}

// Sections of a core module, by their numbers, and what is in them. Rust cannot make a table grow, nor define a second memory,
// so these modules are written out.
const TYPES: u8 = 1;
const FUNCTIONS: u8 = 3;
const TABLES: u8 = 4;
const MEMORIES: u8 = 5;
const START: u8 = 8;
const CODE: u8 = 10;
const FUNCREF: u8 = 0x70;
/// Begins the limits of a table or memory that has a least size and no largest.
const AT_LEAST: u8 = 0;

/// Starts the guest with so many instances of one more module in it, and gives the error.
async fn not_started(module: &[Vec<u8>], instances: usize) -> CallError {
    let plugin = misbehaving::host(limits())
        .load_bytes(with_module(&component(), module, instances))
        .await
        .expect("it is a connector all the same");
    let tenant = misbehaving::tenant("test", SECRET, EgressPolicy::nothing());
    let mut connector = plugin.instantiate(tenant);
    connector
        .describe()
        .await
        .expect_err("it asks for too much")
}

/// A component with one more core module at its end, made of these sections, and so many instances of it.
fn with_module(component: &[u8], module: &[Vec<u8>], instances: usize) -> Vec<u8> {
    const CORE_MODULE: u8 = 1;
    const CORE_INSTANCES: u8 = 2;
    let header = vec![b"\0asm\x01\0\0\0".to_vec()];
    let module = [&header, module].concat().concat();
    let index = sections(component).filter(|id| *id == CORE_MODULE).count();
    let instance = [&[0], &*leb128(index), &[0]].concat();
    let instances = [leb128(instances), instance.repeat(instances)].concat();
    [
        component,
        &section(CORE_MODULE, &module),
        &section(CORE_INSTANCES, &instances),
    ]
    .concat()
}

/// The numbers of the sections of a component.
fn sections(component: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = &component[8..];
    iter::from_fn(move || {
        let (&id, content) = rest.split_first()?;
        let digits = content.iter().position(|byte| byte & 0x80 == 0)? + 1;
        let length = content[..digits]
            .iter()
            .rev()
            .fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
        rest = &content[digits + length..];
        Some(id)
    })
}

/// A section: its number, its length, its content.
fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id], &*leb128(content.len()), content].concat()
}

/// A number as WebAssembly writes it: seven bits a byte, the lowest first.
fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
