//! How much less a snapshot may have than the one it replaces, and what the first one has to have.
//!
//! A sync that is whole can still be wrong: a permission was taken away, a filter was set in the connected system, it answered
//! with an empty list after a fault of its own, it is the wrong tenant. A governance host that believes it takes everybody who is
//! missing for gone.
//!
//! Grants are compared in the roles whose members both snapshots know. Where only one of them knows the members of a role, its grants
//! were neither lost nor gained. But what the old one has of a role whose members are unknown now may well be lost, as
//! where a connected system leaves out a list that is empty. So the guard takes the worst case: what is gone for sure and what may
//! be gone must be within the limit together. A role whose members stay unknown has no grants in either, and holds nothing up.
//!
//! What this does not see: a role whose members were unknown in the snapshot that is replaced is compared with nothing. Whether it lost
//! any since they were last known, `diff` with an older snapshot tells.

use std::fmt;
use std::path::{Path, PathBuf};

use connector_contract::Counts;

use crate::error::Error;

/// What there was, as far as a new snapshot can be compared with it.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    pub counts: Counts,
    pub grants: Grants,
}

/// The grants of two snapshots, by whether the members of their roles are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// In the old one, of roles whose members both know.
    pub before: u64,
    /// In the new one, of the same roles.
    pub now: u64,
    /// In the old one, of roles whose members the new one does not know.
    pub unknown_now: u64,
    /// In the new one, of roles whose members the old one did not know.
    pub unknown_before: u64,
}

/// What a new snapshot may lose.
#[derive(Clone, Copy, Debug)]
pub struct LossPolicy {
    /// The most that each kind of what was listed may fall by, in percent of what was there.
    pub most_lost: u8,
    /// Whether to replace the old snapshot all the same, and that of another tenant.
    pub allowed: bool,
}

impl LossPolicy {
    /// Refuses what has lost too much, and a first snapshot that cannot be right.
    pub fn check(self, path: &Path, before: Option<&Before>, now: &Counts) -> Result<(), Error> {
        match before {
            Some(before) => Ok(self.check_loss(path, before, now)?),
            None => Ok(self.check_first(path, now)?),
        }
    }

    /// Nothing can be lost where nothing was.
    fn check_loss(self, path: &Path, before: &Before, now: &Counts) -> Result<(), Loss> {
        let Before {
            counts: before,
            grants,
        } = before;
        let falls = [
            Fall::of("accounts", before.accounts, now.accounts),
            Fall::of("roles", before.roles, now.roles),
            Fall::of_grants(grants),
            Fall::of("organizations", before.organizations, now.organizations),
        ];
        let too_much =
            |fall: &Fall| fall.lost() * 100 > u128::from(fall.before) * u128::from(self.most_lost);
        let falls: Vec<_> = falls.into_iter().filter(too_much).collect();
        if self.allowed || falls.is_empty() {
            return Ok(());
        }
        Err(Loss {
            path: path.to_path_buf(),
            falls,
            most_lost: self.most_lost,
        })
    }

    /// A tenant in which there is something has somebody who can sign in. One with nothing at all may be new.
    fn check_first(self, path: &Path, now: &Counts) -> Result<(), WithoutAccounts> {
        let without_accounts = now.accounts == 0 && *now != Counts::default();
        if self.allowed || !without_accounts {
            return Ok(());
        }
        Err(WithoutAccounts {
            path: path.to_path_buf(),
            counts: *now,
        })
    }
}

/// Why a first snapshot was not written.
#[derive(Debug, thiserror::Error)]
#[error(
    "the snapshot {} was not written: {counts} were listed, and no account, which does not fit together. The credentials may lack a \
     permission, or the connected system have a fault: find out before relying on it. If it is right, run it again with --allow-loss",
    path.display()
)]
pub struct WithoutAccounts {
    path: PathBuf,
    counts: Counts,
}

