//! The calls: each endpoint a function of its own, and below them what every request has in common.
//!
//! A call is three layers deep: the function of its endpoint; `read` or `write`, which say what may be sent again; and `send`, which
//! sees to the token. Then comes the transport.

use serde::Serialize;
use zeroize::Zeroizing;

use crate::elements::Elements;
use crate::endpoint::{self, Endpoint, OfType};
use crate::error::{Error, Kind};
use crate::exchange::OpenExchange;
use crate::failure::{self, Refusal};
use crate::host::Host;
use crate::http::{Request, Response, Transport};
use crate::json::JsonReader;
use crate::retry::Retries;
use crate::roles::RoleEvents;
use crate::settings::Settings;
use crate::token::TokenCache;
use crate::wire::{Activity, CreateUser, Id, Organization, Record, UpdateUser, User, UserType};

/// The statuses of a success.
const DONE: [u16; 5] = [200, 201, 202, 203, 204];

/// The most activities that the API gives at once.
const ACTIVITIES_PER_REQUEST: u32 = 1_000;

/// NinjaOne, as one instance of the connector reaches it.
pub struct Api<'a> {
    /// Where it is, and as whom to speak to it.
    pub settings: Settings,
    /// Sends requests.
    pub http: &'a dyn Transport,
    /// Tells the time and gives the secret.
    pub host: &'a dyn Host,
    /// Keeps the token.
    pub tokens: &'a TokenCache,
    /// What may be tried again. Answers that are read as they arrive are for their readers to ask for again.
    pub retries: Retries<'a>,
}

