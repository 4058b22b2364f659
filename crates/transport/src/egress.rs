//! Where a connector may send requests: to the one origin that its tenant's settings name, and nowhere else.

mod address;

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

pub(crate) use self::address::Rule;

/// The one origin that requests may go to, or none, and at which addresses it may be.
///
/// There are two rules, by who writes the base URL:
///
/// - [`EgressPolicy::public`], for a hosted service, where the administrator of the tenant does: `https` only, and global
///   addresses only, so that no base URL leads into the service's own network. [`EgressPolicy::hosts`] narrows it to known hosts.
/// - [`EgressPolicy::only`], for development and for an organization's own installation, where whoever writes the URL may reach
///   this computer and its network anyway.
///
/// An IP address in the URL is checked here. A name is looked up when a connection is made, by [`Network`](crate::Network), and
/// what it leads to is held against the same rule ([`EgressPolicy::addresses`] goes into the [`Terms`](crate::Terms) of each
/// request). Through a [`Proxy`](crate::Proxy) it is the proxy that looks the name up, so there the proxy has to refuse what is
/// inside; the host in the URL is still checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    origin: Option<Origin>,
    addresses: Addresses,
}

/// At which addresses a host may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Addresses {
    /// For development: private networks too, and this computer under the name `localhost`. What is refused is only where no
    /// tenant can be: addresses of no one computer, of one network link, and of the machinery of clouds.
    #[default]
    Development,
    /// Addresses of the internet, and nothing else.
    Global,
}

/// Why a URL cannot be made the allowed origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// It has no scheme, no host, or a user name in it.
    #[error("not an absolute http or https URL without a user name")]
    NotAnOrigin,
    /// It is plain `http` to another computer.
    #[error("plain http is allowed to this computer only; use https")]
    PlainHttp,
    /// It is plain `http`, where all has to be `https`.
    #[error("plain http is not allowed here; use https")]
    NotHttps,
    /// Its host is an IP address that is unspecified, link-local, multicast or reserved, or at which a cloud tells a computer its
    /// credentials.
    #[error(
        "no tenant can be at this address: it is unspecified, link-local, multicast or reserved, or a cloud's own service"
    )]
    NotATenant,
    /// Its host is not on the internet: an address of a private network or of this computer, or a name that only a local network
    /// knows.
    #[error("{host} is not a host of the internet; give the public name of the tenant")]
    NotPublic {
        /// The host as it is in the URL.
        host: String,
    },
    /// Its host is not among those that are allowed.
    #[error(
        "{host} is not among the hosts that are allowed here; whoever runs this service can add it"
    )]
    HostNotListed {
        /// The host as it is in the URL.
        host: String,
    },
    /// A host in the list of those allowed is neither a name, nor `*.` and a name.
    #[error(
        "{pattern:?} names no host; write app.example.com, or *.example.com for every name below it"
    )]
    NotAHostPattern {
        /// As it was given.
        pattern: String,
    },
}

impl EgressPolicy {
    /// Allows no request.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// For development: allows the scheme, host and port of this URL, on private networks and on this computer too. Its path
    /// does not matter.
    ///
    /// Plain `http` is for this computer only (`localhost`, `127.0.0.0/8`, `::1`): anywhere else it would carry the secret in
    /// the clear. An IP address is taken at its word, unless no tenant can be there. The name `localhost` must be this computer,
    /// and any other name must not be.
    ///
    /// Where the URL comes from somebody who must not reach this computer's own network, use [`EgressPolicy::public`].
    ///
    /// # Errors
    ///
    /// When the URL is not absolute, asks for plain `http` to another computer, or has an IP address at which no tenant can be.
    pub fn only(base_url: &str) -> Result<Self, EgressError> {
        let origin = origin(base_url)?;
        if literal(&origin.host).is_some_and(address::is_never_a_tenant) {
            return Err(EgressError::NotATenant);
        }
        if !origin.tls && !is_this_computer(&origin.host) {
            return Err(EgressError::PlainHttp);
        }
        Ok(Self {
            origin: Some(origin),
            addresses: Addresses::Development,
        })
    }

