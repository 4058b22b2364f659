//! The settings of the tenant: from flags, else from the environment, else from a file.
//!
//! What is promised: settings of two tenants are never mixed. Where a tenant is chosen by name, no variable of another one
//! counts; where a base URL is given otherwise, no setting is taken from a file that nobody named; and the secret of a file goes to
//! no other base URL than the one beside it.

mod file;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use connector_host::contract::Description;
use connector_host::{EgressError, EgressPolicy, Setting, Tenant, TenantSettings};
use secrecy::{ExposeSecret, SecretString};

pub use self::file::{Content, File, Section};
use super::args::SettingFlags;
use super::failure::Failure;
use super::text;

/// The keys of the settings that have flags, and keys in a file, of their own.
pub const BASE_URL: &str = "base-url";
pub const CLIENT_ID: &str = "client-id";
pub const CLIENT_SECRET: &str = "client-secret";
pub const SCOPE: &str = "scope";
const OWN: [&str; 4] = [BASE_URL, CLIENT_ID, CLIENT_SECRET, SCOPE];

/// The settings as they were found, by their keys. What is missing or wrong in them is for the connector to say.
#[derive(Clone, Debug, Default)]
pub struct Config(BTreeMap<String, Setting>);

/// Gives a variable of the environment.
pub trait Environment: Fn(&str) -> Option<String> {}

impl<F: Fn(&str) -> Option<String>> Environment for F {}

/// A variable of the environment of this program. One that is set to nothing is how shells and CI systems say that it is not set.
pub fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok()?;
    Some(text::value(&value).to_string()).filter(|value| !value.is_empty())
}

/// The same of a path, which need not be Unicode.
pub fn path_variable(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    let value = value
        .to_str()
        .map_or(value.clone(), |value| OsString::from(text::value(value)));
    Some(PathBuf::from(value)).filter(|path| !path.as_os_str().is_empty())
}

/// A place where a configuration file can be.
pub struct Place {
    pub path: PathBuf,
    /// Whether somebody named it, so that it has to be there.
    pub named: bool,
}

