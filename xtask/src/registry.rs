//! `cargo xtask registry`: the released component by way of a registry.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::dist::Release;
use crate::workspace::Workspace;
use crate::{provision, simulator};

/// Push what is released to a registry on this computer, and pull and run it from there
///
/// Makes the files of a release (cargo xtask dist), starts an OCI registry on a free port of this computer, pushes the release to it
/// as `cargo xtask dist --push` does, pulls the component with `wkg oci pull` and the contract with `wkg get`, compares both with
/// what was released, and syncs a simulated tenant with the component that came back.
///
/// The registry is Debian's package docker-registry, which is installed where it is missing; where it cannot be, the step is
/// skipped, which is said.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// The registry, and Debian's package that it is in.
const SERVER: &str = "docker-registry";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes the release to a registry and back.
pub fn run(workspace: &Workspace) -> Result<()> {
    if let Err(reason) = provision::provision_programs(&[SERVER]) {
        println!(
            "registry: skipped, since there is no {SERVER}, and it could not be installed ({reason:#})"
        );
        return Ok(());
    }
    let sh = workspace.shell();
    let release = Release::make(workspace, None)?;
    let folder = workspace.target().join("registry");
    sh.remove_path(&folder)?;
    let registry = Registry::start(sh, &folder)?;
    let address = registry.address.to_string();
    let _insecure = sh.push_env("WKG_OCI_INSECURE", &address);
    release.push(&address)?;

    // As somebody does who knows where the component is.
    let (released, version) = release.released("ninjaone-connector")?;
    let component = folder.join("component.wasm");
    let there = format!("{address}/ninjaone-connector:{version}");
    cmd!(sh, "wkg oci pull {there} --output {component}").run()?;
    same(&component, &released)?;

    // As somebody does who knows the name of the contract, and which registry has its namespace.
    let (released, version) = release.released("identity-connector")?;
    let [contract, config, cache] =
        ["contract.wasm", "wkg.toml", "cache"].map(|name| folder.join(name));
    let settings = format!(
        "[namespace_registries.identity]
         registry = '{address}'
         metadata = {{ preferredProtocol = 'oci', oci = {{ registry = '{address}', namespacePrefix = '' }} }}
         [registry.'{address}']
         type = 'oci'
         [registry.'{address}'.oci]
         protocol = 'http'"
    );
    sh.write_file(&config, settings)?;
    let package = format!("identity:connector@{version}");
    // With a cache of its own, so that nothing comes from there that an earlier run got.
    cmd!(
        sh,
        "wkg get {package} --format wasm --config {config} --cache {cache} --output {contract}"
    )
    .run()?;
    same(&contract, &released)?;
    drop(registry);

    simulator::sync(workspace, &component)
}

/// Fails unless both files have the same content.
fn same(pulled: &Path, released: &Path) -> Result<()> {
    let name = released.display();
    ensure!(
        fs::read(pulled)? == fs::read(released)?,
        "{name} came back from the registry as something else"
    );
    println!("came back as it was: {name}");
    Ok(())
}

/// A registry on this computer, until it is dropped.
struct Registry {
    /// The server.
    server: Child,
    /// Where it is.
    address: SocketAddr,
}

impl Registry {
    /// Starts one that keeps its files in `folder`, and waits until it takes connections.
    fn start(sh: &Shell, folder: &Path) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let address = listener.context("there is no free port")?.local_addr()?;
        let config = folder.join("config.yml");
        // JSON is YAML too, and any path can stand in it.
        let settings = serde_json::json!({
            "version": "0.1",
            "log": { "level": "warn", "accesslog": { "disabled": true } },
            "storage": { "filesystem": { "rootdirectory": folder.join("storage") } },
            "http": { "addr": address.to_string() },
        });
        sh.write_file(&config, settings.to_string())?;
        let log = folder.join("registry.log");
        let output = File::create(&log)?;
        let server = Command::from(cmd!(sh, "{SERVER} serve {config}"))
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        // From here on it is ended when this function fails.
        let mut registry = Self { server, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = registry.server.try_wait()? {
                bail!("{SERVER} ended at once ({status}): see {}", log.display());
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "{SERVER} does not listen at {address}"
            );
            sleep(Duration::from_millis(50));
        }
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // One that has ended by itself is ended all the same.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
