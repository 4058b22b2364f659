//! The switches: one for every answer of NinjaOne that nothing public tells and a write depends on.
//!
//! Each switch is an enum whose first case is the default, a field of [`Behavior`], and a row of
//! [`Behavior::SWITCHES`] for the help of a command line. One macro makes all three from one
//! declaration, so that they cannot come apart.

use std::fmt::Write as _;

/// One switch, as a command line shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// Its name, such as `duplicate-email`.
    pub name: &'static str,
    /// What it decides, and what is known about it.
    pub about: &'static str,
    /// Its values, the default first.
    pub values: &'static [SwitchValue],
}

/// One value of a [`Switch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwitchValue {
    /// The value as it is given, such as `conflict`.
    pub name: &'static str,
    /// What the simulator then does.
    pub meaning: &'static str,
}

/// Why a switch could not be set. Tells which names or values there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BehaviorError {
    /// The assignment has no `=` in it.
    #[error("\"{0}\" sets nothing: write NAME=VALUE, such as duplicate-email=conflict")]
    NoAssignment(String),
    /// There is no switch of this name.
    #[error("there is no switch \"{name}\"; there are: {known}")]
    UnknownSwitch {
        /// The name that was given.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// The switch does not know this value.
    #[error("the switch \"{name}\" has no value \"{value}\"; it has: {known}")]
    UnknownValue {
        /// The name of the switch.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// The values there are, separated by commas.
        known: String,
    },
}

