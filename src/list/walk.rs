//! Goes through the stages of a plan, one element at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use super::cursor::{Cursor, Digest};
use super::events::ActivityPages;
use super::id_set::IdSet;
use super::plan::{AccountSource, Plan, Stage};
use super::sign_ins::{SignIn, SignInPages, SignIns};
use crate::contract::{Assignment, Counts, Item, Notice, ResourceKind, ResourceReference};
use crate::convert;
use crate::find::{self, NO_ID};
use crate::ninjaone::Error;
use crate::ninjaone::host::Level;
use crate::ninjaone::object::Rest;
use crate::ninjaone::wire::{Activity, Id, Organization, RoleMember, User, UserRole, UserType};
use crate::ninjaone::{Api, Elements, RoleEvent, RoleEvents};

/// How many roles without members are told by name in one listing.
const MOST_TOLD: u64 = 20;

/// How many organizations to ask for at once. The API names no most; this many has been seen to be served.
const ORGANIZATIONS_PER_REQUEST: u32 = 1_000;

/// A place in a listing, with the answer that is being read there.
pub(super) struct Walk {
    stage: usize,
    source: Option<Source>,
    taken: u64,
    digest: Digest,
    counts: Counts,
    accounts: IdSet,
    grants: BTreeMap<Id, IdSet>,
    /// How many members of the role that is being met were met before.
    repeated_members: u64,
    roles: IdSet,
    organizations: IdSet,
    /// How many roles came without their members.
    members_unknown: u64,
    /// Whether elements are passed over that were given before.
    is_resuming: bool,
    /// What was logged: it is the same for many elements.
    logged: BTreeSet<(&'static str, String)>,
    /// When users signed in last, as far as it was read.
    sign_ins: SignIns,
    /// The events, once they have all been given.
    ended_events: Option<ActivityPages>,
}

impl Default for Walk {
    fn default() -> Self {
        let counts = Counts {
            accounts: 0,
            roles: 0,
            grants: 0,
            organizations: 0,
            events: 0,
        };
        Walk {
            stage: 0,
            source: None,
            taken: 0,
            digest: Digest::default(),
            counts,
            accounts: IdSet::default(),
            grants: BTreeMap::new(),
            repeated_members: 0,
            roles: IdSet::default(),
            organizations: IdSet::default(),
            members_unknown: 0,
            is_resuming: false,
            logged: BTreeSet::new(),
            sign_ins: SignIns::default(),
            ended_events: None,
        }
    }
}

/// What an element comes to: an item, unless it is filtered out or was there before; and what is odd about it.
#[derive(Default)]
pub(super) struct Found {
    pub(super) item: Option<Item>,
    pub(super) notice: Option<Notice>,
}

/// An answer, or several that make one sequence.
enum Source {
    SignIns(SignInPages),
    Accounts {
        waiting: Vec<AccountSource>,
        open: Option<OpenAccounts>,
    },
    Roles(RoleEvents),
    Organizations(OrganizationPages),
    Organization(Option<Id>),
    Events(ActivityPages),
}

/// Accounts whose answer is being read.
struct OpenAccounts {
    elements: Elements<User>,
    /// The type of user that the endpoint is for, where it is for one.
    user_type: Option<UserType>,
    /// Whether those that were met before come again in here.
    completes: bool,
}

impl OpenAccounts {
    fn new(elements: Elements<User>, user_type: Option<UserType>, completes: bool) -> Self {
        OpenAccounts {
            elements,
            user_type,
            completes,
        }
    }
}

/// An element of an answer.
enum Element {
    SignIn(Option<SignIn>),
    Account {
        id: Id,
        user: User,
        asked: Option<UserType>,
        /// Whether it is no news that it was met before.
        completes: bool,
    },
    Member(Id, Id, RoleMember),
    Role(Id, UserRole, Option<u64>),
    Organization(Id, Organization),
    Activity(i64, Activity),
}

impl Walk {
    /// Goes to the place of a cursor, in an instance that does not have the answer open: asks again, passes over what was
    /// taken, and makes sure that it is what was taken then; `None` where it is not.
    pub(super) fn resume(api: &Api, plan: &Plan, cursor: Cursor) -> Result<Option<Self>, Error> {
        let mut walk = Walk {
            is_resuming: true,
            ..Walk::default()
        };
        let stage = usize::try_from(cursor.stage).ok();
        let Some(stage) = stage.filter(|stage| *stage < plan.stages.len()) else {
            return Ok(None);
        };
        // What was remembered of stages before has to be met again: sign-ins for accounts, and accounts for members, which are
        // compared with all of them.
        for before in 0..stage {
            let is_needed = match plan.stages[before] {
                Stage::SignIns(_) => matches!(plan.stages[stage], Stage::Accounts(_)),
                Stage::Accounts(_) => {
                    plan.keep.knows_all_accounts
                        && matches!(plan.stages[stage], Stage::Roles { .. })
                }
                _ => false,
            };
            walk.enter(before);
            while is_needed && walk.stage == before {
                walk.next_in_stage(api, plan)?;
            }
        }
        walk.enter(stage);
        walk.counts = cursor.counts;
        if matches!(plan.stages[stage], Stage::Events) {
            walk.source = Some(Source::Events(ActivityPages::at(cursor.place)));
            walk.is_resuming = false;
            return Ok(Some(walk));
        }
        if matches!(plan.stages[stage], Stage::SignIns(_)) {
            while walk.stage == stage && !walk.has_read_sign_ins_to(cursor.place) {
                walk.next_in_stage(api, plan)?;
            }
            walk.is_resuming = false;
            return Ok(Some(walk));
        }
        let [taken, digest, _] = cursor.place;
        while walk.taken < taken {
            if walk.next_in_stage(api, plan)?.is_none() {
                return Ok(None);
            }
        }
        if walk.digest.value() != digest {
            return Ok(None);
        }
        walk.is_resuming = false;
        Ok(Some(walk))
    }

