//! Why a certificate was not accepted, in words that say what to do.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, SignatureScheme,
};

/// How many names of a certificate are told. Some have hundreds.
const NAMES: usize = 5;

/// A certificate of a host that nobody vouches for but itself.
#[derive(Debug, thiserror::Error)]
#[error("the certificate is self-signed")]
struct SelfSigned;

/// Verifies as the operating system does, and tells a certificate that is self-signed from one whose authority is not known.
#[derive(Debug)]
pub(crate) struct Verifier(rustls_platform_verifier::Verifier);

impl Verifier {
    /// Trusts these authorities beside those of the operating system.
    pub(crate) fn new(
        authorities: impl Iterator<Item = CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        rustls_platform_verifier::Verifier::new_with_extra_roots(authorities, provider).map(Self)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| match error {
            TlsError::InvalidCertificate(CertificateError::UnknownIssuer)
                if is_self_signed(end_entity) =>
            {
                CertificateError::Other(OtherError(Arc::new(SelfSigned))).into()
            }
            error => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    webpki::EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.issuer() == certificate.subject())
}

/// What is wrong with a certificate, and what can be done about it.
pub(crate) fn reason(error: &CertificateError) -> String {
    use CertificateError as Because;
    match error {
        Because::ExpiredContext { time, not_after } => format!(
            "it expired {} ago; whoever runs the host has to renew it (or the clock of this computer is wrong)",
            between(*not_after, *time)
        ),
        Because::Expired => "it has expired; whoever runs the host has to renew it (or the clock of this computer is wrong)".to_owned(),
        Because::NotValidYetContext { time, not_before } => format!(
            "it is not valid before {} from now; check the clock of this computer",
            between(*time, *not_before)
        ),
        Because::NotValidYet => "it is not valid yet; check the clock of this computer".to_owned(),
        Because::NotValidForNameContext { expected, presented } => format!(
            "it is not for {}, but for {}; check the host in the URL",
            expected.to_str(),
            names(presented)
        ),
        Because::NotValidForName => "it is for another host; check the host in the URL".to_owned(),
        Because::UnknownIssuer => "no authority that is trusted here has issued it; if an authority of your own did, give the certificate of that authority, and if a public one did, the host does not send the certificates in between".to_owned(),
        Because::Revoked => "its authority has revoked it; whoever runs the host has to replace it".to_owned(),
        Because::UnknownRevocationStatus | Because::ExpiredRevocationList | Because::ExpiredRevocationListContext { .. } => {
            "whether its authority has revoked it cannot be told".to_owned()
        }
        Because::BadEncoding => "it is damaged; whoever runs the host has to replace it".to_owned(),
        Because::BadSignature => "its signature is wrong: it is damaged, or another authority of the same name has issued it; check the certificates of authorities that were given".to_owned(),
        Because::InvalidPurpose | Because::InvalidPurposeContext { .. } => {
            "it is not one for servers; make one whose extended key usage is serverAuth".to_owned()
        }
        Because::Other(OtherError(other)) => {
            if other.is::<SelfSigned>() {
                "it is self-signed, and not trusted here; make a certificate for the host with an authority of your own, and give the certificate of that authority".to_owned()
            } else {
                other
                    .downcast_ref()
                    .map_or_else(|| format!("{other}"), reason_of_webpki)
            }
        }
        other => other.to_string(),
    }
}

/// What the library that checks certificates says beyond what TLS has words for.
fn reason_of_webpki(error: &webpki::Error) -> String {
    match error {
        webpki::Error::CaUsedAsEndEntity => "it is the certificate of an authority itself (CA:TRUE), which is not for servers; make a certificate for the host that this authority signs (CA:FALSE), and give the authority's as the trusted one".to_owned(),
        webpki::Error::EndEntityUsedAsCa => "it was issued by a certificate that is not that of an authority; make one that an authority signs".to_owned(),
        webpki::Error::NameConstraintViolation => "its authority may not issue certificates for this host".to_owned(),
        webpki::Error::PathLenConstraintViolated => "there are more authorities between it and the trusted one than that one allows".to_owned(),
        webpki::Error::UnsupportedCertVersion => "it is of an old kind (not X.509 version 3); make it anew".to_owned(),
        other => format!("it cannot be used ({other}); make it anew"),
    }
}

/// The time from one instant to another, in the largest unit that tells something.
fn between(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// The names in a certificate, as far as they are worth telling. They come from the other side.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "no host (it has no subject alternative name)".to_owned();
    }
    let mut names: Vec<String> = presented.iter().take(NAMES).map(name).collect();
    if presented.len() > NAMES {
        names.push(format!("{} more", presented.len() - NAMES));
    }
    names.join(", ")
}

