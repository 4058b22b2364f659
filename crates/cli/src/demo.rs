//! `demo`: everything that the connector does, shown against a simulated NinjaOne, and checked on the way.
//!
//! It doubles as the quickest answer to "does it still work": a step that does not go as it should ends it, by name.

use std::time::Instant;

use connector_host::contract::{
    self, AccountDeletion, Assignment, Change, Item, ListRequest, Mode, NewAccount, Outcome,
    ProvisionRequest, ResourceKinds, Role, UnchangedReason,
};
use connector_host::{CallError, Connector, Plugin};
use ninjaone_simulator::{Options, Simulator};

use super::commands::sync::{Ledger, Wanted};
use super::commands::{check, describe, sync, write};
use super::config::{BASE_URL, CLIENT_ID, CLIENT_SECRET, Config, SCOPE};
use super::failure::Failure;
use super::session::Session;
use connector_escape as escape;

/// How many accounts the simulated tenant has.
const ACCOUNTS: u32 = 1000;
/// The kind of account that the demo creates.
const KIND: &str = "technician";

pub async fn run(session: &Session) -> Result<(), Failure> {
    if session.output.is_json() {
        return Err(Failure::Usage(
            "the demo is for people: it has no JSON form".to_string(),
        ));
    }
    let start = Instant::now();
    let simulator = simulate().await?;
    let plugin = session.load().await?.plugin;
    let mut demo = Demo {
        connector: plugin.instantiate(tenant(&simulator).tenant()),
        session,
        simulator,
        plugin,
        step: "",
        steps: 0,
    };
    demo.describe().await?;
    demo.check().await?;
    demo.sync().await?;
    let role = demo.role().await?;
    demo.life_of_an_account(&role).await?;
    demo.plan(&role).await?;
    demo.wrong_secret().await?;
    demo.say(&format!(
        "\nAll of it went as it should, in {} ms.",
        start.elapsed().as_millis()
    ))
}

async fn simulate() -> Result<Simulator, Failure> {
    let options = Options {
        accounts: ACCOUNTS,
        ..Options::default()
    };
    Simulator::start(options)
        .await
        .map_err(|error| Failure::Local(format!("the simulator cannot be started: {error}")))
}

/// The settings of the simulated tenant.
fn tenant(simulator: &Simulator) -> Config {
    let credentials = simulator.credentials();
    Config::default()
        .plain(BASE_URL, &simulator.base_url())
        .plain(CLIENT_ID, &credentials.client_id)
        .plain(SCOPE, &credentials.scopes.to_string())
        .secret(CLIENT_SECRET, credentials.client_secret.clone().into())
}

struct Demo<'a> {
    session: &'a Session,
    simulator: Simulator,
    plugin: Plugin,
    connector: Connector,
    /// The step that runs, for the message when it fails.
    step: &'static str,
    steps: usize,
}

