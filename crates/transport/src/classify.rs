//! From what the HTTP client says to an [`Error`], which callers act on.
//!
//! The client wraps errors several layers deep, so every layer is looked at, outermost first.

use std::error::Error as StdError;
use std::io;
use std::iter;

use rustls::Error as TlsError;
use rustls::pki_types::InvalidDnsNameError;

use crate::resolve::ResolveError;
use crate::{Error, certificate};

/// How far the exchange had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The head of the answer had not come.
    Head,
    /// The head had come, and the body was arriving.
    Body,
}

/// Finds the most precise error code for a failure.
pub(crate) fn classify(error: &(dyn StdError + 'static), phase: Phase) -> Error {
    let code = layers(error).find_map(|layer| classify_layer(layer, phase));
    code.unwrap_or_else(|| {
        // HTTP/2 has many ways to end a stream, or a connection, and no types for them that hyper shows.
        if layers(error).any(|layer| layer.is::<hyper::Error>()) {
            broken_off(phase)
        } else {
            Error::Internal {
                reason: describe(error),
            }
        }
    })
}

fn classify_layer(error: &(dyn StdError + 'static), phase: Phase) -> Option<Error> {
    if let Some(error) = error.downcast_ref::<ResolveError>() {
        return Some(match error {
            ResolveError::Failed(error) => Error::NameNotResolved {
                reason: error.to_string(),
            },
            ResolveError::Prohibited(address) => Error::AddressProhibited {
                address: Some(*address),
            },
        });
    }
    if error.is::<InvalidDnsNameError>() {
        // TLS looks at the name before it is resolved.
        return Some(Error::NameNotResolved {
            reason: error.to_string(),
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

fn from_tls(error: &TlsError) -> Error {
    match error {
        TlsError::InvalidCertificate(error) => Error::Certificate {
            reason: certificate::reason(error),
        },
        TlsError::NoCertificatesPresented => Error::Certificate {
            reason: "the host has shown none; whoever runs it has to set one up".to_owned(),
        },
        TlsError::InvalidCertRevocationList(_) | TlsError::UnsupportedNameType => {
            Error::Certificate {
                reason: error.to_string(),
            }
        }
        TlsError::AlertReceived(alert) => Error::TlsAlert {
            number: Some(u8::from(*alert)),
            name: format!("{alert:?}"),
        },
        _ => Error::Tls {
            reason: error.to_string(),
        },
    }
}

fn from_io(kind: io::ErrorKind, phase: Phase) -> Option<Error> {
    use io::ErrorKind as Kind;
    Some(match kind {
        Kind::ConnectionRefused => Error::ConnectionRefused,
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => {
            Error::Unroutable
        }
        Kind::NetworkDown => Error::NetworkDown,
        Kind::TimedOut => match phase {
            Phase::Head => Error::ConnectTimeout,
            Phase::Body => Error::ReadTimeout,
        },
        Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::NotConnected
        | Kind::BrokenPipe
        | Kind::UnexpectedEof => broken_off(phase),
        // A wrapper around something more precise, or nothing that has a name here.
        _ => return None,
    })
}

fn from_hyper(error: &hyper::Error, phase: Phase) -> Option<Error> {
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        Some(broken_off(phase))
    } else if error.is_parse_too_large() {
        Some(Error::HeaderTooLarge { size: None })
    } else if error.is_parse() {
        Some(Error::NotHttp)
    } else {
        None
    }
}

fn broken_off(phase: Phase) -> Error {
    match phase {
        Phase::Head => Error::ConnectionTerminated,
        Phase::Body => Error::ResponseIncomplete,
    }
}

/// An error and what is behind it. An [`io::Error`] that wraps another has it not as its source, but inside.
fn layers<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |&error| {
        let inside = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inside| inside as &(dyn StdError + 'static));
        inside.or_else(|| error.source())
    })
}

/// The outermost error of a kind that a failure is, or has behind it.
pub(crate) fn find<'a, T: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a T> {
    layers(error).find_map(|layer| layer.downcast_ref())
}

/// All that is known of a failure, for the log.
pub(crate) fn describe(error: &(dyn StdError + 'static)) -> String {
    // What wraps an error inside says just what that says.
    let is_wrapper = |layer: &&(dyn StdError + 'static)| {
        let error = layer.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.get_ref().is_some())
    };
    let layers = layers(error).filter(|layer| !is_wrapper(layer));
    let mut texts: Vec<String> = layers.map(text_of).collect();
    // A wrapper often says just what it wraps.
    texts.dedup();
    texts.join(": ")
}

/// What an error says, without words of the server's choice: it could repeat a token there.
fn text_of(error: &(dyn StdError + 'static)) -> String {
    match error.downcast_ref::<h2::Error>() {
        Some(error) if error.is_go_away() => {
            let reason = error.reason().unwrap_or(h2::Reason::NO_ERROR);
            let how = if error.is_remote() {
                "received"
            } else {
                "detected"
            };
            format!("connection error {how}: {reason}")
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper::client::conn::http2::{self, SendRequest};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use rustls::pki_types::ServerName;
    use rustls::{AlertDescription, CertificateError};
    use tokio::io::AsyncWriteExt as _;

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
            Error::Certificate { .. }
        ));
    }

    #[test]
    fn a_name_that_tls_cannot_take_is_a_name_that_cannot_be_resolved() {
        let error = ServerName::try_from("127.1").expect_err("its last part is a number");
        let code = classify(&io::Error::other(error), Phase::Head);
        assert!(matches!(code, Error::NameNotResolved { .. }), "{code:?}");
    }

    #[test]
    fn a_tls_alert_keeps_its_number() {
        let error = wrapped(TlsError::AlertReceived(AlertDescription::HandshakeFailure));
        let code = classify(&error, Phase::Head);
        assert!(
            matches!(
                code,
                Error::TlsAlert {
                    number: Some(40),
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
            Error::ConnectionRefused
        ));
        let unreachable = io::Error::from(io::ErrorKind::HostUnreachable);
        assert!(matches!(
            classify(&unreachable, Phase::Head),
            Error::Unroutable
        ));
    }

    #[test]
    fn a_broken_connection_is_told_from_half_an_answer() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert!(matches!(
            classify(&reset, Phase::Head),
            Error::ConnectionTerminated
        ));
        assert!(matches!(
            classify(&reset, Phase::Body),
            Error::ResponseIncomplete
        ));
    }

    #[test]
    fn what_has_no_code_is_described_layer_by_layer() {
        let error = io::Error::other(io::Error::other("the cause"));
        let Error::Internal { reason: text } = classify(&error, Phase::Head) else {
            panic!("it has no code of its own");
        };
        assert_eq!(text, "the cause");
    }

    #[tokio::test]
    async fn what_a_server_says_as_it_goes_away_is_not_repeated() {
        const TOKEN: &[u8] = b"a-secret-token";
        let (here, mut there) = tokio::io::duplex(1024);
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(here));
        let (_sender, connection): (SendRequest<Empty<Bytes>>, _) =
            handshake.await.expect("it needs nothing of the server yet");
        // Empty SETTINGS, and GOAWAY with ENHANCE_YOUR_CALM (RFC 9113 §6.8) and words of the server.
        let mut frames = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
        let length = u8::try_from(8 + TOKEN.len()).expect("it is short");
        frames.extend([0, 0, length, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]);
        frames.extend(TOKEN);
        there.write_all(&frames).await.expect("there is room");
        drop(there);
        let error = connection.await.expect_err("the server has gone away");
        let found = find::<h2::Error>(&error).expect("it is of HTTP/2");
        assert!(found.to_string().contains("token"), "{found}");
        let wrapped = io::Error::other(error);
        for text in [
            describe(&wrapped),
            format!("{:?}", classify(&wrapped, Phase::Body)),
        ] {
            assert!(!text.contains("token"), "{text}");
        }
        assert!(
            describe(&wrapped).contains("connection error received: detected excessive load"),
            "{}",
            describe(&wrapped)
        );
    }
}