macro_rules! switches {
    ($(
        $(#[doc = $about:literal])+
        $name:literal $field:ident: $choice:ident {
            $(#[doc = $default_meaning:literal])+
            $default_value:literal $default_case:ident,
            $( $(#[doc = $meaning:literal])+ $value:literal $case:ident, )+
        }
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
            pub enum $choice {
                $(#[doc = $default_meaning])+
                #[default]
                $default_case,
                $( $(#[doc = $meaning])+ $case, )+
            }

            impl $choice {
                fn from_value(value: &str) -> Option<Self> {
                    match value {
                        $default_value => Some(Self::$default_case),
                        $( $value => Some(Self::$case), )+
                        _ => None,
                    }
                }
            }
        )+

        /// How the simulator answers where it is not known how NinjaOne does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Behavior {
            $( $(#[doc = $about])+ pub $field: $choice, )+
            /// For how many further reads of accounts or roles a write stays invisible: 0, the
            /// default, shows it at once. Whether NinjaOne reads its own writes is not known.
            pub read_lag: u32,
        }

        impl Behavior {
            /// All switches with a fixed list of values. `read-lag` takes any number instead.
            pub const SWITCHES: &'static [Switch] = &[
                $( Switch {
                    name: $name,
                    about: concat!($($about),+).trim_ascii_start(),
                    values: &[
                        SwitchValue {
                            name: $default_value,
                            meaning: concat!($($default_meaning),+).trim_ascii_start(),
                        },
                        $( SwitchValue {
                            name: $value,
                            meaning: concat!($($meaning),+).trim_ascii_start(),
                        }, )+
                    ],
                }, )+
            ];

            /// Sets a switch by its name and the name of a value.
            ///
            /// # Errors
            ///
            /// [`BehaviorError::UnknownSwitch`] and [`BehaviorError::UnknownValue`].
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), BehaviorError> {
                match name {
                    $( $name => {
                        self.$field = $choice::from_value(value)
                            .ok_or_else(|| unknown_value($name, value))?;
                    } )+
                    READ_LAG => {
                        self.read_lag = value.parse().map_err(|_| unknown_value(READ_LAG, value))?;
                    }
                    _ => return Err(unknown_switch(name)),
                }
                Ok(())
            }
        }
    };
}

switches! {
    /// What creating an account answers when its email address is taken. One client expects 409;
    /// the specification lists only 400.
    "duplicate-email" duplicate_email: DuplicateEmail {
        /// 409, whose errorMessage is an object with the code email_already_in_use.
        "conflict" Conflict,
        /// 400, as any validation error.
        "bad-request" BadRequest,
    }

    /// Whether two email addresses that differ only in case are the same. Not known.
    "email-comparison" email_comparison: EmailComparison {
        /// They are the same.
        "ignore-case" IgnoreCase,
        /// They are two.
        "exact" Exact,
    }

    /// What adding someone to a role answers who is a member already. Not known.
    "add-existing-member" add_existing_member: AddExistingMember {
        /// 200, and nothing changes.
        "unchanged" Unchanged,
        /// 400, and no one of the request is added.
        "bad-request" BadRequest,
        /// 404, and no one of the request is added.
        "not-found" NotFound,
    }

    /// What removing someone from a role answers who is not a member. Not known.
    "remove-stranger" remove_stranger: RemoveStranger {
        /// 200, and nothing changes.
        "unchanged" Unchanged,
        /// 400, and no one of the request is removed.
        "bad-request" BadRequest,
        /// 404, and no one of the request is removed.
        "not-found" NotFound,
    }

    /// What a role that nobody holds has for its members. Not known.
    "empty-members" empty_members: EmptyMembers {
        /// An empty list.
        "empty-list" EmptyList,
        /// No field at all.
        "absent" Absent,
    }

    /// What the 200 of add-members and remove-members carries. The specification promises the
    /// role; no answer has been captured.
    "role-write-body" role_write_body: RoleWriteBody {
        /// The updated role with all its members.
        "role" Role,
        /// Nothing.
        "empty" Empty,
    }

    /// What the 200 of changing a technician carries. The specification names no body.
    "patch-technician-body" patch_technician_body: PatchTechnicianBody {
        /// Nothing.
        "empty" Empty,
        /// The updated technician.
        "technician" Technician,
    }

    /// What a PATCH of an end user does with "enabled", which one client sends and the
    /// specification does not have.
    "patch-enabled" patch_enabled: PatchEnabled {
        /// 200, and the field is ignored.
        "ignored" Ignored,
        /// 200, and the account is enabled or disabled.
        "applied" Applied,
        /// 400.
        "bad-request" BadRequest,
    }

    /// What deleting an account answers that has been deleted already. Not known.
    "delete-deleted" delete_deleted: DeleteDeleted {
        /// 404, as for an id that never was.
        "not-found" NotFound,
        /// 400.
        "bad-request" BadRequest,
        /// 204, as the first time.
        "no-content" NoContent,
    }

    /// What reading, changing or deleting a technician as an end user answers, and the other way
    /// round. The specification has a 400 "invalid user type" and a 404.
    "wrong-kind" wrong_kind: WrongKind {
        /// 400.
        "bad-request" BadRequest,
        /// 404.
        "not-found" NotFound,
    }

    /// What changing or deleting an account answers that SCIM manages. The console refuses both;
    /// the API is not known.
    "scim-managed" scim_managed: ScimManaged {
        /// 400.
        "bad-request" BadRequest,
        /// 403.
        "forbidden" Forbidden,
        /// As for any other account.
        "allowed" Allowed,
    }

    /// What deleting a system administrator answers, when another enabled one is left. Not known.
    "delete-administrator" delete_administrator: DeleteAdministrator {
        /// 204: the account is deleted.
        "allowed" Allowed,
        /// 403.
        "forbidden" Forbidden,
    }

    /// What deleting the last enabled system administrator answers. Not known; 400 and 403 are
    /// the documented codes.
    "delete-last-administrator" delete_last_administrator: DeleteLastAdministrator {
        /// 400.
        "bad-request" BadRequest,
        /// 403.
        "forbidden" Forbidden,
    }

    /// The invitationStatus of a technician that was just created. Whether an invitation is mailed
    /// is not known.
    "technician-invitation" technician_invitation: TechnicianInvitation {
        /// PENDING: an invitation was mailed.
        "pending" Pending,
        /// REGISTERED: none was.
        "registered" Registered,
    }

    /// What a token request with a wrong client secret answers. Not known.
    "wrong-secret" wrong_secret: WrongSecret {
        /// 401 invalid_client, as OAuth 2.0 says.
        "unauthorized" Unauthorized,
        /// 400 invalid_client.
        "bad-request" BadRequest,
        /// 404 "Client app not exist", as for an unknown client.
        "not-found" NotFound,
    }

    /// Which scope a request needs. What NinjaOne enforces is not known. Reading anything but
    /// roles always needs monitoring, unless nothing is enforced.
    "scope-rule" scope_rule: ScopeRule {
        /// As the one published guide to a connector has it: management to read roles and to
        /// change accounts, control to change role members.
        "guide" Guide,
        /// Monitoring to read everything, management to change everything.
        "management" Management,
        /// Monitoring to read everything, management to change role members, control to change
        /// accounts.
        "control-for-accounts" ControlForAccounts,
        /// Any valid token may read and change everything.
        "any" Any,
    }

    /// The status of a request whose token lacks the scope. 401 has been observed.
    "insufficient-scope" insufficient_scope: InsufficientScope {
        /// 401 insufficient_privileges.
        "unauthorized" Unauthorized,
        /// 403 insufficient_privileges.
        "forbidden" Forbidden,
    }

    /// Whether the instance serves accounts and roles to an API application. An instance on an
    /// older build had no /v2/user path at all (observed); a refusal of tokens without a user has
    /// been observed on other endpoints.
    "user-endpoints" user_endpoints: UserEndpoints {
        /// It does.
        "served" Served,
        /// 403 user_context_required on /v2/users and below /v2/user.
        "user-context-required" UserContextRequired,
        /// 404 below /v2/user, as for an unknown route. /v2/users is served.
        "absent" Absent,
    }

    /// The errorMessage of application errors. All three shapes have been seen.
    "error-message" error_message: ErrorMessage {
        /// A string.
        "text" Text,
        /// An object with code and params.
        "object" Object,
        /// None at all.
        "absent" Absent,
    }
}

/// The name of the one switch that takes a number.
const READ_LAG: &str = "read-lag";

impl Behavior {
    /// Sets a switch from an assignment as a command line takes it: `duplicate-email=conflict`.
    ///
    /// # Errors
    ///
    /// [`BehaviorError::NoAssignment`] without a `=`, and the errors of [`Behavior::set`].
    pub fn apply(&mut self, assignment: &str) -> Result<(), BehaviorError> {
        let (name, value) = assignment
            .split_once('=')
            .ok_or_else(|| BehaviorError::NoAssignment(assignment.to_owned()))?;
        self.set(name.trim(), value.trim())
    }

    /// All switches as text for the help of a command line: what each decides, its values and what
    /// they mean, the default first and marked.
    #[must_use]
    pub fn help() -> String {
        let mut text = String::new();
        // Writing to a string cannot fail, so the results are of no interest.
        for switch in Self::SWITCHES {
            let _ = writeln!(text, "{}: {}", switch.name, switch.about);
            for (index, value) in switch.values.iter().enumerate() {
                let default = if index == 0 { " [default]" } else { "" };
                let _ = writeln!(text, "    {}{default}: {}", value.name, value.meaning);
            }
        }
        let _ = writeln!(
            text,
            "{READ_LAG}: For how many further reads a write stays invisible.\n    \
             a number: 0 [default] shows it at once."
        );
        text
    }
}

fn unknown_switch(name: &str) -> BehaviorError {
    let names = Behavior::SWITCHES
        .iter()
        .map(|switch| switch.name)
        .chain([READ_LAG]);
    let known = names.collect::<Vec<_>>().join(", ");
    BehaviorError::UnknownSwitch {
        name: name.to_owned(),
        known,
    }
}

fn unknown_value(name: &'static str, value: &str) -> BehaviorError {
    let switch = Behavior::SWITCHES.iter().find(|switch| switch.name == name);
    let known = match switch {
        Some(switch) => switch
            .values
            .iter()
            .map(|value| value.name)
            .collect::<Vec<_>>()
            .join(", "),
        None => "any whole number from 0".to_owned(),
    };
    BehaviorError::UnknownValue {
        name,
        value: value.to_owned(),
        known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_value_can_be_set_and_only_the_first_is_the_default() {
        for switch in Behavior::SWITCHES {
            for (index, value) in switch.values.iter().enumerate() {
                let mut behavior = Behavior::default();
                behavior.set(switch.name, value.name).unwrap();
                assert_eq!(
                    behavior == Behavior::default(),
                    index == 0,
                    "{} {value:?}",
                    switch.name
                );
            }
        }
    }

    #[test]
    fn an_assignment_sets_its_switch() {
        let mut behavior = Behavior::default();
        behavior.apply("wrong-kind=not-found").unwrap();
        behavior.apply("read-lag=3").unwrap();
        let expected = Behavior {
            wrong_kind: WrongKind::NotFound,
            read_lag: 3,
            ..Behavior::default()
        };
        assert_eq!(behavior, expected);
    }

    #[test]
    fn errors_tell_what_could_have_been_written() {
        let mut behavior = Behavior::default();
        let errors = [
            "wrong-kind=perhaps",
            "wrong=not-found",
            "read-lag=-1",
            "wrong-kind",
        ]
        .map(|assignment| behavior.apply(assignment).unwrap_err().to_string());
        assert!(
            errors[0].ends_with("it has: bad-request, not-found"),
            "{}",
            errors[0]
        );
        assert!(
            errors[1].contains("duplicate-email, email-comparison"),
            "{}",
            errors[1]
        );
        assert!(
            errors[2].ends_with("any whole number from 0"),
            "{}",
            errors[2]
        );
        assert!(errors[3].contains("NAME=VALUE"), "{}", errors[3]);
    }

    #[test]
    fn the_help_shows_every_switch_with_its_default() {
        let help = Behavior::help();
        for switch in Behavior::SWITCHES {
            assert!(
                help.contains(&format!("{}: ", switch.name)),
                "{}",
                switch.name
            );
            assert!(help.contains(&format!("    {} [default]: ", switch.values[0].name)));
        }
    }
}
