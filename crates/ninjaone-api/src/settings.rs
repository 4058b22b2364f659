//! The four settings, parsed and checked.
//!
//! Every wrong setting is reported at once, by name and with what to do, before any request is sent. The client secret is not
//! kept: [`Settings::secret`] asks the host for it when a token is fetched, and only then.
//!
//! What this module does not know: whether NinjaOne accepts what is set.

use std::fmt;

use zeroize::Zeroizing;

use crate::endpoint::SCOPES;
use crate::error::{Error, Problem};
use crate::host::{Host, SettingError};
use crate::http::split_scheme;

/// Key of the setting that says where NinjaOne is.
pub const BASE_URL: &str = "base-url";
/// Key of the setting that names the API application.
pub const CLIENT_ID: &str = "client-id";
/// Key of the setting that authenticates the API application.
pub const CLIENT_SECRET: &str = "client-secret";
/// Key of the setting that says what to ask permission for.
pub const SCOPE: &str = "scope";

/// What is asked for when [`SCOPE`] is not set: enough to read everything, and to create, change and delete accounts.
pub const DEFAULT_SCOPE: &str = "monitoring management";

/// The settings of one tenant, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where NinjaOne is.
    pub base_url: BaseUrl,
    /// Which API application the connector is.
    pub client_id: String,
    /// What it asks permission for.
    pub scope: Scope,
}

impl Settings {
    /// Asks the host for the settings and checks them. The secret is asked for when it is used; here only where something else
    /// is wrong, so that an administrator is told everything at once.
    ///
    /// # Errors
    ///
    /// Every setting that is missing or wrong, with what to do about it; or that the host cannot give one now.
    pub fn load(host: &dyn Host) -> Result<Self, Error> {
        let mut problems = Vec::new();
        let base_url = checked(
            &mut problems,
            required(host, BASE_URL)
                .and_then(|text| BaseUrl::parse(text.trim()).map_err(Wrong::Problem)),
        )?;
        let client_id = checked(
            &mut problems,
            required(host, CLIENT_ID).and_then(|text| parse_client_id(&text)),
        )?;
        let scope = checked(
            &mut problems,
            optional(host, SCOPE)
                .and_then(|text| Scope::parse(text.as_deref()).map_err(Wrong::Problem)),
        )?;
        match (base_url, client_id, scope) {
            (Some(base_url), Some(client_id), Some(scope)) => Ok(Settings {
                base_url,
                client_id,
                scope,
            }),
            _ => {
                // Where it stands among the settings that describe names.
                let place = problems
                    .iter()
                    .position(|problem| problem.field == SCOPE)
                    .unwrap_or(problems.len());
                let mut of_secret = Vec::new();
                checked(&mut of_secret, checked_secret(host))?;
                problems.splice(place..place, of_secret);
                Err(Error::settings(problems))
            }
        }
    }

    /// Asks the host for the client secret. It is wiped from memory when dropped.
    ///
    /// # Errors
    ///
    /// When it is missing, or cannot be a secret; or the host cannot give it now.
    pub fn secret(host: &dyn Host) -> Result<Zeroizing<String>, Error> {
        checked_secret(host).map_err(|wrong| match wrong {
            Wrong::Problem(problem) => Error::settings(vec![problem]),
            Wrong::Unavailable(error) => error,
        })
    }
}

/// Why there is no such setting.
enum Wrong {
    /// It has to be changed.
    Problem(Problem),
    /// The host cannot give it now.
    Unavailable(Error),
}

fn checked_secret(host: &dyn Host) -> Result<Zeroizing<String>, Wrong> {
    let secret = Zeroizing::new(required(host, CLIENT_SECRET)?);
    if secret.chars().any(char::is_control) {
        return Err(Wrong::Problem(Problem::new(
            CLIENT_SECRET,
            "it has a control character, such as a line break, in it",
            "set it to the secret alone, exactly as NinjaOne showed it",
        )));
    }
    Ok(secret)
}

/// Keeps what went well, and notes what has to be changed.
fn checked<T>(problems: &mut Vec<Problem>, result: Result<T, Wrong>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Wrong::Unavailable(error)) => Err(error),
        Err(Wrong::Problem(problem)) => {
            problems.push(problem);
            Ok(None)
        }
    }
}

fn optional(host: &dyn Host, key: &'static str) -> Result<Option<String>, Wrong> {
    host.setting(key).map_err(|error| match error {
        SettingError::Unavailable(reason) => {
            Wrong::Unavailable(Error::setting_unavailable(key, &reason))
        }
        SettingError::Denied(reason) => Wrong::Problem(Problem::new(
            key,
            &format!("the host does not give it: {reason}"),
            "let the connector have it, where the host keeps its settings",
        )),
    })
}

