//! The two settings, checked.

use crate::contract::identity::connector::settings::{self, SettingsError};
use crate::contract::{Error, Failure, FieldProblem, problem, refuse};

/// The key of the size of the directory.
pub const DIRECTORY_SIZE: &str = "directory-size";
/// Its value where the host has none.
pub const DEFAULT_SIZE: u32 = 20;
/// The key of the secret.
pub const CLIENT_SECRET: &str = "client-secret";

const LARGEST_SIZE: u32 = 10_000;

/// The settings of the tenant. The secret is only looked at: a connector that sends it asks for it again each time.
pub struct Settings {
    /// How many accounts the directory has at first.
    pub directory_size: u32,
}

impl Settings {
    /// Asks the host for the settings, and finds everything that is wrong with them.
    pub fn load() -> Result<Self, Failure> {
        let mut problems = Vec::new();
        if get(CLIENT_SECRET, &mut problems).is_some_and(|secret| secret.is_empty()) {
            problems.push(problem(CLIENT_SECRET, "it is not set", "give it any value"));
        }
        let size = get(DIRECTORY_SIZE, &mut problems).filter(|size| !size.is_empty());
        let size = size.map_or(Ok(DEFAULT_SIZE), |size| size.parse());
        let directory_size = size.unwrap_or(0);
        if !(1..=LARGEST_SIZE).contains(&directory_size) {
            let mend = format!("give a whole number from 1 to {LARGEST_SIZE}");
            problems.push(problem(DIRECTORY_SIZE, "it is no such size", &mend));
        }
        refuse(problems, Error::InvalidSettings)?;
        Ok(Settings { directory_size })
    }
}

/// The setting, or nothing where it is not set; `None` where the host cannot give it, which is then among the problems.
fn get(key: &str, problems: &mut Vec<FieldProblem>) -> Option<String> {
    match settings::get(key) {
        Ok(value) => Some(value.unwrap_or_default()),
        Err(SettingsError::Unavailable(reason) | SettingsError::Denied(reason)) => {
            let found = format!("the host cannot give it: {reason}");
            problems.push(problem(key, &found, "see to the host's settings"));
            None
        }
    }
}
