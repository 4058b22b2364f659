//! Generates a tenant: the same one for the same seed and sizes.
//!
//! The mix follows what a managed service provider has: about one technician for four end users.
//! What a sync must bear occurs in small tenants already, at fixed places: a record with missing
//! fields, one with unknown fields, one with an unknown value, and one without a last name.

use std::borrow::Cow;

use super::{
    Account, AccountKind, Authentication, Email, Invitation, Membership, Options, Organization,
    Phone, Quirk, Role, Source, Uid,
    activities::{ActivityKind, ActivityLog},
    dice::Dice,
    names::{
        DOMAINS, END_USER_ROLES, FIRST_NAMES, LAST_NAMES, ORGANIZATION_FIRST_WORDS,
        ORGANIZATION_LAST_WORDS, TECHNICIAN_ROLES,
    },
    tenant::Tenant,
};

/// The time of the last seeded login: 2026-11-01T00:00:00Z, in seconds since 1970.
const HISTORY_END: f64 = 1_793_491_200.0;
/// How long the seeded history is: 90 days, in seconds.
const HISTORY_LENGTH: f64 = 90.0 * 86_400.0;

/// The tenant that these options describe.
pub(super) fn tenant(options: &Options) -> Tenant {
    let mut dice = Dice::new(options.seed);
    let organizations = organizations(&mut dice, options.organization_count());
    let roles = roles(&mut dice, options.role_count());
    let accounts = accounts(&mut dice, options.accounts, &organizations, &roles);
    let activities = logins(&mut dice, &accounts);
    Tenant::new(
        accounts,
        roles,
        organizations,
        activities,
        dice,
        options.behavior,
    )
}

fn organizations(dice: &mut Dice, count: u32) -> Vec<Organization> {
    let ids = Ids::new(dice, count);
    ids.enumerate()
        .map(|(index, id)| organization(index, id))
        .collect()
}

fn organization(index: usize, id: u32) -> Organization {
    let first = ORGANIZATION_FIRST_WORDS[index % ORGANIZATION_FIRST_WORDS.len()];
    let last = ORGANIZATION_LAST_WORDS[index % ORGANIZATION_LAST_WORDS.len()];
    Organization {
        id,
        name: format!("{first} {last} {id}"),
        description: index
            .is_multiple_of(3)
            .then(|| format!("Customer number {id}")),
        node_approval_mode: "AUTOMATIC",
    }
}

fn roles(dice: &mut Dice, count: u32) -> Vec<Role> {
    let ids = Ids::new(dice, count);
    ids.enumerate().map(|(index, id)| role(index, id)).collect()
}

fn role(index: usize, id: u32) -> Role {
    let (kind, table) = if index.is_multiple_of(2) {
        (AccountKind::Technician, TECHNICIAN_ROLES)
    } else {
        (AccountKind::EndUser, END_USER_ROLES)
    };
    let (round, place) = (index / 2 / table.len(), index / 2 % table.len());
    let (name, description) = table[place];
    let name = if round == 0 {
        name.to_owned()
    } else {
        format!("{name} {}", round + 1)
    };
    Role {
        id,
        name,
        kind,
        description: description.to_owned(),
    }
}

fn accounts(
    dice: &mut Dice,
    count: u32,
    organizations: &[Organization],
    roles: &[Role],
) -> Vec<Account> {
    let ids = Ids::new(dice, count);
    let roles = RoleChoice::new(roles);
    let account = |(index, id)| {
        let mut account = if index == 0 {
            first_administrator(dice, id)
        } else if dice.chance(20) {
            technician(dice, id)
        } else {
            end_user(dice, id, organizations)
        };
        apply_quirk(&mut account, index);
        account.memberships = roles.memberships(dice, &account);
        account
    };
    ids.enumerate().map(account).collect()
}

/// What accounts of both kinds have in common.
fn person(dice: &mut Dice, id: u32, kind: AccountKind) -> Account {
    let first = dice.index(FIRST_NAMES.len());
    let last = dice.index(LAST_NAMES.len());
    let domain = dice.index(DOMAINS.len());
    let scim = dice.chance(10);
    Account {
        id,
        uid: Uid::from_random(dice.roll(), dice.roll()),
        kind,
        first_name: Some(Cow::Borrowed(FIRST_NAMES[usize::from(first)].shown)),
        last_name: Some(Cow::Borrowed(LAST_NAMES[usize::from(last)].shown)),
        email: Email::Generated {
            first,
            last,
            domain,
            number: id,
        },
        phone: dice.chance(70).then(|| Phone::Fictional(dice.below(1000))),
        enabled: dice.chance(90),
        administrator: false,
        scim,
        authentication: if scim || dice.chance(30) {
            Authentication::Sso
        } else {
            Authentication::Native
        },
        must_change_password: dice.chance(5),
        mfa_configured: dice.chance(60),
        permit_all_clients: false,
        notify_all_clients: false,
        full_portal_access: false,
        invitation: Some(Invitation::Registered),
        organization: None,
        quirk: Quirk::None,
        memberships: Vec::new(),
    }
}

