//! The figures as one table, with what they have to be.

use std::fmt;

use serde::Serialize;

use crate::children::Wire;
use crate::jobs::Side;
use crate::sync::{self, INSTANCES, Took};
use crate::{Report, latency, tenants};

const MIB: f64 = 1024.0 * 1024.0;

/// Lines of figures.
#[derive(Serialize)]
pub struct Table(Vec<Row>);

/// A figure of the component, of the native library beside it where there is one, and what it has to be.
#[derive(Default, Serialize)]
struct Row {
    what: String,
    component: String,
    native: Option<String>,
    ratio: Option<f64>,
    bar: Option<String>,
    met: Option<bool>,
}

impl Row {
    fn new(what: impl Into<String>, component: String) -> Self {
        Row {
            what: what.into(),
            component,
            ..Row::default()
        }
    }

    /// The same figure of both sides.
    fn both(
        what: impl Into<String>,
        shown: impl Fn(f64) -> String,
        of: impl Fn(Side) -> f64,
    ) -> Self {
        let (component, native) = (of(Side::Component), of(Side::Native));
        Row {
            native: Some(shown(native)),
            ratio: Some(component / native),
            ..Row::new(what, shown(component))
        }
    }

    /// What has to be so much at the most.
    fn at_most(mut self, figure: f64, most: f64, bar: impl Into<String>) -> Self {
        self.bar = Some(bar.into());
        self.met = Some(figure <= most);
        self
    }
}

impl Table {
    /// What was measured.
    pub fn of(report: &Report) -> Self {
        let mut rows = Vec::new();
        for size in &report.sync {
            rows.extend(sync_rows(size));
        }
        rows.extend(rows_over_http2(&report.sync_over_http2));
        rows.extend(growth(&report.sync));
        for held in &report.latency {
            rows.extend(latency_rows(held));
        }
        rows.extend(startup_rows(report));
        for tenants in &report.tenants {
            rows.extend(tenant_rows(tenants));
        }
        let program = &report.program;
        rows.push(Row::new(
            format!(
                "sync --json of {} accounts: wall",
                thousands(program.accounts)
            ),
            seconds(program.wall),
        ));
        let over_idle = program.peak.saturating_sub(program.idle) as f64;
        rows.push(
            Row::new("  host memory over idle", mebibytes(over_idle)).at_most(
                over_idle,
                64.0 * MIB,
                "≤ 64 MiB",
            ),
        );
        let bytes = report.component_bytes as f64;
        rows.push(
            Row::new("the component", format!("{:.1} KiB", bytes / 1024.0)).at_most(
                bytes,
                400.0 * 1024.0,
                "≤ 400 KiB",
            ),
        );
        Table(rows)
    }

    /// Whether no bar was missed.
    pub fn all_met(&self) -> bool {
        self.0.iter().all(|row| row.met != Some(false))
    }
}

fn sync_rows(size: &sync::Figures) -> Vec<Row> {
    let median = |of: fn(&Took) -> f64| move |side| size.rounds.median(side, of);
    let accounts = f64::from(size.accounts);
    let grants = size.rounds.component[0].grants;
    let wall = Row::both(
        format!(
            "{} accounts, {} grants: wall",
            thousands(size.accounts),
            thousands(u32::try_from(grants).unwrap_or(u32::MAX))
        ),
        seconds,
        median(|took| took.wall),
    );
    let ratio = wall.ratio.unwrap_or(f64::NAN);
    let guest_memory = median(|took| took.guest_memory as f64)(Side::Component);
    let requests = median(|took| took.requests)(Side::Component);
    // A token for each instance, users, roles, and organizations up to the empty page that ends them.
    let needed = INSTANCES.len() as f64 + 2.0 + pages_of_organizations(size.accounts);
    vec![
        if size.accounts == 100_000 {
            wall.at_most(ratio, 1.5, "≤ 1.5×")
        } else {
            wall
        },
        Row::both("  CPU", seconds, median(|took| took.cpu)),
        Row::both(
            "  accounts per second",
            |rate| format!("{rate:.0}"),
            |side| accounts / size.rounds.median(side, |took| took.wall),
        ),
        Row::both("  first page", seconds, median(|took| took.first_page)),
        Row::new("  guest memory", mebibytes(guest_memory)).at_most(
            guest_memory,
            8.0 * MIB,
            "≤ 8 MiB",
        ),
        Row::both(
            "  host memory over idle",
            mebibytes,
            median(|took| took.resident_over_idle as f64),
        ),
        Row::both(
            "  requests",
            |requests| format!("{requests:.0}"),
            median(|took| took.requests),
        )
        .at_most(requests, needed, format!("≤ {needed:.0}")),
    ]
}

/// Of the same sync over TLS and HTTP/2, what may differ.
fn rows_over_http2(size: &sync::Figures) -> Vec<Row> {
    let median = |of: fn(&Took) -> f64| move |side| size.rounds.median(side, of);
    let what = format!(
        "{} accounts over TLS and HTTP/2: wall",
        thousands(size.accounts)
    );
    vec![
        Row::both(what, seconds, median(|took| took.wall)),
        Row::both("  CPU", seconds, median(|took| took.cpu)),
        Row::both(
            "  host memory over idle",
            mebibytes,
            median(|took| took.resident_over_idle as f64),
        ),
    ]
}

fn latency_rows(held: &latency::Figures) -> Vec<Row> {
    let what = format!(
        "{} accounts, {} organizations, {} ms of latency: wall",
        thousands(held.took.accounts),
        thousands(latency::ORGANIZATIONS),
        held.latency
    );
    let wall = Row::both(what, seconds, |side| {
        held.took.rounds.median(side, |took| took.wall)
    });
    if held.took.accounts != latency::SMALL {
        return vec![wall];
    }
    let round_trips = Row::new(
        "  round trips one after the other",
        format!("{:.1}", held.round_trips),
    );
    // Whole ones: the work of a round trip is beyond them.
    let held_to_it = round_trips.at_most(held.round_trips.round(), 4.0, "≤ 4");
    vec![wall, held_to_it]
}

