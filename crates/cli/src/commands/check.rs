//! `check`: whether the connection works, and for what.

use std::io;

use connector_host::contract::{CheckReport, Permission};

use crate::color::Mark;
use crate::exit::Exit;
use crate::failure::{Doing, Failure};
use crate::output::{Output, Rows};
use crate::session::Session;
use connector_escape as escape;

pub async fn run(session: &Session) -> Result<(), Failure> {
    let mut connector = session.connector().await?;
    let report = connector.check().await.doing("Checking the connection")?;
    if session.output.is_json() {
        session.output.json(&report)?;
    } else {
        show(&session.output, &report)?;
    }
    if report.healthy {
        Ok(())
    } else {
        Err(Failure::Unhealthy(exit(&report)))
    }
}

/// Shows a report to a person.
pub fn show(output: &Output, report: &CheckReport) -> io::Result<()> {
    let verdict = if report.healthy {
        output.paint(Mark::Good, "works")
    } else {
        output.paint(Mark::Bad, "does not work")
    };
    let scopes = report.granted_scopes.as_ref().map_or_else(
        || "It was not told which scopes were granted.".to_string(),
        |scopes| format!("Granted scopes: {}.", scopes.join(" ")),
    );
    output.text(&format!(
        "The connection to {} {verdict}. {}\n",
        escape::one_line(&report.endpoint),
        escape::lines(&scopes)
    ))?;
    output.table(&probes(report))?;
    output.text("")?;
    output.table(&operations(report))?;
    for (index, advice) in report.advice.iter().enumerate() {
        let blank = if index == 0 { "\n" } else { "" };
        output.text(&format!("{blank}{}. {}", index + 1, escape::lines(advice)))?;
    }
    Ok(())
}

fn probes(report: &CheckReport) -> Rows {
    let mut rows = Rows::new(&["REQUEST", "NEEDED FOR", "TIME", "RESULT"]).judging(3, |result| {
        let works = result == "works";
        Some(if works { Mark::Good } else { Mark::Bad })
    });
    for probe in &report.probes {
        let result = probe.failure.as_ref().map_or_else(
            || "works".to_string(),
            |reason| format!("{}: {}", reason.kind.name(), reason.message),
        );
        rows.push([
            &probe.request,
            &probe.purpose,
            &format!("{} ms", probe.duration),
            &result,
        ]);
    }
    rows
}

fn operations(report: &CheckReport) -> Rows {
    let mut rows = Rows::new(&["OPERATION", "ALLOWED", "WHY"]).judging(1, |allowed| {
        Some(match allowed {
            "yes" => Mark::Good,
            "no" => Mark::Bad,
            _ => Mark::Doubtful,
        })
    });
    let mut last = "";
    for check in &report.operations {
        let (allowed, reason) = match &check.permission {
            Permission::Allowed => ("yes", ""),
            Permission::Denied(reason) => ("no", reason.as_str()),
            Permission::Unknown(reason) => ("perhaps", reason.as_str()),
        };
        // What is wrong with the credentials is wrong for every operation.
        let advice = report.advice.iter().position(|advice| advice == reason);
        let shown = match advice {
            Some(place) => format!("see {} below", place + 1),
            None if !reason.is_empty() && reason == last => "as above".to_string(),
            None => reason.to_string(),
        };
        rows.push([check.operation.name(), allowed, &shown]);
        last = reason;
    }
    rows
}

/// The exit code of the first thing that failed.
fn exit(report: &CheckReport) -> Exit {
    report
        .probes
        .iter()
        .find_map(|probe| probe.failure.as_ref())
        .map_or(Exit::Failure, |reason| reason.kind.into())
}
