//! The routes of the API, and what every request goes through.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Extension, Json, Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use bytes::Bytes;
use http::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde::Deserialize;

use super::{
    AccountKind, Invitation, Organization, PatchTechnicianBody, RoleWriteBody, Shared,
    TechnicianInvitation, Uid,
    activities::{ActivitiesPage, ActivityFilter},
    dice::Dice,
    errors::Refusal,
    extract::{Id, Parameters, Payload},
    listing, oauth,
    records::Shape,
    request_log::RequestRecord,
    requests::{AccountPatch, CreateBody, NewAccount},
    server::ConnectionNumber,
    tenant::{ReadNumber, Tenant},
};

/// The largest body that is read, in bytes: room for adding a hundred thousand members at once.
const MAX_BODY: usize = 1024 * 1024;

type Outcome = Result<Response, Refusal>;
type SharedState = State<Arc<Shared>>;

/// The whole service.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let gate = from_fn_with_state(Arc::clone(shared), oauth::authorize);
    let api = api().route_layer(gate);
    Router::new()
        .route("/ws/oauth/token", post(oauth::token))
        .route("/oauth/token", post(oauth::token))
        .nest("/v2", api.clone())
        .nest("/api/v2", api)
        .fallback(async || Refusal::unknown_route())
        .method_not_allowed_fallback(async || Refusal::method_not_allowed())
        // The outermost layer limits the bodies already.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(shared), observe))
        .with_state(Arc::clone(shared))
}

fn api() -> Router<Arc<Shared>> {
    Router::new()
        .route("/users", get(users))
        .route(
            "/user/technicians",
            get(technicians).post(create_technician),
        )
        .route(
            "/user/technician/{id}",
            get(technician)
                .patch(update_technician)
                .delete(delete_technician),
        )
        .route("/user/end-users", get(end_users).post(create_end_user))
        .route(
            "/user/end-user/{id}",
            get(end_user).patch(update_end_user).delete(delete_end_user),
        )
        .route("/user/roles", get(roles))
        .route("/user/role/{id}/add-members", patch(add_members))
        .route("/user/role/{id}/remove-members", patch(remove_members))
        .route("/organizations", get(organizations))
        .route("/organization/{id}", get(organization))
        .route("/activities", get(activities))
}

/// The outermost layer: logs the request, takes its time, and gives the answer its request id and,
/// if it is a refusal, its body.
async fn observe(
    State(shared): SharedState,
    Extension(ConnectionNumber(connection)): Extension<ConnectionNumber>,
    request: Request,
    next: Next,
) -> Response {
    let number = shared.log().next_number();
    let request_id = request_id(&shared, number);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await;
    shared.log().push(RequestRecord {
        number,
        connection,
        version: parts.version,
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        body: body.as_ref().map(Bytes::clone).unwrap_or_default(),
        status: None,
        request_id: request_id.clone(),
    });
    if !shared.latency.is_zero() {
        tokio::time::sleep(shared.latency).await;
    }

    let mut response = match body {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(error) => {
            Refusal::unreadable(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response()
        }
    };
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        response = refusal.render(&request_id, shared.behavior.error_message);
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-nj-request-id", value);
    }
    shared.log().answered(number, response.status());
    response
}

/// A UUID that is unique for this simulator and the same in each run.
fn request_id(shared: &Shared, number: u64) -> String {
    let mut dice = Dice::new(shared.seed ^ number.rotate_left(32));
    Uid::from_random(dice.roll(), dice.roll()).to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsersQuery {
    user_type: Option<Kind>,
    #[serde(default)]
    include_roles: bool,
}

/// [`AccountKind`] as parameters spell it.
#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Technician,
    EndUser,
}

impl From<Kind> for AccountKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Technician => Self::Technician,
            Kind::EndUser => Self::EndUser,
        }
    }
}

/// All accounts in one array. `pageSize` and `after` are ignored, as NinjaOne does.
async fn users(State(shared): SharedState, Parameters(query): Parameters<UsersQuery>) -> Response {
    let shape = Shape::User {
        with_roles: query.include_roles,
    };
    listing::accounts(shared, query.user_type.map(Into::into), shape)
}

async fn technicians(State(shared): SharedState) -> Response {
    listing::accounts(shared, Some(AccountKind::Technician), Shape::OfKind)
}