/// How many pages of organizations a simulated tenant has: a thousand each, and an empty one.
fn pages_of_organizations(accounts: u32) -> f64 {
    let organizations = (accounts / 50).clamp(1, 2000);
    f64::from(organizations.div_ceil(1000) + 1)
}

/// How much longer an account takes in a large tenant than in a small one.
fn growth(sizes: &[sync::Figures]) -> Option<Row> {
    let of = |accounts: u32, side| {
        let size = sizes.iter().find(|size| size.accounts == accounts)?;
        Some(size.rounds.median(side, |took| took.wall) / f64::from(accounts))
    };
    let growth = |side| Some(of(1_000_000, side)? / of(10_000, side)?);
    let component = growth(Side::Component)?;
    let row = Row::new(
        "time per account at 1,000,000 against 10,000",
        format!("{component:.2}×"),
    );
    Some(Row {
        native: growth(Side::Native).map(|native| format!("{native:.2}×")),
        ..row.at_most(component, 1.15, "≤ 1.15×")
    })
}

fn startup_rows(report: &Report) -> Vec<Row> {
    let startup = &report.startup;
    let took = &startup.took;
    vec![
        Row::new("compile the component", seconds(took.compile)),
        Row::new("load compiled code", seconds(took.load)),
        Row::new(
            "start an instance from the pool",
            seconds(took.start_pooled),
        )
        .at_most(took.start_pooled, 50e-6, "≤ 50 µs"),
        Row::new("start an instance on demand", seconds(took.start_on_demand)),
        Row::new(
            "memory of an instance that waits",
            format!("{:.0} KiB", took.waiting_instance / 1024.0),
        ),
        Row::both(
            "a call that sends nothing (describe)",
            seconds,
            |side| match side {
                Side::Component => took.call,
                Side::Native => took.call_native,
            },
        ),
        Row::both(
            "a grant and its revocation, end to end",
            seconds,
            |side| match side {
                Side::Component => took.grant,
                Side::Native => took.grant_native,
            },
        ),
        Row::new(
            "fresh process, warm cache: first result of describe",
            seconds(startup.process_to_description),
        )
        .at_most(startup.process_to_description, 0.030, "≤ 30 ms"),
        Row::new(
            "fresh process, warm cache: first account",
            seconds(startup.process_to_account),
        )
        .at_most(startup.process_to_account, 0.030, "≤ 30 ms"),
    ]
}

fn tenant_rows(tenants: &tenants::Figures) -> Vec<Row> {
    let number = tenants.tenants;
    let what = format!(
        "{number} {} of {} accounts at once{}{}: syncs per second",
        if number == 1 { "tenant" } else { "tenants" },
        thousands(tenants::ACCOUNTS),
        match tenants.wire {
            Wire::Http1 => "",
            Wire::Http2 => " over TLS and HTTP/2",
        },
        match tenants.paused {
            0 => String::new(),
            paused => format!(
                ", while {paused} of {} pause",
                thousands(tenants::ACCOUNTS_OF_PAUSED)
            ),
        }
    );
    vec![
        Row::both(
            what,
            |rate| format!("{rate:.1}"),
            |side| tenants.rounds.median(side, |took| took.syncs_per_second),
        ),
        Row::both("  CPU of a sync", seconds, |side| {
            tenants.rounds.median(side, |took| took.cpu_per_sync)
        }),
        Row::both("  host memory over idle, for each", mebibytes, |side| {
            tenants
                .rounds
                .median(side, |took| took.resident_over_idle as f64)
                / f64::from(number + tenants.paused)
        }),
    ]
}

/// A time, in the unit that suits it.
fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 1e-3 => format!("{:.1} µs", s * 1e6),
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / MIB)
}

/// A number with commas.
pub fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["", "COMPONENT", "NATIVE", "RATIO", "BAR", ""].map(str::to_string);
        let lines: Vec<[String; 6]> = [head].into_iter().chain(self.0.iter().map(cells)).collect();
        let width = |column: usize| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.max().unwrap_or_default()
        };
        for line in &lines {
            let mut text = format!("{:<1$}", line[0], width(0));
            for (column, cell) in line.iter().enumerate().skip(1) {
                text += &match column {
                    5 => format!("  {cell}"),
                    _ => format!("  {cell:>0$}", width(column)),
                };
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

fn cells(row: &Row) -> [String; 6] {
    [
        row.what.clone(),
        row.component.clone(),
        row.native.clone().unwrap_or_default(),
        row.ratio
            .map_or_else(String::new, |ratio| format!("{ratio:.2}×")),
        row.bar.clone().unwrap_or_default(),
        match row.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        }
        .to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(
            [7, 1_000, 100_000, 1_234_567].map(thousands),
            ["7", "1,000", "100,000", "1,234,567"]
        );
        assert_eq!(
            [0.000_012_34, 0.012_34, 1.234].map(seconds),
            ["12.3 µs", "12.3 ms", "1.23 s"]
        );
    }

    #[test]
    fn a_missed_bar_is_shown_and_counts() {
        let row =
            |figure: u8| Row::new("it", figure.to_string()).at_most(f64::from(figure), 2.0, "≤ 2");
        assert!(Table(vec![row(2)]).all_met());
        let missed = Table(vec![row(2), row(3)]);
        assert!(!missed.all_met());
        assert!(missed.to_string().contains("MISSED"));
    }
}
