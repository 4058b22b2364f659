//! The secrets of one instance, and texts without them.
//!
//! What is promised: in what the guest logs, in its panics and in its failures, no secret that it was given and no credentials
//! that it sent can be read, in whichever spelling the other side may have repeated them.
//!
//! What it does not know: what a hostile guest makes of a secret, such as one with every letter exchanged for the next.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};

use crate::contract::{
    Change, CheckReport, Error, Exchange, Failure, FieldProblem, Reason, StepStatus,
};

/// What stands in the place of a secret.
const BLANK: &str = "[secret]";
/// How many secrets of each kind are remembered, the latest. A connector has a handful in its life; a hostile one could go on for
/// ever.
const MOST: usize = 64;

/// How many bytes of a text are looked at. Nobody reads as much of a failure or of a line of the log.
const MOST_BYTES: usize = 64 << 10;
/// How many bytes of a secret are looked for. Tokens have a fraction of it.
const LONGEST: usize = 4 << 10;

/// What to blank. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Concealed(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// The settings that are secret, as the guest was given them.
    settings: VecDeque<SecretString>,
    /// The credentials that the guest sent: of its own making, and so no reason to forget a setting.
    credentials: VecDeque<SecretString>,
}

impl Concealed {
    /// Blanks this setting from now on: the guest has it.
    pub(crate) fn add_setting(&self, secret: &SecretString) {
        remember(&mut self.known().settings, secret);
    }

    /// Blanks the credentials in the header of a request from now on.
    pub(crate) fn add_credentials(&self, headers: &HeaderMap) {
        for name in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE] {
            for value in headers.get_all(name) {
                let Ok(value) = value.to_str() else { continue };
                // What follows the scheme, such as `Bearer`.
                let credentials = value.split_once(' ').map_or(value, |(_, rest)| rest);
                remember(&mut self.known().credentials, &credentials.trim().into());
            }
        }
    }

    /// The text without the secrets, and no more of it than anybody reads: to look for secrets takes time, which the guest could
    /// otherwise choose.
    pub(crate) fn blank(&self, text: &str) -> String {
        let whole = text.len();
        let text = cut(text, MOST_BYTES, whole);
        let known = self.known();
        let all = known.settings.iter().chain(&known.credentials);
        all.fold(text, |text, secret| {
            match secrets::blank(&text, secret.expose_secret(), BLANK) {
                Cow::Owned(blanked) => Some(blanked),
                Cow::Borrowed(_) => None,
            }
            .unwrap_or(text)
        })
    }

    /// A list is never left half changed, so a panic elsewhere does not matter.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blanks them in a text, and says whether there was one in it.
    fn blank_in(&self, text: &mut String) -> bool {
        let blanked = self.blank(text);
        let had_one = blanked != *text;
        *text = blanked;
        had_one
    }

    /// The same in several texts.
    fn blank_in_all<'a>(&self, texts: impl IntoIterator<Item = &'a mut String>) -> bool {
        let blanked = texts.into_iter().map(|text| self.blank_in(text));
        blanked.fold(false, |one, other| one | other)
    }
}

/// As much of a text as there may be, and how long the whole was that it is made of.
pub(crate) fn cut(text: &str, most: usize, whole: usize) -> String {
    if text.len() <= most {
        return text.to_string();
    }
    let start = &text[..text.floor_char_boundary(most)];
    format!("{start}… [cut, of {whole} bytes]")
}

/// Adds a secret, unless it is there, and forgets the oldest where there are too many. Of a long one its beginning counts.
fn remember(secrets: &mut VecDeque<SecretString>, secret: &SecretString) {
    let text = secret.expose_secret();
    if text.len() > LONGEST {
        let start = &text[..text.floor_char_boundary(LONGEST)];
        return remember(secrets, &start.into());
    }
    let known = |other: &SecretString| other.expose_secret() == secret.expose_secret();
    if secret.expose_secret().is_empty() || secrets.iter().any(known) {
        return;
    }
    if secrets.len() == MOST {
        secrets.pop_front();
    }
    secrets.push_back(secret.clone());
}

/// An answer of a connector in which failures may be, with text of the other side.
pub(crate) trait Conceal {
    /// Blanks the secrets in its failures, and says whether there was one.
    fn conceal(&mut self, concealed: &Concealed) -> bool;
}

impl Conceal for Failure {
    fn conceal(&mut self, concealed: &Concealed) -> bool {
        let Failure {
            error,
            message,
            exchange,
        } = self;
        let mut texts = vec![message];
        if let Some(exchange) = exchange {
            let Exchange {
                request,
                status: _,
                code,
                request_id,
            } = exchange;
            texts.push(request);
            texts.extend(code);
            texts.extend(request_id);
        }
        match error {
            Error::InvalidSettings(problems) | Error::InvalidArgument(problems) => {
                for FieldProblem {
                    field,
                    problem,
                    mend,
                } in problems
                {
                    texts.extend([field, problem, mend]);
                }
            }
            Error::MissingPermission(needed) => texts.extend(needed),
            // Nothing else has text in it.
            _ => {}
        }
        concealed.blank_in_all(texts)
    }
}

impl Conceal for Change {
    fn conceal(&mut self, concealed: &Concealed) -> bool {
        let failed = self
            .steps
            .iter_mut()
            .filter_map(|step| match &mut step.status {
                StepStatus::Failed(Reason { message, .. }) => Some(message),
                _ => None,
            });
        concealed.blank_in_all(failed)
    }
}

impl Conceal for CheckReport {
    fn conceal(&mut self, concealed: &Concealed) -> bool {
        let probes = self.probes.iter_mut();
        let failed = probes.filter_map(|probe| probe.failure.as_mut());
        concealed.blank_in_all(failed.map(|reason| &mut reason.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_blanked_without_their_scheme_and_in_any_spelling() {
        let concealed = Concealed::default();
        let mut headers = HeaderMap::new();
        headers.insert(
            AUTHORIZATION,
            "Bearer to/ken+value".parse().expect("a header"),
        );
        concealed.add_credentials(&headers);
        let text = r"Bearer to\/ken+value and to%2Fken%2bvalue";
        assert_eq!(concealed.blank(text), "Bearer [secret] and [secret]");
    }

    #[test]
    fn endless_credentials_take_no_endless_memory() {
        let concealed = Concealed::default();
        for number in 0..10 * MOST {
            concealed.add_setting(&format!("secret number {number}").into());
        }
        assert_eq!(concealed.known().settings.len(), MOST);
        let last = format!("secret number {}", 10 * MOST - 1);
        assert_eq!(concealed.blank(&last), BLANK);
    }
}