/// Why a snapshot was not replaced.
#[derive(Debug, thiserror::Error)]
#[error(
    "the snapshot {} was not replaced, and is as it was: {}, and --most-lost allows {most_lost} %. Find out why before \
     relying on it. If it is right, run it again with --allow-loss",
    path.display(), told(falls)
)]
pub struct Loss {
    path: PathBuf,
    falls: Vec<Fall>,
    most_lost: u8,
}

/// How many there were, and how many there are.
#[derive(Debug)]
struct Fall {
    what: &'static str,
    before: u64,
    now: u64,
    /// How many of those that were there may still be there, or not.
    unknown: u64,
}

impl Fall {
    fn of(what: &'static str, before: u64, now: u64) -> Self {
        Self {
            what,
            before,
            now,
            unknown: 0,
        }
    }

    fn of_grants(grants: &Grants) -> Self {
        Self {
            what: match grants.unknown_before {
                0 => "grants",
                _ => "grants of roles whose members were known",
            },
            before: grants.before + grants.unknown_now,
            now: grants.now,
            unknown: grants.unknown_now,
        }
    }

    /// How many are gone for sure.
    fn gone(&self) -> u64 {
        (self.before - self.unknown).saturating_sub(self.now)
    }

    /// How many are gone in the worst case.
    fn lost(&self) -> u128 {
        u128::from(self.gone()) + u128::from(self.unknown)
    }
}

/// As in `accounts fell from 300 to 12, by 96.0 %`. Rounded up, so that it is never shown as what would be allowed. What is not known
/// to be gone is not said to be.
impl fmt::Display for Fall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            before,
            now,
            unknown,
        } = self;
        let tenths = (self.lost() * 1000).div_ceil(u128::from(*before).max(1));
        let (percent, tenth) = (tenths / 10, tenths % 10);
        match (unknown, self.gone()) {
            (0, _) => write!(
                f,
                "{what} fell from {before} to {now}, by {percent}.{tenth} %"
            ),
            (unknown, 0) => write!(
                f,
                "{unknown} of {before} {what} may be gone, {percent}.{tenth} %: the members of their roles are unknown now"
            ),
            (unknown, gone) => write!(
                f,
                "of {before} {what} {gone} are gone and {unknown} more may be, {percent}.{tenth} %: the members of their roles are \
                 unknown now"
            ),
        }
    }
}

