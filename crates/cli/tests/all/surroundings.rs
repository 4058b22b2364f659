//! What lies around the program when it is run: components that nobody named, a cache folder, and files and variables as Windows
//! writes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host_test::program::{program, program_for};
use host_test::{names_in, tenant};
use ninjaone_simulator::Simulator;

/// The secret of a simulated tenant.
fn secret(simulator: &Simulator) -> &str {
    &simulator.credentials().client_secret
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(program: &mut Command) -> Output {
    program.output().expect("the program runs")
}

/// What the program says when it does what it is told.
fn succeed(program: &mut Command) -> String {
    let output = run(program);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What the program says when it refuses the command line.
fn refusal(program: &mut Command) -> String {
    let output = run(program);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    said
}

/// The program for a tenant, with no component but one that it finds for itself.
fn without_component(simulator: &Simulator, folder: &Path) -> Command {
    let mut program = program_for(simulator, &["list", "roles"]);
    program.current_dir(folder);
    program.env_remove("CONNECTOR_COMPONENT");
    program.env_remove("CONNECTOR_BUILT_COMPONENT");
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_lies_in_the_current_folder_or_above_is_not_run() {
    let simulator = tenant(3).await;
    let place = tempfile::tempdir().expect("there is room for files");
    let below = place.path().join("some/folder");
    fs::create_dir_all(&below).expect("it is new");
    let hostile = host_test::components::MISBEHAVING;
    for folder in [place.path(), &place.path().join("some"), &below] {
        fs::create_dir_all(folder.join("target")).expect("it is new");
        for name in [
            "target/ninjaone_connector.wasm",
            "ninjaone_connector.wasm",
            "component.wasm",
        ] {
            fs::copy(hostile, folder.join(name)).expect("it can be copied");
        }
    }
    for folder in [place.path(), &below] {
        let mut program = without_component(&simulator, folder);
        let said = refusal(&mut program);
        assert!(said.contains("no component is named"), "{said}");
        assert!(said.contains("--component FILE"), "{said}");
        // A variable that is set to nothing names none.
        let said = refusal(program.env("CONNECTOR_COMPONENT", ""));
        assert!(said.contains("no component is named"), "{said}");
    }
    assert_eq!(simulator.request_count(), 0, "the secret went nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_named_is_run_wherever_the_program_is_called() {
    let simulator = tenant(3).await;
    let place = tempfile::tempdir().expect("there is room for files");
    let component = host_test::component();
    let component = fs::canonicalize(component).expect("it is there");
    let program = || without_component(&simulator, place.path());
    succeed(program().arg("--component").arg(&component));
    succeed(program().env("CONNECTOR_COMPONENT", &component));
    succeed(program().env("CONNECTOR_BUILT_COMPONENT", &component));
    let mut both = program();
    both.env("CONNECTOR_COMPONENT", "nowhere.wasm");
    succeed(both.arg("--component").arg(&component));
}

#[test]
fn the_version_says_which_component_the_program_carries() {
    let said = succeed(&mut program(&["--version"]));
    assert!(said.contains(env!("CARGO_PKG_VERSION")), "{said}");
    assert!(said.contains("\ncomponent: "), "{said}");
    assert_eq!(succeed(&mut program(&["-V"])).lines().count(), 1);
}

/// The cache folder of a user, which the program is run with.
#[cfg(unix)]
struct Cache {
    home: tempfile::TempDir,
}

#[cfg(unix)]
impl Cache {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("there is room for files");
        Self { home }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("connector-host")
    }

    fn mode(&self) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(self.folder()).expect("it is there");
        metadata.permissions().mode() & 0o7777
    }

    fn set_mode(&self, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.folder(), mode).expect("it is ours");
    }

    /// What the program says on standard error.
    fn said(&self, arguments: &[&str]) -> String {
        let mut program = program(&[&["describe"], arguments].concat());
        let output = run(program.env("XDG_CACHE_HOME", self.home.path()));
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stderr)
    }
}

#[cfg(unix)]
#[test]
fn compiled_code_is_kept_in_a_folder_for_its_user_alone() {
    let cache = Cache::new();
    assert_eq!(cache.said(&[]), "");
    assert_eq!(cache.mode(), 0o700);
    assert!(!names_in(&cache.folder()).is_empty(), "the code is there");
}

#[cfg(unix)]
#[test]
fn a_cache_folder_that_others_can_enter_is_not_used_and_the_warning_says_what_to_do() {
    let cache = Cache::new();
    fs::create_dir(cache.folder()).expect("it is new");
    for mode in [0o777, 0o755] {
        cache.set_mode(mode);
        let said = cache.said(&[]);
        assert!(said.contains("chmod 700"), "{said}");
        assert_eq!(names_in(&cache.folder()).len(), 0, "nothing was put there");
    }
    assert_eq!(cache.said(&["--no-cache"]), "");
    cache.set_mode(0o700);
    assert_eq!(cache.said(&[]), "");
    assert!(!names_in(&cache.folder()).is_empty(), "now it is used");
}

