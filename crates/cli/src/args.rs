//! The arguments of the program.

/// The examples below the help of a command.
macro_rules! examples {
    ($($example:literal),+ $(,)?) => {
        concat!("Examples:", $("\n  ", $example),+)
    };
}

mod filters;
mod provision;
mod report;
mod shell;
mod simulate;
mod snapshot;
mod traffic;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use connector_host::contract::{Assignment, Mode};
use secrecy::SecretString;

pub use self::filters::ListArgs;
pub use self::provision::{CreateArgs, ProvisionCommand, UpdateArgs};
pub use self::report::ReportArgs;
pub use self::shell::{CompletionsArgs, ManArgs};
pub use self::simulate::SimulateArgs;
pub use self::snapshot::{DiffArgs, SyncArgs};
pub use self::traffic::TrafficFlags;
use super::color::Color;
use super::{component, exit, text};

/// Runs an identity connector: lists accounts, roles and grants, and changes them.
#[derive(Debug, Parser)]
#[command(
    name = "connector-host",
    version,
    long_version = component::long_version(),
    after_long_help = format!(
        "{}\n\n{}",
        examples!(
            "connector-host check",
            "connector-host list accounts --kind technician",
            "connector-host sync --tenant acme --out acme.db",
            "connector-host grant --account 42 --role 7 --plan"
        ),
        exit::help()
    ),
    infer_subcommands = false,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Options {
    /// The component to run [env: CONNECTOR_COMPONENT] [default: the one that `connector-host --version` names]
    ///
    /// One in the configuration file counts where neither gives one. None is ever looked for in the current folder.
    #[arg(long, global = true, value_name = "FILE")]
    pub component: Option<PathBuf>,
    /// Write JSON Lines: one object per line and item, camel case keys, null for what is not known
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more on standard error: -v each request, -vv every detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Show progress even where standard error is not a terminal
    #[arg(long, global = true, conflicts_with = "quiet")]
    pub progress: bool,
    /// When to use color
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
    /// Trust the certificate authorities in this PEM file, beside those of the operating system [env: CONNECTOR_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Reach the tenant through this proxy, or none [env: CONNECTOR_PROXY, else HTTPS_PROXY or ALL_PROXY]
    ///
    /// As http://proxy.example:3128, with user name and password before the host where the proxy wants them; the environment is the
    /// better place for these, since everybody can see a command line. `none` means no proxy, whatever the environment says.
    #[arg(long, global = true, value_name = "URL")]
    pub proxy: Option<SecretString>,
    /// Reach these hosts without a proxy [env: NO_PROXY]
    ///
    /// Names, which stand for all names below them too, addresses and networks, with commas between them. This computer is never
    /// reached through a proxy, and so is no plain http.
    #[arg(long, global = true, value_name = "HOSTS")]
    pub no_proxy: Option<String>,
    /// How long one call of the connector may take; a listing has as long for each page
    #[arg(long, global = true, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub deadline: Duration,
    /// How long to wait for a connection
    #[arg(long, global = true, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub connect_timeout: Duration,
    /// How long to wait for an answer to begin
    #[arg(long, global = true, value_name = "SECONDS", default_value = "45", value_parser = seconds)]
    pub answer_timeout: Duration,
    /// How long to wait for an answer to go on
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub stall_timeout: Duration,
    /// Compile the component anew, and keep no compiled code in the user's cache folder
    #[arg(long, global = true)]
    pub no_cache: bool,
    #[command(flatten)]
    pub traffic: TrafficFlags,
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// Where the settings of the tenant are: a flag beats the environment, and the environment beats the file. With a tenant chosen
/// by name the environment is left out.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Settings of the tenant (flag, else environment, else file)")]
pub struct SettingFlags {
    /// One of the tenants in the configuration file [env: CONNECTOR_TENANT]
    ///
    /// Its settings are those of its table, and the flags that are given. No variable of a setting counts, so that the settings of
    /// two tenants are never mixed.
    #[arg(long, global = true, value_name = "NAME")]
    pub tenant: Option<String>,
    /// The configuration file [env: CONNECTOR_CONFIG] [default: ~/.config/connector-host/config.toml]
    ///
    /// In TOML: base-url, client-id, scope, and client-secret, client-secret-file or client-secret-env (the name of a variable);
    /// also component, ca-file, proxy, no-proxy, and a table `settings` for other connectors. Either at the top, for one tenant, or in a table
    /// [tenants.NAME] for each of several. Paths are relative to the folder of the file. A client secret in it goes to the base URL
    /// beside it only.
    ///
    /// The default, in $XDG_CONFIG_HOME where that is set, is left out where a flag gives a base URL. Where a variable does, nothing
    /// counts of it but the component that it names.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The address of the connected system [env: <CONNECTOR>_BASE_URL]
    ///
    /// Every setting of a connector has a variable: the name of the connector and the key of the setting, in upper case and with _
    /// for -; between them stands SETTING, where there is no flag of that name. `connector-host describe` shows both, and the variables.
    #[arg(long, global = true, value_name = "URL")]
    pub base_url: Option<String>,
    /// The client id of the API application [env: <CONNECTOR>_CLIENT_ID]
    #[arg(long, global = true, value_name = "ID")]
    pub client_id: Option<String>,
    /// The client secret. Others on this computer can see it in the list of processes: better use
    /// its variable or --client-secret-file [env: <CONNECTOR>_CLIENT_SECRET]
    #[arg(
        long,
        global = true,
        value_name = "SECRET",
        conflicts_with = "client_secret_file"
    )]
    pub client_secret: Option<SecretString>,
    /// A file with the client secret in it; - for standard input
    #[arg(long, global = true, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// The scopes to ask for, separated by spaces [env: <CONNECTOR>_SCOPE]
    #[arg(long, global = true, value_name = "SCOPES")]
    pub scope: Option<String>,
    /// A setting that another connector asks for, and that is no secret; as often as needed [env: <CONNECTOR>_SETTING_<KEY>]
    #[arg(long = "setting", global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub others: Vec<(String, String)>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what the connector is and what it can do; needs no settings
    #[command(after_long_help = examples!(
        "connector-host describe",
        "connector-host describe --json | jq .operations"
    ))]
    Describe,
    /// Try the connection, and show which operations it allows
    #[command(after_long_help = examples!(
        "connector-host check",
        "connector-host check --tenant acme",
        "connector-host check --config tenant.toml --json | jq .healthy"
    ))]
    Check,
    /// List accounts, roles, grants, organizations or events
    #[command(after_long_help = examples!(
        "connector-host list accounts --kind technician",
        "connector-host list roles grants",
        "connector-host list grants --account 42",
        "connector-host list events --since 2026-11-01T00:00:00Z --json"
    ))]
    List(ListArgs),
    /// Give an account a role
    #[command(after_long_help = examples!(
        "connector-host grant --account 42 --role 7 --plan",
        "connector-host grant --account 42 --role 7"
    ))]
    Grant(AssignmentArgs),
    /// Take a role from an account
    #[command(after_long_help = examples!(
        "connector-host revoke --account 42 --role 7 --plan",
        "connector-host revoke --account 42 --role 7"
    ))]
    Revoke(AssignmentArgs),
    /// Create, change, enable, disable or remove an account
    #[command(subcommand, after_long_help = examples!(
        "connector-host provision create --kind technician --email jo@example.com --given-name Jo --family-name Doe --plan",
        "connector-host provision delete --account 42 --plan"
    ))]
    Provision(ProvisionCommand),
    /// List everything, check that it fits together, and write a snapshot of it where one is asked for
    #[command(
        long_about = "List everything, check that it fits together, and write a snapshot of it where one is asked for.\n\n\
            Accounts are listed at the same time as roles, grants and organizations. Fails where a listing is not whole. \
            Grants that point at accounts or roles that were not listed, and accounts in organizations that were not, are \
            reported, and are not a failure. So are roles that came without their members: who holds them is unknown.\n\n\
            With --out, items go into the snapshot and not to standard output. A sync can be whole and still be wrong, as \
            when a permission was taken away: so a snapshot is not replaced by one that has much less in it, nor a first one \
            written that has roles, grants or organizations but no account, and the exit code is then 29. A file that is not a snapshot is never replaced.",
        after_long_help = examples!(
            "connector-host sync",
            "connector-host sync --json > tenant.jsonl",
            "connector-host sync --tenant acme --out acme.db",
            "connector-host sync --out tenant.db --most-lost 5 --details management"
        )
    )]
    Sync(SyncArgs),
    /// Say what differs between two snapshots: who came, went, gained and lost what
    #[command(
        long_about = snapshot::ABOUT_DIFF,
        after_long_help = examples!(
            "connector-host diff yesterday.db today.db",
            "connector-host diff yesterday.db today.db --json | jq 'select(.difference == \"grant-gained\")'",
            "connector-host diff yesterday.db today.db --exit-code > changes.txt"
        )
    )]
    Diff(DiffArgs),
    /// Make a page for an access review of a snapshot: who has what, and what to look at
    #[command(
        long_about = report::ABOUT,
        after_long_help = examples!(
            "connector-host report tenant.db -o report.html",
            "connector-host sync --out tenant.db --details last-sign-in,management && connector-host report tenant.db -o report.html",
            "connector-host report tenant.db -o report.html --json | jq .findings"
        )
    )]
    Report(ReportArgs),
    /// Show the names and addresses of the tenants in the configuration file
    #[command(after_long_help = examples!(
        "connector-host tenants",
        "connector-host tenants --config tenants.toml --json | jq -r .name"
    ))]
    Tenants,
    /// Try which promises of the contract the connector keeps; with --write, it changes the tenant
    #[command(
        long_about = "Try which promises of the contract the connector keeps, and say of each whether it held, was broken, or could \
            not be tried.\n\n\
            WITH --write IT CHANGES THE TENANT: it creates accounts (with addresses that begin with conformance-), changes them, gives \
            them roles, and removes them again. Use a tenant that is there to be tried with. It changes no account but those that \
            it made. Without --write, no function that writes is called.\n\n\
            The tenant should be at rest: what somebody else changes meanwhile looks like a promise broken. The exit code is 1 where a \
            promise was broken.",
        after_long_help = examples!(
            "connector-host conformance",
            "connector-host conformance --write --json | jq 'select(.verdict == \"broken\")'",
            "connector-host conformance --component target/another.wasm --setting region=north"
        )
    )]
    Conformance(ConformanceArgs),
    Simulate(SimulateArgs),
    /// Show everything that the connector does, against a simulated tenant
    #[command(after_long_help = examples!("connector-host demo"))]
    Demo,
    /// Write the script by which a shell completes commands, options and their values
    #[command(after_long_help = examples!(
        "connector-host completions bash > ~/.local/share/bash-completion/completions/connector-host",
        "connector-host completions zsh > ~/.zfunc/_connector-host",
        "connector-host completions fish > ~/.config/fish/completions/connector-host.fish"
    ))]
    Completions(CompletionsArgs),
    /// Write the manual: its first page, or all pages into a folder
    #[command(after_long_help = examples!(
        "connector-host man | man -l -",
        "connector-host man --out ~/.local/share/man/man1 && man connector-host-sync"
    ))]
    Man(ManArgs),
}

