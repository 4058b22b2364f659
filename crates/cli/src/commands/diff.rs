//! `diff`: what differs between two snapshots.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::items::{self, value};
use crate::args::DiffArgs;
use crate::color::Mark;
use crate::failure::Failure;
use crate::output::{ABSENT, Output, Rows, text_or_absent};
use crate::session::Session;
use connector_escape as escape;
use connector_snapshot::{
    self as snapshot, Comparison, Difference, Kind, MembersUnknown, Named, Party, Run, Subject,
    UnknownIn, Way,
};

/// After how many rows a table is written and another one begun, so that memory does not grow with it.
const ROWS: usize = 1000;

pub fn run(session: &Session, args: &DiffArgs) -> Result<(), Failure> {
    let output = &session.output;
    let diff = Diff::new(args)?;
    if output.is_json() {
        diff.to_json_lines(output)?;
    } else {
        diff.show(output)?;
    }
    if args.exit_code && !diff.is_equal() {
        return Err(Failure::Different);
    }
    Ok(())
}

/// Two snapshots, and how much differs between them.
struct Diff<'a> {
    args: &'a DiffArgs,
    comparison: Comparison,
    counts: Vec<(Kind, u64)>,
    members_unknown: Vec<MembersUnknown>,
}

impl<'a> Diff<'a> {
    fn new(args: &'a DiffArgs) -> Result<Self, Failure> {
        let comparison = Comparison::open(&args.before, &args.after)?;
        let counts = Kind::ALL.map(|kind| Ok((kind, comparison.count(kind)?)));
        let counts = counts.into_iter().collect::<Result<_, snapshot::Error>>()?;
        let members_unknown = comparison.members_unknown()?;
        Ok(Self {
            args,
            comparison,
            counts,
            members_unknown,
        })
    }

    /// Whether nothing is seen to differ. Where the members of a role are unknown in one of the snapshots only, the role differs in
    /// that; where they are unknown in both, there is nothing to see.
    fn is_equal(&self) -> bool {
        self.counts.iter().all(|(_, count)| *count == 0) && self.grants_not_compared() == 0
    }

    fn grants_not_compared(&self) -> u64 {
        let roles = self.members_unknown.iter();
        roles.map(|role| role.grants_not_compared).sum()
    }

    fn to_json_lines(&self, output: &Output) -> Result<(), Failure> {
        output.json(&Header {
            type_: "diff",
            equal: self.is_equal(),
            before: Side::new(&self.args.before, &self.comparison.before),
            after: Side::new(&self.args.after, &self.comparison.after),
            counts: Counts(&self.counts),
            uneven_details: self.comparison.uneven_details(),
            roles_with_unknown_members: self.members_unknown.len(),
        })?;
        // First, since it says how far what follows can be relied on.
        self.members_unknown
            .iter()
            .try_for_each(|role| output.json(role))?;
        for kind in Kind::ALL {
            self.comparison.each(kind, |difference| {
                Ok::<_, Failure>(output.json(difference)?)
            })?;
        }
        Ok(())
    }

    /// Shows it to a person: the summary, what to know of it, and a table for each kind of difference.
    fn show(&self, output: &Output) -> Result<(), Failure> {
        output.text(&self.summary())?;
        for note in self.notes() {
            output.text(&escape::one_line(&format!("Note: {note}.")))?;
        }
        self.show_members_unknown(output)?;
        for (kind, count) in &self.counts {
            if *count > 0 {
                let title = output.paint(mark(*kind), &title(*kind));
                output.text(&format!("\n{title}\n"))?;
                self.show_table(output, *kind)?;
            }
        }
        Ok(())
    }

