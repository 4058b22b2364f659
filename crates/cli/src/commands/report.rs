//! `report`: a page for an access review, from a snapshot.

use std::path::Path;

use serde::Serialize;

use connector_host::contract::Counts;

use crate::args::ReportArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use connector_escape as escape;
use connector_report::{Finding, Report};

/// What stands for standard output in the place of a file.
const STANDARD_OUTPUT: &str = "-";

pub fn run(session: &Session, args: &ReportArgs) -> Result<(), Failure> {
    let output = &session.output;
    let to_output = args.out == Path::new(STANDARD_OUTPUT);
    if to_output && output.is_json() {
        return Err(Failure::Usage(
            "with --out - the page itself goes to standard output: name a file, or leave out --json".to_string(),
        ));
    }
    // It reads and writes files, without a pause in which others could be at work.
    let report = tokio::task::block_in_place(|| Report::of(&args.snapshot))?;
    if to_output {
        // Its last line break is that of the output.
        return Ok(output.text(report.page()?.trim_end())?);
    }
    tokio::task::block_in_place(|| report.write(&args.out, &session.unfinished))?;
    tell(output, &report, &args.out)
}

fn tell(output: &Output, report: &Report, path: &Path) -> Result<(), Failure> {
    let path = path.display().to_string();
    let unknown = report.roles_with_unknown_members();
    if output.is_json() {
        output.json(&Line {
            type_: "report",
            report: &path,
            counts: report.counts(),
            roles_with_unknown_members: unknown,
            findings: report.findings(),
        })?;
        return Ok(());
    }
    let without = match unknown {
        0 => String::new(),
        1 => ", without the grants of 1 role whose members are unknown".to_string(),
        roles => format!(", without the grants of {roles} roles whose members are unknown"),
    };
    let text = format!("Report: {path}, of {}{without}.", report.counts());
    Ok(output.text(&escape::one_line(&text))?)
}

/// What is said with `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(rename = "type")]
    type_: &'static str,
    report: &'a str,
    counts: &'a Counts,
    roles_with_unknown_members: usize,
    findings: &'a [Finding],
}
