//! Writing a snapshot: items as they come, into a file that takes its place in the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use connector_contract::{
    Account, AccountDetails, Attribute, Counts, Grant, Invitation, Item, Organization, Role, Value,
};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Params, params};

use crate::error::Error;
use crate::loss::{Before, Grants, LossPolicy};
use crate::read::{self, Run};
use crate::schema;
use crate::unfinished::{self, Unfinished, Written};

/// How much of the file SQLite may keep in memory, in KiB: what the pragma takes as a negative number.
const CACHE: i32 = -32 * 1024;

const INSERT_ACCOUNT: &str = "INSERT INTO account VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const INSERT_ROLE: &str = "INSERT INTO role VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const INSERT_GRANT: &str = "INSERT INTO grant VALUES (?1, ?2, ?3, ?4)";
const INSERT_ORGANIZATION: &str = "INSERT INTO organization VALUES (?1, ?2, ?3, ?4)";

const BEGIN_RUN: &str =
    "INSERT INTO run (id, contract, connector, connector_version, base_url, details, started, complete)
     VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, 0)";
const FINISH_RUN: &str =
    "UPDATE run SET finished = ?1, accounts = ?2, roles = ?3, grants = ?4, organizations = ?5,
     grants_of_unknown_accounts = ?6, grants_of_unknown_roles = ?7, notices = ?8, complete = 1";

const OF_UNKNOWN_ACCOUNTS: &str = "SELECT account, role FROM grant WHERE account NOT IN (SELECT id FROM account) ORDER BY account, role";
const IN_UNKNOWN_ORGANIZATIONS: &str = "SELECT id, organization FROM account
     WHERE organization IS NOT NULL AND organization NOT IN (SELECT id FROM organization) ORDER BY id";
const OF_UNKNOWN_ROLES: &str = "SELECT account, role FROM grant WHERE role NOT IN (SELECT id FROM role) ORDER BY account, role";

/// Where the items of a snapshot come from.
pub struct Origin {
    /// The name of the connector.
    pub connector: String,
    /// Its version.
    pub connector_version: String,
    /// The tenant.
    pub base_url: String,
    /// What was asked for beyond the ordinary.
    pub details: AccountDetails,
}

/// What a snapshot took the place of.
#[derive(Debug)]
pub struct Replaced {
    pub run: Run,
    /// The grants of both, as they were compared.
    pub grants: Grants,
}

/// A snapshot that is being written. Unless it is finished, [`Unfinished`] removes what there is of it.
pub struct Draft {
    connection: Connection,
    file: Written,
    /// Where it will be.
    target: PathBuf,
    /// How the user knows that place.
    shown: PathBuf,
    origin: Origin,
}

impl Draft {
    /// Begins a snapshot that will be at `path`, unless what is there must not be replaced.
    pub fn begin(path: &Path, origin: Origin, unfinished: &Unfinished) -> Result<Self, Error> {
        let target = unfinished::resolve(path).map_err(Error::unwritable(path))?;
        if let Some(folder) = target.parent().filter(|folder| !folder.is_dir()) {
            return Err(Error::NoFolder {
                path: path.to_path_buf(),
                folder: folder.to_path_buf(),
            });
        }
        // Not in the end only: it may take an hour until then.
        read::previous(&target, path)?;
        let file = unfinished
            .create(&target, "snapshot")
            .map_err(Error::unwritable(path))?;
        let connection = create(file.path(), &origin).map_err(Error::unwritable(path))?;
        Ok(Self {
            connection,
            file,
            target,
            shown: path.to_path_buf(),
            origin,
        })
    }

