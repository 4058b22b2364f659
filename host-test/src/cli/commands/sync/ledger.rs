//! What a sync keeps of the items, so that it can tell in the end whether they fit together.

use std::collections::HashMap;

use connector_host::contract::Item;

use crate::cli::snapshot::{self, Draft};

/// A grant, as account and role.
pub type Pair = (String, String);

/// Where the items go.
pub enum Ledger {
    /// Nowhere: their identifiers are kept in memory.
    Memory(Identifiers),
    /// To a snapshot. Nothing is kept in memory.
    Snapshot(Box<Draft>),
}

/// The identifiers of a tenant, which may have millions: 8 bytes for an account and 16 for a grant, where identifiers are
/// numbers.
#[derive(Default)]
pub struct Identifiers {
    accounts: Vec<Key>,
    roles: Vec<Key>,
    /// Account and role of each.
    grants: Vec<(Key, Key)>,
    texts: Texts,
}

/// An identifier: itself where it is the decimal text of a number, and otherwise its place among the [`Texts`], with the highest
/// bit set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u64);

/// Identifiers that are no numbers.
#[derive(Default)]
struct Texts {
    keys: HashMap<String, Key>,
    texts: Vec<String>,
}

impl Texts {
    const IS_TEXT: u64 = 1 << 63;

    fn key(&mut self, id: String) -> Key {
        // `007` and `+7` are other identifiers than `7`.
        let is_plain = id == "0" || id.starts_with(|first: char| matches!(first, '1'..='9'));
        let number = id.parse::<u64>().ok().filter(|_| is_plain);
        if let Some(number) = number.filter(|number| number & Texts::IS_TEXT == 0) {
            return Key(number);
        }
        let next = Key(Self::IS_TEXT | self.texts.len() as u64);
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

/// The grants that point at something that was not listed.
#[derive(Default)]
pub struct Dangling {
    pub of_unknown_accounts: Vec<Pair>,
    pub of_unknown_roles: Vec<Pair>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::Memory(Identifiers::default())
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
            }),
        }
    }
}

impl Identifiers {
    fn take_in(&mut self, item: Item) {
        match item {
            Item::Account(account) => self.accounts.push(self.texts.key(account.id)),
            Item::Role(role) => self.roles.push(self.texts.key(role.id)),
            Item::Grant(grant) => {
                let grant = (self.texts.key(grant.account), self.texts.key(grant.role));
                self.grants.push(grant);
            }
            Item::Organization(_) | Item::Event(_) => {}
        }
    }

    fn dangling(&mut self) -> Dangling {
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
        }
    }
}

#[cfg(test)]
mod tests {
    use connector_host::contract::{Account, Grant, Role};

    use super::*;

    fn account(id: &str) -> Item {
        Item::Account(Account {
            id: id.to_string(),
            kind: None,
            external_id: None,
            email: None,
            given_name: None,
            family_name: None,
            phone: None,
            enabled: None,
            administrator: None,
            mfa_configured: None,
            must_change_password: None,
            invitation: None,
            organization: None,
            externally_managed: None,
            authentication: None,
            last_sign_in: None,
            attributes: Vec::new(),
        })
    }

    fn role(id: &str) -> Item {
        Item::Role(Role {
            id: id.to_string(),
            name: None,
            account_kind: None,
            description: None,
            member_count: None,
            attributes: Vec::new(),
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
        let mut identifiers = Identifiers::default();
        for item in [
            grant("9", "r"),
            grant("10", "1"),
            account("10"),
            account("9"),
            account("7"),
            account("u-1"),
            account(&greatest),
            role("r"),
            role("1"),
            grant("007", "r"),
            grant("+7", "r"),
            grant("u-1", "r"),
            grant("u-2", "1"),
            grant("7", "R"),
            grant(&greatest, "1"),
        ] {
            identifiers.take_in(item);
        }
        let dangling = identifiers.dangling();
        assert_eq!(
            dangling.of_unknown_accounts,
            pairs(&[("007", "r"), ("+7", "r"), ("u-2", "1")])
        );
        assert_eq!(dangling.of_unknown_roles, pairs(&[("7", "R")]));
    }
}
