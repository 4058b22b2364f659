//! What a sync keeps of the items, so that it can tell in the end whether they fit together.

use std::collections::HashMap;
use std::num::NonZeroU32;

use connector_host::contract::Item;

use connector_snapshot::{self as snapshot, Draft};

/// A grant, as account and role; or an account and its organization.
pub type Pair = (String, String);

/// Where the items go.
pub enum Ledger {
    /// Nowhere: their identifiers are kept in memory.
    Memory(Box<Identifiers>),
    /// To a snapshot. Nothing is kept in memory.
    Snapshot(Box<Draft>),
}

/// The identifiers of a tenant, which may have millions: 8 bytes for an account and 8 for a grant, where identifiers are
/// numbers of 31 bits.
#[derive(Default)]
pub struct Identifiers {
    accounts: Vec<Key>,
    /// The organization of each account, as its place among those that accounts name, of which there are few.
    memberships: Vec<Option<NonZeroU32>>,
    named_organizations: Places,
    organizations: Vec<Key>,
    roles: Vec<Key>,
    /// Account and role of each.
    grants: Chunks<(Key, Key)>,
    texts: Texts,
}

/// An identifier: itself where it is the decimal text of a number of 31 bits, and otherwise its place among the [`Texts`], with the highest
/// bit set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key(u32);

/// Identifiers, each with a place that takes less room than it.
#[derive(Default)]
struct Places {
    places: HashMap<Key, NonZeroU32>,
    keys: Vec<Key>,
}

impl Places {
    fn place(&mut self, key: Key) -> NonZeroU32 {
        *self.places.entry(key).or_insert_with(|| {
            self.keys.push(key);
            let place = u32::try_from(self.keys.len())
                .ok()
                .and_then(NonZeroU32::new);
            place.expect("memory ends before four billion organizations do")
        })
    }

    fn key(&self, place: NonZeroU32) -> Key {
        self.keys[place.get() as usize - 1]
    }
}