impl Place {
    /// The file that was named, or else the user's own. `None` where there is no home either.
    pub fn find(flags: &SettingFlags, environment: impl Environment) -> Option<Self> {
        let named = flags.config.clone();
        let named = named.or_else(|| environment("CONNECTOR_CONFIG").map(PathBuf::from));
        if let Some(path) = named {
            return Some(Self { path, named: true });
        }
        let folder = |name| environment(name).map(PathBuf::from);
        let path = folder("XDG_CONFIG_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| folder("HOME").map(|home| home.join(".config")))
            .or_else(|| folder("APPDATA"))?
            .join("connector-host/config.toml");
        Some(Self { path, named: false })
    }
}

/// The variable of a setting: the name of the connector and the key of the setting, as such names are written. Between them stands
/// `SETTING`, but for the four keys that most connectors have: names and keys are those that a connector gives itself, and it must
/// not be able to ask for just any variable, such as the key of a cloud.
pub fn variable_of(connector: &str, key: &str) -> String {
    let infix = match OWN.contains(&key) {
        true => "",
        false => "setting_",
    };
    format!("{connector}_{infix}{key}")
        .replace('-', "_")
        .to_uppercase()
}

/// Whether a tenant is named, or the file that it is in.
pub fn names_a_tenant(flags: &SettingFlags, environment: impl Environment) -> bool {
    let named = flags.tenant.is_some() || flags.config.is_some();
    named || environment("CONNECTOR_TENANT").is_some()
}

/// Whether the base URL is given otherwise than by a file, so that one that nobody named does not count.
pub fn is_elsewhere(
    flags: &SettingFlags,
    connector: Option<&String>,
    environment: impl Environment,
) -> bool {
    let variable = connector.map(|connector| variable_of(connector, BASE_URL));
    let given =
        flags.base_url.is_some() || variable.is_some_and(|name| environment(&name).is_some());
    let named = environment("CONNECTOR_CONFIG").is_some() || names_a_tenant(flags, environment);
    given && !named
}

/// What a file says of the tenant, where there is one.
pub fn section(
    flags: &SettingFlags,
    environment: impl Environment,
) -> Result<Option<Section>, Failure> {
    let tenant = flags.tenant.clone();
    let tenant = tenant.or_else(|| environment("CONNECTOR_TENANT"));
    let place = Place::find(flags, &environment);
    let Some(place) = place.filter(|place| place.named || place.path.exists()) else {
        return tenant.map_or(Ok(None), |tenant| Err(no_file(&tenant, flags, environment)));
    };
    let section = File::read(&place.path)?.section(tenant.as_deref())?;
    let file = place.path.display();
    tracing::debug!(tenant = section.tenant, %file, "read the configuration file");
    Ok(Some(section))
}

fn no_file(tenant: &str, flags: &SettingFlags, environment: impl Environment) -> Failure {
    let place = Place::find(flags, environment);
    let path = place.map_or_else(String::new, |place| format!(" {}", place.path.display()));
    Failure::Usage(format!(
        "the tenant \"{tenant}\" is not known: there is no configuration file{path}. Write one with a table [tenants.{tenant}], \
         or name one with --config FILE"
    ))
}

impl Config {
    /// Finds each setting at the first place that has it: flag, environment, file. For a tenant that was chosen by name the
    /// environment is left out, and so it is without a connector, which gives variables their names.
    pub fn find(
        flags: &SettingFlags,
        connector: Option<&Description>,
        environment: impl Environment,
        section: &Section,
    ) -> Result<Self, Failure> {
        if let Some(key) = OWN.iter().find(|key| section.settings.contains_key(**key)) {
            return Err(Failure::Usage(format!(
                "the configuration file has {key} among its other settings: write it as a key of its own, before [settings]"
            )));
        }
        let declared = connector.map_or(&[][..], |connector| &connector.settings);
        let connector = connector.filter(|_| section.tenant.is_none());
        // A later one takes the place of an earlier one with the same key.
        let mut config = Self::default().all([
            (BASE_URL, &section.base_url),
            (CLIENT_ID, &section.client_id),
            (SCOPE, &section.scope),
        ]);
        config = section
            .settings
            .iter()
            .fold(config, |config, (key, value)| config.plain(key, value));
        if let Some(connector) = connector {
            config.take_variables(connector, &environment);
        }
        config = config.all([
            (BASE_URL, &flags.base_url),
            (CLIENT_ID, &flags.client_id),
            (SCOPE, &flags.scope),
        ]);
        config = flags
            .others
            .iter()
            .fold(config, |config, (key, value)| config.plain(key, value));
        for setting in declared.iter().filter(|setting| setting.secret) {
            config.conceal(&setting.key);
        }
        let secret = match (&flags.client_secret, &flags.client_secret_file) {
            (Some(secret), _) => Some(text::value(secret.expose_secret()).into()),
            (None, Some(path)) => Some(read_secret(path)?),
            (None, None) if config.0.contains_key(CLIENT_SECRET) => None,
            (None, None) => {
                let variable = connector.map(|connector| variable_of(&connector.name, BASE_URL));
                section.secret_for(config.base_url(), variable, &environment)?
            }
        };
        Ok(match secret {
            Some(secret) => config.secret(CLIENT_SECRET, secret),
            None => config,
        })
    }

