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
