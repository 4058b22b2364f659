//! What differs between two snapshots. SQLite does the comparing, so that nothing is held in memory but one difference.

use std::collections::BTreeMap;
use std::path::Path;

use connector_contract::{FieldChange, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::read::{self, Run};
use crate::schema::{ACCOUNT, Field, Form, GRANT, MEMBERS_UNKNOWN, ORGANIZATION, ROLE, Table};

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

/// A role of which it is not known in one of the snapshots, or in both, who holds it.
///
/// A grant that only the other snapshot has was then neither gained nor lost: it may be in both.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MembersUnknown {
    #[serde(rename = "type")]
    type_: &'static str,
    pub role: Named,
    pub unknown_in: UnknownIn,
    /// How many grants of the role cannot be compared: only one of the snapshots has them.
    pub grants_not_compared: u64,
}

/// The snapshots that do not know who holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownIn {
    Before,
    After,
    Both,
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

    /// The roles of which one of the snapshots, or both, does not know who holds them, sorted by their names.
    pub fn members_unknown(&self) -> Result<Vec<MembersUnknown>, Error> {
        let roles = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare(&members_unknown())?;
            let roles = statement.query_map((), |row| {
                Ok(MembersUnknown {
                    type_: "members-unknown",
                    role: Named {
                        id: row.get(0)?,
                        name: row.get(1)?,
                    },
                    unknown_in: match (row.get(2)?, row.get(3)?) {
                        (true, true) => UnknownIn::Both,
                        (true, false) => UnknownIn::Before,
                        (false, _) => UnknownIn::After,
                    },
                    grants_not_compared: row.get::<_, i64>(4)?.cast_unsigned(),
                })
            })?;
            roles.collect()
        };
        roles().map_err(Error::Incomparable)
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

