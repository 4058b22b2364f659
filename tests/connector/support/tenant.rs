//! A NinjaOne tenant: users, roles with members, organizations, and the endpoints that the connector uses.
//!
//! What nobody knows of the real one ("not known" in `docs/ninjaone-api.md`) is a switch of [`Unknowns`]. What can
//! go wrong with one request is a [`Fault`], set for it by method and path.

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use ninjaone_connector::ninjaone::http::{
    Body, Request, Response, Transport, TransportError, TransportErrorKind,
};
use serde_json::{Value, json};

use super::host::{CLIENT_ID, Clock, SECRET};

/// The tenant; clones are the same tenant.
#[derive(Clone)]
pub struct Tenant(Rc<RefCell<State>>);

/// What the tenant holds. Tests read and change it as an administrator would.
pub struct State {
    /// As the detailed endpoints send them, with `userType` all the same.
    pub users: Vec<Value>,
    pub roles: Vec<Role>,
    pub organizations: Vec<Value>,
    /// Newest first.
    pub activities: Vec<Value>,
    /// The scopes that the API application was given.
    pub scopes: Vec<&'static str>,
    pub unknowns: Unknowns,
    /// How many organizations a page has at most, whatever is asked for.
    pub largest_organization_page: usize,
    /// How many activities a page has at most, whatever is asked for.
    pub largest_activity_page: usize,
    /// Whether the page of those older than an activity begins with it.
    pub older_than_includes: bool,
    /// How many bytes of a body arrive at once.
    pub chunk_bytes: usize,
    /// How long every request takes.
    pub latency_nanos: u64,
    /// What the token endpoint says of the life of a token, in seconds.
    pub token_life: Value,
    clock: Rc<Clock>,
    tokens_issued: u32,
    first_good_token: u32,
    sent: Vec<Sent>,
    rules: Vec<Rule>,
}

/// A role. `role_type` is `None` for one that NinjaOne does not name a type of user for.
#[derive(Clone)]
pub struct Role {
    pub id: u32,
    pub name: &'static str,
    pub role_type: Option<&'static str>,
    pub members: Vec<u32>,
}

/// What nobody knows of NinjaOne, each with every answer that is thinkable.
#[derive(Clone, Copy, Debug)]
pub struct Unknowns {
    /// Adding a member twice, and removing somebody who is none: 200, 400 or 404.
    pub needless_change: u16,
    /// A user asked for at the endpoint for the other type: 404 or 400.
    pub wrong_type: u16,
    /// A user who is not there: 404 or 400.
    pub missing_user: u16,
    /// An address that is taken: 409 or 400.
    pub taken_email: u16,
    /// What a successful write answers.
    pub answers: Answers,
    /// Whether `userType` and `roleType` narrow what is listed.
    pub heeds_filters: bool,
}

/// What a successful write answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answers {
    /// What was written, whole.
    Whole,
    /// Something that does not show what was written: a user without an id, a role without members.
    Vague,
    /// 204, without a body.
    Nothing,
    /// A sentence.
    Text,
}

impl Unknowns {
    /// As the API's documentation has it, where it has it.
    pub const DOCUMENTED: Unknowns = Unknowns {
        needless_change: 200,
        wrong_type: 400,
        missing_user: 404,
        taken_email: 400,
        answers: Answers::Whole,
        heeds_filters: true,
    };

    /// Every way in which NinjaOne may turn out to be.
    pub fn all() -> Vec<Unknowns> {
        let mut all = Vec::new();
        for needless_change in [200, 400, 404] {
            for (wrong_type, missing_user) in [(404, 404), (400, 404), (400, 400), (404, 400)] {
                for taken_email in [409, 400] {
                    for answers in [
                        Answers::Whole,
                        Answers::Vague,
                        Answers::Nothing,
                        Answers::Text,
                    ] {
                        all.push(Unknowns {
                            needless_change,
                            wrong_type,
                            missing_user,
                            taken_email,
                            answers,
                            heeds_filters: taken_email == 409,
                        });
                    }
                }
            }
        }
        all
    }
}