    /// In one line: how much differs, of each kind.
    fn summary(&self) -> String {
        if self.is_equal() {
            let known = if self.members_unknown.is_empty() {
                ""
            } else {
                " in what is known"
            };
            return format!(
                "Nothing differs{known}: both have {}.",
                self.comparison.after.counts
            );
        }
        let differences = self.counts.iter().filter(|(_, count)| *count > 0);
        let mut words: Vec<_> = differences
            .map(|(kind, count)| in_words(*kind, *count))
            .collect();
        match self.grants_not_compared() {
            0 => {}
            1 => words.push("1 grant cannot be compared".to_string()),
            grants => words.push(format!("{grants} grants cannot be compared")),
        }
        format!("{}.", words.join(", "))
    }

    /// What makes two snapshots differ although nothing has happened.
    fn notes(&self) -> Vec<String> {
        let (before, after) = (&self.comparison.before, &self.comparison.after);
        let mut notes = Vec::new();
        if before.tenant() != after.tenant() {
            notes.push(format!(
                "the snapshots are of different tenants: {} and {}",
                before.tenant(),
                after.tenant()
            ));
        }
        if before.started > after.started {
            notes.push(format!(
                "{} is the newer one: to see what came and went, give the older one first",
                self.args.before.display()
            ));
        }
        for detail in self.comparison.uneven_details() {
            notes.push(format!(
                "only one of them has the detail {detail}, so accounts are compared in what both tell, and without attributes"
            ));
        }
        if !self.members_unknown.is_empty() {
            notes.push(format!(
                "who holds the {} below is unknown in one of the snapshots, or in both: a grant that only the other one has counts as \
                 neither gained nor lost. To see it, compare snapshots that both know the members",
                match self.members_unknown.len() {
                    1 => "role".to_string(),
                    roles => format!("{roles} roles"),
                }
            ));
        }
        notes
    }

    fn show_members_unknown(&self, output: &Output) -> Result<(), Failure> {
        if self.members_unknown.is_empty() {
            return Ok(());
        }
        let title = output.paint(Mark::Doubtful, "Roles whose members are unknown");
        output.text(&format!("\n{title}\n"))?;
        let mut rows = Rows::new(&["ROLE", "NAME", "UNKNOWN IN", "GRANTS NOT COMPARED"]);
        for unknown in &self.members_unknown {
            rows.push([
                &unknown.role.id,
                text_or_absent(unknown.role.name.as_deref()),
                match unknown.unknown_in {
                    UnknownIn::Before => "the earlier one",
                    UnknownIn::After => "the later one",
                    UnknownIn::Both => "both",
                },
                &unknown.grants_not_compared.to_string(),
            ]);
        }
        Ok(output.table(&rows)?)
    }

    fn show_table(&self, output: &Output, kind: Kind) -> Result<(), Failure> {
        let head = head(kind);
        let mut rows = Rows::new(head);
        self.comparison.each(kind, |difference| {
            push(&mut rows, kind, difference);
            if rows.len() >= ROWS {
                output.table(&std::mem::replace(&mut rows, Rows::new(head)))?;
            }
            Ok::<_, Failure>(())
        })?;
        if !rows.is_empty() {
            output.table(&rows)?;
        }
        Ok(())
    }
}

/// The first line of JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Header<'a> {
    #[serde(rename = "type")]
    type_: &'static str,
    equal: bool,
    before: Side<'a>,
    after: Side<'a>,
    counts: Counts<'a>,
    uneven_details: Vec<&'a str>,
    roles_with_unknown_members: usize,
}

/// An object from the name of a difference to how many there are.
struct Counts<'a>(&'a [(Kind, u64)]);

impl Serialize for Counts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(kind, count)| (kind.name(), count)))
    }
}

/// A snapshot in the first line of JSON.
#[derive(Serialize)]
struct Side<'a> {
    file: String,
    #[serde(flatten)]
    run: &'a Run,
}

impl<'a> Side<'a> {
    fn new(path: &Path, run: &'a Run) -> Self {
        Self {
            file: path.display().to_string(),
            run,
        }
    }
}