    /// For a hosted service: allows the host and port of this `https` URL, at global addresses. Its path does not matter.
    ///
    /// ```
    /// use connector_transport::EgressPolicy;
    ///
    /// let policy = EgressPolicy::public("https://app.ninjarmm.com")?.hosts(["*.ninjarmm.com", "*.ninjaone.com"])?;
    /// assert!(policy.allows(&"https://app.ninjarmm.com/v2/users".parse()?));
    /// assert!(EgressPolicy::public("https://192.168.0.7").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the URL is not absolute or not `https`, or when its host is an IP address that is not global or a name that only a
    /// local network knows: one without a dot, or below `localhost`, `local`, `internal` or `home.arpa`.
    pub fn public(base_url: &str) -> Result<Self, EgressError> {
        let origin = origin(base_url)?;
        if !origin.tls {
            return Err(EgressError::NotHttps);
        }
        if !may_be_public(&origin.host) {
            return Err(EgressError::NotPublic { host: origin.host });
        }
        Ok(Self {
            origin: Some(origin),
            addresses: Addresses::Global,
        })
    }

    /// The same, if its host is one of these: `app.example.com`, or `*.example.com` for every name below `example.com` (but not
    /// `example.com` itself). Letter case does not matter.
    ///
    /// # Errors
    ///
    /// When the host is none of these, or when one of these is no host.
    pub fn hosts<S: AsRef<str>>(
        self,
        patterns: impl IntoIterator<Item = S>,
    ) -> Result<Self, EgressError> {
        let mut is_listed = self.origin.is_none();
        for pattern in patterns {
            let pattern = HostPattern::parse(pattern.as_ref())?;
            is_listed |= self
                .origin
                .as_ref()
                .is_some_and(|at| pattern.matches(&at.host));
        }
        match self.origin {
            Some(origin) if !is_listed => Err(EgressError::HostNotListed { host: origin.host }),
            _ => Ok(self),
        }
    }

    /// Whether a request to this URI may be sent.
    pub fn allows(&self, uri: &Uri) -> bool {
        self.origin.is_some() && Origin::of(uri) == self.origin
    }

    /// At which addresses the origin may be.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }
}

impl fmt::Display for EgressPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(Origin { tls, host, port }) => {
                let scheme = if *tls { "https" } else { "http" };
                write!(f, "{scheme}://{host}:{port}")
            }
            None => f.write_str("nowhere"),
        }
    }
}

/// A scheme, a host and a port: where requests go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    /// In lower case; an IPv6 address with its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let tls = match uri.scheme()? {
            scheme if *scheme == Scheme::HTTPS => true,
            scheme if *scheme == Scheme::HTTP => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = authority.host();
        if authority.as_str().contains('@') || host.is_empty() {
            return None;
        }
        // In brackets there is an address, and none that is of one network link by its name (`%eth0`).
        if host.starts_with('[') && literal(host).is_none() {
            return None;
        }
        // A port that is there and not a number is not the default port.
        let port = match authority.port_u16() {
            Some(port) => port,
            None if authority.as_str() == host => {
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
            host: host.to_ascii_lowercase(),
            port,
        })
    }
}

fn origin(base_url: &str) -> Result<Origin, EgressError> {
    let uri: Uri = base_url
        .trim()
        .parse()
        .map_err(|_| EgressError::NotAnOrigin)?;
    Origin::of(&uri).ok_or(EgressError::NotAnOrigin)
}

/// A host that is allowed, or `*.` and what the names of hosts have to end in.
enum HostPattern {
    Exactly(String),
    Below(String),
}

impl HostPattern {
    fn parse(pattern: &str) -> Result<Self, EgressError> {
        let lower = pattern.trim().to_ascii_lowercase();
        let (name, below) = match lower.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (&*lower, false),
        };
        let name = without_last_dot(name);
        let is_host = is_name(name) || (!below && literal(name).is_some());
        match is_host {
            true if below => Ok(Self::Below(format!(".{name}"))),
            true => Ok(Self::Exactly(name.to_owned())),
            false => Err(EgressError::NotAHostPattern {
                pattern: pattern.to_owned(),
            }),
        }
    }

    fn matches(&self, host: &str) -> bool {
        let host = without_last_dot(host);
        match self {
            Self::Exactly(name) => host == name,
            Self::Below(end) => host.len() > end.len() && host.ends_with(&**end) && is_name(host),
        }
    }
}

/// Whether a host is this computer, as far as its URL tells.
pub(crate) fn is_this_computer(host: &str) -> bool {
    host == "localhost" || literal(host).is_some_and(|address| address.is_loopback())
}

/// The address that a host is, where it is no name.
pub(crate) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(inside) => inside.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// Whether a host can be one of the internet, as far as its URL tells: a global address, or a name that does not belong to a
/// local network.
pub(crate) fn may_be_public(host: &str) -> bool {
    if let Some(address) = literal(host) {
        return address::is_global(address);
    }
    let name = without_last_dot(host).to_ascii_lowercase();
    let mut labels = name.rsplit('.');
    let last = labels.next().unwrap_or_default();
    let is_local = matches!(last, "localhost" | "local" | "internal")
        || (last == "arpa" && labels.next() == Some("home"));
    // A name whose last label is a number is one way more to write an IPv4 address (`127.1`, `0x7f.0.0.0x1`).
    let is_number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    name.contains('.') && is_name(&name) && !is_local && !is_number
}

