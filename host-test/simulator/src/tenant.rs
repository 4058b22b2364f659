//! The state of the tenant, and the rules by which it changes.
//!
//! A change first makes every check and then applies, so a refused request changes nothing. The
//! accounts are the only place that says who holds which role.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    Account, AccountKind, AddExistingMember, Behavior, DeleteAdministrator, DeleteDeleted,
    DeleteLastAdministrator, DuplicateEmail, Email, EmailComparison, Membership, Organization,
    PatchEnabled, RemoveStranger, Role, ScimManaged, Source, Uid, WrongKind,
    activities::{ActivitiesPage, ActivityFilter, ActivityKind, ActivityLog},
    dice::Dice,
    errors::{EMAIL_IN_USE, Refusal},
    requests::{AccountPatch, NewAccount},
};

/// Everything that the API shows and changes.
#[derive(Debug)]
pub(super) struct Tenant {
    accounts: BTreeMap<u32, Entry>,
    /// By ascending id, as are the organizations.
    roles: Vec<Role>,
    organizations: Vec<Organization>,
    activities: ActivityLog,
    /// The addresses that were given through the API, as [`Tenant::email_key`] compares them. The
    /// generated ones need no index: their owner can be read off them.
    given_emails: HashSet<String>,
    next_id: u32,
    /// For the uids of new accounts.
    dice: Dice,
    /// How many reads there have been.
    reads: AtomicU64,
    behavior: Behavior,
}

/// One id that is or was in use.
#[derive(Debug, Default)]
struct Entry {
    /// `None` once the account is deleted.
    current: Option<Account>,
    /// What reads still see, with [`Behavior::read_lag`].
    stale: Option<Box<Stale>>,
}

#[derive(Debug)]
struct Stale {
    seen: Option<Account>,
    /// The number of the last read that sees it.
    until: u64,
}

impl Entry {
    fn seen_by(&self, read: ReadNumber) -> Option<&Account> {
        match &self.stale {
            Some(stale) if read.0 <= stale.until => stale.seen.as_ref(),
            _ => self.current.as_ref(),
        }
    }
}

/// The place of a read among all reads, which decides what it sees of recent writes. One request
/// has one number, however many chunks it is answered in.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadNumber(u64);

impl ReadNumber {
    /// A read that sees every write: for what a write itself answers.
    pub(super) const UP_TO_DATE: Self = Self(u64::MAX);
}

impl Tenant {
    /// A tenant of these accounts; they, the roles and the organizations come by ascending id.
    pub(super) fn new(
        accounts: Vec<Account>,
        roles: Vec<Role>,
        organizations: Vec<Organization>,
        activities: ActivityLog,
        dice: Dice,
        behavior: Behavior,
    ) -> Self {
        let next_id = accounts.last().map_or(1, |account| account.id + 1);
        let entry = |account: Account| {
            (
                account.id,
                Entry {
                    current: Some(account),
                    stale: None,
                },
            )
        };
        Self {
            accounts: accounts.into_iter().map(entry).collect(),
            roles,
            organizations,
            activities,
            given_emails: HashSet::new(),
            next_id,
            dice,
            reads: AtomicU64::new(0),
            behavior,
        }
    }

    // The true state.

