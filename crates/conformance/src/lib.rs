//! Holds a connector against the contract: which of its promises it keeps, each tried and told by itself.
//!
//! ```no_run
//! # async fn example(subject: impl connector_conformance::Subject + 'static) {
//! use connector_conformance::{self as conformance, Options};
//!
//! let report = conformance::run(subject, Options { write: false }).await;
//! for finding in report.broken() {
//!     println!("{}: {}", finding.name, finding.detail);
//! }
//! # }
//! ```
//!
//! A [`Subject`] is what is judged: a component in a host, or a connector in the same process. `connector_host::Judged` is one of
//! our host's.
//!
//! **With [`Options::write`] it changes the tenant**: it creates accounts, changes them, gives them roles, and removes them, so it
//! wants a tenant that is there to be tried with. It changes no account but those that it made, and removes what it can of
//! them in the end; [`Report::left_behind`] names the others. Without it, no function that writes is called, not even to plan.
//!
//! The tenant should be at rest: what somebody else changes meanwhile looks like a promise broken.
//!
//! # Where to add a check
//!
//! Write an `async fn(&mut Run) -> Checked` beside those of the same subject, which says in its `Ok` what was done and what came
//! back, and add a line to [`CHECKS`]. They run in that order; what one needs of another is in `Run`.
//!
//! # What it does not know
//!
//! Which host runs the connector, and how: no engine, no component, no transport, no connector.

#![deny(missing_docs)]

use serde::Serialize;

mod conduct;
mod describing;
mod listing;
mod run;
mod setting;
mod subject;
mod writing;

use self::run::{Checked, Fault, Run};
pub use self::subject::{Access, BoxFuture, CallError, Gate, Instance, Subject};

/// How far to go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether accounts and grants may be made, changed and removed in the tenant.
    pub write: bool,
}

/// One promise of the contract, and how to try it.
pub struct Check {
    /// A short name, for programs.
    pub name: &'static str,
    /// The promise, in a sentence.
    pub promise: &'static str,
    /// Whether trying it writes to the tenant.
    pub writes: bool,
    run: for<'a> fn(&'a mut Run) -> BoxFuture<'a, Checked>,
}

/// An entry of [`CHECKS`].
macro_rules! check {
    (reads, $name:literal, $promise:literal, $run:path) => {
        check!(false, $name, $promise, $run)
    };
    (writes, $name:literal, $promise:literal, $run:path) => {
        check!(true, $name, $promise, $run)
    };
    ($writes:literal, $name:literal, $promise:literal, $run:path) => {
        Check {
            name: $name,
            promise: $promise,
            writes: $writes,
            run: |run| Box::pin($run(run)),
        }
    };
}

/// Every check, in the order in which they are done: what only reads, what writes, and what all calls together showed.
#[rustfmt::skip]
pub const CHECKS: &[Check] = &[
    check!(reads, "describe-needs-nothing", "describe asks for no setting, sends no request, and says the same each time", describing::needs_nothing),
    check!(reads, "description-is-complete", "the description is complete and consistent", describing::is_complete),
    check!(reads, "missing-settings-are-named", "without its settings, a call answers invalid-settings, names each, and sends nothing", setting::missing_are_named),
    check!(reads, "check-covers-operations", "check succeeds, and reports on every operation that is declared", setting::check_covers_operations),
    check!(reads, "undeclared-is-unsupported", "what is not declared answers unsupported", describing::undeclared_is_unsupported),
    check!(reads, "undeclared-filters-are-refused", "a filter field that is not declared is an invalid-argument", describing::undeclared_filters_are_refused),
    check!(reads, "pages-add-up", "pages of any size give the same items, each once, and the summary counts them", listing::pages_add_up),
    check!(reads, "largest-page-is-kept", "no page has more than the limit or the largest-page", listing::largest_page_is_kept),
    check!(reads, "kinds-together", "several kinds at once give the same items, in the order of the contract", listing::kinds_together),
    check!(reads, "details-can-be-asked-for", "details that are declared can be asked for, and change no account that is listed", listing::details),
    check!(reads, "cursors-continue", "a cursor goes on after the last item, in the same and in a fresh instance", listing::cursors_continue),
    check!(reads, "foreign-cursors-are-refused", "a damaged cursor, or one of another request, is an invalid-cursor", listing::foreign_cursors_are_refused),
    check!(reads, "events-resume", "events resume after those that were given", listing::events_resume),
    check!(reads, "filters-are-exact", "filters that are declared give exactly what matches", listing::filters_are_exact),
    check!(writes, "creation-names-what-is-missing", "create without its required fields is an invalid-argument that names each", writing::creation_names_what_is_missing),
    check!(writes, "creation-is-planned", "a planned create says so, and makes no account", writing::creation_is_planned),
    check!(writes, "creation-happens-once", "create makes the account as asked for, and repeated answers already-exists", writing::creation_happens_once),
    check!(writes, "updates", "update is planned without effect, done, seen, and repeated is no-difference", writing::updates),
    check!(writes, "update-fields-are-checked", "update of a field that is not declared is an invalid-argument that names it", writing::update_fields_are_checked),
    check!(writes, "enabling", "disable and enable are planned without effect, done, seen, and repeated are no-difference", writing::enabling),
    check!(writes, "grants", "grant is planned without effect, done, seen, and repeated is already-granted", writing::grants),
    check!(writes, "wrong-kind-is-refused", "a role for another kind of account is refused", writing::wrong_kind_is_refused),
    check!(writes, "unknown-roles-are-told", "grant and revoke of a role that does not exist are not-found", writing::unknown_roles_are_told),
    check!(writes, "revokes", "revoke is planned without effect, done, seen, and repeated is not-granted", writing::revokes),
    check!(writes, "deletion", "delete is planned without effect, done, seen, and repeated is already-gone", writing::deletion),
    check!(writes, "gone-accounts-are-told", "what needs an account that is gone answers not-found; revoke has nothing to do", writing::gone_accounts_are_told),
    check!(reads, "outcomes-are-declared", "every write ended as its operation declares", conduct::outcomes_are_declared),
    check!(reads, "failures-are-declared", "every failure was of a kind that the operation declares", conduct::failures_are_declared),
    check!(reads, "failures-have-messages", "every failure says in a sentence what the matter is", conduct::failures_have_messages),
    check!(reads, "secrets-are-kept", "no answer and no failure had a secret in it", conduct::secrets_are_kept),
    check!(reads, "limits-are-kept", "no call broke off, or reached the limits on time and memory", conduct::limits_are_kept),
];

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The connector did as it promises.
    Held,
    /// It did not.
    Broken,
    /// It could not be tried.
    NotTried,
}

