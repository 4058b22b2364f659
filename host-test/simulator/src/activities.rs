//! The activity log of the tenant: seeded logins, and every write done through the API. It is the
//! only place where NinjaOne tells when somebody last signed in.

use serde::Serialize;

use super::AccountKind;

/// What happened to an account, or what its owner did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ActivityKind {
    LoggedIn,
    Created,
    Updated,
    Deleted,
    RoleAssignmentChanged,
}

impl ActivityKind {
    /// The code from the specification's list. The list has `_API` variants for end users only;
    /// that writes through the API carry them is reconstructed.
    fn status_code(self, account: AccountKind) -> &'static str {
        match (account, self) {
            (AccountKind::Technician, Self::LoggedIn) => "APP_USER_LOGGED_IN",
            (AccountKind::Technician, Self::Created) => "APP_USER_CREATED",
            (AccountKind::Technician, Self::Updated) => "APP_USER_UPDATED",
            (AccountKind::Technician, Self::Deleted) => "APP_USER_DELETED",
            (AccountKind::Technician, Self::RoleAssignmentChanged) => {
                "TECHNICIAN_ROLE_ASSIGNMENT_CHANGED"
            }
            (AccountKind::EndUser, Self::LoggedIn) => "END_USER_LOGGED_IN",
            (AccountKind::EndUser, Self::Created) => "END_USER_CREATED_API",
            (AccountKind::EndUser, Self::Updated) => "END_USER_UPDATED_API",
            (AccountKind::EndUser, Self::Deleted) => "END_USER_DELETED_API",
            (AccountKind::EndUser, Self::RoleAssignmentChanged) => {
                "END_USER_ROLE_ASSIGNMENT_CHANGED"
            }
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::LoggedIn => "User logged in",
            Self::Created => "User created",
            Self::Updated => "User updated",
            Self::Deleted => "User deleted",
            Self::RoleAssignmentChanged => "User role assignment changed",
        }
    }
}

/// One entry of the log.
#[derive(Debug, Clone, Copy)]
struct Activity {
    id: u64,
    /// Seconds since 1970.
    time: f64,
    account: u32,
    account_kind: AccountKind,
    kind: ActivityKind,
}

/// All activities by ascending id, which is also the order of their times.
#[derive(Debug, Default)]
pub(super) struct ActivityLog(Vec<Activity>);

/// Which activities are asked for. Every condition that is given must hold.
#[derive(Debug)]
pub(super) struct ActivityFilter {
    /// Status codes; none asks for all.
    pub(super) statuses: Vec<String>,
    /// Ids of accounts; none asks for all.
    pub(super) accounts: Vec<u32>,
    /// Only ids above this one.
    pub(super) newer_than: Option<u64>,
    /// Only ids below this one.
    pub(super) older_than: Option<u64>,
    /// Only times after this one, in seconds since 1970.
    pub(super) after: Option<f64>,
    /// Only times before this one, in seconds since 1970.
    pub(super) before: Option<f64>,
    /// At most this many.
    pub(super) limit: usize,
}

/// `ActivitiesResponse`: what `GET /v2/activities` answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActivitiesPage {
    /// The id of the last activity of the whole tenant, not of this page; 0 if there is none.
    last_activity_id: u64,
    /// The latest first.
    activities: Vec<ActivityRecord>,
}

/// `Activity`, with the fields that make sense for accounts. `deviceId` and the like are left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivityRecord {
    id: u64,
    activity_time: f64,
    /// The specification has no type for users; this is the nearest.
    activity_type: &'static str,
    status_code: &'static str,
    status: &'static str,
    activity_result: &'static str,
    severity: &'static str,
    priority: &'static str,
    /// The account that was changed or signed in. Whether NinjaOne puts who made the change here
    /// is not known.
    user_id: u32,
    message: String,
}

impl ActivityLog {
    /// Adds an activity at `time`, in seconds since 1970; never before the last one, whatever the
    /// clock says.
    pub(super) fn record(
        &mut self,
        time: f64,
        account: u32,
        account_kind: AccountKind,
        kind: ActivityKind,
    ) {
        let last = self.0.last();
        let time = last.map_or(time, |last| time.max(last.time));
        self.0.push(Activity {
            id: self.last_id() + 1,
            time,
            account,
            account_kind,
            kind,
        });
    }

    /// The latest activities that match, the latest first.
    pub(super) fn page(&self, filter: &ActivityFilter) -> ActivitiesPage {
        let matching = self
            .0
            .iter()
            .rev()
            .filter(|activity| filter.matches(activity));
        ActivitiesPage {
            last_activity_id: self.last_id(),
            activities: matching
                .take(filter.limit)
                .map(ActivityRecord::new)
                .collect(),
        }
    }

    fn last_id(&self) -> u64 {
        self.0.last().map_or(0, |last| last.id)
    }
}

impl ActivityFilter {
    fn matches(&self, activity: &Activity) -> bool {
        let status = activity.kind.status_code(activity.account_kind);
        self.newer_than.is_none_or(|id| activity.id > id)
            && self.older_than.is_none_or(|id| activity.id < id)
            && self.after.is_none_or(|time| activity.time > time)
            && self.before.is_none_or(|time| activity.time < time)
            && (self.accounts.is_empty() || self.accounts.contains(&activity.account))
            && (self.statuses.is_empty() || self.statuses.iter().any(|wanted| wanted == status))
    }
}

impl ActivityRecord {
    fn new(activity: &Activity) -> Self {
        let description = activity.kind.description();
        Self {
            id: activity.id,
            activity_time: activity.time,
            activity_type: "SYSTEM",
            status_code: activity.kind.status_code(activity.account_kind),
            status: description,
            activity_result: "SUCCESS",
            severity: "NONE",
            priority: "NONE",
            user_id: activity.account,
            message: format!("{description}: {}", activity.account),
        }
    }
}
