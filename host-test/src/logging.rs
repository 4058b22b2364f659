//! What a connector logs becomes `tracing` events with the target `connector`, secrets blanked.

use std::fmt::{self, Display, Formatter};

use secrecy::{ExposeSecret, SecretString};
use tracing::Level;

use crate::bindings::identity::connector::logging::{Field, Host, Level as GuestLevel};
use crate::instance::State;

/// How the guest's panic hook begins its last message before the trap.
const PANIC_PREFIX: &str = "panic: ";

/// Takes in what one instance logs, and remembers its last panic for the error that follows.
#[derive(Default)]
pub(crate) struct GuestLog {
    secrets: Vec<SecretString>,
    panic: Option<String>,
}

impl GuestLog {
    /// Blanks this secret from now on: the guest has it.
    pub(crate) fn conceal(&mut self, secret: &SecretString) {
        let known = self
            .secrets
            .iter()
            .any(|other| other.expose_secret() == secret.expose_secret());
        if !known && !secret.expose_secret().is_empty() {
            self.secrets.push(secret.clone());
        }
    }

    /// The message of the guest's panic, if it has panicked.
    pub(crate) fn take_panic(&mut self) -> Option<String> {
        self.panic.take()
    }

    fn record(&mut self, level: GuestLevel, message: &str, fields: Vec<Field>) {
        let message = self.blank(message);
        let fields = Fields(
            fields
                .into_iter()
                .map(|field| Field {
                    value: self.blank(&field.value),
                    ..field
                })
                .collect(),
        );
        emit(level, &message, &fields);
        if level == GuestLevel::Error
            && let Some(panic) = message.strip_prefix(PANIC_PREFIX)
        {
            self.panic = Some(panic.to_string());
        }
    }

    fn blank(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_string(), |text, secret| {
            text.replace(secret.expose_secret(), "[secret]")
        })
    }
}

impl Host for State {
    fn log(&mut self, level: GuestLevel, message: String, fields: Vec<Field>) {
        self.log.record(level, &message, fields);
    }
}

fn emit(level: GuestLevel, message: &str, fields: &Fields) {
    // The level of a `tracing` event is fixed where it is written.
    macro_rules! event {
        ($level:expr) => {
            tracing::event!(target: "connector", $level, "{message}{fields}")
        };
    }
    match level {
        GuestLevel::Trace => event!(Level::TRACE),
        GuestLevel::Debug => event!(Level::DEBUG),
        GuestLevel::Info => event!(Level::INFO),
        GuestLevel::Warn => event!(Level::WARN),
        GuestLevel::Error => event!(Level::ERROR),
    }
}

/// Fields as ` name=value` each, to follow the message: `tracing` wants the names of its own fields at compile time.
struct Fields(Vec<Field>);

impl Display for Fields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for Field { name, value } in &self.0 {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_panic_is_remembered_once() {
        let mut log = GuestLog::default();
        log.record(GuestLevel::Error, "panic: at the disco", Vec::new());
        assert_eq!(log.take_panic().as_deref(), Some("at the disco"));
        assert_eq!(log.take_panic(), None);
    }

    #[test]
    fn only_an_error_is_a_panic() {
        let mut log = GuestLog::default();
        log.record(GuestLevel::Warn, "panic: not yet", Vec::new());
        log.record(GuestLevel::Error, "no panic: calm down", Vec::new());
        assert_eq!(log.take_panic(), None);
    }

    #[test]
    fn secrets_that_the_guest_has_are_blanked() {
        let mut log = GuestLog::default();
        log.conceal(&"hunter2".into());
        log.record(GuestLevel::Error, "panic: sent hunter2 twice", Vec::new());
        assert_eq!(log.take_panic().as_deref(), Some("sent [secret] twice"));
    }

    #[test]
    fn fields_read_as_name_and_value() {
        let field = |name: &str, value: &str| Field {
            name: name.to_string(),
            value: value.to_string(),
        };
        let fields = Fields(vec![
            field("status", "200"),
            field("request", "GET /v2/users"),
        ]);
        assert_eq!(fields.to_string(), " status=200 request=GET /v2/users");
    }
}
