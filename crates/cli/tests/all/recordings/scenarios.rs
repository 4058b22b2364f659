//! The scenarios: what the connector is asked, what NinjaOne answers, and what has to come of it.

use connector_host::contract::{
    AccountUpdate, Error, FieldUpdate, Item, ListRequest, Mode, NewAccount, Outcome,
    ProvisionRequest, ResourceKind, ResourceKinds, ResourceReference, StepStatus, UnchangedReason,
    Value,
};
use connector_host::{BoxFuture, Connector};
use ninjaone_simulator::{Credentials, Options};

use super::by_hand::ByHand;
use host_test::{ada, assignment, deletion, failure, list};

/// The simulated tenant is the same every time; these are in it.
const TECHNICIAN: &str = "3";
const END_USER: &str = "6";
const NOBODY: &str = "7";
const TECHNICIANS_ROLE: &str = "1";
const END_USERS_ROLE: &str = "4";
const ORGANIZATION: &str = "1";
/// The address of an end user of that tenant.
const TAKEN_ADDRESS: &str = "ana-sofia.meyer.4@example.org";
/// Who has it.
const TAKEN_BY: &str = "4";

/// One recording: how it is made, and what its replay has to show.
pub struct Scenario {
    /// The name of its file, without `.har`.
    pub file: &'static str,
    /// What it shows, and what of it was observed and what was not.
    pub comment: &'static str,
    /// What the connector is asked, and what has to come of it: when it is made, and when it is replayed.
    pub play: for<'a> fn(&'a mut Connector) -> BoxFuture<'a, ()>,
    /// The application of the tenant; its credentials are what the connector has when it is made.
    pub application: fn() -> Credentials,
    /// Changes these credentials before the connector has them.
    pub mistake: fn(&mut Credentials),
    /// The answers that are not the simulator's.
    pub by_hand: &'static [ByHand],
}

impl Scenario {
    const fn new(
        file: &'static str,
        comment: &'static str,
        play: for<'a> fn(&'a mut Connector) -> BoxFuture<'a, ()>,
    ) -> Self {
        Self {
            file,
            comment,
            play,
            application: Credentials::default,
            mistake: |_| {},
            by_hand: &[],
        }
    }

    const fn by_hand(self, by_hand: &'static [ByHand]) -> Self {
        Self { by_hand, ..self }
    }

    const fn mistake(self, mistake: fn(&mut Credentials)) -> Self {
        Self { mistake, ..self }
    }
}

