//! The conformance suite: connectors that keep the contract pass it unchanged, and it finds fault with those that do not.

use std::collections::BTreeSet;
use std::path::Path;

use connector_conformance::{self as conformance, CHECKS, Options, Report, Verdict};
use connector_host::{EgressPolicy, HostOptions, Judged, Tenant, TenantSettings};
use host_test::components::{FAULTY, IN_MEMORY_CONNECTOR};
use host_test::tenant;

const SECRET: &str = "secret-of-the-example";

/// A connector that needs no tenant but its own memory, with these settings beside its secret.
fn in_memory(file: &str, settings: &[(&str, &str)]) -> Judged {
    let plugin = host_test::load_file(HostOptions::default(), Path::new(file));
    let settings = settings.iter().fold(
        TenantSettings::new().secret("client-secret", SECRET.into()),
        |settings, (key, value)| settings.plain(*key, *value),
    );
    let tenant = Tenant::new("example", settings, EgressPolicy::nothing());
    Judged::new(&plugin, tenant)
}

/// The faults of the guest `faulty`, and the checks that find fault with each.
const FAULTS: &[(&str, &[&str])] = &[
    // What it does to learn of its fault is one.
    ("", &["describe-needs-nothing"]),
    ("no-page", &["description-is-complete"]),
    ("no-settings-needed", &["missing-settings-are-named"]),
    ("forgetful-check", &["check-covers-operations"]),
    ("empty-events", &["undeclared-is-unsupported"]),
    (
        "ignored-filters",
        &["undeclared-filters-are-refused", "filters-are-exact"],
    ),
    ("lost-items", &["pages-add-up", "cursors-continue"]),
    ("small-promise", &["largest-page-is-kept"]),
    ("out-of-order", &["kinds-together"]),
    ("costly-details", &["details-can-be-asked-for"]),
    ("own-cursors", &["cursors-continue"]),
    ("any-cursor", &["foreign-cursors-are-refused"]),
    ("events-again", &["events-resume"]),
    (
        "plan-writes",
        &[
            "creation-is-planned",
            "updates",
            "enabling",
            "grants",
            "revokes",
            "deletion",
        ],
    ),
    ("only-plans", &["creation-happens-once"]),
    (
        "always-changed",
        &["updates", "enabling", "grants", "revokes", "deletion"],
    ),
    ("unknown-fields", &["update-fields-are-checked"]),
    ("any-kind", &["wrong-kind-is-refused"]),
    (
        "vague",
        &[
            "creation-names-what-is-missing",
            "creation-happens-once",
            "unknown-roles-are-told",
            "gone-accounts-are-told",
            "failures-are-declared",
        ],
    ),
    ("few-outcomes", &["outcomes-are-declared"]),
    ("silent", &["failures-have-messages"]),
    ("telling", &["secrets-are-kept"]),
    ("trap", &["limits-are-kept"]),
];

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
    let tenant = Tenant::new("test", host_test::settings(&simulator), egress);
    let judged = Judged::new(host_test::plugin(), tenant);
    let report = conformance::run(judged, Options { write: true }).await;
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
pub(crate) async fn the_in_memory_connector_keeps_every_promise() {
    for size in ["1", "20", "300"] {
        let judged = in_memory(IN_MEMORY_CONNECTOR, &[("directory-size", size)]);
        let report = conformance::run(judged, Options { write: true }).await;
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
    let tenant = Tenant::new("test", host_test::settings(&simulator), egress);
    let judged = Judged::new(host_test::plugin(), tenant);
    let report = conformance::run(judged, Options::default()).await;
    assert_unbroken(&report);
    for (check, finding) in CHECKS.iter().zip(&report.findings) {
        if check.writes {
            assert_eq!(finding.verdict, Verdict::NotTried, "{finding:?}");
        }
    }
    let writes = simulator.writes();
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn every_check_is_known_to_find_a_fault() {
    let finding: BTreeSet<_> = FAULTS
        .iter()
        .flat_map(|(_, checks)| *checks)
        .copied()
        .collect();
    let all: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(finding, all);
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn faults_are_found() {
    for (fault, expected) in FAULTS {
        let judged = in_memory(FAULTY, &[("fault", fault)]);
        let report = conformance::run(judged, Options { write: true }).await;
        let broken: BTreeSet<_> = report.broken().map(|finding| finding.name).collect();
        for check in *expected {
            assert!(
                broken.contains(check),
                "{fault}: {check} is not among {broken:?}"
            );
        }
        for finding in report.broken() {
            assert!(!finding.detail.is_empty(), "{finding:?}");
        }
        if fault.is_empty() {
            assert_eq!(broken, BTreeSet::from(["describe-needs-nothing"]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_hardly_a_connector_gets_a_report_too() {
    let plugin = host_test::misbehaving::plugin(host_test::misbehaving::limits());
    let tenant = host_test::misbehaving::tenant("test", SECRET, EgressPolicy::nothing());
    let judged = Judged::new(&plugin, tenant);
    let report = conformance::run(judged, Options { write: true }).await;
    assert_eq!(report.findings.len(), CHECKS.len());
    let broken: Vec<_> = report.broken().map(|finding| finding.name).collect();
    assert!(broken.contains(&"description-is-complete"), "{broken:?}");
    assert!(broken.contains(&"undeclared-is-unsupported"), "{broken:?}");
}