/// A text as Windows PowerShell writes it, with a mark and as UTF-16.
fn utf_16(text: &str) -> Vec<u8> {
    let text = format!("\u{feff}{text}\r\n");
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// The same as UTF-8.
fn utf_8(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}\r\n").into_bytes()
}

/// The program for a tenant, with its secret in a file.
fn with_secret_file(simulator: &Simulator, file: &Path) -> Command {
    let mut program = program_for(simulator, &["list", "roles", "--client-secret-file"]);
    program.arg(file).env_remove("NINJAONE_CLIENT_SECRET");
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_file_from_windows_is_read_or_its_encoding_is_named() {
    let simulator = tenant(3).await;
    let folder = tempfile::tempdir().expect("there is room for files");
    let file = folder.path().join("secret.txt");
    fs::write(&file, utf_8(secret(&simulator))).expect("it can be written");
    succeed(&mut with_secret_file(&simulator, &file));

    let with_mark = utf_16(secret(&simulator));
    for bytes in [&with_mark, &with_mark[2..]] {
        fs::write(&file, bytes).expect("it can be written");
        let said = refusal(&mut with_secret_file(&simulator, &file));
        for part in ["secret.txt", "UTF-16", "as UTF-8", "iconv"] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
        assert!(!said.contains(secret(&simulator)), "{said}");
    }

    fs::write(&file, b"hunter2\xff").expect("it can be written");
    let said = refusal(&mut with_secret_file(&simulator, &file));
    assert!(
        said.contains("UTF-8") && !said.contains("hunter2"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_from_windows_is_read_on_standard_input_too() {
    let simulator = tenant(3).await;
    for (bytes, exit) in [
        (utf_8(secret(&simulator)), 0),
        (utf_16(secret(&simulator)), 2),
    ] {
        let mut child = with_secret_file(&simulator, Path::new("-"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        std::io::Write::write_all(&mut stdin, &bytes).expect("it takes it");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(exit == 0 || said.contains("UTF-16"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shell_makes_of_files_from_windows_is_taken_for_what_is_in_them() {
    let simulator = tenant(3).await;
    let credentials = simulator.credentials();
    // As `export NAME="$(cat FILE)"` and `docker run --env-file` give them.
    let marked = format!("\u{feff}{}\r", credentials.client_secret);
    let mut program = program_for(&simulator, &["list", "roles"]);
    program
        .env("NINJAONE_CLIENT_SECRET", &marked)
        .env("NINJAONE_BASE_URL", format!("{}\r", simulator.base_url()))
        .env("NINJAONE_CLIENT_ID", format!("{}\r", credentials.client_id));
    succeed(&mut program);
    let mut program = program_for(&simulator, &["list", "roles", "--client-secret", &marked]);
    succeed(program.env_remove("NINJAONE_CLIENT_SECRET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_file_from_windows_is_read_or_its_encoding_is_named() {
    let simulator = tenant(3).await;
    let credentials = simulator.credentials();
    let folder = tempfile::tempdir().expect("there is room for files");
    let file = folder.path().join("tenant.toml");
    let settings = format!(
        "base-url = '{}'\r\nclient-id = '{}'\r\nclient-secret = '{}'\r\nscope = '{}'",
        simulator.base_url(),
        credentials.client_id,
        credentials.client_secret,
        credentials.scopes,
    );
    let list = || {
        let mut program = program(&["list", "roles", "--config"]);
        program.arg(&file);
        program
    };
    fs::write(&file, utf_8(&settings)).expect("it can be written");
    succeed(&mut list());
    fs::write(&file, utf_16(&settings)).expect("it can be written");
    let said = refusal(&mut list());
    assert!(
        said.contains("tenant.toml") && said.contains("UTF-16"),
        "{said}"
    );
    fs::write(&file, utf_8("client-secret = hunter2")).expect("it can be written");
    let said = refusal(&mut list());
    assert!(
        said.contains("line 1") && !said.contains("hunter2"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_authorities_from_windows_are_read_or_their_encoding_is_named() {
    let simulator = tenant(3).await;
    let folder = tempfile::tempdir().expect("there is room for files");
    let file = folder.path().join("ca.pem");
    let key = rcgen::KeyPair::generate().expect("the cryptography is there");
    let params = rcgen::CertificateParams::new(vec!["ca.example".to_string()]);
    let certificate = params.expect("it is a name").self_signed(&key);
    let certificate = STANDARD.encode(certificate.expect("it is signed").der());
    let pem = format!("-----BEGIN CERTIFICATE-----\r\n{certificate}\r\n-----END CERTIFICATE-----");
    let list = || {
        let mut program = program_for(&simulator, &["list", "roles", "--ca-file"]);
        program.arg(&file);
        program
    };
    fs::write(&file, utf_8(&pem)).expect("it can be written");
    succeed(&mut list());
    fs::write(&file, utf_16(&pem)).expect("it can be written");
    let said = refusal(&mut list());
    assert!(said.contains("ca.pem") && said.contains("UTF-16"), "{said}");
}
