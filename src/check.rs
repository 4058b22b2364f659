//! Checking the connection: each request that reading needs, and what the granted scopes allow.
//!
//! What NinjaOne enforces at each endpoint is not known, and no write is tried here. So a write is `allowed` where the scopes
//! that it asks for were granted, and that is as much as can be told beforehand.

use crate::contract::{CheckReport, OperationCheck, Permission, Probe};
use crate::describe;
use crate::error;
use crate::ninjaone::Api;
use crate::ninjaone::endpoint::{self, Endpoint};
use crate::ninjaone::error::{Error, Kind};
use crate::ninjaone::wire::UserType;

/// A request that is tried.
struct Trial {
    endpoint: &'static Endpoint,
    purpose: &'static str,
    send: fn(&Api) -> Result<(), Error>,
}

const SIGN_IN: Trial = Trial {
    endpoint: &endpoint::TOKEN,
    purpose: "signing in",
    // A token that is kept, here or by the host, would tell nothing of the credentials.
    send: |api| api.tokens.renew(&api.settings, api.http, api.host),
};

/// What reading needs. Only the beginning of each answer is read: whether there is one is what is asked.
const READING: [Trial; 4] = [
    Trial {
        endpoint: &endpoint::USERS,
        purpose: "listing accounts",
        send: |api| api.users(Some(UserType::Technician))?.try_next().map(drop),
    },
    Trial {
        endpoint: &endpoint::ROLES,
        purpose: "listing roles and grants",
        send: |api| api.roles(None)?.try_next().map(drop),
    },
    Trial {
        endpoint: &endpoint::ACTIVITIES,
        purpose: "listing events",
        send: |api| api.user_activities(None, None, None)?.try_next().map(drop),
    },
    Trial {
        endpoint: &endpoint::ORGANIZATIONS,
        purpose: "listing organizations",
        send: |api| api.organizations(None, 1)?.try_next().map(drop),
    },
];

/// Tries everything, and says what was found.
pub(crate) fn check(api: &Api) -> CheckReport {
    let mut probes = vec![Tried::new(api, &SIGN_IN)];
    if probes.iter().all(Tried::passed) {
        probes.extend(READING.iter().map(|trial| Tried::new(api, trial)));
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

/// A request that was tried.
struct Tried {
    trial: &'static Trial,
    millis: u64,
    failure: Option<Error>,
}

impl Tried {
    fn new(api: &Api, trial: &'static Trial) -> Self {
        let start = api.host.monotonic_nanos();
        let failure = (trial.send)(api).err();
        Tried {
            trial,
            millis: (api.host.monotonic_nanos() - start) / 1_000_000,
            failure,
        }
    }

    fn passed(&self) -> bool {
        self.failure.is_none()
    }

    fn into_probe(self) -> Probe {
        Probe {
            request: self.trial.endpoint.to_string(),
            purpose: self.trial.purpose.to_string(),
            duration: self.millis,
            failure: self
                .failure
                .map(|failure| error::Error::from(failure).into_reason()),
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
    let mut needed = probes
        .iter()
        .filter(|tried| described.needs(tried.trial.endpoint));
    if let Some(failure) = needed.find_map(|tried| tried.failure.as_ref()) {
        return Permission::Denied(failure.to_string());
    }
    let is_listing = described.outcomes.is_empty();
    if is_listing {
        return Permission::Allowed;
    }
    let Some(granted) = granted else {
        return Permission::Unknown("NinjaOne did not tell which scopes it granted".to_string());
    };
    let mut missing = described.scopes();
    missing.retain(|scope| !granted.iter().any(|own| own == scope));
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
    let has_no_users = |tried: &Tried| {
        let kind = tried.failure.as_ref().map(Error::kind);
        tried.trial.endpoint == &endpoint::USERS && matches!(kind, Some(Kind::NoSuchEndpoint))
    };
    if probes.iter().any(has_no_users) {
        advice.push("Some instances of NinjaOne (the US government one, as of April 2026) lack the endpoints for users; the connector cannot work without them.".to_string());
    }
    if let Some(granted) = granted {
        for (scope, use_of_it) in [
            (
                endpoint::MANAGEMENT,
                "to list roles and who holds them, and to create, change and delete accounts",
            ),
            (endpoint::CONTROL, "to give and take roles"),
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
