//! The settings of the tenant: from flags, else from the environment, else from a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use connector_host::{EgressError, EgressPolicy, Tenant, TenantSettings};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::args::SettingFlags;
use super::failure::Failure;

/// The settings as they were found. What is missing or wrong in them is for the connector to say.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub base_url: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    pub scope: Option<String>,
    /// Settings of other connectors, by their keys.
    pub others: Vec<(String, String)>,
}

/// The file that `--config` names. Its keys are those of the settings.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    base_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    client_secret_file: Option<PathBuf>,
    scope: Option<String>,
}

impl Config {
    /// Finds each setting at the first place that has it: flag, environment, file.
    pub fn find(flags: &SettingFlags) -> Result<Self, Failure> {
        Self::find_in(flags, |name| std::env::var(name).ok())
    }

    /// Finds each setting among the flags, in the file that they name, or else among others.
    pub fn without_environment(flags: &SettingFlags, others: &Self) -> Result<Self, Failure> {
        let found = Self::find_in(flags, |_| None)?;
        let others = others.clone();
        Ok(Self {
            base_url: found.base_url.or(others.base_url),
            client_id: found.client_id.or(others.client_id),
            client_secret: found.client_secret.or(others.client_secret),
            scope: found.scope.or(others.scope),
            others: found.others,
        })
    }

    fn find_in(
        flags: &SettingFlags,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        // A variable that is set to nothing is how shells and CI systems say that it is not set.
        let environment = |name| environment(name).filter(|value| !value.is_empty());
        let file = match &flags.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        let client_secret = match (&flags.client_secret, &flags.client_secret_file) {
            (Some(secret), _) => Some(secret.clone()),
            (None, Some(path)) => Some(read_secret(path)?),
            (None, None) => match environment("NINJAONE_CLIENT_SECRET") {
                Some(secret) => Some(secret.into()),
                None => file.secret()?,
            },
        };
        let first = |flag: &Option<String>, name, in_file| {
            flag.clone().or_else(|| environment(name)).or(in_file)
        };
        Ok(Self {
            base_url: first(&flags.base_url, "NINJAONE_BASE_URL", file.base_url),
            client_id: first(&flags.client_id, "NINJAONE_CLIENT_ID", file.client_id),
            client_secret,
            scope: first(&flags.scope, "NINJAONE_SCOPE", file.scope),
            others: flags.others.clone(),
        })
    }

