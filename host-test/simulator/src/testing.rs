//! A client for the tests of this module: it talks to a simulator over a real socket.

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response, StatusCode, Version,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, Error, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{Account, AccountKind, Behavior, Options, Simulator};

/// A simulator, and a client with a token for it.
pub(super) struct Client {
    pub(super) simulator: Simulator,
    http: Http,
    pub(super) token: String,
}

/// A client for HTTP/1.1, and over TLS for HTTP/2 too.
type Http = HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Which versions of HTTP a client offers to a server that speaks TLS.
#[derive(Clone, Copy)]
pub(super) enum Offer {
    Both,
    Http1,
}

/// A client that trusts one authority, if any, and nobody else.
pub(super) fn trusting(authority: Option<&str>, offer: Offer) -> Http {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = authority {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes());
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http();
    let connector = match offer {
        Offer::Both => builder.enable_all_versions().build(),
        Offer::Http1 => builder.enable_http1().build(),
    };
    HttpClient::builder(TokioExecutor::new()).build(connector)
}

/// A response, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) version: Version,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("UTF-8")
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status and the `errorMessage`, or the `error` of the authorization layer.
    #[track_caller]
    pub(super) fn error(&self) -> (u16, Value) {
        let mut body = self.json();
        let key = if body.get("error").is_some() {
            "error"
        } else {
            "errorMessage"
        };
        (self.status.as_u16(), body[key].take())
    }
}

impl Client {
    pub(super) async fn start(options: Options) -> Self {
        let simulator = Simulator::start(options).await.expect("a free port");
        let http = trusting(simulator.authority(), Offer::Both);
        let mut client = Self {
            simulator,
            http,
            token: String::new(),
        };
        client.token = client.new_token().await;
        client
    }

    /// A tenant of 200 accounts on a NinjaOne with one switch set, such as `wrong-kind=not-found`.
    pub(super) async fn behaving(assignment: &str) -> Self {
        let mut behavior = Behavior::default();
        behavior.apply(assignment).expect("a switch");
        Self::start(Options {
            accounts: 200,
            behavior,
            ..Options::default()
        })
        .await
    }

    /// The ids of the accounts for which something holds, ascending.
    pub(super) fn ids(&self, what: impl Fn(&Account) -> bool) -> Vec<u32> {
        let accounts = self.simulator.accounts();
        accounts
            .iter()
            .filter(|account| what(account))
            .map(|account| account.id)
            .collect()
    }

    /// The first account of a kind that is neither managed by SCIM nor an administrator.
    pub(super) fn plain(&self, kind: AccountKind) -> Account {
        let accounts = self.simulator.accounts().into_iter();
        let mut plain = accounts.filter(|a| a.kind == kind && !a.scim && !a.administrator);
        plain.next().expect("a plain account")
    }

    pub(super) async fn new_token(&self) -> String {
        let credentials = self.simulator.credentials();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
            credentials.client_id, credentials.client_secret, credentials.scopes,
        );
        let answer = self
            .post_form("/ws/oauth/token", &form.replace(' ', "+"))
            .await;
        answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    pub(super) async fn post_form(&self, path: &str, form: &str) -> Answer {
        let headers = [(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &headers, form.to_owned())
            .await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, String::new()).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, String::new()).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, body.to_string()).await
    }

    pub(super) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, body.to_string()).await
    }

    async fn call(&self, method: Method, path: &str, body: String) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            (AUTHORIZATION.as_str(), bearer.as_str()),
            (CONTENT_TYPE.as_str(), "application/json"),
        ];
        self.send(method, path, &headers, body).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let response = self
            .http
            .request(self.request(method, path, headers, body))
            .await;
        read(response.expect("an answer")).await
    }

    /// Asks for a path without a token, by another client.
    pub(super) async fn get_by(&self, http: &Http, path: &str) -> Result<Answer, Error> {
        let request = self.request(Method::GET, path, &[], String::new());
        Ok(read(http.request(request).await?).await)
    }

    /// Reads a path over HTTP/2 without TLS, as clients do that know it is there.
    pub(super) async fn get_over_http2(&self, path: &str) -> Answer {
        let http = HttpClient::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http();
        let bearer = format!("Bearer {}", self.token);
        let headers = [(AUTHORIZATION.as_str(), bearer.as_str())];
        let request = self.request(Method::GET, path, &headers, String::new());
        read(http.request(request).await.expect("an answer")).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Request<Full<Bytes>> {
        let uri = format!("{}{path}", self.simulator.base_url());
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::from(body)).expect("a valid request")
    }
}

async fn read(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    Answer {
        version: parts.version,
        status: parts.status,
        headers: parts.headers,
        body,
    }
}
