//! The HTTP proxy that connections go through, where an organization lets out nothing else.
//!
//! This file says which proxy there is and for which hosts; how a connection goes through it is in [`tunnel`].

pub(crate) mod tunnel;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::egress::{Origin, is_this_computer};

/// The proxy of a [`Network`](crate::Network): none, or one that is asked by `CONNECT` for a way to the host, which TLS then goes
/// through from end to end. It sees the name of the host and how much is sent, nothing of what.
///
/// ```
/// use connector_transport::Proxy;
///
/// let proxy = Proxy::url("http://connector:secret@proxy.example:3128")?.except(".corp.example, 10.0.0.0/8");
/// # Ok::<(), connector_transport::ProxyError>(())
/// ```
///
/// What an operator has to know:
///
/// - The proxy looks up the names of hosts, so it is the proxy that decides at which addresses they may be. The rules of
///   [`EgressPolicy`](crate::EgressPolicy) hold for the host in the URL and not for what its name leads to.
/// - Where the proxy itself is, is the word of who set it up: on this computer or in a private network too.
/// - Requests to this computer (`localhost`, `127.0.0.0/8`, `::1`) never go through it. Plain `http` goes nowhere else, so no
///   plain `http` goes through it, and `HTTP_PROXY` does not count.
#[derive(Clone, Default)]
pub struct Proxy {
    server: Option<Arc<Server>>,
    except: String,
}

/// A proxy and who is to be let through.
pub(crate) struct Server {
    pub(crate) tls: bool,
    /// An IPv6 address with its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<SecretString>,
}

/// Why a text names no proxy. It never has the text in it, which may have a password in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// It is no URL of a proxy.
    #[error(
        "not the URL of a proxy; write http://proxy.example:3128 or http://USER:PASSWORD@proxy.example:3128"
    )]
    NotAUrl,
    /// It is the URL of another kind of proxy.
    #[error("a proxy of the kind {scheme} cannot be used; use one of the kind http or https")]
    Unsupported {
        /// The scheme of the URL.
        scheme: String,
    },
    /// A variable of the environment names no proxy.
    #[error("the environment variable {name}: {error}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What the matter is.
        error: Box<ProxyError>,
    },
}

/// Where the environment names the proxy; the first that is there and not empty counts.
const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// Where it says which hosts go without.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Proxies for plain `http`, which does not leave this computer.
const IGNORED: [&str; 2] = ["HTTP_PROXY", "http_proxy"];

impl Proxy {
    /// No proxy, whatever the environment says.
    pub fn none() -> Self {
        Self::default()
    }

    /// The proxy with this URL: `http://` or `https://` (where the connection to the proxy is encrypted too; its certificate is
    /// held against the same authorities). A user name and a password in it are sent to the proxy as `Basic`, and nowhere else;
    /// special characters in them are percent-encoded. Without a port it is 80 or 443.
    ///
    /// # Errors
    ///
    /// When it is not such a URL.
    pub fn url(url: &str) -> Result<Self, ProxyError> {
        Ok(Self {
            server: Some(Arc::new(Server::parse(url)?)),
            except: String::new(),
        })
    }

    /// The proxy that the environment names, as other programs take it from there: `HTTPS_PROXY`, or else `ALL_PROXY`, with the
    /// exceptions of `NO_PROXY`, each also in lower case.
    ///
    /// # Errors
    ///
    /// When what a variable says is no proxy.
    pub fn from_env() -> Result<Self, ProxyError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The same, from variables that come from elsewhere.
    ///
    /// # Errors
    ///
    /// When what a variable says is no proxy.
    pub fn from_variables(
        variable: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, ProxyError> {
        let first = |names: &[&'static str]| {
            let given = |&name: &&'static str| {
                let value = Zeroizing::new(variable(name)?);
                (!value.trim().is_empty()).then_some((name, value))
            };
            names.iter().find_map(given)
        };
        let Some((name, url)) = first(&VARIABLES) else {
            if let Some((name, _)) = first(&IGNORED) {
                tracing::debug!(
                    "{name} does not count: plain http does not leave this computer; HTTPS_PROXY would count"
                );
            }
            return Ok(Self::none());
        };
        let proxy = Self::url(&url).map_err(|error| ProxyError::Variable {
            name,
            error: Box::new(error),
        })?;
        let except = first(&EXCEPTIONS).map_or_else(String::new, |(_, except)| except.to_string());
        Ok(proxy.except(&except))
    }

