//! What the program writes to standard output: tables for people, or JSON Lines for programs.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;

use super::color::{Mark, Painter};
use connector_escape as escape;

/// The space between two columns.
const GAP: u16 = 2;
/// How narrow a column may become. What is narrower of itself is never broken.
const LEAST: u16 = 16;

/// Standard output, shared by what runs at the same time.
pub struct Output {
    json: bool,
    painter: Painter,
    out: Mutex<BufWriter<Stdout>>,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self {
            json,
            painter: Painter::new(&io::stdout()),
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
        self.text(&table.render(terminal_width(), self.painter))
    }

    /// Words for people, colored where that is wanted.
    pub fn paint(&self, mark: Mark, text: &str) -> String {
        self.painter.paint(mark, text)
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
    /// A column, and what its cells mean.
    judged: Option<(usize, Judge)>,
}

/// Says what the text of a cell means.
pub type Judge = fn(&str) -> Option<Mark>;

impl Rows {
    pub fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
            judged: None,
        }
    }

    /// Colors a column by what its cells mean.
    pub fn judging(mut self, column: usize, judge: Judge) -> Self {
        self.judged = Some((column, judge));
        self
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

    fn render(&self, width: Option<u16>, painter: Painter) -> String {
        let head = self.head.iter().map(|cell| head(cell, painter)).collect();
        let rows = self.rows.iter().map(|row| self.marked_row(row, painter));
        let mut table = table(rows.collect());
        table.set_header::<Vec<String>>(head);
        let Some(width) = width else {
            return lines(&table, painter);
        };
        if !fit(&mut table, width) {
            return self.records(width, painter);
        }
        lines(&table, painter)
    }

    /// Each row on its own, with a line for each cell: for a terminal that is too narrow for a table.
    fn records(&self, width: u16, painter: Painter) -> String {
        let names = self.head.iter().map(|name| name.len()).max();
        let names = u16::try_from(names.unwrap_or_default()).unwrap_or(u16::MAX);
        let records = self.rows.iter().map(|row| {
            let cells = self.marked_row(row, painter).into_iter();
            let cells = self.head.iter().zip(cells);
            let mut record = table(
                cells
                    .map(|(name, cell)| vec![head(name, painter), cell])
                    .collect(),
            );
            arrange(&mut record, width, &[names]);
            lines(&record, painter)
        });
        records.collect::<Vec<_>>().join("\n\n")
    }

    fn marked_row(&self, row: &[String], painter: Painter) -> Vec<String> {
        if !painter.paints() {
            return row.to_vec();
        }
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let judge = self.judged.filter(|(judged, _)| *judged == column);
            marked(judge.and_then(|(_, judge)| judge(cell)), cell)
        });
        cells.collect()
    }
}

/// A table without lines, and with two columns of space between its own.
fn table(rows: Vec<Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).add_rows(rows);
    let columns = table.column_count();
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index + 1 == columns { 0 } else { GAP }));
    }
    table
}

/// Makes long columns narrower until the table fits. Says whether it can be read then.
fn fit(table: &mut Table, width: u16) -> bool {
    let widths = table.column_max_content_widths();
    let least: Vec<_> = widths.into_iter().map(|width| width.min(LEAST)).collect();
    let gaps = GAP * u16::try_from(least.len().saturating_sub(1)).unwrap_or(u16::MAX);
    let all = least
        .iter()
        .fold(gaps, |all, width| all.saturating_add(*width));
    arrange(table, width, &least);
    all <= width
}

