//! The names of enumeration cases, as WIT spells them: what people read in messages and programs in JSON.

use super::{
    AccountDetails, Action, ErrorKind, FilterFields, Mode, Operation, Outcome, RefusalReason,
    ResourceKind, TimeoutPhase, UnchangedReason,
};

/// Gives each enumeration a `name`. A case that WIT gains and that is missing here does not compile.
macro_rules! names {
    ($($type:ident { $($case:ident => $name:literal),+ $(,)? })+) => {$(
        impl $type {
            /// The name of the case, as WIT spells it.
            pub const fn name(self) -> &'static str {
                match self {
                    $($type::$case => $name,)+
                }
            }
        }
    )+};
}

names! {
    ResourceKind {
        Account => "account",
        Role => "role",
        Grant => "grant",
        Organization => "organization",
        Event => "event",
    }
    Mode {
        Apply => "apply",
        Plan => "plan",
    }
    UnchangedReason {
        AlreadyGranted => "already-granted",
        NotGranted => "not-granted",
        AlreadyGone => "already-gone",
        NoDifference => "no-difference",
    }
    Action {
        CreateAccount => "create-account",
        UpdateAccount => "update-account",
        EnableAccount => "enable-account",
        DisableAccount => "disable-account",
        DeleteAccount => "delete-account",
        GrantRole => "grant-role",
        RevokeRole => "revoke-role",
    }
    Operation {
        ListAccounts => "list-accounts",
        ListRoles => "list-roles",
        ListGrants => "list-grants",
        ListOrganizations => "list-organizations",
        ListEvents => "list-events",
        Grant => "grant",
        Revoke => "revoke",
        CreateAccount => "create-account",
        UpdateAccount => "update-account",
        EnableAccount => "enable-account",
        DisableAccount => "disable-account",
        DeleteAccount => "delete-account",
    }
    ErrorKind {
        InvalidSettings => "invalid-settings",
        Unauthorized => "unauthorized",
        MissingPermission => "missing-permission",
        NotFound => "not-found",
        AlreadyExists => "already-exists",
        InvalidArgument => "invalid-argument",
        InvalidCursor => "invalid-cursor",
        Refused => "refused",
        Unsupported => "unsupported",
        RateLimited => "rate-limited",
        Timeout => "timeout",
        Network => "network",
        Upstream => "upstream",
        MalformedResponse => "malformed-response",
        LimitExceeded => "limit-exceeded",
        Unconfirmed => "unconfirmed",
        Other => "other",
    }
    RefusalReason {
        Administrator => "administrator",
        LastAdministrator => "last-administrator",
        ExternallyManaged => "externally-managed",
        WrongAccountKind => "wrong-account-kind",
    }
    TimeoutPhase {
        Connect => "connect",
        FirstByte => "first-byte",
        BetweenBytes => "between-bytes",
        Call => "call",
    }
}

impl Outcome {
    /// The name of the case, as WIT spells it.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Changed => "changed",
            Outcome::Unchanged(_) => "unchanged",
            Outcome::WouldChange => "would-change",
            Outcome::Partial => "partial",
        }
    }

    /// Why nothing had to be done, where nothing had to.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Outcome::Unchanged(reason) => Some(reason.name()),
            Outcome::Changed | Outcome::WouldChange | Outcome::Partial => None,
        }
    }
}

impl FilterFields {
    /// The names of the fields that are in it.
    pub fn names(self) -> Vec<&'static str> {
        let fields = [
            (FilterFields::ID, "id"),
            (FilterFields::EMAIL, "email"),
            (FilterFields::ACCOUNT_KIND, "account-kind"),
            (FilterFields::ACCOUNT, "account"),
            (FilterFields::ROLE, "role"),
            (FilterFields::SINCE, "since"),
        ];
        fields
            .into_iter()
            .filter_map(|(field, name)| self.contains(field).then_some(name))
            .collect()
    }
}

impl AccountDetails {
    /// The names of the details that are in it.
    pub fn names(self) -> Vec<&'static str> {
        let details = [
            (AccountDetails::LAST_SIGN_IN, "last-sign-in"),
            (AccountDetails::MANAGEMENT, "management"),
        ];
        details
            .into_iter()
            .filter_map(|(detail, name)| self.contains(detail).then_some(name))
            .collect()
    }
}