fn title(kind: Kind) -> String {
    let subject = match kind.subject() {
        Subject::Account => "Accounts",
        Subject::Grant => "Grants",
        Subject::Role => "Roles",
        Subject::Organization => "Organizations",
    };
    match kind {
        Kind::GrantGained | Kind::GrantLost => format!("{subject} {}", verb(kind)),
        _ => format!("{subject} that {}", verb(kind)),
    }
}

fn mark(kind: Kind) -> Mark {
    match kind.way() {
        Way::Came => Mark::Good,
        Way::Went => Mark::Bad,
        Way::Changed => Mark::Doubtful,
    }
}

/// As in `2 accounts came`.
fn in_words(kind: Kind, count: u64) -> String {
    let subject = match kind.subject() {
        Subject::Account => "account",
        Subject::Grant => "grant",
        Subject::Role => "role",
        Subject::Organization => "organization",
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {subject}{plural} {}", verb(kind))
}

fn verb(kind: Kind) -> &'static str {
    match (kind.subject(), kind.way()) {
        (Subject::Grant, Way::Came) => "gained",
        (Subject::Grant, Way::Went) => "lost",
        (_, Way::Came) => "came",
        (_, Way::Went) => "went",
        (_, Way::Changed) => "changed",
    }
}

fn head(kind: Kind) -> &'static [&'static str] {
    match (kind.subject(), kind.way()) {
        (Subject::Account, Way::Came | Way::Went) => &["ACCOUNT", "KIND", "NAME", "E-MAIL"],
        (Subject::Account, Way::Changed) => &[
            "ACCOUNT", "KIND", "NAME", "E-MAIL", "FIELD", "BEFORE", "AFTER",
        ],
        (Subject::Grant, Way::Came | Way::Went) => {
            &["ACCOUNT", "NAME", "E-MAIL", "ROLE", "ROLE NAME"]
        }
        (Subject::Grant, Way::Changed) => &[
            "ACCOUNT",
            "NAME",
            "E-MAIL",
            "ROLE",
            "ROLE NAME",
            "FIELD",
            "BEFORE",
            "AFTER",
        ],
        (Subject::Role, Way::Came | Way::Went) => &["ROLE", "NAME"],
        (Subject::Role, Way::Changed) => &["ROLE", "NAME", "FIELD", "BEFORE", "AFTER"],
        (Subject::Organization, Way::Came | Way::Went) => &["ORGANIZATION", "NAME"],
        (Subject::Organization, Way::Changed) => {
            &["ORGANIZATION", "NAME", "FIELD", "BEFORE", "AFTER"]
        }
    }
}

/// Adds what came or went as one row, and what changed as one for each field.
fn push(rows: &mut Rows, kind: Kind, difference: &Difference) {
    let mut cells = Vec::new();
    if let Some(account) = &difference.account {
        cells.push(account.id.clone());
        if kind.subject() == Subject::Account {
            cells.push(text_or_absent(account.kind.as_deref()).to_string());
        }
        cells.push(full_name(account));
        cells.push(text_or_absent(account.email.as_deref()).to_string());
    }
    let named = [&difference.role, &difference.organization];
    for Named { id, name } in named.into_iter().flatten() {
        cells.push(id.clone());
        cells.push(text_or_absent(name.as_deref()).to_string());
    }
    let cells: Vec<_> = cells.iter().map(String::as_str).collect();
    if kind.way() != Way::Changed {
        rows.push_cells(&cells);
        return;
    }
    for change in &difference.changes {
        let shown = |side: &Option<_>| side.as_ref().map_or(ABSENT.to_string(), value);
        let (before, after) = (shown(&change.before), shown(&change.after));
        rows.push_cells(&[&cells[..], &[&change.field, &before, &after]].concat());
    }
}

fn full_name(account: &Party) -> String {
    items::full_name(
        account.given_name.as_deref(),
        account.family_name.as_deref(),
    )
}
