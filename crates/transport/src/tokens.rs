//! One token for each tenant, however many instances ask for one.
//!
//! Some authorization servers keep one token for a client and revoke it when they issue the next. Instances that each fetch
//! their own then revoke each other's, and none gets its work done. Here all of them share one.
//!
//! What this relies on is OAuth (RFC 6749 §4.4) and no vendor: a token request is known by its form, a token by its answer, and
//! one that is not accepted by the status 401.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tracing::Instrument as _;

use self::continued::Continued;
use crate::{Body, BoxFuture, Error, Terms, Transport, whole_body};

mod continued;

/// How large the answer to a token request may be to be shared.
const ANSWER_LIMIT: usize = 64 << 10;

/// How long a token is kept whose answer does not say how long it is good for.
const UNSAID: Duration = Duration::from_secs(5 * 60);

/// How long one is kept at most. Longer than any sync takes.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long before its end a token is not handed out any more; of a short one an eighth, if that is less. Somewhat more than
/// clients leave themselves, so that one that is handed out is of use for a while.
const MARGIN: Duration = Duration::from_secs(90);

/// How many different token requests are remembered. A tenant has one, or one for each scope.
const MOST: usize = 16;

/// A transport that sends over another, and shares the tokens of the client credentials grant among all who send over it. For
/// each tenant one.
///
/// Requests for a token that are the same to the last byte (URI, `Authorization`, body) get the same token:
///
/// - Those that come while one is under way wait for its answer, whatever it is. A failure is every waiter's failure: who asks
///   afterwards asks anew.
/// - Those that come later get the answer that is there as it came, with how many seconds old it is as `Age` (RFC 9111 §5.1): so
///   much is gone of its `expires_in`. It is handed out for as long as that says, less a margin (5 minutes where it says nothing
///   that can be read).
///   That token answers say `no-store`, as OAuth wants it, is meant for caches that others read.
/// - The answer 401 to any request with the token ends that, if it is still the one that is handed out. So whoever meets a token
///   that was revoked asks again in the ordinary way, and gets a new one which all others then get too.
/// - A request that says `Cache-Control: no-cache` gets a new token, which replaces the one that is there. Mind that a server
///   that keeps one token for a client thereby revokes what others work with.
///
/// Answers beyond 64 KiB are passed on and not shared. Everything else is passed on as it is.
///
/// Secrets are not kept: requests are remembered by their SHA-256. Tokens are, and are wiped from memory afterwards.
///
/// ```
/// use std::sync::Arc;
/// use connector_transport::{Network, SharedTokens, Transport};
///
/// let transport: Arc<dyn Transport> = Arc::new(SharedTokens::new(Arc::new(Network::new())));
/// ```
pub struct SharedTokens {
    inner: Arc<dyn Transport>,
    tokens: Arc<Tokens>,
}

/// A token request, as it is remembered.
type Key = [u8; 32];

#[derive(Default)]
struct Tokens(Mutex<HashMap<Key, Entry>>);

enum Entry {
    /// Asked for, and not answered yet.
    UnderWay(watch::Receiver<Option<Arc<Outcome>>>),
    Held(Held),
}

/// What came of a token request, for all who wait.
enum Outcome {
    Answered(Answer),
    Failed(Error),
    /// Too large to be shared. For the first who takes it.
    Large(Mutex<Option<Response<Body>>>),
}

/// An answer that is there as a whole.
#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// Wiped when nobody has it any more.
    body: Bytes,
}

/// A token that may be handed out.
struct Held {
    token: SecretString,
    answer: Answer,
    /// Since when the token has been good.
    since: Instant,
    /// Until when it is handed out.
    until: Instant,
}