    fn has_read_sign_ins_to(&self, place: [u64; 3]) -> bool {
        match &self.source {
            Some(Source::SignIns(pages)) => pages.has_reached(place),
            _ => false,
        }
    }

    /// Where to continue.
    pub(super) fn cursor(&self) -> Cursor {
        let place = match &self.source {
            Some(Source::SignIns(pages)) => pages.place(),
            Some(Source::Events(pages)) => pages.place(),
            _ => [self.taken, self.digest.value(), 0],
        };
        Cursor {
            stage: self.stage as u64,
            place,
            counts: self.counts,
        }
    }

    /// For a listing that ended with events: where to begin later, to get what has happened since.
    pub(super) fn resume_cursor(&self, plan: &Plan) -> Option<String> {
        let pages = self.ended_events.as_ref()?;
        let cursor = Cursor {
            stage: plan.stages.len() as u64 - 1,
            place: pages.place_after_newest(),
            counts: Walk::default().counts,
        };
        Some(cursor.to_text(plan.fingerprint))
    }

    /// What was given so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many bytes of the answer that is being read were taken.
    pub(super) fn bytes_read(&self) -> u64 {
        match &self.source {
            Some(Source::Accounts {
                open: Some(open), ..
            }) => open.elements.bytes_read(),
            Some(Source::Roles(events)) => events.bytes_read(),
            Some(Source::Organizations(pages)) => {
                pages.open.as_ref().map_or(0, Elements::bytes_read)
            }
            Some(Source::Events(pages)) => pages.bytes_read(),
            Some(Source::SignIns(pages)) => pages.bytes_read(),
            _ => 0,
        }
    }