    /// With hosts that are connected to directly, written as in `NO_PROXY`: with commas or spaces between them, a name for
    /// itself and all names below it (`example.com`, also written `.example.com` and `*.example.com`), an IP address, a network
    /// (`10.0.0.0/8`), each but the last with a port where only that port is meant, or `*` for all. Addresses and networks are
    /// for hosts that are addresses in the URL: no name is looked up for them.
    #[must_use]
    pub fn except(self, hosts: &str) -> Self {
        Self {
            except: hosts.to_owned(),
            ..self
        }
    }

    /// The proxy that connections to this origin go through.
    pub(crate) fn to(&self, origin: &Origin) -> Option<&Server> {
        let server = self.server.as_deref()?;
        let is_direct = !origin.tls || is_this_computer(&origin.host) || self.excepts(origin);
        (!is_direct).then_some(server)
    }

    fn excepts(&self, origin: &Origin) -> bool {
        let entries = self.except.split([',', ' ', '\t', '\n']);
        let hosts: Vec<&str> = entries
            .filter_map(|entry| host_of_entry(entry, origin.port))
            .collect();
        // The matcher takes it for all names only, and not for addresses.
        if hosts.contains(&"*") {
            return true;
        }
        let host = origin.host.strip_suffix('.').unwrap_or(&origin.host);
        let Ok(uri) = format!("https://{host}/").parse() else {
            return false;
        };
        // Which proxy does not matter here.
        let matcher = Matcher::builder().https("http://proxy").no(hosts.join(","));
        matcher.build().intercept(&uri).is_none()
    }
}

/// The host of an entry of `NO_PROXY`, as the matcher takes it, if the entry is meant for this port.
fn host_of_entry(entry: &str, port: u16) -> Option<&str> {
    let entry = match entry.rsplit_once(':') {
        // An IPv6 address that is not in brackets has colons of its own.
        Some((host, at)) if !host.contains(':') || host.ends_with(']') => {
            if at.parse() != Ok(port) {
                return None;
            }
            host
        }
        _ => entry,
    };
    let entry = entry
        .strip_prefix('[')
        .and_then(|entry| entry.strip_suffix(']'))
        .unwrap_or(entry);
    let entry = entry.strip_prefix("*.").unwrap_or(entry);
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    (!entry.is_empty()).then_some(entry)
}

impl Server {
    fn parse(url: &str) -> Result<Self, ProxyError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let tls = match &*scheme.to_ascii_lowercase() {
            "http" => false,
            "https" => true,
            other
                if !other.is_empty() && other.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                return Err(ProxyError::Unsupported {
                    scheme: other.to_owned(),
                });
            }
            _ => return Err(ProxyError::NotAUrl),
        };
        // A password with an `@` or a `/` in it is taken too, as people write it.
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let uri: Uri = format!("http://{}/", place.trim_end_matches('/'))
            .parse()
            .map_err(|_| ProxyError::NotAUrl)?;
        let origin = Origin::of(&uri).ok_or(ProxyError::NotAUrl)?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(ProxyError::NotAUrl);
        }
        let has_port = uri.port_u16().is_some();
        Ok(Self {
            tls,
            host: origin.host,
            port: if tls && !has_port { 443 } else { origin.port },
            authorization: user.map(basic),
        })
    }

    /// The value of `Proxy-Authorization`. Not for any other eyes than the proxy's.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization
            .as_ref()
            .map(|secret| secret.expose_secret())
    }
}

