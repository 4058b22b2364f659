//! A tenant that is reached through a proxy, as where an organization lets out nothing else: the program, through a proxy of our
//! own over real sockets, and through Squid.

use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use host_test::authority::{Authority, for_host};
use host_test::program::{program, with_settings};
use host_test::proxy::ConnectProxy;
use ninjaone_simulator::Simulator;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A name that only the proxy knows.
const HOST: &str = "tenant.example";
const USER: &str = "somebody";
const PASSWORD: &str = "pr0xyword";
/// The password as Apache's MD5, as `openssl passwd -apr1` makes it.
const HASHED: &str = "$apr1$simulate$3agNmJTRrAxnCGRpKTh8O1";

/// A simulated tenant behind TLS for that name, and what the program has to know of it.
struct Reached {
    simulator: Simulator,
    address: SocketAddr,
    authority: tempfile::NamedTempFile,
    _running: JoinHandle<()>,
}

impl Reached {
    async fn new() -> Self {
        let simulator = host_test::tenant(20).await;
        let authority = Authority::new("of the proxy tests");
        let acceptor = TlsAcceptor::from(Arc::new(authority.certify(&for_host(HOST))));
        let (listener, address) = listen().await;
        let behind = simulator.base_url().replace("http://", "");
        let running = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    let mut client = acceptor.accept(stream).await.expect("it is trusted");
                    let simulator = TcpStream::connect(behind).await;
                    let mut simulator = simulator.expect("the simulator runs");
                    // How a connection ends is up to both sides.
                    let _ = copy_bidirectional(&mut client, &mut simulator).await;
                });
            }
        });
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        fs::write(file.path(), authority.pem()).expect("it can be written to");
        Self {
            simulator,
            address,
            authority: file,
            _running: running,
        }
    }

    /// The program, which lists the roles of the tenant, with nothing of the environment that names a proxy.
    fn roles(&self) -> Command {
        let base_url = format!("https://{HOST}:{}", self.address.port());
        let mut program = program(&["list", "roles", "--json"]);
        with_settings(&mut program, &base_url, self.simulator.credentials());
        program.arg("--ca-file").arg(self.authority.path());
        for name in ["HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY", "NO_PROXY"] {
            program.env_remove(name).env_remove(name.to_lowercase());
        }
        program.env_remove("CONNECTOR_PROXY");
        program
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, address)
}

/// Runs a command without holding up what runs here.
async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    output
        .expect("it does not panic")
        .expect("the program runs")
}

