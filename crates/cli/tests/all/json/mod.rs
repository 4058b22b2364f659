//! What `--json` writes is what `docs/json.schema.json` says, key by key, and `docs/json.md` is that for people.

mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use host_test::faulty::{Answer, Asked, Fault, Proxy, Verdict};
use host_test::program::program_at;
use host_test::tenant;
use jsonschema::Validator;
use ninjaone_simulator::Simulator;
use page::{Schema, commands_of, in_root, keys, lines_of_all};
use serde_json::{Map, Value, json};

/// Commands that write no lines of JSON: what they write has a form of its own.
const WITHOUT_JSON: [&str; 3] = ["completions", "demo", "man"];

/// Holds lines to the schema, and remembers which kinds of lines there were.
struct Judge {
    schema: Schema,
    validators: BTreeMap<String, Validator>,
    seen: BTreeSet<String>,
}

impl Judge {
    fn new() -> Self {
        let mut schema = page::schema();
        close(&mut schema);
        let kinds = lines_of_all(&schema).into_iter().map(|kind| {
            let whole = json!({"$ref": format!("#/$defs/{kind}"), "$defs": schema["$defs"]});
            let validator = jsonschema::draft202012::new(&whole);
            (kind, validator.expect("it is a schema"))
        });
        Self {
            validators: kinds.collect(),
            seen: BTreeSet::new(),
            schema,
        }
    }

    /// Each line on standard output is one that this command is documented to write, and what is on standard error a failure.
    fn judge(&mut self, arguments: &[&str], output: &Output) {
        let command = arguments[0];
        let kinds = commands_of(&self.schema).remove(command);
        let kinds = kinds.unwrap_or_else(|| panic!("{command} is not documented"));
        for line in text(&output.stdout).lines() {
            self.judge_line(&kinds, line);
        }
        for line in text(&output.stderr).lines() {
            self.judge_line(&["failure".to_string()], line);
        }
    }

    fn judge_line(&mut self, kinds: &[String], line: &str) {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let mut faults = Vec::new();
        for kind in kinds {
            let validator = &self.validators[kind];
            if validator.is_valid(&value) {
                self.seen.insert(kind.clone());
                return;
            }
            let found = validator.iter_errors(&value);
            let found: Vec<_> = found.map(|e| format!("{}: {e}", e.instance_path)).collect();
            faults.push(format!("{kind}: {}", found.join("; ")));
        }
        panic!("{line}\nis none of these:\n{}", faults.join("\n"));
    }
}

/// Adds to each object that lists its keys that there are no others: what is not documented is a fault here, and not for others.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(close);
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_string(), false.into());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The program as it is called for JSON, with the settings of a tenant at this address.
fn program(base_url: &str, arguments: &[&str]) -> Command {
    let mut program = program_at(base_url, arguments);
    program.args(["--json", "--quiet"]);
    program
}

/// Runs a command and holds what it writes to the schema.
fn run(judge: &mut Judge, base_url: &str, arguments: &[&str]) -> Output {
    let output = program(base_url, arguments).output();
    let output = output.expect("the program runs");
    judge.judge(arguments, &output);
    output
}

/// A tenant in which a role has a member who is nobody, another one comes without its members, an account is sent twice, and
/// organizations are missing.
async fn odd(simulator: &Simulator) -> Proxy {
    fn stranger(body: &[u8]) -> Vec<u8> {
        let mut roles: Value = serde_json::from_slice(body).expect("it is JSON");
        roles[1]["members"] = Value::Null;
        roles[0]["members"]
            .as_array_mut()
            .expect("a role has members")
            .push(json!({"id": 424_242}));
        roles.to_string().into_bytes()
    }
    fn twice(body: &[u8]) -> Vec<u8> {
        let mut users: Value = serde_json::from_slice(body).expect("it is JSON");
        let users = users.as_array_mut().expect("users are a list");
        users.push(users[0].clone());
        serde_json::to_vec(users).expect("it is JSON")
    }
    Proxy::start(simulator, |asked: &Asked| match asked.path.as_str() {
        path if path.starts_with("/v2/user/roles") => Verdict::After(Fault::Damaged(stranger)),
        path if path.starts_with("/v2/users") => Verdict::After(Fault::Damaged(twice)),
        "/v2/organizations" => Verdict::Before(Fault::Answer(Answer::json(200, "[]"))),
        _ => Verdict::Pass,
    })
    .await
}