    /// The same with those of these settings that are given.
    fn all(self, settings: [(&str, &Option<String>); 3]) -> Self {
        let given = settings
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.as_ref()?)));
        given.fold(self, |config, (key, value)| {
            config.plain(key, text::value(value))
        })
    }

    /// Takes the settings that the connector asks for from their variables.
    fn take_variables(&mut self, connector: &Description, environment: impl Environment) {
        for setting in &connector.settings {
            let name = variable_of(&connector.name, &setting.key);
            let Some(value) = environment(&name) else {
                continue;
            };
            tracing::debug!("took the setting {} from {name}", setting.key);
            self.0.insert(setting.key.clone(), Setting::Plain(value));
        }
    }

    /// Makes a setting one that is never shown.
    fn conceal(&mut self, key: &str) {
        if let Some(setting) = self.0.get_mut(key)
            && let Setting::Plain(value) = setting
        {
            *setting = Setting::Secret(std::mem::take(value).into());
        }
    }

    /// The same with a setting that may be shown.
    pub fn plain(mut self, key: &str, value: &str) -> Self {
        self.0
            .insert(key.to_string(), Setting::Plain(value.to_string()));
        self
    }

    /// The same with one that is never shown.
    pub fn secret(mut self, key: &str, value: SecretString) -> Self {
        self.0.insert(key.to_string(), Setting::Secret(value));
        self
    }

    /// The same, and what is at none of these places from elsewhere.
    pub fn or(mut self, others: Self) -> Self {
        for (key, value) in others.0 {
            self.0.entry(key).or_insert(value);
        }
        self
    }

    fn base_url(&self) -> Option<&str> {
        match self.0.get(BASE_URL)? {
            Setting::Plain(url) => Some(url),
            Setting::Secret(_) => None,
        }
    }

    /// What is secret among them.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        self.0.values().filter_map(|setting| match setting {
            Setting::Plain(_) => None,
            Setting::Secret(secret) => Some(secret),
        })
    }

    /// The tenant with these settings. A base URL that is missing or wrong allows no request, and the connector says what is
    /// the matter with it.
    pub fn tenant(&self) -> Tenant {
        let settings = self.0.iter();
        let settings = settings.fold(
            TenantSettings::new(),
            |settings, (key, value)| match value {
                Setting::Plain(value) => settings.plain(key, value),
                Setting::Secret(value) => settings.secret(key, value.clone()),
            },
        );
        let base_url = self.base_url().unwrap_or_default();
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

impl Section {
    /// The secret, to be sent to this base URL, for which there may be a variable.
    fn secret_for(
        &self,
        base_url: Option<&str>,
        variable: Option<String>,
        environment: impl Environment,
    ) -> Result<Option<SecretString>, Failure> {
        let places = (
            &self.client_secret,
            &self.client_secret_file,
            &self.client_secret_env,
        );
        if !matches!(places, (None, None, None)) {
            self.require_own(base_url, variable)?;
        }
        match places {
            (None, None, None) => Ok(None),
            (Some(secret), _, _) => Ok(Some(secret.get_ref().clone())),
            (_, Some(path), _) => read_secret(path.get_ref()).map(Some),
            (_, _, Some(name)) => match environment(name.get_ref()) {
                Some(secret) => Ok(Some(secret.into())),
                None => Err(Failure::Usage(format!(
                    "the environment variable {}, which client-secret-env names, is not set: export it with the client secret in it",
                    name.get_ref()
                ))),
            },
        }
    }

    /// Makes sure that the secret goes nowhere but to the base URL beside it, where there is one.
    fn require_own(&self, base_url: Option<&str>, variable: Option<String>) -> Result<(), Failure> {
        let (Some(own), Some(other)) = (self.base_url.as_deref(), base_url) else {
            return Ok(());
        };
        if own.trim_end_matches('/') == other.trim_end_matches('/') {
            return Ok(());
        }
        let whose = match &self.tenant {
            Some(tenant) => format!("the tenant \"{tenant}\""),
            None => "the tenant of the configuration file".to_string(),
        };
        let variable = variable.map_or_else(String::new, |variable| format!(" or {variable}"));
        Err(Failure::Usage(format!(
            "{whose} is at {own} and not at {other}: its secret would go elsewhere. Leave out --base-url{variable}, or give that address a \
             client secret of its own"
        )))
    }
}

fn read_secret(path: &Path) -> Result<SecretString, Failure> {
    text::read_secret(path).map_err(|error| {
        Failure::Usage(format!(
            "cannot read the client secret from {}: {error}",
            path.display()
        ))
    })
}

#[cfg(test)]
pub mod tests {
    use std::fs;

    use connector_host::contract::{FieldType, SettingDescription};

    use super::*;

    const ONE: &str = "base-url = 'https://file.example'\nscope = 'file'\nclient-secret = 'file'\n";
    const SEVERAL: &str = "\
        [tenants.acme]\nbase-url = 'https://acme.example'\nclient-id = 'acme'\nclient-secret-env = 'ACME_SECRET'\n\
        [tenants.globex]\nbase-url = 'https://globex.example'\nscope = 'globex'\nclient-secret-file = 'globex'\n\
        [tenants.globex.settings]\nregion = 'north'\n";

    /// A file of its own for each test.
    fn file(name: &str, text: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("connector-host-{}-{name}", std::process::id()));
        fs::write(&path, text).expect("the temporary folder can be written to");
        path
    }

    fn flags(config: PathBuf, tenant: Option<&str>) -> SettingFlags {
        SettingFlags {
            config: Some(config),
            tenant: tenant.map(str::to_string),
            ..SettingFlags::default()
        }
    }

    /// A connector that asks for the settings that have flags, and for a secret of its own.
    pub fn connector() -> Description {
        let setting = |key: &str| SettingDescription {
            key: key.to_string(),
            title: String::new(),
            description: String::new(),
            type_: FieldType::Text,
            required: true,
            secret: key == CLIENT_SECRET || key == "pin",
            default: None,
            example: None,
        };
        Description {
            name: "a-connector".to_string(),
            settings: [BASE_URL, CLIENT_ID, CLIENT_SECRET, SCOPE, "region", "pin"]
                .map(setting)
                .to_vec(),
            title: String::new(),
            version: String::new(),
            summary: String::new(),
            account_kinds: Vec::new(),
            operations: Vec::new(),
            common_errors: Vec::new(),
            largest_page: 1,
        }
    }

    fn find(flags: &SettingFlags, environment: impl Environment) -> Result<Config, Failure> {
        let connector = connector();
        let section = match is_elsewhere(flags, Some(&connector.name), &environment) {
            true => None,
            false => section(flags, &environment)?,
        };
        Config::find(
            flags,
            Some(&connector),
            environment,
            &section.unwrap_or_default(),
        )
    }

    fn nothing(_: &str) -> Option<String> {
        None
    }

    /// A setting that may be shown.
    pub fn shown<'a>(config: &'a Config, key: &str) -> Option<&'a str> {
        match config.0.get(key)? {
            Setting::Plain(value) => Some(value),
            Setting::Secret(_) => panic!("{key} is a secret"),
        }
    }

    /// The client secret.
    fn secret(config: &Config) -> &str {
        match &config.0[CLIENT_SECRET] {
            Setting::Plain(value) => panic!("{value} is no secret"),
            Setting::Secret(secret) => secret.expose_secret(),
        }
    }

    #[test]
    fn a_flag_beats_the_environment_and_the_environment_beats_the_file() {
        let flags = SettingFlags {
            base_url: Some("https://flag.example".to_string()),
            ..flags(file("precedence.toml", ONE), None)
        };
        let environment = |name: &str| match name {
            "A_CONNECTOR_BASE_URL" => Some("https://environment.example".to_string()),
            "A_CONNECTOR_CLIENT_SECRET" => Some("environment".to_string()),
            _ => None,
        };
        let config = find(&flags, environment).expect("everything can be read");
        assert_eq!(shown(&config, BASE_URL), Some("https://flag.example"));
        assert_eq!(secret(&config), "environment");
        assert_eq!(shown(&config, SCOPE), Some("file"));
        assert_eq!(shown(&config, CLIENT_ID), None);
    }

    #[test]
    fn each_setting_has_a_variable_and_a_secret_stays_one() {
        let config = find(&SettingFlags::default(), |name: &str| match name {
            "A_CONNECTOR_SETTING_REGION" => Some("north".to_string()),
            "A_CONNECTOR_SETTING_PIN" => Some("7002".to_string()),
            "A_CONNECTOR_SETTING_OTHER" | "A_CONNECTOR_REGION" => {
                panic!("the connector does not ask for it")
            }
            _ => None,
        });
        let config = config.expect("there is nothing to read");
        assert_eq!(shown(&config, "region"), Some("north"));
        assert!(matches!(config.0["pin"], Setting::Secret(_)));
        assert!(!format!("{config:?}").contains("7002"), "{config:?}");
    }

    #[test]
    fn a_setting_that_the_connector_calls_secret_is_one_wherever_it_comes_from() {
        let path = file(
            "declared.toml",
            "[settings]\npin = '7002'\nregion = 'north'\n",
        );
        let config = find(&flags(path, None), |_: &str| None).expect("it can be read");
        assert!(matches!(config.0["pin"], Setting::Secret(_)));
        assert!(matches!(config.0["region"], Setting::Plain(_)));
    }

    #[test]
    fn a_setting_with_a_place_of_its_own_is_not_taken_from_another() {
        let path = file("own.toml", "[settings]\nclient-secret = 'any'\n");
        let failure =
            find(&flags(path, None), |_: &str| None).expect_err("it is in the wrong place");
        let said = failure.to_string();
        assert!(
            said.contains("client-secret") && !said.contains("any'"),
            "{said}"
        );
    }

    #[test]
    fn the_secret_of_a_file_goes_to_no_other_base_url() {
        let path = file("elsewhere.toml", ONE);
        let find = |base_url: &str, secret: Option<&str>| {
            let (base_url, secret) = (base_url.to_string(), secret.map(str::to_string));
            find(&flags(path.clone(), None), move |name: &str| match name {
                "A_CONNECTOR_BASE_URL" => Some(base_url.clone()),
                "A_CONNECTOR_CLIENT_SECRET" => secret.clone(),
                _ => None,
            })
        };
        let failure = find("https://elsewhere.example", None).expect_err("it is another address");
        let said = failure.to_string();
        assert!(said.contains("its secret would go elsewhere"), "{said}");
        let own = find("https://file.example/", None).expect("it is the same address");
        assert_eq!(secret(&own), "file");
        let other = find("https://elsewhere.example", Some("another")).expect("it has its own");
        assert_eq!(secret(&other), "another");
    }

    #[test]
    fn a_secret_file_flag_beats_the_environment() {
        let flags = SettingFlags {
            client_secret_file: Some(file("secret", "from a file\n")),
            ..flags(file("empty.toml", ""), None)
        };
        let environment =
            |name: &str| (name == "A_CONNECTOR_CLIENT_SECRET").then(|| name.to_string());
        let config = find(&flags, environment).expect("everything can be read");
        assert_eq!(secret(&config), "from a file");
    }

    #[test]
    fn a_tenant_that_is_chosen_has_its_own_settings_and_no_others() {
        let flags = flags(file("chosen.toml", SEVERAL), Some("acme"));
        let environment = |name: &str| match name {
            "ACME_SECRET" => Some("of acme".to_string()),
            other => Some(format!("{other} of somebody else")),
        };
        let config = find(&flags, environment).expect("everything can be read");
        assert_eq!(shown(&config, BASE_URL), Some("https://acme.example"));
        assert_eq!(shown(&config, CLIENT_ID), Some("acme"));
        assert_eq!(secret(&config), "of acme");
        assert_eq!(shown(&config, SCOPE), None);
        assert_eq!(shown(&config, "region"), None);
    }

    #[test]
    fn a_secret_file_is_found_beside_the_configuration() {
        let path = file("beside.toml", SEVERAL);
        let beside = path.with_file_name("globex");
        fs::write(&beside, "beside\n").expect("the temporary folder can be written to");
        let config = find(&flags(path, Some("globex")), nothing).expect("everything can be read");
        fs::remove_file(beside).expect("it is there");
        assert_eq!(secret(&config), "beside");
        assert_eq!(shown(&config, "region"), Some("north"));
    }

    #[test]
    fn a_base_url_given_otherwise_leaves_the_file_out_that_nobody_named() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("connector-host");
        fs::create_dir(&folder).expect("it is new");
        fs::write(folder.join("config.toml"), ONE).expect("it is new");
        let environment = |base_url: Option<&str>| {
            let base_url = base_url.map(str::to_string);
            let home = home.path().display().to_string();
            move |name: &str| match name {
                "XDG_CONFIG_HOME" => Some(home.clone()),
                "A_CONNECTOR_BASE_URL" => base_url.clone(),
                _ => None,
            }
        };
        let flags = SettingFlags::default();
        let config = find(&flags, environment(None)).expect("everything can be read");
        assert_eq!(secret(&config), "file");
        let elsewhere = environment(Some("https://elsewhere.example"));
        let config = find(&flags, elsewhere).expect("there is nothing to read");
        let given: Vec<_> = config.0.keys().collect();
        assert_eq!(given, [BASE_URL]);
    }

    #[test]
    fn a_broken_file_is_named_with_the_place_and_no_value_is_shown() {
        const SECRETS: [&str; 3] = ["hunter2", "7002", "2002-07-02"];
        for (name, text, place) in [
            (
                "open.toml",
                "client-secret = \"hunter2",
                "line 2, column 25: ",
            ),
            (
                "bare.toml",
                "client-secret = hunter2",
                "line 2, column 17: ",
            ),
            (
                "list.toml",
                "client-secret = ['hunter2']",
                "line 2, column 17: ",
            ),
            ("number.toml", "client-secret = 7002", "line 2, column 17: "),
            (
                "date.toml",
                "client-secret = 2002-07-02",
                "line 2, column 17: ",
            ),
            (
                "table.toml",
                "[client-secret]\nhunter2 = true",
                "line 2, column 1: ",
            ),
            ("text.toml", "settings = 'hunter2'", "line 2, column 12: "),
            (
                "setting.toml",
                "[settings]\nkey = 7002",
                "line 3, column 7: ",
            ),
            (
                "expected.toml",
                "settings = 'hunter2, expected hunter2'",
                "line 2, column 12: ",
            ),
            ("key.toml", "secret = 'hunter2'", "line 2, column 1: "),
            (
                "twice.toml",
                "client-secret = 'hunter2'\nclient-secret = 'hunter2'",
                "line 3, column 1: ",
            ),
            (
                "two.toml",
                "client-secret-env = 'x'\nclient-secret = 'hunter2'",
                "line 2, column 21: ",
            ),
        ] {
            let path = file(name, &format!("scope = 'x'\n{text}\n"));
            let failure = find(&flags(path, None), nothing).expect_err("the file is broken");
            let said = failure.to_string();
            assert!(said.contains(&format!("{name}, {place}")), "{said}");
            assert!(
                !SECRETS.iter().any(|secret| said.contains(secret)),
                "{said}"
            );
        }
    }

    #[test]
    fn what_is_wrong_in_a_file_is_said_with_the_key_and_what_is_allowed() {
        for (text, wanted) in [
            ("scope = 7\n", &["a string", "`scope`"][..]),
            (
                "[tenants.acme.settings]\nx = 7\n",
                &["a string", "`tenants.acme.settings.x`"],
            ),
            ("tenants = 7\n", &["a map", "`tenants`"]),
            (
                "client_id = 'x'\n",
                &["`client_id`", "`no-proxy`", "did you mean \"client-id\"?"],
            ),
            (
                "[tenants.acme]\nsettngs = 7\n",
                &["`settngs`", "`tenants.acme`", "did you mean \"settings\"?"],
            ),
            (
                "[tenant.acme]\n",
                &["`tenant`", "did you mean \"tenants\"?"],
            ),
            (
                "client-secret = 'x'\nclient-secret-file = 'y'\n",
                &["more than one client secret"],
            ),
        ] {
            let path = file("wrong.toml", text);
            let failure = find(&flags(path, Some("acme")), nothing).expect_err("the file is wrong");
            let said = failure.to_string();
            for part in wanted {
                assert!(said.contains(part), "{part} is not in: {said}");
            }
        }
    }
}