impl Command {
    /// Whether it has to do with a tenant, its settings and its traffic.
    pub fn calls_a_tenant(&self) -> bool {
        match self {
            Self::Describe
            | Self::Check
            | Self::List(_)
            | Self::Grant(_)
            | Self::Revoke(_)
            | Self::Provision(_)
            | Self::Sync(_)
            | Self::Conformance(_) => true,
            Self::Diff(_)
            | Self::Report(_)
            | Self::Tenants
            | Self::Simulate(_)
            | Self::Demo
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

#[derive(Debug, Args)]
pub struct ConformanceArgs {
    /// Try writes as well: creates, changes and removes accounts and grants in the tenant
    #[arg(long)]
    pub write: bool,
}

#[derive(Debug, Args)]
pub struct AssignmentArgs {
    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
    /// The role
    #[arg(long, value_name = "ID")]
    role: String,
    #[command(flatten)]
    plan: PlanFlag,
}

impl AssignmentArgs {
    pub fn assignment(self) -> (Assignment, Mode) {
        let assignment = Assignment {
            account: self.account,
            role: self.role,
        };
        (assignment, self.plan.mode())
    }
}

#[derive(Clone, Copy, Debug, Args)]
pub struct PlanFlag {
    /// Change nothing: check everything and show what would be changed
    #[arg(long)]
    plan: bool,
}

impl PlanFlag {
    pub fn mode(self) -> Mode {
        if self.plan { Mode::Plan } else { Mode::Apply }
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_string(), text::value(value).to_string()))
        .ok_or_else(|| "not a key and a value with = between them".to_string())
}

/// A time that somebody may wait for. Far longer ones have no place in the clocks of computers.
fn seconds(text: &str) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let seconds: f64 = text
        .parse()
        .ok()
        .filter(|seconds| *seconds > 0.0)
        .ok_or_else(|| "not a number of seconds above 0".to_string())?;
    if seconds > YEAR.as_secs_f64() {
        return Err(format!(
            "more than a year, which has {} seconds",
            YEAR.as_secs()
        ));
    }
    // One that is too small to count is none.
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "not a number of seconds above 0".to_string())
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .map(Duration::from_millis)
        .map_err(|_| "not a whole number of milliseconds".to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_or_after_the_command() {
        let parse = |arguments: &[&str]| {
            Cli::try_parse_from([&["connector-host"], arguments].concat())
                .expect("both orders are right")
        };
        let before = parse(&["--json", "--base-url", "https://example.com", "sync"]);
        let after = parse(&["sync", "--json", "--base-url", "https://example.com"]);
        for cli in [before, after] {
            assert!(cli.options.json);
            assert_eq!(
                cli.options.settings.base_url.as_deref(),
                Some("https://example.com")
            );
        }
    }

    #[test]
    fn debug_output_of_the_arguments_hides_the_secret() {
        let arguments = ["connector-host", "check", "--client-secret", "hunter2"];
        let cli = Cli::try_parse_from(arguments).expect("the arguments are right");
        assert!(!format!("{cli:?}").contains("hunter2"));
    }

    #[test]
    fn a_timeout_is_a_number_of_seconds_above_zero() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        for wrong in ["0", "-1", "soon", "-inf", "NaN", "1e-300"] {
            let said = seconds(wrong).expect_err(wrong);
            assert!(said.contains("above 0"), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_timeout_is_at_most_a_year() {
        assert_eq!(
            seconds("31536000"),
            Ok(Duration::from_secs(365 * 24 * 60 * 60))
        );
        for wrong in ["31536001", "1e19", "1e300", "inf"] {
            let said = seconds(wrong).expect_err(wrong);
            assert!(said.contains("more than a year"), "{wrong}: {said}");
        }
    }
}