    /// The tenant with these settings. A base URL that is missing or wrong allows no request, and the connector says what is
    /// the matter with it.
    pub fn tenant(&self) -> Tenant {
        let mut settings = TenantSettings::new();
        let plain = [
            ("base-url", &self.base_url),
            ("client-id", &self.client_id),
            ("scope", &self.scope),
        ];
        for (key, value) in plain {
            if let Some(value) = value {
                settings = settings.plain(key, value);
            }
        }
        for (key, value) in &self.others {
            settings = settings.plain(key, value);
        }
        if let Some(secret) = &self.client_secret {
            settings = settings.secret("client-secret", secret.clone());
        }
        let base_url = self.base_url.as_deref().unwrap_or_default();
        let egress = EgressPolicy::only(base_url).unwrap_or_else(|error| {
            if error == EgressError::NotATenant {
                // All else that can be wrong with it the connector finds for itself.
                tracing::warn!(base_url, "no request will be allowed: {error}");
            } else {
                tracing::debug!(base_url, "no request will be allowed: {error}");
            }
            EgressPolicy::nothing()
        });
        Tenant::new(base_url, settings, egress)
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path)
            .map_err(|error| unreadable("the configuration file", path, &error))?;
        let mut file: Self = toml::from_str(&text).map_err(|error| broken(path, &text, &error))?;
        if let (Some(secret), Some(folder)) = (&mut file.client_secret_file, path.parent()) {
            *secret = folder.join(&secret);
        }
        Ok(file)
    }

    fn secret(&self) -> Result<Option<SecretString>, Failure> {
        match (&self.client_secret, &self.client_secret_file) {
            (Some(secret), _) => Ok(Some(secret.clone())),
            (None, Some(path)) => read_secret(path).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Reads a secret from a file, or with `-` from standard input. A line break at its end does not belong to it.
fn read_secret(path: &Path) -> Result<SecretString, Failure> {
    let text = if path == Path::new("-") {
        io::read_to_string(io::stdin())
    } else {
        fs::read_to_string(path)
    };
    let text: SecretString = text
        .map_err(|error| unreadable("the client secret from", path, &error))?
        .into();
    Ok(text.expose_secret().trim_end_matches(['\r', '\n']).into())
}

/// Says what the parser stumbled over: not the line, and where it is about a secret not even its message, which quotes values.
fn broken(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let index = error
        .span()
        .map_or(0, |span| text[..span.start].matches('\n').count());
    let is_secret = text
        .lines()
        .nth(index)
        .is_some_and(|line| line.contains("secret"));
    let message = if is_secret {
        "the value is not text in quotes"
    } else {
        error.message()
    };
    Failure::Usage(format!(
        "cannot read the configuration file {}, line {}: {message}",
        path.display(),
        index + 1
    ))
}

fn unreadable(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("cannot read {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str =
        "base-url = 'https://file.example'\nscope = 'file'\nclient-secret = 'file'\n";

    fn flags(config: Option<PathBuf>) -> SettingFlags {
        SettingFlags {
            config,
            ..SettingFlags::default()
        }
    }

    /// A file of its own for each test.
    fn file(name: &str, text: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("connector-host-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("the temporary folder can be written to");
        path
    }

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
        let flags = SettingFlags {
            base_url: Some("https://flag.example".to_string()),
            ..flags(Some(file("precedence.toml", FILE)))
        };
        let environment = |name: &str| match name {
            "NINJAONE_BASE_URL" => Some("https://environment.example".to_string()),
            "NINJAONE_SCOPE" => Some("environment".to_string()),
            _ => None,
        };
        let config = Config::find_in(&flags, environment).expect("everything can be read");
        assert_eq!(config.base_url.as_deref(), Some("https://flag.example"));
        assert_eq!(config.scope.as_deref(), Some("environment"));
        assert_eq!(
            config
                .client_secret
                .expect("the file has it")
                .expose_secret(),
            "file"
        );
        assert_eq!(config.client_id, None);
    }

    #[test]
    fn a_secret_file_flag_beats_the_environment() {
        let flags = SettingFlags {
            client_secret_file: Some(file("secret", "from a file\n")),
            ..flags(None)
        };
        let environment = |_: &str| Some("environment".to_string());
        let config = Config::find_in(&flags, environment).expect("everything can be read");
        assert_eq!(
            config.client_secret.expect("it is set").expose_secret(),
            "from a file"
        );
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let config = Config::find_in(&flags(None), |_| Some(String::new()))
            .expect("there is nothing to read");
        assert!(config.base_url.is_none() && config.client_secret.is_none());
    }

    #[test]
    fn a_secret_file_is_found_beside_the_configuration() {
        file("beside", "beside");
        let name = format!("connector-host-{}-beside", std::process::id());
        let path = file("beside.toml", &format!("client-secret-file = '{name}'"));
        let config = Config::find_in(&flags(Some(path)), |_| None).expect("everything can be read");
        assert_eq!(
            config.client_secret.expect("it is set").expose_secret(),
            "beside"
        );
    }

    #[test]
    fn a_broken_file_is_named_and_its_secret_is_not() {
        for (name, secret) in [("open.toml", "\"hunter2"), ("number.toml", "7002")] {
            let path = file(name, &format!("scope = 'x'\nclient-secret = {secret}\n"));
            let failure =
                Config::find_in(&flags(Some(path)), |_| None).expect_err("the file is broken");
            let text = failure.to_string();
            assert!(text.contains(&format!("{name}, line 2")), "{text}");
            assert!(
                !text.contains("hunter2") && !text.contains("7002"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let path = file("unknown.toml", "base_url = 'https://example.com'");
        let failure =
            Config::find_in(&flags(Some(path)), |_| None).expect_err("the key is unknown");
        assert!(failure.to_string().contains("base_url"), "{failure}");
    }
}
