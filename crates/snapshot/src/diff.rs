//! What differs between two snapshots. SQLite does the comparing, so that nothing is held in memory but one difference.

use std::collections::BTreeMap;
use std::path::Path;

use connector_host::contract::{FieldChange, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::read::{self, Run};
use crate::schema::{ACCOUNT, Field, Form, GRANT, ORGANIZATION, ROLE, Table};

/// Two snapshots, side by side.
pub struct Comparison {
    /// The earlier one is `main` in it, and the later one `later`.
    connection: Connection,
    pub before: Run,
    pub after: Run,
}

/// A kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    AccountCame,
    AccountWent,
    AccountChanged,
    GrantGained,
    GrantLost,
    GrantChanged,
    RoleCame,
    RoleWent,
    RoleChanged,
    OrganizationCame,
    OrganizationWent,
    OrganizationChanged,
}

/// One thing that differs.
///
/// As JSON every key is always there, and `null` where it does not apply. What came has `null` before in all of its changes, what
/// went `null` after.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    #[serde(rename = "type")]
    type_: &'static str,
    difference: Kind,
    /// Who it is about: the account, or the holder of the grant.
    pub account: Option<Party>,
    /// The role, or what is granted.
    pub role: Option<Named>,
    pub organization: Option<Named>,
    /// Field by field, under the names that the contract has for fields, and the connected system for attributes.
    pub changes: Vec<FieldChange>,
}

/// An account, so that a person knows who it is. Of one that is not in the snapshot only `id` is known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    pub id: String,
    pub kind: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub email: Option<String>,
}

/// A role or an organization. Of one that is not in the snapshot only `id` is known.
#[derive(Debug, Serialize)]
pub struct Named {
    pub id: String,
    pub name: Option<String>,
}

impl Kind {
    /// All, in the order in which people read them.
    pub const ALL: [Self; 12] = [
        Self::AccountCame,
        Self::AccountWent,
        Self::AccountChanged,
        Self::GrantGained,
        Self::GrantLost,
        Self::GrantChanged,
        Self::RoleCame,
        Self::RoleWent,
        Self::RoleChanged,
        Self::OrganizationCame,
        Self::OrganizationWent,
        Self::OrganizationChanged,
    ];

    /// Its name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountCame => "account-came",
            Self::AccountWent => "account-went",
            Self::AccountChanged => "account-changed",
            Self::GrantGained => "grant-gained",
            Self::GrantLost => "grant-lost",
            Self::GrantChanged => "grant-changed",
            Self::RoleCame => "role-came",
            Self::RoleWent => "role-went",
            Self::RoleChanged => "role-changed",
            Self::OrganizationCame => "organization-came",
            Self::OrganizationWent => "organization-went",
            Self::OrganizationChanged => "organization-changed",
        }
    }

    pub fn way(self) -> Way {
        match self {
            Self::AccountCame | Self::GrantGained | Self::RoleCame | Self::OrganizationCame => {
                Way::Came
            }
            Self::AccountWent | Self::GrantLost | Self::RoleWent | Self::OrganizationWent => {
                Way::Went
            }
            Self::AccountChanged
            | Self::GrantChanged
            | Self::RoleChanged
            | Self::OrganizationChanged => Way::Changed,
        }
    }

    pub fn subject(self) -> Subject {
        match self {
            Self::AccountCame | Self::AccountWent | Self::AccountChanged => Subject::Account,
            Self::GrantGained | Self::GrantLost | Self::GrantChanged => Subject::Grant,
            Self::RoleCame | Self::RoleWent | Self::RoleChanged => Subject::Role,
            Self::OrganizationCame | Self::OrganizationWent | Self::OrganizationChanged => {
                Subject::Organization
            }
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Account,
    Grant,
    Role,
    Organization,
}

/// Which of the snapshots has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Only the later one.
    Came,
    /// Only the earlier one.
    Went,
    /// Both, and not the same.
    Changed,
}

