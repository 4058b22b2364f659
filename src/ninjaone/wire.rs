//! What NinjaOne sends and takes, field by field.
//!
//! Any field may be missing or null ("Users (accounts)" in `docs/ninjaone-api.md`): each is an `Option`, and a null is as good
//! as missing. Fields that the contract has no place for, known to the API's documentation or not, are kept in `extra` under
//! their own names, so that nothing that was sent is lost. A known field of another JSON type than expected is an error.

use std::borrow::Cow;
use std::fmt;

use super::value::{self, Fields, FromJson, Value};

/// Identifies a user, a role or an organization: an `int32` that is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl FromJson for Id {
    const KIND: &'static str = "an identifier of NinjaOne's";

    fn from_json(value: Value<'_>) -> Option<Self> {
        Id::parse(value.json())
    }
}

/// A point in time, which NinjaOne writes as seconds since 1970 with a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Milliseconds since 1970.
    pub milliseconds: i64,
}

impl FromJson for Time {
    const KIND: &'static str = "a number of seconds";

    fn from_json(value: Value<'_>) -> Option<Self> {
        let milliseconds = value.thousandths()?;
        Some(Time { milliseconds })
    }
}

/// An object that is read field by field.
pub trait Object: Default {
    /// Takes a field that is not null; or says that it is not what it should be. Of a field that comes twice, the last counts.
    fn take(&mut self, name: Cow<'_, str>, value: Value<'_>) -> Result<(), String>;

    /// Reads it from its text; or says what is wrong with that.
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut object = Self::default();
        value::read_object(text, &mut |name, value| object.take(name, value))?;
        Ok(object)
    }
}

/// Defines an object of NinjaOne's: the fields that are known here, and `extra` for all others.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// Every other field that was sent and is not null, by name, as JSON text, in the order in which it was sent.
            pub extra: Vec<(String, String)>,
        }

        impl Object for $name {
            fn take(&mut self, name: Cow<'_, str>, value: Value<'_>) -> Result<(), String> {
                match &*name {
                    $($key => FromJson::read_field(&mut self.$field, &name, value),)*
                    _ => {
                        self.extra.push((name.into_owned(), value.json().to_string()));
                        Ok(())
                    }
                }
            }
        }
    };
}

object! {
    /// A user: `User`, `Technician` or `EndUser` of the API, which differ in what they tell.
    User {
        /// Identifies the user among users of both types.
        id: Id = "id",
        /// A UUID.
        uid: String = "uid",
        /// Given name.
        first_name: String = "firstName",
        /// Family name.
        last_name: String = "lastName",
        /// E-mail address, by which the user signs in.
        email: String = "email",
        /// Telephone number.
        phone: String = "phone",
        /// Whether the user may sign in.
        enabled: bool = "enabled",
        /// Whether the user is a System Administrator; technicians only.
        administrator: bool = "administrator",
        /// Whether the password has to be changed at the next sign-in.
        must_change_password: bool = "mustChangePw",
        /// Whether at least one MFA method is configured.
        mfa_configured: bool = "mfaConfigured",
        /// `TECHNICIAN` or `END_USER`; not sent by the endpoints for end users alone.
        user_type: String = "userType",
        /// `REGISTERED`, `PENDING` or `EXPIRED`.
        invitation_status: String = "invitationStatus",
        /// The organization of an end user.
        organization_id: Id = "organizationId",
        /// Whether SCIM created the user; only from the endpoints for one type of user.
        scim_user: bool = "scimUser",
        /// "Native or SSO authentication"; only from the endpoints for one type of user.
        auth_type: String = "authType",
    }
}

object! {
    /// A user role, without its members: those are read by [`super::RoleEvents`].
    UserRole {
        /// Identifies the role.
        id: Id = "id",
        /// Its name.
        name: String = "name",
        /// The type of user that it is for: `TECHNICIAN` or `END_USER` (the API documents no list of values).
        role_type: String = "type",
        /// What it is for.
        description: String = "description",
    }
}

object! {
    /// A user as a member of a role.
    RoleMember {
        /// Identifies the user.
        id: Id = "id",
        /// "Source of role assignment"; the API documents no list of values.
        source: String = "source",
    }
}

object! {
    /// An organization.
    Organization {
        /// Identifies the organization.
        id: Id = "id",
        /// Its full name.
        name: String = "name",
        /// What it is.
        description: String = "description",
    }
}