/// A request as the tenant got it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Sent {
    /// Method and path.
    pub fn request(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    fn query_value(&self, name: &str) -> Option<&str> {
        let pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    breaks: Option<TransportErrorKind>,
}

impl Answer {
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
            breaks: None,
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Answer::text(status, body.to_string()).header("content-type", "application/json")
    }

    /// A web page.
    pub fn html(status: u16) -> Self {
        let page = "<!DOCTYPE html><title>One moment</title>";
        Answer::text(status, page).header("content-type", "text/html; charset=utf-8")
    }

    /// A failure of the application layer.
    pub fn failure(status: u16, result_code: &str) -> Self {
        let incident = "WEB_MGMT_SERVICE-1";
        Answer::json(
            status,
            &json!({"resultCode": result_code, "incidentId": incident}),
        )
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }

    /// Lets the body break off at its end, where more should be.
    pub fn breaks_off(mut self, kind: TransportErrorKind) -> Self {
        self.breaks = Some(kind);
        self
    }
}

/// What happens to a request instead of being carried out and answered.
#[derive(Clone)]
pub enum Fault {
    /// It is not carried out, and answered so.
    Refuse(Answer),
    /// It is not carried out, and not answered.
    Drop(TransportErrorKind),
    /// It is carried out, and answered so.
    AnswerAfter(Answer),
    /// It is carried out, and the answer gets lost.
    LoseAnswer(TransportErrorKind),
    /// It is carried out, and the body of the answer breaks off after two thirds.
    CutShort(TransportErrorKind),
    /// It is answered as if it had been carried out, and is not.
    Pretend,
    /// Somebody else does this first.
    Outrun(Rc<dyn Fn(&mut State)>),
}

impl Fault {
    pub fn outrun(by: impl Fn(&mut State) + 'static) -> Self {
        Fault::Outrun(Rc::new(by))
    }
}

struct Rule {
    request: String,
    /// How many such requests to let pass first.
    after: usize,
    /// To how many it happens.
    times: usize,
    fault: Fault,
}

impl Tenant {
    /// Two technicians (the first an administrator, as is the third, who is the host's application), two end users, three
    /// roles, two organizations.
    pub fn new(clock: &Rc<Clock>) -> Self {
        let role = |id, name, role_type, members: &[u32]| Role {
            id,
            name,
            role_type,
            members: members.to_vec(),
        };
        Tenant(Rc::new(RefCell::new(State {
            users: vec![
                technician(1, "ada@acme.example", true),
                technician(2, "ben@acme.example", false),
                technician(3, "cyd@acme.example", true),
                end_user(11, "eve@acme.example"),
                end_user(12, "fay@acme.example"),
            ],
            roles: vec![
                role(21, "Helpdesk", Some("TECHNICIAN"), &[1]),
                role(22, "Portal", Some("END_USER"), &[11]),
                role(23, "Anybody", None, &[1, 11]),
            ],
            organizations: vec![
                json!({"id": 100, "name": "Acme", "description": "Anvils"}),
                json!({"id": 101, "name": "Bolt"}),
            ],
            activities: vec![
                activity(9, "APP_USER_LOGGED_IN", 1, 1_790_000_000.25),
                activity(8, "END_USER_UPDATED", 11, 1_780_000_000.0),
                activity(5, "END_USER_LOGGED_IN", 11, 1_770_000_000.5),
                activity(4, "APP_USER_LOGGED_IN", 1, 1_760_000_000.0),
                activity(2, "APP_USER_CREATED", 2, 1_750_000_000.0),
            ],
            scopes: vec!["monitoring", "management", "control"],
            unknowns: Unknowns::DOCUMENTED,
            largest_organization_page: 1_000,
            largest_activity_page: 1_000,
            older_than_includes: false,
            chunk_bytes: usize::MAX,
            latency_nanos: 0,
            token_life: json!(3600),
            clock: clock.clone(),
            tokens_issued: 0,
            first_good_token: 0,
            sent: Vec::new(),
            rules: Vec::new(),
        })))
    }