impl Verdict {
    /// Its name: `held`, `broken` or `not-tried`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Held => "held",
            Verdict::Broken => "broken",
            Verdict::NotTried => "not-tried",
        }
    }
}

/// A check with what came of it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "finding")]
pub struct Finding {
    /// The name of the check.
    pub name: &'static str,
    /// The promise.
    pub promise: &'static str,
    /// Whether it was kept.
    pub verdict: Verdict,
    /// What was done and what came back, what was wrong with that, or why it was not tried.
    pub detail: String,
}

/// All findings.
#[derive(Clone, Debug)]
pub struct Report {
    /// One for each of [`CHECKS`], in that order.
    pub findings: Vec<Finding>,
    /// Accounts that were made in the tenant and could not be removed.
    pub left_behind: Vec<String>,
}

impl Report {
    /// The promises that were broken.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        self.of(Verdict::Broken)
    }

    /// How many checks ended in this way.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.of(verdict).count()
    }

    fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.verdict == verdict)
    }
}

/// Tries every promise with this connector.
///
/// It always ends in a report: a connector that fails has broken the promise that was being tried.
pub async fn run(subject: impl Subject + 'static, options: Options) -> Report {
    run_telling(subject, options, &mut |_| {}).await
}

/// Like [`run`], and tells of each finding as soon as it is there.
pub async fn run_telling(
    subject: impl Subject + 'static,
    options: Options,
    tell: &mut (dyn FnMut(&Finding) + Send),
) -> Report {
    let mut findings = Vec::new();
    let mut found = |check, checked| {
        let finding = finding(check, checked);
        tell(&finding);
        findings.push(finding);
    };
    let mut run = Run::new(Box::new(subject), options);
    if let Err(fault) = run.begin().await {
        // Without a description nobody knows what there is to be tried.
        let mut fault = Some(fault);
        for check in CHECKS {
            let fault = fault
                .take()
                .unwrap_or_else(|| Fault::NotTried("it does not describe itself".to_string()));
            found(check, Err(fault));
        }
        return Report {
            findings,
            left_behind: Vec::new(),
        };
    }
    for check in CHECKS {
        let checked = if check.writes && !options.write {
            Err(Fault::NotTried(
                "it writes to the tenant, which was not allowed".to_string(),
            ))
        } else {
            (check.run)(&mut run).await
        };
        found(check, checked);
    }
    Report {
        findings,
        left_behind: writing::clean_up(&mut run).await,
    }
}

fn finding(check: &Check, checked: Checked) -> Finding {
    let (verdict, detail) = match checked {
        Ok(detail) => (Verdict::Held, detail),
        Err(Fault::Broken(detail)) => (Verdict::Broken, detail),
        Err(Fault::NotTried(detail)) => (Verdict::NotTried, detail),
    };
    Finding {
        name: check.name,
        promise: check.promise,
        verdict,
        detail,
    }
}