fn required(host: &dyn Host, key: &'static str) -> Result<String, Wrong> {
    let remedy = match key {
        BASE_URL => {
            "set it to the address at which you sign in to NinjaOne, for example https://app.ninjarmm.com"
        }
        CLIENT_ID => {
            "set it to the client id that NinjaOne shows under Administration, Apps, API, Client App IDs"
        }
        _ => {
            "set it to the client secret that NinjaOne showed once when the API application was made; make a new one if it is lost"
        }
    };
    let wrong = |problem: &str| Err(Wrong::Problem(Problem::new(key, problem, remedy)));
    match optional(host, key)? {
        None => wrong("it is not set"),
        Some(text) if text.trim().is_empty() => wrong("it is empty"),
        Some(text) => Ok(text),
    }
}

fn parse_client_id(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(Wrong::Problem(Problem::new(
            CLIENT_ID,
            "it has a control character, such as a line break, in it",
            "set it to the client id alone, exactly as NinjaOne shows it",
        )));
    }
    Ok(text.to_string())
}

/// Where NinjaOne is: scheme, host and port, and a path in front of the API where there is one.
///
/// `https` to any host (tenants have domains of their own), and plain `http` to this very machine, for a simulator.
/// A path that belongs to the API itself (`/v2`, `/api`, `/ws/oauth/token`) is taken off, as is a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Parses a base URL.
    ///
    /// # Errors
    ///
    /// When it has no scheme, has another scheme than `https` (or `http` to this machine), has no host, or carries what a
    /// base URL must not: user information, a query, a fragment, white space.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |problem: &str, remedy: &str| Err(Problem::new(BASE_URL, problem, remedy));
        let example = "write it like https://app.ninjarmm.com";
        if text.chars().any(|c| {
            c.is_whitespace() || c.is_control() || !c.is_ascii() || "\\<>\"{}|^`%".contains(c)
        }) {
            return wrong(
                "it has a character in it that a base URL cannot have",
                example,
            );
        }
        let Some((scheme, rest)) = split_scheme(text) else {
            return wrong("it has no scheme", "put https:// in front of it");
        };
        if rest.contains('@') {
            return wrong(
                "it has a user name or password in it",
                "take out everything up to the @",
            );
        }
        if rest.contains(['?', '#']) {
            return wrong(
                "it has a query or a fragment",
                "take out everything from the ? or # on",
            );
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        let Some(host) = host_of(&authority) else {
            return wrong("its host or port cannot be one", example);
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => {
                return wrong(
                    "plain http would show the client secret to the network",
                    "write https:// in place of http://",
                );
            }
            _ => {
                return wrong(
                    "its scheme is neither https nor http",
                    "write https:// in front of the host",
                );
            }
        }
        Ok(BaseUrl(format!(
            "{scheme}://{authority}{}",
            prefix_of(path)
        )))
    }

    /// The absolute URL of a path of NinjaOne's, which starts with a slash.
    pub fn join(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host of an authority, if it and the port can be ones.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            let is_address = !address.is_empty()
                && address
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.');
            is_address.then_some(())?;
            (
                address,
                after
                    .strip_prefix(':')
                    .or((after.is_empty()).then_some("0"))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "0")),
    };
    let port_is_number =
        !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_name = |host: &str| {
        !host.is_empty()
            && host.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            })
    };
    (port_is_number && (authority.starts_with('[') || is_name(host))).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    let is_loopback_v4 = host.strip_prefix("127.").is_some_and(|rest| {
        rest.split('.').count() == 3 && rest.split('.').all(|part| part.parse::<u8>().is_ok())
    });
    host == "localhost" || host == "::1" || is_loopback_v4
}

/// What remains of the path of a base URL once the API's own paths are taken off.
fn prefix_of(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    [
        "/ws/oauth/token",
        "/oauth/token",
        "/api/v2",
        "/v2",
        "/api",
        "/ws",
    ]
    .iter()
    .find_map(|own| path.strip_suffix(own))
    .unwrap_or(path)
    .trim_end_matches('/')
}

/// What the connector asks permission for: one or more of [`SCOPES`], each once, in that order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Vec<&'static str>);

impl Scope {
    /// Parses scopes separated by white space; [`DEFAULT_SCOPE`] where there are none.
    ///
    /// # Errors
    ///
    /// When there is a scope that NinjaOne does not have.
    pub fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let text = text
            .filter(|text| !text.trim().is_empty())
            .unwrap_or(DEFAULT_SCOPE);
        for word in text.split_whitespace() {
            if word == "offline_access" {
                return Err(Problem::new(
                    SCOPE,
                    "offline_access is not for the client credentials grant, and some regions refuse it",
                    "take offline_access out",
                ));
            }
            if !SCOPES.contains(&word) {
                return Err(Problem::new(
                    SCOPE,
                    &format!("NinjaOne has no scope {word:?}"),
                    "use monitoring, management and control, separated by spaces",
                ));
            }
        }
        Ok(Scope(
            SCOPES
                .into_iter()
                .filter(|known| text.split_whitespace().any(|word| word == *known))
                .collect(),
        ))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}
