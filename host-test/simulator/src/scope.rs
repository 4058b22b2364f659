//! The three OAuth scopes of the NinjaOne API.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// What a token may do, as far as the vendor names it. What each endpoint really enforces is not
/// known; see [`ScopeRule`](super::ScopeRule).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// `monitoring`: reading accounts and organizations.
    Monitoring,
    /// `management`: reading roles, and changing accounts.
    Management,
    /// `control`: giving and taking roles.
    Control,
}

impl Scope {
    /// The scope as it is written in a token request.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monitoring => "monitoring",
            Self::Management => "management",
            Self::Control => "control",
        }
    }
}

/// A set of scopes. Written with spaces between, as OAuth does: `monitoring management`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// All three scopes.
    #[must_use]
    pub fn all() -> Self {
        Self(BTreeSet::from([
            Scope::Monitoring,
            Scope::Management,
            Scope::Control,
        ]))
    }

    /// Whether `scope` is in the set.
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether every scope of this set is in `other` too.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether there is no scope in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        formatter.write_str(&names.join(" "))
    }
}

/// A word that is no scope of the NinjaOne API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no NinjaOne scope; the scopes are: {all}", all = Scopes::all())]
pub struct UnknownScope(pub String);

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(word: &str) -> Result<Self, UnknownScope> {
        match word {
            "monitoring" => Ok(Self::Monitoring),
            "management" => Ok(Self::Management),
            "control" => Ok(Self::Control),
            _ => Err(UnknownScope(word.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_survive_being_written_and_read_back() {
        assert_eq!(Scopes::all().to_string(), "monitoring management control");
        assert_eq!(Scopes::all().to_string().parse(), Ok(Scopes::all()));
    }

    #[test]
    fn an_unknown_scope_is_named_in_the_error() {
        let error = "monitoring offline_access".parse::<Scopes>().unwrap_err();
        assert_eq!(error, UnknownScope("offline_access".to_owned()));
    }
}
