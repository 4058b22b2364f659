//! Certificate authorities that are trusted beside those of the operating system.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject, SectionKind};
use rustls::{ClientConfig, RootCertStore};

use crate::certificate::Verifier;

/// Certificates of authorities that a [`Network`](super::Network) trusts beside those of the operating system, as for an
/// organization's own proxy.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraRoots(Vec<CertificateDer<'static>>);

/// The authorities of the operating system as they were read, together with some more.
struct Read {
    roots: ExtraRoots,
    verifier: Weak<Verifier>,
    at: Instant,
}

/// For how long a new network takes what was read before. So an authority that is new on this computer counts for the networks
/// that are made after that.
const CURRENT: Duration = Duration::from_secs(10 * 60);

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
        let verifier = self.verifier(provider.clone())?;
        // The builder calls every verifier of one's own dangerous. This one asks the operating system.
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // For the host of one tenant, and perhaps a proxy. The default has room for hundreds.
        config.resumption = Resumption::in_memory_sessions(8);
        Ok(config)
    }

    /// What verifies certificates by these: the same for all networks that trust the same. Of thousands of tenants, each would
    /// otherwise have the operating system's whole store in memory.
    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Arc<Verifier>, rustls::Error> {
        static READ: Mutex<Vec<Read>> = Mutex::new(Vec::new());
        // Nothing in it is left half changed, so a panic elsewhere does not matter.
        let mut all = READ.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|read| read.at.elapsed() < CURRENT && read.verifier.strong_count() > 0);
        let same = all.iter().find(|read| read.roots == *self);
        if let Some(verifier) = same.and_then(|read| read.verifier.upgrade()) {
            return Ok(verifier);
        }
        let verifier = Arc::new(Verifier::new(self.0.iter().cloned(), provider)?);
        all.push(Read {
            roots: self.clone(),
            verifier: Arc::downgrade(&verifier),
            at: Instant::now(),
        });
        Ok(verifier)
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
    use crate::testing::roots;

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

    #[test]
    fn networks_that_trust_the_same_have_the_authorities_in_memory_once() {
        let provider = || Arc::new(ring::default_provider());
        let ours = roots().verifier(provider()).expect("they are right");
        let same = roots().verifier(provider()).expect("they are right");
        assert!(Arc::ptr_eq(&ours, &same));
        let others = ExtraRoots::default().verifier(provider());
        assert!(!Arc::ptr_eq(&ours, &others.expect("there is a store")));
    }
}
