//! The conformance suite: connectors that keep the contract pass it unchanged, and it finds fault with those that do not.

mod support;

use std::path::Path;

use connector_host::conformance::{self, CHECKS, Options, Report, Verdict};
use connector_host::{EgressPolicy, Host, HostOptions, Plugin, Tenant, TenantSettings};
use support::tenant;

const SECRET: &str = "secret-of-the-example";

/// The example of a connector, with these settings beside its secret.
fn in_memory(settings: &[(&str, &str)]) -> (Plugin, Tenant) {
    let path = support::target().join("in_memory_connector.wasm");
    assert!(
        path.is_file(),
        "there is no {}: build it with `cargo xtask guests`",
        path.display()
    );
    let host = Host::new(HostOptions {
        code_cache: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("code-cache")),
        ..HostOptions::default()
    });
    let plugin = host
        .and_then(|host| host.load(&path))
        .expect("the component loads");
    let settings = settings.iter().fold(
        TenantSettings::new().secret("client-secret", SECRET.into()),
        |settings, (key, value)| settings.plain(*key, *value),
    );
    (
        plugin,
        Tenant::new("example", settings, EgressPolicy::nothing()),
    )
}

#[track_caller]
fn assert_unbroken(report: &Report) {
    let broken: Vec<_> = report.broken().collect();
    assert!(broken.is_empty(), "{broken:#?}");
    assert_eq!(report.findings.len(), CHECKS.len());
    assert!(report.left_behind.is_empty(), "{:?}", report.left_behind);
}

/// The names of the checks that were not tried.
fn untried(report: &Report) -> Vec<&'static str> {
    let findings = report.findings.iter();
    findings
        .filter(|finding| finding.verdict == Verdict::NotTried)
        .map(|finding| finding.name)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ninjaone_connector_keeps_every_promise() {
    let simulator = tenant(60).await;
    let before = simulator.accounts().len();
    let egress = EgressPolicy::only(&simulator.base_url()).expect("the simulator is on loopback");
    let tenant = Tenant::new("test", support::settings(&simulator), egress);
    let report = conformance::run(support::plugin(), tenant, Options { write: true }).await;
    assert_unbroken(&report);
    // NinjaOne's API cannot enable and disable.
    assert_eq!(untried(&report), ["enabling"]);
    assert_eq!(
        simulator.accounts().len(),
        before,
        "it leaves nothing behind"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_in_memory_connector_keeps_every_promise() {
    for size in ["1", "20", "300"] {
        let (plugin, tenant) = in_memory(&[("directory-size", size)]);
        let report = conformance::run(&plugin, tenant, Options { write: true }).await;
        assert_unbroken(&report);
        // The directory keeps no events, and declares no detail of accounts.
        assert_eq!(
            untried(&report),
            ["details-can-be-asked-for", "events-resume"]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_unless_it_is_allowed() {
    let simulator = tenant(20).await;
    let egress = EgressPolicy::only(&simulator.base_url()).expect("the simulator is on loopback");
    let tenant = Tenant::new("test", support::settings(&simulator), egress);
    let report = conformance::run(support::plugin(), tenant, Options::default()).await;
    assert_unbroken(&report);
    for (check, finding) in CHECKS.iter().zip(&report.findings) {
        if check.writes {
            assert_eq!(finding.verdict, Verdict::NotTried, "{finding:?}");
        }
    }
    let writes = simulator.writes();
    assert!(writes.is_empty(), "{writes:?}");
}
