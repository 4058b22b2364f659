//! Several tenants in one configuration file: each command reaches the one that is named, with its settings and nobody else's.

use std::path::PathBuf;
use std::process::{Command, Output};

use host_test::{simulated, tenant};
use ninjaone_simulator::Simulator;
use serde_json::Value;

/// A home with a configuration file, and two tenants in it that can be told apart by how many accounts they have.
struct Home {
    folder: tempfile::TempDir,
    acme: Simulator,
    globex: Simulator,
}

const ACME: usize = 3;
const GLOBEX: usize = 5;

impl Home {
    async fn new() -> Self {
        let globex = ninjaone_simulator::Options {
            accounts: u32::try_from(GLOBEX).expect("it is small"),
            ..Default::default()
        };
        let home = Self {
            folder: tempfile::tempdir().expect("there is room for files"),
            acme: tenant(u32::try_from(ACME).expect("it is small")).await,
            globex: simulated(globex).await,
        };
        std::fs::create_dir(home.folder.path().join("connector-host")).expect("it is new");
        home.write(&home.tenants());
        std::fs::write(
            home.file().with_file_name("globex.secret"),
            secret(&home.globex),
        )
        .expect("it can be written");
        home
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("connector-host/config.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.file(), text).expect("it can be written");
    }

    /// Acme has its secret in a variable, Globex in a file beside the configuration.
    fn tenants(&self) -> String {
        format!(
            "[tenants.acme]\n{}client-secret-env = 'ACME_SECRET'\n\n\
             [tenants.globex]\n{}client-secret-file = 'globex.secret'\n",
            settings(&self.acme),
            settings(&self.globex)
        )
    }

    /// The program, with this home and nothing else but the secret of Acme in its environment.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_connector-host"));
        program
            .args(arguments)
            .env_clear()
            .env("CONNECTOR_COMPONENT", host_test::component())
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .env("ACME_SECRET", secret(&self.acme));
        program
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().expect("the program runs")
    }

    /// What the program says on standard error when it refuses the command line.
    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        said
    }
}

fn secret(simulator: &Simulator) -> &str {
    &simulator.credentials().client_secret
}

