//! From what the HTTP client says to the error codes of `wasi:http`, which the guest acts on.
//!
//! The client wraps errors several layers deep, so every layer is looked at, outermost first.

use std::error::Error;
use std::io;
use std::iter;

use rustls::Error as TlsError;
use rustls::pki_types::InvalidDnsNameError;

use super::HttpError;
use super::resolve::ResolveError;

/// How far the exchange had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The head of the answer had not come.
    Head,
    /// The head had come, and the body was arriving.
    Body,
}

/// Finds the most precise error code for a failure.
pub(super) fn classify(error: &(dyn Error + 'static), phase: Phase) -> HttpError {
    let code = layers(error).find_map(|layer| classify_layer(layer, phase));
    code.unwrap_or_else(|| {
        // HTTP/2 has many ways to end a stream, or a connection, and no types for them that hyper shows.
        if layers(error).any(|layer| layer.is::<hyper::Error>()) {
            broken_off(phase)
        } else {
            HttpError::InternalError(Some(describe(error)))
        }
    })
}

fn classify_layer(error: &(dyn Error + 'static), phase: Phase) -> Option<HttpError> {
    if let Some(error) = error.downcast_ref::<ResolveError>() {
        return Some(match error {
            ResolveError::Failed(error) => HttpError::DnsError {
                rcode: Some(error.to_string()),
                info_code: None,
            },
            ResolveError::Prohibited => HttpError::DestinationIpProhibited,
        });
    }
    if error.is::<InvalidDnsNameError>() {
        // TLS looks at the name before it is resolved.
        return Some(HttpError::DnsError {
            rcode: Some(error.to_string()),
            info_code: None,
        });
    }
    if let Some(error) = error.downcast_ref::<TlsError>() {
        return Some(from_tls(error));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return from_io(error.kind(), phase);
    }
    error
        .downcast_ref::<hyper::Error>()
        .and_then(|error| from_hyper(error, phase))
}

fn from_tls(error: &TlsError) -> HttpError {
    match error {
        TlsError::InvalidCertificate(_)
        | TlsError::InvalidCertRevocationList(_)
        | TlsError::NoCertificatesPresented
        | TlsError::UnsupportedNameType => HttpError::TlsCertificateError,
        TlsError::AlertReceived(alert) => HttpError::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        _ => HttpError::TlsProtocolError,
    }
}

fn from_io(kind: io::ErrorKind, phase: Phase) -> Option<HttpError> {
    use io::ErrorKind as Kind;
    Some(match kind {
        Kind::ConnectionRefused => HttpError::ConnectionRefused,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => {
            HttpError::DestinationIpUnroutable
        }
        Kind::NetworkDown => HttpError::DestinationUnavailable,
        Kind::TimedOut => match phase {
            Phase::Head => HttpError::ConnectionTimeout,
            Phase::Body => HttpError::ConnectionReadTimeout,
        },
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::BrokenPipe
        | Kind::UnexpectedEof => broken_off(phase),
        // A wrapper around something more precise, or nothing that `wasi:http` has a name for.
        _ => return None,
    })
}

fn from_hyper(error: &hyper::Error, phase: Phase) -> Option<HttpError> {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        Some(broken_off(phase))
    } else if error.is_parse_too_large() {
        Some(HttpError::HttpResponseHeaderSectionSize(None))
    } else if error.is_parse() {
        Some(HttpError::HttpProtocolError)
    } else {
        None
    }
}

fn broken_off(phase: Phase) -> HttpError {
    match phase {
        Phase::Head => HttpError::ConnectionTerminated,
        Phase::Body => HttpError::HttpResponseIncomplete,
    }
}

/// An error and what is behind it. An [`io::Error`] that wraps another has it not as its source, but inside.
fn layers<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        let inside = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inside| inside as &(dyn Error + 'static));
        inside.or_else(|| error.source())
    })
}

/// All that is known of a failure, for the log.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = layers(error).map(ToString::to_string).collect();
    // A wrapper often says just what it wraps.
    texts.dedup();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use rustls::{AlertDescription, CertificateError};

    use super::*;

    /// As hyper-rustls and tokio-rustls wrap what rustls says.
    fn wrapped(error: TlsError) -> io::Error {
        io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error))
    }

    #[test]
    fn a_certificate_is_found_behind_two_io_errors() {
        let error = wrapped(TlsError::InvalidCertificate(CertificateError::Expired));
        assert!(matches!(
            classify(&error, Phase::Head),
            HttpError::TlsCertificateError
        ));
    }

    #[test]
    fn a_name_that_tls_cannot_take_is_a_name_that_cannot_be_resolved() {
        let error = ServerName::try_from("127.1").expect_err("its last part is a number");
        let code = classify(&io::Error::other(error), Phase::Head);
        assert!(matches!(code, HttpError::DnsError { .. }), "{code:?}");
    }

    #[test]
    fn a_tls_alert_keeps_its_number() {
        let error = wrapped(TlsError::AlertReceived(AlertDescription::HandshakeFailure));
        let code = classify(&error, Phase::Head);
        assert!(
            matches!(
                code,
                HttpError::TlsAlertReceived {
                    alert_id: Some(40),
                    ..
                }
            ),
            "{code:?}"
        );
    }

    #[test]
    fn a_refused_connection_is_told_from_an_unreachable_host() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert!(matches!(
            classify(&refused, Phase::Head),
            HttpError::ConnectionRefused
        ));
        let unreachable = io::Error::from(io::ErrorKind::HostUnreachable);
        assert!(matches!(
            classify(&unreachable, Phase::Head),
            HttpError::DestinationIpUnroutable
        ));
    }

    #[test]
    fn a_broken_connection_is_told_from_half_an_answer() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(matches!(
            classify(&reset, Phase::Head),
            HttpError::ConnectionTerminated
        ));
        assert!(matches!(
            classify(&reset, Phase::Body),
            HttpError::HttpResponseIncomplete
        ));
    }

    #[test]
    fn what_has_no_code_is_described_layer_by_layer() {
        let error = io::Error::other(io::Error::other("the cause"));
        let HttpError::InternalError(Some(text)) = classify(&error, Phase::Head) else {
            panic!("it has no code of its own");
        };
        assert_eq!(text, "the cause");
    }
}
