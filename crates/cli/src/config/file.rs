//! The configuration file: the settings of one tenant at its top, or those of several in tables of their own.
//!
//! No message quotes a value of it: it may be a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use crate::failure::Failure;
use crate::suggest::did_you_mean;
use crate::text;
use connector_escape as escape;

/// The table that has a table for each tenant.
const TENANTS: &str = "tenants";

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

/// A file for several tenants.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tenants {
    tenants: BTreeMap<String, Section>,
}

/// What tells a file for several tenants from one for one.
#[derive(Deserialize)]
struct Shape {
    tenants: Option<IgnoredAny>,
}

/// The settings of a tenant, as a file has them. Paths in it are relative to the folder of the file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Section {
    /// The name of the tenant, where it has one.
    #[serde(skip)]
    pub tenant: Option<String>,
    pub base_url: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<Spanned<SecretString>>,
    /// A file that has it.
    pub client_secret_file: Option<Spanned<PathBuf>>,
    /// The name of an environment variable that has it.
    pub client_secret_env: Option<Spanned<String>>,
    pub scope: Option<String>,
    pub component: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
    /// It may have a password in it.
    pub proxy: Option<SecretString>,
    pub no_proxy: Option<String>,
    /// Settings of other connectors, by their keys.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

impl Section {
    /// Only who is to be let in stands before an @ in the URL of a proxy.
    fn has_proxy_password(&self) -> bool {
        let proxy = self.proxy.as_ref();
        proxy.is_some_and(|url| url.expose_secret().contains('@'))
    }

    /// Makes sure that there is one client secret at most, and finds the files beside the one that it is in.
    fn complete(mut self, tenant: Option<String>, folder: &Path) -> Result<Self, Wrong> {
        let secrets = [
            self.client_secret.as_ref().map(Spanned::span),
            self.client_secret_file.as_ref().map(Spanned::span),
            self.client_secret_env.as_ref().map(Spanned::span),
        ];
        if let Some(second) = secrets.into_iter().flatten().nth(1) {
            return Err(Wrong {
                at: second.start,
                what: "there is more than one client secret: give one of client-secret, client-secret-file and client-secret-env"
                    .to_string(),
            });
        }
        let secret_file = self.client_secret_file.as_mut().map(Spanned::get_mut);
        let files = [secret_file, self.component.as_mut(), self.ca_file.as_mut()];
        for file in files.into_iter().flatten() {
            *file = folder.join(&file);
        }
        self.tenant = tenant;
        Ok(self)
    }
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
        let content = content(&text, folder);
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
        if any(|section| section.client_secret.is_some()) && others_can_read(&self.path) {
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

fn content(text: &str, folder: &Path) -> Result<Content, Wrong> {
    if toml::from_str::<Shape>(text)?.tenants.is_none() {
        let section: Section = toml::from_str(text)?;
        return Ok(Content::One(Box::new(section.complete(None, folder)?)));
    }
    let tenants = toml::from_str::<Tenants>(text)?.tenants.into_iter();
    let tenants =
        tenants.map(|(name, section)| Ok((name.clone(), section.complete(Some(name), folder)?)));
    tenants.collect::<Result<_, _>>().map(Content::Several)
}

impl From<toml::de::Error> for Wrong {
    fn from(mut error: toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        // Without it, the error names the table and does not show the line.
        error.set_input(None);
        let said = error.to_string();
        let said = said.trim_end().replace('\n', " ");
        // Before what is expected, serde says what is there.
        let what = match said.rsplit_once(", expected ") {
            Some((_, expected)) if said.starts_with("invalid type: ") => {
                format!("another kind of value is expected, {expected}")
            }
            _ => said + &hint(error.message()),
        };
        Self { at, what }
    }
}

/// What helps where there is no such key.
fn hint(message: &str) -> String {
    if !message.starts_with("unknown field ") {
        return String::new();
    }
    // The key is quoted, and so are those that there are.
    let mut quoted = message.split('`').skip(1).step_by(2);
    let wrong = quoted.next().unwrap_or_default();
    let known: Vec<_> = quoted.collect();
    if known == [TENANTS] {
        return format!(
            ". Beside [{TENANTS}], settings at the top would belong to no tenant or to all: put it into the table of its tenant"
        );
    }
    did_you_mean(wrong, known.into_iter().chain([TENANTS]))
}

impl Wrong {
    /// Names the place, and does not show it.
    fn into_failure(self, path: &Path, text: &str) -> Failure {
        let before = &text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Failure::Usage(format!(
            "cannot read the configuration file {}, line {line}, column {column}: {}",
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
