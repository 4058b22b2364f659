//! Opening a snapshot: is it one, can it be read, and what does it say of itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use connector_contract::Counts;
use rusqlite::{Connection, OpenFlags, Row};
use serde::Serialize;

use crate::error::Error;
use crate::schema;

/// What a snapshot says of itself.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    pub connector: String,
    pub connector_version: String,
    pub base_url: String,
    /// The details of accounts that were asked for.
    pub details: Vec<String>,
    pub started: String,
    pub finished: String,
    pub counts: Counts,
}

impl Run {
    /// The tenant, for people.
    pub fn tenant(&self) -> String {
        format!("{} at {}", self.connector, self.base_url)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let details: String = row.get("details")?;
        let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        Ok(Self {
            connector: row.get("connector")?,
            connector_version: row.get("connector_version")?,
            base_url: row.get("base_url")?,
            // The table takes nothing but JSON; JSON of another shape names no detail that is known.
            details: serde_json::from_str(&details).unwrap_or_default(),
            started: row.get("started")?,
            finished: row.get("finished")?,
            counts: Counts {
                accounts: count("accounts")?,
                roles: count("roles")?,
                grants: count("grants")?,
                organizations: count("organizations")?,
                events: 0,
            },
        })
    }
}

/// The snapshot that a new one would replace; `None` where there is nothing.
pub fn previous(path: &Path, shown: &Path) -> Result<Option<(Connection, Run)>, Error> {
    match open(path, shown) {
        Ok(previous) => Ok(Some(previous)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a snapshot, to read it and nothing else. `shown` is how the user knows it.
pub fn open(path: &Path, shown: &Path) -> Result<(Connection, Run), Error> {
    let path = locate(path, shown)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reading = Error::reading(shown);
    let connection = Connection::open_with_flags(path, flags).map_err(&reading)?;
    // Whoever may have written the file: its schema can call no function with an effect.
    connection
        .pragma_update(None, "trusted_schema", false)
        .map_err(&reading)?;
    let run = run_of(&connection, shown)?;
    Ok((connection, run))
}

/// The roles of which it is not known who holds them.
pub fn roles_with_unknown_members(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = format!("SELECT id FROM role WHERE {}", schema::MEMBERS_UNKNOWN);
    let mut statement = connection.prepare(&sql)?;
    let roles = statement.query_map((), |row| row.get(0))?;
    roles.collect()
}

/// How many grants there are of other roles than these.
pub fn grants_of_others(connection: &Connection, roles: &[String]) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM grant WHERE role NOT IN (SELECT value FROM json_each(?1))";
    let roles = serde_json::Value::from(roles).to_string();
    let count = connection.query_row(sql, [roles], |row| row.get(0));
    count.map(i64::cast_unsigned)
}

/// Finds a file, and makes sure that it is one and can be read: SQLite says of each of these only that it cannot open it. What it
/// gives is absolute, so SQLite takes it for the name of a file and never for a URI or for memory.
pub fn locate(path: &Path, shown: &Path) -> Result<PathBuf, Error> {
    let shown = || shown.to_path_buf();
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: shown() },
        _ => Error::Unreadable {
            path: shown(),
            error,
        },
    };
    let path = fs::canonicalize(path).map_err(unreadable)?;
    // Before it is opened: to open a named pipe is to wait.
    if !fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(Error::NotASnapshot { path: shown() });
    }
    fs::File::open(&path).map_err(unreadable)?;
    Ok(path)
}

fn run_of(connection: &Connection, shown: &Path) -> Result<Run, Error> {
    let path = shown.to_path_buf();
    let reading = Error::reading(shown);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if pragma("application_id").map_err(&reading)? != schema::APPLICATION_ID {
        return Err(Error::NotASnapshot { path });
    }
    let version = pragma("user_version").map_err(&reading)?;
    if version > schema::VERSION {
        return Err(Error::Newer { path, version });
    }
    let complete = connection
        .query_row("SELECT complete FROM run", (), |row| row.get::<_, bool>(0))
        .map_err(&reading)?;
    if !complete {
        return Err(Error::Incomplete { path });
    }
    connection
        .query_row("SELECT * FROM run", (), Run::from_row)
        .map_err(&reading)
}
