//! What NinjaOne sends and takes, field by field.
//!
//! Any field may be missing or null ("Users (accounts)" in `docs/ninjaone-api.md`): each is an `Option`. Fields that the contract
//! has no place for, known to the API's documentation or not, are kept in `rest` under their own names, and so is a known field of
//! another type than expected: nothing that was sent is lost, and only an identifier is indispensable.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::object::{self, FromJson, Object, Place, Places, Rest};

/// Identifies a user, a role or an organization: an `int32` that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Id(u32);

impl Id {
    /// Reads an identifier as the contract has it: decimal digits, without sign, space or leading zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let number: u64 = text.parse().ok()?;
        let id = Id(u32::try_from(number).ok()?);
        (id.0 <= i32::MAX as u32 && id.to_string() == text).then_some(id)
    }

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As a number or as text; 5.0 is a whole number too.
impl FromJson for Id {
    fn from_json(json: &RawValue) -> Option<Self> {
        let number = u32::try_from(i64::from_json(json)?).ok()?;
        (number <= i32::MAX as u32).then_some(Id(number))
    }
}

/// A point in time, which NinjaOne writes as seconds since 1970 with a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Milliseconds since 1970.
    pub milliseconds: i64,
}

impl FromJson for Time {
    fn from_json(json: &RawValue) -> Option<Self> {
        let milliseconds = object::thousandths(json.get())?;
        Some(Time { milliseconds })
    }
}

/// What an object of NinjaOne's is read into.
pub trait Record: Places + Default {
    /// What it is, in a word.
    const NAME: &'static str;
}

/// A user: `User`, `Technician` or `EndUser` of the API, which differ in what they tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// Identifies the user among users of both types.
    pub id: Option<Id>,
    /// A UUID.
    pub uid: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// E-mail address, by which the user signs in.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Whether the user may sign in.
    pub enabled: Option<bool>,
    /// Whether the user is a System Administrator; technicians only.
    pub administrator: Option<bool>,
    /// Whether the password has to be changed at the next sign-in.
    pub must_change_password: Option<bool>,
    /// Whether at least one MFA method is configured.
    pub mfa_configured: Option<bool>,
    /// `TECHNICIAN` or `END_USER`; not sent by the endpoints for end users alone.
    pub user_type: Option<String>,
    /// `REGISTERED`, `PENDING` or `EXPIRED`.
    pub invitation_status: Option<String>,
    /// The organization of an end user.
    pub organization_id: Option<Id>,
    /// Whether SCIM created the user; only from the endpoints for one type of user.
    pub scim_user: Option<bool>,
    /// "Native or SSO authentication"; only from the endpoints for one type of user.
    pub auth_type: Option<String>,
    /// Every other field, and those of another type than expected.
    pub rest: Rest,
}

impl Record for User {
    const NAME: &'static str = "user";
}

impl Places for User {
    fn place(&mut self, name: &str) -> Option<&mut dyn Place> {
        Some(match name {
            "id" => &mut self.id,
            "uid" => &mut self.uid,
            "firstName" => &mut self.first_name,
            "lastName" => &mut self.last_name,
            "email" => &mut self.email,
            "phone" => &mut self.phone,
            "enabled" => &mut self.enabled,
            "administrator" => &mut self.administrator,
            "mustChangePw" => &mut self.must_change_password,
            "mfaConfigured" => &mut self.mfa_configured,
            "userType" => &mut self.user_type,
            "invitationStatus" => &mut self.invitation_status,
            "organizationId" => &mut self.organization_id,
            "scimUser" => &mut self.scim_user,
            "authType" => &mut self.auth_type,
            _ => return None,
        })
    }

    fn rest(&mut self) -> &mut Rest {
        &mut self.rest
    }
}

/// A user role, without its members: those are read by the connector member by member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserRole {
    /// Identifies the role.
    pub id: Option<Id>,
    /// Its name.
    pub name: Option<String>,
    /// The type of user that it is for: `TECHNICIAN` or `END_USER` (the API documents no list of values).
    pub role_type: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Every other field, and those of another type than expected.
    pub rest: Rest,
}

impl Record for UserRole {
    const NAME: &'static str = "role";
}

impl Places for UserRole {
    fn place(&mut self, name: &str) -> Option<&mut dyn Place> {
        Some(match name {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "type" => &mut self.role_type,
            "description" => &mut self.description,
            _ => return None,
        })
    }

    fn rest(&mut self) -> &mut Rest {
        &mut self.rest
    }
}

/// A user as a member of a role.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoleMember {
    /// Identifies the user.
    pub id: Option<Id>,
    /// "Source of role assignment"; the API documents no list of values.
    pub source: Option<String>,
    /// Every other field, and those of another type than expected.
    pub rest: Rest,
}

impl Record for RoleMember {
    const NAME: &'static str = "member";
}

impl Places for RoleMember {
    fn place(&mut self, name: &str) -> Option<&mut dyn Place> {
        Some(match name {
            "id" => &mut self.id,
            "source" => &mut self.source,
            _ => return None,
        })
    }

    fn rest(&mut self) -> &mut Rest {
        &mut self.rest
    }
}

/// An organization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Organization {
    /// Identifies the organization.
    pub id: Option<Id>,
    /// Its full name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Every other field, and those of another type than expected.
    pub rest: Rest,
}

impl Record for Organization {
    const NAME: &'static str = "organization";
}

impl Places for Organization {
    fn place(&mut self, name: &str) -> Option<&mut dyn Place> {
        Some(match name {
            "id" => &mut self.id,
            "name" => &mut self.name,
            "description" => &mut self.description,
            _ => return None,
        })
    }