    pub fn state(&self) -> Ref<'_, State> {
        self.0.borrow()
    }

    pub fn change(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    /// Lets this happen to every such request from now on. `request` is method and path.
    pub fn always(&self, request: &str, fault: Fault) {
        self.rule(request, 0, usize::MAX, fault);
    }

    /// Lets this happen to the next such request.
    pub fn once(&self, request: &str, fault: Fault) {
        self.rule(request, 0, 1, fault);
    }

    /// Lets this happen to such requests once so many of them have passed.
    pub fn after(&self, passed: usize, request: &str, fault: Fault) {
        self.rule(request, passed, usize::MAX, fault);
    }

    /// Lets this happen to one such request, once so many of them have passed or met with another rule.
    pub fn once_after(&self, passed: usize, request: &str, fault: Fault) {
        self.rule(request, passed, 1, fault);
    }

    fn rule(&self, request: &str, after: usize, times: usize, fault: Fault) {
        self.0.borrow_mut().rules.push(Rule {
            request: request.to_string(),
            after,
            times,
            fault,
        });
    }

    /// Lets every such `GET` answer this text.
    pub fn serve(&self, path: &str, body: impl Into<Vec<u8>>) {
        let answer = Answer::text(200, body).header("content-type", "application/json");
        self.always(&format!("GET {path}"), Fault::Refuse(answer));
    }

    /// What was sent, in order, without requests for tokens.
    pub fn sent(&self) -> Vec<Sent> {
        let mut sent = self.0.borrow().sent.clone();
        sent.retain(|sent| !sent.path.ends_with("/token"));
        sent
    }

    /// Method, path and query of what was sent, without requests for tokens.
    pub fn lines(&self) -> Vec<String> {
        let line = |sent: &Sent| match sent.query.as_str() {
            "" => sent.request(),
            query => format!("{}?{query}", sent.request()),
        };
        self.sent().iter().map(line).collect()
    }

    /// The writes that were sent.
    pub fn writes(&self) -> Vec<Sent> {
        let mut sent = self.sent();
        sent.retain(|sent| sent.method != "GET");
        sent
    }

    /// The requests for tokens.
    pub fn token_requests(&self) -> Vec<Sent> {
        let mut sent = self.0.borrow().sent.clone();
        sent.retain(|sent| sent.path.ends_with("/token"));
        sent
    }

    /// Forgets what was sent.
    pub fn forget_sent(&self) {
        self.0.borrow_mut().sent.clear();
    }
}

impl Transport for Tenant {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut state = self.0.borrow_mut();
        let sent = received(request);
        state.sent.push(sent.clone());
        assert!(state.sent.len() < 1_000, "the connector goes on for ever");
        state
            .clock
            .nanos
            .set(state.clock.nanos.get() + state.latency_nanos);
        let answer = match state.fault_of(&sent) {
            None => state.carry_out(&sent),
            Some(Fault::Refuse(answer)) => answer,
            Some(Fault::Drop(kind)) => return Err(failure(kind)),
            Some(Fault::AnswerAfter(answer)) => {
                state.carry_out(&sent);
                answer
            }
            Some(Fault::LoseAnswer(kind)) => {
                state.carry_out(&sent);
                return Err(failure(kind));
            }
            Some(Fault::CutShort(kind)) => {
                let mut answer = state.carry_out(&sent);
                answer.body.truncate(answer.body.len() * 2 / 3);
                answer.breaks_off(kind)
            }
            Some(Fault::Pretend) => {
                let (users, roles) = (state.users.clone(), state.roles.clone());
                let answer = state.carry_out(&sent);
                (state.users, state.roles) = (users, roles);
                answer
            }
            Some(Fault::Outrun(by)) => {
                by(&mut state);
                state.carry_out(&sent)
            }
        };
        let chunk = state.chunk_bytes.min(answer.body.len().max(1));
        Ok(Response {
            status: answer.status,
            headers: answer.headers,
            body: Box::new(Pieces {
                chunks: answer
                    .body
                    .chunks(chunk)
                    .rev()
                    .map(<[u8]>::to_vec)
                    .collect(),
                breaks: answer.breaks,
            }),
        })
    }
}

/// A body in pieces, last first.
struct Pieces {
    chunks: Vec<Vec<u8>>,
    breaks: Option<TransportErrorKind>,
}

impl Body for Pieces {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        match (self.chunks.pop(), self.breaks) {
            (Some(chunk), _) => Ok(Some(chunk)),
            (None, Some(kind)) => Err(failure(kind)),
            (None, None) => Ok(None),
        }
    }
}

fn failure(kind: TransportErrorKind) -> TransportError {
    TransportError {
        kind,
        detail: "the fake transport says so".to_string(),
    }
}

fn received(request: Request) -> Sent {
    let after_scheme = request.url.find("://").expect("an absolute URL") + 3;
    let path_at = request.url[after_scheme..].find('/').expect("a path") + after_scheme;
    let (path, query) = request.url[path_at..]
        .split_once('?')
        .unwrap_or((&request.url[path_at..], ""));
    let headers = request.headers.iter();
    Sent {
        method: request.method.to_string(),
        path: path.to_string(),
        query: query.to_string(),
        headers: headers
            .map(|(name, value)| ((*name).to_string(), value.to_string()))
            .collect(),
        body: String::from_utf8(request.body.to_vec()).expect("bodies are text"),
        url: request.url,
    }
}

