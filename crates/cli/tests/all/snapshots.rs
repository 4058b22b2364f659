//! Snapshots: what `sync --out` writes, when it refuses to, and what `diff` makes of two of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use connector_host::contract::{AccountDeletion, Assignment, Mode, ProvisionRequest};
use host_test::faulty::{Answer, Asked, Fault, Proxy, Verdict};
use host_test::program::{program_at, program_for};
use host_test::{connector, names_in, simulated, tenant};
use ninjaone_simulator::{Account, AccountKind, Behavior, Options, Simulator};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Value, json};

/// A folder of its own for each test, with the tenant whose snapshots are in it.
struct Place {
    folder: tempfile::TempDir,
    simulator: Simulator,
}

impl Place {
    async fn with(accounts: u32) -> Self {
        Self::at(tenant(accounts).await)
    }

    fn at(simulator: Simulator) -> Self {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        Self { folder, simulator }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names of everything in the folder.
    fn names(&self) -> BTreeSet<String> {
        names_in(self.folder.path())
    }

    /// The program in this folder, with the settings of the tenant.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut program = program_for(&self.simulator, arguments);
        program.current_dir(self.folder.path());
        program
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().expect("the program runs")
    }

    /// What the program says when all goes well.
    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// What the program says when it ends with this exit code.
    fn fail(&self, exit: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        said
    }

    fn sync(&self, name: &str) {
        self.succeed(&["sync", "--out", name]);
    }

    fn open(&self, name: &str) -> Connection {
        Connection::open(self.path(name)).expect("SQLite opens it")
    }

    /// A copy of a snapshot with something changed in it.
    fn edited(&self, name: &str, as_name: &str, sql: &str) {
        fs::copy(self.path(name), self.path(as_name)).expect("it can be copied");
        self.edit(as_name, sql);
    }

    fn edit(&self, name: &str, sql: &str) {
        self.open(name).execute_batch(sql).expect("good SQL");
    }

    fn differences(&self, before: &str, after: &str) -> Vec<Value> {
        let mut lines = json_lines(&self.succeed(&["diff", before, after, "--json"]));
        assert_eq!(lines.remove(0)["type"], "diff");
        lines
    }

    fn account(&self, wanted: impl Fn(&Account) -> bool) -> Account {
        let accounts = self.simulator.accounts();
        accounts
            .into_iter()
            .find(wanted)
            .expect("the tenant has one")
    }

    async fn delete(&self, accounts: usize) {
        let mut connector = connector(&self.simulator);
        let others = self.simulator.accounts().into_iter();
        let others = others.filter(|account| !account.administrator && !account.scim);
        for account in others.take(accounts) {
            let deletion = ProvisionRequest::Delete(AccountDeletion {
                account: account.id.to_string(),
                allow_administrator: false,
            });
            let deleted = connector.provision(&deletion, Mode::Apply).await;
            deleted.expect("it is deleted");
        }
    }

    async fn revoke_from(&self, accounts: &[Account]) {
        let mut connector = connector(&self.simulator);
        for account in accounts {
            for membership in &account.memberships {
                let assignment = Assignment {
                    account: account.id.to_string(),
                    role: membership.role.to_string(),
                };
                let revoked = connector.revoke(&assignment, Mode::Apply).await;
                revoked.expect("it is revoked");
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json_lines(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

/// What a statement gives, row by row, each from column to value.
fn rows(connection: &Connection, sql: &str) -> Vec<BTreeMap<String, Sql>> {
    let mut statement = connection.prepare(sql).expect("good SQL");
    let columns: Vec<String> = statement.column_names().map(String::from).collect();
    let rows = statement.query_map((), |row| {
        let cells = columns.iter().enumerate();
        cells
            .map(|(index, column)| Ok((column.clone(), row.get(index)?)))
            .collect()
    });
    rows.expect("it runs")
        .collect::<Result<_, _>>()
        .expect("every row can be read")
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection
        .query_row(sql, (), |row| row.get(0))
        .expect("there is one number")
}

/// A value of the program's JSON as a snapshot holds it.
fn in_sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(boolean) => Sql::Integer((*boolean).into()),
        Value::Number(number) => Sql::Integer(number.as_i64().expect("a whole number")),
        Value::String(text) => Sql::Text(text.clone()),
        Value::Object(_) => Sql::Text(value.to_string()),
        Value::Array(_) => panic!("no field is a list: {value}"),
    }
}

/// A key of the program's JSON as the name of a column.
fn column(key: &str) -> String {
    let mut column = String::new();
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            column.push('_');
        }
        column.push(c.to_ascii_lowercase());
    }
    column
}

fn of<'a>(differences: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let differences = differences.iter();
    differences
        .filter(|difference| difference["difference"] == kind)
        .collect()
}

fn only<'a>(differences: &'a [Value], kind: &str) -> &'a Value {
    let of_kind = of(differences, kind);
    assert_eq!(of_kind.len(), 1, "{kind}: {differences:?}");
    of_kind[0]
}