object! {
    /// Something that happened.
    Activity {
        /// Identifies the activity; later ones have greater identifiers.
        id: i64 = "id",
        /// When it happened.
        time: Time = "activityTime",
        /// The code for what happened, such as `APP_USER_CREATED`.
        status_code: String = "statusCode",
        /// The user it happened to, or who did it; which of the two is not documented.
        user_id: Id = "userId",
        /// A sentence about it.
        message: String = "message",
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateUser {
    /// 1 to 150 characters.
    pub first_name: Option<String>,
    /// 1 to 150 characters.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// End users only.
    pub organization_id: Option<Id>,
    /// End users only.
    pub full_portal_access: Option<bool>,
}

impl CreateUser {
    /// As JSON.
    pub(crate) fn to_json(&self) -> String {
        value::object(&[
            ("firstName", self.first_name.as_deref().map(value::quoted)),
            ("lastName", self.last_name.as_deref().map(value::quoted)),
            ("email", self.email.as_deref().map(value::quoted)),
            ("phone", self.phone.as_deref().map(value::quoted)),
            (
                "organizationId",
                self.organization_id.map(|id| id.to_string()),
            ),
            (
                "fullPortalAccess",
                self.full_portal_access.map(|access| access.to_string()),
            ),
        ])
    }
}

/// The body of `PATCH /v2/user/technician/{id}` and of `PATCH /v2/user/end-user/{id}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateUser {
    /// 1 to 150 characters.
    pub first_name: Option<String>,
    /// 1 to 150 characters.
    pub last_name: Option<String>,
    /// End users only.
    pub organization_id: Option<Id>,
    /// End users only.
    pub full_portal_access: Option<bool>,
}

impl UpdateUser {
    /// As JSON.
    pub(crate) fn to_json(&self) -> String {
        value::object(&[
            ("firstName", self.first_name.as_deref().map(value::quoted)),
            ("lastName", self.last_name.as_deref().map(value::quoted)),
            (
                "organizationId",
                self.organization_id.map(|id| id.to_string()),
            ),
            (
                "fullPortalAccess",
                self.full_portal_access.map(|access| access.to_string()),
            ),
        ])
    }
}

object! {
    /// The answer of the token endpoint. Has a secret in it: never log or keep one.
    ///
    /// All but the token itself is for information, and servers differ in how they write it: a value of another type than
    /// expected is not known, and no error.
    TokenAnswer {
        /// The token.
        access_token: String = "access_token",
        /// For how long it is good.
        expires_in: Option<Lifetime> = "expires_in",
        /// The scopes that were granted.
        scope: Option<Scopes> = "scope",
        /// Always `Bearer`, as far as is known.
        token_type: Option<String> = "token_type",
    }
}

/// For how long a token is good: a number of seconds, however it is written, also as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// In milliseconds; more than none.
    pub milliseconds: u64,
}

impl FromJson for Lifetime {
    const KIND: &'static str = "a number of seconds";

    fn from_json(value: Value<'_>) -> Option<Self> {
        let text = value.text();
        let number = match &text {
            Some(text) => Value::parse(text.trim().as_bytes()).ok()?,
            None => value,
        };
        let milliseconds = u64::try_from(number.thousandths()?).ok()?;
        (milliseconds > 0).then_some(Lifetime { milliseconds })
    }
}

/// Scopes, in one text or in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(pub Vec<String>);

impl FromJson for Scopes {
    const KIND: &'static str = "text, or a list of texts";

    fn from_json(value: Value<'_>) -> Option<Self> {
        match value.text() {
            Some(text) => Some(Scopes(vec![text])),
            None => value.texts().map(Scopes),
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
    /// Reads what can be read; a body of no known shape gives no fields.
    pub fn parse(body: &[u8]) -> Self {
        let Ok(fields) = Fields::parse(body) else {
            // A bare string has been seen as a failure body too.
            let message = Value::parse(body).ok().and_then(Value::text);
            return FailureBody {
                message,
                ..FailureBody::default()
            };
        };
        let message_object = fields
            .get("errorMessage")
            .and_then(|value| Fields::parse(value.json().as_bytes()).ok());
        FailureBody {
            code: fields.text("error").or_else(|| fields.text("resultCode")),
            auth_code: fields.get("error_code").and_then(Value::integer),
            message: fields
                .text("error_description")
                .or_else(|| fields.text("errorMessage")),
            message_code: message_object.and_then(|object| object.text("code")),
            incident_id: fields.text("incidentId"),
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
