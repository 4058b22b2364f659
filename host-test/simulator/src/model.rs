//! What a tenant consists of. Compact, because there may be millions of accounts: about 200 bytes
//! each, with names that point into the tables of [`names`](super::names) and email addresses that
//! are put together when they are shown.

use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer};

use super::names::{DOMAINS, FIRST_NAMES, LAST_NAMES};

/// The two kinds of accounts, `userType` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountKind {
    /// `TECHNICIAN`: works with NinjaOne.
    Technician,
    /// `END_USER`: somebody at an organization that is looked after with NinjaOne.
    EndUser,
}

/// One account, with the state that the API shows of it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Positive and unique in the tenant, across both kinds.
    pub id: u32,
    /// `uid`.
    pub uid: Uid,
    /// `userType`.
    pub kind: AccountKind,
    /// `firstName`; `None` is shown as null.
    pub first_name: Option<Cow<'static, str>>,
    /// `lastName`; `None` is shown as null.
    pub last_name: Option<Cow<'static, str>>,
    /// `email`, unique in the tenant.
    pub email: Email,
    /// `phone`; `None` is shown as null.
    pub phone: Option<Phone>,
    /// `enabled`.
    pub enabled: bool,
    /// `administrator`: a system administrator. Only technicians are.
    pub administrator: bool,
    /// `scimUser`: managed by SCIM.
    pub scim: bool,
    /// `authType`.
    pub authentication: Authentication,
    /// `mustChangePw`.
    pub must_change_password: bool,
    /// `mfaConfigured`.
    pub mfa_configured: bool,
    /// `permitAllClients`.
    pub permit_all_clients: bool,
    /// `notifyAllClients`.
    pub notify_all_clients: bool,
    /// `fullPortalAccess`, of end users.
    pub full_portal_access: bool,
    /// `invitationStatus`; `None` is shown as null.
    pub invitation: Option<Invitation>,
    /// `organizationId`, of end users.
    pub organization: Option<u32>,
    /// How the record of this account differs from what the specification leads to expect.
    pub quirk: Quirk,
    /// The roles that the account holds, in the order they were given.
    pub memberships: Vec<Membership>,
}

impl Account {
    /// Whether the account holds the role with this id.
    #[must_use]
    pub fn holds(&self, role: u32) -> bool {
        self.membership(role).is_some()
    }

    /// How the account holds the role with this id, or `None` if it does not.
    #[must_use]
    pub fn membership(&self, role: u32) -> Option<&Membership> {
        self.memberships
            .iter()
            .find(|membership| membership.role == role)
    }

    /// The first and the last name with a space between, as members of roles are shown.
    #[must_use]
    pub fn full_name(&self) -> String {
        let names = [&self.first_name, &self.last_name];
        names
            .into_iter()
            .flatten()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>()
            .join(" ")
    }
}

/// A version 4 UUID, shown in lower case with hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uid(u128);

impl Uid {
    /// The UUID with these random bits; six of them are overwritten with version and variant.
    pub(super) fn from_random(high: u64, low: u64) -> Self {
        let high = high & !0xf000 | 0x4000;
        let low = low & !(0b11 << 62) | (0b10 << 62);
        Self(u128::from(high) << 64 | u128::from(low))
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            formatter,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            bits >> 80 & 0xffff,
            bits >> 64 & 0xffff,
            bits >> 48 & 0xffff,
            bits & 0xffff_ffff_ffff,
        )
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An email address. `Display` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Email {
    /// One of a generated account: `first.last.number@domain`, in lower case. The number is the id
    /// of the account, which makes the address unique and lets its owner be found.
    Generated {
        /// Index of the first name in its table.
        first: u8,
        /// Index of the last name in its table.
        last: u8,
        /// Index of the domain in its table.
        domain: u8,
        /// The id of the account.
        number: u32,
    },
    /// One that was given through the API, as it was written.
    Given(Box<str>),
}

impl Email {
    /// The id in an address of the form that generated accounts have. Tells where to look for the
    /// owner of an address, not who it is.
    pub(super) fn number_in(address: &str) -> Option<u32> {
        let (local, _domain) = address.split_once('@')?;
        let (_names, number) = local.rsplit_once('.')?;
        number.parse().ok()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generated {
                first,
                last,
                domain,
                number,
            } => {
                let first = FIRST_NAMES[usize::from(*first)].ascii;
                let last = LAST_NAMES[usize::from(*last)].ascii;
                let domain = DOMAINS[usize::from(*domain)];
                write!(formatter, "{first}.{last}.{number}@{domain}")
            }
            Self::Given(address) => formatter.write_str(address),
        }
    }
}

