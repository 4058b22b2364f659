//! `cargo xtask registry`: the released component by way of a registry.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

use crate::tools::{self, WKG};
use crate::workspace::Workspace;
use crate::{dist, provision, simulator};

/// Push what is released to a registry on this computer, and pull and run it from there
///
/// Makes the files of a release (cargo xtask dist), starts an OCI registry on a free port of this computer, copies the release to it
/// with skopeo, pulls the component with `wkg oci pull` and the contract with `wkg get`, compares both with what was released, and
/// syncs a simulated tenant with the component that came back.
///
/// The registry and skopeo are Debian's packages docker-registry and skopeo, which are installed where they are missing; where they
/// cannot be, the step is skipped, which is said. wkg is installed by cargo.
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments;

/// The programs of Debian's packages of the same names.
const PROGRAMS: [&str; 2] = ["docker-registry", "skopeo"];
/// How long the registry may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// The component's name in the release, and in the registry.
const COMPONENT: &str = "ninjaone-connector";
/// The contract's name in the release.
const CONTRACT: &str = "identity-connector";

/// Takes the release to a registry and back.
pub fn run(workspace: &Workspace) -> Result<()> {
    if let Err(reason) = provision::provision_programs(&PROGRAMS) {
        println!(
            "registry: skipped, since there is no {}, and it could not be installed ({reason:#})",
            PROGRAMS.join(" or no ")
        );
        return Ok(());
    }
    tools::provision(workspace, &WKG)?;
    let release = dist::make(workspace, None)?;
    let folder = workspace.target().join("registry");
    workspace.shell().remove_path(&folder)?;
    let registry = Registry::start(workspace.shell(), &folder)?;
    let layout = release.folder().join("oci");
    let released = release.component(COMPONENT)?;
    let name = format!("{COMPONENT}:{}", released.version);
    let component = folder.join("component.wasm");
    registry.push(&layout, COMPONENT, &name)?;
    registry.pull(&name, &component)?;
    same(&component, &released.path)?;

    let released = release.component(CONTRACT)?;
    let contract = folder.join("contract.wasm");
    registry.push(
        &layout,
        CONTRACT,
        &format!("identity/connector:{}", released.version),
    )?;
    registry.get(
        &format!("identity:connector@{}", released.version),
        &contract,
    )?;
    same(&contract, &released.path)?;
    drop(registry);

    simulator::sync(workspace, &component)
}

/// Fails unless both files have the same content.
fn same(pulled: &Path, released: &Path) -> Result<()> {
    ensure!(
        fs::read(pulled)? == fs::read(released)?,
        "{} came back from the registry as something else",
        released.display()
    );
    println!("came back as it was: {}", released.display());
    Ok(())
}

/// A registry on this computer, until it is dropped.
struct Registry<'a> {
    /// Runs its clients.
    sh: &'a Shell,
    /// The server.
    server: Child,
    /// Where it is.
    address: SocketAddr,
    /// Where its files and those of its clients are.
    folder: PathBuf,
}

impl<'a> Registry<'a> {
    /// Starts one that keeps its files in `folder`, and waits until it answers.
    fn start(sh: &'a Shell, folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let config = folder.join("config.yml");
        sh.write_file(&config, config_of_registry(address, folder))?;
        let log = fs::File::create(folder.join("registry.log"))?;
        let server = Command::from(cmd!(sh, "docker-registry serve {config}"))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot run docker-registry")?;
        let mut registry = Self {
            sh,
            server,
            address,
            folder: folder.to_owned(),
        };
        registry.wait()?;
        Ok(registry)
    }

    /// Waits until it takes connections.
    fn wait(&mut self) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.server.try_wait()? {
                bail!(
                    "docker-registry ended at once ({status}): see {}",
                    self.folder.join("registry.log").display()
                );
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "docker-registry does not listen at {}",
                self.address
            );
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Copies an image of a layout to it.
    fn push(&self, layout: &Path, image: &str, name: &str) -> Result<()> {
        let address = self.address.to_string();
        cmd!(
            self.sh,
            "skopeo copy --quiet --preserve-digests --dest-tls-verify=false oci:{layout}:{image} docker://{address}/{name}"
        )
        .run()?;
        Ok(())
    }

    /// Pulls an artifact as somebody does who knows where it is.
    fn pull(&self, name: &str, to: &Path) -> Result<()> {
        let address = self.address.to_string();
        cmd!(
            self.sh,
            "wkg oci pull --insecure {address} {address}/{name} --output {to}"
        )
        .run()?;
        Ok(())
    }

    /// Gets a package as somebody does who knows its name, and which registry has its namespace.
    fn get(&self, package: &str, to: &Path) -> Result<()> {
        let [config, cache] = ["wkg.toml", "cache"].map(|name| self.folder.join(name));
        self.sh.write_file(&config, config_of_wkg(self.address))?;
        // With a cache of its own, so that nothing comes from there that an earlier run got.
        cmd!(
            self.sh,
            "wkg get {package} --format wasm --config {config} --cache {cache} --output {to}"
        )
        .run()?;
        Ok(())
    }
}

impl Drop for Registry<'_> {
    fn drop(&mut self) {
        // One that has ended by itself is ended all the same.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// An address of this computer that is free at this moment.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
    Ok(listener.local_addr()?)
}

/// The registry's configuration. JSON, which is YAML too, so that any path can stand in it.
fn config_of_registry(address: SocketAddr, folder: &Path) -> String {
    serde_json::json!({
        "version": "0.1",
        "log": { "level": "warn", "accesslog": { "disabled": true } },
        "storage": { "filesystem": { "rootdirectory": folder.join("storage") } },
        "http": { "addr": address.to_string() },
    })
    .to_string()
}

/// wkg's configuration: the namespace `identity` is in the registry.
fn config_of_wkg(address: SocketAddr) -> String {
    format!(
        "[namespace_registries]\n\
         identity = {{ registry = \"{address}\", metadata = {{ preferredProtocol = \"oci\", oci = {{ registry = \"{address}\", namespacePrefix = \"\" }} }} }}\n\
         \n\
         [registry.\"{address}\"]\n\
         type = \"oci\"\n\
         [registry.\"{address}\".oci]\n\
         protocol = \"http\"\n"
    )
}
