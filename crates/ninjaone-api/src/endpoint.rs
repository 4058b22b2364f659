//! The endpoints in use, and what each takes to be allowed: the one table of them, for the calls and for whoever describes them.
//!
//! The scopes are those of the one published guide to a connector of this kind; what each endpoint enforces is not known
//! ("OAuth 2.0 client credentials" in `docs/ninjaone-api.md`).

use std::fmt;

use crate::http::Method;
use crate::wire::{Id, UserType};

/// Reads accounts, organizations and activities.
pub const MONITORING: &str = "monitoring";
/// Reads roles and who holds them; creates, changes and deletes accounts.
pub const MANAGEMENT: &str = "management";
/// Gives and takes roles.
pub const CONTROL: &str = "control";

/// The scopes that NinjaOne has.
pub const SCOPES: [&str; 3] = [MONITORING, MANAGEMENT, CONTROL];

/// An endpoint of NinjaOne's API.
#[derive(Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path, with `{id}` where an identifier stands.
    pub path: &'static str,
    /// The scope that allows it, as far as NinjaOne tells.
    pub scope: &'static str,
    /// What the API documents a 403 of it to mean, beyond a missing scope: what to do about it.
    pub also_needed: Option<&'static str>,
}

impl Endpoint {
    const fn new(method: Method, path: &'static str, scope: &'static str) -> Self {
        Endpoint {
            method,
            path,
            scope,
            also_needed: None,
        }
    }

    /// The API documents the 403 of these as "Must be a System Administrator".
    const fn of_technicians(method: Method, path: &'static str) -> Self {
        Endpoint {
            also_needed: Some("see to it that the application was made by a System Administrator"),
            ..Endpoint::new(method, path, MANAGEMENT)
        }
    }

    /// Its path for one entity.
    pub(crate) fn path_of(&self, id: Id) -> String {
        self.path.replace("{id}", &id.to_string())
    }
}

/// As method and path.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Gives a token for the client's id and secret. Documented by NinjaOne; `/oauth/token` answers too.
pub const TOKEN: Endpoint = Endpoint::new(Method::Post, "/ws/oauth/token", MONITORING);

/// All users of a type, or of both.
pub const USERS: Endpoint = Endpoint::new(Method::Get, "/v2/users", MONITORING);
/// All technicians, in detail.
pub const TECHNICIANS: Endpoint = Endpoint::new(Method::Get, "/v2/user/technicians", MONITORING);
/// All end users, in detail.
pub const END_USERS: Endpoint = Endpoint::new(Method::Get, "/v2/user/end-users", MONITORING);
/// One technician.
pub const TECHNICIAN: Endpoint = Endpoint::new(Method::Get, "/v2/user/technician/{id}", MONITORING);
/// One end user.
pub const END_USER: Endpoint = Endpoint::new(Method::Get, "/v2/user/end-user/{id}", MONITORING);

/// Creates a technician.
pub const CREATE_TECHNICIAN: Endpoint =
    Endpoint::of_technicians(Method::Post, "/v2/user/technicians");
/// Creates an end user.
pub const CREATE_END_USER: Endpoint = Endpoint::new(Method::Post, "/v2/user/end-users", MANAGEMENT);
/// Changes a technician.
pub const UPDATE_TECHNICIAN: Endpoint =
    Endpoint::of_technicians(Method::Patch, "/v2/user/technician/{id}");
/// Changes an end user.
pub const UPDATE_END_USER: Endpoint =
    Endpoint::new(Method::Patch, "/v2/user/end-user/{id}", MANAGEMENT);
/// Deletes a technician.
pub const DELETE_TECHNICIAN: Endpoint =
    Endpoint::of_technicians(Method::Delete, "/v2/user/technician/{id}");
/// Deletes an end user.
pub const DELETE_END_USER: Endpoint =
    Endpoint::new(Method::Delete, "/v2/user/end-user/{id}", MANAGEMENT);

/// All roles for a type of user, or for both, with their members.
pub const ROLES: Endpoint = Endpoint::new(Method::Get, "/v2/user/roles", MANAGEMENT);
/// Adds members to a role.
pub const ADD_MEMBERS: Endpoint =
    Endpoint::new(Method::Patch, "/v2/user/role/{id}/add-members", CONTROL);
/// Removes members from a role.
pub const REMOVE_MEMBERS: Endpoint =
    Endpoint::new(Method::Patch, "/v2/user/role/{id}/remove-members", CONTROL);

/// Organizations, in pages.
pub const ORGANIZATIONS: Endpoint = Endpoint::new(Method::Get, "/v2/organizations", MONITORING);
/// One organization.
pub const ORGANIZATION: Endpoint = Endpoint::new(Method::Get, "/v2/organization/{id}", MONITORING);
/// What happened, newest first, in pages.
pub const ACTIVITIES: Endpoint = Endpoint::new(Method::Get, "/v2/activities", MONITORING);

/// The endpoints for users of one type.
pub(crate) struct OfType {
    pub(crate) list: &'static Endpoint,
    pub(crate) read: &'static Endpoint,
    pub(crate) create: &'static Endpoint,
    pub(crate) update: &'static Endpoint,
    pub(crate) delete: &'static Endpoint,
}

impl OfType {
    pub(crate) fn of(user_type: UserType) -> &'static Self {
        match user_type {
            UserType::Technician => &OfType {
                list: &TECHNICIANS,
                read: &TECHNICIAN,
                create: &CREATE_TECHNICIAN,
                update: &UPDATE_TECHNICIAN,
                delete: &DELETE_TECHNICIAN,
            },
            UserType::EndUser => &OfType {
                list: &END_USERS,
                read: &END_USER,
                create: &CREATE_END_USER,
                update: &UPDATE_END_USER,
                delete: &DELETE_END_USER,
            },
        }
    }
}
