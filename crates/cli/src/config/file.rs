//! The configuration file: the settings of one tenant at its top, or those of several in tables of their own.
//!
//! It is read key by key and not into a type, so that a misspelt key is answered with the right one, and so that no message
//! quotes a value: it may be a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::failure::Failure;
use crate::suggest::did_you_mean;
use crate::text;
use connector_escape as escape;

/// The table that has a table for each tenant.
const TENANTS: &str = "tenants";
/// The table of the settings of other connectors.
const SETTINGS: &str = "settings";
/// What the settings of a tenant can have.
const KEYS: [&str; 11] = [
    "base-url",
    "client-id",
    "client-secret",
    "client-secret-file",
    "client-secret-env",
    "scope",
    "component",
    "ca-file",
    "proxy",
    "no-proxy",
    SETTINGS,
];

/// A file that was read.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    pub content: Content,
}

/// What is in it.
#[derive(Debug)]
pub enum Content {
    /// The settings of one tenant, which has no name.
    One(Box<Section>),
    /// Those of several, by their names.
    Several(BTreeMap<String, Section>),
}

/// The settings of a tenant, as a file has them. Paths in it are relative to the folder of the file.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The name of the tenant, where it has one.
    pub tenant: Option<String>,
    pub base_url: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<SecretPlace>,
    pub scope: Option<String>,
    pub component: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
    /// It may have a password in it.
    pub proxy: Option<SecretString>,
    pub no_proxy: Option<String>,
    /// Settings of other connectors, by their keys.
    pub others: Vec<(String, String)>,
}

impl Section {
    fn has_client_secret(&self) -> bool {
        matches!(self.client_secret, Some(SecretPlace::Here(_)))
    }

    /// Only who is to be let in stands before an @ in the URL of a proxy.
    fn has_proxy_password(&self) -> bool {
        let proxy = self.proxy.as_ref();
        proxy.is_some_and(|url| url.expose_secret().contains('@'))
    }
}

/// Where the client secret is.
#[derive(Clone, Debug)]
pub enum SecretPlace {
    /// In the file itself.
    Here(SecretString),
    /// In a file of its own.
    File(PathBuf),
    /// In an environment variable of this name.
    Variable(String),
}

/// What is wrong in the text, and where it is.
struct Wrong {
    at: usize,
    what: String,
}

impl File {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = text::read(path).map_err(|error| unreadable(path, &error))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let content = parse(&text).and_then(|table| content(&table, folder));
        let file = Self {
            path: path.to_path_buf(),
            content: content.map_err(|wrong| wrong.into_failure(path, &text))?,
        };
        file.warn_if_others_can_read_a_secret();
        Ok(file)
    }

    /// The settings at the top, or those of a tenant.
    pub fn section(self, tenant: Option<&str>) -> Result<Section, Failure> {
        let path = self.path.display();
        match (self.content, tenant) {
            (Content::One(section), None) => Ok(*section),
            (Content::One(_), Some(name)) => Err(Failure::Usage(format!(
                "the configuration file {path} has no tenants, so there is no \"{name}\" in it: its settings are at the top. \
                 Leave --tenant out, or put them below a line [tenants.{name}]"
            ))),
            (Content::Several(mut tenants), Some(name)) => tenants.remove(name).ok_or_else(|| {
                let names = tenants.keys().map(String::as_str);
                let suggestion = did_you_mean(name, names.clone());
                Failure::Usage(format!(
                    "there is no tenant \"{name}\" in {path}{suggestion}\nIt has {}",
                    list(names)
                ))
            }),
            (Content::Several(tenants), None) => {
                let names = list(tenants.keys().map(String::as_str));
                Err(Failure::Usage(format!(
                    "no tenant is chosen, and the configuration file {path} has {names}: name one with --tenant NAME or \
                     CONNECTOR_TENANT"
                )))
            }
        }
    }

    /// Nothing is refused for it: whoever mounts a file into a container may have no choice.
    fn warn_if_others_can_read_a_secret(&self) {
        let any = |has: fn(&Section) -> bool| match &self.content {
            Content::One(section) => has(section),
            Content::Several(tenants) => tenants.values().any(has),
        };
        let path = self.path.display();
        if any(Section::has_client_secret) && others_can_read(&self.path) {
            tracing::warn!(
                "others on this computer can read the client secret in {path}: `chmod 600` it, or use client-secret-file or \
                 client-secret-env"
            );
        }
        if any(Section::has_proxy_password) && others_can_read(&self.path) {
            tracing::warn!(
                "others on this computer can read the password of the proxy in {path}: `chmod 600` it, or name the proxy by \
                 CONNECTOR_PROXY"
            );
        }
    }
}

