//! Checking the connection: each request that reading needs, and what the granted scopes allow.
//!
//! What NinjaOne enforces at each endpoint is not known, and no write is tried here. So a write is `allowed` where the scopes
//! that it asks for were granted, and that is as much as can be told beforehand.

use crate::contract::{CheckReport, Operation, OperationCheck, Permission, Probe};
use crate::describe;
use crate::error::{Error, Kind};
use crate::ninjaone::Api;
use crate::ninjaone::wire::UserType;

/// What a probe is needed for.
struct Purpose {
    request: &'static str,
    purpose: &'static str,
    /// What cannot work without it.
    operations: &'static [Operation],
}

const TOKEN: Purpose = Purpose {
    request: "POST /ws/oauth/token",
    purpose: "signing in",
    operations: &[],
};
const USERS: Purpose = Purpose {
    request: "GET /v2/users",
    purpose: "listing accounts",
    operations: &[Operation::ListAccounts, Operation::CreateAccount],
};
const ROLES: Purpose = Purpose {
    request: "GET /v2/user/roles",
    purpose: "listing roles and grants",
    operations: &[
        Operation::ListRoles,
        Operation::ListGrants,
        Operation::Grant,
        Operation::Revoke,
    ],
};
const ORGANIZATIONS: Purpose = Purpose {
    request: "GET /v2/organizations",
    purpose: "listing organizations",
    operations: &[Operation::ListOrganizations],
};
const ACTIVITIES: Purpose = Purpose {
    request: "GET /v2/activities",
    purpose: "listing events",
    operations: &[Operation::ListEvents],
};

/// Tries everything, and says what was found.
pub(crate) fn check(api: &Api) -> CheckReport {
    let mut probes = vec![Tried::new(api, &TOKEN, || {
        // One that is kept, here or by the host, would tell nothing of the credentials.
        api.tokens.renew(&api.settings, api.http, api.host)
    })];
    if probes.iter().all(Tried::passed) {
        // Only the beginning of each answer is read: whether there is one is what is asked.
        probes.push(Tried::new(api, &USERS, || {
            api.users(Some(UserType::Technician))?.try_next().map(drop)
        }));
        probes.push(Tried::new(api, &ROLES, || {
            api.roles(None)?.try_next().map(drop)
        }));
        probes.push(Tried::new(api, &ACTIVITIES, || {
            api.user_activities(None, None, None)?.try_next().map(drop)
        }));
        probes.push(Tried::new(api, &ORGANIZATIONS, || {
            api.organizations(None, 1)?.try_next().map(drop)
        }));
    }
    let granted_scopes = api.tokens.granted_scopes();
    let operations = describe::OPERATIONS
        .iter()
        .map(|described| OperationCheck {
            operation: described.operation,
            permission: permission(described, &probes, granted_scopes.as_deref()),
        })
        .collect();
    CheckReport {
        healthy: probes.iter().all(Tried::passed),
        endpoint: api.settings.base_url.to_string(),
        operations,
        advice: advice(&probes, granted_scopes.as_deref()),
        probes: probes.into_iter().map(Tried::into_probe).collect(),
        granted_scopes,
    }
}

/// A probe that was made.
struct Tried {
    purpose: &'static Purpose,
    millis: u64,
    failure: Option<Error>,
}

impl Tried {
    fn new(
        api: &Api,
        purpose: &'static Purpose,
        probe: impl FnOnce() -> Result<(), Error>,
    ) -> Self {
        let start = api.host.monotonic_nanos();
        let failure = probe().err();
        Tried {
            purpose,
            millis: (api.host.monotonic_nanos() - start) / 1_000_000,
            failure,
        }
    }

    fn passed(&self) -> bool {
        self.failure.is_none()
    }

    fn into_probe(self) -> Probe {
        Probe {
            request: self.purpose.request.to_string(),
            purpose: self.purpose.purpose.to_string(),
            duration: self.millis,
            failure: self.failure.map(Error::into_problem),
        }
    }
}

fn permission(
    described: &describe::Operation,
    probes: &[Tried],
    granted: Option<&[String]>,
) -> Permission {
    if let Some(failure) = probes[0].failure.as_ref() {
        return Permission::Denied(failure.to_string());
    }
    let own = probes
        .iter()
        .find(|tried| tried.purpose.operations.contains(&described.operation));
    if let Some(failure) = own.and_then(|tried| tried.failure.as_ref()) {
        return Permission::Denied(failure.to_string());
    }
    let is_listing = described.outcomes.is_empty();
    if is_listing {
        return Permission::Allowed;
    }
    let Some(granted) = granted else {
        return Permission::Unknown("NinjaOne did not tell which scopes it granted".to_string());
    };
    let missing: Vec<_> = described
        .scopes
        .iter()
        .filter(|scope| !granted.iter().any(|own| own == *scope))
        .copied()
        .collect();
    match missing.as_slice() {
        [] => Permission::Allowed,
        [scope] => Permission::Denied(format!("the scope {scope} was not granted")),
        scopes => Permission::Denied(format!(
            "the scopes {} were not granted",
            scopes.join(" and ")
        )),
    }
}

fn advice(probes: &[Tried], granted: Option<&[String]>) -> Vec<String> {
    let mut advice: Vec<_> = probes
        .iter()
        .filter_map(|tried| Some(tried.failure.as_ref()?.to_string()))
        .collect();
    if probes.iter().any(|tried| {
        matches!(
            tried.failure.as_ref().map(Error::kind),
            Some(Kind::NoSuchEndpoint)
        )
    }) && probes[0].passed()
    {
        advice.push("Some instances of NinjaOne (the US government one, as of April 2026) lack the endpoints for users; the connector cannot work without them.".to_string());
    }
    if let Some(granted) = granted {
        for (scope, use_of_it) in [
            (
                "management",
                "to list roles and who holds them, and to create, change and delete accounts",
            ),
            ("control", "to give and take roles"),
        ] {
            if !granted.iter().any(|own| own == scope) {
                advice.push(format!(
                    "The scope {scope} was not granted. Where the connector is {use_of_it}, give it to the API application in NinjaOne \
                     (Administration, Apps, API, Client App IDs) and name it in the setting scope."
                ));
            }
        }
    }
    advice
}