    /// Adds an item. Events are not part of a snapshot.
    pub fn insert(&self, item: &Item) -> Result<(), Error> {
        let inserted = match item {
            Item::Account(account) => self.insert_account(account),
            Item::Role(role) => self.insert_role(role),
            Item::Grant(grant) => self.insert_grant(grant),
            Item::Organization(organization) => self.insert_organization(organization),
            Item::Event(_) => Ok(()),
        };
        inserted.map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Error::Twice { what: name(item) },
            _ => self.unwritable(error),
        })
    }

    /// The grants, as account and role, of accounts that were not inserted.
    pub fn of_unknown_accounts(&self) -> Result<Vec<(String, String)>, Error> {
        self.pairs(OF_UNKNOWN_ACCOUNTS)
    }

    /// The grants, as account and role, of roles that were not inserted.
    pub fn of_unknown_roles(&self) -> Result<Vec<(String, String)>, Error> {
        self.pairs(OF_UNKNOWN_ROLES)
    }

    /// The accounts, with their organization, of organizations that were not inserted.
    pub fn in_unknown_organizations(&self) -> Result<Vec<(String, String)>, Error> {
        self.pairs(IN_UNKNOWN_ORGANIZATIONS)
    }

    /// Puts the snapshot in its place, and says what it replaced. `counts` is what the listings say they gave.
    pub fn finish(
        self,
        counts: &Counts,
        notices: usize,
        policy: LossPolicy,
    ) -> Result<Option<Replaced>, Error> {
        self.finish_run(counts, notices)
            .map_err(|error| self.unwritable(error))?;
        let replaced = match read::previous(&self.target, &self.shown)? {
            None => None,
            Some((connection, run)) => {
                self.require_same_tenant(&run, policy)?;
                let grants = self.grants_beside(&connection)?;
                Some(Replaced { run, grants })
            }
        };
        let before = replaced.as_ref().map(|replaced| Before {
            counts: replaced.run.counts,
            grants: replaced.grants,
        });
        policy.check(&self.shown, before.as_ref(), counts)?;
        let Self {
            connection,
            file,
            target,
            shown,
            ..
        } = self;
        let closed = connection.close().map_err(|(_, error)| error);
        closed.map_err(Error::unwritable(&shown))?;
        file.persist(&target).map_err(Error::unwritable(&shown))?;
        Ok(replaced)
    }

    /// The grants beside those of the snapshot that was there.
    fn grants_beside(&self, previous: &Connection) -> Result<Grants, Error> {
        let read = |connection: &Connection| -> rusqlite::Result<_> {
            let unknown = read::roles_with_unknown_members(connection)?;
            Ok((unknown, read::grants_of_others(connection, &[])?))
        };
        let reading = Error::reading(&self.shown);
        let (unknown_before, all_before) = read(previous).map_err(&reading)?;
        let (unknown_now, all_now) =
            read(&self.connection).map_err(|error| self.unwritable(error))?;
        // Of the roles that are unknown now, where some of their grants were listed all the same.
        let held = all_before - read::grants_of_others(previous, &unknown_now).map_err(&reading)?;
        let holds = all_now
            - read::grants_of_others(&self.connection, &unknown_now)
                .map_err(|error| self.unwritable(error))?;
        let either = [unknown_before, unknown_now].concat();
        let before = read::grants_of_others(previous, &either).map_err(&reading)?;
        let now = read::grants_of_others(&self.connection, &either)
            .map_err(|error| self.unwritable(error))?;
        Ok(Grants {
            before,
            now,
            unknown_now: held.saturating_sub(holds),
            unknown_before: all_now - now,
        })
    }

    fn insert_account(&self, account: &Account) -> rusqlite::Result<()> {
        self.execute(
            INSERT_ACCOUNT,
            params![
                account.id,
                account.kind,
                account.external_id,
                account.email,
                account.given_name,
                account.family_name,
                account.phone,
                account.enabled,
                account.administrator,
                account.mfa_configured,
                account.must_change_password,
                account.invitation.as_ref().map(invitation),
                account.organization,
                account.externally_managed,
                account.authentication,
                account.last_sign_in.map(time),
                attributes(&account.attributes),
            ],
        )
    }

    fn insert_role(&self, role: &Role) -> rusqlite::Result<()> {
        self.execute(
            INSERT_ROLE,
            params![
                role.id,
                role.name,
                role.account_kind,
                role.description,
                role.member_count.map(u64::cast_signed),
                attributes(&role.attributes),
            ],
        )
    }

    fn insert_grant(&self, grant: &Grant) -> rusqlite::Result<()> {
        self.execute(
            INSERT_GRANT,
            params![
                grant.account,
                grant.role,
                grant.source,
                attributes(&grant.attributes)
            ],
        )
    }

    fn insert_organization(&self, organization: &Organization) -> rusqlite::Result<()> {
        self.execute(
            INSERT_ORGANIZATION,
            params![
                organization.id,
                organization.name,
                organization.description,
                attributes(&organization.attributes),
            ],
        )
    }

    fn execute(&self, sql: &str, params: impl Params) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(String, String)>, Error> {
        let pairs = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare(sql)?;
            let pairs = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            pairs.collect()
        };
        pairs().map_err(|error| self.unwritable(error))
    }

    fn finish_run(&self, counts: &Counts, notices: usize) -> rusqlite::Result<()> {
        let count = |sql: &str| -> rusqlite::Result<i64> {
            let sql = format!("SELECT count(*) FROM ({sql})");
            self.connection.query_row(&sql, (), |row| row.get(0))
        };
        self.execute(
            FINISH_RUN,
            params![
                now(),
                counts.accounts.cast_signed(),
                counts.roles.cast_signed(),
                counts.grants.cast_signed(),
                counts.organizations.cast_signed(),
                count(OF_UNKNOWN_ACCOUNTS)?,
                count(OF_UNKNOWN_ROLES)?,
                i64::try_from(notices).unwrap_or(i64::MAX),
            ],
        )?;
        self.connection.execute_batch("COMMIT")
    }

    fn require_same_tenant(&self, previous: &Run, policy: LossPolicy) -> Result<(), Error> {
        let new = Run {
            connector: self.origin.connector.clone(),
            base_url: tenant(&self.origin.base_url).to_string(),
            ..previous.clone()
        };
        if policy.allowed || new.tenant().eq_ignore_ascii_case(&previous.tenant()) {
            return Ok(());
        }
        Err(Error::OtherTenant {
            path: self.shown.clone(),
            old: previous.tenant(),
            new: new.tenant(),
        })
    }

    fn unwritable(&self, error: rusqlite::Error) -> Error {
        Error::unwritable(&self.shown)(error)
    }
}