    /// All accounts by ascending id.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts
            .values()
            .filter_map(|entry| entry.current.as_ref())
    }

    pub(super) fn account(&self, id: u32) -> Option<&Account> {
        self.accounts.get(&id)?.current.as_ref()
    }

    /// All roles by ascending id.
    pub(super) fn roles(&self) -> &[Role] {
        &self.roles
    }

    pub(super) fn role(&self, id: u32) -> Option<&Role> {
        let index = self.roles.binary_search_by_key(&id, |role| role.id).ok()?;
        Some(&self.roles[index])
    }

    /// All organizations by ascending id.
    pub(super) fn organizations(&self) -> &[Organization] {
        &self.organizations
    }

    pub(super) fn has_organization(&self, id: u32) -> bool {
        self.organizations
            .binary_search_by_key(&id, |organization| organization.id)
            .is_ok()
    }

    pub(super) fn activities(&self, filter: &ActivityFilter) -> ActivitiesPage {
        self.activities.page(filter)
    }

    // The state as reads see it.

    /// Counts a read of accounts or roles. Every such request calls it once.
    pub(super) fn begin_read(&self) -> ReadNumber {
        ReadNumber(self.reads.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The accounts that `read` sees from the id `first` on, ascending.
    pub(super) fn accounts_from(
        &self,
        first: u32,
        read: ReadNumber,
    ) -> impl Iterator<Item = &Account> {
        self.accounts
            .range(first..)
            .filter_map(move |(_, entry)| entry.seen_by(read))
    }

    /// One account as `read` sees it.
    ///
    /// 404 if there is none of this id; as the switch says if it is of the other kind.
    pub(super) fn read_account(
        &self,
        id: u32,
        kind: AccountKind,
        read: ReadNumber,
    ) -> Result<&Account, Refusal> {
        let account = self.accounts.get(&id).and_then(|entry| entry.seen_by(read));
        self.check_kind(account.ok_or_else(|| no_account(id))?, kind)
    }

    // Writes.

    /// Creates an account with the next free id, and tells the id.
    ///
    /// 409 or 400 if the email address is taken; 400 if the organization does not exist.
    pub(super) fn create(&mut self, new: NewAccount) -> Result<u32, Refusal> {
        if let Some(organization) = new.organization {
            self.check_organization(organization)?;
        }
        let email = new.email.clone();
        if self.is_taken(&email) {
            return Err(match self.behavior.duplicate_email {
                DuplicateEmail::Conflict => Refusal::email_conflict(),
                DuplicateEmail::BadRequest => {
                    Refusal::invalid(EMAIL_IN_USE, "The email address is already in use")
                }
            });
        }
        let (id, kind) = (self.next_id, new.kind);
        let account = new.into_account(id, Uid::from_random(self.dice.roll(), self.dice.roll()));
        self.next_id += 1;
        self.given_emails.insert(self.email_key(&email));
        self.write(id, |current| *current = Some(account));
        self.record(id, kind, ActivityKind::Created);
        Ok(id)
    }

    /// Changes the fields of an account that the patch has.
    ///
    /// 404 if there is none of this id; as the switches say if it is of the other kind, if SCIM
    /// manages it, or if the patch has `enabled`; 400 if the organization does not exist.
    pub(super) fn update(
        &mut self,
        id: u32,
        kind: AccountKind,
        patch: AccountPatch,
    ) -> Result<(), Refusal> {
        let account = self.account(id).ok_or_else(|| no_account(id))?;
        self.check_editable(self.check_kind(account, kind)?)?;
        if let Some(organization) = patch.organization_id {
            self.check_organization(organization)?;
        }
        let enabled = match self.behavior.patch_enabled {
            PatchEnabled::Ignored => None,
            PatchEnabled::Applied => patch.enabled,
            PatchEnabled::BadRequest if patch.enabled.is_some() => {
                return Err(Refusal::invalid("unknown_field", "Unknown field: enabled"));
            }
            PatchEnabled::BadRequest => None,
        };
        self.write_account(id, |account| {
            account.enabled = enabled.unwrap_or(account.enabled);
            patch.apply(account);
        });
        self.record(id, kind, ActivityKind::Updated);
        Ok(())
    }

    /// Deletes an account, with the roles it holds.
    ///
    /// 404 if there never was one of this id; as the switches say if it has been deleted already,
    /// is of the other kind, is managed by SCIM, or is a system administrator.
    pub(super) fn delete(&mut self, id: u32, kind: AccountKind) -> Result<(), Refusal> {
        let entry = self.accounts.get(&id).ok_or_else(|| no_account(id))?;
        let Some(account) = &entry.current else {
            return match self.behavior.delete_deleted {
                DeleteDeleted::NotFound => Err(no_account(id)),
                DeleteDeleted::BadRequest => Err(Refusal::invalid(
                    "already_deleted",
                    format!("User {id} is deleted"),
                )),
                DeleteDeleted::NoContent => Ok(()),
            };
        };
        self.check_editable(self.check_kind(account, kind)?)?;
        self.check_not_needed_as_administrator(account)?;
        if let Email::Given(email) = &account.email {
            let key = self.email_key(email);
            self.given_emails.remove(&key);
        }
        self.write(id, |current| *current = None);
        self.record(id, kind, ActivityKind::Deleted);
        Ok(())
    }

    /// Gives a role to accounts: to all of them, or to none if one of them is refused.
    ///
    /// 404 if the role or an account does not exist; 400 if an account is of the kind that the
    /// role is not for; as the switch says if one holds the role already.
    pub(super) fn add_members(&mut self, role: u32, ids: &BTreeSet<u32>) -> Result<(), Refusal> {
        let strangers = self.members_to_change(role, ids, false)?;
        if strangers.len() < ids.len() {
            let message = "Some of the users are members of the role already";
            match self.behavior.add_existing_member {
                AddExistingMember::Unchanged => {}
                AddExistingMember::BadRequest => {
                    return Err(Refusal::invalid("already_member", message));
                }
                AddExistingMember::NotFound => return Err(Refusal::not_found(message)),
            }
        }
        let membership = Membership {
            role,
            source: Source::Manual,
        };
        self.change_roles(&strangers, |account| account.memberships.push(membership));
        Ok(())
    }

    /// Takes a role from accounts: from all of them, or from none if one of them is refused.
    ///
    /// 404 if the role or an account does not exist; as the switch says if one does not hold it.
    pub(super) fn remove_members(&mut self, role: u32, ids: &BTreeSet<u32>) -> Result<(), Refusal> {
        let members = self.members_to_change(role, ids, true)?;
        if members.len() < ids.len() {
            let message = "Some of the users are not members of the role";
            match self.behavior.remove_stranger {
                RemoveStranger::Unchanged => {}
                RemoveStranger::BadRequest => {
                    return Err(Refusal::invalid("not_a_member", message));
                }
                RemoveStranger::NotFound => return Err(Refusal::not_found(message)),
            }
        }
        self.change_roles(&members, |account| {
            account.memberships.retain(|m| m.role != role)
        });
        Ok(())
    }

    // The checks of writes.

    fn check_organization(&self, id: u32) -> Result<(), Refusal> {
        if self.has_organization(id) {
            return Ok(());
        }
        Err(Refusal::invalid(
            "organization_not_found",
            format!("No organization {id}"),
        ))
    }

    fn check_kind<'a>(
        &self,
        account: &'a Account,
        kind: AccountKind,
    ) -> Result<&'a Account, Refusal> {
        if account.kind == kind {
            return Ok(account);
        }
        Err(match self.behavior.wrong_kind {
            WrongKind::BadRequest => Refusal::invalid("invalid_user_type", "Invalid user type"),
            WrongKind::NotFound => no_account(account.id),
        })
    }

    fn check_editable(&self, account: &Account) -> Result<(), Refusal> {
        let message = "The user is managed by SCIM";
        match self.behavior.scim_managed {
            ScimManaged::BadRequest if account.scim => {
                Err(Refusal::invalid("scim_managed", message))
            }
            ScimManaged::Forbidden if account.scim => {
                Err(Refusal::forbidden("scim_managed", message))
            }
            _ => Ok(()),
        }
    }

    fn check_not_needed_as_administrator(&self, account: &Account) -> Result<(), Refusal> {
        if !account.administrator {
            return Ok(());
        }
        let others =
            |other: &Account| other.administrator && other.enabled && other.id != account.id;
        if self.accounts().any(others) {
            return match self.behavior.delete_administrator {
                DeleteAdministrator::Allowed => Ok(()),
                DeleteAdministrator::Forbidden => Err(Refusal::forbidden(
                    "administrator",
                    "A system administrator cannot be deleted",
                )),
            };
        }
        let (code, message) = (
            "last_administrator",
            "The last system administrator cannot be deleted",
        );
        Err(match self.behavior.delete_last_administrator {
            DeleteLastAdministrator::BadRequest => Refusal::invalid(code, message),
            DeleteLastAdministrator::Forbidden => Refusal::forbidden(code, message),
        })
    }

    fn is_taken(&self, email: &str) -> bool {
        let key = self.email_key(email);
        let generated = Email::number_in(&key).and_then(|id| self.account(id));
        self.given_emails.contains(&key)
            || generated.is_some_and(|owner| self.email_key(&owner.email.to_string()) == key)
    }

    /// What is the same for two addresses that count as the same.
    fn email_key(&self, email: &str) -> String {
        match self.behavior.email_comparison {
            EmailComparison::IgnoreCase => email.to_lowercase(),
            EmailComparison::Exact => email.to_owned(),
        }
    }

    /// Those of the accounts that hold the role, or those that do not.
    fn members_to_change(
        &self,
        role: u32,
        ids: &BTreeSet<u32>,
        hold_it: bool,
    ) -> Result<Vec<u32>, Refusal> {
        let role = self
            .role(role)
            .ok_or_else(|| Refusal::not_found(format!("No role {role}")))?;
        let mut selected = Vec::new();
        for &id in ids {
            let account = self.account(id).ok_or_else(|| no_account(id))?;
            // That roles are for one kind is documented; that the API says 400 is reconstructed.
            if account.kind != role.kind {
                return Err(Refusal::invalid(
                    "invalid_user_type",
                    "Invalid user type for the role",
                ));
            }
            if account.holds(role.id) == hold_it {
                selected.push(id);
            }
        }
        Ok(selected)
    }

    // How writes are applied.

    fn change_roles(&mut self, ids: &[u32], change: impl Fn(&mut Account)) {
        for &id in ids {
            if let Some(kind) = self.write_account(id, &change) {
                self.record(id, kind, ActivityKind::RoleAssignmentChanged);
            }
        }
    }

    /// Changes an account, and tells its kind; nothing if there is none of this id.
    fn write_account(&mut self, id: u32, change: impl FnOnce(&mut Account)) -> Option<AccountKind> {
        self.write(id, |current| {
            let account = current.as_mut()?;
            change(account);
            Some(account.kind)
        })
    }

    /// Changes what an id stands for, and lets reads see the state before for as long as the switch
    /// says.
    fn write<T>(&mut self, id: u32, change: impl FnOnce(&mut Option<Account>) -> T) -> T {
        let reads = *self.reads.get_mut();
        let lag = u64::from(self.behavior.read_lag);
        let entry = self.accounts.entry(id).or_default();
        if lag > 0 {
            let seen = entry.seen_by(ReadNumber(reads + 1)).cloned();
            entry.stale = Some(Box::new(Stale {
                seen,
                until: reads + lag,
            }));
        }
        change(&mut entry.current)
    }

    fn record(&mut self, account: u32, account_kind: AccountKind, kind: ActivityKind) {
        // A clock before 1970 is not worth an error: the log only has to ascend.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        self.activities
            .record(now.as_secs_f64(), account, account_kind, kind);
    }
}