impl Comparison {
    /// Opens both, to read them and nothing else.
    pub fn open(before: &Path, after: &Path) -> Result<Self, Error> {
        let (connection, run_before) = read::open(before, before)?;
        let (_, run_after) = read::open(after, after)?;
        let reading = Error::reading(after);
        connection
            .execute("ATTACH DATABASE ?1 AS later", [name_for_sql(after)?])
            .map_err(&reading)?;
        // From here on both stay as they are, whoever writes to them.
        connection.execute_batch("BEGIN").map_err(&reading)?;
        Ok(Self {
            connection,
            before: run_before,
            after: run_after,
        })
    }

    /// The details of accounts that only one of the snapshots has.
    ///
    /// To ask for them is to ask in another place, which may tell more or less of other fields too. So where there are any,
    /// accounts differ only in fields that both tell of, and attributes are not compared.
    pub fn uneven_details(&self) -> Vec<&str> {
        let (before, after) = (&self.before.details, &self.after.details);
        let of_before = before.iter().filter(|detail| !after.contains(detail));
        let of_after = after.iter().filter(|detail| !before.contains(detail));
        of_before.chain(of_after).map(String::as_str).collect()
    }

    fn query(&self, kind: Kind) -> Query {
        let uneven = kind.subject() == Subject::Account && !self.uneven_details().is_empty();
        Query::new(kind, uneven)
    }

    /// How many differences of a kind there are.
    pub fn count(&self, kind: Kind) -> Result<u64, Error> {
        let sql = self.query(kind).count();
        let count = self.connection.query_row(&sql, (), |row| row.get(0));
        count.map(i64::cast_unsigned).map_err(Error::Incomparable)
    }

    /// Gives each difference of a kind to `take`, sorted by the names of accounts, roles and organizations.
    pub fn each<E: From<Error>>(
        &self,
        kind: Kind,
        mut take: impl FnMut(&Difference) -> Result<(), E>,
    ) -> Result<(), E> {
        let query = self.query(kind);
        let prepared = self.connection.prepare(&query.select());
        let mut statement = prepared.map_err(Error::Incomparable)?;
        let differences = statement.query_map((), |row| query.difference(row));
        for difference in differences.map_err(Error::Incomparable)? {
            take(&difference.map_err(Error::Incomparable)?)?;
        }
        Ok(())
    }
}

/// The path as a statement can have it.
fn name_for_sql(path: &Path) -> Result<String, Error> {
    let located = read::locate(path, path)?.into_os_string();
    located.into_string().map_err(|_| Error::Unreadable {
        path: path.to_path_buf(),
        error: std::io::Error::other("its path is not Unicode"),
    })
}

/// How many columns tell who and what a difference is about, before those that are compared.
const NAMING_COLUMNS: usize = 9;

/// By name as people sort it, and by identifier as numbers sort.
const ORDER: &str = "ORDER BY
    of_family COLLATE NOCASE NULLS LAST, of_given COLLATE NOCASE, length(of_account), of_account,
    of_role_name COLLATE NOCASE NULLS LAST, length(of_role), of_role,
    of_organization_name COLLATE NOCASE NULLS LAST, length(of_organization), of_organization";

/// The SQL for one kind of difference. In it `a` is the earlier row, `b` the later one.
struct Query {
    kind: Kind,
    table: &'static Table,
    /// What is compared.
    fields: Vec<Field>,
    /// Whether a field that is absent in one of them is as it was.
    uneven: bool,
}

impl Query {
    fn new(kind: Kind, uneven: bool) -> Self {
        let table = match kind.subject() {
            Subject::Account => &ACCOUNT,
            Subject::Grant => &GRANT,
            Subject::Role => &ROLE,
            Subject::Organization => &ORGANIZATION,
        };
        let fields = table.fields.iter().copied();
        let fields = fields.filter(|field| !(uneven && field.form == Form::Attributes));
        Self {
            kind,
            table,
            fields: fields.collect(),
            uneven,
        }
    }

    fn count(&self) -> String {
        format!(
            "SELECT count(*) FROM {} WHERE {}",
            self.pairs(),
            self.differ()
        )
    }

    fn select(&self) -> String {
        let (naming, names) = self.naming();
        let compared = ["a", "b"].map(|side| self.columns(side));
        format!(
            "SELECT {naming}, {}, {} FROM {} {names} WHERE {} {ORDER}",
            compared[0],
            compared[1],
            self.pairs(),
            self.differ()
        )
    }

