//! The endpoints in use, each a function of its own.

use serde::Serialize;
use zeroize::Zeroizing;

use super::answer::{self, Needs, Refusal};
use super::elements::Elements;
use super::headers::headers;
use super::json::JsonReader;
use super::open_exchange::OpenExchange;
use super::roles::RoleEvents;
use super::token::TokenCache;
use super::wire::{Activity, CreateUser, Id, Organization, Record, UpdateUser, User, UserType};
use crate::error::{Error, Kind};
use crate::host::Host;
use crate::http::{Method, Request, Response, Transport};
use crate::retry::Retries;
use crate::settings::Settings;

/// The statuses of a success.
const DONE: [u16; 5] = [200, 201, 202, 203, 204];

/// The most activities that the API gives at once.
const ACTIVITIES_PER_REQUEST: u32 = 1_000;

/// Reading users, organizations and activities. The scopes here are those of the one published guide to such a connector; what
/// each endpoint enforces is not known ("OAuth 2.0 client credentials" in `docs/ninjaone-api.md`).
const READING: Needs = Needs {
    scopes: &["monitoring"],
    else_needed: None,
};
/// Reading roles and who holds them.
const ROLES: Needs = Needs {
    scopes: &["management"],
    else_needed: None,
};
/// Giving and taking roles.
const MEMBERSHIP: Needs = Needs {
    scopes: &["control"],
    else_needed: None,
};
/// Creating, changing and deleting technicians. The API documents the 403 of these as "Must be a System Administrator".
const TECHNICIANS: Needs = Needs {
    scopes: &["management"],
    else_needed: Some("see to it that the application was made by a System Administrator"),
};
/// Creating, changing and deleting end users.
const END_USERS: Needs = Needs {
    scopes: &["management"],
    else_needed: None,
};

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
        self.array("/v2/users", &query)
    }

    /// `GET /v2/user/technicians` or `GET /v2/user/end-users`: all users of a type, with `scimUser` and `authType`.
    ///
    /// # Errors
    ///
    /// As [`Api::users`].
    pub fn users_in_detail(&self, user_type: UserType) -> Result<Elements<User>, Error> {
        self.array(collection(user_type), "")
    }

    /// `GET /v2/user/technician/{id}` or `GET /v2/user/end-user/{id}`. Asked once: whether to ask again is for the caller,
    /// who may know where else to ask.
    ///
    /// # Errors
    ///
    /// When the answer is not that user. A 404 is [`Kind::NotFound`] or [`Kind::NoSuchEndpoint`], and a 400 ("Bad request or
    /// invalid user type") is [`Kind::Rejected`]; none of them proves that the user is not there.
    pub fn user(&self, user_type: UserType, id: Id) -> Result<User, Error> {
        let call = Call::get(format!("{}/{id}", entity(user_type)), "", &READING);
        let user: User = self.entity(&call)?;
        self.check_identity(&call, id, user.id)?;
        match user.user_type.as_deref().and_then(UserType::from_api) {
            Some(other) if other != user_type => {
                let problem = format!("the user {id} is of the type {}", other.as_api());
                Err(self
                    .exchange(&call)
                    .error(Kind::Malformed(Some(0)), problem))
            }
            _ => Ok(user),
        }
    }

    /// An answer about something else, as failures under the status of a success are, and what a cache mistakes for it.
    fn check_identity(&self, call: &Call, asked: Id, answered: Option<Id>) -> Result<(), Error> {
        let problem = match answered {
            Some(id) if id == asked => return Ok(()),
            Some(other) => format!("the answer has the id {other}, and {asked} was asked for"),
            None => format!("the answer has no id, and {asked} was asked for"),
        };
        Err(self.exchange(call).error(Kind::Malformed(Some(0)), problem))
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
        let query =
            send_invitation.map_or_else(String::new, |send| format!("sendInvitation={send}"));
        let call = Call::write(
            Method::Post,
            collection(user_type).to_string(),
            needs(user_type),
        )
        .query(&query)
        .json(user);
        let (exchange, response) = self.write(&call)?;
        one(exchange, response)
    }

    /// `PATCH /v2/user/technician/{id}` or `PATCH /v2/user/end-user/{id}`. For technicians no body is documented.
    ///
    /// # Errors
    ///
    /// When the user was not changed, or nobody knows.
    pub fn update_user(&self, user_type: UserType, id: Id, user: &UpdateUser) -> Result<(), Error> {
        let call = Call::write(
            Method::Patch,
            format!("{}/{id}", entity(user_type)),
            needs(user_type),
        )
        .json(user);
        self.write(&call).map(drop)
    }

    /// `DELETE /v2/user/technician/{id}` or `DELETE /v2/user/end-user/{id}`: 204.
    ///
    /// # Errors
    ///
    /// When the user was not deleted, or nobody knows. A user who is gone already is [`Kind::NotFound`].
    pub fn delete_user(&self, user_type: UserType, id: Id) -> Result<(), Error> {
        let call = Call::write(
            Method::Delete,
            format!("{}/{id}", entity(user_type)),
            needs(user_type),
        );
        self.write(&call).map(drop)
    }

    /// `GET /v2/user/roles`: all roles for a type of user, or for both, with all their members. One answer, never paged.
    ///
    /// # Errors
    ///
    /// As [`Api::users`].
    pub fn roles(&self, role_type: Option<UserType>) -> Result<RoleEvents, Error> {
        let query = role_type.map_or_else(String::new, |t| format!("roleType={}", t.as_api()));
        let call = Call::get("/v2/user/roles".to_string(), &query, &ROLES);
        let needs_type = role_type.is_some();
        self.reader(&call)
            .map(|reader| RoleEvents::of_array(reader, needs_type))
    }

    /// `PATCH /v2/user/role/{id}/add-members`. The role as it is afterwards, or `None` where the answer has no body.
    ///
    /// # Errors
    ///
    /// When the member was not added, or nobody knows.
    pub fn add_member(&self, role: Id, user: Id) -> Result<Option<RoleEvents>, Error> {
        self.change_members(role, "add-members", user)
    }

    /// `PATCH /v2/user/role/{id}/remove-members`. As [`Api::add_member`].
    ///
    /// # Errors
    ///
    /// When the member was not removed, or nobody knows.
    pub fn remove_member(&self, role: Id, user: Id) -> Result<Option<RoleEvents>, Error> {
        self.change_members(role, "remove-members", user)
    }

    fn change_members(
        &self,
        role: Id,
        change: &str,
        user: Id,
    ) -> Result<Option<RoleEvents>, Error> {
        let call = Call::write(
            Method::Patch,
            format!("/v2/user/role/{role}/{change}"),
            &MEMBERSHIP,
        )
        .json(&[user]);
        let (exchange, response) = self.write(&call)?;
        let mut reader = JsonReader::new(response.body, exchange);
        Ok(reader.peek()?.map(|_| RoleEvents::of_one(reader)))
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
        self.array("/v2/organizations", &format!("pageSize={page_size}{after}"))
    }

    /// `GET /v2/organization/{id}`; `None` where NinjaOne itself says that there is none: a 404 without a code of NinjaOne's
    /// may come from a gateway.
    ///
    /// # Errors
    ///
    /// When the answer is not that organization.
    pub fn organization(&self, id: Id) -> Result<Option<Organization>, Error> {
        let call = Call::get(format!("/v2/organization/{id}"), "", &READING);
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

    /// One value.
    fn entity<T: Record>(&self, call: &Call) -> Result<T, Error> {
        let (exchange, response) = self.success(call, &DONE)?;
        one(exchange, response)?.ok_or_else(|| {
            self.exchange(call)
                .error(Kind::Malformed(Some(0)), "the body is empty")
        })
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
        let call = Call::get("/v2/activities".to_string(), &query, &READING);
        self.reader(&call)
            .map(|reader| Elements::of_field(reader, "activities"))
    }

    fn array<T: Record>(&self, path: &str, query: &str) -> Result<Elements<T>, Error> {
        self.reader(&Call::get(path.to_string(), query, &READING))
            .map(Elements::new)
    }

    fn reader(&self, call: &Call) -> Result<JsonReader, Error> {
        let (exchange, response) = self.success(call, &[200, 204])?;
        Ok(JsonReader::new(response.body, exchange))
    }

    /// Sends a write, and again only where it was certainly not carried out: what became of the others is for the caller to
    /// find out.
    fn write(&self, call: &Call) -> Result<(OpenExchange, Response), Error> {
        loop {
            match self.success(call, &DONE) {
                Err(error) if !error.leaves_outcome_unknown() => self.retries.pause_after(error)?,
                sent => return sent,
            }
        }
    }

    /// Sends a call with a token. One that is not accepted is fetched anew, once; but one that was fetched a moment ago is tried
    /// again after a pause, since not every server may know it yet.
    fn success(&self, call: &Call, wanted: &[u16]) -> Result<(OpenExchange, Response), Error> {
        let mut renewed = false;
        loop {
            let response = self.send(call)?;
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

    fn judge(
        &self,
        call: &Call,
        response: Response,
        wanted: &[u16],
        token_age: Option<u64>,
    ) -> Result<(OpenExchange, Response), Error> {
        let mut exchange = self.exchange(call);
        exchange.note_head(&response);
        let now = self.host.unix_seconds();
        if !wanted.contains(&response.status) {
            let refusal = Refusal::read(&mut exchange, response, now);
            return Err(refusal.into_error(&exchange, call.needs, token_age));
        }
        answer::check_content(&exchange, &response, now)?;
        self.tokens.note_accepted();
        Ok((exchange, response))
    }

    fn send(&self, call: &Call) -> Result<Response, Error> {
        self.retries.begin_attempt();
        let authorization = self
            .retries
            .repeating(|| {
                self.tokens
                    .authorization(&self.settings, self.http, self.host)
            })
            .map_err(Error::before_request)?;
        let content_type = (!call.body.is_empty()).then_some("application/json");
        let mut headers = headers(content_type);
        headers.push(("authorization", authorization));
        let request = Request {
            method: call.method,
            url: self.settings.base_url.join(&call.path_and_query()),
            headers,
            body: Zeroizing::new(call.body.clone()),
        };
        self.http
            .send(request)
            .map_err(|error| answer::transport_failure(&error, &self.exchange(call)))
    }

    fn exchange(&self, call: &Call) -> OpenExchange {
        let request = format!("{} {}", call.method, call.path);
        OpenExchange::new(request, self.tokens.confidential())
    }
}

/// One value, or `None` for a body without any.
fn one<T: Record>(exchange: OpenExchange, response: Response) -> Result<Option<T>, Error> {
    let mut reader = JsonReader::new(response.body, exchange);
    if reader.peek()?.is_none() {
        return Ok(None);
    }
    answer::check_start(&mut reader)?;
    let value = reader.record(format_args!("the {}", T::NAME))?;
    reader.end()?;
    Ok(Some(value))
}

/// A request before it has a token.
struct Call {
    method: Method,
    path: String,
    query: String,
    body: Vec<u8>,
    needs: &'static Needs,
}

impl Call {
    fn get(path: String, query: &str, needs: &'static Needs) -> Self {
        Call {
            method: Method::Get,
            path,
            query: query.to_string(),
            body: Vec::new(),
            needs,
        }
    }

    fn write(method: Method, path: String, needs: &'static Needs) -> Self {
        Call {
            method,
            path,
            query: String::new(),
            body: Vec::new(),
            needs,
        }
    }

    fn query(mut self, query: &str) -> Self {
        self.query = query.to_string();
        self
    }

    fn json<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        self.body = serde_json::to_vec(body)
            .expect("bodies are structs and lists, which have no way to fail");
        self
    }

    fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

fn collection(user_type: UserType) -> &'static str {
    match user_type {
        UserType::Technician => "/v2/user/technicians",
        UserType::EndUser => "/v2/user/end-users",
    }
}

fn entity(user_type: UserType) -> &'static str {
    match user_type {
        UserType::Technician => "/v2/user/technician",
        UserType::EndUser => "/v2/user/end-user",
    }
}

fn needs(user_type: UserType) -> &'static Needs {
    match user_type {
        UserType::Technician => &TECHNICIANS,
        UserType::EndUser => &END_USERS,
    }
}
