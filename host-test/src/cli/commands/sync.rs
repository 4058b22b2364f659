//! `sync`: everything at once, as a governance host would take it in, and whether it fits together.

use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use connector_host::contract::{Counts, Item, ListRequest, Notice, Page, ResourceKinds};
use connector_host::{Connector, Plugin, Tenant};
use serde_json::json;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;

use super::items;
use crate::cli::escape;
use crate::cli::failure::{Doing, Failure};
use crate::cli::output::{Output, Rows};
use crate::cli::session::Session;

/// How many pages wait for this side at most.
const WAITING_PAGES: usize = 4;
/// How many grants that point nowhere are shown to a person.
const SHOWN: usize = 10;

pub async fn run(session: &Session) -> Result<(), Failure> {
    let tenant = session.config()?.tenant();
    let plugin = session.plugin()?;
    let report = sync(session, &plugin, &tenant, session.output.is_json()).await?;
    session.progress.clear();
    if session.output.is_json() {
        report.to_json_lines(&session.output)?;
    } else {
        report.show(&session.output)?;
    }
    Ok(())
}

/// Lists everything by two instances at the same time: accounts, and what is about them.
pub async fn sync(
    session: &Session,
    plugin: &Plugin,
    tenant: &Tenant,
    write_items: bool,
) -> Result<Report, Failure> {
    let start = Instant::now();
    let (sender, mut pages) = channel(WAITING_PAGES);
    let mut instances = JoinSet::new();
    for listings in listings() {
        instances.spawn(list(
            plugin.instantiate(tenant.clone()),
            listings,
            sender.clone(),
        ));
    }
    drop(sender);
    let mut report = Report::default();
    loop {
        tokio::select! {
            Some(page) = pages.recv() => {
                if write_items {
                    page.items.iter().try_for_each(|item| session.output.json(item))?;
                    page.notices.iter().try_for_each(|notice| session.output.json(notice))?;
                }
                report.take_in(page);
                session.progress.update(&report.counts);
            }
            // The first failure ends it, and takes the other instance with it.
            Some(finished) = instances.join_next() => {
                let finished = finished.map_err(|error| Failure::Local(format!("a listing was lost: {error}")))?;
                report.listings.extend(finished?);
            }
            else => break,
        }
    }
    report.listings.sort_by_key(|listing| listing.what);
    report.took = start.elapsed();
    Ok(report)
}