impl State {
    pub fn user(&self, id: u32) -> Option<&Value> {
        self.users.iter().find(|user| user["id"] == id)
    }

    pub fn user_mut(&mut self, id: u32) -> &mut Value {
        let user = self.users.iter_mut().find(|user| user["id"] == id);
        user.expect("such a user")
    }

    pub fn role_mut(&mut self, id: u32) -> &mut Role {
        let role = self.roles.iter_mut().find(|role| role.id == id);
        role.expect("such a role")
    }

    pub fn members(&self, role: u32) -> &[u32] {
        let role = self.roles.iter().find(|own| own.id == role);
        &role.expect("such a role").members
    }

    /// Makes every token worthless that was given so far.
    pub fn revoke_tokens(&mut self) {
        self.first_good_token = self.tokens_issued + 1;
    }

    fn fault_of(&mut self, sent: &Sent) -> Option<Fault> {
        let request = sent.request();
        let rules = self.rules.iter_mut();
        for rule in rules.filter(|rule| rule.request == request && rule.times > 0) {
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            rule.times -= 1;
            return Some(rule.fault.clone());
        }
        None
    }

    fn carry_out(&mut self, sent: &Sent) -> Answer {
        if sent.path == "/ws/oauth/token" {
            return self.token(sent);
        }
        if !self.is_authentic(sent) {
            return Answer::json(
                401,
                &json!({"error": "not_authenticated", "error_description": "Invalid credentials", "error_code": 10}),
            );
        }
        assert_eq!(sent.header("accept"), Some("application/json"));
        let content_type = (!sent.body.is_empty()).then_some("application/json");
        assert_eq!(sent.header("content-type"), content_type);
        let segments: Vec<&str> = sent.path.split('/').skip(1).collect();
        match (sent.method.as_str(), &segments[..]) {
            ("GET", ["v2", "users"]) => self.list_users(sent),
            ("GET", ["v2", "user", "technicians"]) => self.list_detailed("TECHNICIAN"),
            ("GET", ["v2", "user", "end-users"]) => self.list_detailed("END_USER"),
            ("GET", ["v2", "user", "roles"]) => self.list_roles(sent),
            ("GET", ["v2", "activities"]) => self.list_activities(sent),
            ("GET", ["v2", "organizations"]) => self.list_organizations(sent),
            ("GET", ["v2", "organization", id]) => {
                let found = self
                    .organizations
                    .iter()
                    .find(|own| own["id"] == number(id));
                found.map_or_else(
                    || Answer::failure(404, "ORGANIZATION_NOT_FOUND"),
                    |organization| Answer::json(200, organization),
                )
            }
            ("POST", ["v2", "user", "technicians"]) => self.create(sent, "TECHNICIAN"),
            ("POST", ["v2", "user", "end-users"]) => self.create(sent, "END_USER"),
            (method, ["v2", "user", "technician", id]) => {
                self.one_user(method, sent, "TECHNICIAN", number(id))
            }
            (method, ["v2", "user", "end-user", id]) => {
                self.one_user(method, sent, "END_USER", number(id))
            }
            ("PATCH", ["v2", "user", "role", id, change]) => {
                self.change_members(sent, number(id), *change == "add-members")
            }
            _ => unknown_route(),
        }
    }

    fn token(&mut self, sent: &Sent) -> Answer {
        assert_eq!(sent.method, "POST");
        let form = |name| form_value(&sent.body, name).unwrap_or_default();
        assert_eq!(form("grant_type"), "client_credentials");
        if form("client_id") != CLIENT_ID {
            return Answer::failure(404, "Client app not exist");
        }
        if form("client_secret") != SECRET {
            return Answer::json(401, &json!({"error": "invalid_client"}));
        }
        let scope = form("scope");
        if !scope.split(' ').all(|asked| self.scopes.contains(&asked)) {
            return Answer::json(400, &json!({"error": "invalid_scope"}));
        }
        self.tokens_issued += 1;
        let token = format!("token-{}", self.tokens_issued);
        Answer::json(
            200,
            &json!({"access_token": token, "expires_in": self.token_life, "scope": scope, "token_type": "Bearer"}),
        )
    }

    fn is_authentic(&self, sent: &Sent) -> bool {
        let token = sent
            .header("authorization")
            .and_then(|text| text.strip_prefix("Bearer token-"));
        token.is_some_and(|token| {
            (self.first_good_token..=self.tokens_issued).contains(&number(token))
        })
    }

