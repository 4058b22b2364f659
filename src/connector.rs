//! One instance of the connector: what it keeps from one call to the next.
#![allow(
    clippy::result_large_err,
    reason = "the contract says what a failure is, and it leaves the connector right here"
)]

use std::rc::Rc;

use crate::contract::{
    Assignment, Change, CheckReport, Description, Failure, ListRequest, Mode, Page,
    ProvisionRequest,
};
use crate::error::Error;
use crate::list::OpenListings;
use crate::ninjaone::Api;
use crate::ninjaone::confidential::Confidential;
use crate::ninjaone::host::Host;
use crate::ninjaone::http::Transport;
use crate::ninjaone::retry::Retries;
use crate::ninjaone::settings::Settings;
use crate::ninjaone::token::TokenCache;
use crate::{check, describe, list, membership, provision};

/// The connector, for one tenant.
///
/// It keeps a token and a few listings that are under way, and nothing that a fresh instance could not find again.
pub struct Connector {
    http: Box<dyn Transport>,
    host: Rc<dyn Host>,
    tokens: TokenCache,
    open_listings: OpenListings,
}

/// Shapes and errors of these are those of the functions of the same name in `wit/connector.wit`.
impl Connector {
    /// A connector that reaches the outside through these.
    pub fn new(http: Box<dyn Transport>, host: Box<dyn Host>) -> Self {
        let host: Rc<dyn Host> = host.into();
        Connector {
            http,
            tokens: TokenCache::new(Confidential::new(host.clone())),
            host,
            open_listings: OpenListings::default(),
        }
    }

    /// What the connector is and can do.
    pub fn describe(&self) -> Description {
        describe::description()
    }

    /// Whether the connection works, and for what.
    ///
    /// # Errors
    ///
    /// When settings are missing or wrong.
    pub fn check(&self) -> Result<CheckReport, Failure> {
        let api = self.api(Retries::none)?;
        Settings::secret(api.host)?;
        Ok(check::check(&api))
    }

    /// One page of a listing.
    ///
    /// # Errors
    ///
    /// When the page cannot be given whole.
    pub fn list(&self, request: &ListRequest) -> Result<Page, Failure> {
        let api = self.api(Retries::new)?;
        Ok(list::page(&api, &self.open_listings, request)?)
    }

    /// Gives an account a role.
    ///
    /// # Errors
    ///
    /// When it does not hold it afterwards, or nobody knows.
    pub fn grant(&self, assignment: &Assignment, mode: Mode) -> Result<Change, Failure> {
        let api = self.api(Retries::new)?;
        Ok(membership::grant(&api, assignment, mode)?)
    }

    /// Takes a role from an account.
    ///
    /// # Errors
    ///
    /// When it holds it afterwards, or nobody knows.
    pub fn revoke(&self, assignment: &Assignment, mode: Mode) -> Result<Change, Failure> {
        let api = self.api(Retries::new)?;
        Ok(membership::revoke(&api, assignment, mode)?)
    }

    /// Creates, changes or removes an account.
    ///
    /// # Errors
    ///
    /// When it was not done, or nobody knows.
    pub fn provision(&self, request: ProvisionRequest, mode: Mode) -> Result<Change, Failure> {
        let api = self.api(Retries::new)?;
        Ok(provision::provision(&api, request, mode)?)
    }

    /// NinjaOne, for one call: the settings as they are now, and what the call may spend on trying again.
    fn api<'a>(&'a self, retries: fn(&'a dyn Host) -> Retries<'a>) -> Result<Api<'a>, Error> {
        let host = &*self.host;
        let retries = retries(host);
        Ok(Api {
            settings: retries.repeating(|| Settings::load(host))?,
            http: &*self.http,
            host,
            tokens: &self.tokens,
            retries,
        })
    }
}