/// Where it is. Its credentials are not for anybody to see.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Credentials as HTTP has them (RFC 7617), from those of a URL.
fn basic(user: &str) -> SecretString {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let name = Zeroizing::new(percent_decode_str(name).collect::<Vec<u8>>());
    let password = Zeroizing::new(percent_decode_str(password).collect::<Vec<u8>>());
    let plain = Zeroizing::new([&name[..], b":", &password[..]].concat());
    let coded = Zeroizing::new(BASE64_STANDARD.encode(&*plain));
    SecretString::from(["Basic ", &*coded].concat())
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(server) = &self.server else {
            return f.write_str("Proxy(none)");
        };
        let scheme = if server.tls { "https" } else { "http" };
        write!(f, "Proxy({scheme}://{server}")?;
        if server.authorization.is_some() {
            f.write_str(", with credentials")?;
        }
        write!(f, ", except {:?})", self.except)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Arc<Server> {
        Proxy::url(url)
            .expect("it is one")
            .server
            .expect("it is one")
    }

    fn origin(url: &str) -> Origin {
        Origin::of(&url.parse().expect(url)).expect(url)
    }

    #[test]
    fn a_proxy_is_taken_from_its_url() {
        for (url, tls, host, port) in [
            ("http://proxy.example:3128", false, "proxy.example", 3128),
            ("HTTP://Proxy.Example/", false, "proxy.example", 80),
            ("https://proxy.example", true, "proxy.example", 443),
            ("https://proxy.example:80", true, "proxy.example", 80),
            ("proxy:8080", false, "proxy", 8080),
            ("http://[fd12::1]:3128", false, "[fd12::1]", 3128),
        ] {
            let server = server(url);
            let is = (server.tls, &*server.host, server.port);
            assert_eq!(is, (tls, host, port), "{url}");
            assert!(server.authorization().is_none(), "{url}");
        }
        for url in [
            "",
            "http://",
            "http://proxy:port",
            "http://a b",
            "http://proxy/path",
            "http://proxy?x",
            "://proxy",
        ] {
            assert_eq!(Proxy::url(url).err(), Some(ProxyError::NotAUrl), "{url}");
        }
        let socks = Proxy::url("socks5h://u:secret@proxy:1080").expect_err("it is of another kind");
        assert!(socks.to_string().contains("socks5h"), "{socks}");
    }

    #[test]
    fn credentials_are_decoded_and_shown_to_nobody() {
        for (user, plain) in [
            ("user:secret", "user:secret"),
            ("user", "user:"),
            ("us%40er:s%3Ae%2Fc%25ret", "us@er:s:e/c%ret"),
            ("user:se@cr/et", "user:se@cr/et"),
            ("user:100%", "user:100%"),
        ] {
            let proxy = Proxy::url(&format!("http://{user}@proxy:3128")).expect(user);
            let shown = format!("{proxy:?}");
            assert_eq!(
                shown,
                "Proxy(http://proxy:3128, with credentials, except \"\")"
            );
            let server = proxy.server.expect("it is one");
            let coded = server
                .authorization()
                .and_then(|value| value.strip_prefix("Basic "));
            let decoded = BASE64_STANDARD.decode(coded.expect(user)).expect(user);
            assert_eq!(decoded, plain.as_bytes(), "{user}");
        }
        for url in [
            "http://user:secret@",
            "ftp://user:secret@proxy",
            "user:secret://proxy",
            "http://user:secret@pro xy",
        ] {
            let error = Proxy::url(url).expect_err(url);
            assert!(
                !format!("{error} {error:?}").contains("secret"),
                "{error:?}"
            );
        }
    }

    fn from(variables: &'static [(&str, &str)]) -> Result<Proxy, ProxyError> {
        Proxy::from_variables(|name| {
            let same = |&&(known, _): &&(&str, &str)| known == name;
            variables
                .iter()
                .find(same)
                .map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn the_environment_names_the_proxy() {
        for (variables, host) in [
            (
                &[
                    ("HTTPS_PROXY", "http://a"),
                    ("https_proxy", "http://b"),
                    ("ALL_PROXY", "http://c"),
                ][..],
                Some("a"),
            ),
            (
                &[("https_proxy", "http://b"), ("ALL_PROXY", "http://c")],
                Some("b"),
            ),
            (
                &[("HTTPS_PROXY", " "), ("ALL_PROXY", "http://c")],
                Some("c"),
            ),
            (&[("all_proxy", "http://d")], Some("d")),
            (
                &[
                    ("HTTP_PROXY", "http://e"),
                    ("http_proxy", "http://f"),
                    ("NO_PROXY", "*"),
                ],
                None,
            ),
            (&[], None),
        ] {
            let proxy = from(variables).expect("they are right");
            let server = proxy.to(&origin("https://tenant.example"));
            assert_eq!(server.map(|server| &*server.host), host, "{variables:?}");
        }
        let proxy = from(&[("HTTPS_PROXY", "http://a"), ("no_proxy", "tenant.example")]);
        assert!(
            proxy
                .expect("it is right")
                .to(&origin("https://tenant.example"))
                .is_none()
        );
        let error = from(&[("ALL_PROXY", "socks5://u:secret@a")]).expect_err("it is another kind");
        assert!(
            error
                .to_string()
                .starts_with("the environment variable ALL_PROXY: "),
            "{error}"
        );
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn some_hosts_go_without_a_proxy() {
        for (except, direct, through) in [
            ("", &[][..], &["https://tenant.example"][..]),
            ("*", &["https://tenant.example", "https://10.1.2.3"], &[]),
            (
                "tenant.example, corp.example",
                &[
                    "https://tenant.example",
                    "https://TENANT.example.:8443",
                    "https://eu.tenant.example",
                    "https://a.corp.example",
                ],
                &[
                    "https://my-tenant.example",
                    "https://tenant.example.org",
                    "https://example",
                ],
            ),
            (
                ".tenant.example",
                &["https://tenant.example", "https://eu.tenant.example"],
                &["https://atenant.example"],
            ),
            (
                "*.tenant.example",
                &["https://eu.tenant.example"],
                &["https://atenant.example"],
            ),
            (
                "tenant.example:8443",
                &[
                    "https://tenant.example:8443",
                    "https://eu.tenant.example:8443",
                ],
                &["https://tenant.example"],
            ),
            (
                "10.0.0.0/8 192.168.0.7",
                &["https://10.1.2.3", "https://192.168.0.7"],
                &["https://11.1.2.3", "https://192.168.0.8"],
            ),
            (
                "192.168.0.7:8443",
                &["https://192.168.0.7:8443"],
                &["https://192.168.0.7"],
            ),
            (
                "fd12::/16,[2606::1]:8443,2606::2",
                &[
                    "https://[fd12::7]",
                    "https://[2606::1]:8443",
                    "https://[2606::2]",
                ],
                &["https://[fd13::7]", "https://[2606::1]"],
            ),
        ] {
            let proxy = Proxy::url("http://proxy:3128")
                .expect("it is one")
                .except(except);
            for url in direct {
                assert!(proxy.to(&origin(url)).is_none(), "{except:?}: {url}");
            }
            for url in through {
                assert!(proxy.to(&origin(url)).is_some(), "{except:?}: {url}");
            }
        }
    }

    #[test]
    fn what_stays_on_this_computer_goes_without_a_proxy() {
        let proxy = Proxy::url("http://proxy:3128").expect("it is one");
        for url in [
            "http://tenant.example",
            "http://localhost",
            "https://localhost:8443",
            "https://127.0.0.1",
            "https://[::1]",
        ] {
            assert!(proxy.to(&origin(url)).is_none(), "{url}");
        }
    }
}