    /// Takes the next element; `None` at the end of the last stage.
    pub(super) fn next(&mut self, api: &Api, plan: &Plan) -> Result<Option<Found>, Error> {
        while self.stage < plan.stages.len() {
            if let Some(found) = self.next_in_stage(api, plan)? {
                match &found.item {
                    Some(Item::Account(_)) => self.counts.accounts += 1,
                    Some(Item::Role(_)) => self.counts.roles += 1,
                    Some(Item::Grant(_)) => self.counts.grants += 1,
                    Some(Item::Organization(_)) => self.counts.organizations += 1,
                    Some(Item::Event(_)) => self.counts.events += 1,
                    None => {}
                }
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Takes the next element of this stage; `None` at its end, and then the next stage is entered.
    fn next_in_stage(&mut self, api: &Api, plan: &Plan) -> Result<Option<Found>, Error> {
        let stage = &plan.stages[self.stage];
        let source = match &mut self.source {
            Some(source) => source,
            None => self.source.insert(Source::open(api, plan, stage)?),
        };
        let Some(element) = source.next(api, plan)? else {
            if let Source::Events(pages) = source {
                self.ended_events = Some(mem::take(pages));
            }
            self.enter(self.stage + 1);
            return Ok(None);
        };
        self.taken += 1;
        self.note(&element);
        Ok(Some(self.sift(element, api, plan, stage)))
    }

    fn enter(&mut self, stage: usize) {
        self.stage = stage;
        self.source = None;
        self.taken = 0;
        self.digest = Digest::default();
    }

    fn note(&mut self, element: &Element) {
        let (tag, ids) = match element {
            Element::Account { id, .. } => (b'a', [id.number(), 0]),
            Element::Member(role, account, _) => (b'm', [role.number(), account.number()]),
            Element::Role(id, ..) => (b'r', [id.number(), 0]),
            Element::Organization(id, _) => (b'o', [id.number(), 0]),
            // The place of activities is told by their identifiers.
            Element::Activity(..) | Element::SignIn(_) => return,
        };
        self.digest.add(&[tag]);
        self.digest.add(&ids[0].to_le_bytes());
        self.digest.add(&ids[1].to_le_bytes());
    }

    /// Decides what becomes of an element. What is not asked for is passed over before it is looked whether it came twice.
    fn sift(&mut self, element: Element, api: &Api, plan: &Plan, stage: &Stage) -> Found {
        match element {
            Element::SignIn(sign_in) => {
                if let Some(sign_in) = sign_in {
                    self.sign_ins.add(sign_in);
                }
                Found::default()
            }
            Element::Account {
                id,
                user,
                asked,
                completes,
            } => self.account(id, user, asked, completes, api, plan),
            Element::Member(role, account, member) => {
                self.member(role, account, member, api, plan, stage)
            }
            Element::Role(id, role, members) => self.role(id, role, members, api, plan, stage),
            Element::Organization(id, organization) => {
                if !self.organizations.insert(id) {
                    return Found::duplicate(ResourceKind::Organization, id.to_string());
                }
                self.log_odd(api, "organization", id, &organization.rest);
                let organization = convert::organization(id, organization);
                Found::item(Some(Item::Organization(organization)))
            }
            Element::Activity(id, activity) => {
                let fits = plan
                    .keep
                    .account
                    .is_none_or(|only| activity.user_id == Some(only));
                // Before it is left out, since it may be for the odd value.
                self.log_odd(api, "event", id, &activity.rest);
                Found::item(fits.then(|| Item::Event(convert::event(id, activity))))
            }
        }
    }

    fn account(
        &mut self,
        id: Id,
        user: User,
        asked: Option<UserType>,
        completes: bool,
        api: &Api,
        plan: &Plan,
    ) -> Found {
        let kind_fits = plan.keep.user_type.is_none_or(|wanted| {
            convert::kind_of(&user, asked).as_deref() == Some(convert::account_kind(wanted))
        });
        let email_fits = plan.keep.email.as_ref().is_none_or(|wanted| {
            user.email
                .as_ref()
                .is_some_and(|own| find::same_address(own, wanted))
        });
        if !(kind_fits && email_fits) {
            return Found::default();
        }
        if !self.accounts.insert(id) {
            return match completes {
                true => Found::default(),
                false => Found::duplicate(ResourceKind::Account, id.to_string()),
            };
        }
        if completes {
            let message = "an account is in the list of all users and in no list of one type, so it comes without the details of these";
            self.log_once(api, ("account", "details"), message, id);
        }
        self.log_odd(api, "account", id, &user.rest);
        let mut account = convert::account(id, user, asked);
        account.last_sign_in = self.sign_ins.last(id);
        Found::item(Some(Item::Account(account)))
    }

    fn member(
        &mut self,
        role: Id,
        account: Id,
        member: RoleMember,
        api: &Api,
        plan: &Plan,
        stage: &Stage,
    ) -> Found {
        let wanted = matches!(stage, Stage::Roles { grants: true, .. })
            && plan.keep.account.is_none_or(|only| only == account)
            && plan.keep.role.is_none_or(|only| only == role)
            && self.role_type_fits(plan);
        let again = !self.grants.entry(role).or_default().insert(account);
        self.repeated_members += u64::from(again);
        match (wanted, again) {
            (false, _) => Found::default(),
            (true, true) => Found::duplicate(ResourceKind::Grant, format!("{account} {role}")),
            (true, false) => {
                self.log_odd(api, "member", account, &member.rest);
                self.grant(role, account, member, plan)
            }
        }
    }

    fn role(
        &mut self,
        id: Id,
        role: UserRole,
        members: Option<u64>,
        api: &Api,
        plan: &Plan,
        stage: &Stage,
    ) -> Found {
        let repeated = mem::take(&mut self.repeated_members);
        let members = members.map(|members| members - repeated);
        let fits = [plan.keep.role_itself, plan.keep.role]
            .into_iter()
            .flatten()
            .all(|only| only == id)
            && type_fits(role.role_type.as_deref(), plan);
        if !fits {
            return Found::default();
        }
        if members.is_none() && matches!(stage, Stage::Roles { grants: true, .. }) {
            self.log_members_unknown(api, id);
        }
        if !matches!(stage, Stage::Roles { roles: true, .. }) {
            return Found::default();
        }
        if !self.roles.insert(id) {
            return Found::duplicate(ResourceKind::Role, id.to_string());
        }
        self.log_odd(api, "role", id, &role.rest);
        Found::item(Some(Item::Role(convert::role(id, role, members))))
    }

    /// Such roles are told, the first few by name: their grants are missing in what is listed, and have not gone.
    fn log_members_unknown(&mut self, api: &Api, role: Id) {
        if self.is_resuming {
            return;
        }
        self.members_unknown += 1;
        let message = match self.members_unknown {
            1..MOST_TOLD => {
                "a role came without a list of its members: its grants are unknown, and not none"
            }
            MOST_TOLD => {
                "a role came without a list of its members: its grants are unknown, and not none; more such are not told"
            }
            _ => return,
        };
        api.host
            .log(Level::Warn, message, &[("role", &role.to_string())]);
    }

    /// Tells of fields that are of another type than expected, the first time for each field.
    fn log_odd(&mut self, api: &Api, kind: &'static str, id: impl ToString, rest: &Rest) {
        for field in &rest.odd {
            let message = format!(
                "the field {field} is of another type than expected, so it is an attribute as it came; more such are not told"
            );
            self.log_once(api, (kind, field), &message, id.to_string());
        }
    }

    fn log_once(
        &mut self,
        api: &Api,
        (kind, subject): (&'static str, &str),
        message: &str,
        id: impl ToString,
    ) {
        if !self.is_resuming && self.logged.insert((kind, subject.to_string())) {
            api.host
                .log(Level::Warn, message, &[(kind, &id.to_string())]);
        }
    }

    fn grant(&mut self, role: Id, account: Id, member: RoleMember, plan: &Plan) -> Found {
        let grant = convert::grant(role, account, member);
        let is_stranger = plan.keep.knows_all_accounts && !self.accounts.contains(account);
        let notice = is_stranger.then(|| {
            Notice::UnknownMember(Assignment {
                account: grant.account.clone(),
                role: grant.role.clone(),
            })
        });
        Found {
            item: Some(Item::Grant(grant)),
            notice,
        }
    }

    /// Whether the role whose members are being met is for the type of user asked for. NinjaOne was asked for such roles
    /// only; this is for the case that it does not heed that.
    fn role_type_fits(&self, plan: &Plan) -> bool {
        match &self.source {
            Some(Source::Roles(events)) => type_fits(events.current_type(), plan),
            _ => true,
        }
    }
}

fn type_fits(role_type: Option<&str>, plan: &Plan) -> bool {
    // A role for a type that is not known here, such as one for all, may be for this type too.
    let role_type = role_type.and_then(UserType::from_api);
    match (plan.keep.user_type, role_type) {
        (Some(wanted), Some(role_type)) => role_type == wanted,
        _ => true,
    }
}

impl Found {
    fn item(item: Option<Item>) -> Self {
        Found { item, notice: None }
    }

    fn duplicate(kind: ResourceKind, id: String) -> Self {
        Found {
            item: None,
            notice: Some(Notice::Duplicate(ResourceReference { kind, id })),
        }
    }
}

impl Source {
    fn open(api: &Api, plan: &Plan, stage: &Stage) -> Result<Self, Error> {
        Ok(match stage {
            Stage::SignIns(user) => Source::SignIns(SignInPages::new(*user)),
            Stage::Accounts(sources) => Source::Accounts {
                waiting: sources.iter().rev().copied().collect(),
                open: None,
            },
            Stage::Roles { .. } => Source::Roles(api.roles(plan.keep.user_type)?),
            Stage::Organizations => Source::Organizations(OrganizationPages::default()),
            Stage::Organization(id) => Source::Organization(Some(*id)),
            Stage::Events => Source::Events(ActivityPages::default()),
        })
    }

    fn next(&mut self, api: &Api, plan: &Plan) -> Result<Option<Element>, Error> {
        match self {
            Source::SignIns(pages) => Ok(pages.next(api)?.map(Element::SignIn)),
            Source::Events(pages) => Ok(pages
                .next(api, plan.keep.since)?
                .map(|(id, activity)| Element::Activity(id, activity))),
            Source::Accounts { waiting, open } => next_account(waiting, open, api),
            Source::Roles(events) => Ok(events.try_next()?.map(|event| match event {
                RoleEvent::Member(role, member) => {
                    let account = member
                        .id
                        .expect("a member without an id is an error of the reader");
                    Element::Member(role, account, member)
                }
                RoleEvent::Role { id, role, members } => Element::Role(id, role, members),
            })),
            Source::Organizations(pages) => pages.next(api),
            Source::Organization(id) => {
                let Some(id) = id.take() else { return Ok(None) };
                Ok(api
                    .organization(id)?
                    .map(|organization| Element::Organization(id, organization)))
            }
        }
    }
}

fn next_account(
    waiting: &mut Vec<AccountSource>,
    open: &mut Option<OpenAccounts>,
    api: &Api,
) -> Result<Option<Element>, Error> {
    loop {
        if let Some(accounts) = open {
            if let Some(user) = accounts.elements.try_next()? {
                let id = user.id.ok_or_else(|| accounts.elements.malformed(NO_ID))?;
                return Ok(Some(Element::Account {
                    id,
                    user,
                    asked: accounts.user_type,
                    completes: accounts.completes,
                }));
            }
            *open = None;
        }
        let Some(source) = waiting.pop() else {
            return Ok(None);
        };
        *open = Some(match source {
            AccountSource::Users(user_type) => {
                OpenAccounts::new(api.users(user_type)?, user_type, false)
            }
            AccountSource::Detailed(user_type) => {
                OpenAccounts::new(api.users_in_detail(user_type)?, Some(user_type), false)
            }
            AccountSource::Rest => OpenAccounts::new(api.users(None)?, None, true),
            AccountSource::One(user_type, id) => {
                let types = user_type.map_or_else(|| UserType::ALL.to_vec(), |one| vec![one]);
                let found = find::user(api, id, &types)?;
                return Ok(found.map(|(user_type, user)| Element::Account {
                    id,
                    user,
                    asked: Some(user_type),
                    completes: false,
                }));
            }
        });
    }
}

/// Organizations, which NinjaOne gives in pages after the last identifier.
#[derive(Default)]
struct OrganizationPages {
    open: Option<Elements<Organization>>,
    in_page: u32,
    /// The last one of the page before.
    after: Option<Id>,
    last: Option<Id>,
    ended: bool,
}

impl OrganizationPages {
    fn next(&mut self, api: &Api) -> Result<Option<Element>, Error> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let page = match &mut self.open {
                Some(page) => page,
                None => self
                    .open
                    .insert(api.organizations(self.after, ORGANIZATIONS_PER_REQUEST)?),
            };
            if let Some(organization) = page.try_next()? {
                let id = organization.id.ok_or_else(|| page.malformed(NO_ID))?;
                if self.in_page == 0 && self.after == Some(id) {
                    // A page may begin with the one that it is to come after.
                    continue;
                }
                if self.after.is_some_and(|after| id <= after) {
                    // Pages that do not get on would go round for ever.
                    return Err(page.malformed(
                        "has an identifier that is not after the last one of the page before: the pages go round",
                    ));
                }
                self.in_page += 1;
                self.last = Some(id);
                return Ok(Some(Element::Organization(id, organization)));
            }
            // Only an empty page is the end for sure: a short one may be all that NinjaOne gives at once.
            self.ended = self.in_page == 0;
            self.in_page = 0;
            self.after = self.last;
            self.open = None;
        }
    }
}
