//! `list`: accounts, roles, grants, organizations or events.

use connector_host::contract::Counts;

use super::items::{Tables, notice};
use crate::args::ListArgs;
use crate::failure::{Doing, Failure};
use crate::session::Session;

/// Lists page by page. JSON goes out as it comes; tables once the listing is whole, since their columns depend on all of it.
pub async fn run(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let doing = format!("Listing {}", args.names());
    let output = &session.output;
    let mut connector = session.connector().await?;
    let mut listing = connector.list_all(args.request());
    let mut tables = Tables::new();
    let mut notices = Vec::new();
    session.progress.begin();
    while let Some(page) = listing.next_page().await.doing(&doing)? {
        session.progress.update(&listing.received());
        if output.is_json() {
            page.items.iter().try_for_each(|item| output.json(item))?;
            page.notices
                .iter()
                .try_for_each(|notice| output.json(notice))?;
            output.flush()?;
        } else {
            page.items.iter().for_each(|item| tables.push(item));
            notices.extend(page.notices.iter().map(notice));
        }
    }
    session.progress.clear();
    if output.is_json() {
        // The last page came, so the summary is there.
        output.json(&listing.summary())?;
        return Ok(());
    }
    if listing.received() == Counts::default() {
        output.text("Nothing was found.")?;
    }
    tables.show(output)?;
    for notice in notices {
        output.text(&format!("Note: {notice}."))?;
    }
    Ok(())
}