impl SharedTokens {
    /// Shares tokens among all who send over this transport.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self {
            inner,
            tokens: Arc::default(),
        }
    }

    /// Sends a request that asks for no token.
    async fn pass_on(
        &self,
        request: Request<Bytes>,
        terms: Terms,
    ) -> Result<Response<Body>, Error> {
        let token = bearer(&request);
        let response = self.inner.clone().send(request, terms).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(token) = token
        {
            self.tokens.evict(&token);
        }
        Ok(response)
    }

    async fn token(
        &self,
        key: Key,
        request: Request<Bytes>,
        terms: Terms,
    ) -> Result<Response<Body>, Error> {
        let mut outcome = match self.find(key, &request, terms) {
            Found::Answer(answer) => return Ok(answer.into_response()),
            Found::UnderWay(outcome) => outcome,
            Found::TooMany => return self.pass_on(request, terms).await,
        };
        let timeouts = terms.timeouts;
        let patience = timeouts
            .connect
            .saturating_add(timeouts.first_byte)
            .saturating_add(timeouts.between_bytes);
        let came = timeout(patience, outcome.wait_for(Option::is_some)).await;
        let came = came.map_err(|_| Error::ResponseTimeout)?;
        match came.ok().and_then(|outcome| outcome.as_ref()?.response()) {
            Some(outcome) => outcome,
            None => self.pass_on(request, terms).await,
        }
    }

    /// The token that is there, or the request for it that is under way, which begins here if there is none.
    fn find(&self, key: Key, request: &Request<Bytes>, terms: Terms) -> Found {
        let mut tokens = self.tokens.lock();
        match tokens.get(&key) {
            Some(Entry::Held(held)) if !wants_a_new_one(request) => {
                if let Some(answer) = held.handed_out(Instant::now()) {
                    return Found::Answer(answer);
                }
            }
            // One whose sender is gone was cut off.
            Some(Entry::UnderWay(outcome)) if outcome.has_changed().is_ok() => {
                return Found::UnderWay(outcome.clone());
            }
            _ => {}
        }
        tokens.remove(&key);
        if !make_room(&mut tokens) {
            return Found::TooMany;
        }
        let (sender, outcome) = watch::channel(None);
        tokens.insert(key, Entry::UnderWay(outcome.clone()));
        // On its own, so that it goes on where whoever asked first goes away: a token that was issued is not to be lost.
        let asking = ask(self.inner.clone(), request.clone(), terms);
        let all = self.tokens.clone();
        let asked = async move {
            let (outcome, held) = asking.await;
            all.settle(key, held);
            sender.send_replace(Some(Arc::new(outcome)));
        };
        tokio::spawn(asked.in_current_span());
        Found::UnderWay(outcome)
    }
}

enum Found {
    Answer(Answer),
    UnderWay(watch::Receiver<Option<Arc<Outcome>>>),
    TooMany,
}

impl Transport for SharedTokens {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, Error>> {
        Box::pin(async move {
            if asks_for_a_token(&request) {
                self.token(key(&request, terms), request, terms).await
            } else {
                self.pass_on(request, terms).await
            }
        })
    }
}

impl Tokens {
    /// Nothing in it is left half changed, so a panic elsewhere does not matter.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a request that was under way.
    fn settle(&self, key: Key, held: Option<Held>) {
        let mut tokens = self.lock();
        match held {
            Some(held) => tokens.insert(key, Entry::Held(held)),
            None => tokens.remove(&key),
        };
    }

    /// Hands this token out no more. Where there is another one by now, that one is not concerned.
    fn evict(&self, token: &SecretString) {
        let mut tokens = self.lock();
        let before = tokens.len();
        tokens.retain(|_, entry| match entry {
            Entry::Held(held) => held.token.expose_secret() != token.expose_secret(),
            Entry::UnderWay(_) => true,
        });
        if tokens.len() < before {
            tracing::debug!("a token was not accepted, and is handed out no more");
        }
    }
}

/// Makes room for one request more, at the cost of the token that ends first; says whether there is any.
fn make_room(tokens: &mut HashMap<Key, Entry>) -> bool {
    let now = Instant::now();
    tokens.retain(|_, entry| match entry {
        Entry::Held(held) => held.until > now,
        Entry::UnderWay(outcome) => outcome.has_changed().is_ok(),
    });
    if tokens.len() >= MOST {
        let ends = |(key, entry): (&Key, &Entry)| match entry {
            Entry::Held(held) => Some((held.until, *key)),
            Entry::UnderWay(_) => None,
        };
        if let Some((_, first)) = tokens.iter().filter_map(ends).min() {
            tokens.remove(&first);
        }
    }
    tokens.len() < MOST
}

/// Whether this is an access token request of the client credentials grant (RFC 6749 §4.4.2).
fn asks_for_a_token(request: &Request<Bytes>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    let is_form = content_type.is_some_and(|value| {
        let essence = value.as_bytes().split(|&byte| byte == b';').next();
        essence.is_some_and(|essence| {
            essence
                .trim_ascii()
                .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        })
    });
    if request.method() != Method::POST || !is_form {
        return false;
    }
    let mut grants =
        form_urlencoded::parse(request.body()).filter(|(name, _)| name == "grant_type");
    let is_ours = grants
        .next()
        .is_some_and(|(_, grant)| grant == "client_credentials");
    is_ours && grants.next().is_none()
}

/// What a token request is remembered by. Two that differ in anything that matters have different ones.
fn key(request: &Request<Bytes>, terms: Terms) -> Key {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    part(format!("{:?}", terms.addresses).as_bytes());
    part(request.uri().to_string().as_bytes());
    part(request.body());
    for value in request.headers().get_all(AUTHORIZATION) {
        part(value.as_bytes());
    }
    digest.finalize().into()
}

