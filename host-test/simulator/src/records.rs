//! The JSON records of accounts and of members of roles, written straight from the model.
//!
//! The field sets of `User`, `Technician` and `EndUser` differ as in the specification; that of a
//! technician in `User` is as in the one captured record. `roles` only appears in `User`: the other
//! lists have no parameter to ask for it.

use serde::Serialize;

use super::{
    Account, AccountKind, Authentication, Email, Invitation, Phone, Quirk, Source, Uid,
    tenant::Tenant,
};

/// Which of the API's record shapes an account is shown in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// `User`, of `/v2/users`.
    User {
        /// Whether it has `roles`.
        with_roles: bool,
    },
    /// `Technician` or `EndUser`, of `/v2/user/…`.
    OfKind,
}

impl Shape {
    /// Appends the record of an account to `out`.
    pub(super) fn write(self, out: &mut Vec<u8>, account: &Account, tenant: &Tenant) {
        match (self, account.kind) {
            (Self::User { with_roles }, _) => {
                append(out, &User::new(account, with_roles.then_some(tenant)));
            }
            (Self::OfKind, AccountKind::Technician) => append(out, &Technician::new(account)),
            (Self::OfKind, AccountKind::EndUser) => append(out, &EndUser::new(account)),
        }
    }
}

/// Appends a value as JSON.
pub(super) fn append(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value)
        .expect("writing to memory cannot fail, and no type of the wire has keys but field names");
}

/// What the three records have in common.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Person<'a> {
    id: u32,
    uid: Uid,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    email: &'a Email,
    /// The outer `None` leaves the field out, the inner one is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Option<&'a Phone>>,
    enabled: bool,
    must_change_pw: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_configured: Option<bool>,
    /// The outer `None` leaves the field out, the inner one is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation_status: Option<Option<Invitation>>,
    #[serde(flatten)]
    unknown: Option<UnknownFields>,
}

/// Fields that the specification does not have, made up.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnknownFields {
    time_zone: &'static str,
    preferences: Preferences,
}

#[derive(Serialize)]
struct Preferences {
    theme: &'static str,
    favorites: [u32; 2],
}

impl<'a> Person<'a> {
    fn new(account: &'a Account) -> Self {
        let complete = account.quirk != Quirk::MissingFields;
        let unknown = UnknownFields {
            time_zone: "Pacific/Auckland",
            preferences: Preferences {
                theme: "dark",
                favorites: [1, 2],
            },
        };
        Self {
            id: account.id,
            uid: account.uid,
            first_name: account.first_name.as_deref(),
            last_name: account.last_name.as_deref(),
            email: &account.email,
            phone: complete.then_some(account.phone.as_ref()),
            enabled: account.enabled,
            must_change_pw: account.must_change_password,
            mfa_configured: complete.then_some(account.mfa_configured),
            invitation_status: complete.then_some(account.invitation),
            unknown: (account.quirk == Quirk::UnknownFields).then_some(unknown),
        }
    }
}

/// No devices are simulated.
type NoDevices = [u32; 0];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct User<'a> {
    #[serde(flatten)]
    person: Person<'a>,
    administrator: bool,
    permit_all_clients: bool,
    notify_all_clients: bool,
    user_type: AccountKind,
    organization_id: Option<u32>,
    /// Not in the specification; null in the captured record.
    tags: (),
    /// Not in the specification; null in the captured record.
    fields: (),
    /// Of end users, as is the next one: the captured technician has neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_ids: Option<NoDevices>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_device_ids: Option<NoDevices>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<&'a str>>,
}

impl<'a> User<'a> {
    /// With a tenant to look up the names in, the record has `roles`.
    fn new(account: &'a Account, roles_of: Option<&'a Tenant>) -> Self {
        let devices = (account.kind == AccountKind::EndUser).then_some([]);
        let role_names = |tenant: &'a Tenant| {
            let roles = account
                .memberships
                .iter()
                .filter_map(|held| tenant.role(held.role));
            roles.map(|role| role.name.as_str()).collect()
        };
        Self {
            person: Person::new(account),
            administrator: account.administrator,
            permit_all_clients: account.permit_all_clients,
            notify_all_clients: account.notify_all_clients,
            user_type: account.kind,
            organization_id: account.organization,
            tags: (),
            fields: (),
            device_ids: devices,
            assigned_device_ids: devices,
            roles: roles_of.map(role_names),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Technician<'a> {
    #[serde(flatten)]
    person: Person<'a>,
    administrator: bool,
    notify_all_clients: bool,
    user_type: AccountKind,
    scim_user: bool,
    auth_type: Authentication,
    assigned_device_ids: NoDevices,
}

impl<'a> Technician<'a> {
    fn new(account: &'a Account) -> Self {
        Self {
            person: Person::new(account),
            administrator: account.administrator,
            notify_all_clients: account.notify_all_clients,
            user_type: account.kind,
            scim_user: account.scim,
            auth_type: account.authentication,
            assigned_device_ids: [],
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndUser<'a> {
    #[serde(flatten)]
    person: Person<'a>,
    organization_id: Option<u32>,
    full_portal_access: bool,
    scim_user: bool,
    auth_type: Authentication,
    assigned_device_ids: NoDevices,
    accessible_device_ids: NoDevices,
}

impl<'a> EndUser<'a> {
    fn new(account: &'a Account) -> Self {
        Self {
            person: Person::new(account),
            organization_id: account.organization,
            full_portal_access: account.full_portal_access,
            scim_user: account.scim,
            auth_type: account.authentication,
            assigned_device_ids: [],
            accessible_device_ids: [],
        }
    }
}

/// `RoleMember`, in the `members` of a `UserRole`.
#[derive(Serialize)]
pub(super) struct RoleMember<'a> {
    pub(super) id: u32,
    pub(super) email: &'a Email,
    pub(super) name: String,
    pub(super) source: Source,
}
