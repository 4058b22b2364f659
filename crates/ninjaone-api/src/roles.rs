//! Roles with their members, from an answer that is still arriving.
//!
//! NinjaOne embeds all members in each role, a million of them if need be. So the members are handed out one by one, and
//! the role after them, once all its fields are known. JSON promises no order of fields: members that come before what has to be
//! known of their role are held back until it is.

use std::collections::VecDeque;
use std::fmt;

use serde_json::value::RawValue;

use crate::error::{Error, Kind};
use crate::failure;
use crate::json::JsonReader;
use crate::object::{self, Fields, FromJson};
use crate::wire::{Id, RoleMember, UserRole};

/// How many members of one role are held back.
///
/// The API's documentation has the members last, so this is for the odd answer; a role that exceeds it is an error.
const MOST_HELD_BACK: usize = 10_000;

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
    /// Whether the type of a role has to be known when its members are handed out.
    needs_type: bool,
    first_role: bool,
    /// How many roles were met.
    met: u64,
    current: Current,
}

/// The role that is being read.
#[derive(Default)]
struct Current {
    id: Option<Id>,
    role_type: Option<String>,
    has_type: bool,
    /// All its fields but the list of members.
    fields: Vec<(String, Box<RawValue>)>,
    first_name: bool,
    first_member: bool,
    members: Option<u64>,
    held_back: VecDeque<RoleMember>,
    /// Whether a member was handed out.
    gave_member: bool,
}

/// Names a role in an error. Text is made of it only for one: it is asked for with each member.
struct RoleName {
    id: Option<Id>,
    number: u64,
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "the role {id}"),
            None => write!(f, "the role number {}", self.number),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Start,
    BetweenRoles,
    InRole,
    InMembers,
    AfterRole,
    Ended,
}

