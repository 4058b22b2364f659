//! What a sync keeps of the items, so that it can tell in the end whether they fit together.

use std::collections::HashSet;

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

#[derive(Default)]
pub struct Identifiers {
    accounts: HashSet<String>,
    roles: HashSet<String>,
    grants: Vec<Pair>,
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

    pub fn dangling(&self) -> Result<Dangling, snapshot::Error> {
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
            Item::Account(account) => {
                self.accounts.insert(account.id);
            }
            Item::Role(role) => {
                self.roles.insert(role.id);
            }
            Item::Grant(grant) => self.grants.push((grant.account, grant.role)),
            Item::Organization(_) | Item::Event(_) => {}
        }
    }

    fn dangling(&self) -> Dangling {
        let grants = |is_known: &dyn Fn(&Pair) -> bool| {
            let unknown = self.grants.iter().filter(|grant| !is_known(grant));
            unknown.cloned().collect()
        };
        Dangling {
            of_unknown_accounts: grants(&|(account, _)| self.accounts.contains(account)),
            of_unknown_roles: grants(&|(_, role)| self.roles.contains(role)),
        }
    }
}