fn technician(dice: &mut Dice, id: u32) -> Account {
    let administrator = dice.chance(5);
    let invitation = if dice.chance(5) {
        Invitation::Pending
    } else {
        Invitation::Registered
    };
    Account {
        administrator,
        permit_all_clients: administrator || dice.chance(20),
        notify_all_clients: dice.chance(40),
        invitation: Some(invitation),
        ..person(dice, id, AccountKind::Technician)
    }
}

/// Who made the API application: there is always a system administrator who can sign in.
fn first_administrator(dice: &mut Dice, id: u32) -> Account {
    Account {
        administrator: true,
        enabled: true,
        scim: false,
        authentication: Authentication::Native,
        must_change_password: false,
        mfa_configured: true,
        invitation: Some(Invitation::Registered),
        ..technician(dice, id)
    }
}

fn end_user(dice: &mut Dice, id: u32, organizations: &[Organization]) -> Account {
    let invitation = match dice.below(10) {
        0 => Invitation::Pending,
        1 => Invitation::Expired,
        _ => Invitation::Registered,
    };
    Account {
        full_portal_access: dice.chance(10),
        invitation: Some(invitation),
        organization: dice.pick(organizations).map(|organization| organization.id),
        ..person(dice, id, AccountKind::EndUser)
    }
}

/// Makes some accounts awkward, at fixed places of every hundred.
fn apply_quirk(account: &mut Account, index: usize) {
    match index % 100 {
        13 => account.quirk = Quirk::MissingFields,
        17 => account.last_name = None,
        29 => account.quirk = Quirk::UnknownFields,
        37 => account.invitation = Some(Invitation::AwaitingApproval),
        43 => account.invitation = None,
        _ => {}
    }
}

/// Which roles generated accounts may hold.
struct RoleChoice {
    technician: Vec<u32>,
    end_user: Vec<u32>,
}

impl RoleChoice {
    fn new(roles: &[Role]) -> Self {
        // With enough roles, the last one is left empty: an empty role is worth a test.
        let roles = if roles.len() < 4 {
            roles
        } else {
            &roles[..roles.len() - 1]
        };
        let of_kind = |kind| {
            let roles = roles.iter().filter(|role| role.kind == kind);
            roles.map(|role| role.id).collect()
        };
        Self {
            technician: of_kind(AccountKind::Technician),
            end_user: of_kind(AccountKind::EndUser),
        }
    }

    fn memberships(&self, dice: &mut Dice, account: &Account) -> Vec<Membership> {
        let roles = match account.kind {
            AccountKind::Technician => self.some_of(dice, &self.technician),
            AccountKind::EndUser => self.first_and_perhaps_another(dice, &self.end_user),
        };
        let membership = |role| Membership {
            role,
            source: source(dice, account),
        };
        roles.into_iter().map(membership).collect()
    }

    /// Up to three roles, and often none.
    fn some_of(&self, dice: &mut Dice, roles: &[u32]) -> Vec<u32> {
        let mut held = Vec::new();
        for _ in 0..dice.below(4) {
            if let Some(&role) = dice.pick(roles)
                && !held.contains(&role)
            {
                held.push(role);
            }
        }
        held
    }

    /// Nearly everybody holds the first role, which so becomes as large as the tenant.
    fn first_and_perhaps_another(&self, dice: &mut Dice, roles: &[u32]) -> Vec<u32> {
        let Some((&first, others)) = roles.split_first() else {
            return Vec::new();
        };
        let mut held = Vec::new();
        if dice.chance(90) {
            held.push(first);
        }
        if dice.chance(15) {
            held.extend(dice.pick(others));
        }
        held
    }
}

fn source(dice: &mut Dice, account: &Account) -> Source {
    if account.scim {
        Source::Scim
    } else if account.authentication == Authentication::Sso && dice.chance(50) {
        Source::IdpMapping
    } else {
        Source::Manual
    }
}

/// Two rounds in which about a third of those who can sign in do: some accounts have two logins,
/// and many have none.
fn logins(dice: &mut Dice, accounts: &[Account]) -> ActivityLog {
    let can_sign_in =
        |account: &&Account| account.enabled && account.invitation == Some(Invitation::Registered);
    let who: Vec<&Account> = [accounts, accounts]
        .into_iter()
        .flat_map(|round| round.iter().filter(can_sign_in))
        .filter(|_| dice.chance(35))
        .collect();

    let mut log = ActivityLog::default();
    for (index, account) in who.iter().enumerate() {
        let part = (index + 1) as f64 / who.len() as f64;
        let time = HISTORY_END - HISTORY_LENGTH * (1.0 - part);
        log.record(time, account.id, account.kind, ActivityKind::LoggedIn);
    }
    log
}

