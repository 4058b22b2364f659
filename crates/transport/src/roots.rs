//! Certificate authorities that are trusted beside those of the operating system.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

/// Certificates of authorities that a [`Network`](super::Network) trusts beside those of the operating system, as for an
/// organization's own proxy.
#[derive(Clone, Default)]
pub struct ExtraRoots(Vec<CertificateDer<'static>>);

/// Why there are no certificates of authorities in a text.
#[derive(Debug, thiserror::Error)]
pub enum ExtraRootsError {
    /// There is nothing in it that is marked as PEM does.
    #[error("it is not PEM: it has no line -----BEGIN CERTIFICATE-----")]
    NotPem,
    /// It begins as PEM does, and does not go on so.
    #[error("it is not PEM as it should be: {0}")]
    Broken(pem::Error),
    /// It is PEM, of something else.
    #[error("it has no certificate in it, but other things")]
    NoCertificate,
    /// What is marked as a certificate is none.
    #[error("certificate {number} in it cannot be used: {error}")]
    NotACertificate {
        /// Which one, from 1.
        number: usize,
        /// What the matter is.
        error: rustls::Error,
    },
}

impl ExtraRoots {
    /// Reads all certificates in a PEM file. What else is in it does not matter.
    ///
    /// # Errors
    ///
    /// When there is no certificate in it, or one that cannot be used.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ExtraRootsError> {
        let sections: Vec<_> = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(ExtraRootsError::Broken)?;
        if sections.is_empty() {
            return Err(ExtraRootsError::NotPem);
        }
        let certificates: Vec<_> = sections
            .into_iter()
            .filter(|(kind, _)| *kind == SectionKind::Certificate)
            .map(|(_, der)| CertificateDer::from(der))
            .collect();
        if certificates.is_empty() {
            return Err(ExtraRootsError::NoCertificate);
        }
        // So that it is told now, and not at the first request.
        for (index, certificate) in certificates.iter().enumerate() {
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|error| ExtraRootsError::NotACertificate {
                    number: index + 1,
                    error,
                })?;
        }
        Ok(Self(certificates))
    }

    /// TLS that trusts these and the operating system's.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.0.iter().cloned(), provider.clone())?;
        // The builder calls every verifier of one's own dangerous. This one asks the operating system.
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // For the host of one tenant, and perhaps a proxy. The default has room for hundreds.
        config.resumption = Resumption::in_memory_sessions(8);
        Ok(config)
    }
}

impl fmt::Debug for ExtraRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtraRoots({} certificates)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";

    fn error(pem: impl AsRef<[u8]>) -> ExtraRootsError {
        ExtraRoots::from_pem(pem.as_ref()).expect_err("there is no certificate in it")
    }

    #[test]
    fn what_is_not_a_certificate_is_told_apart() {
        assert!(matches!(error(""), ExtraRootsError::NotPem));
        assert!(matches!(
            error(b"\x30\x82\x01\x0a"),
            ExtraRootsError::NotPem
        ));
        assert!(matches!(error(KEY), ExtraRootsError::NoCertificate));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(matches!(error(broken), ExtraRootsError::Broken(_)));
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let number = match error(format!("{KEY}{empty}")) {
            ExtraRootsError::NotACertificate { number, .. } => number,
            other => panic!("{other}"),
        };
        assert_eq!(number, 1);
    }
}
