//! The connected system: people and service accounts, three roles, two organizations. This is what the next connector replaces
//! by requests.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::{
    Account, Attribute, Failure, Grant, Item, Organization, ResourceKind, Role, Value, not_found,
};
use crate::describe::{PERSON, SERVICE_ACCOUNT};

/// The roles: identifier, name, and the only kind of account that can hold it.
pub const ROLES: [(&str, &str, Option<&str>); 3] = [
    ("r1", "Reader", None),
    ("r2", "Editor", Some(PERSON)),
    ("r3", "Deployer", Some(SERVICE_ACCOUNT)),
];
/// The organizations: identifier and name.
pub const ORGANIZATIONS: [(&str, &str); 2] = [("o1", "North"), ("o2", "South")];

/// Everything that can change.
#[derive(Default)]
pub struct Directory {
    /// By identifier, in the order in which they came.
    pub accounts: BTreeMap<String, Entry>,
    /// The pairs of a role and an account that holds it.
    pub members: BTreeSet<(String, String)>,
    /// How many accounts there ever were. An identifier is never given twice.
    ever: usize,
}

/// An account, as the directory keeps it.
#[derive(Clone)]
pub struct Entry {
    /// Its kind.
    pub kind: String,
    /// All else, by the names that the contract or `describe` has for it.
    pub fields: BTreeMap<String, Value>,
}

impl Entry {
    /// One that may sign in, and of which nothing else is known yet.
    pub fn new(kind: &str) -> Self {
        Entry {
            kind: kind.to_string(),
            fields: BTreeMap::from([("enabled".to_string(), Value::Boolean(true))]),
        }
    }

    /// A field that is text.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

impl Directory {
    /// The directory as it is at first, the same for each instance: every fourth account is a service account.
    pub fn new(size: u32) -> Self {
        let mut directory = Directory::default();
        for number in 1..=size as usize {
            let (kind, own_role) = match number % 4 {
                0 => (SERVICE_ACCOUNT, "r3"),
                _ => (PERSON, "r2"),
            };
            let mut entry = Entry::new(kind);
            let mut set =
                |name: &str, text| entry.fields.insert(name.to_string(), Value::Text(text));
            set("email", format!("{kind}-{number}@example.com"));
            if kind == PERSON {
                set("given-name", "Ada".to_string());
                set("family-name", format!("Lovelace {number}"));
                set("organization", format!("o{}", number % 2 + 1));
            } else {
                set("purpose", format!("job {number}"));
            }
            for role in ["r1", own_role].into_iter().take(number % 3) {
                let member = (role.to_string(), directory.next_id());
                directory.members.insert(member);
            }
            directory.add(entry);
        }
        directory
    }

    /// The identifier that the next account will have.
    pub fn next_id(&self) -> String {
        format!("a{:05}", self.ever + 1)
    }

    /// Puts an account in.
    pub fn add(&mut self, entry: Entry) {
        self.accounts.insert(self.next_id(), entry);
        self.ever += 1;
    }

    /// Takes an account out, with all that it holds.
    pub fn remove(&mut self, id: &str) {
        self.accounts.remove(id);
        self.members.retain(|(_, account)| account != id);
    }

    /// The account with this identifier.
    pub fn account(&self, id: &str) -> Result<&Entry, Failure> {
        let entry = self.accounts.get(id);
        entry.ok_or_else(|| not_found(ResourceKind::Account, id))
    }

    /// Everything there is, in the order of the contract: accounts, each role after its grants, organizations.
    pub fn items(&self) -> Vec<Item> {
        let mut items: Vec<_> = self.accounts.iter().map(account).collect();
        for (id, name, kind) in ROLES {
            let members = self.members.iter().filter(|(role, _)| role == id);
            items.extend(members.clone().map(grant));
            items.push(Item::Role(Role {
                id: id.to_string(),
                name: Some(name.to_string()),
                account_kind: kind.map(str::to_string),
                description: None,
                member_count: Some(members.count() as u64),
                attributes: Vec::new(),
            }));
        }
        items.extend(ORGANIZATIONS.map(|(id, name)| {
            Item::Organization(Organization {
                id: id.to_string(),
                name: Some(name.to_string()),
                description: None,
                attributes: Vec::new(),
            })
        }));
        items
    }
}

/// The only kind of account that can hold a role, if there is such a limit.
pub fn kind_of_role(id: &str) -> Result<Option<&'static str>, Failure> {
    let role = ROLES.into_iter().find(|(role, ..)| *role == id);
    role.map(|(_, _, kind)| kind)
        .ok_or_else(|| not_found(ResourceKind::Role, id))
}

fn account((id, entry): (&String, &Entry)) -> Item {
    let purpose = entry.text("purpose").map(|purpose| Attribute {
        name: "purpose".to_string(),
        value: Value::Text(purpose),
    });
    Item::Account(Account {
        id: id.clone(),
        kind: Some(entry.kind.clone()),
        email: entry.text("email"),
        given_name: entry.text("given-name"),
        family_name: entry.text("family-name"),
        phone: entry.text("phone"),
        organization: entry.text("organization"),
        enabled: Some(entry.fields.get("enabled") == Some(&Value::Boolean(true))),
        attributes: purpose.into_iter().collect(),
        // What this directory does not know.
        external_id: None,
        administrator: None,
        mfa_configured: None,
        must_change_password: None,
        invitation: None,
        externally_managed: None,
        authentication: None,
        last_sign_in: None,
    })
}

fn grant((role, account): &(String, String)) -> Item {
    Item::Grant(Grant {
        account: account.clone(),
        role: role.clone(),
        source: None,
        attributes: Vec::new(),
    })
}