/// Whether it is labels of letters, digits, `-` and `_` with dots between them.
fn is_name(text: &str) -> bool {
    let in_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.split('.')
        .all(|label| !label.is_empty() && label.bytes().all(in_label))
}

/// `example.com.` is `example.com`, said with more emphasis.
fn without_last_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
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
            "https://240.0.0.1",
            "https://192.0.0.192",
            "https://[fec0::1]",
            "https://[64:ff9b:1::5db8:d822]",
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
            "https://[fe80::1%eth0]",
            "https://[tenant.example]",
            "https://tenant.example:https",
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

    fn refused(url: &str) -> EgressError {
        EgressPolicy::public(url).expect_err(url)
    }

    #[test]
    fn public_is_https_to_a_host_of_the_internet() {
        for url in [
            "https://app.ninjarmm.com",
            "https://APP.ninjarmm.com./",
            "https://tenant.example:8443/api",
            "https://93.184.216.34",
            "https://[2606:2800:220:1:248:1893:25c8:1946]:8443",
            "https://x--1.a_b.example",
            "https://1.example",
        ] {
            let policy = EgressPolicy::public(url).expect(url);
            assert_eq!(policy.addresses(), Addresses::Global, "{url}");
            assert!(policy.allows(&url.parse().expect("it is a URI")), "{url}");
        }
        for url in [
            "http://app.ninjarmm.com",
            "http://localhost",
            "http://127.0.0.1",
        ] {
            assert_eq!(refused(url), EgressError::NotHttps, "{url}");
        }
        assert_eq!(refused("https://a@b.example"), EgressError::NotAnOrigin);
    }

    #[test]
    fn public_is_no_host_of_a_local_network() {
        for host in [
            "127.0.0.1",
            "10.0.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "192.0.2.1",
            "[::1]",
            "[fd12::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "localhost",
            "localhost.",
            "LOCALHOST",
            "tenant.localhost",
            "intranet",
            "intranet.",
            "printer.local",
            "metadata.google.internal",
            "router.home.arpa",
            // An IPv4 address in other spellings.
            "2130706433",
            "127.1",
            "127.0.0.1.",
            "0177.0.0.1",
            "0x7f.1",
            "1.0x7f",
            "tenant.0x7f000001",
            "tenant..example",
            "tenant.example..",
            "te,nant.example",
        ] {
            let error = refused(&format!("https://{host}"));
            assert!(
                matches!(error, EgressError::NotPublic { .. }),
                "{host}: {error:?}"
            );
        }
    }

    #[test]
    fn public_can_be_narrowed_to_hosts_and_to_names_below_others() {
        let with = |url: &str, hosts: &[&str]| {
            EgressPolicy::public(url).and_then(|policy| policy.hosts(hosts))
        };
        let hosts = ["*.ninjarmm.com", "Tenant.Example.", "93.184.216.34"];
        for url in [
            "https://app.ninjarmm.com",
            "https://eu.app.ninjarmm.com.",
            "https://TENANT.example:8443",
            "https://93.184.216.34",
        ] {
            assert!(with(url, &hosts).is_ok(), "{url}");
        }
        for url in [
            "https://ninjarmm.com",
            "https://evilninjarmm.com",
            "https://app.ninjarmm.com.evil.example",
            "https://app.tenant.example",
            "https://93.184.216.35",
        ] {
            let error = with(url, &hosts).expect_err(url);
            assert!(
                matches!(error, EgressError::HostNotListed { .. }),
                "{url}: {error:?}"
            );
        }
        let none = with("https://tenant.example", &[]);
        assert!(
            matches!(none, Err(EgressError::HostNotListed { .. })),
            "{none:?}"
        );
        // A pattern that is none would allow nothing, or all: it is told, whether or not another one matches.
        for pattern in [
            "*",
            "*.",
            "",
            "app.*.com",
            "*ninjarmm.com",
            "https://tenant.example",
            "*.*.example",
            "*.1.2.3.4:443",
        ] {
            let error = with("https://tenant.example", &["tenant.example", pattern]);
            assert!(
                matches!(error, Err(EgressError::NotAHostPattern { .. })),
                "{pattern}: {error:?}"
            );
        }
    }
}
