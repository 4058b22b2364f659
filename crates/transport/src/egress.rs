//! Where a connector may send requests: to the one origin that its tenant's settings name, and nowhere else.

mod address;

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

pub(crate) use self::address::may_be_at;

/// The one origin that requests may go to, or none.
///
/// Plain `http` is for this computer only (`localhost`, `127.0.0.0/8`, `::1`): anywhere else it would carry the secret in the clear.
///
/// An IP address in the URL is taken at its word, unless no tenant can be there. A name is looked up when a connection is made,
/// by [`Network`](crate::Network): `localhost` must be this computer, and any other name must not be. Nor must it be an
/// address where no tenant can be. Private networks are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy(Option<Origin>);

/// Which addresses a host may be at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Addresses {
    /// For development: `localhost` and private networks too.
    #[default]
    Any,
}

/// Why a URL cannot be made the allowed origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// It has no scheme, no host, or a user name in it.
    #[error("not an absolute http or https URL without a user name")]
    NotAnOrigin,
    /// It is plain `http` to another computer.
    #[error("plain http is allowed to this computer only; use https")]
    PlainHttp,
    /// Its host is an IP address that is unspecified, link-local, multicast or broadcast, or at which a cloud tells a computer its
    /// credentials.
    #[error(
        "no tenant can be at this address: it is unspecified, link-local, multicast or broadcast, or a cloud's own service"
    )]
    NotATenant,
}

impl EgressPolicy {
    /// Allows no request.
    pub fn nothing() -> Self {
        Self(None)
    }

    /// Allows the scheme, host and port of this URL. Its path does not matter.
    ///
    /// # Errors
    ///
    /// When the URL is not absolute, asks for plain `http` to another computer, or has an IP address at which no tenant can be.
    pub fn only(base_url: &str) -> Result<Self, EgressError> {
        let uri: Uri = base_url
            .trim()
            .parse()
            .map_err(|_| EgressError::NotAnOrigin)?;
        let origin = Origin::of(&uri).ok_or(EgressError::NotAnOrigin)?;
        if literal(&origin.host).is_some_and(address::is_never_a_tenant) {
            return Err(EgressError::NotATenant);
        }
        if !origin.tls && !is_this_computer(&origin.host) {
            return Err(EgressError::PlainHttp);
        }
        Ok(Self(Some(origin)))
    }

    /// Stub.
    pub fn addresses(&self) -> Addresses {
        Addresses::Any
    }

    /// Whether a request to this URI may be sent.
    pub fn allows(&self, uri: &Uri) -> bool {
        self.0.is_some() && Origin::of(uri) == self.0
    }
}

impl fmt::Display for EgressPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(Origin { tls, host, port }) => {
                let scheme = if *tls { "https" } else { "http" };
                write!(f, "{scheme}://{host}:{port}")
            }
            None => f.write_str("nowhere"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    tls: bool,
    /// In lower case; an IPv6 address with its brackets.
    host: String,
    port: u16,
}

impl Origin {
    fn of(uri: &Uri) -> Option<Self> {
        let tls = match uri.scheme()? {
            scheme if *scheme == Scheme::HTTPS => true,
            scheme if *scheme == Scheme::HTTP => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return None;
        }
        // A port that is there and not a number is not the default port.
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == authority.host() => {
                if tls {
                    443
                } else {
                    80
                }
            }
            None => return None,
        };
        Some(Self {
            tls,
            host: authority.host().to_ascii_lowercase(),
            port,
        })
    }
}

fn is_this_computer(host: &str) -> bool {
    host == "localhost" || literal(host).is_some_and(|address| address.is_loopback())
}

/// The address that a host is, where it is no name.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(base_url: &str, uri: &str) -> bool {
        let uri = uri.parse().expect("the test gives a URI");
        EgressPolicy::only(base_url)
            .expect("the test gives a base URL that is allowed")
            .allows(&uri)
    }

    #[test]
    fn any_path_of_the_origin_is_allowed() {
        assert!(allows(
            "https://app.ninjarmm.com",
            "https://app.ninjarmm.com/v2/users?x=1"
        ));
        assert!(allows(
            "https://app.ninjarmm.com/api/",
            "https://app.ninjarmm.com/ws/oauth/token"
        ));
    }

    #[test]
    fn the_default_port_is_the_same_as_none() {
        assert!(allows("https://example.com", "https://example.com:443/"));
        assert!(allows("http://localhost:80", "http://localhost/"));
    }

    #[test]
    fn letter_case_of_the_host_does_not_matter() {
        assert!(allows("HTTPS://Example.COM", "https://example.com/"));
    }

    #[test]
    fn another_host_port_or_scheme_is_denied() {
        for uri in [
            "https://evil.example/",
            "https://app.ninjarmm.com.evil.example/",
            "https://app.ninjarmm.com:8443/",
            "http://app.ninjarmm.com/",
            "https://app.ninjarmm.com@evil.example/",
            "https://user@app.ninjarmm.com/",
        ] {
            assert!(!allows("https://app.ninjarmm.com", uri), "{uri}");
        }
    }

    #[test]
    fn plain_http_is_for_this_computer_only() {
        for url in [
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://127.9.9.9:1",
            "http://[::1]:8080",
        ] {
            assert!(EgressPolicy::only(url).is_ok(), "{url}");
        }
        for url in [
            "http://example.com",
            "http://10.0.0.1",
            "http://localhost.evil.example",
            "http://[2001:db8::2]",
        ] {
            assert_eq!(
                EgressPolicy::only(url),
                Err(EgressError::PlainHttp),
                "{url}"
            );
        }
    }

    #[test]
    fn an_address_where_no_tenant_can_be_is_refused() {
        for url in [
            "https://169.254.169.254",
            "http://169.254.169.254/latest/meta-data",
            "https://[fe80::1]",
            "https://[fd00:ec2::254]",
            "https://[::ffff:169.254.169.254]",
            "https://0.0.0.0",
            "https://[::]:443",
            "https://224.0.0.1",
            "https://255.255.255.255",
        ] {
            assert_eq!(
                EgressPolicy::only(url),
                Err(EgressError::NotATenant),
                "{url}"
            );
        }
        for url in ["https://10.0.0.1", "https://[fd12::1]", "https://127.0.0.1"] {
            assert!(EgressPolicy::only(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_not_an_absolute_url_allows_nothing() {
        for url in [
            "",
            "app.ninjarmm.com",
            "/v2",
            "ftp://example.com",
            "https://user:pw@example.com",
            "https://",
        ] {
            assert_eq!(
                EgressPolicy::only(url),
                Err(EgressError::NotAnOrigin),
                "{url}"
            );
        }
        let uri = Uri::from_static("https://example.com/");
        assert!(!EgressPolicy::nothing().allows(&uri));
    }
}
