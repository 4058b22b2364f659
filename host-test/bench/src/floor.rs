//! The floor: the same requests over the same HTTP client, and one pass of `serde_json` over each answer.
//!
//! It does the least that a program could that reads what the connector reads: each answer is in memory as a whole, the fields
//! that the connector has a place for are borrowed from it, all others are ignored, each element is counted and dropped, and an
//! answer that is not as expected is an error. The memory for answers is there before the clock starts: the kernel would take
//! longer to give it than all else takes. What native code takes beyond it is the price of what the connector does more: it reads while the answer arrives, keeps
//! what it does not know, takes fields of another type than expected, and makes items of a contract.

use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use connector_host::transport::{SharedTokens, Terms, Transport as _};
use http::Request;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use tokio::task::JoinSet;

use crate::children::Target;
use crate::sync::{INSTANCES, Kinds, Synced};
use crate::transport::{Counted, Sent};

/// How many organizations to ask for at once: as many as the connector does.
const ORGANIZATIONS_PER_REQUEST: usize = 1_000;

/// The floor.
#[derive(Clone)]
pub struct Floor {
    /// How many requests were sent.
    pub sent: Sent,
    bodies: Bodies,
}

/// The memory of answers that nobody is reading.
type Bodies = Arc<Mutex<Vec<Vec<u8>>>>;

/// How many bytes the largest answer may have that memory is there for.
const LARGEST_BODY: usize = 64 << 20;

impl Floor {
    /// With memory for the answers that are read at the same time.
    pub fn new() -> Self {
        let bodies = INSTANCES.map(|_| {
            // Written to, or the kernel would only promise it.
            let mut body = vec![1; LARGEST_BODY];
            body.clear();
            body
        });
        Floor {
            sent: Sent::default(),
            bodies: Arc::new(Mutex::new(bodies.into())),
        }
    }

    /// A tenant, with connections and a token of its own, as in the host.
    pub fn tenant(&self, target: &Target) -> Result<Tenant> {
        let network = Counted::new(target, self.sent.clone())?;
        Ok(Tenant {
            transport: Arc::new(SharedTokens::new(Arc::new(network))),
            target: Arc::new(target.clone()),
            bodies: self.bodies.clone(),
        })
    }
}

/// A tenant, and what its requests go through.
#[derive(Clone)]
pub struct Tenant {
    transport: Arc<SharedTokens>,
    target: Arc<Target>,
    bodies: Bodies,
}

/// A text, borrowed where it is written without escapes.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read as the connector reads it, and not used")]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A user, with what the connector has a place for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read as the connector reads them, and not used")]
struct User<'a> {
    id: u32,
    #[serde(borrow)]
    uid: Option<Text<'a>>,
    #[serde(borrow)]
    first_name: Option<Text<'a>>,
    #[serde(borrow)]
    last_name: Option<Text<'a>>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    phone: Option<Text<'a>>,
    enabled: Option<bool>,
    administrator: Option<bool>,
    must_change_pw: Option<bool>,
    mfa_configured: Option<bool>,
    #[serde(borrow)]
    user_type: Option<Text<'a>>,
    #[serde(borrow)]
    invitation_status: Option<Text<'a>>,
    organization_id: Option<u32>,
    scim_user: Option<bool>,
    #[serde(borrow)]
    auth_type: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read as the connector reads them, and not used")]
struct Role<'a> {
    id: u32,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    members: Vec<Member<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read as the connector reads them, and not used")]
struct Member<'a> {
    id: u32,
    #[serde(borrow)]
    source: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read as the connector reads them, and not used")]