fn no_account(id: u32) -> Refusal {
    Refusal::not_found(format!("No user {id}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{
        AccountKind::{self, EndUser, Technician},
        Behavior, Options, Role,
        testing::{Answer, Client},
    };

    async fn start() -> Client {
        Client::behaving("read-lag=0").await
    }

    fn path(kind: AccountKind, id: u32) -> String {
        match kind {
            Technician => format!("/v2/user/technician/{id}"),
            EndUser => format!("/v2/user/end-user/{id}"),
        }
    }

    async fn create_technician(client: &Client, email: &str) -> Answer {
        let body = json!({ "firstName": "Ada", "lastName": "Ng", "email": email, "phone": "+1" });
        client.post("/v2/user/technicians", body).await
    }

    fn role_for(client: &Client, kind: AccountKind) -> Role {
        client
            .simulator
            .roles()
            .into_iter()
            .find(|role| role.kind == kind)
            .expect("a role")
    }

    async fn members(client: &Client, change: &str, role: u32, ids: Value) -> Answer {
        client
            .patch(&format!("/v2/user/role/{role}/{change}-members"), ids)
            .await
    }

    async fn statuses(client: &Client, status: &str) -> usize {
        let page = client
            .get(&format!("/v2/activities?status={status}"))
            .await
            .json();
        page["activities"].as_array().unwrap().len()
    }

    #[tokio::test]
    async fn a_created_technician_is_answered_and_then_listed() {
        let client = start().await;
        let answer = create_technician(&client, "ada@example.com").await;
        let technician = answer.json();
        assert_eq!(answer.status, 200);
        assert_eq!(technician["email"], "ada@example.com");
        assert_eq!(
            (&technician["enabled"], &technician["administrator"]),
            (&json!(true), &json!(false))
        );
        let id = u32::try_from(technician["id"].as_u64().unwrap()).unwrap();
        assert_eq!(client.get(&path(Technician, id)).await.json(), technician);
        assert_eq!(statuses(&client, "APP_USER_CREATED").await, 1);
    }

    #[tokio::test]
    async fn a_created_end_user_belongs_to_its_organization_and_is_invited_on_request() {
        let client = start().await;
        let organization = client.simulator.organizations()[0].id;
        for (query, invitation) in [
            ("", Value::Null),
            ("?sendInvitation=true", json!("PENDING")),
        ] {
            let body = json!({
                "firstName": "Bo", "lastName": "Li", "email": format!("bo{query}@example.com"),
                "organizationId": organization, "fullPortalAccess": true,
            });
            let end_user = client
                .post(&format!("/v2/user/end-users{query}"), body)
                .await
                .json();
            assert_eq!(end_user["organizationId"], organization);
            assert_eq!(end_user["fullPortalAccess"], true);
            assert_eq!(end_user["invitationStatus"], invitation);
        }
        assert_eq!(statuses(&client, "END_USER_CREATED_API").await, 2);
    }

    #[tokio::test]
    async fn creating_checks_names_email_and_organization() {
        let client = start().await;
        let good = json!({
            "firstName": "Bo", "lastName": "Li", "email": "bo@example.com",
            "organizationId": client.simulator.organizations()[0].id,
        });
        for (field, value) in [
            ("firstName", json!("")),
            ("firstName", Value::Null),
            ("lastName", json!("x".repeat(151))),
            ("email", json!("bo")),
            ("email", Value::Null),
            ("organizationId", json!(9_999_999)),
            ("organizationId", Value::Null),
        ] {
            let mut body = good.clone();
            body[field] = value.clone();
            let answer = client.post("/v2/user/end-users", body).await;
            assert_eq!(answer.status, 400, "{field}: {value}");
        }
        assert_eq!(client.post("/v2/user/end-users", good).await.status, 200);
    }

    #[tokio::test]
    async fn a_taken_email_is_refused_as_the_switch_says_also_in_another_case() {
        let conflict = json!({ "code": "email_already_in_use", "params": {} });
        let text = json!("The email address is already in use");
        for (value, status, message) in [("conflict", 409, conflict), ("bad-request", 400, text)] {
            let client = Client::behaving(&format!("duplicate-email={value}")).await;
            create_technician(&client, "ada@example.com").await;
            let generated = client.plain(EndUser).email.to_string();
            for email in ["ada@example.com", "ADA@example.com", &generated] {
                let answer = create_technician(&client, email).await;
                assert_eq!(answer.error(), (status, message.clone()), "{email}");
            }
        }
    }

    #[tokio::test]
    async fn case_distinguishes_addresses_if_the_switch_says_so() {
        let client = Client::behaving("email-comparison=exact").await;
        create_technician(&client, "ada@example.com").await;
        assert_eq!(
            create_technician(&client, "ADA@example.com").await.status,
            200
        );
        assert_eq!(
            create_technician(&client, "ada@example.com").await.status,
            409
        );
    }

    #[tokio::test]
    async fn the_address_of_a_deleted_account_is_free_again() {
        let client = start().await;
        let created = create_technician(&client, "ada@example.com").await.json();
        client
            .delete(&format!("/v2/user/technician/{}", created["id"]))
            .await;
        assert_eq!(
            create_technician(&client, "ada@example.com").await.status,
            200
        );
    }

    #[tokio::test]
    async fn a_new_technician_is_invited_as_the_switch_says() {
        for (value, status) in [("pending", "PENDING"), ("registered", "REGISTERED")] {
            let client = Client::behaving(&format!("technician-invitation={value}")).await;
            let technician = create_technician(&client, "ada@example.com").await.json();
            assert_eq!(technician["invitationStatus"], status);
        }
    }

    #[tokio::test]
    async fn changing_a_technician_answers_as_the_switch_says_and_keeps_the_address() {
        for (value, has_body) in [("empty", false), ("technician", true)] {
            let client = Client::behaving(&format!("patch-technician-body={value}")).await;
            let before = client.plain(Technician);
            let change = json!({ "firstName": "Neu", "organizationId": 1 });
            let answer = client.patch(&path(Technician, before.id), change).await;
            assert_eq!(
                (answer.status.as_u16(), !answer.body.is_empty()),
                (200, has_body)
            );
            let after = client.simulator.account(before.id).unwrap();
            assert_eq!(after.first_name.as_deref(), Some("Neu"));
            assert_eq!(
                (after.last_name, after.email),
                (before.last_name, before.email)
            );
            assert_eq!(after.organization, None, "technicians have none");
        }
    }

    #[tokio::test]
    async fn changing_an_end_user_answers_with_the_end_user() {
        let client = start().await;
        let organization = client.simulator.organizations().pop().unwrap().id;
        let id = client.plain(EndUser).id;
        let change = json!({ "organizationId": organization, "lastName": null });
        let answer = client.patch(&path(EndUser, id), change).await;
        assert_eq!(answer.json()["organizationId"], organization);
        assert_eq!(client.get(&path(EndUser, id)).await.json(), answer.json());
        let nowhere = client
            .patch(&path(EndUser, id), json!({ "organizationId": 0 }))
            .await;
        assert_eq!(nowhere.status, 400);
    }

    #[tokio::test]
    async fn enabled_in_a_patch_does_what_the_switch_says() {
        for (value, status, enabled) in [
            ("ignored", 200, true),
            ("applied", 200, false),
            ("bad-request", 400, true),
        ] {
            let client = Client::behaving(&format!("patch-enabled={value}")).await;
            let id = client.ids(|a| a.kind == EndUser && !a.scim && a.enabled)[0];
            let answer = client
                .patch(&path(EndUser, id), json!({ "enabled": false }))
                .await;
            assert_eq!(answer.status, status, "{value}");
            assert_eq!(
                client.simulator.account(id).unwrap().enabled,
                enabled,
                "{value}"
            );
        }
    }

    #[tokio::test]
    async fn deleting_is_204_without_a_body_and_takes_the_roles_along() {
        let client = start().await;
        let id = client.ids(|a| a.kind == EndUser && !a.scim && !a.memberships.is_empty())[0];
        let role = client.simulator.account(id).unwrap().memberships[0].role;
        let answer = client.delete(&path(EndUser, id)).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
        assert!(client.simulator.account(id).is_none());
        assert!(!client.simulator.role_members(role).contains(&id));
        assert_eq!(statuses(&client, "END_USER_DELETED_API").await, 1);
    }

    #[tokio::test]
    async fn deleting_who_is_deleted_is_answered_as_the_switch_says() {
        for (value, status) in [
            ("not-found", 404),
            ("bad-request", 400),
            ("no-content", 204),
        ] {
            let client = Client::behaving(&format!("delete-deleted={value}")).await;
            let path = path(EndUser, client.plain(EndUser).id);
            client.delete(&path).await;
            assert_eq!(client.delete(&path).await.status, status);
            assert_eq!(client.delete("/v2/user/end-user/9999999").await.status, 404);
        }
    }

    #[tokio::test]
    async fn a_missing_account_is_404_with_another_result_code_than_an_unknown_route() {
        let client = start().await;
        let answer = client.get(&path(Technician, 9_999_999)).await;
        assert_eq!(answer.status, 404);
        assert_ne!(answer.json()["resultCode"], "FAILURE");
        assert!(answer.json()["incidentId"].is_string());
    }

    #[tokio::test]
    async fn the_other_kind_of_account_is_refused_as_the_switch_says() {
        for (value, status) in [("bad-request", 400), ("not-found", 404)] {
            let client = Client::behaving(&format!("wrong-kind={value}")).await;
            let path = path(Technician, client.plain(EndUser).id);
            assert_eq!(client.get(&path).await.status, status);
            assert_eq!(client.patch(&path, json!({})).await.status, status);
            assert_eq!(client.delete(&path).await.status, status);
        }
    }

    #[tokio::test]
    async fn an_account_that_scim_manages_is_changed_or_not_as_the_switch_says() {
        for (value, statuses) in [
            ("bad-request", [400, 400]),
            ("forbidden", [403, 403]),
            ("allowed", [200, 204]),
        ] {
            let client = Client::behaving(&format!("scim-managed={value}")).await;
            let path = path(EndUser, client.ids(|a| a.kind == EndUser && a.scim)[0]);
            let patch = client.patch(&path, json!({ "lastName": "Neu" })).await;
            let delete = client.delete(&path).await;
            assert_eq!(
                [patch.status, delete.status].map(|s| s.as_u16()),
                statuses,
                "{value}"
            );
        }
    }

    #[tokio::test]
    async fn an_administrator_is_deleted_or_not_as_the_switch_says() {
        for (value, status) in [("allowed", 204), ("forbidden", 403)] {
            let client = Client::behaving(&format!("delete-administrator={value}")).await;
            let administrators = client.ids(|account| account.administrator && account.enabled);
            assert!(administrators.len() > 1, "another one is left");
            let answer = client.delete(&path(Technician, administrators[0])).await;
            assert_eq!(answer.status, status);
        }
    }

    #[tokio::test]
    async fn the_last_administrator_is_refused_as_the_switch_says() {
        for (value, status) in [("bad-request", 400), ("forbidden", 403)] {
            let mut options = Options {
                accounts: 1,
                ..Options::default()
            };
            options
                .behavior
                .set("delete-last-administrator", value)
                .unwrap();
            let client = Client::start(options).await;
            let id = client.ids(|_| true)[0];
            assert_eq!(client.delete(&path(Technician, id)).await.status, status);
        }
    }

    #[tokio::test]
    async fn added_and_removed_members_show_in_the_role_and_in_the_activities() {
        let client = start().await;
        let role = role_for(&client, Technician);
        let ids = client.ids(|account| account.kind == Technician && !account.holds(role.id));
        let added = members(&client, "add", role.id, json!(ids)).await.json();
        assert_eq!(
            (&added["id"], &added["name"]),
            (&json!(role.id), &json!(role.name))
        );
        assert!(
            ids.iter()
                .all(|id| client.simulator.role_members(role.id).contains(id))
        );
        let member = |m: &Value| m["id"] == ids[0] && m["source"] == "MANUAL";
        assert!(added["members"].as_array().unwrap().iter().any(member));

        let removed = members(&client, "remove", role.id, json!(ids)).await.json();
        assert!(!removed["members"].as_array().unwrap().iter().any(member));
        let changes = statuses(&client, "TECHNICIAN_ROLE_ASSIGNMENT_CHANGED").await;
        assert_eq!(changes, 2 * ids.len());
    }

    #[tokio::test]
    async fn the_answer_to_a_role_change_may_be_empty() {
        let client = Client::behaving("role-write-body=empty").await;
        let role = role_for(&client, Technician).id;
        let answer = members(&client, "add", role, json!([])).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    }

    #[tokio::test]
    async fn a_change_of_members_with_one_bad_id_changes_nobody() {
        let client = start().await;
        let role = role_for(&client, Technician).id;
        let before = client.simulator.role_members(role);
        let good = client.ids(|account| account.kind == Technician && !account.holds(role))[0];
        let end_user = client.plain(EndUser).id;
        for (ids, status) in [
            (json!([good, 9_999_999]), 404),
            (json!([good, end_user]), 400),
            (json!("x"), 400),
        ] {
            assert_eq!(members(&client, "add", role, ids).await.status, status);
        }
        assert_eq!(
            members(&client, "add", 9_999, json!([good])).await.status,
            404
        );
        assert_eq!(client.simulator.role_members(role), before);
    }

    #[tokio::test]
    async fn adding_a_member_again_is_answered_as_the_switch_says() {
        for (value, status) in [("unchanged", 200), ("bad-request", 400), ("not-found", 404)] {
            let client = Client::behaving(&format!("add-existing-member={value}")).await;
            let role = role_for(&client, EndUser).id;
            let member = client.simulator.role_members(role)[0];
            assert_eq!(
                members(&client, "add", role, json!([member])).await.status,
                status
            );
            assert_eq!(
                client
                    .simulator
                    .account(member)
                    .unwrap()
                    .memberships
                    .iter()
                    .filter(|m| m.role == role)
                    .count(),
                1
            );
        }
    }

    #[tokio::test]
    async fn removing_a_stranger_is_answered_as_the_switch_says() {
        for (value, status) in [("unchanged", 200), ("bad-request", 400), ("not-found", 404)] {
            let client = Client::behaving(&format!("remove-stranger={value}")).await;
            let role = role_for(&client, EndUser).id;
            let stranger = client.ids(|account| account.kind == EndUser && !account.holds(role))[0];
            assert_eq!(
                members(&client, "remove", role, json!([stranger]))
                    .await
                    .status,
                status
            );
        }
    }

    #[tokio::test]
    async fn reads_see_a_write_only_after_as_many_reads_as_the_switch_says() {
        let client = Client::behaving("read-lag=2").await;
        let id = client.plain(EndUser).id;
        client.delete(&path(EndUser, id)).await;
        assert!(
            client.simulator.account(id).is_none(),
            "the true state is not delayed"
        );
        assert_eq!(client.get(&path(EndUser, id)).await.status, 200);
        let users = client.get("/v2/users").await.json();
        assert!(
            users
                .as_array()
                .unwrap()
                .iter()
                .any(|user| user["id"] == id)
        );
        assert_eq!(client.get(&path(EndUser, id)).await.status, 404);
    }

    #[tokio::test]
    async fn what_a_write_answers_is_not_delayed() {
        let behavior = Behavior {
            read_lag: 5,
            ..Behavior::default()
        };
        let client = Client::start(Options {
            behavior,
            ..Options::default()
        })
        .await;
        let created = create_technician(&client, "ada@example.com").await.json();
        assert_eq!(created["email"], "ada@example.com");
        let path = format!("/v2/user/technician/{}", created["id"]);
        assert_eq!(client.get(&path).await.status, 404);
    }

    #[tokio::test]
    async fn messages_have_the_shape_of_the_switch() {
        for (value, message) in [
            ("text", json!("Invalid user type")),
            (
                "object",
                json!({ "code": "invalid_user_type", "params": {} }),
            ),
            ("absent", Value::Null),
        ] {
            let client = Client::behaving(&format!("error-message={value}")).await;
            let answer = client
                .get(&path(Technician, client.plain(EndUser).id))
                .await;
            assert_eq!(answer.error(), (400, message));
        }
    }
}