/// One of them, as people write it: `example.com` for `DnsName("example.com")`.
fn name(presented: &String) -> String {
    let inside = presented
        .split_once('(')
        .map_or(&**presented, |(_, inside)| inside);
    let bare = inside.trim_end_matches(')').trim_matches('"');
    bare.chars()
        .filter(char::is_ascii_graphic)
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};

    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use crate::testing::{Act, Server, certificate, get, network, roots, tls_with, trusting};
    use crate::{Error, ExtraRoots, Network, NetworkOptions};

    type Certificate = (CertificateDer<'static>, PrivateKeyDer<'static>);

    const HERE: &[&str] = &["127.0.0.1"];

    /// Why a server's certificate is not accepted, by who trusts these authorities.
    async fn refused(certificate: Certificate, roots: ExtraRoots) -> String {
        let server =
            Server::start(Some(tls_with(certificate, &[])), |_| Act::Answer("hello")).await;
        let network = Arc::new(Network::with(NetworkOptions::default().extra_roots(roots)));
        let error = get(&network, &server.url).await.expect_err("it is refused");
        assert!(!error.passes_by_itself(), "{error}");
        assert!(server.seen().is_empty());
        match error {
            Error::Certificate { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let names: Vec<String> = HERE.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("it is a name");
        change(&mut params);
        let key = KeyPair::generate().expect("there is randomness");
        let signed = params.self_signed(&key).expect("the parameters are right");
        (signed.der().clone(), key.into())
    }

    #[tokio::test]
    async fn the_reason_says_what_is_wrong_with_the_certificate_and_what_to_do() {
        type Change = fn(&mut CertificateParams);
        let cases: [(&[&str], Change, &[&str]); 5] = [
            (
                HERE,
                |params| params.not_after = date_time_ymd(2000, 1, 1),
                &["expired", "days ago", "renew"],
            ),
            (
                HERE,
                |params| params.not_before = date_time_ymd(4000, 1, 1),
                &["not valid before", "clock"],
            ),
            (
                &["app.example.com", "*.example.org"],
                |_| (),
                &["not for 127.0.0.1", "app.example.com, *.example.org;"],
            ),
            (
                &[
                    "a.example",
                    "b.example",
                    "c.example",
                    "d.example",
                    "e.example",
                    "f.example",
                    "g.example",
                ],
                |_| (),
                &["e.example, 2 more;"],
            ),
            (&[], |_| (), &["not for 127.0.0.1", "no host"]),
        ];
        for (names, change, says) in cases {
            let reason = refused(certificate(names, change), roots()).await;
            for says in says {
                assert!(reason.contains(says), "{says}: {reason}");
            }
        }
        let purpose = |params: &mut CertificateParams| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        };
        let reason = refused(certificate(HERE, purpose), roots()).await;
        assert!(reason.contains("extensions"), "{reason}");
    }

    #[tokio::test]
    async fn the_reason_says_who_vouches_for_the_certificate() {
        let of_ours = certificate(HERE, |_| ());
        let reason = refused(of_ours, ExtraRoots::default()).await;
        assert!(
            reason.contains("no authority that is trusted here"),
            "{reason}"
        );

        let reason = refused(self_signed(|_| ()), roots()).await;
        assert!(reason.contains("self-signed"), "{reason}");
    }

    /// What `openssl req -x509` makes says of itself that it is an authority.
    #[tokio::test]
    async fn a_certificate_that_is_its_own_authority_is_refused_with_the_reason() {
        let authority = || {
            self_signed(|params| {
                params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            })
        };
        let (der, key) = authority();
        let trusted = trusting(&der);
        for (certificate, roots) in [((der, key), trusted), (authority(), ExtraRoots::default())] {
            let reason = refused(certificate, roots).await;
            assert!(reason.contains("CA:TRUE"), "{reason}");
        }
    }

    #[tokio::test]
    async fn a_certificate_that_is_right_is_accepted() {
        let server = tls_with(certificate(HERE, |_| ()), &[]);
        let server = Server::start(Some(server), |_| Act::Answer("hello")).await;
        assert_eq!(
            get(&network(), &server.url).await.expect("it is right"),
            "hello"
        );
        // One that is self-signed, is no authority, and is trusted itself.
        let (der, key) = self_signed(|_| ());
        let roots = trusting(&der);
        let server = Server::start(Some(tls_with((der, key), &[])), |_| Act::Answer("hello")).await;
        let network = Arc::new(Network::with(NetworkOptions::default().extra_roots(roots)));
        let answer = get(&network, &server.url).await;
        assert_eq!(answer.expect("it is trusted"), "hello");
    }
}
