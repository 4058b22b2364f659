//! How much less a snapshot may have than the one it replaces.
//!
//! A sync that is whole can still be wrong: a permission was taken away, a filter was set in the connected system, it is the
//! wrong tenant. A governance host that believes it takes everybody who is missing for gone.

use std::fmt;
use std::path::{Path, PathBuf};

use connector_host::contract::Counts;

/// What a new snapshot may lose.
#[derive(Clone, Copy, Debug)]
pub struct LossPolicy {
    /// The most that accounts or grants may fall by, in percent of what was there.
    pub most_lost: u8,
    /// Whether to replace the old snapshot all the same, and that of another tenant.
    pub allowed: bool,
}

impl LossPolicy {
    /// Refuses what has lost too much. Nothing can be lost where nothing was.
    pub fn check(self, path: &Path, before: &Counts, now: &Counts) -> Result<(), Loss> {
        let falls = [
            Fall::of("accounts", before.accounts, now.accounts),
            Fall::of("grants", before.grants, now.grants),
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
}

impl Fall {
    fn of(what: &'static str, before: u64, now: u64) -> Self {
        Self { what, before, now }
    }

    fn lost(&self) -> u128 {
        self.before.saturating_sub(self.now).into()
    }
}

/// As in `accounts fell from 300 to 12, by 96.0 %`. Rounded up, so that it is never shown as what would be allowed.
impl fmt::Display for Fall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, before, now } = self;
        let tenths = (self.lost() * 1000).div_ceil(u128::from(*before).max(1));
        let (percent, tenth) = (tenths / 10, tenths % 10);
        write!(
            f,
            "{what} fell from {before} to {now}, by {percent}.{tenth} %"
        )
    }
}

fn told(falls: &[Fall]) -> String {
    let falls: Vec<_> = falls.iter().map(Fall::to_string).collect();
    falls.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(most_lost: u8, before: (u64, u64), now: (u64, u64)) -> Result<(), Loss> {
        let counts = |(accounts, grants)| Counts {
            accounts,
            grants,
            ..Counts::default()
        };
        let policy = LossPolicy {
            most_lost,
            allowed: false,
        };
        policy.check(Path::new("tenant.db"), &counts(before), &counts(now))
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
    fn accounts_and_grants_are_each_held_to_it() {
        assert!(check(30, (10, 10), (20, 6)).is_err());
        assert!(check(30, (10, 10), (6, 20)).is_err());
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
