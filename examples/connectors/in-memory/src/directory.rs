//! The connected system: people and service accounts, three roles, two organizations. This is what the next connector replaces
//! by requests.

use std::collections::BTreeSet;

use crate::contract::{Account, Attribute, Organization, Role, Value};
use crate::describe::{PERSON, SERVICE_ACCOUNT};

/// Everything there is.
pub struct Directory {
    /// In the order in which they came.
    pub accounts: Vec<Account>,
    /// The roles; who holds them is in `members`.
    pub roles: Vec<Role>,
    /// The organizations that people belong to.
    pub organizations: Vec<Organization>,
    /// The pairs of a role and an account that holds it.
    pub members: BTreeSet<(String, String)>,
    /// How many accounts there ever were. An identifier is never given twice.
    ever: usize,
}

const NAMES: [(&str, &str); 4] = [
    ("Ada", "Lovelace"),
    ("Grace", "Hopper"),
    ("Alan", "Turing"),
    ("Edsger", "Dijkstra"),
];

impl Directory {
    /// The directory as it is at first, the same for each instance: every fourth account is a service account.
    pub fn new(size: u32) -> Self {
        let mut directory = Directory {
            accounts: Vec::new(),
            roles: vec![
                role("r1", "Reader", None),
                role("r2", "Editor", Some(PERSON)),
                role("r3", "Deployer", Some(SERVICE_ACCOUNT)),
            ],
            organizations: vec![organization("o1", "North"), organization("o2", "South")],
            members: BTreeSet::new(),
            ever: 0,
        };
        for number in 0..size as usize {
            let is_person = number % 4 < 3;
            let kind = if is_person { PERSON } else { SERVICE_ACCOUNT };
            let mut account = directory.new_account(kind);
            account.email = Some(format!("{kind}-{number}@example.com"));
            if is_person {
                let (given, family) = NAMES[number % NAMES.len()];
                account.given_name = Some(given.to_string());
                account.family_name = Some(family.to_string());
                account.organization = Some(format!("o{}", number % 2 + 1));
                account.administrator = Some(number == 0);
            } else {
                account.attributes.push(Attribute {
                    name: "purpose".to_string(),
                    value: Value::Text(format!("job {number}")),
                });
            }
            let own_role = if is_person { "r2" } else { "r3" };
            for role in ["r1", own_role].into_iter().take(number % 3) {
                directory
                    .members
                    .insert((role.to_string(), account.id.clone()));
            }
            directory.accounts.push(account);
        }
        directory
    }

    /// An account with an identifier of its own and no more. It is not in the directory yet.
    pub fn new_account(&mut self, kind: &str) -> Account {
        self.ever += 1;
        Account {
            id: format!("a{}", self.ever),
            kind: Some(kind.to_string()),
            external_id: None,
            email: None,
            given_name: None,
            family_name: None,
            phone: None,
            enabled: Some(true),
            administrator: None,
            mfa_configured: None,
            must_change_password: None,
            invitation: None,
            organization: None,
            externally_managed: None,
            authentication: None,
            last_sign_in: None,
            attributes: Vec::new(),
        }
    }

    /// The account with this identifier.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The role with this identifier.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// Whether the account holds the role.
    pub fn holds(&self, account: &str, role: &str) -> bool {
        self.members
            .contains(&(role.to_string(), account.to_string()))
    }

    /// Takes an account out, with all that it holds.
    pub fn remove(&mut self, id: &str) {
        self.accounts.retain(|account| account.id != id);
        self.members.retain(|(_, account)| account != id);
    }
}

fn role(id: &str, name: &str, kind: Option<&str>) -> Role {
    Role {
        id: id.to_string(),
        name: Some(name.to_string()),
        account_kind: kind.map(str::to_string),
        description: None,
        member_count: None,
        attributes: Vec::new(),
    }
}

fn organization(id: &str, name: &str) -> Organization {
    Organization {
        id: id.to_string(),
        name: Some(name.to_string()),
        description: None,
        attributes: Vec::new(),
    }
}