/// A list that only grows, in pieces: one that moves as a whole when it grows takes three times its room at that moment.
struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Chunks<T> {
    const LENGTH: usize = 4096;

    fn push(&mut self, item: T) {
        match self.0.last_mut().filter(|last| last.len() < Self::LENGTH) {
            Some(last) => last.push(item),
            None => {
                let mut chunk = Vec::with_capacity(Self::LENGTH);
                chunk.push(item);
                self.0.push(chunk);
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

/// Identifiers that are no numbers.
#[derive(Default)]
struct Texts {
    keys: HashMap<String, Key>,
    texts: Vec<String>,
}

impl Texts {
    const IS_TEXT: u32 = 1 << 31;

    fn key(&mut self, id: String) -> Key {
        // `007` and `+7` are other identifiers than `7`.
        let is_plain = id == "0" || id.starts_with(|first: char| matches!(first, '1'..='9'));
        let number = id.parse::<u32>().ok().filter(|_| is_plain);
        if let Some(number) = number.filter(|number| number & Texts::IS_TEXT == 0) {
            return Key(number);
        }
        let place = u32::try_from(self.texts.len()).ok();
        let place = place.filter(|place| place & Self::IS_TEXT == 0);
        let next = Key(Self::IS_TEXT | place.expect("memory ends before two billion texts do"));
        *self.keys.entry(id).or_insert_with_key(|id| {
            self.texts.push(id.clone());
            next
        })
    }

    fn id(&self, Key(key): Key) -> String {
        if key & Self::IS_TEXT == 0 {
            return key.to_string();
        }
        self.texts[(key & !Self::IS_TEXT) as usize].clone()
    }
}

/// The grants and the accounts that point at something that was not listed.
#[derive(Default)]
pub struct Dangling {
    pub of_unknown_accounts: Vec<Pair>,
    pub of_unknown_roles: Vec<Pair>,
    pub in_unknown_organizations: Vec<Pair>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::Memory(Box::default())
    }
}

impl Ledger {
    pub fn take_in(&mut self, item: Item) -> Result<(), snapshot::Error> {
        match self {
            Self::Memory(identifiers) => {
                identifiers.take_in(item);
                Ok(())
            }
            Self::Snapshot(draft) => draft.insert(&item),
        }
    }

    pub fn dangling(&mut self) -> Result<Dangling, snapshot::Error> {
        match self {
            Self::Memory(identifiers) => Ok(identifiers.dangling()),
            Self::Snapshot(draft) => Ok(Dangling {
                of_unknown_accounts: draft.of_unknown_accounts()?,
                of_unknown_roles: draft.of_unknown_roles()?,
                in_unknown_organizations: draft.in_unknown_organizations()?,
            }),
        }
    }
}

impl Identifiers {
    fn take_in(&mut self, item: Item) {
        match item {
            Item::Account(account) => {
                self.accounts.push(self.texts.key(account.id));
                let organization = account.organization.map(|id| self.texts.key(id));
                let membership = organization.map(|key| self.named_organizations.place(key));
                self.memberships.push(membership);
            }
            Item::Role(role) => self.roles.push(self.texts.key(role.id)),
            Item::Grant(grant) => {
                let grant = (self.texts.key(grant.account), self.texts.key(grant.role));
                self.grants.push(grant);
            }
            Item::Organization(organization) => {
                self.organizations.push(self.texts.key(organization.id));
            }
            Item::Event(_) => {}
        }
    }

    fn dangling(&mut self) -> Dangling {
        // First, while the accounts are in the order of their memberships.
        let in_unknown_organizations = self.in_unknown_organizations();
        self.accounts.sort_unstable();
        self.roles.sort_unstable();
        let grants = |is_known: &dyn Fn(&(Key, Key)) -> bool| {
            let unknown = self.grants.iter().filter(|grant| !is_known(grant));
            unknown
                .map(|(account, role)| (self.texts.id(*account), self.texts.id(*role)))
                .collect()
        };
        Dangling {
            of_unknown_accounts: grants(&|(account, _)| {
                self.accounts.binary_search(account).is_ok()
            }),
            of_unknown_roles: grants(&|(_, role)| self.roles.binary_search(role).is_ok()),
            in_unknown_organizations,
        }
    }

    fn in_unknown_organizations(&mut self) -> Vec<Pair> {
        self.organizations.sort_unstable();
        let accounts = self.accounts.iter().zip(&self.memberships);
        let named = accounts.filter_map(|(account, place)| {
            Some((*account, self.named_organizations.key((*place)?)))
        });
        named
            .filter(|(_, organization)| self.organizations.binary_search(organization).is_err())
            .map(|(account, organization)| (self.texts.id(account), self.texts.id(organization)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use connector_host::contract::{Account, Grant, Organization, Role};

    use super::*;

    fn account(id: &str) -> Item {
        Item::Account(Account {
            id: id.to_string(),
            ..Account::default()
        })
    }

    fn role(id: &str) -> Item {
        Item::Role(Role {
            id: id.to_string(),
            ..Role::default()
        })
    }

    fn grant(account: &str, role: &str) -> Item {
        Item::Grant(Grant {
            account: account.to_string(),
            role: role.to_string(),
            source: None,
            attributes: Vec::new(),
        })
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<Pair> {
        let owned = pairs
            .iter()
            .map(|(account, role)| (account.to_string(), role.to_string()));
        owned.collect()
    }

    #[test]
    fn grants_that_point_nowhere_are_found_whatever_identifiers_look_like() {
        let greatest = u64::MAX.to_string();
        let least_text = (1_u32 << 31).to_string();
        let mut identifiers = Identifiers::default();
        for item in [
            grant("9", "r"),
            grant("10", "1"),
            account("10"),
            account("9"),
            account("7"),
            account("u-1"),
            account(&greatest),
            account(&least_text),
            role("r"),
            role("1"),
            grant("007", "r"),
            grant("+7", "r"),
            grant("u-1", "r"),
            grant("u-2", "1"),
            grant("7", "R"),
            grant(&greatest, "1"),
            grant(&least_text, "1"),
        ] {
            identifiers.take_in(item);
        }
        let dangling = identifiers.dangling();
        assert_eq!(
            dangling.of_unknown_accounts,
            pairs(&[("007", "r"), ("+7", "r"), ("u-2", "1")])
        );
        assert_eq!(dangling.of_unknown_roles, pairs(&[("7", "R")]));
        assert_eq!(dangling.in_unknown_organizations, []);
    }

    #[test]
    fn accounts_in_organizations_that_were_not_listed_are_found() {
        let member = |id: &str, organization: Option<&str>| {
            let Item::Account(mut account) = account(id) else {
                unreachable!("it is one");
            };
            account.organization = organization.map(str::to_string);
            Item::Account(account)
        };
        let organization = |id: &str| {
            Item::Organization(Organization {
                id: id.to_string(),
                name: None,
                description: None,
                attributes: Vec::new(),
            })
        };
        let mut identifiers = Identifiers::default();
        for item in [
            member("9", Some("2")),
            member("3", Some("1")),
            organization("1"),
            member("5", None),
            member("u-1", Some("o-1")),
            member("4", Some("o-2")),
            organization("o-2"),
            member("1", Some("2")),
            member("2", Some("01")),
        ] {
            identifiers.take_in(item);
        }
        assert_eq!(
            identifiers.dangling().in_unknown_organizations,
            pairs(&[("9", "2"), ("u-1", "o-1"), ("1", "2"), ("2", "01")])
        );
    }
}
