//! Reports: what `report` makes of a snapshot, and what it leaves alone. What a browser makes of them, `cargo xtask report` tries.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

use host_test::program::program_for;
use host_test::{names_in, tenant};
use ninjaone_simulator::Simulator;
use rusqlite::Connection;
use serde_json::{Value, json};

const HOSTILE: &str = "</script><script>alert(1)</script><!-- \u{2028}\u{202e}";

/// A folder of its own for each test, with a tenant and a snapshot of it.
struct Place {
    folder: tempfile::TempDir,
    simulator: Simulator,
}

impl Place {
    /// With sign-ins, and what else has to be asked for.
    async fn with(accounts: u32) -> Self {
        let place = Self::without_details(accounts).await;
        place.succeed(&[
            "sync",
            "--out",
            "tenant.db",
            "--details",
            "last-sign-in,management",
        ]);
        place
    }

    async fn without_details(accounts: u32) -> Self {
        let place = Self {
            folder: tempfile::tempdir().expect("there is a temporary folder"),
            simulator: tenant(accounts).await,
        };
        place.succeed(&["sync", "--out", "tenant.db"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn names(&self) -> BTreeSet<String> {
        names_in(self.folder.path())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        program_for(&self.simulator, arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("the program runs")
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).expect("it is text")
    }

    fn fail(&self, exit: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        said
    }

    fn open(&self) -> Connection {
        Connection::open(self.path("tenant.db")).expect("SQLite opens it")
    }

    fn edit(&self, sql: &str) {
        self.open().execute_batch(sql).expect("good SQL");
    }

    fn count(&self, sql: &str) -> u64 {
        let count: i64 = self
            .open()
            .query_row(sql, (), |row| row.get(0))
            .expect("there is one number");
        count.try_into().expect("it is not negative")
    }

    fn page(&self) -> Page {
        self.succeed(&["report", "tenant.db", "-o", "report.html"]);
        Page(fs::read_to_string(self.path("report.html")).expect("it is there"))
    }
}

/// A page, as text.
struct Page(String);

impl Page {
    fn between(&self, start: &str, end: &str) -> &str {
        let (_, rest) = self.0.split_once(start).expect("it has a start");
        rest.split_once(end).expect("it has an end").0
    }

    fn data(&self) -> Value {
        let data = self.between(
            "<script type=\"application/json\" id=\"data\">",
            "</script>",
        );
        serde_json::from_str(data).expect("the data is JSON")
    }

    /// The numbers that stand beside something to look at, without JavaScript; `–` where it is not known.
    fn finding(&self, name: &str) -> [String; 2] {
        ["finding", "not-known"].map(|attribute| {
            let cell = self.between(&format!("data-{attribute}=\"{name}\">"), "</td>");
            match cell.contains(">not known<") {
                true => "–".to_string(),
                false => cell.to_string(),
            }
        })
    }
}

fn strings(value: &Value) -> Vec<&str> {
    let list = value.as_array().expect("a list");
    list.iter()
        .map(|text| text.as_str().expect("text"))
        .collect()
}

/// What a column of words has at each place.
fn words(column: &Value) -> Vec<Option<&str>> {
    let words = strings(&column["words"]);
    let of = column["of"].as_array().expect("a list");
    of.iter()
        .map(|place| Some(words[place.as_u64()? as usize]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_role_and_grant_of_the_snapshot_is_in_the_page_exactly_once() {
    let place = Place::with(300).await;
    place.edit("INSERT INTO grant VALUES ('gone', '1', NULL, '{}'), ('1', 'lost', 'SCIM', '{}')");
    let data = place.page().data();
    let all = |table: &str| {
        let ids: Vec<_> = [&data[table]["id"], &data[table]["unknown"]]
            .into_iter()
            .flat_map(strings)
            .collect();
        ids
    };
    let (accounts, roles) = (all("accounts"), all("roles"));
    let grants = &data["grants"];
    let indexes = |column: &Value| -> Vec<usize> {
        let list = column.as_array().expect("a list");
        list.iter()
            .map(|n| n.as_u64().expect("a place") as usize)
            .collect()
    };
    let shown = indexes(&grants["account"])
        .into_iter()
        .zip(indexes(&grants["role"]))
        .zip(words(&grants["source"]));
    let mut shown: Vec<_> = shown
        .map(|((account, role), source)| {
            (
                accounts[account].to_string(),
                roles[role].to_string(),
                source.map(String::from),
            )
        })
        .collect();
    shown.sort();
    let snapshot = place.open();
    let mut statement = snapshot
        .prepare("SELECT account, role, source FROM grant ORDER BY account, role")
        .expect("good SQL");
    let held: Vec<(String, String, Option<String>)> = statement
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("it runs")
        .collect::<Result<_, _>>()
        .expect("it can be read");
    assert_eq!(shown, held);
    let mut statement = snapshot
        .prepare("SELECT id FROM account")
        .expect("good SQL");
    let mut ids: Vec<String> = statement
        .query_map((), |row| row.get(0))
        .expect("it runs")
        .collect::<Result<_, _>>()
        .expect("it can be read");
    ids.push("gone".to_string());
    ids.sort();
    let mut accounts: Vec<_> = accounts.into_iter().map(String::from).collect();
    accounts.sort();
    assert_eq!(accounts, ids);
    assert_eq!(data["accounts"]["unknown"], json!(["gone"]));
    assert_eq!(data["roles"]["unknown"], json!(["lost"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_to_look_at_is_counted_as_the_snapshot_has_it() {
    let place = Place::with(300).await;
    place.edit("INSERT INTO grant VALUES ('gone', '1', NULL, '{}'), ('1', 'lost', 'SCIM', '{}')");
    let said: Value =
        serde_json::from_str(&place.succeed(&["report", "tenant.db", "-o", "r.html", "--json"]))
            .expect("it is JSON");
    let count =
        |condition: &str| place.count(&format!("SELECT count(*) FROM account WHERE {condition}"));
    let holding = "id IN (SELECT account FROM grant)";
    let expected = json!([
        {"finding": "administrators", "accounts": count("administrator"), "notKnown": count("administrator IS NULL")},
        {"finding": "disabled-with-roles", "accounts": count(&format!("NOT enabled AND {holding}")), "notKnown": 0},
        {"finding": "no-sign-in-with-roles", "accounts": count(&format!("last_sign_in IS NULL AND {holding}")), "notKnown": 0},
        {"finding": "invitation-open", "accounts": count("invitation <> 'accepted'"), "notKnown": count("invitation IS NULL")},
        {"finding": "no-second-factor", "accounts": count("NOT mfa_configured"), "notKnown": count("mfa_configured IS NULL")},
        {"finding": "dangling", "accounts": 2, "notKnown": null},
    ]);
    assert_eq!(said["findings"], expected);
    assert!(count("mfa_configured IS NULL") > 0 && count("administrator IS NULL") > 0);
    assert_eq!(said["report"], "r.html");
    assert_eq!(said["counts"]["accounts"], 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_not_no() {
    let place = Place::with(20).await;
    place.edit("UPDATE account SET enabled = NULL, administrator = NULL, mfa_configured = NULL, invitation = NULL");
    let page = place.page();
    let data = page.data();
    for column in ["enabled", "administrator", "mfaConfigured"] {
        assert_eq!(data["accounts"][column], "-".repeat(20), "{column}");
    }
    assert_eq!(words(&data["accounts"]["invitation"]), [None; 20]);
    for finding in ["administrators", "invitation-open", "no-second-factor"] {
        assert_eq!(page.finding(finding), ["0", "20"], "{finding}");
    }
    let holders = place
        .count("SELECT count(DISTINCT account) FROM grant")
        .to_string();
    assert_eq!(page.finding("disabled-with-roles"), ["0", &holders]);
}

/// What a snapshot has of a role that came without its members.
const WITHOUT_MEMBERS: &str =
    "UPDATE role SET member_count = NULL, attributes = '{\"members-unknown\":true}' WHERE id = '1';
     DELETE FROM grant WHERE role = '1';
     UPDATE run SET grants = (SELECT count(*) FROM grant)";

#[tokio::test(flavor = "multi_thread")]
async fn a_role_whose_members_are_unknown_is_not_one_that_nobody_holds() {
    let place = Place::with(300).await;
    let page = place.page();
    assert!(!page.0.contains("members are unknown:"));
    let name = page.data()["roles"]["name"][0].clone();
    let name = name.as_str().expect("it has a name").to_string();
    assert!(
        page.between("<caption>Members per role", "</figure>")
            .contains(&name)
    );

    place.edit(WITHOUT_MEMBERS);
    let page = place.page();
    let warning = page.between("class=\"warning\">", "</p>");
    assert!(
        warning.contains("The members of 1 role are unknown"),
        "{warning}"
    );
    assert!(warning.contains(&format!("<bdi>{name}</bdi>")), "{warning}");
    assert!(
        page.0
            .contains("<dt>Grants, without 1 role whose members are unknown</dt>")
    );
    let chart = page.between("<caption>Members per role", "</figure>");
    assert!(
        !chart.contains(&name) && chart.contains("Without 1 role"),
        "{chart}"
    );
    let flags = page.data()["roles"]["membersUnknown"].clone();
    let roles = place.count("SELECT count(*) FROM role");
    assert_eq!(flags, format!("1{}", "0".repeat(roles as usize - 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_hold_a_role_whose_members_are_unknown_is_not_counted_as_holding_none() {
    let place = Place::with(300).await;
    place.edit(WITHOUT_MEMBERS);
    // The role is for technicians: no end user can hold it.
    place.edit("UPDATE account SET kind = NULL WHERE id = '9'");
    let (holds, may_hold) = (
        "id IN (SELECT account FROM grant)",
        "id NOT IN (SELECT account FROM grant) AND (kind IS NULL OR kind = 'technician')",
    );
    let count = |condition: &str, whom: &str| {
        let sql = format!("SELECT count(*) FROM account WHERE {condition} AND {whom}");
        place.count(&sql).to_string()
    };
    let page = place.page();
    for (finding, condition) in [
        ("disabled-with-roles", "NOT enabled"),
        ("no-sign-in-with-roles", "last_sign_in IS NULL"),
    ] {
        let not_known = count(condition, may_hold);
        assert_ne!(not_known, "0", "{finding}");
        assert_eq!(page.finding(finding), [count(condition, holds), not_known]);
    }
    assert!(
        page.0
            .contains("Not known includes those who may hold a role whose members are unknown.")
    );
    place.edit("UPDATE role SET account_kind = NULL WHERE id = '1'");
    let anybody = count("NOT enabled", "id NOT IN (SELECT account FROM grant)");
    assert_eq!(place.page().finding("disabled-with-roles")[1], anybody);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_says_whose_grants_its_total_leaves_out() {
    let place = Place::with(30).await;
    place.edit(WITHOUT_MEMBERS);
    let said = place.succeed(&["report", "tenant.db", "-o", "r.html"]);
    assert!(
        said.contains(", without the grants of 1 role whose members are unknown."),
        "{said}"
    );
    let said = place.succeed(&["report", "tenant.db", "-o", "r.html", "--json"]);
    let said: Value = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!(said["rolesWithUnknownMembers"], 1);
    assert_eq!(
        said["counts"]["grants"],
        place.count("SELECT count(*) FROM grant")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_said_to_have_never_signed_in_where_that_was_not_asked() {
    let place = Place::without_details(50).await;
    let page = place.page();
    let holders = place
        .count("SELECT count(DISTINCT account) FROM grant")
        .to_string();
    assert_eq!(page.finding("no-sign-in-with-roles"), ["–", &holders]);
    assert_eq!(page.data()["signInsAsked"], false);
    assert!(page.0.contains("did not ask for sign-ins"));
    assert!(!page.0.contains("<caption>Last sign-in"));

    place.succeed(&["sync", "--out", "tenant.db", "--details", "last-sign-in"]);
    let page = place.page();
    let none = place.count("SELECT count(*) FROM account WHERE last_sign_in IS NULL AND id IN (SELECT account FROM grant)");
    assert_eq!(
        page.finding("no-sign-in-with-roles"),
        [&none.to_string(), "0"]
    );
    assert_eq!(page.data()["signInsAsked"], true);
    assert!(page.0.contains("<caption>Last sign-in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_is_markup_script_or_turns_the_direction_of_writing() {
    let place = Place::with(10).await;
    let harmless = place.page();
    let snapshot = place.open();
    for sql in [
        "UPDATE account SET given_name = ?1, family_name = ?1, email = ?1, kind = ?1, invitation = ?1, authentication = ?1",
        "UPDATE role SET name = ?1, description = ?1, account_kind = ?1",
        "UPDATE organization SET name = ?1",
        "UPDATE run SET base_url = ?1, connector = ?1, contract = ?1, details = json_array(?1)",
        "UPDATE grant SET source = ?1",
    ] {
        snapshot.execute(sql, [HOSTILE]).expect("good SQL");
    }
    let page = place.page();
    assert_eq!(
        page.data()["accounts"]["givenName"][0],
        HOSTILE,
        "nothing is lost"
    );
    for markup in ["<script", "</script", "<!--"] {
        let count = |page: &Page| page.0.matches(markup).count();
        assert_eq!(count(&page), count(&harmless), "{markup}");
    }
    assert!(!page.0.contains(['\u{2028}', '\u{202e}']));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_page_names_its_own_style_and_script_and_nothing_else() {
    use base64::Engine;
    use sha2::Digest;
    let page = Place::with(5).await.page();
    let policy = page.between("http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    let directives: Vec<_> = policy.split("; ").collect();
    let hash = |text: &str| {
        let digest = sha2::Sha256::digest(text);
        format!(
            "'sha256-{}'",
            base64::engine::general_purpose::STANDARD.encode(digest)
        )
    };
    let style = hash(page.between("<style>", "</style>"));
    let script = hash(page.between("<script>", "</script>"));
    let expected = [
        "default-src 'none'".to_string(),
        format!("style-src {style}"),
        format!("script-src {script}"),
        "base-uri 'none'".to_string(),
        "form-action 'none'".to_string(),
        "require-trusted-types-for 'script'".to_string(),
        "trusted-types 'none'".to_string(),
    ];
    assert_eq!(directives, expected);
    for elsewhere in ["src=", "@import", "href=\"http"] {
        assert!(!page.0.contains(elsewhere), "{elsewhere}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_where_the_snapshot_comes_from() {
    let place = Place::with(30).await;
    let run = |column: &str| -> String {
        let sql = format!("SELECT {column} FROM run");
        place
            .open()
            .query_row(&sql, (), |row| row.get(0))
            .expect("it is there")
    };
    let page = place.page();
    let finished = run("finished");
    let title = page.between("<title>", "</title>");
    assert_eq!(
        title,
        format!("Access review: {}, {}", run("base_url"), &finished[..10])
    );
    let provenance = page.between("<dl class=\"provenance\">", "</dl>");
    for part in [
        &finished[11..19],
        "every listing ran to its end",
        "ninjaone 0.1.0",
        "identity:connector@0.1.0",
        "last-sign-in, management",
    ] {
        assert!(provenance.contains(part), "{part} is not in: {provenance}");
    }
    assert!(!page.0.contains("was changed after the sync"));
    place.edit("DELETE FROM account WHERE id = '1'");
    let page = place.page();
    let warning = page.between("class=\"warning\">", "</p>");
    for part in ["was changed after the sync", "30 accounts", "29 accounts"] {
        assert!(warning.contains(part), "{part} is not in: {warning}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_snapshot_gives_the_same_page_also_on_standard_output() {
    let place = Place::with(200).await;
    let page = place.page();
    fs::copy(place.path("tenant.db"), place.path("copy.db")).expect("it can be copied");
    let printed = place.succeed(&["report", "copy.db", "--out", "-"]);
    assert!(printed == page.0, "they differ");
    let said = place.fail(2, &["report", "copy.db", "-o", "-", "--json"]);
    assert!(said.contains("\"usage\""), "{said}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_can_read_a_report_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with(5).await;
    place.page();
    let metadata = fs::metadata(place.path("report.html")).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let names = ["report.html", "tenant.db"].map(String::from);
    assert_eq!(place.names(), BTreeSet::from(names));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_replaced_and_nothing_else_is() {
    let place = Place::with(5).await;
    place.page();
    place.edit("UPDATE account SET email = 'somebody.else@example.com' WHERE id = '1'");
    assert!(place.page().0.contains("somebody.else@example.com"));

    let snapshot = fs::read(place.path("tenant.db")).expect("it is there");
    fs::write(
        place.path("mine.html"),
        "<!DOCTYPE html>\n<html lang=\"en\">mine",
    )
    .expect("it can be written");
    fs::write(place.path("empty"), "").expect("it can be written");
    for other in ["tenant.db", "mine.html", "empty", "."] {
        let said = place.fail(2, &["report", "tenant.db", "-o", other]);
        assert!(
            said.contains("is not a report, and is left as it is"),
            "{said}"
        );
    }
    assert!(fs::read(place.path("tenant.db")).expect("it is there") == snapshot);
    let mine = fs::read_to_string(place.path("mine.html")).expect("it is there");
    assert!(mine.ends_with("mine"));
    let said = place.fail(
        1,
        &["report", "tenant.db", "-o", "nowhere/report.html", "--json"],
    );
    assert!(said.contains("report-unwritable"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_as_diff_tells_it() {
    let place = Place::with(5).await;
    let damaged = fs::read(place.path("tenant.db")).expect("it is there");
    let mut torn = damaged.clone();
    torn.truncate(damaged.len() / 2);
    fs::write(place.path("torn.db"), torn).expect("it can be written");
    fs::write(place.path("text.db"), "no snapshot").expect("it can be written");
    fs::copy(place.path("tenant.db"), place.path("part.db")).expect("it can be copied");
    let part = Connection::open(place.path("part.db")).expect("SQLite opens it");
    part.execute_batch("UPDATE run SET complete = 0")
        .expect("good SQL");
    for name in ["none.db", "torn.db", "text.db", "part.db", "."] {
        let by_report = place.fail(2, &["report", name, "-o", "report.html"]);
        let by_diff = place.fail(2, &["diff", name, "tenant.db"]);
        assert_eq!(by_report, by_diff, "{name}");
    }
    assert!(!place.path("report.html").exists());
}
