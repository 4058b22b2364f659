//! OAuth 2.0 client credentials: the token endpoint, the tokens, and the gate before the API.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Form, Request, State, rejection::FormRejection},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    Credentials, InsufficientScope, Scope, ScopeRule, Scopes, Shared, UserEndpoints, WrongSecret,
    dice::Dice, errors::Refusal,
};

/// The tokens that were issued and have not expired.
#[derive(Debug)]
pub(super) struct Tokens {
    valid: HashMap<String, Grant>,
    dice: Dice,
    lifetime: Duration,
}

#[derive(Debug)]
struct Grant {
    scopes: Scopes,
    expires: Instant,
}

impl Tokens {
    /// None yet. The tokens to come follow from the seed: they look random, and are not secret.
    pub(super) fn new(seed: u64, lifetime: Duration) -> Self {
        Self {
            valid: HashMap::new(),
            // Request ids and accounts come from the seed as it is: what is shown of those must tell nothing of a token.
            dice: Dice::new(!seed),
            lifetime,
        }
    }

    /// Makes every token invalid.
    pub(super) fn revoke_all(&mut self) {
        self.valid.clear();
    }

    fn issue(&mut self, scopes: Scopes) -> TokenResponse {
        let now = Instant::now();
        // Asked for often enough, expired tokens would fill the memory.
        self.valid.retain(|_, grant| grant.expires > now);
        let token = format!(
            "simulated-{:016x}{:016x}",
            self.dice.roll(),
            self.dice.roll()
        );
        let response = TokenResponse {
            access_token: token.clone(),
            expires_in: self.lifetime.as_secs(),
            scope: scopes.to_string(),
            token_type: "Bearer",
        };
        self.valid.insert(
            token,
            Grant {
                scopes,
                expires: now + self.lifetime,
            },
        );
        response
    }

    /// The scopes of a token, or `None` if it is not valid.
    fn scopes(&self, token: &str) -> Option<&Scopes> {
        let grant = self.valid.get(token)?;
        (grant.expires > Instant::now()).then_some(&grant.scopes)
    }
}

/// The body of a token request. HTTP Basic may stand for the client.
#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

/// The documented answer. There is no refresh token.
#[derive(Serialize)]
pub(super) struct TokenResponse {
    access_token: String,
    /// In seconds.
    expires_in: u64,
    /// The scopes that were asked for, separated by spaces.
    scope: String,
    token_type: &'static str,
}

/// `POST /ws/oauth/token`. The client is looked at before the scope, as the observed answers
/// suggest.
pub(super) async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Result<Json<TokenResponse>, Refusal> {
    let bad_request =
        |error, description: &str| Refusal::oauth(StatusCode::BAD_REQUEST, error, description);
    let Form(request) =
        form.map_err(|rejection| bad_request("invalid_request", &rejection.body_text()))?;
    match request.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(bad_request(
                "unsupported_grant_type",
                "Unsupported grant type",
            ));
        }
        None => return Err(bad_request("invalid_request", "Missing grant_type")),
    }
    check_client(&shared, &headers, &request)?;
    let scopes = granted_scopes(&shared.credentials, request.scope.as_deref())?;
    Ok(Json(shared.tokens().issue(scopes)))
}

fn check_client(
    shared: &Shared,
    headers: &HeaderMap,
    request: &TokenRequest,
) -> Result<(), Refusal> {
    let in_form = || Some((request.client_id.clone()?, request.client_secret.clone()?));
    let (id, secret) = basic_client(headers).or_else(in_form).ok_or_else(|| {
        Refusal::oauth(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Missing client credentials",
        )
    })?;
    if id != shared.credentials.client_id {
        return Err(Refusal::unknown_client());
    }
    if secret == shared.credentials.client_secret {
        return Ok(());
    }
    let invalid_client =
        |status| Refusal::oauth(status, "invalid_client", "Client authentication failed");
    Err(match shared.behavior.wrong_secret {
        WrongSecret::Unauthorized => invalid_client(StatusCode::UNAUTHORIZED),
        WrongSecret::BadRequest => invalid_client(StatusCode::BAD_REQUEST),
        WrongSecret::NotFound => Refusal::unknown_client(),
    })
}