/// The SQL for the roles whose members are unknown: identifier, name, in which of the snapshots, and how many grants of each are in
/// one of them only.
fn members_unknown() -> String {
    let not_compared = [Kind::GrantGained, Kind::GrantLost].map(|kind| {
        let query = Query::new(kind, false);
        let side = if kind.way() == Way::Came { "b" } else { "a" };
        format!(
            "SELECT {side}.role FROM {} WHERE {} AND {}",
            query.pairs(),
            query.is_in_one(),
            query.is_of_unknown_members()
        )
    });
    format!(
        "WITH unknown (id, before, after) AS (
             SELECT id, max(before), max(after) FROM (
                 SELECT id, 1 AS before, 0 AS after FROM main.role WHERE {MEMBERS_UNKNOWN}
                 UNION ALL SELECT id, 0, 1 FROM later.role WHERE {MEMBERS_UNKNOWN}
             ) GROUP BY id
         ),
         not_compared (role, grants) AS (SELECT role, count(*) FROM ({}) GROUP BY role)
         SELECT unknown.id, coalesce(b.name, a.name) AS name, before, after, coalesce(grants, 0)
         FROM unknown LEFT JOIN main.role a ON a.id = unknown.id LEFT JOIN later.role b ON b.id = unknown.id
             LEFT JOIN not_compared ON not_compared.role = unknown.id
         ORDER BY name COLLATE NOCASE NULLS LAST, length(unknown.id), unknown.id",
        not_compared.join(" UNION ALL ")
    )
}

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
        match self.kind.way() {
            Way::Came | Way::Went if self.kind.subject() == Subject::Grant => {
                format!(
                    "{} AND NOT {}",
                    self.is_in_one(),
                    self.is_of_unknown_members()
                )
            }
            Way::Came | Way::Went => self.is_in_one(),
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

    /// Holds for a row that came or went, since the other snapshot has none that is its like.
    fn is_in_one(&self) -> String {
        let other = if self.kind.way() == Way::Came {
            "a"
        } else {
            "b"
        };
        format!("{other}.{} IS NULL", self.table.key[0])
    }

    /// Holds for a grant that came or went of a role whose members the other snapshot does not know: it may have the grant too.
    fn is_of_unknown_members(&self) -> String {
        let (side, other) = if self.kind.way() == Way::Came {
            ("b", "main")
        } else {
            ("a", "later")
        };
        format!("{side}.role IN (SELECT id FROM {other}.role WHERE {MEMBERS_UNKNOWN})")
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
    use connector_contract::Counts;

    use super::*;
    use crate::schema;

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

    /// Two snapshots with these rows.
    fn compared(before: &str, after: &str) -> Comparison {
        let run = || Run {
            connector: String::new(),
            connector_version: String::new(),
            base_url: String::new(),
            details: Vec::new(),
            started: String::new(),
            finished: String::new(),
            counts: Counts::default(),
        };
        let connection = Connection::open_in_memory().expect("memory is there");
        let later = |sql: &str, command: &str| sql.replace(command, &format!("{command}later."));
        for sql in [
            "ATTACH DATABASE ':memory:' AS later",
            schema::SQL,
            &later(schema::SQL, "CREATE TABLE "),
            before,
            &later(after, "INSERT INTO "),
        ] {
            connection.execute_batch(sql).expect("good SQL");
        }
        Comparison {
            connection,
            before: run(),
            after: run(),
        }
    }

    /// The rows of a role, whether its members are known, and who is told to hold it.
    fn role(id: &str, is_known: bool, holders: &[&str]) -> String {
        let attributes = if is_known {
            "{}"
        } else {
            r#"{"members-unknown":true}"#
        };
        let role = format!(
            "INSERT INTO role VALUES ('{id}', 'Role {id}', NULL, NULL, NULL, '{attributes}');"
        );
        let grants = holders
            .iter()
            .map(|holder| format!("INSERT INTO grant VALUES ('{holder}', '{id}', NULL, '{{}}');"));
        role + &grants.collect::<String>()
    }

    /// The accounts that gained and lost grants, and of each role whose members are unknown where they are and how many grants are
    /// not compared.
    type Told = (Vec<String>, Vec<String>, Vec<(String, UnknownIn, u64)>);

    fn told(before: &str, after: &str) -> Told {
        let comparison = compared(before, after);
        let accounts = |kind| {
            let mut accounts = Vec::new();
            let taken = comparison.each(kind, |difference| {
                let account = difference.account.as_ref().expect("a grant has a holder");
                accounts.push(account.id.clone());
                Ok::<_, Error>(())
            });
            taken.expect("they can be compared");
            let count = comparison.count(kind).expect("they can be counted");
            assert_eq!(count, accounts.len() as u64);
            accounts
        };
        let (gained, lost) = (accounts(Kind::GrantGained), accounts(Kind::GrantLost));
        let unknown = comparison.members_unknown().expect("they can be compared");
        let unknown = unknown.into_iter();
        let unknown = unknown.map(|role| (role.role.id, role.unknown_in, role.grants_not_compared));
        (gained, lost, unknown.collect())
    }

    #[test]
    fn a_grant_is_lost_or_gained_only_where_the_other_snapshot_knows_the_members() {
        let (known, unknown) = (role("1", true, &["a", "b"]), role("1", false, &[]));
        let is = |unknown_in, grants| vec![("1".to_string(), unknown_in, grants)];
        let all = || vec!["a".to_string(), "b".to_string()];
        let none = Vec::<String>::new;
        for (before, after, expected) in [
            (
                &*known,
                &*unknown,
                (none(), none(), is(UnknownIn::After, 2)),
            ),
            (&known, &role("1", true, &[]), (none(), all(), vec![])),
            (&unknown, &known, (none(), none(), is(UnknownIn::Before, 2))),
            (&role("1", true, &[]), &known, (all(), none(), vec![])),
            (&unknown, &unknown, (none(), none(), is(UnknownIn::Both, 0))),
            // A role that came or went is unknown all the same, and had no grants where it was not.
            ("", &unknown, (none(), none(), is(UnknownIn::After, 0))),
            (&unknown, "", (none(), none(), is(UnknownIn::Before, 0))),
            (&known, "", (none(), all(), vec![])),
            ("", &known, (all(), none(), vec![])),
        ] {
            assert_eq!(told(before, after), expected, "{before} / {after}");
        }
    }

    #[test]
    fn what_is_told_of_members_that_are_not_all_known_counts() {
        let (some, others) = (role("1", false, &["a"]), role("1", false, &["b"]));
        let (_, _, unknown) = told(&some, &others);
        assert_eq!(unknown, [("1".to_string(), UnknownIn::Both, 2)]);
        // Who is told to hold it now, and did not when all were known, gained it.
        let (gained, lost, unknown) = told(&role("1", true, &["b"]), &some);
        assert_eq!((gained, lost), (vec!["a".to_string()], vec![]));
        assert_eq!(unknown, [("1".to_string(), UnknownIn::After, 1)]);
    }

    #[test]
    fn a_role_whose_members_are_unknown_hides_nothing_of_another() {
        let before = role("1", true, &["a"]) + &role("2", true, &["a", "b"]);
        let after = role("1", false, &[]) + &role("2", true, &["b", "c"]);
        let expected = (
            vec!["c".to_string()],
            vec!["a".to_string()],
            vec![("1".to_string(), UnknownIn::After, 1)],
        );
        assert_eq!(told(&before, &after), expected);
    }
}
