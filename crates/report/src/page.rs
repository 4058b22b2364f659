//! The page itself: what stands in it without a script, and by which rules a browser holds it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::columns::Roles;
use crate::error::Error;
use crate::findings::Finding;
use crate::html::{self, Name, Number, Text, counted};
use crate::read::Provenance;
use crate::{Report, charts};

/// How every report begins, by which it is known to be one.
pub const BEGINNING: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"generator\" content=\"connector-host report\">\n";

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
    let run = &report.provenance.run;
    let title = format!("Access review: {}, {}", run.base_url, day(&run.finished));
    let data = html::json(&report.columns)?;
    let page = html! {
        (PreEscaped(BEGINNING))
        meta http-equiv="Content-Security-Policy" content=(policy());
        meta name="viewport" content="width=device-width, initial-scale=1";
        meta name="color-scheme" content="light dark";
        meta name="referrer" content="no-referrer";
        meta name="robots" content="noindex";
        title { (Text(&title)) }
        style { (PreEscaped(STYLE)) }
        body {
            a.skip href="#main" { "Skip to the content" }
            (header(&report.provenance))
            main #main {
                (warnings(&report.provenance))
                (members_unknown(&report.columns.roles))
                noscript {
                    p.warning {
                        strong { "JavaScript is off." }
                        " The numbers and charts are here all the same. The lists of roles and accounts, with search and filters, are \
                         not: they are made by the script in this file."
                    }
                }
                (look(report))
                section aria-labelledby="charts" {
                    h2 #charts tabindex="-1" { "Charts" }
                    (patterns())
                    div.charts { (charts::render(&report.columns, &run.finished)) }
                }
                (role_list())
                (account_list())
                (about())
                (signature())
            }
            script type="application/json" id="data" { (PreEscaped(data)) }
            script { (PreEscaped(SCRIPT)) }
        }
        (PreEscaped("\n"))
    };
    Ok(page.into_string())
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

fn header(provenance: &Provenance) -> Markup {
    let parts = [
        ("#look", "What to look at"),
        ("#charts", "Charts"),
        ("#roles", "Roles"),
        ("#accounts", "Accounts"),
        ("#about", "About"),
    ];
    html! {
        header {
            p.kind { "Access review" }
            h1 { (Name(&provenance.run.base_url)) }
            dl.provenance {
                @for (term, text) in origin(provenance) {
                    div { dt { (term) } dd { (Name(&text)) } }
                }
            }
            nav.parts aria-label="Parts of this page" {
                @for (place, name) in parts { a href=(place) { (name) } " " }
            }
        }
    }
}

