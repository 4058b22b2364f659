//! The jobs, done by the component in the host.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use connector_host::contract::{Assignment, Continuation, Item, ListRequest, Mode, ResourceKinds};
use connector_host::{Connector, EgressPolicy, Host, HostOptions, Plugin, Tenant, TenantSettings};
use tokio::task::JoinSet;

use crate::children::Target;
use crate::jobs::Code;
use crate::sync::{INSTANCES, Kinds, SHORT_PAGE, Synced};
use crate::transport::{Counted, Sent};

/// The component, loaded.
pub struct Component {
    plugin: Plugin,
    /// How many requests its connectors sent.
    pub sent: Sent,
}

impl Component {
    /// Loads the compiled code, or compiles and keeps it.
    pub async fn load(code: &Code, pooled_instances: Option<u32>) -> Result<Self> {
        let mut options = HostOptions::default().code_cache(&code.cache);
        options.pooled_instances = pooled_instances;
        let host = Host::new(options)?;
        let plugin = host.load(&code.component).await?;
        Ok(Component {
            plugin,
            sent: Sent::default(),
        })
    }

    /// A connector for a tenant of its own.
    pub fn connector(&self, target: &Target) -> Result<Connector> {
        Ok(self.connector_of(&self.tenant(target)?))
    }

    /// A connector for a tenant.
    pub fn connector_of(&self, tenant: &Tenant) -> Connector {
        self.plugin.instantiate(tenant.clone())
    }

    /// A tenant, with connections and a token of its own.
    pub fn tenant(&self, target: &Target) -> Result<Tenant> {
        let settings = TenantSettings::new()
            .plain("base-url", &target.base_url)
            .plain("client-id", &target.client_id)
            .secret("client-secret", target.client_secret.clone().into())
            .plain("scope", &target.scope);
        let egress = EgressPolicy::only(&target.base_url)?;
        let transport = Counted::new(target, self.sent.clone())?;
        Ok(Tenant::new("bench", settings, egress).transport(Arc::new(transport)))
    }

    /// Lists everything of a tenant, by fresh instances.
    pub async fn sync(&self, tenant: &Tenant) -> Result<Synced> {
        let start = Instant::now();
        let mut instances = JoinSet::new();
        for kinds in INSTANCES {
            let connector = self.connector_of(tenant);
            instances.spawn(list(connector, kinds, start));
        }
        let mut synced = Synced::default();
        while let Some(part) = instances.join_next().await {
            synced.add(part.context("a listing was lost")??);
        }
        Ok(synced)
    }
}

/// Lists a first page of accounts. The rest of the answer waits for as long as the connector is kept.
pub async fn begin(mut connector: Connector) -> Result<Connector> {
    let request = ListRequest {
        limit: Some(SHORT_PAGE),
        ..ListRequest::everything(ResourceKinds::ACCOUNTS)
    };
    let page = connector.list(&request).await?;
    let is_begun = matches!(page.next, Continuation::More(_));
    ensure!(is_begun, "the first page was all");
    Ok(connector)
}

async fn list(mut connector: Connector, kinds: Kinds, start: Instant) -> Result<Synced> {
    let mut synced = Synced::default();
    let mut listing = connector.list_all(ListRequest::everything(match kinds {
        Kinds::Accounts => ResourceKinds::ACCOUNTS,
        Kinds::RolesAndGrants => ResourceKinds::ROLES | ResourceKinds::GRANTS,
        Kinds::Organizations => ResourceKinds::ORGANIZATIONS,
    }));
    while let Some(page) = listing.next_page().await? {
        synced.page(kinds, start);
        for item in &page.items {
            match item {
                Item::Account(account) => synced.account(account.id.len()),
                Item::Grant(grant) => synced.grant(grant.account.len()),
                Item::Role(_) | Item::Organization(_) | Item::Event(_) => synced.others += 1,
            }
        }
    }
    drop(listing);
    synced.guest_memory = connector.guest_memory().map(|bytes| bytes as u64);
    Ok(synced)
}

/// Gives the account of a tenant the role and takes it again: two writes, each looked at before and after.
pub async fn grant_and_revoke(connector: &mut Connector, target: &Target) -> Result<()> {
    let assignment = Assignment {
        account: target.account.clone(),
        role: target.role.clone(),
    };
    connector.grant(&assignment, Mode::Apply).await?;
    connector.revoke(&assignment, Mode::Apply).await?;
    Ok(())
}
