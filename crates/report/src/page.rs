//! The page itself: what stands in it without a script, and by which rules a browser holds it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::columns::Roles;
use crate::error::Error;
use crate::findings::Finding;
use crate::html::{self, Name, Number, Text, counted};
use crate::read::Provenance;
use crate::{Report, charts};

/// How every report begins, by which it is known to be one.
pub const BEGINNING: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"connector-host report\">\n";

/// What stands for what is not known: a dash to see, and words to hear.
const NOT_KNOWN: &str = "<span class=\"none\"><span aria-hidden=\"true\">–</span><span class=\"unseen\">not known</span></span>";

/// How many roles a warning names.
const MOST_NAMES: usize = 10;

const STYLE: &str = include_str!("page/style.css");
/// One script, in the order in which its parts need each other.
const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("page/text.js"),
    include_str!("page/data.js"),
    include_str!("page/filters.js"),
    include_str!("page/table.js"),
    include_str!("page/roles.js"),
    include_str!("page/accounts.js"),
    include_str!("page/main.js"),
);

/// Puts the page together.
pub fn render(report: &Report) -> Result<String, Error> {
    let Provenance { run, counts, .. } = &report.provenance;
    Ok(format!(
        include_str!("page/page.html"),
        beginning = BEGINNING,
        policy = policy(),
        title = Text(&format!(
            "Access review: {}, {}",
            run.base_url,
            day(&run.finished)
        )),
        style = STYLE,
        tenant = Name(&run.base_url),
        provenance = provenance(&report.provenance),
        warnings = warnings(&report.provenance) + &members_unknown(&report.columns.roles),
        accounts = Number(counts.accounts),
        roles = Number(counts.roles),
        grants = Number(counts.grants),
        grants_without = grants_without(&report.columns.roles),
        organizations = Number(counts.organizations),
        findings = findings(&report.findings),
        charts = charts::render(&report.columns, &run.finished),
        data = html::json(&report.columns)?,
        script = SCRIPT,
    ))
}

/// Nothing is loaded from anywhere, nothing runs or has an effect but this very style and script, and the script cannot make
/// markup out of text. Data in a `<script>` that is no script is no matter of the policy.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Where the snapshot comes from, as terms with descriptions.
fn provenance(provenance: &Provenance) -> String {
    let run = &provenance.run;
    let notices = match provenance.notices {
        None => "not known".to_string(),
        // Accounts and grants are listed apart: what does not fit together between them is a finding, and no notice.
        Some(0) => "none within any one listing".to_string(),
        Some(notices) => format!(
            "{}: what was sent twice, or within one listing names what is not in it. `sync` says which",
            Number(notices)
        ),
    };
    let details = match run.details.as_slice() {
        [] => "none".to_string(),
        details => details.join(", "),
    };
    let rows = [
        ("Taken", span(&run.started, &run.finished)),
        ("Complete", "yes: every listing ran to its end".to_string()),
        ("Notices of the connector", notices),
        ("Details asked for", details),
        (
            "Connector",
            format!("{} {}", run.connector, run.connector_version),
        ),
        ("Contract", provenance.contract.clone()),
    ];
    let rows =
        rows.map(|(term, text)| format!("<div><dt>{term}</dt><dd>{}</dd></div>\n", Name(&text)));
    rows.concat()
}

/// What makes the snapshot doubtful.
fn warnings(provenance: &Provenance) -> String {
    let (said, there) = (&provenance.run.counts, &provenance.counts);
    if said == there {
        return String::new();
    }
    format!(
        "<p class=\"warning\"><strong>The snapshot was changed after the sync:</strong> it says that it has {}, and has {}.</p>\n",
        Text(&said.to_string()),
        Text(&there.to_string())
    )
}

/// Says which roles came without their members, and what that means for the page. Without JavaScript too, so with names, of which the
/// list of roles has all.
fn members_unknown(roles: &Roles) -> String {
    let unknown: Vec<_> = roles.with_unknown_members().collect();
    if unknown.is_empty() {
        return String::new();
    }
    let shown = unknown.iter().take(MOST_NAMES);
    let mut names: Vec<_> = shown
        .map(|role| Name(&roles.shown(*role)).to_string())
        .collect();
    if unknown.len() > MOST_NAMES {
        names.push(format!(
            "and {} more",
            Number((unknown.len() - MOST_NAMES) as u64)
        ));
    }
    format!(
        "<p class=\"warning\"><strong>The members of {} are unknown:</strong> {}. The connected system did not say who holds them, \
         which does not mean that nobody does. Their grants are in no number, no chart and no list of this page: review them in the \
         connected system.</p>\n",
        counted(unknown.len(), "role"),
        names.join(", ")
    )
}

/// What the number of grants leaves out, beside its name.
fn grants_without(roles: &Roles) -> String {
    match roles.with_unknown_members().count() {
        0 => String::new(),
        unknown => format!(
            ", without {} whose members are unknown",
            counted(unknown, "role")
        ),
    }
}

fn findings(findings: &[Finding]) -> String {
    let rows: Vec<_> = findings.iter().map(finding).collect();
    rows.concat()
}

/// One row. The script makes its numbers into buttons that list the accounts.
fn finding(finding: &Finding) -> String {
    let Finding {
        finding: name,
        title,
        explanation,
        ..
    } = finding;
    let accounts = finding.accounts.map_or_else(
        || NOT_KNOWN.to_string(),
        |accounts| Number(accounts).to_string(),
    );
    // Where nothing can be unknown, the cell is empty and not zero.
    let not_known = finding.not_known.map(|number| Number(number).to_string());
    format!(
        "<tr><th scope=\"row\">{}<small>{}</small></th><td class=\"number\" data-finding=\"{name}\">{accounts}</td>\
         <td class=\"number\" data-not-known=\"{name}\">{}</td></tr>\n",
        Text(title),
        Text(explanation),
        not_known.unwrap_or_default()
    )
}

/// From one point in time, as a snapshot has it, to another, to the second.
fn span(from: &str, to: &str) -> String {
    let day_and_time = |time: &str| time.split('.').next().unwrap_or(time).replace('T', " ");
    let (from, to) = (day_and_time(from), day_and_time(to));
    let end = match (from.split_once(' '), to.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => time,
        _ => &to,
    };
    format!("{from} to {end} UTC")
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_begins_as_reports_do() {
        assert!(include_str!("page/page.html").starts_with("{beginning}"));
    }

    #[test]
    fn times_are_shown_to_the_second_and_their_day_once() {
        let (start, end) = ("2026-11-25T23:59:17.111Z", "2026-11-25T23:59:58.000Z");
        assert_eq!(span(start, end), "2026-11-25 23:59:17 to 23:59:58 UTC");
        let next_day = "2026-11-26T00:00:01.000Z";
        assert_eq!(
            span(start, next_day),
            "2026-11-25 23:59:17 to 2026-11-26 00:00:01 UTC"
        );
        assert_eq!(day(start), "2026-11-25");
    }

    #[test]
    fn style_and_script_end_where_they_should() {
        // Either would end its element early.
        assert!(!SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
        assert!(!STYLE.contains("</"));
    }
}