impl Demo<'_> {
    async fn describe(&mut self) -> Result<(), Failure> {
        self.begin("What the connector says it is")?;
        let description = self.connector.describe().await;
        let description = self.expect(description)?;
        describe::show(&self.session.output, &description)?;
        self.ensure(self.simulator.request_count() == 0, || {
            "describing the connector sent requests".to_string()
        })
    }

    async fn check(&mut self) -> Result<(), Failure> {
        self.begin("Whether the connection works")?;
        let report = self.connector.check().await;
        let report = self.expect(report)?;
        check::show(&self.session.output, &report)?;
        self.ensure(report.healthy, || {
            "the connection is not healthy".to_string()
        })
    }

    async fn sync(&mut self) -> Result<(), Failure> {
        self.begin("Everything that a governance host takes in")?;
        let tenant = tenant(&self.simulator).tenant();
        let (wanted, mut ledger) = (Wanted::default(), Ledger::default());
        let report = sync::sync(self.session, &self.plugin, &tenant, wanted, &mut ledger).await?;
        self.session.progress.clear();
        report.show(&self.session.output)?;
        let there = [
            self.simulator.accounts().len(),
            self.simulator.roles().len(),
            self.simulator.organizations().len(),
        ];
        let counts = report.counts;
        let listed = [counts.accounts, counts.roles, counts.organizations];
        self.ensure(there.map(|count| count as u64) == listed, || {
            format!(
                "there are {there:?} accounts, roles and organizations, and {listed:?} were listed"
            )
        })
    }

    /// Finds a role that technicians can hold.
    async fn role(&mut self) -> Result<Role, Failure> {
        self.begin("A role to give")?;
        let mut request = ListRequest::everything(ResourceKinds::ROLES);
        request.filter.account_kind = Some(KIND.to_string());
        let role = self
            .list(request)
            .await?
            .into_iter()
            .find_map(|item| match item {
                Item::Role(role) => Some(role),
                _ => None,
            });
        let Some(role) = role else {
            return Err(self.failed("there is no role for technicians".to_string()));
        };
        let name = role.name.as_deref().unwrap_or("a role without a name");
        self.say(&format!("Role {}: {name}.", role.id))?;
        Ok(role)
    }

    async fn life_of_an_account(&mut self, role: &Role) -> Result<(), Failure> {
        self.begin("The life of one account")?;
        let created = self.provision(creation(&[]), Mode::Apply).await?;
        self.told("Create it", &created, &Outcome::Changed)?;
        let Some(account) = created.account else {
            return Err(self.failed("the new account has no id".to_string()));
        };
        let assignment = Assignment {
            account: account.clone(),
            role: role.id.clone(),
        };
        self.grant("Grant the role", &assignment, Outcome::Changed)
            .await?;
        self.see_the_grant(&assignment).await?;
        let already = Outcome::Unchanged(UnchangedReason::AlreadyGranted);
        self.grant("Grant it again", &assignment, already).await?;
        let revoked = self.connector.revoke(&assignment, Mode::Apply).await;
        let revoked = self.expect(revoked)?;
        self.told("Revoke it", &revoked, &Outcome::Changed)?;
        let deleted = self.provision(deletion(&account), Mode::Apply).await?;
        self.told("Delete the account", &deleted, &Outcome::Changed)?;
        let deleted = self.provision(deletion(&account), Mode::Apply).await?;
        let gone = Outcome::Unchanged(UnchangedReason::AlreadyGone);
        self.told("Delete it again", &deleted, &gone)
    }

    async fn plan(&mut self, role: &Role) -> Result<(), Failure> {
        self.begin("A plan, which changes nothing")?;
        let writes = self.simulator.writes().len();
        let planned = self.provision(creation(&[role]), Mode::Plan).await?;
        write::show(&self.session.output, &planned)?;
        self.ensure(planned.outcome == Outcome::WouldChange, || {
            format!("the outcome is {}", planned.outcome.name())
        })?;
        let sent = self.simulator.writes().len() - writes;
        self.ensure(sent == 0, || format!("{sent} writes were sent"))?;
        self.say("The simulator received no write.")
    }

    async fn wrong_secret(&mut self) -> Result<(), Failure> {
        self.begin("A failure: the client secret is wrong")?;
        let config = tenant(&self.simulator).secret(CLIENT_SECRET, "not-the-secret".into());
        let mut stranger = self.plugin.instantiate(config.tenant());
        let listed = stranger
            .list(&ListRequest::everything(ResourceKinds::ACCOUNTS))
            .await;
        match listed {
            Err(CallError::Connector(failure))
                if failure.error == contract::Error::Unauthorized =>
            {
                self.say(&failure.help().to_string())
            }
            Err(error) => Err(self.failed(format!("another error came: {error}"))),
            Ok(_) => Err(self.failed("accounts were listed all the same".to_string())),
        }
    }

    async fn grant(
        &mut self,
        what: &str,
        assignment: &Assignment,
        wanted: Outcome,
    ) -> Result<(), Failure> {
        let change = self.connector.grant(assignment, Mode::Apply).await;
        let change = self.expect(change)?;
        self.told(what, &change, &wanted)
    }

    async fn see_the_grant(&mut self, assignment: &Assignment) -> Result<(), Failure> {
        let mut request = ListRequest::everything(ResourceKinds::GRANTS);
        request.filter.account = Some(assignment.account.clone());
        let grants = self.list(request).await?;
        let seen = grants.iter().any(|item| {
            matches!(item, Item::Grant(grant)
                if grant.account == assignment.account && grant.role == assignment.role)
        });
        self.ensure(seen, || {
            "the grant is not in the list of grants".to_string()
        })?;
        self.say("See it in the list of grants: it is there.")
    }

    async fn provision(
        &mut self,
        request: ProvisionRequest,
        mode: Mode,
    ) -> Result<Change, Failure> {
        let change = self.connector.provision(&request, mode).await;
        self.expect(change)
    }

    async fn list(&mut self, request: ListRequest) -> Result<Vec<Item>, Failure> {
        let mut items = Vec::new();
        let mut listing = self.connector.list_all(request);
        let failed = loop {
            match listing.next_page().await {
                Ok(Some(page)) => items.extend(page.items),
                Ok(None) => return Ok(items),
                Err(error) => break error,
            }
        };
        drop(listing);
        Err(self.failed(failed.to_string()))
    }

    fn begin(&mut self, step: &'static str) -> Result<(), Failure> {
        self.step = step;
        self.steps += 1;
        let blank = if self.steps == 1 { "" } else { "\n" };
        self.say(&format!("{blank}{}. {step}\n", self.steps))
    }

    /// Tells how a write ended, and fails where it should have ended otherwise.
    fn told(&self, what: &str, change: &Change, wanted: &Outcome) -> Result<(), Failure> {
        self.say(&format!("{what}: {}.", write::outcome(&change.outcome)))?;
        self.ensure(change.outcome == *wanted, || {
            format!(
                "\"{what}\" ended as {:?} and not as {wanted:?}",
                change.outcome
            )
        })
    }

    fn say(&self, text: &str) -> Result<(), Failure> {
        self.session.output.text(&escape::lines(text))?;
        Ok(self.session.output.flush()?)
    }

    fn expect<T>(&self, result: Result<T, CallError>) -> Result<T, Failure> {
        result.map_err(|error| self.failed(error.to_string()))
    }

    fn ensure(&self, holds: bool, reason: impl FnOnce() -> String) -> Result<(), Failure> {
        if holds {
            Ok(())
        } else {
            Err(self.failed(reason()))
        }
    }

    fn failed(&self, reason: String) -> Failure {
        Failure::Demo {
            step: self.step,
            reason,
        }
    }
}

fn creation(roles: &[&Role]) -> ProvisionRequest {
    ProvisionRequest::Create(NewAccount {
        kind: KIND.to_string(),
        email: Some("demo.technician@example.com".to_string()),
        given_name: Some("Demo".to_string()),
        family_name: Some("Technician".to_string()),
        phone: None,
        organization: None,
        send_invitation: None,
        attributes: Vec::new(),
        roles: roles.iter().map(|role| role.id.clone()).collect(),
    })
}

fn deletion(account: &str) -> ProvisionRequest {
    ProvisionRequest::Delete(AccountDeletion {
        account: account.to_string(),
        allow_administrator: false,
    })
}