/// Creates the tables in an empty file, in the transaction that ends with the snapshot.
fn create(path: &Path, origin: &Origin) -> rusqlite::Result<Connection> {
    // A file that was removed meanwhile, at the end of the program, does not come again.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Nobody sees the file before it is whole, so what would protect a reader or a rest of it only costs: it is brought to disk
    // once, in the end. No other file is made.
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(schema::SQL)?;
    connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", schema::VERSION)?;
    connection.execute(
        BEGIN_RUN,
        params![
            schema::CONTRACT,
            origin.connector,
            origin.connector_version,
            tenant(&origin.base_url),
            serde_json::Value::from(origin.details.names()).to_string(),
            now(),
        ],
    )?;
    Ok(connection)
}

/// A base URL, as it tells one tenant from another.
fn tenant(base_url: &str) -> &str {
    base_url.trim_end_matches('/')
}

fn invitation(invitation: &Invitation) -> &str {
    match invitation {
        Invitation::Pending => "pending",
        Invitation::Accepted => "accepted",
        Invitation::Expired => "expired",
        Invitation::Other(name) => name,
    }
}

/// Always to the millisecond, so that times sort as text.
fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// RFC 3339; a time beyond what that can say stays a number.
fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| time.to_string())
}

/// A JSON object. Its keys are sorted, so that what is the same is written the same.
fn attributes(attributes: &[Attribute]) -> String {
    let attributes: BTreeMap<&str, &Value> = attributes
        .iter()
        .map(|attribute| (attribute.name.as_str(), &attribute.value))
        .collect();
    serde_json::to_string(&attributes).expect("values of the contract always have a JSON form")
}

