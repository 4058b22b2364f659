//! What a connector logs becomes `tracing` events with the target `connector`, secrets blanked.
//!
//! What is promised: no secret that the guest was given gets through as it is, a message of any length becomes one of a few
//! KiB that says that it was cut, and a guest that logs without end is stopped.

use std::fmt::Write;

use secrecy::{ExposeSecret, SecretString};
use tracing::Level;

use crate::bindings::identity::connector::logging::{Field, Host, Level as GuestLevel};
use crate::instance::State;
use crate::limits::{LOG_MESSAGES, Limit, LimitReached};

/// How the guest's panic hook begins its last message before the trap.
const PANIC_PREFIX: &str = "panic: ";
/// How many bytes of a message are handed on, and how many of its fields together.
const MOST_BYTES: usize = 8 << 10;

/// Takes in what one instance logs, and remembers its last panic for the error that follows.
#[derive(Default)]
pub(crate) struct GuestLog {
    secrets: Vec<SecretString>,
    panic: Option<String>,
    /// How many messages came in since the call began.
    messages: usize,
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

    /// Counts messages from here.
    pub(crate) fn begin_call(&mut self) {
        self.messages = 0;
    }

    /// The message of the guest's panic, if it has panicked.
    pub(crate) fn take_panic(&mut self) -> Option<String> {
        self.panic.take()
    }

    fn record(
        &mut self,
        level: GuestLevel,
        message: &str,
        fields: &[Field],
    ) -> Result<(), LimitReached> {
        self.messages += 1;
        if self.messages > LOG_MESSAGES {
            let (limit, most) = (Limit::LogMessages, LOG_MESSAGES);
            return Err(LimitReached { limit, most });
        }
        // Blanked before it is cut, since half a secret is not found.
        let message = cut(self.blank(message));
        let fields = cut(self.blank(&join(fields)));
        emit(level, &message, &fields);
        if level == GuestLevel::Error
            && let Some(panic) = message.strip_prefix(PANIC_PREFIX)
        {
            self.panic = Some(panic.to_string());
        }
        Ok(())
    }

    fn blank(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_string(), |text, secret| {
            text.replace(secret.expose_secret(), "[secret]")
        })
    }
}

impl Host for State {
    fn log(
        &mut self,
        level: GuestLevel,
        message: String,
        fields: Vec<Field>,
    ) -> wasmtime::Result<()> {
        Ok(self.log.record(level, &message, &fields)?)
    }
}

fn emit(level: GuestLevel, message: &str, fields: &str) {
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
fn join(fields: &[Field]) -> String {
    let mut text = String::new();
    for Field { name, value } in fields {
        // Writing to a string cannot fail.
        let _ = write!(text, " {name}={value}");
    }
    text
}

/// The text, or as much of it as is handed on, and how long it was.
fn cut(mut text: String) -> String {
    let whole = text.len();
    if whole > MOST_BYTES {
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        // Writing to a string cannot fail.
        let _ = write!(text, "… [cut, of {whole} bytes]");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> Field {
        Field {
            name: name.to_string(),
            value: value.to_string(),
        }
    }

    /// What becomes of a panic with this message.
    fn panic(log: &mut GuestLog, message: &str) -> Option<String> {
        log.record(GuestLevel::Error, &format!("panic: {message}"), &[])
            .expect("it is within the limit");
        log.take_panic()
    }

    #[test]
    fn the_last_panic_is_remembered_once() {
        let mut log = GuestLog::default();
        assert_eq!(
            panic(&mut log, "at the disco").as_deref(),
            Some("at the disco")
        );
        assert_eq!(log.take_panic(), None);
    }

    #[test]
    fn only_an_error_is_a_panic() {
        let mut log = GuestLog::default();
        for (level, message) in [
            (GuestLevel::Warn, "panic: not yet"),
            (GuestLevel::Error, "no panic: calm down"),
        ] {
            log.record(level, message, &[])
                .expect("it is within the limit");
            assert_eq!(log.take_panic(), None);
        }
    }

    #[test]
    fn secrets_that_the_guest_has_are_blanked() {
        let mut log = GuestLog::default();
        log.conceal(&"hunter2".into());
        assert_eq!(
            panic(&mut log, "sent hunter2 twice").as_deref(),
            Some("sent [secret] twice")
        );
    }

    #[test]
    fn a_long_message_is_cut_between_characters_and_says_so() {
        // At an odd place, so that the limit is in the middle of a character.
        let message = format!("a{}", "é".repeat(MOST_BYTES));
        let panic = panic(&mut GuestLog::default(), &message).expect("it is a panic");
        assert!(panic.len() < MOST_BYTES + 100, "{} bytes", panic.len());
        assert!(panic.ends_with("é… [cut, of 16392 bytes]"), "{panic}");
    }

    #[test]
    fn a_secret_is_blanked_where_a_message_is_cut() {
        let mut log = GuestLog::default();
        log.conceal(&"hunter2".into());
        let message = "hunter2".repeat(MOST_BYTES);
        let panic = panic(&mut log, &message).expect("it is a panic");
        assert!(!panic.contains("hunt"), "{panic}");
    }

    #[test]
    fn messages_are_counted_call_by_call() {
        let mut log = GuestLog::default();
        let one_more = |log: &mut GuestLog| log.record(GuestLevel::Info, "again", &[]);
        for _ in 0..LOG_MESSAGES {
            one_more(&mut log).expect("it is within the limit");
        }
        assert!(one_more(&mut log).is_err());
        log.begin_call();
        assert!(one_more(&mut log).is_ok());
    }

    #[test]
    fn fields_read_as_name_and_value() {
        let fields = [field("status", "200"), field("request", "GET /v2/users")];
        assert_eq!(join(&fields), " status=200 request=GET /v2/users");
    }
}