/// Whether a request says `Cache-Control: no-cache`.
fn wants_a_new_one(request: &Request<Bytes>) -> bool {
    let values = request.headers().get_all(CACHE_CONTROL);
    let mut directives = values
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    directives.any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"no-cache"))
}

/// The token that a request bears (RFC 6750 §2.1).
fn bearer(request: &Request<Bytes>) -> Option<SecretString> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| SecretString::from(token.trim()))
}

/// Sends a token request, and gives what came of it, with the token to be kept.
async fn ask(
    inner: Arc<dyn Transport>,
    request: Request<Bytes>,
    terms: Terms,
) -> (Outcome, Option<Held>) {
    let asked = Instant::now();
    let response = match inner.send(request, terms).await {
        Ok(response) => response,
        Err(error) => return (Outcome::Failed(error), None),
    };
    let read = timeout(terms.timeouts.between_bytes, read(response)).await;
    let outcome = read.unwrap_or(Outcome::Failed(Error::ReadTimeout));
    let held = match &outcome {
        Outcome::Answered(answer) => Held::new(answer, asked),
        _ => None,
    };
    (outcome, held)
}

/// Reads an answer whole, unless it is too large.
async fn read(response: Response<Body>) -> Outcome {
    let (mut head, mut body) = response.into_parts();
    // With all its room from the start: where a vector grows, it leaves a copy behind.
    let mut whole = Zeroizing::new(Vec::with_capacity(ANSWER_LIMIT));
    while let Some(frame) = body.frame().await {
        let data = match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => data,
            // Trailers, which say nothing of a token.
            Ok(Err(_)) => continue,
            Err(error) => return Outcome::Failed(error),
        };
        if whole.len() + data.len() > ANSWER_LIMIT {
            let body = Continued::new([Bytes::from_owner(whole), data], body);
            let response = Response::from_parts(head, body.boxed_unsync());
            return Outcome::Large(Mutex::new(Some(response)));
        }
        whole.extend_from_slice(&data);
    }
    // The body has a length now, and did not need to have one.
    head.headers.remove(TRANSFER_ENCODING);
    Outcome::Answered(Answer {
        status: head.status,
        headers: head.headers,
        body: wiped(whole.to_vec()),
    })
}

/// Bytes that are wiped when nobody has them any more.
fn wiped(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}

impl Outcome {
    /// As one of those who wait gets it; `None` where it can be had only once, and somebody has it.
    fn response(&self) -> Option<Result<Response<Body>, Error>> {
        match self {
            Self::Answered(answer) => Some(Ok(answer.clone().into_response())),
            Self::Failed(error) => Some(Err(error.clone())),
            Self::Large(response) => {
                let mut response = response.lock().unwrap_or_else(PoisonError::into_inner);
                response.take().map(Ok)
            }
        }
    }
}

impl Answer {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(whole_body(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl Held {
    /// The token of an answer to a request that was sent at this time, if there is one that is good for a while.
    fn new(answer: &Answer, asked: Instant) -> Option<Self> {
        if answer.status != StatusCode::OK {
            return None;
        }
        // Some servers begin with a byte-order mark.
        let body = answer.body.strip_prefix(b"\xEF\xBB\xBF");
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_slice(body.unwrap_or(&answer.body)).ok()?;
        let token: String = serde_json::from_str(fields.get("access_token")?.get()).ok()?;
        let token = SecretString::from(token);
        if token.expose_secret().is_empty() {
            return None;
        }
        let said = fields.get("expires_in");
        let said = said.and_then(|said| seconds(said.get()));
        // A server whose lifetimes cannot be read may be one that keeps one token for a client, so the token is shared all the same.
        let lifetime = said.unwrap_or(UNSAID).min(LONGEST);
        let until = asked + lifetime - MARGIN.min(lifetime / 8);
        (until > Instant::now()).then(|| Self {
            token,
            answer: answer.clone(),
            since: asked,
            until,
        })
    }

    /// The answer as it is now; `None` where the token is not good for long any more.
    fn handed_out(&self, now: Instant) -> Option<Answer> {
        if now >= self.until {
            return None;
        }
        let mut answer = self.answer.clone();
        // A second that has begun counts, so that nobody takes the token for younger than it is.
        let age = now.duration_since(self.since).as_millis().div_ceil(1000);
        let age = HeaderValue::from(u64::try_from(age).unwrap_or(u64::MAX));
        answer.headers.insert(AGE, age);
        Some(answer)
    }
}

/// How long a value says, as a number of seconds or as the text of one; `None` where that is no lifetime.
fn seconds(value: &str) -> Option<Duration> {
    let inside = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let seconds: f64 = inside.unwrap_or(value).trim().parse().ok()?;
    let lifetime = Duration::try_from_secs_f64(seconds).ok()?;
    (!lifetime.is_zero()).then_some(lifetime)
}

#[cfg(test)]
mod tests;