fn name(item: &Item) -> String {
    match item {
        Item::Account(account) => format!("account {}", account.id),
        Item::Role(role) => format!("role {}", role.id),
        Item::Grant(grant) => format!(
            "the grant of role {} to account {}",
            grant.role, grant.account
        ),
        Item::Organization(organization) => format!("organization {}", organization.id),
        Item::Event(event) => format!("event {}", event.id),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use connector_contract::AccountDetails;

    use super::*;

    const LOSE_NOTHING: LossPolicy = LossPolicy {
        most_lost: 0,
        allowed: false,
    };

    fn origin(base_url: &str) -> Origin {
        Origin {
            connector: "test".to_string(),
            connector_version: "1.0.0".to_string(),
            base_url: base_url.to_string(),
            details: AccountDetails::empty(),
        }
    }

    fn begin(path: &Path, base_url: &str, unfinished: &Unfinished) -> Result<Draft, Error> {
        Draft::begin(path, origin(base_url), unfinished)
    }

    fn role(id: &str) -> Item {
        Item::Role(Role {
            id: id.to_string(),
            ..Role::default()
        })
    }

    #[test]
    fn the_keys_of_attributes_are_sorted() {
        let attribute = |name: &str, value| Attribute {
            name: name.to_string(),
            value,
        };
        let text = attributes(&[
            attribute("b", Value::Integer(1)),
            attribute("a", Value::Json(r#"{"d": 1, "c": [true]}"#.to_string())),
        ]);
        assert_eq!(text, r#"{"a":{"c":[true],"d":1},"b":1}"#);
    }

    #[test]
    fn attributes_keep_every_digit_and_each_has_its_name_once() {
        let attribute = |name: &str, text: &str| Attribute {
            name: name.to_string(),
            value: Value::Json(text.to_string()),
        };
        let text = attributes(&[
            attribute("class", r#""A""#),
            attribute("huge", "1e400"),
            attribute("nested", r#"{"a": 1, "a": 98765432109876543210987}"#),
            attribute("class", r#""B""#),
        ]);
        let expected = r#"{"class":"B","huge":1e400,"nested":{"a":98765432109876543210987}}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn a_grant_of_an_unknown_account_is_kept_and_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let draft = begin(&path, "https://a.example", &Unfinished::default()).expect("it begins");
        draft.insert(&role("7")).expect("it is new");
        draft
            .insert(&Item::Grant(Grant {
                account: "1".to_string(),
                role: "7".to_string(),
                source: None,
                attributes: Vec::new(),
            }))
            .expect("nobody asks whether the account is there");
        let grant = ("1".to_string(), "7".to_string());
        assert_eq!(draft.of_unknown_accounts().expect("it is there"), [grant]);
        assert_eq!(draft.of_unknown_roles().expect("it is there"), []);
        let counts = Counts {
            roles: 1,
            grants: 1,
            ..Counts::default()
        };
        let policy = LossPolicy {
            allowed: true,
            ..LOSE_NOTHING
        };
        draft.finish(&counts, 0, policy).expect("it is allowed");
        let (connection, _) = read::open(&path, &path).expect("it is a snapshot");
        let sql = "SELECT grants_of_unknown_accounts, grants_of_unknown_roles, (SELECT count(*) FROM grant) FROM run";
        let found = connection.query_row(sql, (), |row| {
            Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?])
        });
        assert_eq!(found, Ok([1, 0, 1]));
    }

    #[test]
    fn what_is_listed_twice_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let draft = begin(&path, "https://a.example", &Unfinished::default()).expect("it begins");
        draft.insert(&role("7")).expect("it is new");
        let error = draft.insert(&role("7")).expect_err("it is there");
        assert!(
            error.to_string().contains("role 7 was listed twice"),
            "{error}"
        );
    }

    #[test]
    fn a_snapshot_of_one_tenant_does_not_replace_that_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let write = |base_url, policy| {
            let draft = begin(&path, base_url, &Unfinished::default())?;
            draft.finish(&Counts::default(), 0, policy)
        };
        write("https://a.example", LOSE_NOTHING).expect("nothing is there");
        let error = write("https://b.example", LOSE_NOTHING).expect_err("it is another tenant");
        assert!(matches!(error, Error::OtherTenant { .. }), "{error}");
        write("https://A.example/", LOSE_NOTHING).expect("it is the same tenant");
        let allowed = LossPolicy {
            allowed: true,
            ..LOSE_NOTHING
        };
        write("https://b.example", allowed).expect("it was told to");
    }

    #[test]
    fn a_file_that_was_removed_before_it_was_opened_does_not_come_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gone");
        create(&path, &origin("https://a.example")).expect_err("there is no file");
        assert!(!path.exists());
    }

    #[test]
    fn what_was_removed_at_the_end_of_the_program_takes_no_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let unfinished = Unfinished::default();
        let draft = begin(&path, "https://a.example", &unfinished).expect("it begins");
        unfinished.remove();
        let finished = draft.finish(&Counts::default(), 0, LOSE_NOTHING);
        assert!(matches!(finished, Err(Error::Unwritable { .. })));
        let left = fs::read_dir(folder.path()).expect("it is there").count();
        assert_eq!(left, 0);
    }
}
