//! The program, as tests run it: with the component, and with nothing of what the environment of the tests says of a tenant.

use std::path::PathBuf;
use std::process::Command;

use ninjaone_simulator::{Credentials, Simulator};

/// The program's file, which cargo tells the tests of its own package.
pub fn program_file() -> PathBuf {
    let file = std::env::var_os("CARGO_BIN_EXE_connector-host");
    file.expect("cargo runs this as a test of connector-cli")
        .into()
}

/// The program, without settings and without a configuration file.
pub fn program(arguments: &[&str]) -> Command {
    let mut program = Command::new(program_file());
    without_settings(program.args(arguments));
    program
}

/// The program with the settings of a simulated tenant.
pub fn program_for(simulator: &Simulator, arguments: &[&str]) -> Command {
    let mut program = program(arguments);
    with_settings(&mut program, &simulator.base_url(), simulator.credentials());
    program
}

/// The program with the settings of a simulated tenant of the usual credentials, to be reached at this address.
pub fn program_at(base_url: &str, arguments: &[&str]) -> Command {
    let mut program = program(arguments);
    with_settings(&mut program, base_url, &Credentials::default());
    program
}

/// Has a command that runs the program do it without settings.
pub fn without_settings(command: &mut Command) {
    command
        .env("CONNECTOR_COMPONENT", crate::component())
        // There is no configuration file.
        .env("XDG_CONFIG_HOME", crate::scratch())
        // Nor a cache folder that somebody made for all to see, which gives a warning.
        .env("XDG_CACHE_HOME", crate::scratch().join("cache"));
    for name in ["TENANT", "CONFIG", "CA_FILE", "PROXY"] {
        command.env_remove(format!("CONNECTOR_{name}"));
    }
    for name in ["BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "SCOPE"] {
        command.env_remove(format!("NINJAONE_{name}"));
    }
}

/// Has a command that runs the program do it with these settings and no others.
pub fn with_settings(command: &mut Command, base_url: &str, credentials: &Credentials) {
    without_settings(command);
    command
        .env("NINJAONE_BASE_URL", base_url)
        .env("NINJAONE_CLIENT_ID", &credentials.client_id)
        .env("NINJAONE_CLIENT_SECRET", &credentials.client_secret)
        .env("NINJAONE_SCOPE", credentials.scopes.to_string());
}