/// The change of one field, as before and after.
fn change(difference: &Value, field: &str) -> (Value, Value) {
    let changes = difference["changes"].as_array().expect("a list");
    let change = changes.iter().find(|change| change["field"] == field);
    let change = change.unwrap_or_else(|| panic!("{field} is not in {difference}"));
    (change["before"].clone(), change["after"].clone())
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_holds_exactly_what_the_tenant_has() {
    let place = Place::with(150).await;
    place.sync("tenant.db");
    let snapshot = place.open("tenant.db");
    let held: BTreeSet<_> = rows(&snapshot, "SELECT account, role FROM grant")
        .iter()
        .map(|row| format!("{:?} {:?}", row["account"], row["role"]))
        .collect();
    let accounts = place.simulator.accounts();
    let given = accounts.iter().flat_map(|account| {
        let memberships = account.memberships.iter();
        memberships.map(|membership| (account.id.to_string(), membership.role.to_string()))
    });
    let given: BTreeSet<_> = given
        .map(|(account, role)| format!("{:?} {:?}", Sql::Text(account), Sql::Text(role)))
        .collect();
    assert_eq!(held, given);
    let count = |table: &str| number(&snapshot, &format!("SELECT count(*) FROM {table}"));
    assert_eq!(count("account"), 150);
    assert_eq!(count("role") as usize, place.simulator.roles().len());
    assert_eq!(
        count("organization") as usize,
        place.simulator.organizations().len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_a_snapshot_is_as_it_is_listed_and_absent_is_null() {
    let place = Place::with(150).await;
    let details = ["--details", "management,last-sign-in"];
    place.succeed(&[&["sync", "--out", "tenant.db"], &details[..]].concat());
    let snapshot = place.open("tenant.db");
    let listings = [
        (
            &["list", "accounts", "--json", details[0], details[1]][..],
            150,
        ),
        (&["list", "roles", "grants", "--json"], 12 + 100),
        (&["list", "organizations", "--json"], 3),
    ];
    for (listing, at_least) in listings {
        let mut compared = 0;
        for line in json_lines(&place.succeed(listing)) {
            let Some(table @ ("account" | "role" | "grant" | "organization")) =
                line["type"].as_str()
            else {
                continue;
            };
            let listed: BTreeMap<_, _> = line
                .as_object()
                .expect("an object")
                .iter()
                .filter(|(key, _)| *key != "type")
                .map(|(key, value)| (column(key), in_sql(value)))
                .collect();
            let key = match table {
                "grant" => format!("account = {} AND role = {}", line["account"], line["role"]),
                _ => format!("id = {}", line["id"]),
            };
            let sql = format!("SELECT * FROM {table} WHERE {}", key.replace('"', "'"));
            assert_eq!(rows(&snapshot, &sql), [listed], "{line}");
            compared += 1;
        }
        assert!(compared >= at_least, "{listing:?}: only {compared}");
    }
    let absent = "SELECT count(*) FROM account WHERE phone IS NULL";
    assert!(number(&snapshot, absent) > 0, "some have no phone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_says_what_it_is_of_and_that_it_is_complete() {
    let place = Place::with(60).await;
    place.sync("tenant.db");
    let snapshot = place.open("tenant.db");
    let run = &rows(&snapshot, "SELECT * FROM run")[0];
    let text = |value: &str| Sql::Text(value.to_string());
    assert_eq!(run["contract"], text("identity:connector@0.1.0"));
    assert_eq!(run["connector"], text("ninjaone"));
    assert_eq!(run["base_url"], text(&place.simulator.base_url()));
    assert_eq!(run["complete"], Sql::Integer(1));
    for (count, table) in [
        ("accounts", "account"),
        ("roles", "role"),
        ("grants", "grant"),
        ("organizations", "organization"),
    ] {
        let there = number(&snapshot, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(run[count], Sql::Integer(there), "{count}");
    }
    let times = "SELECT julianday(finished) >= julianday(started) FROM run";
    assert_eq!(number(&snapshot, times), 1, "both are times, in order");
    assert_eq!(number(&snapshot, "PRAGMA application_id"), 0x4964_4353);
    assert_eq!(number(&snapshot, "PRAGMA user_version"), 1);
    let strict = "SELECT count(*) FROM pragma_table_list WHERE strict AND schema = 'main'";
    assert_eq!(number(&snapshot, strict), 5);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_can_read_a_snapshot() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with(3).await;
    let mode = || {
        let metadata = fs::metadata(place.path("tenant.db")).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    place.sync("tenant.db");
    assert_eq!(mode(), 0o600);
    let open_to_all = fs::Permissions::from_mode(0o644);
    fs::set_permissions(place.path("tenant.db"), open_to_all).expect("it can be set");
    place.sync("tenant.db");
    assert_eq!(mode(), 0o600, "also of one that takes another's place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_replaces_the_snapshot_and_leaves_nothing_beside_it() {
    let place = Place::with(20).await;
    place.sync("tenant.db");
    place.delete(1).await;
    let said = place.succeed(&["sync", "--out", "tenant.db"]);
    assert!(said.contains("in place of"), "{said}");
    let accounts = number(&place.open("tenant.db"), "SELECT count(*) FROM account");
    assert_eq!(accounts, 19);
    assert_eq!(place.names(), BTreeSet::from(["tenant.db".to_string()]));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_symbolic_link_stays_and_what_it_points_at_is_replaced() {
    let place = Place::with(3).await;
    place.sync("real.db");
    std::os::unix::fs::symlink("real.db", place.path("link.db")).expect("links are possible");
    place.delete(1).await;
    place.succeed(&["sync", "--out", "link.db", "--allow-loss"]);
    let link = fs::symlink_metadata(place.path("link.db")).expect("it is there");
    assert!(link.is_symlink());
    let accounts = number(&place.open("real.db"), "SELECT count(*) FROM account");
    assert_eq!(accounts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_into_a_snapshot_does_not_go_to_standard_output_and_the_summary_names_the_file() {
    let place = Place::with(30).await;
    let lines = json_lines(&place.succeed(&["sync", "--out", "tenant.db", "--json"]));
    let summary = lines.last().expect("there is a summary");
    assert_eq!(summary["snapshot"], "tenant.db");
    assert_eq!(summary["counts"]["accounts"], 30);
    assert!(lines.iter().all(|line| line["type"] != "account"));
    let lines = json_lines(&place.succeed(&["sync", "--json"]));
    assert_eq!(lines.last().expect("a summary")["snapshot"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_tenant_has_a_snapshot_too_and_it_never_blocks() {
    let place = Place::with(0).await;
    place.sync("tenant.db");
    assert_eq!(
        number(&place.open("tenant.db"), "SELECT count(*) FROM account"),
        0
    );
    place.succeed(&["sync", "--out", "tenant.db", "--most-lost", "0"]);
    let said = place.succeed(&["diff", "tenant.db", "tenant.db"]);
    assert!(
        said.contains("Nothing differs: both have nothing"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_says_who_came_went_changed_gained_and_lost_what() {
    let place = Place::with(60).await;
    place.sync("before.db");
    let technician = |account: &Account| {
        account.kind == AccountKind::Technician && !account.administrator && !account.scim
    };
    let gone = place.account(|account| technician(account) && account.memberships.len() == 1);
    let loser = place.account(|account| {
        technician(account) && account.id != gone.id && !account.memberships.is_empty()
    });
    let lost = loser.memberships[0].role;
    let roles = place.simulator.roles();
    let gained = roles
        .iter()
        .find(|role| role.kind == AccountKind::Technician && !loser.holds(role.id))
        .expect("there are many roles");
    let (id, role) = (loser.id.to_string(), gained.id.to_string());
    place.succeed(&["provision", "delete", "--account", &gone.id.to_string()]);
    place.succeed(&[
        "provision",
        "update",
        "--account",
        &id,
        "--set",
        "family-name=Roe",
    ]);
    place.succeed(&["grant", "--account", &id, "--role", &role]);
    place.succeed(&["revoke", "--account", &id, "--role", &lost.to_string()]);
    let person = ["--given-name", "Ada", "--family-name", "Lovelace"];
    let create = [
        "provision",
        "create",
        "--kind",
        "technician",
        "--email",
        "ada@example.com",
    ];
    place.succeed(&[&create[..], &person].concat());
    place.sync("after.db");

    let differences = place.differences("before.db", "after.db");
    let came = only(&differences, "account-came");
    assert_eq!(came["account"]["email"], "ada@example.com");
    assert_eq!(came["account"]["kind"], "technician");
    assert_eq!(
        change(came, "family-name"),
        (Value::Null, json!("Lovelace"))
    );
    let went = only(&differences, "account-went");
    assert_eq!(went["account"]["id"], gone.id.to_string());
    let changed = of(&differences, "account-changed");
    let changed = changed
        .iter()
        .find(|changed| changed["account"]["id"] == id);
    let (_, family) = change(changed.expect("it was changed"), "family-name");
    assert_eq!(family, "Roe");
    let gain = only(&differences, "grant-gained");
    assert_eq!(
        (&gain["account"]["id"], &gain["role"]["id"]),
        (&json!(id), &json!(role))
    );
    assert_eq!(gain["role"]["name"], gained.name.to_string());
    assert_eq!(gain["account"]["familyName"], "Roe");
    let losses: BTreeSet<_> = of(&differences, "grant-lost")
        .iter()
        .map(|loss| format!("{} {}", loss["account"]["id"], loss["role"]["id"]))
        .collect();
    let by_hand = [(loser.id, lost), (gone.id, gone.memberships[0].role)];
    let by_hand = by_hand.map(|(account, role)| format!("\"{account}\" \"{role}\""));
    assert_eq!(losses, BTreeSet::from(by_hand));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_for_people_begins_with_a_summary_and_names_people_and_roles() {
    let place = Place::with(60).await;
    place.sync("before.db");
    place.edited(
        "before.db",
        "after.db",
        "UPDATE account SET given_name = 'Ada', family_name = 'Lovelace', enabled = 0 WHERE id = '7';
         DELETE FROM grant WHERE account = '7';
         INSERT INTO grant VALUES ('7', '1', NULL, '{}');
         UPDATE role SET name = 'Service Desk' WHERE id = '1';",
    );
    place.edit(
        "before.db",
        "UPDATE account SET enabled = 1 WHERE id = '7'; DELETE FROM grant WHERE account = '7'",
    );
    let said = place.succeed(&["diff", "before.db", "after.db"]);
    let summary = said.lines().next().expect("there is a summary");
    assert_eq!(
        summary,
        "1 account changed, 1 grant gained, 1 role changed."
    );
    for part in [
        "Accounts that changed",
        "Grants gained",
        "Roles that changed",
        "Ada Lovelace",
        "Service Desk",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
    let enabled = said.lines().find(|line| line.contains("enabled"));
    let enabled: Vec<_> = enabled
        .expect("it was changed")
        .split_whitespace()
        .collect();
    assert!(enabled.ends_with(&["enabled", "true", "false"]), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_finds_roles_and_organizations_that_came_went_and_were_renamed() {
    let place = Place::with(120).await;
    place.sync("before.db");
    place.edited(
        "before.db",
        "after.db",
        "UPDATE role SET name = 'Renamed', member_count = 0 WHERE id = '1';
         UPDATE role SET member_count = 0 WHERE id = '2';
         DELETE FROM role WHERE id = '3';
         INSERT INTO role VALUES ('99', 'New', NULL, NULL, NULL, '{}');
         UPDATE organization SET name = 'Renamed' WHERE id = '1';
         DELETE FROM organization WHERE id = '2';
         INSERT INTO organization VALUES ('99', 'New', NULL, '{}');",
    );
    let differences = place.differences("before.db", "after.db");
    for (subject, renamed, gone) in [("role", "1", "3"), ("organization", "1", "2")] {
        let kind = |way: &str| format!("{subject}-{way}");
        let changed = only(&differences, &kind("changed"));
        assert_eq!(changed[subject]["id"], renamed);
        assert_eq!(change(changed, "name").1, "Renamed");
        assert_eq!(
            changed["changes"].as_array().map(Vec::len),
            Some(1),
            "{changed}"
        );
        assert_eq!(only(&differences, &kind("went"))[subject]["id"], gone);
        assert_eq!(only(&differences, &kind("came"))[subject]["name"], "New");
    }
    assert_eq!(differences.len(), 6, "{differences:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_compares_fields_and_attributes_one_by_one_and_tells_absent_from_false() {
    let place = Place::with(5).await;
    place.sync("tenant.db");
    let account = |sql: &str| format!("UPDATE account SET {sql} WHERE id = '1'");
    place.edited(
        "tenant.db",
        "before.db",
        &account(
            r#"mfa_configured = 0, phone = '', attributes = '{"a": 1, "b": [1, 2], "c": true}'"#,
        ),
    );
    place.edited(
        "tenant.db",
        "after.db",
        &account(
            r#"mfa_configured = NULL, phone = NULL, attributes = '{"c":true,"b":[1,3],"d":"x"}'"#,
        ),
    );
    let differences = place.differences("before.db", "after.db");
    assert_eq!(
        only(&differences, "account-changed")["changes"],
        json!([
            {"field": "phone", "before": "", "after": null},
            {"field": "mfa-configured", "before": false, "after": null},
            {"field": "b", "before": [1, 2], "after": [1, 3]},
            {"field": "d", "before": null, "after": "x"},
            {"field": "a", "before": 1, "after": null},
        ])
    );
    place.edited("before.db", "absent.db", &account("mfa_configured = NULL"));
    let differences = place.differences("before.db", "absent.db");
    let changed = only(&differences, "account-changed");
    assert_eq!(
        change(changed, "mfa-configured"),
        (json!(false), Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_of_a_diff_has_the_documented_keys_and_counts_its_own_lines() {
    let place = Place::with(120).await;
    place.sync("before.db");
    place.delete(3).await;
    place.sync("after.db");
    place.edit(
        "after.db",
        "UPDATE grant SET source = 'TEST' WHERE account = (SELECT max(account) FROM grant)",
    );
    let lines = json_lines(&place.succeed(&["diff", "before.db", "after.db", "--json"]));
    let (header, differences) = lines.split_first().expect("there are lines");
    let keys = |object: &Value| -> BTreeSet<String> {
        object
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let set = |names: &str| names.split(' ').map(String::from).collect::<BTreeSet<_>>();
    assert_eq!(
        keys(header),
        set("type equal before after counts unevenDetails rolesWithUnknownMembers")
    );
    assert_eq!(header["equal"], false);
    assert_eq!(header["before"]["counts"]["accounts"], 120);
    let counts = header["counts"].as_object().expect("an object");
    assert_eq!(counts.len(), 12);
    for (kind, count) in counts {
        assert_eq!(*count, of(differences, kind).len(), "{kind}");
    }
    assert!(differences.len() > 3);
    for difference in differences {
        assert_eq!(
            keys(difference),
            set("type difference account role organization changes")
        );
        assert_eq!(
            keys(&difference["account"]),
            set("id kind givenName familyName email")
        );
        if !difference["role"].is_null() {
            assert_eq!(keys(&difference["role"]), set("id name"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_of_equal_snapshots_says_so_and_the_exit_code_tells_on_request() {
    let place = Place::with(30).await;
    place.sync("before.db");
    place.sync("same.db");
    let said = place.succeed(&["diff", "before.db", "same.db", "--exit-code"]);
    assert!(
        said.contains("Nothing differs: both have 30 accounts"),
        "{said}"
    );
    let lines = json_lines(&place.succeed(&["diff", "before.db", "same.db", "--json"]));
    assert_eq!((lines.len(), &lines[0]["equal"]), (1, &json!(true)));
    place.edited("same.db", "other.db", "DELETE FROM account WHERE id = '5'");
    place.succeed(&["diff", "before.db", "other.db"]);
    let said = place.fail(1, &["diff", "before.db", "other.db", "--exit-code"]);
    assert_eq!(said, "", "a difference is no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_snapshot_asked_for_is_not_taken_for_a_change() {
    let place = Place::with(40).await;
    place.sync("plain.db");
    place.succeed(&["sync", "--out", "fuller.db", "--details", "management"]);
    let told = "SELECT count(*) FROM account WHERE externally_managed IS NOT NULL";
    assert!(
        number(&place.open("fuller.db"), told) > 0,
        "it has more in it"
    );
    let said = place.succeed(&["diff", "plain.db", "fuller.db"]);
    assert!(said.starts_with("Nothing differs"), "{said}");
    assert!(said.contains("detail management"), "{said}");
    place.edit(
        "fuller.db",
        "UPDATE account SET email = 'new@example.com' WHERE id = '3'",
    );
    let differences = place.differences("plain.db", "fuller.db");
    let changed = only(&differences, "account-changed");
    assert_eq!(
        changed["changes"].as_array().map(Vec::len),
        Some(1),
        "{changed}"
    );
    assert_eq!(change(changed, "email").1, "new@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_of_different_tenants_says_that_they_are() {
    let place = Place::with(2).await;
    place.sync("here.db");
    place.edited(
        "here.db",
        "there.db",
        "UPDATE run SET base_url = 'https://there.example'",
    );
    let said = place.succeed(&["diff", "here.db", "there.db"]);
    assert!(
        said.contains("different tenants") && said.contains("https://there.example"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_name_reaches_the_terminal_as_a_command() {
    let place = Place::with(5).await;
    place.sync("before.db");
    place.edited(
        "before.db",
        "after.db",
        "UPDATE account SET family_name = char(27) || '[2J' || char(10) || 'gone' WHERE id = '2';
         UPDATE role SET name = char(0x202e) || 'abc' || char(7);
         UPDATE run SET base_url = 'https://x' || char(27) || '[31m'",
    );
    for json in [&["--json"][..], &[]] {
        let said = place.succeed(&[&["diff", "before.db", "after.db"], json].concat());
        assert!(said.contains("[2J"), "it is shown: {said}");
        let commands = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(commands), "{said:?}");
        assert!(!said.contains("\ngone"), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_refuses_to_lose_more_accounts_than_allowed_and_the_snapshot_stays_as_it_was() {
    let place = Place::with(30).await;
    place.sync("tenant.db");
    let before = fs::read(place.path("tenant.db")).expect("it is there");
    place.delete(10).await;
    let said = place.fail(29, &["sync", "--out", "tenant.db"]);
    for part in [
        "accounts fell from 30 to 20, by 33.4 %",
        "allows 30 %",
        "--allow-loss",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let after = fs::read(place.path("tenant.db")).expect("it is there");
    assert!(before == after, "the snapshot is not as it was");
    assert_eq!(place.names(), BTreeSet::from(["tenant.db".to_string()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_loses_as_much_as_it_is_told_to() {
    let place = Place::with(30).await;
    place.sync("tenant.db");
    fs::copy(place.path("tenant.db"), place.path("copy.db")).expect("it can be copied");
    place.delete(10).await;
    place.fail(29, &["sync", "--out", "tenant.db", "--most-lost", "33"]);
    for (name, allowed) in [
        ("copy.db", &["--most-lost", "99"][..]),
        ("tenant.db", &["--allow-loss"]),
    ] {
        place.succeed(&[&["sync", "--out", name], allowed].concat());
        let accounts = number(&place.open(name), "SELECT count(*) FROM account");
        assert_eq!(accounts, 20, "{allowed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_refuses_to_lose_more_grants_than_allowed_also_where_all_accounts_are_there() {
    let place = Place::with(12).await;
    place.sync("tenant.db");
    let grants = number(&place.open("tenant.db"), ALL_GRANTS);
    assert!(grants > 0);
    place.revoke_from(&place.simulator.accounts()).await;
    let said = place.fail(29, &["sync", "--out", "tenant.db"]);
    assert!(
        said.contains(&format!("grants fell from {grants} to 0")),
        "{said}"
    );
    assert!(!said.contains("accounts fell"), "{said}");
}

/// A tenant that can be had to answer other than it would: what becomes of requests for a path.
struct Odd {
    place: Place,
    proxy: Proxy,
    faults: Arc<Mutex<BTreeMap<&'static str, Fault>>>,
}

impl Odd {
    async fn with(accounts: u32) -> Self {
        let place = Place::with(accounts).await;
        let faults: Arc<Mutex<BTreeMap<&'static str, Fault>>> = Arc::default();
        let known = faults.clone();
        let proxy = Proxy::start(&place.simulator, move |asked: &Asked| {
            let known = known.lock().expect("nobody panics with it");
            match known.get(asked.path.as_str()) {
                Some(fault) => Verdict::After(fault.clone()),
                None => Verdict::Pass,
            }
        });
        Self {
            proxy: proxy.await,
            place,
            faults,
        }
    }

    /// From here on the answer at these paths is that there is nothing, and that is all that is odd.
    fn without(&self, paths: &[&'static str]) {
        let nothing = Fault::Answer(Answer::json(200, "[]"));
        let faults = paths.iter().map(|path| (*path, nothing.clone()));
        *self.faults.lock().expect("nobody panics with it") = faults.collect();
    }

    fn damage(&self, path: &'static str, damage: fn(&[u8]) -> Vec<u8>) {
        let mut faults = self.faults.lock().expect("nobody panics with it");
        faults.insert(path, Fault::Damaged(damage));
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut program = program_at(&self.proxy.base_url(), arguments);
        let output = program.current_dir(self.place.folder.path()).output();
        output.expect("the program runs")
    }

    /// What the program writes when it ends with this exit code, and what it says.
    fn end(&self, exit: i32, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        (text(&output.stdout), said)
    }
}

const USERS: &str = "/v2/users";
const ROLES: &str = "/v2/user/roles";
const ORGANIZATIONS: &str = "/v2/organizations";

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_refuses_a_success_with_nothing_in_it_whatever_it_is_of() {
    let odd = Odd::with(30).await;
    odd.end(0, &["sync", "--out", "tenant.db"]);
    let before = fs::read(odd.place.path("tenant.db")).expect("it is there");
    for (path, what) in [
        (USERS, "accounts fell from 30 to 0"),
        (ROLES, "roles fell from"),
        (ORGANIZATIONS, "organizations fell from"),
    ] {
        odd.without(&[path]);
        let (_, said) = odd.end(29, &["sync", "--out", "tenant.db"]);
        assert!(said.contains(what), "{said}");
        let after = fs::read(odd.place.path("tenant.db")).expect("it is there");
        assert!(
            before == after,
            "without {path} the snapshot is not as it was"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_snapshot_without_accounts_is_not_written_unless_it_is_allowed() {
    let odd = Odd::with(30).await;
    odd.without(&[USERS]);
    let (_, said) = odd.end(29, &["sync", "--out", "new.db"]);
    assert!(said.contains("no account"), "{said}");
    assert_eq!(odd.place.names(), BTreeSet::new());
    let (_, said) = odd.end(29, &["sync", "--out", "new.db", "--json", "--quiet"]);
    let failure: Value = serde_json::from_str(&said).expect("it is one line");
    assert_eq!(failure["error"]["kind"], "snapshot-without-accounts");
    odd.end(0, &["sync", "--out", "new.db", "--allow-loss"]);
    // What was allowed once is there, and nothing is lost by the next.
    odd.end(0, &["sync", "--out", "new.db"]);
    odd.without(&[USERS, ROLES, ORGANIZATIONS]);
    odd.end(0, &["sync", "--out", "empty.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_in_organizations_that_were_not_listed_are_told_with_and_without_a_snapshot() {
    let odd = Odd::with(30).await;
    let (whole, _) = odd.end(0, &["sync", "--json"]);
    let whole = json_lines(&whole);
    let sum = whole.last().expect("there is a last line");
    assert_eq!(sum["accountsInUnknownOrganizations"], 0);
    let members: BTreeSet<_> = whole
        .iter()
        .filter(|line| line["type"] == "account" && !line["organization"].is_null())
        .map(|line| (line["id"].to_string(), line["organization"].to_string()))
        .collect();
    assert!(!members.is_empty());

    odd.without(&[ORGANIZATIONS]);
    for arguments in [
        &["sync", "--json"][..],
        &["sync", "--json", "--out", "a.db"],
    ] {
        let (lines, _) = odd.end(0, arguments);
        let lines = json_lines(&lines);
        let sum = lines.last().expect("there is a last line");
        assert_eq!(sum["accountsInUnknownOrganizations"], members.len());
        let told: BTreeSet<_> = lines
            .iter()
            .filter(|line| line["finding"] == "account-in-unknown-organization")
            .map(|line| {
                (
                    line["account"].to_string(),
                    line["organization"].to_string(),
                )
            })
            .collect();
        assert_eq!(told, members, "{arguments:?}");
    }
    let (shown, _) = odd.end(0, &["sync"]);
    let expected = format!(
        "{} accounts are in organizations that were not listed",
        members.len()
    );
    assert!(shown.contains(&expected), "{shown}");
}

/// The roles of an answer, with something done to each; `true` for the first of them.
fn roles(body: &[u8], change: fn(&mut Map<String, Value>, bool)) -> Vec<u8> {
    let mut roles: Vec<Map<String, Value>> = serde_json::from_slice(body).expect("it is JSON");
    for (place, role) in roles.iter_mut().enumerate() {
        change(role, place == 0);
    }
    serde_json::to_vec(&roles).expect("it is JSON")
}

/// The first role comes without its members.
fn first_unknown(body: &[u8]) -> Vec<u8> {
    roles(body, |role, is_first| {
        if is_first {
            role.remove("members");
        }
    })
}

/// No role comes with its members.
fn all_unknown(body: &[u8]) -> Vec<u8> {
    roles(body, |role, _| {
        role.remove("members");
    })
}

/// Nobody holds any role but the first.
fn only_first_held(body: &[u8]) -> Vec<u8> {
    roles(body, |role, is_first| {
        if !is_first {
            role.insert("members".to_string(), json!([]));
        }
    })
}

/// A tenant that leaves out the list of members where it is empty.
async fn leaving_out_empty_lists(accounts: u32) -> Place {
    let mut behavior = Behavior::default();
    let set = behavior.set("empty-members", "absent");
    set.expect("it is a switch");
    let options = Options {
        accounts,
        behavior,
        ..Options::default()
    };
    Place::at(simulated(options).await)
}

const ALL_GRANTS: &str = "SELECT count(*) FROM grant";
const GRANTS_OF_FIRST: &str = "SELECT count(*) FROM grant WHERE role = '1'";
const GRANTS_OF_OTHERS: &str = "SELECT count(*) FROM grant WHERE role <> '1'";

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_records_which_roles_have_unknown_members_and_carries_no_grant_over() {
    let odd = Odd::with(60).await;
    odd.end(0, &["sync", "--out", "tenant.db"]);
    let before = odd.place.open("tenant.db");
    let of_first = number(&before, GRANTS_OF_FIRST);
    let of_others = number(&before, GRANTS_OF_OTHERS);
    assert!(of_first > 0 && of_others > 0);
    drop(before);
    odd.damage(ROLES, first_unknown);
    let (said, _) = odd.end(0, &["sync", "--out", "tenant.db", "--allow-loss"]);
    for part in [
        "1 of 12 roles came without their members: who holds them is unknown",
        "  role 1, ",
        &format!(
            "Of the grants before, {of_first} are of roles whose members are unknown now. They are not carried over."
        ),
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let after = odd.place.open("tenant.db");
    let unknown = "SELECT id FROM role WHERE attributes ->> 'members-unknown'";
    assert_eq!(
        number(&after, &format!("SELECT count(*) FROM ({unknown})")),
        1
    );
    assert_eq!(rows(&after, unknown)[0]["id"], Sql::Text("1".to_string()));
    assert_eq!(number(&after, GRANTS_OF_FIRST), 0);
    assert_eq!(number(&after, GRANTS_OF_OTHERS), of_others);
    // An older program reads it, and this one reads older ones.
    assert_eq!(number(&after, "PRAGMA user_version"), 1);
    drop(after);
    *odd.faults.lock().expect("nobody panics with it") = BTreeMap::new();
    let (said, _) = odd.end(0, &["sync", "--out", "tenant.db"]);
    let known_again =
        format!("Of the grants now, {of_first} are of roles whose members were unknown before.");
    assert!(said.contains(&known_again), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_names_each_role_with_unknown_members_once_with_and_without_a_snapshot() {
    let odd = Odd::with(30).await;
    odd.damage(ROLES, all_unknown);
    let all: BTreeSet<_> = odd
        .place
        .simulator
        .roles()
        .iter()
        .map(|role| (json!(role.id.to_string()), json!(role.name)))
        .map(|role| json!(role).to_string())
        .collect();
    for arguments in [
        &["sync", "--json"][..],
        &["sync", "--json", "--out", "a.db"],
    ] {
        let (lines, _) = odd.end(0, arguments);
        let lines = json_lines(&lines);
        let findings = lines
            .iter()
            .filter(|line| line["finding"] == "members-unknown");
        let told: Vec<_> = findings
            .map(|line| json!([line["role"], line["name"]]).to_string())
            .collect();
        assert_eq!(told.len(), all.len(), "{arguments:?}");
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), all);
        let sum = lines.last().expect("there is a last line");
        assert_eq!(sum["rolesWithUnknownMembers"], all.len());
        assert_eq!(sum["counts"]["grants"], 0);
    }
    let (said, _) = odd.end(0, &["sync"]);
    assert!(
        said.contains("12 of 12 roles came without their members"),
        "{said}"
    );
    assert!(
        said.contains("and 2 more of them; --json has all"),
        "{said}"
    );
    let named = said.lines().filter(|line| line.starts_with("  role "));
    assert_eq!(named.count(), 10, "{said}");
    let (said, _) = Odd::with(5).await.end(0, &["sync"]);
    assert!(!said.contains("came without"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_neither_loses_nor_gains_grants_of_a_role_whose_members_one_snapshot_does_not_know()
{
    let odd = Odd::with(60).await;
    odd.end(0, &["sync", "--out", "known.db"]);
    odd.damage(ROLES, first_unknown);
    odd.end(0, &["sync", "--out", "unknown.db"]);
    let place = &odd.place;
    let grants = number(&place.open("known.db"), GRANTS_OF_FIRST);
    let name = &place.simulator.roles()[0].name;
    for (before, after, unknown_in, shown_in) in [
        ("known.db", "unknown.db", "after", "the later one"),
        ("unknown.db", "known.db", "before", "the earlier one"),
    ] {
        let lines = json_lines(&place.succeed(&["diff", before, after, "--json"]));
        assert_eq!(lines[0]["rolesWithUnknownMembers"], 1);
        assert_eq!(lines[0]["equal"], false);
        assert_eq!(lines[0]["counts"]["grant-lost"], 0);
        assert_eq!(lines[0]["counts"]["grant-gained"], 0);
        assert_eq!(
            lines[1],
            json!({
                "type": "members-unknown",
                "role": {"id": "1", "name": name},
                "unknownIn": unknown_in,
                "grantsNotCompared": grants,
            })
        );
        let others = &lines[2..];
        assert!(
            others
                .iter()
                .all(|line| line["difference"] == "role-changed"),
            "{others:?}"
        );
        let said = place.succeed(&["diff", before, after]);
        let summary = format!("1 role changed, {grants} grants cannot be compared.");
        assert_eq!(said.lines().next(), Some(&*summary), "{said}");
        let row = said
            .lines()
            .find(|line| line.contains(shown_in))
            .expect("there is a row of the role");
        assert!(
            row.contains(&**name) && row.ends_with(&grants.to_string()),
            "{said}"
        );
        assert_eq!(place.fail(1, &["diff", before, after, "--exit-code"]), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_of_snapshots_that_both_do_not_know_members_says_so_and_is_no_alarm() {
    let place = leaving_out_empty_lists(60).await;
    place.sync("before.db");
    place.sync("after.db");
    let unknown = number(
        &place.open("after.db"),
        "SELECT count(*) FROM role WHERE attributes ->> 'members-unknown'",
    );
    assert!(unknown > 0);
    let said = place.succeed(&["diff", "before.db", "after.db", "--exit-code"]);
    assert!(
        said.starts_with("Nothing differs in what is known: both have 60 accounts"),
        "{said}"
    );
    assert!(said.contains("Roles whose members are unknown"), "{said}");
    let lines = json_lines(&place.succeed(&["diff", "before.db", "after.db", "--json"]));
    assert_eq!(lines[0]["equal"], true);
    assert_eq!(lines[0]["rolesWithUnknownMembers"], unknown);
    assert_eq!(lines.len() as i64, 1 + unknown);
    assert_eq!(
        (&lines[1]["unknownIn"], &lines[1]["grantsNotCompared"]),
        (&json!("both"), &json!(0))
    );
    // What is in one of them only is seen to differ, whatever it means.
    place.edited(
        "before.db",
        "partial.db",
        "INSERT INTO grant SELECT '1', id, NULL, '{}' FROM role WHERE attributes ->> 'members-unknown' LIMIT 1",
    );
    let lines = json_lines(&place.succeed(&["diff", "before.db", "partial.db", "--json"]));
    assert_eq!(lines[0]["equal"], false);
    assert_eq!(lines[1]["grantsNotCompared"], 1);
    assert_eq!(lines.len() as i64, 1 + unknown);
    place.fail(1, &["diff", "before.db", "partial.db", "--exit-code"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_loss_does_not_get_past_the_guard_as_members_that_are_unknown() {
    let place = leaving_out_empty_lists(12).await;
    place.sync("tenant.db");
    let before = number(&place.open("tenant.db"), ALL_GRANTS);
    let accounts = place.simulator.accounts();
    let mut holders: Vec<_> = accounts
        .into_iter()
        .filter(|account| !account.memberships.is_empty())
        .collect();
    // Of a list of roles of which none has members, the connector believes nothing.
    let left = holders.pop().expect("there are holders");
    place.revoke_from(&holders).await;
    let said = place.fail(29, &["sync", "--out", "tenant.db"]);
    for part in [
        &format!("{before} grants"),
        "may be",
        "the members of their roles are unknown now",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    place.succeed(&["sync", "--out", "tenant.db", "--allow-loss"]);
    let now = number(&place.open("tenant.db"), ALL_GRANTS);
    assert_eq!(now as usize, left.memberships.len());
    // What is unknown from here on was so before: nothing more can be lost by it.
    place.succeed(&["sync", "--out", "tenant.db", "--most-lost", "0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_loss_does_not_get_past_the_guard_behind_members_that_become_known() {
    let odd = Odd::with(60).await;
    odd.damage(ROLES, first_unknown);
    odd.end(0, &["sync", "--out", "tenant.db"]);
    let known = number(&odd.place.open("tenant.db"), ALL_GRANTS);
    odd.end(0, &["sync", "--out", "tenant.db", "--most-lost", "0"]);
    odd.damage(ROLES, only_first_held);
    let (_, said) = odd.end(29, &["sync", "--out", "tenant.db"]);
    let expected =
        format!("grants of roles whose members were known fell from {known} to 0, by 100.0 %");
    assert!(said.contains(&expected), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_become_unknown_hold_a_sync_up_only_where_they_are_too_many() {
    let odd = Odd::with(60).await;
    odd.end(0, &["sync", "--out", "tenant.db"]);
    let snapshot = odd.place.open("tenant.db");
    let (first, all) = (
        number(&snapshot, GRANTS_OF_FIRST),
        number(&snapshot, ALL_GRANTS),
    );
    drop(snapshot);
    odd.damage(ROLES, first_unknown);
    let (limit, too_little) = (first * 100 / all + 1, first * 100 / all - 1);
    let sync = |most_lost: i64, exit| {
        odd.end(
            exit,
            &[
                "sync",
                "--out",
                "tenant.db",
                "--most-lost",
                &most_lost.to_string(),
            ],
        )
    };
    let (_, said) = sync(too_little, 29);
    assert!(
        said.contains(&format!("{first} of {all} grants may be gone")),
        "{said}"
    );
    assert!(!said.contains("fell"), "nobody knows that: {said}");
    sync(limit, 0);
}

/// Unknown fields of an account, with numbers that no double holds and a key that comes twice.
const PECULIAR: &str = r#""externalRef": 12345678901234567890123, "quota": 0.12345678901234567891, "price": 1.10, "huge": 1e400,
    "nested": {"assetId": 98765432109876543210987, "list": [18446744073709551617], "key": 1, "key": 2}, "class": "A", "class": "B", "#;
/// The same as it is written, but for the last of them, which is not.
const EXACT: [(&str, usize); 7] = [
    (r#""externalRef":12345678901234567890123,"#, 1),
    (r#""quota":0.12345678901234567891,"#, 1),
    (r#""price":1.10,"#, 1),
    (r#""huge":1e400,"#, 1),
    (
        r#""nested":{"assetId":98765432109876543210987,"key":2,"list":[18446744073709551617]}"#,
        1,
    ),
    (r#""class":"B""#, 1),
    (r#""class":"A""#, 0),
];

fn assert_exact(attributes: &str) {
    for (part, times) in EXACT {
        let found = attributes.matches(part).count();
        assert_eq!(found, times, "{part} in: {attributes}");
    }
}

fn peculiar(users: &[u8], fields: &str) -> Vec<u8> {
    let users = text(users);
    let (before, after) = users.split_once("\"id\":5,").expect("account 5 is there");
    format!("{before}{fields}\"id\":5,{after}").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_digit_and_each_key_once_reach_the_json_the_snapshot_and_the_diff() {
    let odd = Odd::with(10).await;
    odd.damage(USERS, |users| peculiar(users, PECULIAR));
    let (lines, _) = odd.end(0, &["list", "accounts", "--json"]);
    let line = lines.lines().find(|line| line.contains("externalRef"));
    let line = line.expect("account 5 is there");
    assert_exact(line);

    odd.end(0, &["sync", "--out", "before.db"]);
    let sql = "SELECT attributes FROM account WHERE id = '5'";
    let attributes: String = odd
        .place
        .open("before.db")
        .query_row(sql, (), |row| row.get(0))
        .expect("account 5 is there");
    assert_exact(&attributes);

    odd.damage(USERS, |users| {
        peculiar(users, &PECULIAR.replace("10987,", "10988,"))
    });
    odd.end(0, &["sync", "--out", "after.db"]);
    let (lines, _) = odd.end(0, &["diff", "before.db", "after.db", "--json"]);
    let changed = lines.lines().nth(1).expect("there is a difference");
    for part in [
        "\"id\":\"5\"",
        "98765432109876543210987",
        "98765432109876543210988",
    ] {
        assert!(changed.contains(part), "{part} is not in: {changed}");
    }
    assert_eq!(lines.lines().count(), 2, "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sync_leaves_the_old_snapshot_and_no_litter() {
    let place = Place::with(10).await;
    place.sync("tenant.db");
    let old = fs::read(place.path("tenant.db")).expect("it is there");
    // The same tenant, too slow to get to the end.
    let slow = Options {
        accounts: 10,
        latency: Duration::from_secs(30),
        ..Options::default()
    };
    let slow = Place {
        folder: place.folder,
        simulator: simulated(slow).await,
    };
    for signal_name in ["-INT", "-TERM"] {
        let child = slow
            .program(&["sync", "--out", "tenant.db"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        wait_for("the new snapshot is begun", || slow.names().len() == 2);
        signal(&child, signal_name);
        let output = child.wait_with_output().expect("it ends");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("cut"), "{said}");
        assert_eq!(slow.names(), BTreeSet::from(["tenant.db".to_string()]));
        let new = fs::read(slow.path("tenant.db")).expect("it is there");
        assert!(old == new, "the snapshot is not as it was");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_fails_leaves_the_old_snapshot_and_no_litter() {
    let place = Place::with(10).await;
    place.sync("tenant.db");
    let old = fs::read(place.path("tenant.db")).expect("it is there");
    let wrong = ["--client-id", "nobody"];
    place.fail(11, &[&["sync", "--out", "tenant.db"], &wrong[..]].concat());
    place.fail(11, &[&["sync", "--out", "first.db"], &wrong[..]].concat());
    assert_eq!(place.names(), BTreeSet::from(["tenant.db".to_string()]));
    let new = fs::read(place.path("tenant.db")).expect("it is there");
    assert!(old == new, "the snapshot is not as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_a_snapshot_is_left_alone_whatever_is_allowed() {
    let place = Place::with(2).await;
    fs::write(
        place.path("notes.txt"),
        "not a database, but dear to somebody",
    )
    .expect("written");
    fs::write(place.path("empty"), "").expect("written");
    let other = place.open("other.db");
    other
        .execute_batch("CREATE TABLE dear (to_somebody)")
        .expect("good SQL");
    drop(other);
    fs::create_dir(place.path("folder")).expect("it can be made");
    let names = place.names();
    for name in ["notes.txt", "empty", "other.db", "folder"] {
        let content = fs::read(place.path(name)).ok();
        let said = place.fail(2, &["sync", "--out", name, "--allow-loss"]);
        assert!(
            said.contains(&format!("{name} is not a snapshot")),
            "{said}"
        );
        assert_eq!(fs::read(place.path(name)).ok(), content, "{name}");
    }
    assert_eq!(place.names(), names);
    assert_eq!(
        place.simulator.request_count(),
        0,
        "it is told before anything is listed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_a_later_program_is_neither_read_nor_replaced() {
    let place = Place::with(2).await;
    place.sync("tenant.db");
    place.edited("tenant.db", "later.db", "PRAGMA user_version = 2");
    for arguments in [
        &["diff", "tenant.db", "later.db"][..],
        &["diff", "later.db", "tenant.db"],
        &["sync", "--out", "later.db", "--allow-loss"],
    ] {
        let said = place.fail(2, arguments);
        assert!(said.contains("later.db is of version 2"), "{said}");
        assert!(said.contains("newer connector-host"), "{said}");
    }
    assert_eq!(number(&place.open("later.db"), "PRAGMA user_version"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_says_which_file_cannot_be_compared_and_why() {
    let place = Place::with(60).await;
    place.sync("tenant.db");
    place.edited("tenant.db", "cut.db", "UPDATE run SET complete = 0");
    fs::write(place.path("notes.txt"), "not a database").expect("written");
    let mut bytes = fs::read(place.path("tenant.db")).expect("it is there");
    bytes[4096..].fill(0xff);
    fs::write(place.path("damaged.db"), bytes).expect("written");
    for (name, why) in [
        ("nowhere.db", "there is no snapshot nowhere.db"),
        ("notes.txt", "notes.txt is not a snapshot"),
        (".", ". is not a snapshot"),
        ("cut.db", "cut.db is not complete"),
        ("damaged.db", "damaged.db is damaged"),
    ] {
        for arguments in [["diff", "tenant.db", name], ["diff", name, "tenant.db"]] {
            let said = place.fail(2, &arguments);
            assert!(said.contains(why), "{why} is not in: {said}");
        }
    }
    assert!(!place.path("nowhere.db").exists(), "reading makes no file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_as_json_has_a_kind_of_its_own() {
    let place = Place::with(10).await;
    place.sync("tenant.db");
    place.delete(5).await;
    let said = place.fail(29, &["sync", "--out", "tenant.db", "--json"]);
    let failure: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!(failure["error"]["kind"], "snapshot-loss");
    assert_eq!(failure["exitCode"], 29);
    let said = place.fail(2, &["diff", "tenant.db", "nowhere.db", "--json"]);
    let failure: Value = serde_json::from_str(&said).expect("one object");
    assert_eq!(failure["error"]["kind"], "snapshot-missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_about_snapshots_needs_one() {
    let place = Place::with(0).await;
    place.fail(2, &["sync", "--allow-loss"]);
    place.fail(2, &["sync", "--most-lost", "5"]);
    place.fail(2, &["sync", "--out", "tenant.db", "--most-lost", "101"]);
    assert_eq!(place.names(), BTreeSet::new());
}

/// The paths of the tests are short names in a folder; here is one that has to be quoted anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_snapshot_may_be_any() {
    let place = Place::with(2).await;
    let (name, other) = ("file:it's 100%?mode=memory.db", ":memory:");
    for name in [name, other] {
        place.sync(name);
        assert!(Path::new(&place.path(name)).is_file());
    }
    let said = place.succeed(&["diff", name, other]);
    assert!(said.starts_with("Nothing differs"), "{said}");
}