impl RoleEvents {
    /// Reads the array that `GET /v2/user/roles` answers.
    pub(crate) fn of_array(reader: JsonReader, needs_type: bool) -> Self {
        RoleEvents {
            needs_type,
            ..Self::new(reader, true)
        }
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
            needs_type: false,
            first_role: true,
            met: 0,
            current: Current::default(),
        }
    }

    /// How many bytes of the answer have been taken.
    pub fn bytes_read(&self) -> u64 {
        self.reader.offset()
    }

    /// How many roles were met.
    pub fn met(&self) -> u64 {
        self.met
    }

    /// The whole answer made no sense to whoever read it.
    pub fn unbelievable(&self, problem: &str) -> Error {
        self.reader.malformed(self.reader.offset(), problem)
    }

    /// The type of the role whose members are being met.
    pub fn current_type(&self) -> Option<&str> {
        self.current.role_type.as_deref()
    }

    /// Waits for the next event; `None` once the answer has ended.
    ///
    /// # Errors
    ///
    /// As [`crate::Elements::try_next`]. A role or a member without an identifier is an error too.
    pub fn try_next(&mut self) -> Result<Option<RoleEvent>, Error> {
        loop {
            let event = match self.place {
                Place::Start => self.start()?,
                Place::BetweenRoles => self.open_role()?,
                Place::InRole => self.next_field()?,
                Place::InMembers => self.next_member()?,
                Place::AfterRole => self.end_of_role()?,
                Place::Ended => return Ok(None),
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    fn start(&mut self) -> Result<Option<RoleEvent>, Error> {
        self.place = Place::Ended;
        if failure::has_list(&mut self.reader)? {
            if self.array {
                self.reader.expect(b'[')?;
            }
            self.place = Place::BetweenRoles;
        }
        Ok(None)
    }

    fn open_role(&mut self) -> Result<Option<RoleEvent>, Error> {
        let another = if self.array {
            self.reader.next_element(&mut self.first_role)?
        } else {
            std::mem::take(&mut self.first_role)
        };
        if another {
            self.met += 1;
            self.reader.expect(b'{')?;
            self.current = Current {
                first_name: true,
                ..Current::default()
            };
            self.place = Place::InRole;
        } else {
            self.reader.end()?;
            self.place = Place::Ended;
        }
        Ok(None)
    }

    fn next_field(&mut self) -> Result<Option<RoleEvent>, Error> {
        if let Some(id) = self.current.id
            && (self.current.has_type || !self.needs_type)
            && let Some(member) = self.current.held_back.pop_front()
        {
            return Ok(Some(self.give(id, member)));
        }
        let Some(name) = self.reader.next_name(&mut self.current.first_name)? else {
            self.place = Place::AfterRole;
            return Ok(None);
        };
        let is_members = name == "members";
        let has_list = is_members && self.reader.peek()? == Some(b'[');
        let gave_list = self.current.members.is_some_and(|members| members > 0);
        if has_list && !gave_list {
            self.reader.expect(b'[')?;
            self.current.members = Some(0);
            self.current.first_member = true;
            self.place = Place::InMembers;
            return Ok(None);
        }
        let what = format_args!(
            "{}, field {}",
            self.name(),
            self.reader.exchange().said(&name)
        );
        let json: Box<RawValue> = self.reader.value(what)?;
        // A null is as good as missing, but that the type is not known is known then.
        self.current.has_type |= name == "type";
        if json.get() == "null" {
            return Ok(None);
        }
        if is_members && gave_list {
            return Err(self.changes("its members"));
        }
        match name.as_str() {
            "id" => self.note_id(&json)?,
            "type" => self.note_type(&json)?,
            _ => {}
        }
        self.current.fields.push((name, json));
        Ok(None)
    }

    fn note_id(&mut self, json: &RawValue) -> Result<(), Error> {
        let id = Id::from_json(json);
        if self.current.gave_member && id != self.current.id {
            return Err(self.changes("its id"));
        }
        self.current.id = id;
        Ok(())
    }

    fn note_type(&mut self, json: &RawValue) -> Result<(), Error> {
        let role_type = object::text(json.get()).map(|text| text.into_owned());
        if self.needs_type && self.current.gave_member && role_type != self.current.role_type {
            return Err(self.changes("its type"));
        }
        self.current.role_type = role_type;
        Ok(())
    }

    fn next_member(&mut self) -> Result<Option<RoleEvent>, Error> {
        if !self.reader.next_element(&mut self.current.first_member)? {
            self.place = Place::InRole;
            return Ok(None);
        }
        let number = self.current.members.map_or(1, |members| members + 1);
        self.current.members = Some(number);
        let what = format_args!("{}, member number {number}", self.name());
        let member: RoleMember = self.reader.record(what)?;
        if member.id.is_none() {
            let problem = format!(
                "{}, member number {number} has no id that is a whole number",
                self.name()
            );
            let start = self.reader.value_start();
            return Err(self.reader.malformed(start, &problem));
        }
        match self.current.id {
            Some(id) if self.current.has_type || !self.needs_type => {
                Ok(Some(self.give(id, member)))
            }
            _ if self.current.held_back.len() < MOST_HELD_BACK => {
                self.current.held_back.push_back(member);
                Ok(None)
            }
            _ => {
                let message = format!(
                    "{} names more than {MOST_HELD_BACK} members before its id or its type; please report it",
                    self.name()
                );
                Err(self.reader.exchange().error(Kind::TooLarge, message))
            }
        }
    }

    /// Hands out what was held back to the end, and then the role.
    fn end_of_role(&mut self) -> Result<Option<RoleEvent>, Error> {
        let Some(id) = self.current.id else {
            let problem = format!("{} has no id that is a whole number", self.name());
            return Err(self.reader.malformed(self.reader.offset(), &problem));
        };
        if let Some(member) = self.current.held_back.pop_front() {
            return Ok(Some(self.give(id, member)));
        }
        self.place = Place::BetweenRoles;
        let Current {
            fields, members, ..
        } = std::mem::take(&mut self.current);
        let mut role = UserRole::default();
        let mut places = Fields::of(&mut role);
        for (name, json) in fields {
            places.read(name.into(), &json);
        }
        places.end();
        Ok(Some(RoleEvent::Role { id, role, members }))
    }

    fn give(&mut self, role: Id, member: RoleMember) -> RoleEvent {
        self.current.gave_member = true;
        RoleEvent::Member(role, member)
    }

    /// The role that is being read, for an error to name.
    fn name(&self) -> RoleName {
        RoleName {
            id: self.current.id,
            number: self.met,
        }
    }

    /// A role came with something twice, when members had been handed out by what came first.
    fn changes(&self, what: &str) -> Error {
        let problem = format!("{} has {what} twice, with different values", self.name());
        self.reader.malformed(self.reader.offset(), &problem)
    }
}
