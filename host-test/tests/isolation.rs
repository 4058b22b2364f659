//! What a connector does to itself stays with it: whatever it does, the call ends in an error that says what the matter was,
//! and the host, other connectors and the next call go on.

mod support;

use std::collections::BTreeSet;
use std::iter;
use std::time::Duration;

use connector_host::contract::ResourceKinds;
use connector_host::simulator::Simulator;
use connector_host::{
    CallError, Connector, EgressPolicy, Host, HostOptions, Limit, Limits, Plugin, Tenant,
};
use support::log::Log;
use support::misbehaving::{self, component, connector, in_a_hurry, limits, obey};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

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
async fn every_behavior_of_the_guest_is_tested() {
    let sources = concat!(
        include_str!("isolation.rs"),
        include_str!("egress.rs"),
        include_str!("leaks.rs")
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
    Limits {
        deadline: Duration::from_secs(5),
        ..limits()
    }
}

/// The real connector, in a host that has others.
fn neighbor(host: &Host, simulator: &Simulator) -> Connector {
    let plugin = host.load(&support::component()).expect("it loads");
    let egress = EgressPolicy::only(&simulator.base_url()).expect("the simulator is on loopback");
    plugin.instantiate(Tenant::new(
        "neighbor",
        support::settings(simulator),
        egress,
    ))
}

#[tokio::test]
async fn other_connectors_go_on_beside_those_that_break_off() {
    let host = misbehaving::host(with_time_for_others());
    let guest = host.load_bytes(&component()).expect("it loads");
    let simulator = support::tenant(300).await;
    let mut neighbor = neighbor(&host, &simulator);
    let neighbor = support::list(&mut neighbor, ResourceKinds::ACCOUNTS);
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
    let guest = host.load_bytes(&component()).expect("it loads");
    let simulator = support::tenant(300).await;
    let mut neighbor = neighbor(&host, &simulator);
    let tenant = misbehaving::tenant("attacker", SECRET, EgressPolicy::nothing());
    let mut attacker = guest.instantiate(tenant);
    let attack = tokio::spawn(async move { obey(&mut attacker, "spin").await });
    let accounts = support::list(&mut neighbor, ResourceKinds::ACCOUNTS).await;
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
fn pooled() -> Plugin {
    let host = Host::new(HostOptions {
        limits: limits(),
        pooled_instances: Some(1),
        ..HostOptions::default()
    });
    let host = host.expect("the engine starts");
    host.load_bytes(&component()).expect("the component loads")
}

#[tokio::test]
async fn memory_that_another_instance_had_is_empty() {
    // One place for one instance, so that the second one gets what the first one had.
    let plugin = pooled();
    let tenant = || misbehaving::tenant("acme", SECRET, EgressPolicy::nothing());
    let mut first = plugin.instantiate(tenant());
    remembers(&mut first).await;
    let mut second = plugin.instantiate(tenant());
    let error = obey(&mut second, "recall")
        .await
        .expect_err("the place is taken");
    assert_eq!(error.kind(), "host", "{error}");
    drop(first);
    assert_eq!(recall(&mut second).await, format!(" {SECRET}"));
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
    let mut connector = pooled().instantiate(tenant);
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

#[tokio::test]
async fn memories_are_limited() {
    let memories = [vec![33], [AT_LEAST, 0].repeat(33)].concat();
    let error = not_started(&[section(MEMORIES, &memories)], 1).await;
    assert_limit(&error, Limit::Parts);
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
        .load_bytes(&with_module(&component(), module, instances))
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