impl Api<'_> {
    /// `GET /v2/users`: all users of a type, or of both. One answer, never paged.
    ///
    /// # Errors
    ///
    /// When the answer does not begin, or is a failure. What goes wrong later is an error of [`Elements::try_next`].
    pub fn users(&self, user_type: Option<UserType>) -> Result<Elements<User>, Error> {
        let query = user_type.map_or_else(
            || "includeRoles=true".to_string(),
            |t| format!("userType={}&includeRoles=true", t.as_api()),
        );
        let answer = self.read(&Call::new(&endpoint::USERS).query(query))?;
        Ok(Elements::new(answer))
    }

    /// `GET /v2/user/technicians` or `GET /v2/user/end-users`: all users of a type, with `scimUser` and `authType`.
    ///
    /// # Errors
    ///
    /// As [`Api::users`].
    pub fn users_in_detail(&self, user_type: UserType) -> Result<Elements<User>, Error> {
        let answer = self.read(&Call::new(OfType::of(user_type).list))?;
        Ok(Elements::new(answer))
    }

    /// `GET /v2/user/technician/{id}` or `GET /v2/user/end-user/{id}`. Asked once: whether to ask again is for the caller,
    /// who may know where else to ask.
    ///
    /// # Errors
    ///
    /// When the answer is not that user. A 404 is [`Kind::NotFound`] or [`Kind::NoSuchEndpoint`], and a 400 ("Bad request or
    /// invalid user type") is [`Kind::Rejected`]; none of them proves that the user is not there.
    pub fn user(&self, user_type: UserType, id: Id) -> Result<User, Error> {
        let call = Call::of(OfType::of(user_type).read, id);
        let user: User = self.entity(&call)?;
        self.check_identity(&call, id, user.id)?;
        match user.user_type.as_deref().and_then(UserType::from_api) {
            Some(other) if other != user_type => {
                let problem = format!("the user {id} is of the type {}", other.as_api());
                Err(self.malformed(&call, problem))
            }
            _ => Ok(user),
        }
    }

    /// `POST /v2/user/technicians` or `POST /v2/user/end-users?sendInvitation=…`. The user is `None` where the answer has
    /// no body, though the API documents one.
    ///
    /// # Errors
    ///
    /// When the user was not created, or nobody knows: see [`Error::leaves_outcome_unknown`].
    pub fn create_user(
        &self,
        user_type: UserType,
        user: &CreateUser,
        send_invitation: Option<bool>,
    ) -> Result<Option<User>, Error> {
        let query = send_invitation.map(|send| format!("sendInvitation={send}"));
        let call = Call::new(OfType::of(user_type).create)
            .query(query.unwrap_or_default())
            .json(user);
        one(self.write(&call)?)
    }

    /// `PATCH /v2/user/technician/{id}` or `PATCH /v2/user/end-user/{id}`. For technicians no body is documented.
    ///
    /// # Errors
    ///
    /// When the user was not changed, or nobody knows.
    pub fn update_user(&self, user_type: UserType, id: Id, user: &UpdateUser) -> Result<(), Error> {
        let call = Call::of(OfType::of(user_type).update, id).json(user);
        self.write(&call).map(drop)
    }

    /// `DELETE /v2/user/technician/{id}` or `DELETE /v2/user/end-user/{id}`: 204.
    ///
    /// # Errors
    ///
    /// When the user was not deleted, or nobody knows. A user who is gone already is [`Kind::NotFound`].
    pub fn delete_user(&self, user_type: UserType, id: Id) -> Result<(), Error> {
        let call = Call::of(OfType::of(user_type).delete, id);
        self.write(&call).map(drop)
    }

    /// `GET /v2/user/roles`: all roles for a type of user, or for both, with all their members. One answer, never paged.
    ///
    /// # Errors
    ///
    /// As [`Api::users`].
    pub fn roles(&self, role_type: Option<UserType>) -> Result<RoleEvents, Error> {
        let query = role_type.map(|t| format!("roleType={}", t.as_api()));
        let call = Call::new(&endpoint::ROLES).query(query.unwrap_or_default());
        Ok(RoleEvents::of_array(self.read(&call)?, role_type.is_some()))
    }

    /// `PATCH /v2/user/role/{id}/add-members`. The role as it is afterwards, or `None` where the answer has no body.
    ///
    /// # Errors
    ///
    /// When the member was not added, or nobody knows.
    pub fn add_member(&self, role: Id, user: Id) -> Result<Option<RoleEvents>, Error> {
        self.change_members(&endpoint::ADD_MEMBERS, role, user)
    }

    /// `PATCH /v2/user/role/{id}/remove-members`. As [`Api::add_member`].
    ///
    /// # Errors
    ///
    /// When the member was not removed, or nobody knows.
    pub fn remove_member(&self, role: Id, user: Id) -> Result<Option<RoleEvents>, Error> {
        self.change_members(&endpoint::REMOVE_MEMBERS, role, user)
    }

    fn change_members(
        &self,
        endpoint: &'static Endpoint,
        role: Id,
        user: Id,
    ) -> Result<Option<RoleEvents>, Error> {
        let mut answer = self.write(&Call::of(endpoint, role).json(&[user]))?;
        Ok(answer.peek()?.map(|_| RoleEvents::of_one(answer)))
    }

    /// `GET /v2/organizations`: the organizations after the one with that identifier, at most so many.
    ///
    /// # Errors
    ///
    /// As [`Api::users`].
    pub fn organizations(
        &self,
        after: Option<Id>,
        page_size: u32,
    ) -> Result<Elements<Organization>, Error> {
        let after = after.map_or_else(String::new, |id| format!("&after={id}"));
        let query = format!("pageSize={page_size}{after}");
        let answer = self.read(&Call::new(&endpoint::ORGANIZATIONS).query(query))?;
        Ok(Elements::new(answer))
    }

    /// `GET /v2/organization/{id}`; `None` where NinjaOne itself says that there is none: a 404 without a code of NinjaOne's
    /// may come from a gateway.
    ///
    /// # Errors
    ///
    /// When the answer is not that organization.
    pub fn organization(&self, id: Id) -> Result<Option<Organization>, Error> {
        let call = Call::of(&endpoint::ORGANIZATION, id);
        match self.retries.repeating(|| self.entity(&call)) {
            Ok(organization) => {
                let organization: Organization = organization;
                self.check_identity(&call, id, organization.id)?;
                Ok(Some(organization))
            }
            Err(error) if matches!(error.kind(), Kind::NotFound) && error.has_code() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `GET /v2/activities`: what happened to users, newest first: at most 1,000 activities, older than the one with that
    /// identifier. `status` narrows to one code, and `user` to one user.
    ///
    /// The vendor's document describes `olderThan` as "newer than", which is probably a slip: where it is none, activities do
    /// not get older from one page to the next, which is an error of the listing and no endless loop.
    ///
    /// Only activities of the class `USER` are asked for, the one where sign-ins were observed. Whether NinjaOne files all
    /// that happens to accounts there is not known.
    ///
    /// # Errors
    ///
    /// As [`Api::users`].
    pub fn user_activities(
        &self,
        older_than: Option<i64>,
        status: Option<&str>,
        user: Option<Id>,
    ) -> Result<Elements<Activity>, Error> {
        let older_than = older_than.map_or_else(String::new, |id| format!("&olderThan={id}"));
        let status = status.map_or_else(String::new, |status| format!("&status={status}"));
        let user = user.map_or_else(String::new, |user| format!("&user={user}"));
        let query =
            format!("class=USER&pageSize={ACTIVITIES_PER_REQUEST}{older_than}{status}{user}");
        let answer = self.read(&Call::new(&endpoint::ACTIVITIES).query(query))?;
        Ok(Elements::of_field(answer, "activities"))
    }

    /// A text of the other side's as an error or a log may show it.
    pub fn said(&self, text: &str) -> String {
        self.tokens.confidential().said(text)
    }

    /// One entity.
    fn entity<T: Record>(&self, call: &Call) -> Result<T, Error> {
        let entity = one(self.send(call, &DONE)?)?;
        entity.ok_or_else(|| self.malformed(call, "the body is empty"))
    }

    /// An answer about something else, as failures under the status of a success are, and what a cache mistakes for it.
    fn check_identity(&self, call: &Call, asked: Id, answered: Option<Id>) -> Result<(), Error> {
        let problem = match answered {
            Some(id) if id == asked => return Ok(()),
            Some(other) => format!("the answer has the id {other}, and {asked} was asked for"),
            None => format!("the answer has no id, and {asked} was asked for"),
        };
        Err(self.malformed(call, problem))
    }

    fn malformed(&self, call: &Call, problem: impl Into<String>) -> Error {
        self.exchange(call).error(Kind::Malformed(Some(0)), problem)
    }

    /// Sends a call whose answer is a list. Whether to ask again is for whoever reads the list.
    fn read(&self, call: &Call) -> Result<JsonReader, Error> {
        self.send(call, &[200, 204])
    }

    /// Sends a write, and again only where it was certainly not carried out: what became of the others is for the caller to
    /// find out.
    fn write(&self, call: &Call) -> Result<JsonReader, Error> {
        loop {
            match self.send(call, &DONE) {
                Err(error) if !error.leaves_outcome_unknown() => self.retries.pause_after(error)?,
                sent => return sent,
            }
        }
    }

    /// Sends a call with a token. One that is not accepted is fetched anew, once; but one that was fetched a moment ago is tried
    /// again after a pause, since not every server may know it yet.
    fn send(&self, call: &Call, wanted: &[u16]) -> Result<JsonReader, Error> {
        let mut renewed = false;
        loop {
            self.retries.begin_attempt();
            let request = self.authorized(call)?;
            let response = self
                .http
                .send(request)
                .map_err(|error| failure::of_transport(&error, &self.exchange(call)))?;
            let token_age = self.tokens.seconds_unproven(self.host);
            if response.status == 401 && token_age.is_none() && !renewed {
                self.tokens.forget();
                renewed = true;
                continue;
            }
            match self.judge(call, response, wanted, token_age) {
                Err(error) if matches!(error.kind(), Kind::NotYetAccepted) => {
                    self.retries.pause_after(error)?;
                }
                judged => return judged,
            }
        }
    }

    /// The request of a call, with a token.
    fn authorized(&self, call: &Call) -> Result<Request, Error> {
        let fetch = || {
            self.tokens
                .authorization(&self.settings, self.http, self.host)
        };
        let authorization = self
            .retries
            .repeating(fetch)
            .map_err(Error::before_request)?;
        let content_type = (!call.body.is_empty()).then_some("application/json");
        let url = self.settings.base_url.join(&call.path_and_query());
        let body = Zeroizing::new(call.body.clone());
        let mut request = Request::new(call.endpoint.method, url, content_type, body);
        request.headers.push(("authorization", authorization));
        Ok(request)
    }

    /// What an answer means: a failure, or a success to read.
    fn judge(
        &self,
        call: &Call,
        response: Response,
        wanted: &[u16],
        token_age: Option<u64>,
    ) -> Result<JsonReader, Error> {
        let mut exchange = self.exchange(call);
        exchange.note_head(&response);
        let now = self.host.unix_seconds();
        if !wanted.contains(&response.status) {
            let refusal = Refusal::read(&mut exchange, response, now);
            return Err(refusal.into_error(&exchange, call.endpoint, token_age));
        }
        failure::check_content(&exchange, &response, now)?;
        self.tokens.note_accepted();
        Ok(JsonReader::new(response.body, exchange))
    }

    fn exchange(&self, call: &Call) -> OpenExchange {
        let request = format!("{} {}", call.endpoint.method, call.path);
        OpenExchange::new(request, self.tokens.confidential())
    }
}

/// One value, or `None` for a body without any.
fn one<T: Record>(mut answer: JsonReader) -> Result<Option<T>, Error> {
    if answer.peek()?.is_none() {
        return Ok(None);
    }
    failure::check_start(&mut answer)?;
    let value = answer.record(format_args!("the {}", T::NAME))?;
    answer.end()?;
    Ok(Some(value))
}

/// A request before it has a token.
struct Call {
    endpoint: &'static Endpoint,
    path: String,
    query: String,
    body: Vec<u8>,
}

impl Call {
    fn new(endpoint: &'static Endpoint) -> Self {
        Call::with_path(endpoint, endpoint.path.to_string())
    }

    /// For one entity.
    fn of(endpoint: &'static Endpoint, id: Id) -> Self {
        Call::with_path(endpoint, endpoint.path_of(id))
    }

    fn with_path(endpoint: &'static Endpoint, path: String) -> Self {
        Call {
            endpoint,
            path,
            query: String::new(),
            body: Vec::new(),
        }
    }

    fn query(mut self, query: String) -> Self {
        self.query = query;
        self
    }

    fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        self.body = serde_json::to_vec(body)
            .expect("bodies are structs and lists, which have no way to fail");
        self
    }

    fn path_and_query(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}