/// Ascending ids with gaps, as they are left by what was deleted.
struct Ids {
    dice: Dice,
    last: u32,
    left: u32,
}

impl Ids {
    fn new(dice: &mut Dice, count: u32) -> Self {
        Self {
            dice: Dice::new(dice.roll()),
            last: 0,
            left: count,
        }
    }
}

impl Iterator for Ids {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        let gap = if self.dice.chance(20) {
            self.dice.below(5)
        } else {
            0
        };
        self.last += 1 + u32::from(gap);
        Some(self.last)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn tenant_of(accounts: u32, seed: u64) -> Tenant {
        tenant(&Options {
            accounts,
            seed,
            ..Options::default()
        })
    }

    fn fingerprint(tenant: &Tenant) -> String {
        let accounts: Vec<_> = tenant.accounts().collect();
        format!(
            "{accounts:?} {:?} {:?}",
            tenant.roles(),
            tenant.organizations()
        )
    }

    #[test]
    fn the_same_seed_and_size_give_the_same_tenant() {
        assert_eq!(
            fingerprint(&tenant_of(500, 7)),
            fingerprint(&tenant_of(500, 7))
        );
    }

    #[test]
    fn another_seed_gives_another_tenant() {
        assert_ne!(
            fingerprint(&tenant_of(500, 7)),
            fingerprint(&tenant_of(500, 8))
        );
    }

    #[test]
    fn ids_uids_and_email_addresses_are_unique() {
        let tenant = tenant_of(20_000, 1);
        let mut ids = HashSet::new();
        let mut uids = HashSet::new();
        let mut emails = HashSet::new();
        for account in tenant.accounts() {
            assert!(ids.insert(account.id));
            assert!(uids.insert(account.uid));
            assert!(emails.insert(account.email.to_string()));
        }
        assert_eq!(ids.len(), 20_000);
    }

    #[test]
    fn every_role_is_held_by_the_kind_of_accounts_it_is_for() {
        let tenant = tenant_of(5_000, 1);
        let mut several = 0;
        for account in tenant.accounts() {
            several += usize::from(account.memberships.len() > 1);
            for membership in &account.memberships {
                let role = tenant.role(membership.role).expect("a role that exists");
                assert_eq!(role.kind, account.kind);
            }
        }
        assert!(several > 0, "somebody holds several roles");
    }

    #[test]
    fn the_last_of_many_roles_is_empty_and_another_holds_most_end_users() {
        let tenant = tenant_of(1_000, 1);
        let members = |role: &Role| tenant.accounts().filter(|a| a.holds(role.id)).count();
        let sizes: Vec<_> = tenant.roles().iter().map(members).collect();
        assert_eq!(sizes.last(), Some(&0));
        assert!(sizes.iter().any(|&size| size > 600), "{sizes:?}");
    }

    #[test]
    fn end_users_belong_to_organizations_that_exist_and_technicians_to_none() {
        let tenant = tenant_of(1_000, 1);
        for account in tenant.accounts() {
            match account.kind {
                AccountKind::Technician => assert_eq!(account.organization, None),
                AccountKind::EndUser => {
                    let id = account.organization.expect("an organization");
                    assert!(tenant.has_organization(id));
                }
            }
        }
    }

    #[test]
    fn nobody_is_an_empty_tenant() {
        let tenant = tenant_of(0, 1);
        assert_eq!(tenant.accounts().count(), 0);
        assert!(tenant.roles().is_empty() && tenant.organizations().is_empty());
    }

    #[test]
    fn a_single_account_is_an_enabled_administrator() {
        let tenant = tenant_of(1, 1);
        let accounts: Vec<_> = tenant.accounts().collect();
        assert_eq!(accounts.len(), 1);
        assert!(accounts[0].administrator && accounts[0].enabled && !accounts[0].scim);
    }

    #[test]
    fn a_small_tenant_has_every_awkward_record() {
        let tenant = tenant_of(50, 1);
        let any = |what: fn(&Account) -> bool| tenant.accounts().any(what);
        assert!(any(|account| account.quirk == Quirk::MissingFields));
        assert!(any(|account| account.quirk == Quirk::UnknownFields));
        assert!(any(|account| account.last_name.is_none()));
        assert!(any(
            |account| account.invitation == Some(Invitation::AwaitingApproval)
        ));
        assert!(any(|account| !account.enabled));
        assert!(any(|account| account.scim));
        assert!(any(|account| account.phone.is_none()));
    }
}
