//! What a reviewer looks at first: which accounts, and how many there are of each.
//!
//! The script of the page has the same rules by the same names, to list the accounts; that both come to the same numbers is
//! tested in a browser.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::columns::{Columns, Flags};
use crate::html::{Number, counted};

/// One thing to look at.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its name for programs, and for the script of the page.
    pub finding: &'static str,
    /// How many accounts; `None` where nothing of the kind was asked for.
    pub accounts: Option<u64>,
    /// Of how many accounts nobody can tell; `None` where that cannot be.
    pub not_known: Option<u64>,
    #[serde(skip)]
    pub title: &'static str,
    #[serde(skip)]
    pub explanation: String,
}

/// Counts what there is of everything to look at.
pub fn find(columns: &Columns) -> Vec<Finding> {
    let accounts = Accounts::of(columns);
    vec![
        accounts.administrators(),
        accounts.disabled_with_roles(),
        accounts.no_sign_in_with_roles(),
        accounts.invitation_open(),
        accounts.no_second_factor(),
        accounts.dangling(),
    ]
}

/// Each state with how many are in it, as in `5 pending, 2 expired.`
fn told(states: &BTreeMap<&str, u64>) -> String {
    let mut states: Vec<_> = states.iter().collect();
    // The sort is stable: states of one size stay in the order of their names.
    states.sort_by_key(|(_, accounts)| Reverse(**accounts));
    let states: Vec<_> = states
        .iter()
        .map(|(state, accounts)| format!("{} {state}", Number(**accounts)))
        .collect();
    match states.as_slice() {
        [] => {
            "No invitation is told to be pending, expired, or in a state of the connected system's own.".to_string()
        }
        states => format!("{}.", states.join(", ")),
    }
}

/// The accounts, with what their grants say of them.
struct Accounts<'a> {
    columns: &'a Columns,
    /// Whether an account holds a role, whatever role; `None` where no grant says so and it may hold one whose members are unknown.
    holds: Vec<Option<bool>>,
    /// Whether an account is not in the snapshot, or holds a role that is not.
    dangling: Vec<bool>,
}

impl<'a> Accounts<'a> {
    fn of(columns: &'a Columns) -> Self {
        let all = columns.accounts.ids.all();
        let unknown: BTreeSet<_> = columns
            .roles
            .with_unknown_members()
            .map(|role| columns.roles.account_kind.get(role))
            .collect();
        let may_hold = |account| match columns.accounts.kind.get(account) {
            None => !unknown.is_empty(),
            kind => unknown.contains(&None) || unknown.contains(&kind),
        };
        let holds = (0..all).map(|account| if may_hold(account) { None } else { Some(false) });
        let mut holds: Vec<_> = holds.collect();
        let mut dangling = vec![false; all];
        let grants = &columns.grants;
        for (&account, &role) in grants.account.iter().zip(&grants.role) {
            holds[account] = Some(true);
            dangling[account] |=
                account >= columns.accounts.ids.known() || role >= columns.roles.ids.known();
        }
        Self {
            columns,
            holds,
            dangling,
        }
    }

    fn administrators(&self) -> Finding {
        let flags = &self.columns.accounts.administrator;
        Finding {
            finding: "administrators",
            accounts: Some(self.count(|account| flags.0[account] == Some(true))),
            not_known: Some(self.unknown(flags)),
            title: "Administrators",
            explanation: "They administer the connected system itself, beyond any role."
                .to_string(),
        }
    }

    fn disabled_with_roles(&self) -> Finding {
        let enabled = &self.columns.accounts.enabled.0;
        let disabled_and_holds = |account: usize| {
            let disabled = enabled[account].map(|enabled| !enabled);
            both(disabled, self.holds[account])
        };
        Finding {
            finding: "disabled-with-roles",
            accounts: Some(self.count(|account| disabled_and_holds(account) == Some(true))),
            not_known: Some(self.count(|account| disabled_and_holds(account).is_none())),
            title: "Disabled, and still holding roles",
            explanation: self.of_holders(
                "They may not sign in. Once enabled again, they have these roles at once.",
            ),
        }
    }

    fn no_sign_in_with_roles(&self) -> Finding {
        let times = &self.columns.accounts.last_sign_in;
        let none_and_holds =
            |account: usize| both(Some(times[account].is_none()), self.holds[account]);
        let is = self.count(|account| none_and_holds(account) == Some(true));
        let unknown = self.count(|account| none_and_holds(account).is_none());
        let (accounts, not_known, explanation) = if self.columns.sign_ins_asked {
            let explanation = "The connected system was asked, and told of no sign-in. One that is older than its records is not told.";
            (Some(is), Some(unknown), explanation)
        } else {
            let explanation = "The sync did not ask for sign-ins, so nothing is known of them: sync with --details last-sign-in.";
            (None, Some(is + unknown), explanation)
        };
        Finding {
            finding: "no-sign-in-with-roles",
            accounts,
            not_known,
            title: "No sign-in on record, and holding roles",
            explanation: self.of_holders(explanation),
        }
    }

    fn invitation_open(&self) -> Finding {
        let invitations = &self.columns.accounts.invitation;
        let mut states = BTreeMap::new();
        for state in
            (0..self.columns.accounts.ids.known()).filter_map(|account| invitations.get(account))
        {
            *states.entry(state).or_insert(0) += 1;
        }
        states.remove("accepted");
        Finding {
            finding: "invitation-open",
            accounts: Some(states.values().sum()),
            not_known: Some(self.count(|account| invitations.get(account).is_none())),
            title: "Invitation not accepted",
            explanation: told(&states),
        }
    }

    fn no_second_factor(&self) -> Finding {
        let flags = &self.columns.accounts.mfa_configured;
        Finding {
            finding: "no-second-factor",
            accounts: Some(self.count(|account| flags.0[account] == Some(false))),
            not_known: Some(self.unknown(flags)),
            title: "No second factor",
            explanation: "None is set up in the connected system. Where an identity provider signs people in, it may have one of its own.".to_string(),
        }
    }

    fn dangling(&self) -> Finding {
        let (accounts, roles) = (&self.columns.accounts.ids, &self.columns.roles.ids);
        let explanation = if accounts.unknown.is_empty() && roles.unknown.is_empty() {
            "Every grant names an account and a role that the connected system listed.".to_string()
        } else {
            format!(
                "Grants name {} and {} that the connected system did not list. Find out why before relying on the rest.",
                counted(accounts.unknown.len(), "account"),
                counted(roles.unknown.len(), "role"),
            )
        };
        Finding {
            finding: "dangling",
            accounts: Some(self.dangling.iter().filter(|dangling| **dangling).count() as u64),
            not_known: None,
            title: "Grants of unknown accounts or roles",
            explanation,
        }
    }

    /// How many of the accounts in the snapshot are so.
    fn count(&self, is_so: impl Fn(usize) -> bool) -> u64 {
        let accounts = 0..self.columns.accounts.ids.known();
        accounts.filter(|account| is_so(*account)).count() as u64
    }

    fn unknown(&self, flags: &Flags) -> u64 {
        self.count(|account| flags.0[account].is_none())
    }

    /// An explanation of what depends on who holds roles.
    fn of_holders(&self, explanation: &str) -> String {
        if self.columns.roles.with_unknown_members().next().is_none() {
            return explanation.to_string();
        }
        format!(
            "{explanation} Not known includes those who may hold a role whose members are unknown."
        )
    }
}

/// Whether both are so; `None` where that depends on what is not known.
fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