/// The client id and secret in HTTP Basic. Percent-encoding, which OAuth 2.0 asks for within it, is
/// not undone: it only matters for credentials that the simulator does not have.
fn basic_client(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// The scopes that were asked for, if the application has all of them: there is no narrowing. That
/// asking for none gives all is reconstructed.
fn granted_scopes(application: &Credentials, asked: Option<&str>) -> Result<Scopes, Refusal> {
    let invalid =
        |description: String| Refusal::oauth(StatusCode::BAD_REQUEST, "invalid_scope", description);
    let asked: Scopes = asked
        .unwrap_or_default()
        .parse()
        .map_err(|_| invalid("Unknown scope".to_owned()))?;
    if asked.is_empty() {
        return Ok(application.scopes.clone());
    }
    if asked.is_within(&application.scopes) {
        return Ok(asked);
    }
    Err(invalid(format!(
        "The application was not given the scopes: {asked}"
    )))
}

/// The gate before every route of the API: does the instance have the endpoint, is the token valid,
/// and does it allow what is asked for? The path is the one below `/v2`.
pub(super) async fn authorize(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let path = request.uri().path();
    let user_endpoints = shared.behavior.user_endpoints;
    if user_endpoints == UserEndpoints::Absent && path.starts_with("/user/") {
        return Err(Refusal::unknown_route());
    }
    let allowed = check_token(&shared, request.headers(), |scopes| {
        is_allowed(scopes, request.method(), path, shared.behavior.scope_rule)
    })?;
    if user_endpoints == UserEndpoints::UserContextRequired && path.starts_with("/user") {
        return Err(Refusal::user_context_required());
    }
    if !allowed {
        return Err(Refusal::insufficient_privileges(
            match shared.behavior.insufficient_scope {
                InsufficientScope::Unauthorized => StatusCode::UNAUTHORIZED,
                InsufficientScope::Forbidden => StatusCode::FORBIDDEN,
            },
        ));
    }
    Ok(next.run(request).await)
}

/// What `question` says of the scopes of the token; a refusal if there is no valid token.
fn check_token(
    shared: &Shared,
    headers: &HeaderMap,
    question: impl FnOnce(&Scopes) -> bool,
) -> Result<bool, Refusal> {
    let header = headers
        .get(AUTHORIZATION)
        .ok_or_else(Refusal::missing_header)?;
    let token = header
        .to_str()
        .ok()
        .and_then(|header| header.strip_prefix("Bearer "));
    let token = token
        .filter(|token| is_well_formed(token))
        .ok_or_else(Refusal::malformed_header)?;
    let tokens = shared.tokens();
    tokens
        .scopes(token)
        .map(question)
        .ok_or_else(Refusal::not_authenticated)
}

/// Whether a text could be a token, valid or not: the characters that RFC 6750 allows.
fn is_well_formed(token: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    !token.is_empty() && token.bytes().all(allowed)
}

fn is_allowed(scopes: &Scopes, method: &Method, path: &str, rule: ScopeRule) -> bool {
    let needed = match rule {
        ScopeRule::Any => return true,
        ScopeRule::Guide if method.is_safe() && path == "/user/roles" => Scope::Management,
        _ if method.is_safe() => Scope::Monitoring,
        ScopeRule::Guide if path.starts_with("/user/role/") => Scope::Control,
        ScopeRule::ControlForAccounts if !path.starts_with("/user/role/") => Scope::Control,
        _ => Scope::Management,
    };
    scopes.contains(needed)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
    use serde_json::json;

    use super::{
        super::{
            AccountKind, Credentials, Options,
            testing::{Answer, Client},
        },
        *,
    };

    const FORM: &str = "grant_type=client_credentials&client_id=simulator-client\
                        &client_secret=simulator-secret-not-a-real-one";

    async fn ask(client: &Client, form: &str) -> Answer {
        client.post_form("/ws/oauth/token", form).await
    }

    async fn get_with(client: &Client, headers: &[(&str, &str)]) -> Answer {
        client
            .send(Method::GET, "/v2/users", headers, String::new())
            .await
    }

    async fn start_with_scopes(scopes: &str, rule: &str) -> Client {
        let scopes = scopes.parse().expect("scopes");
        let credentials = Credentials {
            scopes,
            ..Credentials::default()
        };
        let mut options = Options {
            credentials,
            accounts: 200,
            ..Options::default()
        };
        options.behavior.apply(rule).expect("a switch");
        Client::start(options).await
    }

    #[tokio::test]
    async fn a_token_is_answered_as_documented_at_both_endpoints() {
        let client = Client::start(Options::default()).await;
        for path in ["/ws/oauth/token", "/oauth/token"] {
            let answer = client
                .post_form(path, &format!("{FORM}&scope=monitoring"))
                .await;
            let mut body = answer.json();
            assert!(body["access_token"].take().is_string());
            let expected = json!({
                "access_token": null, "expires_in": 3600, "scope": "monitoring",
                "token_type": "Bearer",
            });
            assert_eq!((answer.status.as_u16(), body), (200, expected));
        }
    }

    #[tokio::test]
    async fn the_client_may_come_in_http_basic() {
        let client = Client::start(Options::default()).await;
        let basic = BASE64_STANDARD.encode("simulator-client:simulator-secret-not-a-real-one");
        let headers = [
            ("authorization", &*format!("Basic {basic}")),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let form = "grant_type=client_credentials&scope=monitoring".to_owned();
        let answer = client
            .send(Method::POST, "/ws/oauth/token", &headers, form)
            .await;
        assert_eq!(answer.status, 200);
    }

    #[test]
    fn what_is_not_http_basic_is_no_client() {
        for value in ["Bearer abc", "Basic", "Basic ???", "Basic bm9jb2xvbg=="] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(basic_client(&headers), None, "{value}");
        }
    }

    #[tokio::test]
    async fn an_unknown_client_is_404_with_an_incident_id() {
        let client = Client::start(Options::default()).await;
        let form = FORM.replace("simulator-client", "somebody-else");
        let answer = ask(&client, &form).await;
        let body = answer.json();
        assert_eq!(answer.status, 404);
        assert_eq!(body["resultCode"], "Client app not exist");
        assert!(
            body["incidentId"]
                .as_str()
                .unwrap()
                .starts_with("WEB_MGMT_SERVICE-")
        );
        assert_eq!(body.as_object().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_wrong_secret_is_answered_as_the_switch_says() {
        for (value, status) in [
            ("unauthorized", 401),
            ("bad-request", 400),
            ("not-found", 404),
        ] {
            let client = Client::behaving(&format!("wrong-secret={value}")).await;
            let answer = ask(&client, &FORM.replace("not-a-real-one", "wrong")).await;
            assert_eq!(answer.status, status, "{value}");
        }
    }

    #[tokio::test]
    async fn a_scope_that_was_not_given_is_400_without_narrowing() {
        let client = start_with_scopes("monitoring", "read-lag=0").await;
        for scope in [
            "monitoring+management",
            "monitoring+offline_access",
            "nonsense",
        ] {
            let error = ask(&client, &format!("{FORM}&scope={scope}")).await.error();
            assert_eq!(error, (400, "invalid_scope".into()), "{scope}");
        }
    }

    #[tokio::test]
    async fn another_grant_type_or_none_is_400() {
        let client = Client::start(Options::default()).await;
        let password = FORM.replace("client_credentials", "password");
        let error = ask(&client, &password).await.error();
        assert_eq!(error, (400, "unsupported_grant_type".into()));
        assert_eq!(
            ask(&client, "client_id=x").await.error(),
            (400, "invalid_request".into())
        );
    }

    #[tokio::test]
    async fn a_missing_header_is_400_with_code_2() {
        let client = Client::start(Options::default()).await;
        let answer = get_with(&client, &[]).await;
        let expected = json!({
            "error": "missing_header", "error_description": "Missing required header",
            "error_code": 2,
        });
        assert_eq!((answer.status.as_u16(), answer.json()), (400, expected));
    }

    #[tokio::test]
    async fn a_malformed_header_is_400_with_code_1() {
        let client = Client::start(Options::default()).await;
        let expected = json!({
            "error": "invalid_header", "error_description": "Invalid 'Authorization' header",
            "error_code": 1,
        });
        for header in [
            "Bearer",
            "Bearer ",
            "Bearer two words",
            "Basic YTpi",
            "token",
        ] {
            let answer = get_with(&client, &[("authorization", header)]).await;
            assert_eq!(
                (answer.status.as_u16(), answer.json()),
                (400, expected.clone()),
                "{header}"
            );
        }
    }

    #[tokio::test]
    async fn an_unknown_token_is_401_with_code_10() {
        let client = Client::start(Options::default()).await;
        let answer = get_with(&client, &[("authorization", "Bearer abc.def")]).await;
        let expected = json!({
            "error": "not_authenticated", "error_description": "Invalid credentials",
            "error_code": 10,
        });
        assert_eq!((answer.status.as_u16(), answer.json()), (401, expected));
    }

    #[tokio::test]
    async fn a_revoked_token_is_401_and_a_new_one_works() {
        let mut client = Client::start(Options::default()).await;
        client.simulator.revoke_tokens();
        assert_eq!(client.get("/v2/users").await.status, 401);
        client.token = client.new_token().await;
        assert_eq!(client.get("/v2/users").await.status, 200);
    }

    #[tokio::test]
    async fn a_token_expires_after_its_lifetime() {
        let token_lifetime = Duration::from_millis(50);
        let client = Client::start(Options {
            token_lifetime,
            ..Options::default()
        })
        .await;
        tokio::time::sleep(token_lifetime).await;
        assert_eq!(client.get("/v2/users").await.status, 401);
    }

    #[tokio::test]
    async fn a_token_without_the_scope_is_refused_with_the_status_of_the_switch() {
        for (value, status) in [("unauthorized", 401), ("forbidden", 403)] {
            let rule = format!("insufficient-scope={value}");
            let client = start_with_scopes("management", &rule).await;
            let error = client.get("/v2/users").await.error();
            assert_eq!(error, (status, "insufficient_privileges".into()));
        }
    }

    #[tokio::test]
    async fn which_scope_a_request_needs_is_as_the_switch_says() {
        // What these scopes allow: to read roles, to change their members, to delete an account.
        for (rule, scopes, expected) in [
            ("guide", "monitoring", [401, 401, 401]),
            ("guide", "monitoring management", [200, 401, 204]),
            ("guide", "monitoring control", [401, 200, 401]),
            ("management", "monitoring management", [200, 200, 204]),
            (
                "control-for-accounts",
                "monitoring management",
                [200, 200, 401],
            ),
            ("management", "monitoring", [200, 401, 401]),
            ("any", "control", [200, 200, 204]),
        ] {
            let client = start_with_scopes(scopes, &format!("scope-rule={rule}")).await;
            let role = client.simulator.roles()[0].id;
            let id = client.plain(AccountKind::EndUser).id;
            let read = client.get("/v2/user/roles").await;
            let change = client
                .patch(&format!("/v2/user/role/{role}/add-members"), json!([]))
                .await;
            let delete = client.delete(&format!("/v2/user/end-user/{id}")).await;
            let statuses = [read, change, delete].map(|answer| answer.status.as_u16());
            assert_eq!(statuses, expected, "{rule}, {scopes}");
        }
    }

    #[tokio::test]
    async fn an_instance_may_want_a_user_context() {
        let client = Client::behaving("user-endpoints=user-context-required").await;
        for path in ["/v2/users", "/v2/user/roles"] {
            let answer = client.get(path).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["error_code"]),
                (403, &json!(5))
            );
        }
        assert_eq!(client.get("/v2/organizations").await.status, 200);
    }

    #[tokio::test]
    async fn an_old_instance_has_no_user_endpoints() {
        let client = Client::behaving("user-endpoints=absent").await;
        let answer = client.get("/v2/user/roles").await;
        assert_eq!(answer.error(), (404, "HTTP 404 Not Found".into()));
        assert_eq!(client.get("/v2/users").await.status, 200);
    }
}
