//! The settings that a connector may ask for, one set per tenant.

use std::collections::BTreeMap;
use std::fmt;
use std::future;

use secrecy::SecretString;

use crate::BoxFuture;
pub use crate::bindings::identity::connector::settings::SettingsError;

/// Where the settings of one tenant come from. [`TenantSettings`] keeps them in memory; a host with a vault implements its own.
pub trait Settings: Send + Sync {
    /// Gives the setting with this key, or `None` where it is not set.
    ///
    /// A connector asks for a secret each time it uses it, so a secret that was changed takes effect at once.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Setting>, SettingsError>>;
}

/// A setting. `Debug` shows the plain ones and hides the secret ones.
#[derive(Clone, Debug)]
pub enum Setting {
    /// A value that may be shown.
    Plain(String),
    /// A value that is never shown, and wiped from memory on drop. Wherever it turns up in what a connector logs, it is blanked.
    Secret(SecretString),
}

/// Settings kept in memory.
#[derive(Clone, Default)]
pub struct TenantSettings(BTreeMap<String, Setting>);

impl TenantSettings {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a setting that may be shown.
    pub fn plain(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.insert(key.into(), Setting::Plain(value.into()));
        self
    }

    /// Adds a setting that is never shown.
    pub fn secret(mut self, key: impl Into<String>, value: SecretString) -> Self {
        self.0.insert(key.into(), Setting::Secret(value));
        self
    }
}

impl Settings for TenantSettings {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Setting>, SettingsError>> {
        Box::pin(future::ready(Ok(self.0.get(key).cloned())))
    }
}

impl fmt::Debug for TenantSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_setting_that_is_not_set_is_none() {
        let settings = TenantSettings::new().plain("scope", "monitoring");
        assert!(
            matches!(settings.get("scope").await, Ok(Some(Setting::Plain(scope))) if scope == "monitoring")
        );
        assert!(matches!(settings.get("client-id").await, Ok(None)));
    }

    #[test]
    fn debug_output_hides_secrets() {
        let settings = TenantSettings::new()
            .plain("client-id", "visible")
            .secret("client-secret", "hunter2".into());
        let debug = format!("{settings:?}");
        assert!(
            debug.contains("visible") && debug.contains("client-secret"),
            "{debug}"
        );
        assert!(!debug.contains("hunter2"), "{debug}");
    }
}