    fn rest(&mut self) -> &mut Rest {
        &mut self.rest
    }
}

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    /// Identifies the activity; later ones have greater identifiers.
    pub id: Option<i64>,
    /// When it happened.
    pub time: Option<Time>,
    /// The code for what happened, such as `APP_USER_CREATED`.
    pub status_code: Option<String>,
    /// The user it happened to, or who did it; which of the two is not documented.
    pub user_id: Option<Id>,
    /// A sentence about it.
    pub message: Option<String>,
    /// Every other field, and those of another type than expected.
    pub rest: Rest,
}

impl Record for Activity {
    const NAME: &'static str = "activity";
}

impl Places for Activity {
    fn place(&mut self, name: &str) -> Option<&mut dyn Place> {
        Some(match name {
            "id" => &mut self.id,
            "activityTime" => &mut self.time,
            "statusCode" => &mut self.status_code,
            "userId" => &mut self.user_id,
            "message" => &mut self.message,
            _ => return None,
        })
    }

    fn rest(&mut self) -> &mut Rest {
        &mut self.rest
    }
}

/// The types of user, which decide the endpoint and the roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserType {
    /// Works with NinjaOne.
    Technician,
    /// Is served through NinjaOne.
    EndUser,
}

impl UserType {
    /// Both.
    pub const ALL: [UserType; 2] = [UserType::Technician, UserType::EndUser];

    /// As the API writes it.
    pub fn as_api(self) -> &'static str {
        match self {
            UserType::Technician => "TECHNICIAN",
            UserType::EndUser => "END_USER",
        }
    }

    /// The type that the API writes so; `None` for one that is not known here.
    pub fn from_api(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|user_type| user_type.as_api() == text)
    }
}

/// The body of `POST /v2/user/technicians` and of `POST /v2/user/end-users`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateUser {
    /// 1 to 150 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// 1 to 150 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// End users only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Id>,
    /// End users only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_portal_access: Option<bool>,
}

/// The body of `PATCH /v2/user/technician/{id}` and of `PATCH /v2/user/end-user/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUser {
    /// 1 to 150 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// 1 to 150 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// End users only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<Id>,
    /// End users only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_portal_access: Option<bool>,
}

/// The answer of the token endpoint. Has a secret in it: never log or keep one.
///
/// All but the token itself is for information, and servers differ in how they write it.
#[derive(Default)]
pub struct TokenAnswer {
    /// The token.
    pub access_token: Option<String>,
    /// For how long it is good.
    pub expires_in: Option<Lifetime>,
    /// The scopes that were granted, in one text or in several.
    pub scope: Option<Scopes>,
    /// Whether something was said of the scopes, if only in a way that tells none.
    pub has_scope: bool,
    /// Always `Bearer`, as far as is known.
    pub token_type: Option<String>,
}

impl TokenAnswer {
    /// Reads it; `None` where it is no object.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let sent = Object::parse(str::from_utf8(body).ok()?)?;
        Some(TokenAnswer {
            has_scope: sent.has("scope"),
            access_token: sent.get("access_token"),
            expires_in: sent.get("expires_in"),
            scope: sent.get("scope"),
            token_type: sent.get("token_type"),
        })
    }
}

/// For how long a token is good: a number of seconds, however it is written, also as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// In milliseconds; more than none.
    pub milliseconds: u64,
}

impl FromJson for Lifetime {
    fn from_json(json: &RawValue) -> Option<Self> {
        let text = object::text(json.get());
        let number = text.as_deref().unwrap_or(json.get()).trim();
        let milliseconds = u64::try_from(object::thousandths(number)?).ok()?;
        (milliseconds > 0).then_some(Lifetime { milliseconds })
    }
}

/// Scopes, in one text or in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(pub Vec<String>);

impl FromJson for Scopes {
    fn from_json(json: &RawValue) -> Option<Self> {
        match String::from_json(json) {
            Some(text) => Some(Scopes(vec![text])),
            None => serde_json::from_str(json.get()).ok().map(Scopes),
        }
    }
}

/// A failure, in whichever of the observed shapes ("Errors" in `docs/ninjaone-api.md`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FailureBody {
    /// `error` of the authentication layer, or else `resultCode` of the application.
    pub code: Option<String>,
    /// `error_code` of the authentication layer.
    pub auth_code: Option<i64>,
    /// A sentence: `error_description`, or `errorMessage` where it is text.
    pub message: Option<String>,
    /// `code` of `errorMessage` where that is an object.
    pub message_code: Option<String>,
    /// `incidentId`.
    pub incident_id: Option<String>,
}

impl FailureBody {
    /// Reads what can be read; a body of no known shape gives no fields. A sentence in another encoding than UTF-8 does not hide the
    /// codes beside it.
    pub fn parse(body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let Some(sent) = Object::parse(&body) else {
            // A bare string has been seen as a failure body too.
            let message = serde_json::from_str::<&RawValue>(&body).ok();
            return FailureBody {
                message: message.and_then(String::from_json),
                ..FailureBody::default()
            };
        };
        FailureBody {
            code: sent.get("error").or_else(|| sent.get("resultCode")),
            auth_code: sent.get("error_code"),
            message: sent
                .get("error_description")
                .or_else(|| sent.get("errorMessage")),
            message_code: sent
                .object("errorMessage")
                .and_then(|object| object.get("code")),
            incident_id: sent.get("incidentId"),
        }
    }

    /// Whether this failure names a code, in any of the places where codes stand: by itself, or as a word of a sentence.
    pub fn names(&self, code: &str) -> bool {
        [&self.code, &self.message_code, &self.message]
            .into_iter()
            .flatten()
            .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .any(|word| word == code)
    }
}