/// Where the snapshot comes from, as terms with descriptions.
fn origin(provenance: &Provenance) -> [(&'static str, String); 6] {
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
    [
        ("Taken", span(&run.started, &run.finished)),
        ("Complete", "yes: every listing ran to its end".to_string()),
        ("Notices of the connector", notices),
        ("Details asked for", details),
        (
            "Connector",
            format!("{} {}", run.connector, run.connector_version),
        ),
        ("Contract", provenance.contract.clone()),
    ]
}

/// What makes the snapshot doubtful.
fn warnings(provenance: &Provenance) -> Markup {
    let (said, there) = (&provenance.run.counts, &provenance.counts);
    html! {
        @if said != there {
            p.warning {
                strong { "The snapshot was changed after the sync:" }
                " it says that it has " (maud::display(said)) ", and has " (maud::display(there)) "."
            }
        }
    }
}

/// Says which roles came without their members, and what that means for the page. Without JavaScript too, so with names, of which the
/// list of roles has all.
fn members_unknown(roles: &Roles) -> Markup {
    let unknown: Vec<_> = roles.with_unknown_members().collect();
    html! {
        @if !unknown.is_empty() {
            p.warning {
                strong { "The members of " (counted(unknown.len(), "role")) " are unknown:" }
                @for (place, role) in unknown.iter().take(MOST_NAMES).enumerate() {
                    @if place > 0 { "," }
                    " " (Name(&roles.shown(*role)))
                }
                @if unknown.len() > MOST_NAMES {
                    ", and " (Number((unknown.len() - MOST_NAMES) as u64)) " more"
                }
                ". The connected system did not say who holds them, which does not mean that nobody does. Their grants are in no number, \
                 no chart and no list of this page: review them in the connected system."
            }
        }
    }
}

/// What to look at, and how much there is of everything.
fn look(report: &Report) -> Markup {
    let counts = report.counts();
    let unknown = report.roles_with_unknown_members();
    html! {
        section aria-labelledby="look" {
            h2 #look tabindex="-1" { "What to look at" }
            dl.counts {
                div { dt { "Accounts" } dd { (Number(counts.accounts)) } }
                div { dt { "Roles" } dd { (Number(counts.roles)) } }
                div {
                    dt {
                        "Grants"
                        @if unknown > 0 { ", without " (counted(unknown, "role")) " whose members are unknown" }
                    }
                    dd { (Number(counts.grants)) }
                }
                div { dt { "Organizations" } dd { (Number(counts.organizations)) } }
            }
            table.findings {
                caption { "How many accounts there are of each. An account may be in several." }
                thead {
                    tr {
                        th scope="col" { "Accounts" }
                        th.number scope="col" { "Number" }
                        th.number scope="col" { "Not known" }
                    }
                }
                tbody { @for finding in report.findings() { (row(finding)) } }
            }
        }
    }
}

/// A finding. The script makes its numbers into buttons that list the accounts.
fn row(finding: &Finding) -> Markup {
    html! {
        tr {
            th scope="row" { (finding.title) small { (Text(&finding.explanation)) } }
            td.number data-finding=(finding.finding) {
                @match finding.accounts {
                    Some(accounts) => (Number(accounts)),
                    // A dash to see, and words to hear.
                    None => span.none { span aria-hidden="true" { "–" } span.unseen { "not known" } },
                }
            }
            // Where nothing can be unknown, the cell is empty and not zero.
            td.number data-not-known=(finding.finding) {
                @if let Some(accounts) = finding.not_known { (Number(accounts)) }
            }
        }
    }
}

/// What tells the parts of bars apart.
fn patterns() -> Markup {
    html! {
        svg.patterns aria-hidden="true" {
            defs {
                pattern #stripes width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.ground width="6" height="6" {}
                    rect.ink width="3" height="6" {}
                }
                pattern #lines width="4" height="4" patternUnits="userSpaceOnUse" {
                    rect.ground width="4" height="4" {}
                    rect.ink width="4" height="2" {}
                }
                pattern #dots width="5" height="5" patternUnits="userSpaceOnUse" {
                    rect.ground width="5" height="5" {}
                    circle.ink cx="2.5" cy="2.5" r="1.1" {}
                }
            }
        }
    }
}

/// Where the script puts the list of roles.
fn role_list() -> Markup {
    html! {
        section #roles-section aria-labelledby="roles" hidden {
            h2 #roles tabindex="-1" { "Roles" }
            form.controls role="search" aria-label="Roles" {
                div.fields { (search("Search roles")) }
            }
            div.list {}
        }
    }
}

/// Where the script puts the list of accounts.
fn account_list() -> Markup {
    html! {
        section #accounts-section aria-labelledby="accounts" hidden {
            h2 #accounts tabindex="-1" { "Accounts" }
            form.controls role="search" aria-label="Accounts" {
                div.fields {
                    (search("Search by name, address, identifier, organization or role"))
                    label { "Role" select #role-filter {} }
                    label { "Kind" select #kind-filter {} }
                }
                fieldset { legend { "Only these" } div #findings-filter {} }
                button #clear type="button" { "Clear search and filters" }
            }
            div.list {}
        }
    }
}

fn search(label: &str) -> Markup {
    html! {
        label.wide { (label) input type="search" autocomplete="off" spellcheck="false"; }
    }
}

fn about() -> Markup {
    html! {
        section aria-labelledby="about" {
            h2 #about tabindex="-1" { "About this page" }
            p {
                strong { "–" }
                " stands for what is not known: the connected system did not send it, or was not asked. It is never counted as no. Of a \
                 role whose members are unknown it is not known who holds it: it is not shown as one that nobody holds."
            }
            p {
                "A last sign-in is the last that the connected system tells of. “None on record” does not say that there was none, if it \
                 was before its records begin."
            }
            p {
                "Telephone numbers, further attributes and further identifiers are in the snapshot, and not on this page. What is done in \
                 the connected system after the snapshot is not here: make another one."
            }
            p {
                "This page has the data of people in it. It loads nothing and sends nothing, and can be printed or kept as it is: what is \
                 printed of a list is the page of it that is shown."
            }
        }
    }
}

fn signature() -> Markup {
    html! {
        section.signature aria-label="Signature" {
            dl {
                @for field in ["Reviewed by", "Date", "Signature"] { div { dt { (field) } dd {} } }
            }
        }
    }
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