/// Names as a list in a sentence.
fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        return "no tenants yet".to_string();
    }
    format!("the tenants {}", names.join(", "))
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}

fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Wrong> {
    DeTable::parse(text).map_err(|error| Wrong {
        at: error.span().map_or(0, |span| span.start),
        what: error.message().to_string(),
    })
}

fn content(table: &Spanned<DeTable<'_>>, folder: &Path) -> Result<Content, Wrong> {
    let table = table.get_ref();
    let Some((key, tenants)) = table.get_key_value(TENANTS) else {
        return Ok(Content::One(Box::new(section(table, folder)?)));
    };
    if let Some(other) = table.keys().find(|key| key.get_ref() != TENANTS) {
        return Err(wrong(
            other,
            format!(
                "{other:?} is beside [tenants]: settings at the top would belong to no tenant or to all. Put it into the \
                 table of its tenant",
                other = other.get_ref()
            ),
        ));
    }
    let tenants = table_of(key.get_ref(), tenants)?.iter();
    let tenants = tenants.map(|(name, value)| {
        let mut section = section(table_of(name.get_ref(), value)?, folder)?;
        section.tenant = Some(name.get_ref().to_string());
        Ok((name.get_ref().to_string(), section))
    });
    tenants.collect::<Result<_, _>>().map(Content::Several)
}

fn section(table: &DeTable<'_>, folder: &Path) -> Result<Section, Wrong> {
    let mut section = Section::default();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        match name {
            "base-url" => section.base_url = Some(text_of(name, value)?),
            "client-id" => section.client_id = Some(text_of(name, value)?),
            "scope" => section.scope = Some(text_of(name, value)?),
            "component" => section.component = Some(folder.join(text_of(name, value)?)),
            "ca-file" => section.ca_file = Some(folder.join(text_of(name, value)?)),
            "proxy" => section.proxy = Some(text_of(name, value)?.into()),
            "no-proxy" => section.no_proxy = Some(text_of(name, value)?),
            SETTINGS => section.others = others(table_of(name, value)?)?,
            "client-secret" | "client-secret-file" | "client-secret-env" => {
                let place = secret_place(name, text_of(name, value)?, folder);
                if section.client_secret.replace(place).is_some() {
                    let what = "there is more than one client secret: give one of client-secret, client-secret-file and \
                                client-secret-env";
                    return Err(wrong(key, what.to_string()));
                }
            }
            _ => {
                let suggestion = did_you_mean(name, KEYS.into_iter().chain([TENANTS]));
                return Err(wrong(
                    key,
                    format!(
                        "there is no setting {name:?}{suggestion}\nThere are {}, and tables [tenants.NAME] with those",
                        KEYS.join(", ")
                    ),
                ));
            }
        }
    }
    Ok(section)
}

fn secret_place(key: &str, text: String, folder: &Path) -> SecretPlace {
    match key {
        "client-secret-file" => SecretPlace::File(folder.join(text)),
        "client-secret-env" => SecretPlace::Variable(text),
        _ => SecretPlace::Here(text.into()),
    }
}

fn others(table: &DeTable<'_>) -> Result<Vec<(String, String)>, Wrong> {
    let settings = table.iter();
    let settings = settings.map(|(key, value)| {
        let key = key.get_ref().as_ref();
        Ok((key.to_string(), text_of(key, value)?))
    });
    settings.collect()
}

fn text_of(key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    let text = value.get_ref().as_str().map(str::to_string);
    text.ok_or_else(|| wrong(value, format!("the value of {key:?} is not text in quotes")))
}

fn table_of<'a, 'i>(key: &str, value: &'a Spanned<DeValue<'i>>) -> Result<&'a DeTable<'i>, Wrong> {
    let table = value.get_ref().as_table();
    table.ok_or_else(|| wrong(value, format!("{key:?} is not a table")))
}

fn wrong<T>(at: &Spanned<T>, what: String) -> Wrong {
    Wrong {
        at: at.span().start,
        what,
    }
}

impl Wrong {
    /// Names the line, and does not show it.
    fn into_failure(self, path: &Path, text: &str) -> Failure {
        let line = text[..self.at].matches('\n').count() + 1;
        Failure::Usage(format!(
            "cannot read the configuration file {}, line {line}: {}",
            path.display(),
            escape::lines(&self.what)
        ))
    }
}

fn unreadable(path: &Path, error: &text::Error) -> Failure {
    Failure::Usage(format!(
        "cannot read the configuration file {}: {error}. Name another with --config or CONNECTOR_CONFIG",
        path.display()
    ))
}
