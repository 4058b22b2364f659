//! What can go wrong between a request and the end of its answer.
//!
//! Each failure has a name that recordings keep and logs show, and says whether it can pass by itself. None has a query, a
//! header or a body in it: nothing here is secret.

use std::fmt;
use std::net::IpAddr;

/// Why an answer did not come, or did not come whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The egress policy does not allow the request. It was not sent.
    #[error("the request is not allowed to go there")]
    Denied,
    /// The name of the host could not be resolved.
    #[error("the name of the host cannot be resolved: {reason}")]
    NameNotResolved {
        /// What the resolver says.
        reason: String,
    },
    /// The host is at an address that may not be connected to.
    #[error("the host is at an address that may not be connected to{}", At(.address))]
    AddressProhibited {
        /// The address, where it is known.
        address: Option<IpAddr>,
    },
    /// There is no network.
    #[error("there is no network")]
    NetworkDown,
    /// No route leads to the host.
    #[error("no route leads to the host")]
    Unroutable,
    /// Nobody listens there.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// The connection ended before the answer began.
    #[error("the connection ended before the answer began")]
    ConnectionTerminated,
    /// There was no connection in time: name resolution, TCP, proxy and TLS together.
    #[error("there was no connection in time")]
    ConnectTimeout,
    /// As many requests are under way as there may be, and none of them ended in time.
    #[error("too many requests of this tenant are under way")]
    TooManyRequests,
    /// The TLS handshake failed.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What the TLS library says.
        reason: String,
    },
    /// The certificate of the host was not accepted.
    #[error("the certificate of the host was not accepted: {reason}")]
    Certificate {
        /// Why it was not, and what to do.
        reason: String,
    },
    /// The host ended the TLS handshake with an alert.
    #[error("the host refused TLS: {name}")]
    TlsAlert {
        /// The alert's number (RFC 8446 §6); `None` where a recording does not tell.
        number: Option<u8>,
        /// The alert's name.
        name: String,
    },
    /// The proxy in between did not connect to the host.
    #[error("the proxy did not connect to the host: {reason}")]
    Proxy {
        /// What the proxy answered or how the connection to it failed, and what to do. Never its credentials.
        reason: String,
        /// Whether it can pass by itself.
        passes: bool,
    },
    /// The head of the answer did not come in time.
    #[error("the answer did not begin in time")]
    ResponseTimeout,
    /// The body stood still for too long.
    #[error("the answer stood still for too long")]
    ReadTimeout,
    /// The body ended before it was whole.
    #[error("the answer broke off")]
    ResponseIncomplete,
    /// Nobody read the body for so long that it was let go, and with it what it held of the connection.
    #[error("the answer was let go because nobody read it")]
    LetGo,
    /// The header of the answer is larger than allowed.
    #[error("the header of the answer is larger than allowed")]
    HeaderTooLarge {
        /// Its size in bytes, as far as it was read.
        size: Option<u32>,
    },
    /// The body of the answer is larger than allowed.
    #[error("the answer is larger than allowed")]
    BodyTooLarge {
        /// Its size in bytes, as far as it was read.
        size: Option<u64>,
    },
    /// What came is not HTTP.
    #[error("what came is not HTTP")]
    NotHttp,
    /// A failure of the transport itself.
    #[error("the transport failed: {reason}")]
    Internal {
        /// What is known of it.
        reason: String,
    },
}

/// An address, where one is known.
struct At<'a>(&'a Option<IpAddr>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => write!(f, ", {address}"),
            None => Ok(()),
        }
    }
}

/// A failure without its details, by name.
type Named = (&'static str, fn() -> Error);

/// The names of the failures, and each without the details that nobody acts on.
const NAMES: [Named; 22] = [
    ("denied", || Error::Denied),
    ("dns-error", || Error::NameNotResolved {
        reason: String::new(),
    }),
    ("address-prohibited", || Error::AddressProhibited {
        address: None,
    }),
    ("destination-unavailable", || Error::NetworkDown),
    ("destination-unroutable", || Error::Unroutable),
    ("connection-refused", || Error::ConnectionRefused),
    ("connection-terminated", || Error::ConnectionTerminated),
    ("connection-timeout", || Error::ConnectTimeout),
    ("too-many-requests", || Error::TooManyRequests),
    ("tls-protocol-error", || Error::Tls {
        reason: String::new(),
    }),
    ("tls-certificate-error", || Error::Certificate {
        reason: String::new(),
    }),
    ("tls-alert", || Error::TlsAlert {
        number: None,
        name: String::new(),
    }),
    ("proxy-error", || Error::Proxy {
        reason: String::new(),
        passes: false,
    }),
    ("response-timeout", || Error::ResponseTimeout),
    ("read-timeout", || Error::ReadTimeout),
    ("response-incomplete", || Error::ResponseIncomplete),
    ("let-go", || Error::LetGo),
    ("response-header-too-large", || Error::HeaderTooLarge {
        size: None,
    }),
    ("response-body-too-large", || Error::BodyTooLarge {
        size: None,
    }),
    ("not-http", || Error::NotHttp),
    // A recording of an answer that nobody read to its end.
    ("given-up", || Error::ResponseIncomplete),
    ("internal-error", || Error::Internal {
        reason: String::new(),
    }),
];

impl Error {
    /// Its name, such as `connection-refused`.
    pub fn name(&self) -> &'static str {
        let same =
            |make: &fn() -> Error| std::mem::discriminant(&make()) == std::mem::discriminant(self);
        let known = NAMES.iter().find(|(_, make)| same(make));
        known.map_or("internal-error", |(name, _)| name)
    }

    /// The failure of this name, without details; `None` where no failure has it.
    pub fn named(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, make)| make())
    }

    /// Whether the same request can succeed later without anybody changing anything.
    pub fn passes_by_itself(&self) -> bool {
        match self {
            Self::Denied
            | Self::AddressProhibited { .. }
            | Self::Certificate { .. }
            | Self::TlsAlert { .. }
            | Self::HeaderTooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::Internal { .. } => false,
            Self::Proxy { passes, .. } => *passes,
            Self::NameNotResolved { .. }
            | Self::NetworkDown
            | Self::Unroutable
            | Self::ConnectionRefused
            | Self::ConnectionTerminated
            | Self::ConnectTimeout
            | Self::TooManyRequests
            | Self::Tls { .. }
            | Self::ResponseTimeout
            | Self::ReadTimeout
            | Self::ResponseIncomplete
            | Self::LetGo
            | Self::NotHttp => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::mem::discriminant;

    use super::*;

    #[test]
    fn each_failure_comes_back_by_its_name() {
        for (name, make) in NAMES {
            let error = Error::named(name).expect("it is in the table");
            assert_eq!(discriminant(&error), discriminant(&make()));
            // Several names may stand for one failure; the name it is given again is that of the same failure.
            let again = Error::named(error.name()).expect("it is in the table");
            assert_eq!(discriminant(&again), discriminant(&error), "{name}");
        }
        assert_eq!(Error::named("no-such-failure"), None);
    }
}
