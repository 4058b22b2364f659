//! The arguments of `simulate`.

use std::time::Duration;

use clap::Args;
use connector_host::simulator::{Behavior, Options};

use super::{milliseconds, seconds};

#[derive(Debug, Args)]
#[command(after_long_help = format!(
    "{}\n\nBehaviors, where it is not known how NinjaOne answers:\n{}",
    examples!(
        "connector-host simulate --accounts 1000",
        "connector-host simulate --json --port 8080 --latency 50 --behavior duplicate-email=conflict"
    ),
    Behavior::help()
))]
pub struct SimulateArgs {
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
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
            accounts: self.accounts,
            seed: self.seed,
            latency: self.latency,
            token_lifetime: self.token_lifetime,
            behavior,
            ..Options::default()
        })
    }
}