/// What each instance lists, one after the other. Roles come with their members: asked for together they cost one request.
fn listings() -> [Vec<(&'static str, ResourceKinds)>; 2] {
    [
        vec![("accounts", ResourceKinds::ACCOUNTS)],
        vec![
            (
                "roles and grants",
                ResourceKinds::ROLES | ResourceKinds::GRANTS,
            ),
            ("organizations", ResourceKinds::ORGANIZATIONS),
        ],
    ]
}

async fn list(
    mut connector: Connector,
    listings: Vec<(&'static str, ResourceKinds)>,
    pages: Sender<Page>,
) -> Result<Vec<Finished>, Failure> {
    let mut all = Vec::new();
    for (what, kinds) in listings {
        let start = Instant::now();
        let mut first_page = Duration::ZERO;
        let mut count = 0;
        let mut listing = connector.list_all(ListRequest::everything(kinds));
        while let Some(page) = listing.next_page().await.doing(format!("Listing {what}"))? {
            if count == 0 {
                first_page = start.elapsed();
            }
            count += 1;
            // Nobody takes the pages any more: the other side has failed, and says so.
            if pages.send(page).await.is_err() {
                return Ok(all);
            }
        }
        all.push(Finished {
            what,
            received: listing.received(),
            pages: count,
            first_page,
            took: start.elapsed(),
        });
    }
    Ok(all)
}

/// A listing that ran to its end.
struct Finished {
    what: &'static str,
    received: Counts,
    pages: u64,
    first_page: Duration,
    took: Duration,
}

/// What a sync found.
#[derive(Default)]
pub struct Report {
    pub counts: Counts,
    listings: Vec<Finished>,
    notices: Vec<Notice>,
    accounts: HashSet<String>,
    roles: HashSet<String>,
    grants: Vec<(String, String)>,
    took: Duration,
}

impl Report {
    fn take_in(&mut self, page: Page) {
        for item in page.items {
            self.counts.count(&item);
            match item {
                Item::Account(account) => {
                    self.accounts.insert(account.id);
                }
                Item::Role(role) => {
                    self.roles.insert(role.id);
                }
                Item::Grant(grant) => self.grants.push((grant.account, grant.role)),
                Item::Organization(_) | Item::Event(_) => {}
            }
        }
        self.notices.extend(page.notices);
    }

    /// The grants, as account and role, that fail to point at something that was listed.
    fn dangling<'a>(
        &'a self,
        side: impl Fn(&'a (String, String)) -> &'a String,
        known: &HashSet<String>,
    ) -> Vec<&'a (String, String)> {
        self.grants
            .iter()
            .filter(|grant| !known.contains(side(grant)))
            .collect()
    }

    fn of_unknown_accounts(&self) -> Vec<&(String, String)> {
        self.dangling(|(account, _)| account, &self.accounts)
    }

    fn of_unknown_roles(&self) -> Vec<&(String, String)> {
        self.dangling(|(_, role)| role, &self.roles)
    }

    fn to_json_lines(&self, output: &Output) -> io::Result<()> {
        let (accounts, roles) = (self.of_unknown_accounts(), self.of_unknown_roles());
        let findings = [
            ("grant-of-unknown-account", &accounts),
            ("grant-of-unknown-role", &roles),
        ];
        for (finding, grants) in findings {
            for (account, role) in grants {
                output.json(&json!({"type": "finding", "finding": finding, "account": account, "role": role}))?;
            }
        }
        output.json(&json!({
            "type": "sync",
            "counts": self.counts,
            "grantsOfUnknownAccounts": accounts.len(),
            "grantsOfUnknownRoles": roles.len(),
            "notices": self.notices.len(),
            "durationMs": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        }))
    }

    /// Shows the report to a person.
    pub fn show(&self, output: &Output) -> io::Result<()> {
        let mut rows = Rows::new(&["LISTED", "RECEIVED", "PAGES", "FIRST PAGE", "ALL"]);
        for listing in &self.listings {
            rows.push([
                listing.what,
                &listing.received.to_string(),
                &listing.pages.to_string(),
                &milliseconds(listing.first_page),
                &milliseconds(listing.took),
            ]);
        }
        output.table(&rows)?;
        output.text(&format!(
            "\n{} in {}.",
            self.counts,
            milliseconds(self.took)
        ))?;
        show_dangling(output, &self.of_unknown_accounts(), "accounts")?;
        show_dangling(output, &self.of_unknown_roles(), "roles")?;
        self.show_notices(output)
    }

    fn show_notices(&self, output: &Output) -> io::Result<()> {
        for notice in self.notices.iter().take(SHOWN) {
            output.text(&format!("Note: {}.", items::notice(notice)))?;
        }
        more(output, self.notices.len(), "notes")
    }
}

fn show_dangling(output: &Output, grants: &[&(String, String)], what: &str) -> io::Result<()> {
    if grants.is_empty() {
        return Ok(());
    }
    output.text(&format!(
        "{} grants point at {what} that were not listed:",
        grants.len()
    ))?;
    for (account, role) in grants.iter().take(SHOWN) {
        let text = format!("account {account}, role {role}");
        output.text(&format!("  {}", escape::one_line(&text)))?;
    }
    more(output, grants.len(), "of them; --json has all")
}

fn more(output: &Output, count: usize, what: &str) -> io::Result<()> {
    match count.checked_sub(SHOWN) {
        Some(more) if more > 0 => output.text(&format!("  and {more} more {what}")),
        _ => Ok(()),
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}
