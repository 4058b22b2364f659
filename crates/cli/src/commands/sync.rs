//! `sync`: everything at once, as a governance host would take it in, and whether it fits together.

mod ledger;

use std::io;
use std::time::{Duration, Instant};

use connector_host::contract::{
    AccountDetails, Counts, Item, ListRequest, Notice, Page, ResourceKinds,
};
use connector_host::{Connector, Plugin, Tenant};
use serde_json::json;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;

pub use self::ledger::Ledger;
use self::ledger::{Dangling, Pair};
use super::items;
use crate::args::SyncArgs;
use crate::failure::{Doing, Failure};
use crate::output::{Output, Rows};
use crate::session::Session;
use connector_escape as escape;
use connector_snapshot::{Draft, Named, Origin, Replaced};

/// How many pages wait for this side at most.
const WAITING_PAGES: usize = 4;
/// How many grants that point nowhere are shown to a person.
const SHOWN: usize = 10;

pub async fn run(session: &Session, args: SyncArgs) -> Result<(), Failure> {
    let (plugin, tenant) = session.open().await?;
    let mut ledger = match &args.out {
        Some(path) => {
            let origin = origin(&plugin, &tenant, args.details()).await?;
            let draft = Draft::begin(path, origin, &session.unfinished)?;
            Ledger::Snapshot(Box::new(draft))
        }
        None => Ledger::default(),
    };
    let wanted = Wanted {
        details: args.details(),
        // What goes into a snapshot is not written a second time.
        as_lines: session.output.is_json() && args.out.is_none(),
    };
    let report = sync(session, &plugin, &tenant, wanted, &mut ledger).await?;
    let written = finish(ledger, &report, &args);
    session.progress.clear();
    // What was listed is worth seeing also where it is not taken for a snapshot.
    let shown = report.tell(
        &session.output,
        written.as_ref().ok().and_then(Option::as_ref),
    );
    // That there is no snapshot is worth more than that nobody reads the report any more.
    written?;
    Ok(shown?)
}

/// What a snapshot says of where it comes from.
async fn origin(
    plugin: &Plugin,
    tenant: &Tenant,
    details: AccountDetails,
) -> Result<Origin, Failure> {
    let description = plugin.instantiate(tenant.clone()).describe().await;
    let description = description.doing("Describing the connector")?;
    Ok(Origin {
        connector: description.name,
        connector_version: description.version,
        // Without one the connector lists nothing, and says why.
        base_url: tenant.name().to_string(),
        details,
    })
}

/// Puts the snapshot in its place, where one was written.
fn finish(ledger: Ledger, report: &Report, args: &SyncArgs) -> Result<Option<Written>, Failure> {
    let (Ledger::Snapshot(draft), Some(path)) = (ledger, &args.out) else {
        return Ok(None);
    };
    let (counts, notices) = (&report.counts, report.notices.len());
    // It waits for the disk.
    let replaced =
        tokio::task::block_in_place(|| draft.finish(counts, notices, args.loss_policy()))?;
    Ok(Some(Written {
        path: path.display().to_string(),
        replaced,
    }))
}

/// A snapshot that is in its place.
struct Written {
    path: String,
    replaced: Option<Replaced>,
}

impl Written {
    fn show(&self, output: &Output) -> io::Result<()> {
        let replaced = match &self.replaced {
            Some(replaced) => format!(", in place of that of {}", replaced.run.started),
            None => String::new(),
        };
        let text = format!("Snapshot: {}{replaced}.", self.path);
        output.text(&escape::one_line(&text))?;
        let Some(Replaced { grants, .. }) = self.replaced else {
            return Ok(());
        };
        if grants.unknown_now > 0 {
            output.text(&format!(
                "Of the grants before, {} are of roles whose members are unknown now. They are not carried over.",
                grants.unknown_now
            ))?;
        }
        if grants.unknown_before > 0 {
            output.text(&format!(
                "Of the grants now, {} are of roles whose members were unknown before. Whether they are new is unknown.",
                grants.unknown_before
            ))?;
        }
        Ok(())
    }
}

/// What to list, and how.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    details: AccountDetails,
    /// Whether to write each item as it comes, as a line of JSON.
    as_lines: bool,
}

