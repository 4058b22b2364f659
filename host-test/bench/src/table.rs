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

/// By how much more than their bar round trips still meet it: they are told by times, in which other work is too. Whole ones
/// are meant, and one more would show.
const TOLERATED_ROUND_TRIPS: f64 = 0.5;

/// A figure, of the component where nothing else is said; the same of what it is compared with, if anything; and what it has
/// to be.
#[derive(Default, Serialize)]
struct Row {
    what: String,
    figure: String,
    compared: Option<Compared>,
    bar: Option<String>,
    met: Option<bool>,
}

/// What a figure is compared with.
#[derive(Serialize)]
struct Compared {
    with: &'static str,
    figure: String,
    /// The figure of the row, divided by this one.
    ratio: f64,
}

impl Row {
    fn new(what: impl Into<String>, figure: String) -> Self {
        Row {
            what: what.into(),
            figure,
            ..Row::default()
        }
    }

    /// A figure of one side, and the same of another.
    fn compared(
        what: impl Into<String>,
        [one, other]: [Side; 2],
        shown: impl Fn(f64) -> String,
        of: impl Fn(Side) -> f64,
    ) -> Self {
        let (figure, its) = (of(one), of(other));
        Row {
            compared: Some(Compared {
                with: other.name(),
                figure: shown(its),
                ratio: figure / its,
            }),
            ..Row::new(what, shown(figure))
        }
    }

    /// The same figure of the component and of the native library.
    fn both(
        what: impl Into<String>,
        shown: impl Fn(f64) -> String,
        of: impl Fn(Side) -> f64,
    ) -> Self {
        Row::compared(what, Side::BOTH, shown, of)
    }

    /// What has to be so much at the most.
    fn at_most(mut self, figure: f64, most: f64, bar: impl Into<String>) -> Self {
        self.bar = Some(bar.into());
        self.met = Some(figure <= most);
        self
    }

    /// Whose ratio has to be so much at the most.
    fn ratio_at_most(self, most: f64) -> Self {
        let ratio = self.ratio();
        self.at_most(ratio, most, format!("≤ {most}×"))
    }

    /// Whose ratio has to be so much at the least.
    fn ratio_at_least(mut self, least: f64) -> Self {
        self.bar = Some(format!("≥ {least}×"));
        self.met = Some(self.ratio() >= least);
        self
    }

    /// No number where it is compared with nothing, which meets no bar.
    fn ratio(&self) -> f64 {
        self.compared
            .as_ref()
            .map_or(f64::NAN, |compared| compared.ratio)
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
    let grants = median(|took| took.grants as f64)(Side::Component);
    let wall = Row::both(
        format!(
            "{} accounts, {} grants: wall",
            thousands(size.accounts),
            thousands(grants as u32)
        ),
        seconds,
        median(|took| took.wall),
    );
    let guest_memory = median(|took| took.guest_memory as f64)(Side::Component);
    let requests = median(|took| took.requests)(Side::Component);
    // A token for each instance, users, roles, and organizations up to the empty page that ends them.
    let needed = INSTANCES.len() as f64 + 2.0 + pages_of_organizations(size.accounts);
    let mut rows = vec![wall];
    rows.extend(cpu_rows(size));
    rows.extend([
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
    ]);
    rows
}

/// The CPU time of a sync, beside that of each side that did it too.
fn cpu_rows(size: &sync::Figures) -> Vec<Row> {
    let row = |what: &str, sides| {
        Row::compared(what, sides, seconds, |side| {
            size.rounds.median(side, |took| took.cpu)
        })
    };
    let with_native = row("  CPU", Side::BOTH);
    if size.accounts != sync::COMPARED {
        return vec![with_native];
    }
    vec![
        row("  CPU", [Side::Component, Side::Released]).ratio_at_most(0.45),
        with_native.ratio_at_most(2.0),
        row("  CPU of native code", [Side::Native, Side::Floor]).ratio_at_most(2.0),
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
    let most = 4.0;
    let held_to_it = round_trips.at_most(
        held.round_trips,
        most + TOLERATED_ROUND_TRIPS,
        format!("≤ {most} + {TOLERATED_ROUND_TRIPS}"),
    );
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
    let row = Row::both(
        "time per account at 1,000,000, of that at 10,000",
        |growth| format!("{growth:.2}×"),
        |side| growth(side).unwrap_or(f64::NAN),
    );
    Some(row.at_most(component, 1.15, "≤ 1.15×"))
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
                Side::Native => took.call_native,
                _ => took.call,
            },
        ),
        Row::both(
            "a grant and its revocation, end to end",
            seconds,
            |side| match side {
                Side::Native => took.grant_native,
                _ => took.grant,
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
    let rate = |what, sides| {
        Row::compared(
            what,
            sides,
            |rate| format!("{rate:.1}"),
            |side| tenants.rounds.median(side, |took| took.syncs_per_second),
        )
    };
    let mut rows = vec![rate(what, Side::BOTH)];
    if tenants.rounds.has(Side::Released) {
        let what = "  syncs per second".to_string();
        rows.push(rate(what, [Side::Component, Side::Released]).ratio_at_least(2.0));
    }
    rows.extend([
        Row::both("  CPU of a sync", seconds, |side| {
            tenants.rounds.median(side, |took| took.cpu_per_sync)
        }),
        Row::both("  host memory over idle, for each", mebibytes, |side| {
            tenants
                .rounds
                .median(side, |took| took.resident_over_idle as f64)
                / f64::from(number + tenants.paused)
        }),
    ]);
    rows
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
        let head = [
            "",
            "FIGURE",
            "COMPARED WITH",
            "ITS FIGURE",
            "RATIO",
            "BAR",
            "",
        ]
        .map(str::to_string);
        let lines: Vec<[String; 7]> = [head].into_iter().chain(self.0.iter().map(cells)).collect();
        let width = |column: usize| {
            let cells = lines.iter().map(|line| line[column].chars().count());
            cells.max().unwrap_or_default()
        };
        for line in &lines {
            let mut text = format!("{:<1$}", line[0], width(0));
            for (column, cell) in line.iter().enumerate().skip(1) {
                text += &match column {
                    6 => format!("  {cell}"),
                    _ => format!("  {cell:>0$}", width(column)),
                };
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        Ok(())
    }
}

fn cells(row: &Row) -> [String; 7] {
    let compared =
        |cell: &dyn Fn(&Compared) -> String| row.compared.as_ref().map_or_else(String::new, cell);
    [
        row.what.clone(),
        row.figure.clone(),
        compared(&|compared| compared.with.to_string()),
        compared(&|compared| compared.figure.clone()),
        compared(&|compared| format!("{:.2}×", compared.ratio)),
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

    #[test]
    fn every_comparison_says_with_what_and_is_held_to_its_ratio() {
        let row = |other, its: f64| {
            let figure = move |side| if side == Side::Component { 1.0 } else { its };
            Row::compared("it", [Side::Component, other], seconds, figure)
        };
        let with_released = row(Side::Released, 2.0).ratio_at_most(0.5);
        assert_eq!(
            cells(&with_released),
            ["it", "1.00 s", "0.1", "2.00 s", "0.50×", "≤ 0.5×", "met"]
        );
        assert_eq!(row(Side::Floor, 1.9).ratio_at_most(0.5).met, Some(false));
        assert_eq!(row(Side::Native, 0.5).ratio_at_least(2.0).met, Some(true));
        assert_eq!(row(Side::Native, 0.51).ratio_at_least(2.0).met, Some(false));
        let alone = Row::new("it", seconds(1.0));
        assert_eq!(alone.ratio_at_most(2.0).met, Some(false));
    }
}