    /// The rows of one snapshot, each with its like of the other where there is one.
    fn pairs(&self) -> String {
        let Table { name, key, .. } = self.table;
        let keys: Vec<_> = key.iter().map(|key| format!("a.{key} = b.{key}")).collect();
        let alike = keys.join(" AND ");
        match self.kind.way() {
            Way::Came => format!("later.{name} b LEFT JOIN main.{name} a ON {alike}"),
            Way::Went => format!("main.{name} a LEFT JOIN later.{name} b ON {alike}"),
            Way::Changed => format!("main.{name} a JOIN later.{name} b ON {alike}"),
        }
    }

    fn differ(&self) -> String {
        let key = self.table.key[0];
        match self.kind.way() {
            Way::Came => format!("a.{key} IS NULL"),
            Way::Went => format!("b.{key} IS NULL"),
            Way::Changed => {
                // `<>` holds for no NULL; `IS NOT` takes NULL for a value.
                let unlike = if self.uneven { "<>" } else { "IS NOT" };
                let fields = self
                    .fields
                    .iter()
                    .map(|Field { column, .. }| format!("a.{column} {unlike} b.{column}"));
                format!("({})", fields.collect::<Vec<_>>().join(" OR "))
            }
        }
    }

    fn columns(&self, side: &str) -> String {
        let columns = self.fields.iter();
        let columns: Vec<_> = columns
            .map(|field| format!("{side}.{}", field.column))
            .collect();
        columns.join(", ")
    }

    /// The columns that tell who and what it is about, and the tables that they take names from: those of the later snapshot,
    /// unless it is gone there.
    fn naming(&self) -> (String, String) {
        let (side, schema) = match self.kind.way() {
            Way::Came | Way::Changed => ("b", "later"),
            Way::Went => ("a", "main"),
        };
        let none = || "NULL".to_string();
        let of = |column: &str| format!("{side}.{column}");
        let person = |table: &str| {
            ["kind", "given_name", "family_name", "email"].map(|column| format!("{table}.{column}"))
        };
        let (account, [kind, given, family, email]) = match self.kind.subject() {
            Subject::Account => (of("id"), person(side)),
            Subject::Grant => (of("account"), person("holder")),
            Subject::Role | Subject::Organization => (none(), [none(), none(), none(), none()]),
        };
        let (role, role_name) = match self.kind.subject() {
            Subject::Role => (of("id"), of("name")),
            Subject::Grant => (of("role"), "held.name".to_string()),
            Subject::Account | Subject::Organization => (none(), none()),
        };
        let (organization, organization_name) = match self.kind.subject() {
            Subject::Organization => (of("id"), of("name")),
            Subject::Account | Subject::Grant | Subject::Role => (none(), none()),
        };
        let columns = format!(
            "{account} AS of_account, {kind}, {given} AS of_given, {family} AS of_family, {email}, \
             {role} AS of_role, {role_name} AS of_role_name, \
             {organization} AS of_organization, {organization_name} AS of_organization_name"
        );
        let names = match self.kind.subject() {
            Subject::Grant => format!(
                "LEFT JOIN {schema}.account holder ON holder.id = {side}.account \
                 LEFT JOIN {schema}.role held ON held.id = {side}.role"
            ),
            Subject::Account | Subject::Role | Subject::Organization => String::new(),
        };
        (columns, names)
    }

    fn difference(&self, row: &Row<'_>) -> rusqlite::Result<Difference> {
        let account = match row.get::<_, Option<String>>(0)? {
            Some(id) => Some(Party {
                id,
                kind: row.get(1)?,
                given_name: row.get(2)?,
                family_name: row.get(3)?,
                email: row.get(4)?,
            }),
            None => None,
        };
        Ok(Difference {
            type_: "difference",
            difference: self.kind,
            account,
            role: named(row, 5)?,
            organization: named(row, 7)?,
            changes: self.changes(row)?,
        })
    }

