//! `conformance`: which promises of the contract the connector keeps.

use connector_conformance::{self as conformance, Finding, Options, Report, Verdict};
use connector_host::Judged;
use connector_host::contract::Mode;
use serde::Serialize;

use crate::args::ConformanceArgs;
use crate::color::Mark;
use crate::failure::Failure;
use crate::output::Rows;
use crate::session::Session;
use connector_escape as escape;

/// The last line for programs.
#[derive(Serialize)]
#[serde(tag = "type", rename = "conformance", rename_all = "camelCase")]
struct Sum<'a> {
    held: usize,
    broken: usize,
    not_tried: usize,
    left_behind: &'a [String],
}

pub async fn run(session: &Session, args: ConformanceArgs) -> Result<(), Failure> {
    let (plugin, tenant) = session.open().await?;
    let options = Options { write: args.write };
    if args.write {
        session.writing.begin(Mode::Apply)?;
    }
    let (progress, mut done) = (&session.progress, 0);
    progress.begin_steps(conformance::CHECKS.len() as u64, "promises tried");
    let mut tell = |_: &Finding| {
        done += 1;
        progress.update_steps(done);
    };
    let judged = Judged::new(&plugin, tenant);
    let report = conformance::run_telling(judged, options, &mut tell).await;
    progress.clear();
    show(session, &report)?;
    if report.count(Verdict::Broken) > 0 {
        return Err(Failure::PromisesBroken);
    }
    Ok(())
}

fn show(session: &Session, report: &Report) -> Result<(), Failure> {
    let sum = Sum {
        held: report.count(Verdict::Held),
        broken: report.count(Verdict::Broken),
        not_tried: report.count(Verdict::NotTried),
        left_behind: &report.left_behind,
    };
    let output = &session.output;
    if output.is_json() {
        for finding in &report.findings {
            output.json(finding)?;
        }
        output.json(&sum)?;
        return Ok(());
    }
    let mut rows =
        Rows::new(&["RESULT", "CHECK", "PROMISE", "WHAT CAME BACK"]).judging(0, |verdict| {
            Some(match verdict {
                "held" => Mark::Good,
                "broken" => Mark::Bad,
                _ => Mark::Doubtful,
            })
        });
    for finding in &report.findings {
        rows.push([
            finding.verdict.name(),
            finding.name,
            finding.promise,
            &finding.detail,
        ]);
    }
    output.table(&rows)?;
    output.text(&format!(
        "\n{} promises held, {} broken, {} not tried.",
        sum.held, sum.broken, sum.not_tried
    ))?;
    if !report.left_behind.is_empty() {
        let accounts = escape::one_line(&report.left_behind.join(", ")).into_owned();
        output.text(&format!(
            "Left behind, for you to remove: the accounts {accounts}."
        ))?;
    }
    Ok(())
}