#[track_caller]
fn assert_listed(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let listed = String::from_utf8_lossy(&output.stdout);
    assert!(listed.contains(r#""type":"role""#), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_reaches_a_tenant_through_the_proxy_that_the_environment_names() {
    let reached = Reached::new().await;
    let proxy = ConnectProxy::start_for(USER, PASSWORD).await;
    let url = proxy.url_for(USER, PASSWORD);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "CONNECTOR_PROXY"] {
        let mut program = reached.roles();
        program.env(variable, &url);
        assert_listed(&run(program).await);
    }
    let target = format!("{HOST}:{}", reached.address.port());
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|asked| *asked == target), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tenant_of_a_configuration_file_has_its_own_proxy() {
    let reached = Reached::new().await;
    let proxy = ConnectProxy::start_for(USER, PASSWORD).await;
    let credentials = reached.simulator.credentials();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("config.toml");
    let section = |name: &str, proxy: &str| {
        format!(
            "[tenants.{name}]\nbase-url = \"https://{HOST}:{}\"\nclient-id = \"{}\"\nclient-secret = \"{}\"\n\
             scope = \"{}\"\nca-file = \"{}\"\nproxy = \"{proxy}\"\n",
            reached.address.port(),
            credentials.client_id,
            credentials.client_secret,
            credentials.scopes,
            reached.authority.path().display(),
        )
    };
    let url = proxy.url_for(USER, PASSWORD);
    let text = section("acme", &url) + &section("globex", "none");
    fs::write(&file, text).expect("it can be written to");
    let list = |tenant: &str| {
        let mut program = program(&["list", "roles", "--json", "--tenant", tenant]);
        // It would be the right one, and does not count.
        program.env("HTTPS_PROXY", &url);
        program.arg("--config").arg(&file);
        program
    };
    assert_listed(&run(list("acme")).await);
    let before = proxy.asked().len();
    let direct = run(list("globex")).await;
    assert_eq!(
        direct.status.code(),
        Some(22),
        "only the proxy knows the name"
    );
    assert_eq!(proxy.asked().len(), before, "the proxy was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_proxy_is_told_without_its_password() {
    let reached = Reached::new().await;
    let proxy = ConnectProxy::start_for(USER, PASSWORD).await;
    let wrong = proxy.url_for(USER, "wr0ngword");
    for (url, code, wanted) in [
        (wrong.as_str(), 22, "407"),
        ("http://somebody:wr0ngword@127.0.0.1:1", 22, "proxy"),
        ("socks5://somebody:wr0ngword@proxy.example", 2, "socks5"),
        ("somebody:wr0ngword@:::", 2, "proxy"),
    ] {
        for arguments in [&["-vv"][..], &[]] {
            let mut program = reached.roles();
            program.env("HTTPS_PROXY", url).args(arguments);
            let output = run(program).await;
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert!(said.contains(wanted), "{said}");
            // What cannot pass by itself is not tried again: some proxies lock whoever gives a wrong password too often.
            assert!(wanted != "407" || !said.contains("trying again"), "{said}");
            assert!(!said.contains("wr0ng"), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_without_a_proxy_are_reached_without_it() {
    let simulator = host_test::tenant_over_tls(5).await;
    let authority = tempfile::NamedTempFile::new().expect("a file can be made");
    let pem = simulator.authority().expect("it speaks TLS");
    fs::write(authority.path(), pem).expect("it can be written to");
    let mut direct = program(&["list", "roles", "--json"]);
    with_settings(&mut direct, &simulator.base_url(), simulator.credentials());
    // Nobody listens there.
    direct.env("HTTPS_PROXY", "http://127.0.0.1:1");
    direct.arg("--ca-file").arg(authority.path());
    assert_listed(&run(direct).await);
}

/// Squid, which is as real as a proxy can be, until it is dropped.
struct Squid {
    port: u16,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Squid {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .expect("there is a free port")
            .port();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("hosts"), format!("127.0.0.1 {HOST}\n")).expect("it can be written to");
        fs::write(path("passwords"), format!("{USER}:{HASHED}\n")).expect("it can be written to");
        let lines = [
            format!("http_port 127.0.0.1:{port}"),
            format!("hosts_file {}", path("hosts").display()),
            format!(
                "auth_param basic program /usr/lib/squid/basic_ncsa_auth {}",
                path("passwords").display()
            ),
            "acl known proxy_auth REQUIRED".to_string(),
            "http_access allow CONNECT known".to_string(),
            "http_access deny all".to_string(),
            format!("pid_filename {}", path("squid.pid").display()),
            "cache_log /dev/null".to_string(),
            "access_log none".to_string(),
            "cache deny all".to_string(),
            "pinger_enable off".to_string(),
            "shutdown_lifetime 1 seconds".to_string(),
            "visible_hostname proxy.example".to_string(),
        ];
        fs::write(path("squid.conf"), lines.join("\n")).expect("it can be written to");
        open_to_all(folder.path());
        let process = Command::new("squid")
            .args(["-N", "-f"])
            .arg(path("squid.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("squid is installed: `cargo xtask proxy` does it");
        let end = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "squid does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            port,
            process,
            _folder: folder,
        }
    }
}

/// Where root starts it, Squid works as another user.
#[cfg(unix)]
fn open_to_all(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder, mode).expect("it is ours");
}

#[cfg(not(unix))]
fn open_to_all(_folder: &std::path::Path) {}

impl Drop for Squid {
    fn drop(&mut self) {
        // Nothing is to be done where it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Squid, which `cargo xtask proxy` installs"]
async fn the_program_reaches_a_tenant_through_squid() {
    let reached = Reached::new().await;
    let squid = Squid::start();
    let with = |password: &str| {
        let mut program = reached.roles();
        let url = format!("http://{USER}:{password}@127.0.0.1:{}", squid.port);
        program.env("HTTPS_PROXY", url);
        program
    };
    assert_listed(&run(with(PASSWORD)).await);
    let refused = run(with("wr0ngword")).await;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(22), "{said}");
    assert!(said.contains("407") && !said.contains("wr0ng"), "{said}");
}
