//! The matrix as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::catalogue::Fault;
use super::cell::Ended;
use super::operations::COLUMNS;

const FAULT_WIDTH: usize = 30;
const CELL_WIDTH: usize = 4;

const LEGEND: &str = "\
What is hit: r reads; t the request for a token; w writes, before the tenant sees them; a the answers to writes, which are carried
out; s the answer to the first write and everything after it; W, A, S the same of the grants of an account's first roles.
How it ended: ok the right result; par a partly done change that says so; a number an `upstream` failure with that status; tim
`timeout`; net `network`; rat `rate-limited`; bad `malformed-response`; big `limit-exceeded`; una `unauthorized`; mis
`missing-permission`; unc `unconfirmed`; ref `refused`; up `upstream` in a report; ! wrong; . no such cell.
";

/// The place of a cell: whether every request is hit, the row and the column.
pub type Place = (bool, usize, usize);

/// Both halves, each under its heading, with the legend.
pub fn render(faults: &[Fault], ended: &BTreeMap<Place, Ended>, took: Duration) -> String {
    let mut text = format!(
        "{} cells in {:.0} s\n\n{LEGEND}",
        ended.len(),
        took.as_secs_f32()
    );
    for (lasts, heading) in [
        (false, "ONE REQUEST IS HIT"),
        (true, "EVERY REQUEST IS HIT"),
    ] {
        let _ = writeln!(text, "\n{heading}\n{}", head());
        for (row, fault) in faults.iter().enumerate() {
            let words = (0..COLUMNS.len()).map(|column| {
                let cell = ended.get(&(lasts, row, column));
                cell.map_or(".", |ended| ended.word.as_str())
            });
            let words: Vec<_> = words.collect();
            if words.iter().any(|word| *word != ".") {
                let _ = write!(text, "{:<FAULT_WIDTH$}", fault.name);
                for word in words {
                    let _ = write!(text, "{word:<CELL_WIDTH$}");
                }
                text.truncate(text.trim_end().len());
                text.push('\n');
            }
        }
    }
    text
}

/// The names of the operations, each over its columns and cut to fit, and what is hit.
fn head() -> String {
    let mut names = " ".repeat(FAULT_WIDTH);
    let mut letters = names.clone();
    for (index, (name, _, hit)) in COLUMNS.iter().enumerate() {
        let is_first = index == 0 || COLUMNS[index - 1].0 != *name;
        let place = FAULT_WIDTH + index * CELL_WIDTH;
        if is_first {
            let columns = COLUMNS.iter().filter(|(other, ..)| other == name).count();
            let room = columns * CELL_WIDTH - 1;
            names = format!("{names:<place$}{:.room$}", name);
        }
        letters = format!("{letters:<place$}{}", hit.letter());
    }
    format!("{names}\n{letters}")
}