async fn end_users(State(shared): SharedState) -> Response {
    listing::accounts(shared, Some(AccountKind::EndUser), Shape::OfKind)
}

async fn technician(State(shared): SharedState, Id(id): Id) -> Outcome {
    read(&shared, id, AccountKind::Technician)
}

async fn end_user(State(shared): SharedState, Id(id): Id) -> Outcome {
    read(&shared, id, AccountKind::EndUser)
}

fn read(shared: &Shared, id: u32, kind: AccountKind) -> Outcome {
    let tenant = shared.tenant();
    show(&tenant, id, kind, tenant.begin_read())
}

/// `200` with one account as `read` sees it.
fn show(tenant: &Tenant, id: u32, kind: AccountKind, read: ReadNumber) -> Outcome {
    let account = tenant.read_account(id, kind, read)?;
    let mut body = Vec::new();
    Shape::OfKind.write(&mut body, account, tenant);
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

async fn create_technician(
    State(shared): SharedState,
    Payload(body): Payload<CreateBody>,
) -> Outcome {
    let invitation = match shared.behavior.technician_invitation {
        TechnicianInvitation::Pending => Invitation::Pending,
        TechnicianInvitation::Registered => Invitation::Registered,
    };
    create(&shared, body.technician(invitation)?)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateEndUserQuery {
    #[serde(default)]
    send_invitation: bool,
}

/// That an end user who was not invited has no `invitationStatus` is reconstructed.
async fn create_end_user(
    State(shared): SharedState,
    Parameters(query): Parameters<CreateEndUserQuery>,
    Payload(body): Payload<CreateBody>,
) -> Outcome {
    let invitation = query.send_invitation.then_some(Invitation::Pending);
    create(&shared, body.end_user(invitation)?)
}

fn create(shared: &Shared, account: NewAccount) -> Outcome {
    let kind = account.kind;
    let mut tenant = shared.tenant_mut();
    let id = tenant.create(account)?;
    show(&tenant, id, kind, ReadNumber::UP_TO_DATE)
}

async fn update_technician(
    State(shared): SharedState,
    Id(id): Id,
    Payload(patch): Payload<AccountPatch>,
) -> Outcome {
    let shown = update(&shared, id, AccountKind::Technician, patch.for_technician())?;
    Ok(match shared.behavior.patch_technician_body {
        PatchTechnicianBody::Empty => StatusCode::OK.into_response(),
        PatchTechnicianBody::Technician => shown,
    })
}

async fn update_end_user(
    State(shared): SharedState,
    Id(id): Id,
    Payload(patch): Payload<AccountPatch>,
) -> Outcome {
    update(&shared, id, AccountKind::EndUser, patch)
}

/// Changes an account, and shows it as it is then.
fn update(shared: &Shared, id: u32, kind: AccountKind, patch: AccountPatch) -> Outcome {
    patch.check()?;
    let mut tenant = shared.tenant_mut();
    tenant.update(id, kind, patch)?;
    show(&tenant, id, kind, ReadNumber::UP_TO_DATE)
}

async fn delete_technician(State(shared): SharedState, Id(id): Id) -> Result<StatusCode, Refusal> {
    shared
        .tenant_mut()
        .delete(id, AccountKind::Technician)
        .map(|()| StatusCode::NO_CONTENT)
}

async fn delete_end_user(State(shared): SharedState, Id(id): Id) -> Result<StatusCode, Refusal> {
    shared
        .tenant_mut()
        .delete(id, AccountKind::EndUser)
        .map(|()| StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RolesQuery {
    role_type: Option<Kind>,
}

async fn roles(State(shared): SharedState, Parameters(query): Parameters<RolesQuery>) -> Response {
    let kind = query.role_type.map(AccountKind::from);
    let mut roles = shared.tenant().roles().to_vec();
    roles.retain(|role| kind.is_none_or(|kind| kind == role.kind));
    listing::roles(shared, roles)
}

async fn add_members(State(shared): SharedState, Id(role): Id, body: Bytes) -> Outcome {
    let ids = member_ids(&body)?;
    shared.tenant_mut().add_members(role, &ids)?;
    role_written(shared, role)
}

async fn remove_members(State(shared): SharedState, Id(role): Id, body: Bytes) -> Outcome {
    let ids = member_ids(&body)?;
    shared.tenant_mut().remove_members(role, &ids)?;
    role_written(shared, role)
}

/// The body of add-members and remove-members: a bare array, of any content type as specified. The
/// ids should be unique; whether NinjaOne minds if they are not is not known, and no one should
/// depend on it, so they are taken as a set.
fn member_ids(body: &Bytes) -> Result<BTreeSet<u32>, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::unreadable(
            StatusCode::BAD_REQUEST,
            format!("Not an array of ids: {error}"),
        )
    })
}

fn role_written(shared: Arc<Shared>, id: u32) -> Outcome {
    if shared.behavior.role_write_body == RoleWriteBody::Empty {
        return Ok(StatusCode::OK.into_response());
    }
    let role = shared.tenant().role(id).cloned();
    let role = role.ok_or_else(|| Refusal::not_found(format!("No role {id}")))?;
    Ok(listing::role(shared, role))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrganizationsQuery {
    page_size: Option<usize>,
    after: Option<u32>,
}

/// The organizations after an id, by ascending id. Without a page size: all of them, as the
/// specification names no default.
async fn organizations(
    State(shared): SharedState,
    Parameters(query): Parameters<OrganizationsQuery>,
) -> Json<Vec<Organization>> {
    let tenant = shared.tenant();
    let after = query.after.unwrap_or(0);
    let page = tenant
        .organizations()
        .iter()
        .filter(|organization| organization.id > after);
    Json(
        page.take(query.page_size.unwrap_or(usize::MAX))
            .cloned()
            .collect(),
    )
}

/// One organization. The specification shows its locations, policies and settings too, which are
/// about devices and left out here.
async fn organization(
    State(shared): SharedState,
    Id(id): Id,
) -> Result<Json<Organization>, Refusal> {
    let tenant = shared.tenant();
    let organization = tenant.organizations().iter().find(|one| one.id == id);
    organization
        .cloned()
        .map(Json)
        .ok_or_else(|| Refusal::not_found(format!("No organization {id}")))
}

/// `newerThan` asks for higher ids and `olderThan` for lower ones, as their names say; their
/// descriptions in the specification say the opposite.
///
/// `type`, `seriesUid`, `df`, `lang`, `tz` and `sourceConfigUid` are ignored: there are no
/// activities that differ in them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ActivitiesQuery {
    #[serde(default)]
    class: ActivityClass,
    /// Codes separated by commas.
    status: Option<String>,
    /// Ids of accounts separated by commas.
    user: Option<String>,
    newer_than: Option<u64>,
    older_than: Option<u64>,
    after: Option<String>,
    before: Option<String>,
    page_size: Option<usize>,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ActivityClass {
    System,
    Device,
    User,
    #[default]
    All,
}

/// The activities, the latest first. All that are simulated are of the class USER.
///
/// 400 for a page size outside of 10 to 1,000, which the specification excludes.
async fn activities(
    State(shared): SharedState,
    Parameters(query): Parameters<ActivitiesQuery>,
) -> Result<Json<ActivitiesPage>, Refusal> {
    let filter = query.into_filter()?;
    Ok(Json(shared.tenant().activities(&filter)))
}

impl ActivitiesQuery {
    fn into_filter(self) -> Result<ActivityFilter, Refusal> {
        let page_size = self.page_size.unwrap_or(200);
        if !(10..=1000).contains(&page_size) {
            return Err(invalid_parameter("pageSize should be between 10 and 1000"));
        }
        let has_users = matches!(self.class, ActivityClass::User | ActivityClass::All);
        Ok(ActivityFilter {
            statuses: comma_separated(self.status.as_deref())
                .map(str::to_owned)
                .collect(),
            accounts: comma_separated(self.user.as_deref())
                .map(|id| {
                    id.parse()
                        .map_err(|_| invalid_parameter("user should be ids of users"))
                })
                .collect::<Result<_, _>>()?,
            newer_than: self.newer_than,
            older_than: self.older_than,
            after: self.after.as_deref().map(seconds).transpose()?,
            before: self.before.as_deref().map(seconds).transpose()?,
            limit: if has_users { page_size } else { 0 },
        })
    }
}

fn comma_separated(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

fn invalid_parameter(message: &str) -> Refusal {
    Refusal::invalid("invalid_parameter", message)
}

/// A date as seconds since 1970. The specification names no format; `2026-11-01` (midnight in UTC)
/// and seconds since 1970 are taken.
fn seconds(date: &str) -> Result<f64, Refusal> {
    if let Ok(seconds) = date.parse() {
        return Ok(seconds);
    }
    let mut parts = date.splitn(3, '-').map(str::parse::<u32>);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(year)), Some(Ok(month @ 1..=12)), Some(Ok(day @ 1..=31))) => {
            Ok(days_since_1970(year, month, day) as f64 * 86_400.0)
        }
        _ => Err(invalid_parameter(
            "dates should be like 2026-11-01, or seconds since 1970",
        )),
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that
/// the leap day is the last of a year.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let (year, months_since_march) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * months_since_march + 2) / 5;
    // 719,469 days lie between March 1 of the year 0 and 1970-01-01, counting both.
    365 * year + leap_days + days_before_month + day - 719_469
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use http::{Method, Version, header::CONTENT_TYPE};
    use serde_json::{Value, json};

    use super::{
        super::{AccountKind, Options, Quirk, Simulator, testing::Client},
        days_since_1970,
    };

    async fn start(accounts: u32) -> Client {
        Client::start(Options {
            accounts,
            ..Options::default()
        })
        .await
    }

    fn keys(record: &Value) -> HashSet<&str> {
        record
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect()
    }

    fn record(list: &Value, id: u32) -> &Value {
        let mut records = list.as_array().expect("an array").iter();
        records
            .find(|record| record["id"] == id)
            .expect("the record")
    }

    #[tokio::test]
    async fn the_api_answers_below_both_prefixes_and_over_both_versions_of_http() {
        let client = start(10).await;
        let answer = client.get("/v2/users").await;
        assert_eq!(
            (answer.status.as_u16(), answer.version),
            (200, Version::HTTP_11)
        );
        assert_eq!(client.get("/api/v2/users").await.body, answer.body);
        let over_http2 = client.get_over_http2("/v2/users").await;
        assert_eq!(
            (over_http2.version, over_http2.body),
            (Version::HTTP_2, answer.body)
        );
    }

    #[tokio::test]
    async fn every_response_has_its_own_request_id_and_a_body_is_json() {
        let client = start(10).await;
        let mut ids = HashSet::new();
        for path in [
            "/v2/users",
            "/v2/organizations",
            "/v2/activities",
            "/v2/user/roles",
            "/no",
        ] {
            let answer = client.get(path).await;
            assert!(ids.insert(answer.headers["x-nj-request-id"].clone()));
            assert_eq!(answer.headers[CONTENT_TYPE], "application/json", "{path}");
        }
    }

    #[tokio::test]
    async fn an_unknown_route_is_the_observed_404() {
        let client = start(1).await;
        for path in ["/v2/nothing", "/", "/v2/user/technician/abc"] {
            let answer = client.get(path).await;
            let expected = json!({ "resultCode": "FAILURE", "errorMessage": "HTTP 404 Not Found" });
            assert_eq!(
                (answer.status.as_u16(), answer.json()),
                (404, expected),
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn a_method_that_a_route_does_not_have_is_405() {
        let client = start(1).await;
        let answer = client.delete("/v2/users").await;
        assert_eq!(answer.error(), (405, "HTTP 405 Method Not Allowed".into()));
    }

    #[tokio::test]
    async fn a_technician_in_users_has_the_fields_of_the_captured_record() {
        let client = start(1).await;
        let users = client.get("/v2/users").await.json();
        let captured = HashSet::from([
            "id",
            "uid",
            "firstName",
            "lastName",
            "email",
            "phone",
            "enabled",
            "administrator",
            "permitAllClients",
            "notifyAllClients",
            "mustChangePw",
            "mfaConfigured",
            "userType",
            "invitationStatus",
            "organizationId",
            "tags",
            "fields",
        ]);
        assert_eq!(keys(&users[0]), captured);
        assert_eq!(
            (&users[0]["organizationId"], &users[0]["tags"]),
            (&Value::Null, &Value::Null)
        );
    }

    #[tokio::test]
    async fn technicians_and_end_users_have_the_fields_of_their_own_schemas() {
        let client = start(100).await;
        let technicians = client.get("/v2/user/technicians").await.json();
        let id = client.plain(AccountKind::Technician).id;
        let technician = keys(record(&technicians, id));
        assert!(technician.contains("administrator") && technician.contains("scimUser"));
        assert!(!technician.contains("organizationId") && !technician.contains("roles"));

        let end_users = client.get("/v2/user/end-users").await.json();
        let id = client.plain(AccountKind::EndUser).id;
        let end_user = keys(record(&end_users, id));
        assert!(end_user.contains("accessibleDeviceIds") && end_user.contains("authType"));
        assert!(!end_user.contains("userType") && !end_user.contains("administrator"));
    }

    #[tokio::test]
    async fn users_can_be_filtered_by_kind_and_show_roles_on_request() {
        let client = start(100).await;
        for kind in ["TECHNICIAN", "END_USER"] {
            let path = format!("/v2/users?userType={kind}&includeRoles=true");
            let users = client.get(&path).await.json();
            let users = users.as_array().unwrap();
            assert!(
                users
                    .iter()
                    .all(|user| user["userType"] == kind && user["roles"].is_array())
            );
            assert!(users.iter().any(|user| user["roles"][0].is_string()));
        }
        assert_eq!(client.get("/v2/users?userType=ROBOT").await.status, 400);
    }

    #[tokio::test]
    async fn records_may_lack_fields_or_have_unknown_ones() {
        let client = start(100).await;
        let users = client.get("/v2/users").await.json();
        let with = |quirk: Quirk| client.ids(|account| account.quirk == quirk)[0];
        assert!(!keys(record(&users, with(Quirk::MissingFields))).contains("mfaConfigured"));
        assert!(keys(record(&users, with(Quirk::UnknownFields))).contains("timeZone"));
        let statuses = client.get("/v2/users").await;
        assert!(
            statuses
                .text()
                .contains(r#""invitationStatus":"AWAITING_APPROVAL""#)
        );
    }

    #[tokio::test]
    async fn roles_have_a_type_and_can_be_filtered_by_it() {
        let client = start(100).await;
        let all = client.get("/v2/user/roles").await.json();
        let names = HashSet::from(["id", "name", "type", "description", "members"]);
        assert_eq!(keys(&all[0]), names);
        let technician = client
            .get("/v2/user/roles?roleType=TECHNICIAN")
            .await
            .json();
        let technician = technician.as_array().unwrap();
        assert!(technician.iter().all(|role| role["type"] == "TECHNICIAN"));
        assert!(!technician.is_empty() && technician.len() < all.as_array().unwrap().len());
    }

    #[tokio::test]
    async fn organizations_are_paged_by_the_last_id() {
        let options = Options {
            organizations: Some(25),
            ..Options::default()
        };
        let client = Client::start(options).await;
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("/v2/organizations?pageSize=10&after={after}");
            let page: Vec<Value> =
                serde_json::from_slice(&client.get(&path).await.body).expect("an array");
            seen.extend(
                page.iter()
                    .map(|organization| organization["id"].as_u64().unwrap()),
            );
            if page.len() < 10 {
                break;
            }
            after = *seen.last().unwrap();
        }
        assert_eq!(seen.len(), 25);
    }

    #[tokio::test]
    async fn an_organization_is_found_by_its_id_or_not() {
        let client = start(50).await;
        let all = client.get("/v2/organizations").await.json();
        let id = &all[0]["id"];
        let one = client.get(&format!("/v2/organization/{id}")).await;
        assert_eq!(one.json(), all[0]);
        let none = client.get("/v2/organization/999999").await;
        assert_eq!(none.status, 404);
    }

    #[tokio::test]
    async fn logins_of_registered_accounts_are_in_the_activities() {
        let client = start(200).await;
        let path = "/v2/activities?class=USER&status=APP_USER_LOGGED_IN,END_USER_LOGGED_IN";
        let page = client.get(path).await.json();
        let activities = page["activities"].as_array().unwrap();
        assert!(activities.len() > 50);
        let times: Vec<_> = activities
            .iter()
            .map(|a| a["activityTime"].as_f64().unwrap())
            .collect();
        assert!(times.is_sorted_by(|a, b| a > b), "the latest first");

        let user = &activities[0]["userId"];
        let of_user = client.get(&format!("{path}&user={user}")).await.json();
        assert!(
            of_user["activities"]
                .as_array()
                .unwrap()
                .iter()
                .all(|a| a["userId"] == *user)
        );
        let devices = client.get("/v2/activities?class=DEVICE").await.json();
        assert_eq!(devices["activities"], json!([]));
    }

    #[tokio::test]
    async fn activities_are_paged_by_older_than_and_bounded_by_newer_than() {
        let client = start(500).await;
        let ids = async |query: &str| {
            let page = client
                .get(&format!("/v2/activities?pageSize=10&{query}"))
                .await
                .json();
            let activities = page["activities"].as_array().unwrap().clone();
            activities
                .iter()
                .map(|a| a["id"].as_u64().unwrap())
                .collect::<Vec<_>>()
        };
        let first = ids("").await;
        let oldest = first[9];
        assert_eq!(ids(&format!("olderThan={oldest}")).await[0], oldest - 1);
        assert_eq!(ids(&format!("newerThan={oldest}")).await, first[..9]);
    }

    #[tokio::test]
    async fn activities_can_be_bounded_by_date() {
        let client = start(500).await;
        let count = async |query: &str| {
            let page = client
                .get(&format!("/v2/activities?pageSize=1000&{query}"))
                .await
                .json();
            page["activities"].as_array().unwrap().len()
        };
        let all = count("").await;
        let (before, after) = (
            count("before=2026-10-01").await,
            count("after=2026-10-01").await,
        );
        assert!(before > 0 && after > 0, "{before} and {after}");
        assert_eq!(before + after, all);
        assert_eq!(
            client.get("/v2/activities?before=yesterday").await.status,
            400
        );
    }

    #[tokio::test]
    async fn a_page_of_activities_has_10_to_1000() {
        let client = start(10).await;
        for (size, status) in [(9, 400), (10, 200), (1000, 200), (1001, 400)] {
            let answer = client.get(&format!("/v2/activities?pageSize={size}")).await;
            assert_eq!(answer.status, status, "{size}");
        }
    }

    #[test]
    fn dates_are_counted_from_1970() {
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        assert_eq!(days_since_1970(2000, 2, 29), 11_016);
        assert_eq!(days_since_1970(2000, 3, 1), 11_017);
        assert_eq!(days_since_1970(2026, 11, 1) * 86_400, 1_793_491_200);
    }

    #[tokio::test]
    async fn the_log_shows_what_arrived_and_how_it_was_answered() {
        let client = start(10).await;
        let answer = client
            .patch("/v2/user/role/999/add-members?x=1", json!([7]))
            .await;
        let writes = client.simulator.writes();
        let [write] = writes.as_slice() else {
            panic!("one write, not {writes:?}")
        };
        assert_eq!(
            (&write.method, write.status),
            (&Method::PATCH, Some(answer.status))
        );
        assert_eq!(
            (write.path.as_str(), write.query.as_deref()),
            ("/v2/user/role/999/add-members", Some("x=1"),)
        );
        assert_eq!(write.json(), Some(json!([7])));
        assert_eq!(answer.headers["x-nj-request-id"], write.request_id);
        assert_eq!(
            client.simulator.request_count(),
            2,
            "the token and the write"
        );
    }

    #[tokio::test]
    async fn a_body_of_more_than_a_mebibyte_is_413() {
        let client = start(1).await;
        let ids = json!(vec![1_000_000; 200_000]);
        let answer = client.patch("/v2/user/role/1/add-members", ids).await;
        assert_eq!(answer.status, 413);
    }

    #[tokio::test]
    async fn a_request_takes_at_least_the_latency() {
        let latency = Duration::from_millis(30);
        let begin = std::time::Instant::now();
        Client::start(Options {
            latency,
            ..Options::default()
        })
        .await
        .get("/v2/users")
        .await;
        assert!(
            begin.elapsed() >= 2 * latency,
            "for the token and for the users"
        );
    }

    #[tokio::test]
    async fn a_dropped_simulator_stops_listening() {
        let simulator = Simulator::start(Options::default()).await.unwrap();
        let address = simulator.address;
        drop(simulator);
        // The server has to be scheduled to see that it is to stop.
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(address).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("still listening after a second");
    }
}