    fn list_users(&self, sent: &Sent) -> Answer {
        assert_eq!(sent.query_value("includeRoles"), Some("true"));
        let asked = sent
            .query_value("userType")
            .filter(|_| self.unknowns.heeds_filters);
        let users = self.users.iter().filter(|user| {
            let own = user["userType"].as_str();
            own.is_none() || asked.is_none_or(|asked| own == Some(asked))
        });
        let users = users.map(|user| without(user, &["scimUser", "authType", "fullPortalAccess"]));
        Answer::json(200, &users.collect())
    }

    fn list_detailed(&self, user_type: &str) -> Answer {
        let users = self
            .users
            .iter()
            .filter(|user| user["userType"] == user_type);
        Answer::json(200, &users.map(detailed).collect())
    }

    fn list_roles(&self, sent: &Sent) -> Answer {
        let asked = sent
            .query_value("roleType")
            .filter(|_| self.unknowns.heeds_filters);
        let roles = self
            .roles
            .iter()
            .filter(|role| asked.is_none_or(|asked| role.role_type.is_none_or(|own| own == asked)));
        let roles: Vec<_> = roles.map(|role| role_text(role, true)).collect();
        Answer::text(200, format!("[{}]", roles.join(",\n")))
            .header("content-type", "application/json")
    }

    fn list_organizations(&self, sent: &Sent) -> Answer {
        let after = sent.query_value("after").map_or(0, number);
        let asked = sent.query_value("pageSize").map_or(0, number);
        let rest = self
            .organizations
            .iter()
            .filter(|own| own["id"].as_u64() > Some(u64::from(after)));
        let page = rest.take(self.largest_organization_page.min(asked as usize));
        Answer::json(200, &page.cloned().collect())
    }

    fn list_activities(&self, sent: &Sent) -> Answer {
        assert_eq!(sent.query_value("class"), Some("USER"));
        let older_than = sent.query_value("olderThan");
        let older_than = older_than.map_or(u64::MAX, |id| id.parse().expect("a number"));
        let asked = sent.query_value("pageSize").map_or(0, number);
        let status = sent
            .query_value("status")
            .filter(|_| self.unknowns.heeds_filters);
        let rest = self.activities.iter().filter(|own| {
            let user = sent
                .query_value("user")
                .filter(|_| self.unknowns.heeds_filters);
            let is_older = own["id"].as_u64() < Some(older_than);
            (is_older || (self.older_than_includes && own["id"] == older_than))
                && status.is_none_or(|status| own["statusCode"] == status)
                && user.is_none_or(|user| own["userId"] == number(user))
        });
        let page: Vec<_> = rest
            .take(self.largest_activity_page.min(asked as usize))
            .collect();
        Answer::json(200, &json!({"activities": page, "lastActivityId": 9}))
    }

    fn create(&mut self, sent: &Sent, user_type: &str) -> Answer {
        let body: Value = serde_json::from_str(&sent.body).expect("JSON");
        if self.users.iter().any(|user| user["email"] == body["email"]) {
            let message = json!({"code": "email_already_in_use", "params": {}});
            return Answer::json(
                self.unknowns.taken_email,
                &json!({"resultCode": "FAILURE", "errorMessage": message}),
            );
        }
        let id = 1 + self
            .users
            .iter()
            .filter_map(|user| user["id"].as_u64())
            .max()
            .unwrap_or(0);
        let mut user = body;
        user["id"] = json!(id);
        user["userType"] = json!(user_type);
        user["enabled"] = json!(true);
        user["administrator"] = json!(false);
        user["invitationStatus"] = json!("PENDING");
        self.users.push(user.clone());
        self.written_user(&user)
    }

    fn one_user(&mut self, method: &str, sent: &Sent, user_type: &str, id: u32) -> Answer {
        let own_type = self.user(id).map(|user| user["userType"].clone());
        match own_type {
            None => return Answer::failure(self.unknowns.missing_user, "USER_NOT_FOUND"),
            Some(own) if own != user_type => {
                return Answer::failure(self.unknowns.wrong_type, "INVALID_USER_TYPE");
            }
            Some(_) => {}
        }
        match method {
            "GET" => Answer::json(200, &detailed(self.user_mut(id))),
            "PATCH" => {
                let body: Value = serde_json::from_str(&sent.body).expect("JSON");
                let user = self.user_mut(id);
                for (name, value) in body.as_object().expect("an object") {
                    user[name] = value.clone();
                }
                let user = user.clone();
                self.written_user(&user)
            }
            "DELETE" => {
                self.users.retain(|user| user["id"] != id);
                for role in &mut self.roles {
                    role.members.retain(|member| *member != id);
                }
                Answer::text(204, "")
            }
            _ => unknown_route(),
        }
    }