/// The simulated tenant: six people, four roles, one organization.
pub fn tenant(application: Credentials) -> Options {
    Options {
        accounts: 6,
        roles: Some(4),
        organizations: Some(1),
        seed: 3,
        credentials: application,
        ..Options::default()
    }
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "sync",
        "A sync of a small tenant. Observed: the record of the technician, to the byte, with its personal data replaced. \
         By hand: the role, its member and the organization, whose field names are specified and whose values are made up.",
        |connector| Box::pin(sync(connector)),
    )
    .by_hand(&[
        ByHand::json("GET /v2/users", 200, TECHNICIAN_RECORD),
        ByHand::json("GET /v2/user/roles", 200, ROLES),
        ByHand::json("GET /v2/organizations", 200, ORGANIZATIONS).once(),
        ByHand::json("GET /v2/organizations", 200, "[]"),
    ]),
    Scenario::new(
        "grant",
        "A role is granted, and granted again. That a granted role comes back with its new member is specified; no real \
         answer of add-members is known.",
        |connector| Box::pin(grant(connector)),
    ),
    Scenario::new(
        "revoke",
        "A role is revoked, and revoked again. No real answer of remove-members is known.",
        |connector| Box::pin(revoke(connector)),
    ),
    Scenario::new(
        "create-technician",
        "A technician is created. No real answer is known; that the new one is PENDING is made up.",
        |connector| Box::pin(create_technician(connector)),
    ),
    Scenario::new(
        "create-end-user",
        "An end user is created, invited, and given a role. No real answer is known.",
        |connector| Box::pin(create_end_user(connector)),
    ),
    Scenario::new(
        "create-duplicate",
        "An account is created whose address was taken meanwhile. By hand: the list of users, without the account the first time. The \
         status 409 and the code email_already_in_use are what one client of others expects; the specification has only 400.",
        |connector| Box::pin(create_duplicate(connector)),
    )
    // The account came a moment later. Somebody is always there, since somebody made the API application.
    .by_hand(&[ByHand::json("GET /v2/users", 200, r#"[{"id":1}]"#).once()]),
    Scenario::new(
        "update",
        "The given name of a technician is changed. That the answer to the change has no body is one of two possibilities: \
         none is specified.",
        |connector| Box::pin(update(connector)),
    ),
    Scenario::new(
        "delete",
        "A technician is deleted. The status 204 is specified; the body of the 404 afterwards is made up, but for its shape.",
        |connector| Box::pin(delete(connector)),
    ),
    Scenario::new(
        "delete-gone",
        "An account is deleted that is gone. The status 404 is specified, its body is made up, but for its shape.",
        |connector| Box::pin(delete_gone(connector)),
    ),
    Scenario::new(
        "wrong-secret",
        "The client secret is wrong. Neither the status nor the body that NinjaOne has for that is known: these are those of \
         OAuth 2.0.",
        |connector| Box::pin(unauthorized(connector)),
    )
    .mistake(|credentials| credentials.client_secret = "a-secret-that-is-wrong".to_string()),
    Scenario::new(
        "unknown-client",
        "NinjaOne does not know the client id, or the tenant is in another region. Observed: the status and the body, whose \
         incidentId was cut off where it was published.",
        |connector| Box::pin(unauthorized(connector)),
    )
    .by_hand(&[ByHand::json("POST /ws/oauth/token", 404, UNKNOWN_CLIENT)]),
    Scenario {
        application: || Credentials {
            scopes: "monitoring".parse().expect("there is such a scope"),
            ..Credentials::default()
        },
        ..Scenario::new(
            "invalid-scope",
            "The application was not given a scope that is asked for. Observed: the status 400 and the error invalid_scope; \
             the description is made up.",
            |connector| Box::pin(missing_every_scope(connector)),
        )
        .mistake(|credentials| credentials.scopes = Credentials::default().scopes)
    },
    Scenario::new(
        "token-expired",
        "The token is not valid any more, and a new one is fetched. Observed: the status and the body of the refusal.",
        |connector| Box::pin(token_expired(connector)),
    )
    .by_hand(&[ByHand::json("GET /v2/user/roles", 401, NOT_AUTHENTICATED).once()]),
    Scenario::new(
        "insufficient-privileges",
        "The token does not allow a write. Observed: the status 401 and the word insufficient_privileges; the body around it \
         is made up.",
        |connector| Box::pin(insufficient_privileges(connector)),
    )
    .by_hand(&[ByHand::json(
        "PATCH /v2/user/role/4/add-members",
        401,
        INSUFFICIENT_PRIVILEGES,
    )]),
    Scenario::new(
        "user-context-required",
        "The endpoint refuses the token of an application. Observed: the status and the body, but on another endpoint.",
        |connector| Box::pin(user_context_required(connector)),
    )
    .by_hand(&[ByHand::json("GET /v2/users", 403, USER_CONTEXT_REQUIRED)]),
    Scenario::new(
        "no-user-endpoints",
        "The instance is on a build that has no path below /v2/user. Observed: that there is such an instance, and the status \
         and body of an unknown route.",
        |connector| Box::pin(no_user_endpoints(connector)),
    )
    .by_hand(&[ByHand::json("GET /v2/user/roles", 404, UNKNOWN_ROUTE)]),
    Scenario::new(
        "throttled-by-page",
        "NinjaOne throttles by a web page, as one client of others found. By hand: the page, of which nothing is known.",
        |connector| Box::pin(throttled_by_page(connector)),
    )
    .by_hand(&[ByHand::page("GET /v2/users", 200, PAGE)]),
    Scenario::new(
        "unavailable",
        "The service is unavailable, and says for how long. By hand: the answer. No 503 of NinjaOne's and no Retry-After is \
         known.",
        |connector| Box::pin(unavailable(connector)),
    )
    .by_hand(&[ByHand::page("GET /v2/users", 503, PAGE).retry_after("30")]),
    Scenario::new(
        "server-error",
        "NinjaOne fails. Observed: the status, and the words FAILURE and NullPointerException as a person was shown them; \
         which fields they were in is a guess.",
        |connector| Box::pin(server_error(connector)),
    )
    .by_hand(&[ByHand::json("GET /v2/users", 500, SERVER_ERROR)]),
];

/// Observed: the record of a technician, with its personal data replaced.
pub const TECHNICIAN_RECORD: &str = r#"[
  {
    "id": 31,
    "uid": "00000000-0000-4000-8000-000000000031",
    "firstName": "REDACTED",
    "lastName": "REDACTED",
    "email": "redacted@example.com",
    "phone": "+440000000000",
    "enabled": true,
    "administrator": false,
    "permitAllClients": false,
    "notifyAllClients": true,
    "mustChangePw": false,
    "mfaConfigured": true,
    "userType": "TECHNICIAN",
    "invitationStatus": "REGISTERED",
    "organizationId": null,
    "tags": null,
    "fields": null
  }
]"#;
/// Observed: an unknown client id, or the wrong region.
pub const UNKNOWN_CLIENT: &str =
    r#"{"resultCode":"Client app not exist","incidentId":"WEB_MGMT_SERVICE-..."}"#;
/// Observed: a token that is no longer valid.
pub const NOT_AUTHENTICATED: &str =
    r#"{"error":"not_authenticated","error_description":"Invalid credentials","error_code":10}"#;
/// Observed, on another endpoint: it wants the token of a person.
pub const USER_CONTEXT_REQUIRED: &str = r#"{"error":"user_context_required","error_description":"Access key does not have user context which is required for this request","error_code":5}"#;
/// Observed: a route that there is not.
pub const UNKNOWN_ROUTE: &str = r#"{"resultCode":"FAILURE","errorMessage":"HTTP 404 Not Found"}"#;

const ROLES: &str = r#"[{"id":4,"name":"Help Desk","type":"TECHNICIAN","description":"Made up","members":[{"id":31,"email":"redacted@example.com","name":"REDACTED REDACTED","source":"MANUAL"}]}]"#;
const ORGANIZATIONS: &str = r#"[{"id":2,"name":"Made Up Ltd","description":null}]"#;
const INSUFFICIENT_PRIVILEGES: &str =
    r#"{"error":"insufficient_privileges","error_description":"Insufficient privileges"}"#;
const SERVER_ERROR: &str = r#"{"resultCode":"FAILURE","errorMessage":"NullPointerException"}"#;
const PAGE: &str = "<!DOCTYPE html><html><head><title>Made up</title></head><body><p>Please try again later.</p></body></html>\n";

async fn sync(connector: &mut Connector) {
    let accounts = list(connector, ResourceKinds::ACCOUNTS).await;
    let [Item::Account(account)] = &accounts[..] else {
        panic!("one account is in the list, and not {accounts:?}");
    };
    assert_eq!(
        (account.id.as_str(), account.kind.as_deref()),
        ("31", Some("technician"))
    );
    assert_eq!(account.organization, None, "null is as good as missing");
    let roles = list(connector, ResourceKinds::ROLES | ResourceKinds::GRANTS).await;
    let [Item::Grant(grant), Item::Role(role)] = &roles[..] else {
        panic!("a role and a grant are in the list, and not {roles:?}");
    };
    assert_eq!(grant.role, role.id);
    assert_eq!(grant.account, account.id);
    let organizations = list(connector, ResourceKinds::ORGANIZATIONS).await;
    assert!(
        matches!(&organizations[..], [Item::Organization(organization)] if organization.id == "2")
    );
}

async fn grant(connector: &mut Connector) {
    let assignment = assignment(END_USER, END_USERS_ROLE);
    let granted = connector.grant(&assignment, Mode::Apply).await;
    assert_eq!(granted.expect("granted").outcome, Outcome::Changed);
    let again = connector.grant(&assignment, Mode::Apply).await;
    let already = Outcome::Unchanged(UnchangedReason::AlreadyGranted);
    assert_eq!(again.expect("nothing to do").outcome, already);
}

async fn revoke(connector: &mut Connector) {
    let assignment = assignment(TECHNICIAN, TECHNICIANS_ROLE);
    let revoked = connector.revoke(&assignment, Mode::Apply).await;
    assert_eq!(revoked.expect("revoked").outcome, Outcome::Changed);
    let again = connector.revoke(&assignment, Mode::Apply).await;
    let not = Outcome::Unchanged(UnchangedReason::NotGranted);
    assert_eq!(again.expect("nothing to do").outcome, not);
}

async fn create_technician(connector: &mut Connector) {
    let create = ProvisionRequest::Create(ada("technician"));
    let created = connector.provision(&create, Mode::Apply).await;
    let created = created.expect("created");
    assert_eq!(created.outcome, Outcome::Changed);
    assert!(created.account.is_some(), "the new account is told");
}

async fn create_end_user(connector: &mut Connector) {
    let create = ProvisionRequest::Create(NewAccount {
        organization: Some(ORGANIZATION.to_string()),
        send_invitation: Some(true),
        roles: vec![END_USERS_ROLE.to_string()],
        ..ada("end-user")
    });
    let created = connector.provision(&create, Mode::Apply).await;
    let created = created.expect("created");
    assert_eq!(created.outcome, Outcome::Changed);
    let steps: Vec<_> = created.steps.iter().map(|step| &step.status).collect();
    assert_eq!(steps, [&StepStatus::Done(Outcome::Changed); 2]);
}

async fn create_duplicate(connector: &mut Connector) {
    let create = ProvisionRequest::Create(NewAccount {
        email: Some(TAKEN_ADDRESS.to_string()),
        ..ada("technician")
    });
    let failure = failure(connector.provision(&create, Mode::Apply).await);
    let existing = ResourceReference {
        kind: ResourceKind::Account,
        id: TAKEN_BY.to_string(),
    };
    assert_eq!(failure.error, Error::AlreadyExists(existing));
}

async fn update(connector: &mut Connector) {
    let name = FieldUpdate::Set(Value::Text("Augusta".to_string()));
    let update = ProvisionRequest::Update(AccountUpdate {
        account: TECHNICIAN.to_string(),
        fields: vec![("given-name".to_string(), name)],
    });
    let updated = connector.provision(&update, Mode::Apply).await;
    assert_eq!(updated.expect("changed").outcome, Outcome::Changed);
}

async fn delete(connector: &mut Connector) {
    let deleted = connector
        .provision(&deletion(TECHNICIAN, false), Mode::Apply)
        .await;
    assert_eq!(deleted.expect("deleted").outcome, Outcome::Changed);
}

async fn delete_gone(connector: &mut Connector) {
    let deleted = connector
        .provision(&deletion(NOBODY, false), Mode::Apply)
        .await;
    let gone = Outcome::Unchanged(UnchangedReason::AlreadyGone);
    assert_eq!(deleted.expect("nothing to do").outcome, gone);
}

async fn unauthorized(connector: &mut Connector) {
    assert_eq!(listing_accounts(connector).await, Error::Unauthorized);
}

async fn missing_every_scope(connector: &mut Connector) {
    let scopes = ["monitoring", "management", "control"].map(str::to_string);
    assert_eq!(
        listing_accounts(connector).await,
        Error::MissingPermission(scopes.to_vec())
    );
}

async fn token_expired(connector: &mut Connector) {
    // What was never accepted may not be valid yet, and is no token that expired.
    list(connector, ResourceKinds::ORGANIZATIONS).await;
    let roles = list(connector, ResourceKinds::ROLES).await;
    assert_eq!(roles.len(), 4);
}

async fn insufficient_privileges(connector: &mut Connector) {
    let granted = connector
        .grant(&assignment(END_USER, END_USERS_ROLE), Mode::Apply)
        .await;
    let scopes = vec!["control".to_string()];
    assert_eq!(failure(granted).error, Error::MissingPermission(scopes));
}

async fn user_context_required(connector: &mut Connector) {
    assert_eq!(
        listing_accounts(connector).await,
        Error::MissingPermission(Vec::new()),
        "no scope would help"
    );
}

async fn no_user_endpoints(connector: &mut Connector) {
    let listed = connector
        .list(&ListRequest::everything(ResourceKinds::ROLES))
        .await;
    let failure = failure(listed);
    assert_eq!(failure.error, Error::Upstream(404));
    let message = failure.message;
    assert!(message.contains("has no such endpoint"), "{message}");
}

async fn throttled_by_page(connector: &mut Connector) {
    assert_eq!(listing_accounts(connector).await, Error::RateLimited(None));
}

async fn unavailable(connector: &mut Connector) {
    assert_eq!(
        listing_accounts(connector).await,
        Error::RateLimited(Some(30_000))
    );
}

async fn server_error(connector: &mut Connector) {
    assert_eq!(listing_accounts(connector).await, Error::Upstream(500));
}

/// How listing accounts fails.
async fn listing_accounts(connector: &mut Connector) -> Error {
    let everything = ListRequest::everything(ResourceKinds::ACCOUNTS);
    failure(connector.list(&everything).await).error
}
