//! What a connector logs becomes `tracing` events with the target `connector`, secrets blanked.
//!
//! What is promised: no secret that the guest was given or sent gets through, whatever its spelling; a message of any length
//! becomes one line of a few KiB that says where it was cut; no message looks like two, or like another field than it has; and a
//! guest that logs without end is stopped.

use std::borrow::Cow;
use std::fmt::Write;

use tracing::Level;

use connector_escape as escape;

use crate::bindings::identity::connector::logging::{Field, Host, Level as GuestLevel};
use crate::concealed::{Concealed, cut};
use crate::instance::State;
use crate::limits::{LOG_MESSAGES, Limit, LimitReached};

/// How the guest's panic hook begins its last message before the trap.
const PANIC_PREFIX: &str = "panic: ";
/// How many bytes of a message are handed on, and how many of its fields together.
const MOST_BYTES: usize = 8 << 10;

/// Takes in what one instance logs, and remembers its last panic for the error that follows.
#[derive(Default)]
pub(crate) struct GuestLog {
    concealed: Concealed,
    panic: Option<String>,
    /// How many messages came in since the call began.
    messages: usize,
}

impl GuestLog {
    /// Blanks these secrets in all that the guest logs.
    pub(crate) fn new(concealed: Concealed) -> Self {
        Self {
            concealed,
            ..Self::default()
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
        let whole = message.len();
        let message = self.concealed.blank(message);
        let message = cut(&escape::one_line(&message), MOST_BYTES, whole);
        let whole = fields
            .iter()
            .map(|field| field.name.len() + field.value.len() + 2);
        let fields = cut(&self.join(fields), MOST_BYTES, whole.sum());
        emit(level, &as_message(&message), &fields);
        if level == GuestLevel::Error
            && let Some(panic) = message.strip_prefix(PANIC_PREFIX)
        {
            self.panic = Some(panic.to_string());
        }
        Ok(())
    }

    /// Fields as ` name=value` each, to follow the message: `tracing` wants the names of its own fields at compile time.
    fn join(&self, fields: &[Field]) -> String {
        let mut text = String::new();
        for Field { name, value } in fields {
            let name = quoted(escape::one_line(&self.concealed.blank(name)).into_owned());
            let value = quoted(escape::one_line(&self.concealed.blank(value)).into_owned());
            // Writing to a string cannot fail.
            let _ = write!(text, " {name}={value}");
            if text.len() > MOST_BYTES {
                break;
            }
        }
        text
    }
}

/// A message in quotes, where it would otherwise look as if it had fields.
fn as_message(message: &str) -> Cow<'_, str> {
    if message.contains('=') {
        Cow::Owned(in_quotes(message))
    } else {
        Cow::Borrowed(message)
    }
}

/// In quotes, where it would otherwise not end where it ends.
fn quoted(text: String) -> String {
    let is_plain = |character: char| !character.is_whitespace() && !"\"=".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    in_quotes(&text)
}

fn in_quotes(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
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

    /// A log of a guest that has this secret.
    fn knowing(secret: &str) -> GuestLog {
        let concealed = Concealed::default();
        concealed.add_setting(&secret.into());
        GuestLog::new(concealed)
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
        let mut log = knowing("hunter2");
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
        let mut log = knowing("hunter2");
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
    fn no_message_looks_like_two() {
        let mut log = GuestLog::default();
        let forged =
            "done\n2026-11-27T10:00:00Z  WARN connector: all is well\r\u{202e}\u{2028}\u{1b}[2K";
        let line = panic(&mut log, forged).expect("it is a panic");
        assert!(
            !line.contains(|c: char| escape::is_invisible(c)),
            "{line:?}"
        );
        assert!(line.starts_with(r"done\n2026"), "{line}");
    }

    #[test]
    fn no_message_looks_as_if_it_had_fields() {
        assert_eq!(as_message("got a token"), "got a token");
        let forged = as_message(r#"done tenant="other""#);
        assert_eq!(forged, r#""done tenant=\"other\"""#);
    }

    #[test]
    fn no_field_looks_like_another() {
        let fields = [field("a", "1 tenant=other"), field("b c", "say \"x=\\\"\n")];
        assert_eq!(
            GuestLog::default().join(&fields),
            r#" a="1 tenant=other" "b c"="say \"x=\\\"\\n""#
        );
    }

    #[test]
    fn fields_read_as_name_and_value() {
        let fields = [field("status", "200"), field("request", "GET /v2/users")];
        let text = GuestLog::default().join(&fields);
        assert_eq!(text, " status=200 request=\"GET /v2/users\"");
    }
}