/// All but the secret.
fn settings(simulator: &Simulator) -> String {
    let credentials = simulator.credentials();
    format!(
        "base-url = '{}'\nclient-id = '{}'\nscope = '{}'\n",
        simulator.base_url(),
        credentials.client_id,
        credentials.scopes
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How many accounts were listed.
fn accounts(output: &Output) -> usize {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    let lines = lines.lines().map(|line| {
        serde_json::from_str::<Value>(line).expect("each line is JSON")["type"] == "account"
    });
    lines.filter(|is_account| *is_account).count()
}

const LIST: [&str; 3] = ["list", "accounts", "--json"];

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_is_reached_by_its_name_with_its_own_settings() {
    let home = Home::new().await;
    let acme = [&LIST[..], &["--tenant", "acme"]].concat();
    let output = home.run(&[&acme[..], &["-vv"]].concat());
    assert_eq!(accounts(&output), ACME);
    let said = text(&output.stderr);
    assert!(
        said.contains("tenant=\"acme\"") && !said.contains(secret(&home.acme)),
        "{said}"
    );
    let mut by_environment = home.program(&LIST);
    by_environment.env("CONNECTOR_TENANT", "globex");
    assert_eq!(
        accounts(&by_environment.output().expect("the program runs")),
        GLOBEX
    );
    // A flag beats the environment, and a file that is named the one at home.
    let file = home.folder.path().join("other.toml");
    std::fs::rename(home.file(), &file).expect("it is there");
    let mut elsewhere = home.program(&acme);
    elsewhere
        .env("CONNECTOR_TENANT", "globex")
        .env("CONNECTOR_CONFIG", &file);
    assert_eq!(
        accounts(&elsewhere.output().expect("the program runs")),
        ACME
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_two_tenants_are_never_mixed() {
    let home = Home::new().await;
    // The environment is that of Globex, as the simulator gives it to paste, and Acme is named.
    let mut program = home.program(&[&LIST[..], &["--tenant", "acme"]].concat());
    program
        .env("NINJAONE_BASE_URL", home.globex.base_url())
        .env("NINJAONE_CLIENT_ID", "somebody-else")
        .env("NINJAONE_CLIENT_SECRET", "the-secret-of-somebody-else")
        .env("NINJAONE_SCOPE", "something-else");
    assert_eq!(accounts(&program.output().expect("the program runs")), ACME);
    assert_eq!(home.globex.request_count(), 0);

    // The secret of Acme does not go where another flag points.
    let globex = home.globex.base_url();
    let said = home.refusal(&["check", "--tenant", "acme", "--base-url", &globex]);
    assert!(said.contains("its secret would go elsewhere"), "{said}");
    assert_eq!(home.globex.request_count(), 0);

    // Nor does a secret at home go to a base URL of the environment.
    home.write(&format!(
        "{}client-secret = '{}'\n",
        settings(&home.acme),
        secret(&home.acme)
    ));
    let mut program = home.program(&["check"]);
    program.env("NINJAONE_BASE_URL", &globex);
    let output = program.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    // Where the file is named, what is in it counts, and the secret in it stays where it belongs.
    program.env("CONNECTOR_CONFIG", home.file());
    let output = program.output().expect("the program runs");
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("its secret would go elsewhere"), "{said}");
    assert_eq!(home.globex.request_count(), 0);
    assert_eq!(accounts(&home.run(&LIST)), ACME);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_or_misspelt_is_told_with_what_there_is() {
    let home = Home::new().await;
    let said = home.refusal(&["check", "--tenant", "acne"]);
    for part in ["\"acne\"", "did you mean \"acme\"?", "acme, globex"] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    let said = home.refusal(&["check"]);
    assert!(
        said.contains("acme, globex: name one with --tenant"),
        "{said}"
    );

    let mut without = home.program(&["check", "--tenant", "acme"]);
    let without = without.env_remove("ACME_SECRET").output();
    let said = text(&without.expect("the program runs").stderr);
    assert!(
        said.contains("ACME_SECRET, which client-secret-env names"),
        "{said}"
    );

    home.write("[tenants.acme]\nbase_url = 'https://acme.example'\n");
    let said = home.refusal(&["check", "--tenant", "acme"]);
    for part in [
        "config.toml, line 2",
        "`base_url`",
        "did you mean \"base-url\"?",
    ] {
        assert!(said.contains(part), "{part} is not in: {said}");
    }
    home.write("[tenant.acme]\nbase-url = 'https://acme.example'\n");
    let said = home.refusal(&["check", "--tenant", "acme"]);
    assert!(said.contains("did you mean \"tenants\"?"), "{said}");

    home.write(&format!("scope = 'monitoring'\n{}", home.tenants()));
    let said = home.refusal(&["check", "--tenant", "acme"]);
    assert!(
        said.contains("line 1, column 1: unknown field `scope`")
            && said.contains("eside [tenants]"),
        "{said}"
    );

    home.write("scope = 'monitoring'\n");
    let said = home.refusal(&["check", "--tenant", "acme"]);
    assert!(said.contains("has no tenants"), "{said}");

    std::fs::remove_file(home.file()).expect("it is there");
    let said = home.refusal(&["check", "--tenant", "acme"]);
    assert!(said.contains("there is no configuration file"), "{said}");
    let said = home.refusal(&["check", "--config", "nowhere.toml"]);
    assert!(said.contains("nowhere.toml"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_needs_no_tenant_and_takes_the_component_of_one_that_is_named() {
    let home = Home::new().await;
    let describe = |arguments: &[&str]| {
        let mut program = home.program(&[&["describe", "--json"], arguments].concat());
        // What `cargo host` gives it, and what counts less than a configuration file.
        program.env_remove("CONNECTOR_COMPONENT");
        program.env("CONNECTOR_BUILT_COMPONENT", host_test::component());
        let output = program.output().expect("the program runs");
        let description: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        description["name"].clone()
    };
    assert_eq!(describe(&[]), "ninjaone");
    let component = host_test::components::IN_MEMORY_CONNECTOR;
    home.write(&format!("[tenants.initech]\ncomponent = '{component}'\n"));
    assert_eq!(describe(&["--tenant", "initech"]), "in-memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connector_has_variables_of_its_own_which_describe_shows() {
    let home = Home::new().await;
    let component = host_test::components::IN_MEMORY_CONNECTOR;
    // Where the base URL of this connector is given otherwise, only the component counts of a file that nobody named.
    home.write(&format!(
        "component = '{component}'\nclient-secret = 'any'\n[settings]\ndirectory-size = '4'\n"
    ));
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut program = home.program(arguments);
        program.env_remove("CONNECTOR_COMPONENT");
        program.envs(variables.iter().copied());
        program.output().expect("the program runs")
    };
    let shown = text(&run(&["describe"], &[]).stdout);
    for variable in [
        "IN_MEMORY_CLIENT_SECRET",
        "IN_MEMORY_SETTING_DIRECTORY_SIZE",
    ] {
        assert!(shown.contains(variable), "{variable} is not in: {shown}");
    }
    assert_eq!(accounts(&run(&LIST, &[])), 4);
    let size = ("IN_MEMORY_SETTING_DIRECTORY_SIZE", "7");
    assert_eq!(accounts(&run(&LIST, &[size])), 7);
    let others = [
        ("NINJAONE_BASE_URL", "https://elsewhere.example"),
        ("NINJAONE_SETTING_DIRECTORY_SIZE", "8"),
    ];
    assert_eq!(accounts(&run(&LIST, &others)), 4);
    let elsewhere = ("IN_MEMORY_BASE_URL", "https://elsewhere.example");
    let output = run(&LIST[..2], &[elsewhere]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(said.contains("IN_MEMORY_CLIENT_SECRET"), "{said}");
    let secret = ("IN_MEMORY_CLIENT_SECRET", "any");
    assert_eq!(accounts(&run(&LIST, &[elsewhere, size, secret])), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_listed_without_their_secrets() {
    let home = Home::new().await;
    home.write(&format!(
        "{}[tenants.initech]\nclient-secret = 'hunter2'\n",
        home.tenants()
    ));
    let table = text(&home.run(&["tenants"]).stdout);
    for part in ["acme", &home.acme.base_url(), "globex", "initech"] {
        assert!(table.contains(part), "{part} is not in: {table}");
    }
    let json = home.run(&["tenants", "--json"]);
    let first = text(&json.stdout);
    let first = first.lines().next().expect("there is a line");
    let first: Value = serde_json::from_str(first).expect("it is JSON");
    assert_eq!(first["name"], "acme");
    assert_eq!(first["baseUrl"], home.acme.base_url());
    let said = table + &text(&json.stdout) + &text(&json.stderr);
    assert!(!said.contains("hunter2") && !said.contains(secret(&home.acme)));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_file_that_others_can_read_gives_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new().await;
    let warned = |text_: &str, mode: u32, of: &str| {
        home.write(text_);
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(home.file(), permissions).expect("it is there");
        let said = text(&home.run(&["tenants"]).stderr);
        assert!(!said.contains("hunter2"), "{said}");
        said.contains(&format!("others on this computer can read {of}"))
    };
    let with_secret = "[tenants.acme]\nclient-secret = 'hunter2'\n";
    assert!(warned(with_secret, 0o644, "the client secret"));
    assert!(!warned(with_secret, 0o644, "the password of the proxy"));
    assert!(!warned(with_secret, 0o600, ""));
    for with_password in [
        "proxy = 'http://user:hunter2@proxy.example:3128'\n",
        "[tenants.acme]\nproxy = 'http://user:hunter2@proxy.example:3128'\n",
    ] {
        assert!(warned(with_password, 0o640, "the password of the proxy"));
        assert!(!warned(with_password, 0o600, ""));
    }
    let without = "[tenants.acme]\nproxy = 'http://proxy.example:3128'\n";
    assert!(!warned(without, 0o644, ""));
    assert!(!warned(&home.tenants(), 0o644, ""));
}
