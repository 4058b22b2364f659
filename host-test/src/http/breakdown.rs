//! How an exchange broke off, as a recording says it: by a name that gives the same failure again when it is replayed.

use std::fmt;
use std::mem::discriminant;

use super::HttpError;

/// Why an answer did not come, or did not come whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown(String);

/// Makes a failure. A function, because failures cannot be copied.
type Make = fn() -> HttpError;

/// The names of the failures that the network gives. Those with details lose them: nobody acts on these.
const NAMES: [(&str, Make); 14] = [
    ("dns-error", || HttpError::DnsError {
        rcode: None,
        info_code: None,
    }),
    ("destination-unavailable", || {
        HttpError::DestinationUnavailable
    }),
    ("destination-unroutable", || {
        HttpError::DestinationIpUnroutable
    }),
    ("connection-refused", || HttpError::ConnectionRefused),
    ("connection-terminated", || HttpError::ConnectionTerminated),
    ("connection-timeout", || HttpError::ConnectionTimeout),
    ("read-timeout", || HttpError::ConnectionReadTimeout),
    ("tls-protocol-error", || HttpError::TlsProtocolError),
    ("tls-certificate-error", || HttpError::TlsCertificateError),
    ("tls-alert", || HttpError::TlsAlertReceived {
        alert_id: None,
        alert_message: None,
    }),
    ("response-timeout", || HttpError::HttpResponseTimeout),
    ("response-incomplete", || HttpError::HttpResponseIncomplete),
    ("response-header-too-large", || {
        HttpError::HttpResponseHeaderSectionSize(None)
    }),
    ("not-http", || HttpError::HttpProtocolError),
];

/// The name of a failure that has none above.
const OTHER: &str = "internal-error";
/// The name for an answer that nobody waited for, or read to its end.
const GIVEN_UP: &str = "given-up";

impl Breakdown {
    /// Nobody waited for the answer, or read it to its end.
    pub fn given_up() -> Self {
        Self(GIVEN_UP.to_string())
    }

    /// The breakdown of this name. A name that is not known here stands for a failure of the host.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name, such as `connection-refused`.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The failure, as the network gave it.
    pub(super) fn error(&self) -> HttpError {
        let known = NAMES.iter().find(|(name, _)| *name == self.0);
        match known {
            Some((_, make)) => make(),
            None if self.0 == GIVEN_UP => HttpError::HttpResponseIncomplete,
            None => HttpError::InternalError(Some(format!("the recording says: {}", self.0))),
        }
    }
}

impl From<&HttpError> for Breakdown {
    fn from(error: &HttpError) -> Self {
        let known = NAMES
            .iter()
            .find(|(_, make)| discriminant(&make()) == discriminant(error));
        Self(known.map_or(OTHER, |(name, _)| name).to_string())
    }
}

impl fmt::Display for Breakdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_of_the_network_comes_back_as_itself() {
        for (name, make) in NAMES {
            let breakdown = Breakdown::from(&make());
            assert_eq!(breakdown.name(), name);
            assert_eq!(discriminant(&breakdown.error()), discriminant(&make()));
        }
    }

    #[test]
    fn a_failure_of_the_host_keeps_nothing_of_its_text() {
        let error = HttpError::InternalError(Some("hunter2".to_string()));
        assert_eq!(Breakdown::from(&error).name(), OTHER);
    }
}