struct Organization<'a> {
    id: u32,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl Tenant {
    /// Lists everything of it, in as many parts as an instance each lists for the connector.
    pub async fn sync(&self) -> Result<Synced> {
        let start = Instant::now();
        let mut parts = JoinSet::new();
        for kinds in INSTANCES {
            let tenant = self.clone();
            parts.spawn(async move { tenant.list(kinds, start).await });
        }
        let mut synced = Synced::default();
        while let Some(part) = parts.join_next().await {
            synced.add(part.context("a listing was lost")??);
        }
        Ok(synced)
    }

    async fn list(&self, kinds: Kinds, start: Instant) -> Result<Synced> {
        let mut body = self.bodies().pop().unwrap_or_default();
        let synced = self.list_with(&mut body, kinds, start).await;
        self.bodies().push(body);
        synced
    }

    /// Nothing in it is left half changed, so a panic elsewhere does not matter.
    fn bodies(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn list_with(&self, body: &mut Vec<u8>, kinds: Kinds, start: Instant) -> Result<Synced> {
        let token = self.token(body).await?;
        let mut synced = Synced::default();
        match kinds {
            Kinds::Accounts => {
                self.get(&token, "/v2/users?includeRoles=true", body)
                    .await?;
                each(body, |user: User| synced.account(characters(user.id)))?;
                synced.page(kinds, start);
            }
            Kinds::RolesAndGrants => {
                self.get(&token, "/v2/user/roles", body).await?;
                each(body, |role: Role| {
                    synced.others += 1;
                    for member in &role.members {
                        synced.grant(characters(member.id));
                    }
                })?;
            }
            Kinds::Organizations => {
                let first = format!("/v2/organizations?pageSize={ORGANIZATIONS_PER_REQUEST}");
                let mut page = first.clone();
                loop {
                    self.get(&token, &page, body).await?;
                    let mut last = None;
                    each(body, |organization: Organization| {
                        synced.others += 1;
                        last = Some(organization.id);
                    })?;
                    let Some(last) = last else { break };
                    page = format!("{first}&after={last}");
                }
            }
        }
        Ok(synced)
    }

    /// The token, as an `authorization`.
    async fn token(&self, body: &mut Vec<u8>) -> Result<String> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.target.client_id)
            .append_pair("client_secret", &self.target.client_secret)
            .append_pair("scope", &self.target.scope)
            .finish();
        let request = Request::post(format!("{}/ws/oauth/token", self.target.base_url))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, form.into(), body).await?;
        let token: Token = serde_json::from_slice(body)?;
        Ok(format!("Bearer {}", token.access_token))
    }

    async fn get(&self, token: &str, path_and_query: &str, body: &mut Vec<u8>) -> Result<()> {
        let request = Request::get(format!("{}{path_and_query}", self.target.base_url))
            .header(AUTHORIZATION, token);
        self.send(request, Bytes::new(), body).await
    }

    /// Sends a request with the header fields that all of the connector's have, and waits for the whole body of the answer.
    async fn send(
        &self,
        request: http::request::Builder,
        sent: Bytes,
        body: &mut Vec<u8>,
    ) -> Result<()> {
        let request = request
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "identity")
            .header(USER_AGENT, "floor")
            .body(sent)?;
        let response = self
            .transport
            .clone()
            .send(request, Terms::default())
            .await
            .map_err(|error| anyhow!("{error:?}"))?;
        let status = response.status();
        ensure!(status.is_success(), "the simulator answered {status}");
        body.clear();
        let mut arriving = response.into_body();
        while let Some(frame) = arriving.frame().await {
            if let Ok(data) = frame.map_err(|error| anyhow!("{error:?}"))?.into_data() {
                body.extend_from_slice(&data);
            }
        }
        Ok(())
    }
}

/// Reads the elements of an array, and hands each to a function.
fn each<'a, T: Deserialize<'a>>(body: &'a [u8], function: impl FnMut(T)) -> Result<()> {
    let mut json = serde_json::Deserializer::from_slice(body);
    json.deserialize_seq(Each(function, PhantomData))?;
    Ok(json.end()?)
}

struct Each<T, F>(F, PhantomData<T>);

impl<'a, T: Deserialize<'a>, F: FnMut(T)> Visitor<'a> for Each<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element()? {
            (self.0)(black_box(element));
        }
        Ok(())
    }
}

/// How many characters an identifier has in the contract, where it is text.
fn characters(id: u32) -> usize {
    id.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_as_many_characters_as_its_text() {
        for id in [0, 1, 9, 10, 99, 100, 1_000_000, u32::MAX] {
            assert_eq!(characters(id), id.to_string().len(), "{id}");
        }
    }
}
