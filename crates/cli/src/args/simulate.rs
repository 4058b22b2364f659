//! The arguments of `simulate`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ninjaone_simulator::{Behavior, Options, Protocol};

use super::{milliseconds, seconds};

/// Run a simulated NinjaOne on this computer, until Ctrl-C
#[derive(Debug, Args)]
#[command(after_long_help = format!(
    "{}\n\nBehaviors, where it is not known how NinjaOne answers:\n{}",
    examples!(
        "connector-host simulate --accounts 1000",
        "connector-host simulate --tls --ca-out simulated-ca.pem",
        "connector-host simulate --json --port 8080 --latency 50 --behavior duplicate-email=conflict"
    ),
    Behavior::help()
))]
pub struct SimulateArgs {
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Speak TLS, and HTTP/2 to clients that offer it, as a live tenant does
    ///
    /// The certificate is of an authority of its own, which is new with each start. Clients have to be told to trust it; this
    /// program with --ca-file or CONNECTOR_CA_FILE, which the first line has.
    #[arg(long)]
    tls: bool,
    /// Where to write the certificate authority, as PEM [default: a temporary file]
    ///
    /// The temporary file is removed when the simulated NinjaOne ends.
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub ca_out: Option<PathBuf>,
    /// How many accounts the tenant has
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    accounts: u32,
    /// What the tenant is made from: the same number gives the same tenant
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How long every request is held, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value = "0", value_parser = milliseconds)]
    latency: Duration,
    /// How long a token is valid, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    token_lifetime: Duration,
    /// How it answers where that is not known of NinjaOne; can be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    behavior: Vec<String>,
}

impl SimulateArgs {
    pub fn options(self) -> Result<Options, String> {
        let mut behavior = Behavior::default();
        for assignment in &self.behavior {
            behavior
                .apply(assignment)
                .map_err(|error| error.to_string())?;
        }
        Ok(Options {
            port: self.port,
            protocol: if self.tls {
                Protocol::Https
            } else {
                Protocol::Http
            },
            accounts: self.accounts,
            seed: self.seed,
            latency: self.latency,
            token_lifetime: self.token_lifetime,
            behavior,
            ..Options::default()
        })
    }
}
