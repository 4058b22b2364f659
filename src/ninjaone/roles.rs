//! Roles with their members, from an answer that is still arriving.
//!
//! NinjaOne embeds all members in each role, a million of them if need be. So the members are handed out one by one, and
//! the role after them, once all its fields are known.

use super::answer;
use super::json::JsonReader;
use super::wire::{Id, RoleMember, UserRole};
use crate::error::{Error, Kind};

/// How many members are kept when an answer names them before the role's identifier.
///
/// The API's documentation has the identifier first, so this is for the odd answer; a role that exceeds it is an error.
const MOST_MEMBERS_BEFORE_ID: usize = 10_000;

/// What is met when reading roles.
#[derive(Clone, Debug, PartialEq)]
pub enum RoleEvent {
    /// A member of the role with this identifier.
    Member(Id, RoleMember),
    /// A role whose members have all been met.
    Role {
        /// Its identifier.
        id: Id,
        /// Everything else about it.
        role: UserRole,
        /// How many members it named; `None` where it had no list of members.
        members: Option<u64>,
    },
}

/// Reads an array of roles, or one role.
pub struct RoleEvents {
    reader: JsonReader,
    place: Place,
    array: bool,
    first_role: bool,
    current: Current,
}

#[derive(Default)]
struct Current {
    role: UserRole,
    first_key: bool,
    first_member: bool,
    members: Option<u64>,
    /// Members met before the identifier, last first.
    waiting: Vec<RoleMember>,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Start,
    BetweenRoles,
    InRole,
    InMembers,
    Ended,
}

impl RoleEvents {
    /// Reads the array that `GET /v2/user/roles` answers.
    pub(crate) fn of_array(reader: JsonReader) -> Self {
        Self::new(reader, true)
    }

    /// Reads the one role that a change of members answers.
    pub(crate) fn of_one(reader: JsonReader) -> Self {
        Self::new(reader, false)
    }

    fn new(reader: JsonReader, array: bool) -> Self {
        RoleEvents {
            reader,
            place: Place::Start,
            array,
            first_role: true,
            current: Current::default(),
        }
    }

    /// How many bytes of the answer have been taken.
    pub fn bytes_read(&self) -> u64 {
        self.reader.offset()
    }

    /// What is known so far of the role whose members are being met.
    pub fn current_role(&self) -> &UserRole {
        &self.current.role
    }

    /// The failure of a role that came without a list of its members, where that is what was asked for: it may have many.
    pub(crate) fn without_members(&self, role: Id) -> Error {
        let problem =
            format!("the role {role} came without its members, so nobody can tell who holds it");
        self.reader.malformed(self.reader.offset(), &problem)
    }

    /// Waits for the next event; `None` once the answer has ended.
    ///
    /// # Errors
    ///
    /// As [`super::Elements::try_next`]. A role or a member without an identifier is an error too.
    pub fn try_next(&mut self) -> Result<Option<RoleEvent>, Error> {
        loop {
            match self.place {
                Place::Start => self.start()?,
                Place::BetweenRoles => self.open_role()?,
                Place::InRole => {
                    if let Some(event) = self.next_field()? {
                        return Ok(Some(event));
                    }
                }
                Place::InMembers => {
                    if let Some(event) = self.next_member()? {
                        return Ok(Some(event));
                    }
                }
                Place::Ended => return Ok(None),
            }
        }
    }

    fn start(&mut self) -> Result<(), Error> {
        answer::check_start(&mut self.reader)?;
        if self.array {
            self.reader.expect(b'[')?;
        }
        self.place = Place::BetweenRoles;
        Ok(())
    }

    fn open_role(&mut self) -> Result<(), Error> {
        let another = if self.array {
            self.reader.next_element(&mut self.first_role)?
        } else {
            std::mem::take(&mut self.first_role)
        };
        if another {
            self.reader.expect(b'{')?;
            self.current = Current {
                first_key: true,
                ..Current::default()
            };
            self.place = Place::InRole;
        } else {
            self.reader.end()?;
            self.place = Place::Ended;
        }
        Ok(())
    }

    fn next_field(&mut self) -> Result<Option<RoleEvent>, Error> {
        if let Some(id) = self.current.role.id
            && let Some(member) = self.current.waiting.pop()
        {
            return Ok(Some(RoleEvent::Member(id, member)));
        }
        let Some(key) = self.reader.next_key(&mut self.current.first_key)? else {
            self.place = Place::BetweenRoles;
            return self.role_at_its_end().map(Some);
        };
        let role = &mut self.current.role;
        let again = match key.as_str() {
            "id" => role.id.is_some(),
            "members" => self.current.members.is_some(),
            _ => false,
        };
        if again {
            // Members may have been given away under the first id.
            let problem = "a role has its id or members twice";
            return Err(self.reader.malformed(self.reader.offset(), problem));
        }
        match key.as_str() {
            "id" => role.id = self.reader.field(&key)?,
            "name" => role.name = self.reader.field(&key)?,
            "type" => role.role_type = self.reader.field(&key)?,
            "description" => role.description = self.reader.field(&key)?,
            "members" if self.reader.peek()? == Some(b'[') => {
                self.reader.expect(b'[')?;
                self.current.members = Some(0);
                self.current.first_member = true;
                self.place = Place::InMembers;
            }
            _ => {
                let value = self.reader.value()?;
                if !value.is_null() && key != "members" {
                    role.extra.push((key, value.json().to_string()));
                } else if !value.is_null() {
                    let start = self.reader.value_start();
                    return Err(self
                        .reader
                        .malformed(start, "field members: it is not a list"));
                }
            }
        }
        Ok(None)
    }

    fn next_member(&mut self) -> Result<Option<RoleEvent>, Error> {
        if !self.reader.next_element(&mut self.current.first_member)? {
            self.current.waiting.reverse();
            self.place = Place::InRole;
            return Ok(None);
        }
        let member: RoleMember = self.reader.object()?;
        if member.id.is_none() {
            let start = self.reader.value_start();
            return Err(self.reader.malformed(start, "a member of a role has no id"));
        }
        self.current.members = self.current.members.map(|members| members + 1);
        if let Some(id) = self.current.role.id {
            return Ok(Some(RoleEvent::Member(id, member)));
        }
        if self.current.waiting.len() >= MOST_MEMBERS_BEFORE_ID {
            let message = format!(
                "a role names more than {MOST_MEMBERS_BEFORE_ID} members before its id; please report it"
            );
            return Err(self.reader.exchange().error(Kind::TooLarge, message));
        }
        self.current.waiting.push(member);
        Ok(None)
    }

    fn role_at_its_end(&mut self) -> Result<RoleEvent, Error> {
        let Current { role, members, .. } = std::mem::take(&mut self.current);
        match role.id {
            Some(id) => Ok(RoleEvent::Role { id, role, members }),
            None => Err(self
                .reader
                .malformed(self.reader.offset(), "a role has no id")),
        }
    }
}