    fn changes(&self, row: &Row<'_>) -> rusqlite::Result<Vec<FieldChange>> {
        let mut changes = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            let before = row.get_ref(NAMING_COLUMNS + index)?;
            let after = row.get_ref(NAMING_COLUMNS + self.fields.len() + index)?;
            if field.form == Form::Attributes {
                changes.extend(attribute_changes(&members(before), &members(after)));
            } else if before != after && !self.is_untold(before, after) {
                changes.push(FieldChange {
                    field: field.name(),
                    before: value(field.form, before),
                    after: value(field.form, after),
                });
            }
        }
        Ok(changes)
    }

    /// Whether one of them does not tell of a field because it did not ask.
    fn is_untold(&self, before: ValueRef<'_>, after: ValueRef<'_>) -> bool {
        let one_is_absent = before == ValueRef::Null || after == ValueRef::Null;
        self.uneven && self.kind.way() == Way::Changed && one_is_absent
    }
}

fn named(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Named>> {
    let id: Option<String> = row.get(index)?;
    let name = row.get(index + 1)?;
    Ok(id.map(|id| Named { id, name }))
}

/// A column as a value of the contract. The tables are strict, so a column has what its form says, or nothing.
fn value(form: Form, column: ValueRef<'_>) -> Option<Value> {
    match column {
        ValueRef::Integer(integer) if form == Form::Flag => Some(Value::Boolean(integer != 0)),
        ValueRef::Integer(integer) => Some(Value::Integer(integer)),
        ValueRef::Text(text) => Some(Value::Text(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

/// The attributes in a column; none where the row is not there.
fn members(column: ValueRef<'_>) -> BTreeMap<String, Value> {
    let text = column.as_bytes_or_null().ok().flatten();
    // The tables take nothing but JSON there.
    let members: BTreeMap<String, Box<RawValue>> = text
        .and_then(|text| serde_json::from_slice(text).ok())
        .unwrap_or_default();
    let members = members.into_iter();
    members
        .map(|(name, json)| (name, of_json(json.get())))
        .collect()
}

fn attribute_changes(
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Vec<FieldChange> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let names = after.keys().chain(gone);
    let differ = names.filter(|name| before.get(*name) != after.get(*name));
    differ
        .map(|name| FieldChange {
            field: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

/// JSON as a value of the contract. What is the same is the same text, to the last digit of a number.
fn of_json(text: &str) -> Value {
    if let Ok(text) = serde_json::from_str(text) {
        return Value::Text(text);
    }
    if let Ok(boolean) = serde_json::from_str(text) {
        return Value::Boolean(boolean);
    }
    // A number with a point or an exponent is none of 64 bits, whatever its value.
    if let Ok(integer) = text.parse() {
        return Value::Integer(integer);
    }
    let json = Value::Json(text.to_string());
    // Written anew, so that spaces and the order of keys make no difference.
    serde_json::to_string(&json).map_or(json, Value::Json)
}

#[cfg(test)]
mod tests {
    use crate::*;

    fn changes(before: &str, after: &str) -> Vec<FieldChange> {
        let members = |text: &str| members(ValueRef::Text(text.as_bytes()));
        attribute_changes(&members(before), &members(after))
    }

    #[test]
    fn the_last_digit_of_a_number_is_a_change_wherever_it_is() {
        for (before, after) in [
            ("12345678901234567890123", "12345678901234567890124"),
            ("0.12345678901234567891", "0.12345678901234567892"),
            (
                "[{\"a\":18446744073709551617}]",
                "[{\"a\":18446744073709551618}]",
            ),
            ("1e400", "1e401"),
        ] {
            let object = |number: &str| format!("{{\"x\":{number}}}");
            let changes = changes(&object(before), &object(after));
            let json = serde_json::to_string(&changes).expect("it has a JSON form");
            assert_eq!(
                json,
                format!(r#"[{{"field":"x","before":{before},"after":{after}}}]"#)
            );
        }
    }

    #[test]
    fn what_is_only_written_otherwise_is_no_change() {
        let before = r#"{"a": {"b": [1, 2], "c": null}, "d": "é", "e": true, "f": null}"#;
        let after = r#"{"f":null,"e":true,"d":"\u00e9","a":{"c":null,"b":[1,2]}}"#;
        assert_eq!(changes(before, after), []);
    }
}
