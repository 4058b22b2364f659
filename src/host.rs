//! What the connector asks of its host beside HTTP: settings, a log, the time, and how much of it there is.
//!
//! What this module does not know: which settings there are, and what a setting may be.

/// How much a log message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What helps to find a fault.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What may need attention.
    Warn,
    /// What needs attention.
    Error,
}

/// Why the host does not give a setting, with what it says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// The place where the host keeps it cannot be reached now.
    Unavailable(String),
    /// The host does not let the connector have it.
    Denied(String),
}

/// The host of this instance.
pub trait Host {
    /// The setting with that key; `None` where it is not set.
    ///
    /// # Errors
    ///
    /// When the host cannot tell, or does not want to.
    fn setting(&self, key: &str) -> Result<Option<String>, SettingError>;

    /// Hands a message to the host's log. Neither the message nor a field may carry a secret.
    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]);

    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_nanos(&self) -> u64;

    /// Seconds since 1970-01-01T00:00:00Z, as the host's clock has it.
    fn unix_seconds(&self) -> u64;

    /// For how many milliseconds the host goes on waiting for the call under way; `None` where it does not say.
    fn time_left_millis(&self) -> Option<u64>;

    /// Does nothing for so many nanoseconds.
    fn pause(&self, nanos: u64);

    /// A number that is not the same twice, nor in two instances: to spread requests, not to keep secrets.
    fn dice(&self) -> u64;
}

#[cfg(target_arch = "wasm32")]
pub use self::component::ImportedHost;

#[cfg(target_arch = "wasm32")]
mod component {
    use super::{Host, Level, SettingError};
    use crate::contract::identity::connector::{deadline, logging, settings};

    /// The host behind the imports of the component.
    pub struct ImportedHost;

    impl Host for ImportedHost {
        fn setting(&self, key: &str) -> Result<Option<String>, SettingError> {
            settings::get(key).map_err(|error| match error {
                settings::SettingsError::Unavailable(reason) => SettingError::Unavailable(reason),
                settings::SettingsError::Denied(reason) => SettingError::Denied(reason),
            })
        }

        fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
            let level = match level {
                Level::Debug => logging::Level::Debug,
                Level::Info => logging::Level::Info,
                Level::Warn => logging::Level::Warn,
                Level::Error => logging::Level::Error,
            };
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| logging::Field {
                    name: (*name).to_string(),
                    value: (*value).to_string(),
                })
                .collect();
            logging::log(level, message, &fields);
        }

        fn monotonic_nanos(&self) -> u64 {
            wasi::clocks::monotonic_clock::now()
        }

        fn unix_seconds(&self) -> u64 {
            wasi::clocks::wall_clock::now().seconds
        }

        fn time_left_millis(&self) -> Option<u64> {
            deadline::time_left()
        }

        fn pause(&self, nanos: u64) {
            wasi::clocks::monotonic_clock::subscribe_duration(nanos).block();
        }

        fn dice(&self) -> u64 {
            // There is no source of chance among the imports. Two instances do not read both clocks at the same nanosecond,
            // and every bit in the upper half of such a product depends on all those of the moment below it.
            let now = wasi::clocks::wall_clock::now();
            let moment = self.monotonic_nanos() ^ u64::from(now.nanoseconds) << 20;
            moment.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
        }
    }
}
