//! Reading a snapshot, in an order that depends on nothing but what is in it.

use std::collections::HashMap;
use std::path::Path;

use connector_contract::Counts;
use rusqlite::{Connection, Row};

use crate::columns::{Accounts, Columns, Grants, Roles};
use connector_snapshot::{self as snapshot, Error, MEMBERS_UNKNOWN, Run};

/// The detail without which nothing is known of sign-ins.
const LAST_SIGN_IN: &str = "last-sign-in";

const ACCOUNTS: &str =
    "SELECT id, kind, email, given_name, family_name, enabled, administrator, mfa_configured, invitation, organization,
     externally_managed, authentication, last_sign_in FROM account ORDER BY length(id), id";
const GRANTS: &str =
    "SELECT account, role, source FROM grant ORDER BY length(role), role, length(account), account";

/// Where a snapshot comes from, and what it says of itself as a whole.
pub struct Provenance {
    pub run: Run,
    pub contract: String,
    /// How much was odd in what the connected system sent.
    pub notices: Option<u64>,
    /// How many rows there are.
    pub counts: Counts,
}

/// Reads all that a report shows.
pub fn read(path: &Path) -> Result<(Provenance, Columns), Error> {
    let (connection, run) = snapshot::open(path, path)?;
    let sign_ins_asked = run.details.iter().any(|detail| detail == LAST_SIGN_IN);
    read_tables(&connection, run, sign_ins_asked).map_err(Error::reading(path))
}

fn read_tables(
    connection: &Connection,
    run: Run,
    sign_ins_asked: bool,
) -> rusqlite::Result<(Provenance, Columns)> {
    // From here on it stays as it is, whoever writes to it.
    connection.execute_batch("BEGIN")?;
    let organizations = organizations(connection)?;
    let mut columns = Columns {
        sign_ins_asked,
        accounts: accounts(connection, &organizations)?,
        roles: roles(connection)?,
        grants: Grants::default(),
    };
    grants(connection, &mut columns)?;
    let provenance = connection.query_row("SELECT contract, notices FROM run", (), |row| {
        Ok(Provenance {
            run,
            contract: row.get("contract")?,
            notices: row
                .get::<_, Option<i64>>("notices")?
                .map(i64::cast_unsigned),
            counts: Counts {
                accounts: columns.accounts.ids.known() as u64,
                roles: columns.roles.ids.known() as u64,
                grants: columns.grants.role.len() as u64,
                organizations: organizations.len() as u64,
                events: 0,
            },
        })
    })?;
    Ok((provenance, columns))
}

/// From identifier to name.
fn organizations(connection: &Connection) -> rusqlite::Result<HashMap<String, Option<String>>> {
    let mut statement = connection.prepare("SELECT id, name FROM organization")?;
    let organizations = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    organizations.collect()
}

fn accounts(
    connection: &Connection,
    organizations: &HashMap<String, Option<String>>,
) -> rusqlite::Result<Accounts> {
    let mut accounts = Accounts::default();
    each(connection, ACCOUNTS, |row| {
        accounts.ids.push(row.get("id")?);
        accounts.kind.push(row.get("kind")?);
        accounts.email.push(row.get("email")?);
        accounts.given_name.push(row.get("given_name")?);
        accounts.family_name.push(row.get("family_name")?);
        accounts.enabled.0.push(row.get("enabled")?);
        accounts.administrator.0.push(row.get("administrator")?);
        accounts.mfa_configured.0.push(row.get("mfa_configured")?);
        accounts.invitation.push(row.get("invitation")?);
        let organization: Option<String> = row.get("organization")?;
        accounts.organization.push(organization.map(|id| {
            let name = organizations.get(&id).cloned().flatten();
            name.unwrap_or(id)
        }));
        accounts
            .externally_managed
            .0
            .push(row.get("externally_managed")?);
        accounts.authentication.push(row.get("authentication")?);
        accounts.last_sign_in.push(row.get("last_sign_in")?);
        Ok(())
    })?;
    Ok(accounts)
}

fn roles(connection: &Connection) -> rusqlite::Result<Roles> {
    let mut roles = Roles::default();
    let sql = format!(
        "SELECT id, name, account_kind, description, member_count, {MEMBERS_UNKNOWN} AS members_unknown
         FROM role ORDER BY length(id), id"
    );
    each(connection, &sql, |row| {
        roles.ids.push(row.get("id")?);
        roles.name.push(row.get("name")?);
        roles.account_kind.push(row.get("account_kind")?);
        roles.description.push(row.get("description")?);
        let members: Option<i64> = row.get("member_count")?;
        roles.member_count.push(members.map(i64::cast_unsigned));
        roles.members_unknown.0.push(row.get("members_unknown")?);
        Ok(())
    })?;
    Ok(roles)
}

/// Reads the grants, and notes the accounts and roles that only they name.
fn grants(connection: &Connection, columns: &mut Columns) -> rusqlite::Result<()> {
    each(connection, GRANTS, |row| {
        let account = columns.accounts.ids.place(row.get("account")?);
        let role = columns.roles.ids.place(row.get("role")?);
        columns.grants.account.push(account);
        columns.grants.role.push(role);
        columns.grants.source.push(row.get("source")?);
        Ok(())
    })
}

fn each(
    connection: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}