impl Serialize for Email {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A phone number. `Display` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phone {
    /// One of the thousand numbers from +44 1632 960000 on, which are reserved for fiction.
    Fictional(u16),
    /// One that was given through the API, as it was written.
    Given(Box<str>),
}

impl fmt::Display for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fictional(number) => write!(formatter, "+441632960{:03}", number % 1000),
            Self::Given(number) => formatter.write_str(number),
        }
    }
}

impl Serialize for Phone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How an account signs in, `authType` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Authentication {
    /// `NATIVE`: with a password of NinjaOne.
    Native,
    /// `SSO`: at an identity provider.
    Sso,
}

/// What became of an invitation, `invitationStatus` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Invitation {
    /// `REGISTERED`: accepted.
    Registered,
    /// `PENDING`: sent, and not accepted yet.
    Pending,
    /// `EXPIRED`: not accepted within 24 hours.
    Expired,
    /// `AWAITING_APPROVAL`: a value that the specification does not have. It is made up, to see
    /// that a sync survives the next value that the vendor adds.
    AwaitingApproval,
}

/// How a record differs from what the specification leads to expect, to see that a sync bears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    /// Not at all.
    None,
    /// `phone`, `mfaConfigured` and `invitationStatus` are missing.
    MissingFields,
    /// There are fields that the specification does not have.
    UnknownFields,
}

/// One role held by one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The id of the role.
    pub role: u32,
    /// How the account came to hold it.
    pub source: Source,
}

/// "Source of role assignment". The specification does not list the values; these are made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    /// `MANUAL`: given in the console or through the API.
    Manual,
    /// `SCIM`: by a group that SCIM manages.
    Scim,
    /// `IDP_MAPPING`: by a mapping from a group of the identity provider.
    IdpMapping,
}

/// A role, without its members: those are found through the accounts' [`Membership`]s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// Positive and unique among the roles.
    pub id: u32,
    /// `name`, unique among the roles.
    pub name: String,
    /// `type`: which kind of accounts may hold it. The specification does not list the values; the
    /// simulator uses those of the `roleType` parameter.
    #[serde(rename = "type")]
    pub kind: AccountKind,
    /// `description`.
    pub description: String,
}

/// An organization, as `/v2/organizations` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Positive and unique among the organizations.
    pub id: u32,
    /// `name`.
    pub name: String,
    /// `description`; often null.
    pub description: Option<String>,
    /// `nodeApprovalMode`, which is about devices: always `AUTOMATIC` here.
    pub node_approval_mode: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_version_4_uuid() {
        let uid = Uid::from_random(u64::MAX, u64::MAX);
        assert_eq!(uid.to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            Uid::from_random(0, 0).to_string(),
            "00000000-0000-4000-8000-000000000000"
        );
    }

    #[test]
    fn the_owner_of_a_generated_address_can_be_read_off_it() {
        let email = Email::Generated {
            first: 0,
            last: 0,
            domain: 0,
            number: 4711,
        };
        assert_eq!(Email::number_in(&email.to_string()), Some(4711));
        assert_eq!(Email::number_in("somebody@example.com"), None);
    }

    #[test]
    fn an_account_is_compact() {
        assert!(
            size_of::<Account>() <= 200,
            "{} bytes",
            size_of::<Account>()
        );
    }
}