/// Lists everything by several instances at the same time.
pub async fn sync(
    session: &Session,
    plugin: &Plugin,
    tenant: &Tenant,
    wanted: Wanted,
    ledger: &mut Ledger,
) -> Result<Report, Failure> {
    let start = Instant::now();
    session.progress.begin();
    let (sender, mut pages) = channel(WAITING_PAGES);
    let mut instances = JoinSet::new();
    for listings in listings(session.is_ordered()) {
        instances.spawn(list(
            plugin.instantiate(tenant.clone()),
            listings,
            wanted.details,
            sender.clone(),
        ));
    }
    drop(sender);
    let mut report = Report::default();
    loop {
        tokio::select! {
            Some(page) = pages.recv() => {
                if wanted.as_lines {
                    page.items.iter().try_for_each(|item| session.output.json(item))?;
                }
                // A snapshot is written to disk meanwhile.
                tokio::task::block_in_place(|| report.take_in(page, ledger))?;
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
    report.dangling = tokio::task::block_in_place(|| ledger.dangling())?;
    report.took = start.elapsed();
    Ok(report)
}

/// What each instance lists, one after the other. Roles come with their members: asked for together they cost one request.
///
/// Organizations come in pages, a request each, so that they have an instance of their own: after another listing they would be
/// what a sync waits for where the other side is far away.
///
/// Where the order of the requests matters, because they are recorded or replayed, one instance lists everything.
fn listings(in_order: bool) -> Vec<Vec<(&'static str, ResourceKinds)>> {
    let listings = [
        ("accounts", ResourceKinds::ACCOUNTS),
        (
            "roles and grants",
            ResourceKinds::ROLES | ResourceKinds::GRANTS,
        ),
        ("organizations", ResourceKinds::ORGANIZATIONS),
    ];
    if in_order {
        vec![listings.to_vec()]
    } else {
        listings.map(|listing| vec![listing]).to_vec()
    }
}

async fn list(
    mut connector: Connector,
    listings: Vec<(&'static str, ResourceKinds)>,
    details: AccountDetails,
    pages: Sender<Page>,
) -> Result<Vec<Finished>, Failure> {
    let mut all = Vec::new();
    for (what, kinds) in listings {
        let start = Instant::now();
        let mut first_page = Duration::ZERO;
        let mut count = 0;
        let mut request = ListRequest::everything(kinds);
        if kinds.contains(ResourceKinds::ACCOUNTS) {
            request.details = details;
        }
        let mut listing = connector.list_all(request);
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
    dangling: Dangling,
    /// The roles of which it is not known who holds them.
    members_unknown: Vec<Named>,
    took: Duration,
}

impl Report {
    fn take_in(&mut self, page: Page, ledger: &mut Ledger) -> Result<(), Failure> {
        for item in page.items {
            self.counts.count(&item);
            if let Item::Role(role) = &item
                && role.has_unknown_members()
            {
                self.members_unknown.push(Named {
                    id: role.id.clone(),
                    name: role.name.clone(),
                });
            }
            ledger.take_in(item)?;
        }
        self.notices.extend(page.notices);
        Ok(())
    }

    fn tell(&self, output: &Output, written: Option<&Written>) -> io::Result<()> {
        if output.is_json() {
            return self.to_json_lines(output, written);
        }
        self.show(output)?;
        written.map_or(Ok(()), |written| written.show(output))
    }

    fn to_json_lines(&self, output: &Output, written: Option<&Written>) -> io::Result<()> {
        self.notices
            .iter()
            .try_for_each(|notice| output.json(notice))?;
        let Dangling {
            of_unknown_accounts: accounts,
            of_unknown_roles: roles,
            in_unknown_organizations: organizations,
        } = &self.dangling;
        let findings = [
            ("grant-of-unknown-account", accounts),
            ("grant-of-unknown-role", roles),
        ];
        for (finding, grants) in findings {
            for (account, role) in grants {
                output.json(&json!({"type": "finding", "finding": finding, "account": account, "role": role}))?;
            }
        }
        for (account, organization) in organizations {
            output.json(&json!({
                "type": "finding",
                "finding": "account-in-unknown-organization",
                "account": account,
                "organization": organization,
            }))?;
        }
        for role in &self.members_unknown {
            output.json(&json!({"type": "finding", "finding": "members-unknown", "role": role.id, "name": role.name}))?;
        }
        output.json(&json!({
            "type": "sync",
            "counts": self.counts,
            "grantsOfUnknownAccounts": accounts.len(),
            "grantsOfUnknownRoles": roles.len(),
            "accountsInUnknownOrganizations": organizations.len(),
            "rolesWithUnknownMembers": self.members_unknown.len(),
            "notices": self.notices.len(),
            "snapshot": written.map(|written| &written.path),
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
        let Dangling {
            of_unknown_accounts,
            of_unknown_roles,
            in_unknown_organizations,
        } = &self.dangling;
        show_dangling(
            output,
            of_unknown_accounts,
            "grants point at accounts",
            "role",
        )?;
        show_dangling(output, of_unknown_roles, "grants point at roles", "role")?;
        show_dangling(
            output,
            in_unknown_organizations,
            "accounts are in organizations",
            "organization",
        )?;
        self.show_members_unknown(output)?;
        self.show_notices(output)
    }

    fn show_members_unknown(&self, output: &Output) -> io::Result<()> {
        let count = self.members_unknown.len();
        if count == 0 {
            return Ok(());
        }
        output.text(&format!(
            "{count} of {} roles came without their members: who holds them is unknown, and their grants are not listed:",
            self.counts.roles
        ))?;
        for role in self.members_unknown.iter().take(SHOWN) {
            let name = role.name.as_deref();
            let text = format!(
                "role {}{}",
                role.id,
                name.map(|name| format!(", {name}")).unwrap_or_default()
            );
            output.text(&format!("  {}", escape::one_line(&text)))?;
        }
        more(output, count, "of them; --json has all")
    }

    fn show_notices(&self, output: &Output) -> io::Result<()> {
        for notice in self.notices.iter().take(SHOWN) {
            output.text(&format!("Note: {}.", items::notice(notice)))?;
        }
        more(output, self.notices.len(), "notes")
    }
}

/// Shows what points at something that was not listed: what it is, and the account with the other end of each.
fn show_dangling(output: &Output, pairs: &[Pair], what: &str, other: &str) -> io::Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    output.text(&format!("{} {what} that were not listed:", pairs.len()))?;
    for (account, id) in pairs.iter().take(SHOWN) {
        let text = format!("account {account}, {other} {id}");
        output.text(&format!("  {}", escape::one_line(&text)))?;
    }
    more(output, pairs.len(), "of them; --json has all")
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
