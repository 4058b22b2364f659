//! Certificate authorities that nobody knows yet, and the certificates that they give to servers.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate authority.
pub struct Authority(pub CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, key());
        Self(issuer.expect("a certificate can be made"))
    }

    /// The server configuration with a certificate of this authority.
    pub fn certify(&self, params: &CertificateParams) -> ServerConfig {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("it can be signed");
        server(vec![certificate.into()], &key)
    }

    pub fn pem(&self) -> String {
        let base64 = BASE64.encode(self.0.der());
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }
}

pub fn key() -> KeyPair {
    KeyPair::generate().expect("a key can be made")
}

/// What is in a certificate that is right for this computer.
pub fn for_localhost() -> CertificateParams {
    for_host("localhost")
}

pub fn for_host(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_string()]).expect("the test gives a name")
}

pub fn server(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key");
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("key and certificate fit")
}
