//! The simulator's own certificate authority, and the certificate that it serves TLS with.

use std::{io, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::Offset};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// What the certificate is for: this computer, by each of its names.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// For how long the certificates are valid. Some operating systems refuse a server that has one for more than 825 days.
const DAYS: i64 = 365;

/// A certificate authority that nobody knew before, and a server with a certificate of it.
pub(super) struct Authority {
    /// The authority's certificate, for whoever is to trust it.
    pub(super) pem: String,
    /// Takes in connections with TLS, and offers HTTP/2 and HTTP/1.1.
    pub(super) acceptor: TlsAcceptor,
}

impl Authority {
    /// Makes the keys and the certificates. The authority's key is dropped here: it certifies nothing else.
    pub(super) fn new() -> io::Result<Self> {
        let (from, until) = validity()?;
        let mut of_authority = CertificateParams::default();
        name(&mut of_authority, "Simulated NinjaOne: authority");
        of_authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        of_authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let mut of_server =
            CertificateParams::new(NAMES.map(str::to_owned)).map_err(io::Error::other)?;
        name(&mut of_server, "Simulated NinjaOne");
        of_server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        of_server.use_authority_key_identifier_extension = true;
        for params in [&mut of_authority, &mut of_server] {
            params.not_before = date_time_ymd(from.0, from.1, from.2);
            params.not_after = date_time_ymd(until.0, until.1, until.2);
        }

        let authority =
            CertifiedIssuer::self_signed(of_authority, key()?).map_err(io::Error::other)?;
        let key = key()?;
        let certificate = of_server
            .signed_by(&key, &authority)
            .map_err(io::Error::other)?;
        Ok(Self {
            pem: pem(authority.der()),
            acceptor: acceptor(certificate.into(), &key)?,
        })
    }
}

fn key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn name(params: &mut CertificateParams, common_name: &str) {
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
}

/// A day: its year, month and day of the month.
type Day = (i32, u8, u8);

/// From yesterday, since another clock may be behind this one, until [`DAYS`] later.
fn validity() -> io::Result<(Day, Day)> {
    let today = Offset::UTC.to_datetime(Timestamp::now()).date();
    let yesterday = today.yesterday().map_err(io::Error::other)?;
    let end = yesterday.checked_add(DAYS.days());
    Ok((day(yesterday), day(end.map_err(io::Error::other)?)))
}

fn day(date: Date) -> Day {
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    (date.year().into(), month, day)
}

/// A certificate as text, in lines as short as every reader of PEM takes them.
fn pem(certificate: &CertificateDer<'_>) -> String {
    const WIDTH: usize = 64;
    let base64 = BASE64_STANDARD.encode(certificate);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for start in (0..base64.len()).step_by(WIDTH) {
        let end = base64.len().min(start + WIDTH);
        text.push_str(&base64[start..end]);
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> io::Result<TlsAcceptor> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