/// Fits a table to a width, with columns of at least these widths.
fn arrange(table: &mut Table, width: u16, least: &[u16]) {
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    for (column, least) in table.column_iter_mut().zip(least) {
        let least = least.saturating_add(column.padding_width());
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
}

fn lines(table: &Table, painter: Painter) -> String {
    let lines = table.lines();
    let lines = lines.map(|line| painted(line.trim_end(), painter));
    lines.collect::<Vec<_>>().join("\n")
}

fn head(name: &str, painter: Painter) -> String {
    let mark = painter.paints().then_some(Mark::Head);
    marked(mark, name)
}

/// Where a marked text ends, and where one begins that means something: characters without a width, which the table takes for a part
/// of their words. They are in no cell, since they are escaped there.
const END: char = '\u{2060}';
const BEGIN: [(char, Mark); 4] = [
    ('\u{2061}', Mark::Head),
    ('\u{2062}', Mark::Good),
    ('\u{2063}', Mark::Bad),
    ('\u{2064}', Mark::Doubtful),
];

fn marked(mark: Option<Mark>, cell: &str) -> String {
    let begin = BEGIN.iter().find(|(_, known)| Some(*known) == mark);
    begin.map_or_else(
        || cell.to_string(),
        |(begin, _)| format!("{begin}{cell}{END}"),
    )
}

/// A line of a table with its marks as color. Of a text that goes on in the next line, only the first line is colored.
fn painted(line: &str, painter: Painter) -> String {
    let mut text = String::new();
    let (mut mark, mut word) = (None, String::new());
    for c in line.chars() {
        let begun = BEGIN.iter().find(|(begin, _)| *begin == c);
        if begun.is_none() && c != END {
            word.push(c);
            continue;
        }
        text.push_str(&finished(mark, &word, painter));
        word.clear();
        mark = begun.map(|(_, mark)| *mark);
    }
    text + &finished(mark, &word, painter)
}

fn finished(mark: Option<Mark>, word: &str, painter: Painter) -> String {
    match mark {
        Some(mark) if !word.is_empty() => painter.paint(mark, word),
        _ => word.to_string(),
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
        let text = rows.render(Some(30), Painter::that(false));
        assert!(
            text.lines().all(|line| line.chars().count() <= 30),
            "{text}"
        );
    }

    #[test]
    fn a_table_that_is_too_wide_becomes_records_and_nothing_is_lost_at_any_width() {
        let head = ["ACCOUNT", "KIND", "NAME", "E-MAIL", "ORGANIZATION"];
        let cells = [
            "12",
            "technician",
            "Ada King Countess of Lovelace",
            "ada@example.com",
            "71",
        ];
        let mut rows = Rows::new(&head);
        rows.push(cells);
        for width in [20, 30, 40, 60, 80, 200] {
            let text = rows.render(Some(width), Painter::that(false));
            let longest = text.lines().map(str::len).max().unwrap_or_default();
            assert!(longest <= usize::from(width), "{width}: {text}");
            let letters = |text: &str| {
                let mut letters: Vec<_> = text.chars().filter(|c| !c.is_whitespace()).collect();
                letters.sort_unstable();
                letters
            };
            assert_eq!(
                letters(&text),
                letters(&[head, cells].concat().concat()),
                "{text}"
            );
        }
        let narrow = rows.render(Some(60), Painter::that(false));
        assert!(
            narrow.contains("\nE-MAIL        ada@example.com\n"),
            "{narrow}"
        );
    }

    #[test]
    fn color_changes_neither_the_text_nor_where_it_stands() {
        let mut rows = Rows::new(&["RESULT OF ALL", "NAME"])
            .judging(0, |cell| (cell == "broken").then_some(Mark::Bad));
        rows.push(["broken", "a name that is much too long for it"]);
        rows.push(["held", "\u{2060}\u{2063}odd\u{1b}[1m"]);
        for width in [None, Some(24)] {
            let plain = rows.render(width, Painter::that(false));
            let colored = rows.render(width, Painter::that(true));
            assert!(colored.contains("\u{1b}[31mbroken\u{1b}[0m"), "{colored}");
            assert!(colored.contains("\u{1b}[1mRESULT"), "{colored}");
            assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
        }
    }

    #[test]
    fn a_cell_cannot_write_to_the_terminal() {
        let mut rows = Rows::new(&["NAME"]);
        rows.push(["\u{1b}[2Jgone\nnext"]);
        let text = rows.render(None, Painter::that(false));
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