    fn change_members(&mut self, sent: &Sent, role: u32, add: bool) -> Answer {
        let ids: Vec<u32> = serde_json::from_str(&sent.body).expect("an array of ids");
        let users_known = ids.iter().all(|id| self.user(*id).is_some());
        let needless_change = self.unknowns.needless_change;
        let Some(own) = self.roles.iter_mut().find(|own| own.id == role) else {
            return Answer::failure(404, "ROLE_NOT_FOUND");
        };
        if add && !users_known {
            return Answer::failure(404, "MEMBERS_NOT_FOUND");
        }
        for id in ids {
            if own.members.contains(&id) == add {
                if needless_change != 200 {
                    return Answer::failure(needless_change, "NOTHING_TO_CHANGE");
                }
            } else if add {
                own.members.push(id);
            } else {
                own.members.retain(|member| *member != id);
            }
        }
        let vague = self.unknowns.answers == Answers::Vague;
        let role = role_text(own, !vague);
        self.written(Answer::text(200, role))
    }

    /// How a user is shown who was created or changed.
    fn written_user(&self, user: &Value) -> Answer {
        let user = detailed(user);
        let shown = match self.unknowns.answers {
            Answers::Vague => without(&user, &["id"]),
            _ => user,
        };
        self.written(Answer::json(200, &shown))
    }

    fn written(&self, shown: Answer) -> Answer {
        match self.unknowns.answers {
            Answers::Whole | Answers::Vague => shown,
            Answers::Nothing => Answer::text(204, ""),
            Answers::Text => Answer::text(200, "\"OK\""),
        }
    }
}

/// A technician as the endpoint for technicians sends one.
pub fn technician(id: u32, email: &str, administrator: bool) -> Value {
    json!({
        "id": id, "firstName": "Tech", "lastName": format!("Number {id}"), "email": email, "phone": null,
        "enabled": true, "administrator": administrator, "mustChangePw": false, "mfaConfigured": true,
        "userType": "TECHNICIAN", "invitationStatus": "REGISTERED", "organizationId": null,
        "scimUser": false, "authType": "NATIVE",
    })
}

/// An end user as the endpoint for end users sends one, and the type with it.
pub fn end_user(id: u32, email: &str) -> Value {
    json!({
        "id": id, "firstName": "End", "lastName": format!("Number {id}"), "email": email,
        "enabled": true, "userType": "END_USER", "invitationStatus": "EXPIRED", "organizationId": 100,
        "fullPortalAccess": false, "scimUser": false, "authType": "SSO",
    })
}

/// The endpoints for end users alone name no type, and know no administrators.
fn detailed(user: &Value) -> Value {
    match user["userType"] == "END_USER" {
        true => without(user, &["userType", "administrator"]),
        false => user.clone(),
    }
}

/// A role as it is sent, with the fields in the order in which the API documents them.
fn role_text(role: &Role, with_members: bool) -> String {
    let member =
        |id: &u32| format!(r#"{{"id": {id}, "email": "{id}@x", "name": "M", "source": "MANUAL"}}"#);
    let members: Vec<_> = role.members.iter().map(member).collect();
    let members = match with_members {
        true => format!(r#", "members": [{}]"#, members.join(", ")),
        false => String::new(),
    };
    let role_type = json!(role.role_type);
    format!(
        r#"{{"id": {}, "name": "{}", "type": {role_type}, "description": null{members}}}"#,
        role.id, role.name
    )
}

fn without(object: &Value, names: &[&str]) -> Value {
    let mut object = object.clone();
    for name in names {
        object.as_object_mut().expect("an object").remove(*name);
    }
    object
}

/// An activity of a user's.
pub fn activity(id: i64, status_code: &str, user: u32, time: f64) -> Value {
    json!({"id": id, "activityTime": time, "statusCode": status_code, "userId": user, "message": "It happened"})
}

/// The failure that was observed for a path that the instance does not know.
pub fn unknown_route() -> Answer {
    Answer::json(
        404,
        &json!({"resultCode": "FAILURE", "errorMessage": "HTTP 404 Not Found"}),
    )
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

/// A value of an `application/x-www-form-urlencoded` body, decoded.
pub fn form_value(body: &str, name: &str) -> Option<String> {
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    let (_, encoded) = pairs.into_iter().find(|(own, _)| *own == name)?;
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
