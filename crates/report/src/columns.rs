//! The data of a report: what a snapshot has of accounts, roles and grants, column by column.
//!
//! Columns rather than rows, since the page has all of it as JSON: names of fields are there once, words that repeat are numbers,
//! and a truth value is one character.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

/// Everything that the lists of the page show.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Columns {
    /// Whether the sync asked for sign-ins.
    pub sign_ins_asked: bool,
    pub accounts: Accounts,
    pub roles: Roles,
    pub grants: Grants,
}

/// The accounts, and the identifiers that grants name and that are none of theirs.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Accounts {
    #[serde(flatten)]
    pub ids: Ids,
    pub given_name: Vec<Option<String>>,
    pub family_name: Vec<Option<String>>,
    pub email: Vec<Option<String>>,
    pub kind: Words,
    pub enabled: Flags,
    pub administrator: Flags,
    pub mfa_configured: Flags,
    pub invitation: Words,
    /// By name where the organization is in the snapshot, else by identifier.
    pub organization: Words,
    pub externally_managed: Flags,
    pub authentication: Words,
    pub last_sign_in: Vec<Option<String>>,
}

/// The roles, and the identifiers that grants name and that are none of theirs.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Roles {
    #[serde(flatten)]
    pub ids: Ids,
    pub name: Vec<Option<String>>,
    pub account_kind: Words,
    pub description: Vec<Option<String>>,
    /// As the connected system told it.
    pub member_count: Vec<Option<u64>>,
    /// Whether it is not known who holds the role.
    pub members_unknown: Flags,
}

impl Roles {
    /// The places of the roles of which it is not known who holds them.
    pub fn with_unknown_members(&self) -> impl Iterator<Item = usize> {
        let flags = self.members_unknown.0.iter().enumerate();
        flags.filter_map(|(place, flag)| (*flag == Some(true)).then_some(place))
    }

    /// The name of a role for people.
    pub fn shown(&self, role: usize) -> String {
        let name = self.name.get(role).cloned().flatten();
        name.unwrap_or_else(|| {
            let id = self.ids.id.iter().chain(&self.ids.unknown).nth(role);
            format!("role {}", id.map_or("", String::as_str))
        })
    }
}

/// The grants: the places of an account and of a role, and where it comes from.
#[derive(Default, Serialize)]
pub struct Grants {
    pub account: Vec<usize>,
    pub role: Vec<usize>,
    pub source: Words,
}

/// Identifiers, each at its place. Those that are only named by grants come after those that are in the snapshot.
#[derive(Default, Serialize)]
pub struct Ids {
    pub id: Vec<String>,
    pub unknown: Vec<String>,
    #[serde(skip)]
    places: HashMap<String, usize>,
}

impl Ids {
    /// Takes in what is in the snapshot. All of that comes before what grants name.
    pub fn push(&mut self, id: String) {
        self.places.insert(id.clone(), self.id.len());
        self.id.push(id);
    }

    /// The place of an identifier; of one that is not in the snapshot, a place after those that are.
    pub fn place(&mut self, id: String) -> usize {
        let next = self.all();
        *self.places.entry(id).or_insert_with_key(|id| {
            self.unknown.push(id.clone());
            next
        })
    }

    /// How many are in the snapshot.
    pub fn known(&self) -> usize {
        self.id.len()
    }

    /// How many there are, with those that only grants name.
    pub fn all(&self) -> usize {
        self.id.len() + self.unknown.len()
    }
}

/// A column of words of which there are few.
#[derive(Default, Serialize)]
pub struct Words {
    words: Vec<String>,
    of: Vec<Option<usize>>,
    #[serde(skip)]
    places: HashMap<String, usize>,
}

impl Words {
    pub fn push(&mut self, word: Option<String>) {
        let place = word.map(|word| {
            let next = self.words.len();
            *self.places.entry(word).or_insert_with_key(|word| {
                self.words.push(word.clone());
                next
            })
        });
        self.of.push(place);
    }

    /// The word at a place; `None` where it is not known.
    pub fn get(&self, place: usize) -> Option<&str> {
        let word = self.of.get(place).copied().flatten()?;
        self.words.get(word).map(String::as_str)
    }
}

/// A column of what is true, false, or not known.
#[derive(Default)]
pub struct Flags(pub Vec<Option<bool>>);

impl Serialize for Flags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let flags = self.0.iter().map(|flag| match flag {
            Some(true) => '1',
            Some(false) => '0',
            None => '-',
        });
        serializer.serialize_str(&flags.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_grants_name_comes_after_what_is_there_and_once() {
        let mut ids = Ids::default();
        ids.push("a".to_string());
        ids.push("b".to_string());
        let places = ["b", "x", "a", "y", "x"].map(|id| ids.place(id.to_string()));
        assert_eq!(places, [1, 2, 0, 3, 2]);
        assert_eq!((ids.known(), ids.all()), (2, 4));
        assert_eq!(ids.unknown, ["x", "y"]);
    }

    #[test]
    fn not_known_is_not_no() {
        let flags = Flags(vec![Some(true), None, Some(false)]);
        assert_eq!(serde_json::json!(flags), "1-0");
        let mut words = Words::default();
        for word in [Some("one"), None, Some("one")] {
            words.push(word.map(String::from));
        }
        assert_eq!(
            serde_json::json!(words),
            serde_json::json!({"words": ["one"], "of": [0, null, 0]})
        );
        assert_eq!((words.get(0), words.get(1)), (Some("one"), None));
    }
}
