//! Charts: tables in which every number has a bar beside it, so that the text of a chart is the chart itself.
//!
//! Bars are told apart by pattern and not by colour alone. Roles are named on every part of the tables, since on a narrow screen
//! they are laid out as something else, and browsers then forget that they are tables.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, Render, html};

use crate::columns::Columns;
use crate::html::{Name, Number, counted};

/// How many roles a chart has at most.
const MOST_ROLES: usize = 15;
const DAY: i64 = 24 * 60 * 60;

/// How an account is, as one of the columns of a chart.
type Column<'a> = Box<dyn Fn(usize) -> usize + 'a>;

/// All charts. `finished` is when the snapshot was.
pub fn render(columns: &Columns, finished: &str) -> Markup {
    let accounts = &columns.accounts;
    let state = flag_column(&accounts.enabled.0);
    let factor = flag_column(&accounts.mfa_configured.0);
    html! {
        (members(columns))
        (by_kind(columns, "Accounts by kind and state", &["Enabled", "Disabled", "Not known"], &state))
        (by_kind(columns, "Second factor by kind", &["Set up", "None", "Not known"], &factor))
        @if columns.sign_ins_asked {
            (by_kind(
                columns,
                "Last sign-in on record by kind, before the snapshot",
                &["≤ 30 days", "≤ 90 days", "Earlier", "None"],
                &age_column(&accounts.last_sign_in, finished),
            ))
        }
    }
}

fn flag_column(flags: &[Option<bool>]) -> Column<'_> {
    Box::new(|account| match flags[account] {
        Some(true) => 0,
        Some(false) => 1,
        None => 2,
    })
}

fn age_column<'a>(times: &'a [Option<String>], finished: &str) -> Column<'a> {
    let finished: Option<Timestamp> = finished.parse().ok();
    let is_within = move |time: Timestamp, days| {
        finished
            .is_some_and(|end| end.duration_since(time) <= SignedDuration::from_secs(days * DAY))
    };
    Box::new(move |account| match &times[account] {
        None => 3,
        Some(time) => match time.parse() {
            Ok(time) if is_within(time, 30) => 0,
            Ok(time) if is_within(time, 90) => 1,
            // Also what is too far away to have a date.
            _ => 2,
        },
    })
}

/// How many hold each role, for the roles that most hold. A role whose members are unknown has no number.
fn members(columns: &Columns) -> Markup {
    let ids = &columns.roles.ids;
    let mut members = vec![0; ids.all()];
    for &role in &columns.grants.role {
        members[role] += 1;
    }
    let unknown: BTreeSet<_> = columns.roles.with_unknown_members().collect();
    let mut roles: Vec<_> = (0..ids.all()).collect();
    roles.retain(|role| !unknown.contains(role));
    // The sort is stable: roles of one size stay in the order of the snapshot.
    roles.sort_by_key(|role| std::cmp::Reverse(members[*role]));
    let left_out = roles.len().saturating_sub(MOST_ROLES);
    roles.truncate(MOST_ROLES);
    let most = roles.first().map_or(0, |role| members[*role]);
    let rows = html! {
        @for role in roles {
            (row(&Name(&columns.roles.shown(role)), &[members[role]], &[], most))
        }
    };
    let note = html! {
        @if left_out > 0 {
            p { "And " (Number(left_out as u64)) " more roles, in the list below." }
        }
        @if !unknown.is_empty() {
            p { "Without " (counted(unknown.len(), "role")) ", whose members are unknown." }
        }
    };
    chart("Members per role", "Role", &["Members"], &rows, &note)
}

/// Accounts of each kind, divided by how they are.
fn by_kind(columns: &Columns, title: &str, heads: &[&str], column: &Column<'_>) -> Markup {
    let mut kinds: HashMap<Option<&str>, Vec<u64>> = HashMap::new();
    for account in 0..columns.accounts.ids.known() {
        let kind = columns.accounts.kind.get(account);
        kinds.entry(kind).or_insert_with(|| vec![0; heads.len()])[column(account)] += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(kind, numbers)| (std::cmp::Reverse(numbers.iter().sum::<u64>()), *kind));
    let rows = html! {
        @for (kind, numbers) in kinds {
            @let name = kind.map(Name);
            @let label: &dyn Render = match &name {
                Some(name) => name,
                None => &"Kind not known",
            };
            (row(label, &numbers, heads, numbers.iter().sum()))
        }
    };
    chart(title, "Kind", heads, &rows, &html! {})
}

fn chart(title: &str, first: &str, heads: &[&str], rows: &Markup, note: &Markup) -> Markup {
    html! {
        figure.chart {
            table role="table" {
                caption { (title) }
                thead role="rowgroup" {
                    tr role="row" {
                        th scope="col" role="columnheader" { (first) }
                        td.measure role="cell" {}
                        @for (place, head) in heads.iter().enumerate() {
                            th.number scope="col" role="columnheader" {
                                // The pattern of a column, where there are several.
                                @if heads.len() > 1 {
                                    svg.key aria-hidden="true" {
                                        rect.{ "part" (place) } width="100%" height="100%" {}
                                    }
                                }
                                (head)
                            }
                        }
                    }
                }
                tbody role="rowgroup" { (rows) }
            }
            (note)
        }
    }
}

/// A row with its bar. Heads are those of the numbers, where there are several.
fn row(label: &dyn Render, numbers: &[u64], heads: &[&str], whole: u64) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { (label) }
            td.measure role="cell" { (bar(numbers, whole)) }
            @for (place, number) in numbers.iter().enumerate() {
                td.number role="cell" data-label=[heads.get(place)] { (Number(*number)) }
            }
        }
    }
}

/// A bar of as many parts as there are numbers.
fn bar(numbers: &[u64], whole: u64) -> Markup {
    let before = numbers.iter().scan(0, |sum, number| {
        let before = *sum;
        *sum += number;
        Some(before)
    });
    html! {
        svg.bar aria-hidden="true" {
            @for (place, (number, before)) in numbers.iter().zip(before).enumerate() {
                @if *number > 0 {
                    rect.{ "part" (place) }
                        x={ (percent(before, whole)) "%" }
                        width={ (percent(*number, whole)) "%" }
                        height="100%" {}
                }
            }
        }
    }
}

/// To the hundredth, without a float that could be written differently elsewhere.
fn percent(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole).max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_part() {
        assert_eq!(percent(1, 3), "33.33");
        assert_eq!(percent(5, 5), "100.00");
        assert_eq!(percent(0, 0), "0.00");
    }

    #[test]
    fn sign_ins_are_counted_back_from_the_snapshot() {
        let times = [
            Some("2026-11-30T00:00:00Z"),
            Some("2026-10-01T00:00:00Z"),
            Some("2020-01-01T00:00:00Z"),
            Some("9999999999999999"),
            None,
        ];
        let times = times.map(|time| time.map(String::from));
        let column = age_column(&times, "2026-12-01T00:00:00.000Z");
        let ages: Vec<_> = (0..times.len()).map(column).collect();
        assert_eq!(ages, [0, 1, 2, 2, 3]);
    }
}
