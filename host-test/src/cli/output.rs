//! What the program writes to standard output: tables for people, or JSON Lines for programs.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::escape;

/// Standard output, shared by what runs at the same time.
pub struct Output {
    json: bool,
    out: Mutex<BufWriter<Stdout>>,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self {
            json,
            out: Mutex::new(BufWriter::new(io::stdout())),
        }
    }

    /// Whether a program reads, and not a person.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Writes an object as one line of JSON.
    pub fn json(&self, object: &impl Serialize) -> io::Result<()> {
        let line = serde_json::to_string(object)?;
        writeln!(self.lock(), "{}", escape::json(&line))
    }

    /// Writes lines for people. What the connected system sent must be escaped in them: see [`escape`].
    pub fn text(&self, text: &str) -> io::Result<()> {
        writeln!(self.lock(), "{text}")
    }

    /// Writes a table for people; its cells are escaped.
    pub fn table(&self, table: &Rows) -> io::Result<()> {
        self.text(&table.render(terminal_width()))
    }

    /// Hands on what was written so far.
    pub fn flush(&self) -> io::Result<()> {
        self.lock().flush()
    }

    fn lock(&self) -> MutexGuard<'_, BufWriter<Stdout>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How wide the terminal is; `None` where standard output is none, and lines may be as long as they need.
fn terminal_width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}

/// The rows of a table.
pub struct Rows {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    pub fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Its cells are escaped here, once and for all.
    pub fn push<const CELLS: usize>(&mut self, cells: [&str; CELLS]) {
        self.push_cells(&cells);
    }

    /// Adds a row of as many cells as there are.
    pub fn push_cells(&mut self, cells: &[&str]) {
        let cells = cells.iter().map(|cell| escape::one_line(cell).into_owned());
        self.rows.push(cells.collect());
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn render(&self, width: Option<u16>) -> String {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_header(&self.head)
            .add_rows(&self.rows);
        if let Some(width) = width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let lines: Vec<_> = table
            .lines()
            .map(|line| line.trim_end().to_string())
            .collect();
        lines.join("\n")
    }
}

/// What is shown where there is nothing to show. Absent is not empty, and not `no`.
pub const ABSENT: &str = "-";

pub fn text_or_absent(text: Option<&str>) -> &str {
    text.unwrap_or(ABSENT)
}

pub fn yes_or_no(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => ABSENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_the_terminal() {
        let mut rows = Rows::new(&["ID", "NAME"]);
        rows.push([
            "1",
            "a name that is much too long for such a narrow terminal",
        ]);
        let text = rows.render(Some(30));
        assert!(
            text.lines().all(|line| line.chars().count() <= 30),
            "{text}"
        );
    }

    #[test]
    fn a_cell_cannot_write_to_the_terminal() {
        let mut rows = Rows::new(&["NAME"]);
        rows.push(["\u{1b}[2Jgone\nnext"]);
        let text = rows.render(None);
        assert!(text.contains("\\u{1b}[2Jgone\\nnext"), "{text}");
    }

    #[test]
    fn absent_is_not_no() {
        assert_eq!(
            [None, Some(false), Some(true)].map(yes_or_no),
            ["-", "no", "yes"]
        );
    }
}
