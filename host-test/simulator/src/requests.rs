//! The JSON bodies of writes, and the checks that need no tenant: lengths, and what is required.

use std::borrow::Cow;

use serde::Deserialize;

use super::{
    Account, AccountKind, Authentication, Email, Invitation, Phone, Quirk, Uid, errors::Refusal,
};

/// The body of `CreateTechnicianRequest` and `CreateEndUserRequest`. Fields that are not known are
/// ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateBody {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    organization_id: Option<u32>,
    full_portal_access: Option<bool>,
}

/// An account to be created, checked as far as that takes no tenant.
#[derive(Debug)]
pub(super) struct NewAccount {
    pub(super) kind: AccountKind,
    first_name: String,
    last_name: String,
    pub(super) email: String,
    phone: Option<String>,
    /// Of end users.
    pub(super) organization: Option<u32>,
    full_portal_access: bool,
    invitation: Option<Invitation>,
}

impl CreateBody {
    /// The technician that is asked for; `organizationId` and `fullPortalAccess` are ignored.
    ///
    /// 400 without a first or last name of 1 to 150 characters, and without a plausible address.
    pub(super) fn technician(self, invitation: Invitation) -> Result<NewAccount, Refusal> {
        let account = self.account(AccountKind::Technician, Some(invitation))?;
        Ok(NewAccount {
            organization: None,
            full_portal_access: false,
            ..account
        })
    }

    /// The end user that is asked for.
    ///
    /// 400 as for technicians, and without an organization. That it is required is reconstructed:
    /// one client always sends it.
    pub(super) fn end_user(self, invitation: Option<Invitation>) -> Result<NewAccount, Refusal> {
        let account = self.account(AccountKind::EndUser, invitation)?;
        if account.organization.is_none() {
            let message = "organizationId should not be empty";
            return Err(Refusal::invalid("organization_required", message));
        }
        Ok(account)
    }

    fn account(
        self,
        kind: AccountKind,
        invitation: Option<Invitation>,
    ) -> Result<NewAccount, Refusal> {
        Ok(NewAccount {
            kind,
            first_name: required_name(self.first_name, "firstName")?,
            last_name: required_name(self.last_name, "lastName")?,
            email: required_email(self.email)?,
            phone: self.phone,
            organization: self.organization_id,
            full_portal_access: self.full_portal_access.unwrap_or(false),
            invitation,
        })
    }
}

impl NewAccount {
    /// The account, enabled, and without roles.
    pub(super) fn into_account(self, id: u32, uid: Uid) -> Account {
        Account {
            id,
            uid,
            kind: self.kind,
            first_name: Some(Cow::Owned(self.first_name)),
            last_name: Some(Cow::Owned(self.last_name)),
            email: Email::Given(self.email.into()),
            phone: self.phone.map(|number| Phone::Given(number.into())),
            enabled: true,
            administrator: false,
            scim: false,
            authentication: Authentication::Native,
            must_change_password: false,
            mfa_configured: false,
            permit_all_clients: false,
            notify_all_clients: false,
            full_portal_access: self.full_portal_access,
            invitation: self.invitation,
            organization: self.organization,
            quirk: Quirk::None,
            memberships: Vec::new(),
        }
    }
}

/// `UpdateTechnicianRequest` and `EndUserPatchRequest`. A field that is null or missing is left as
/// it is. That the names of technicians have limits is not specified; the simulator applies those
/// of all other names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountPatch {
    first_name: Option<String>,
    last_name: Option<String>,
    pub(super) organization_id: Option<u32>,
    full_portal_access: Option<bool>,
    /// Not in the specification, but sent by one client.
    pub(super) enabled: Option<bool>,
}

impl AccountPatch {
    /// Leaves only what a technician's patch has.
    pub(super) fn for_technician(self) -> Self {
        Self {
            first_name: self.first_name,
            last_name: self.last_name,
            ..Self::default()
        }
    }

    /// 400 for a name that is not 1 to 150 characters long.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let names = [
            ("firstName", &self.first_name),
            ("lastName", &self.last_name),
        ];
        names.into_iter().try_for_each(|(field, name)| {
            name.as_deref()
                .map_or(Ok(()), |name| check_name(name, field))
        })
    }

    /// Changes all that the patch has but `enabled`, whose effect is not known.
    pub(super) fn apply(self, account: &mut Account) {
        if let Some(name) = self.first_name {
            account.first_name = Some(Cow::Owned(name));
        }
        if let Some(name) = self.last_name {
            account.last_name = Some(Cow::Owned(name));
        }
        account.organization = self.organization_id.or(account.organization);
        account.full_portal_access = self
            .full_portal_access
            .unwrap_or(account.full_portal_access);
    }
}

fn required_name(name: Option<String>, field: &str) -> Result<String, Refusal> {
    let name = name.unwrap_or_default();
    check_name(&name, field)?;
    Ok(name)
}

fn check_name(name: &str, field: &str) -> Result<(), Refusal> {
    if (1..=150).contains(&name.chars().count()) {
        return Ok(());
    }
    let message = format!("{field} should be between 1 and 150 characters");
    Err(Refusal::invalid("invalid_length", message))
}

fn required_email(email: Option<String>) -> Result<String, Refusal> {
    let email = email.unwrap_or_default();
    if is_plausible_email(&email) {
        return Ok(email);
    }
    Err(Refusal::invalid(
        "invalid_email",
        "email should be a valid email address",
    ))
}

/// Whether an address could be one. How strict NinjaOne is, is not known.
fn is_plausible_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else {
        return false;
    };
    let plain = !email.contains(char::is_whitespace) && email.len() <= 254;
    plain && !local.is_empty() && !domain.contains('@') && domain.split('.').all(|s| !s.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_must_be_plausible() {
        for good in ["a@b", "anna.o'neil+x@example.com", "ö@example.org"] {
            assert!(is_plausible_email(good), "{good}");
        }
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c.d", "a@b..c", "a@.b"] {
            assert!(!is_plausible_email(bad), "{bad}");
        }
    }
}