fn told(falls: &[Fall]) -> String {
    let falls: Vec<_> = falls.iter().map(Fall::to_string).collect();
    falls.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many accounts, and grants.
    fn counts((accounts, grants): (u64, u64)) -> Counts {
        Counts {
            accounts,
            grants,
            ..Counts::default()
        }
    }

    fn policy(most_lost: u8) -> LossPolicy {
        LossPolicy {
            most_lost,
            allowed: false,
        }
    }

    fn check(most_lost: u8, before: (u64, u64), now: (u64, u64)) -> Result<(), Error> {
        let (before, now) = (counts(before), counts(now));
        let before = all_known(before, &now);
        policy(most_lost).check(Path::new("tenant.db"), Some(&before), &now)
    }

    /// What there was, where the members of all roles are known.
    fn all_known(before: Counts, now: &Counts) -> Before {
        Before {
            counts: before,
            grants: Grants {
                before: before.grants,
                now: now.grants,
                ..Grants::default()
            },
        }
    }

    /// What the guard says of grants, where it allows a loss of 30 %.
    fn check_grants(grants: Grants) -> Result<(), String> {
        let before = Before {
            counts: Counts::default(),
            grants,
        };
        let checked = policy(30).check(Path::new("tenant.db"), Some(&before), &Counts::default());
        checked.map_err(|loss| loss.to_string())
    }

    #[test]
    fn grants_that_may_be_gone_count_like_those_that_are_and_are_not_said_to_be() {
        let grants = |before, now, unknown_now| Grants {
            before,
            now,
            unknown_now,
            unknown_before: 0,
        };
        assert_eq!(check_grants(grants(70, 70, 30)), Ok(()));
        assert_eq!(check_grants(grants(90, 70, 10)), Ok(()));
        // What others gained makes up for nothing.
        for (grants, said) in [
            (
                grants(60, 100, 40),
                "40 of 100 grants may be gone, 40.0 %: the members of their roles are unknown now",
            ),
            (
                grants(0, 0, 40),
                "40 of 40 grants may be gone, 100.0 %: the members of their roles are unknown now",
            ),
            (
                grants(80, 60, 20),
                "of 100 grants 20 are gone and 20 more may be, 40.0 %: the members of their roles are unknown now",
            ),
        ] {
            let loss = check_grants(grants).expect_err("it is too much");
            assert!(loss.contains(said), "{said} is not in: {loss}");
            assert!(!loss.contains("fell"), "{loss}");
        }
    }

    #[test]
    fn members_that_become_known_hide_no_loss() {
        let loss = check_grants(Grants {
            before: 10,
            now: 0,
            unknown_now: 0,
            unknown_before: 50,
        });
        let loss = loss.expect_err("all that was known is gone");
        let said = "grants of roles whose members were known fell from 10 to 0";
        assert!(loss.contains(said), "{loss}");
    }

    #[test]
    fn members_that_stay_unknown_hold_nothing_up() {
        assert_eq!(check_grants(Grants::default()), Ok(()));
    }

    #[test]
    fn exactly_the_threshold_is_allowed_and_one_more_is_not() {
        assert!(check(30, (10, 0), (7, 0)).is_ok());
        assert!(check(30, (10, 0), (6, 0)).is_err());
        assert!(check(0, (10, 0), (10, 0)).is_ok());
        assert!(check(0, (10, 0), (9, 0)).is_err());
        assert!(check(100, (10, 10), (0, 0)).is_ok());
    }

    #[test]
    fn each_kind_is_held_to_it() {
        let before = Counts {
            accounts: 10,
            roles: 10,
            grants: 10,
            organizations: 10,
            events: 0,
        };
        let with = |count: u64| {
            [
                (
                    "accounts",
                    Counts {
                        accounts: count,
                        ..before
                    },
                ),
                (
                    "roles",
                    Counts {
                        roles: count,
                        ..before
                    },
                ),
                (
                    "grants",
                    Counts {
                        grants: count,
                        ..before
                    },
                ),
                (
                    "organizations",
                    Counts {
                        organizations: count,
                        ..before
                    },
                ),
            ]
        };
        let check = |now: &Counts| {
            let before = all_known(before, now);
            policy(30).check(Path::new("tenant.db"), Some(&before), now)
        };
        for (_, now) in with(7) {
            check(&now).expect("it is allowed");
        }
        for (what, now) in with(6) {
            let said = check(&now).expect_err("it is too much").to_string();
            assert!(
                said.contains(&format!("{what} fell from 10 to 6")),
                "{said}"
            );
        }
    }

    #[test]
    fn a_first_snapshot_with_something_but_no_account_is_refused_unless_it_is_allowed() {
        let check = |policy: LossPolicy, now| policy.check(Path::new("tenant.db"), None, &now);
        let said = check(policy(100), counts((0, 8))).expect_err("nobody holds them");
        let said = said.to_string();
        for part in ["tenant.db", "8 grants", "no account", "--allow-loss"] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
        let allowed = LossPolicy {
            allowed: true,
            ..policy(0)
        };
        assert!(check(allowed, counts((0, 8))).is_ok());
        assert!(check(policy(0), counts((1, 0))).is_ok());
        assert!(check(policy(0), counts((0, 0))).is_ok());
    }

    #[test]
    fn where_nothing_was_nothing_is_lost() {
        assert!(check(0, (0, 0), (0, 0)).is_ok());
        assert!(check(0, (0, 0), (5, 5)).is_ok());
    }

    #[test]
    fn it_says_how_much_and_how_to_allow_it() {
        let loss = check(30, (10_000, 10), (6999, 0)).expect_err("it is too much");
        let text = loss.to_string();
        for part in [
            "tenant.db",
            "accounts fell from 10000 to 6999, by 30.1 %",
            "grants fell from 10 to 0, by 100.0 %",
            "30 %",
            "--allow-loss",
        ] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }
}