/// A tenant that answers everything but the request for a token like this.
async fn answering(simulator: &Simulator, status: u16, body: &'static str) -> Proxy {
    Proxy::start(simulator, move |asked: &Asked| {
        if asked.is_token_request() {
            return Verdict::Pass;
        }
        Verdict::Before(Fault::Answer(Answer::json(status, body)))
    })
    .await
}

/// A new technician with a first role.
fn creation(email: &str) -> Vec<&str> {
    let who = [
        "--given-name",
        "Ada",
        "--family-name",
        "Lovelace",
        "--email",
        email,
    ];
    let create = ["provision", "create", "--kind", "technician", "--role", "1"];
    [create, who].concat()
}

/// A change of an account.
fn renaming(name: &str) -> [&str; 6] {
    ["provision", "update", "--account", "2", "--set", name]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_each_command_is_as_it_is_documented() {
    let simulator = tenant(20).await;
    let mut judge = Judge::new();
    what_reads_and_writes(&mut judge, &simulator);
    what_needs_files(&mut judge, &simulator).await;
    what_is_odd(&mut judge, &simulator).await;
    what_fails(&mut judge, &simulator).await;
    simulator_says_where_it_is(&mut judge);
    let all: BTreeSet<_> = lines_of_all(&judge.schema).into_iter().collect();
    assert_eq!(judge.seen, all, "each kind of line was seen");
}

fn what_reads_and_writes(judge: &mut Judge, simulator: &Simulator) {
    let details = ["list", "accounts", "--details", "management,last-sign-in"];
    let change = renaming("family-name=Roe");
    for arguments in [
        &["describe"][..],
        &["check"],
        &details,
        &["list", "roles", "grants"],
        &["list", "organizations"],
        &["grant", "--account", "1", "--role", "1", "--plan"],
        &["grant", "--account", "1", "--role", "1"],
        &["revoke", "--account", "1", "--role", "1"],
        &["revoke", "--account", "1", "--role", "1"],
        &creation("ada@example.com"),
        &change,
        &["provision", "delete", "--account", "3"],
        &["list", "events"],
        &["sync"],
        &["conformance", "--write"],
    ] {
        let output = run(judge, &simulator.base_url(), arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
}

async fn what_needs_files(judge: &mut Judge, simulator: &Simulator) {
    let folder = tempfile::tempdir().expect("there is room for files");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (before, after, config) = (path("before.db"), path("after.db"), path("tenants.toml"));
    let base_url = simulator.base_url();
    run(judge, &base_url, &["sync", "--out", &before]);
    let change = renaming("family-name=Poe");
    assert!(run(judge, &base_url, &change).status.success());
    run(judge, &base_url, &["sync", "--out", &after]);
    run(judge, &base_url, &["diff", &before, &after]);
    run(judge, &base_url, &["diff", &before, &path("nowhere.db")]);
    let page = path("report.html");
    run(judge, &base_url, &["report", &after, "--out", &page]);
    let odd = odd(simulator).await;
    let unknown = path("unknown.db");
    run(judge, &odd.base_url(), &["sync", "--out", &unknown]);
    run(judge, &base_url, &["diff", &unknown, &unknown]);
    let tenants = "[tenants.acme]\nbase-url = 'https://acme.example'\n[tenants.globex]\n";
    std::fs::write(&config, tenants).expect("it can be written");
    run(judge, &base_url, &["tenants", "--config", &config]);
}

async fn what_is_odd(judge: &mut Judge, simulator: &Simulator) {
    let odd = odd(simulator).await;
    for arguments in [&["list", "accounts"][..], &["list", "grants"], &["sync"]] {
        run(judge, &odd.base_url(), arguments);
    }
    let half = Proxy::start(simulator, |asked: &Asked| {
        if !asked.path.contains("/add-members") {
            return Verdict::Pass;
        }
        Verdict::Before(Fault::Answer(Answer::json(400, r#"{"errorMessage":"no"}"#)))
    })
    .await;
    let output = run(judge, &half.base_url(), &creation("grace@example.com"));
    assert_eq!(output.status.code(), Some(27), "{}", text(&output.stderr));
}

async fn what_fails(judge: &mut Judge, simulator: &Simulator) {
    let base_url = &*simulator.base_url();
    let refused = answering(simulator, 403, r#"{"errorMessage":"no"}"#).await;
    let broken = answering(simulator, 200, "[{\"id\": ").await;
    let busy = answering(simulator, 429, "{}").await;
    let accounts = ["list", "accounts"];
    for (base_url, arguments, exit) in [
        (base_url, &["list", "nonsense"][..], 2),
        (base_url, &["check", "--component", "nowhere.wasm"], 2),
        ("", &accounts, 10),
        (
            base_url,
            &["list", "accounts", "--client-secret", "wrong"],
            11,
        ),
        (&refused.base_url(), &accounts, 12),
        (
            base_url,
            &["grant", "--account", "1", "--role", "999999"],
            13,
        ),
        (base_url, &creation("ada@example.com"), 14),
        (base_url, &["grant", "--account", "x", "--role", "1"], 15),
        // The role is for end users, and the account a technician.
        (base_url, &["grant", "--account", "1", "--role", "2"], 16),
        (base_url, &["provision", "disable", "--account", "1"], 17),
        (base_url, &["list", "accounts", "--cursor", "nonsense"], 18),
        (&busy.base_url(), &accounts, 20),
        ("http://127.0.0.1:9", &accounts, 22),
        (&broken.base_url(), &accounts, 24),
    ] {
        let output = run(judge, base_url, arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    }
}

fn simulator_says_where_it_is(judge: &mut Judge) {
    let mut program = program("", &["simulate", "--accounts", "1"]);
    let mut child = program.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("it is piped");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("it says where it is");
    let _ = child.kill();
    let _ = child.wait();
    judge.judge_line(&["simulator".to_string()], line.trim_end());
}

#[test]
fn every_command_is_documented() {
    let help = Command::new(env!("CARGO_BIN_EXE_connector-host"))
        .arg("-h")
        .output();
    let help = text(&help.expect("the program runs").stdout);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: BTreeSet<String> = commands
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_string))
        .collect();
    let documented = commands_of(&page::schema()).into_keys();
    let expected: BTreeSet<_> = documented.chain(WITHOUT_JSON.map(str::to_string)).collect();
    assert_eq!(commands, expected);
}

/// Every key is documented, and in a line it is there or null: only of an error and a notice some are missing.
#[test]
fn every_key_has_a_meaning_and_is_always_there() {
    let schema = page::schema();
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{error}"));
    for (name, definition) in in_root(&schema, "$defs") {
        assert!(definition["description"].is_string(), "{name}");
        let properties = definition["properties"].as_object();
        let properties: &Map<String, Value> = properties.expect("it is an object");
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{name}.{key}");
        }
        let required = definition["required"].as_array().expect("a list").len();
        let complete = !["error", "notice"].contains(&name.as_str());
        assert!(!complete || required == properties.len(), "{name}");
        assert_eq!(keys(&definition).len(), properties.len(), "{name}");
    }
}

#[test]
fn the_page_of_json_is_what_the_schema_says() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    let expected = page::page(&page::schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &expected).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == expected,
        "docs/json.md is not what docs/json.schema.json says; `UPDATE_DOCS=1 cargo test -p connector-cli --test all json` writes it anew"
    );
}
