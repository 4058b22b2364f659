//! What no text that leaves the connector may show, and taking it out of what the other side said.
//!
//! Servers and proxies that fail may repeat what they were sent. Whatever of an answer gets into an error or a log goes
//! through `Confidential::said` first, once it is decoded and before it is shortened.
//!
//! What this module does not know: what the texts are for.

use std::cell::RefCell;
use std::rc::Rc;

use zeroize::Zeroizing;

use crate::error::Kind;
use crate::host::Host;
use crate::settings::Settings;

/// How much of what the other side said is shown, in characters.
const MOST_SHOWN: usize = 200;
/// How many tokens are looked for: the one in use, and the one before, which an answer that comes late may repeat.
const TOKENS: usize = 2;

/// The client secret and the last tokens of one instance; clones are of the same instance.
#[derive(Clone)]
pub struct Confidential(Rc<Known>);

struct Known {
    /// Asked for the client secret whenever it is looked for: it is not kept.
    host: Rc<dyn Host>,
    tokens: RefCell<Vec<Zeroizing<String>>>,
}

impl Confidential {
    /// What is confidential of the tenant of this host.
    pub fn new(host: Rc<dyn Host>) -> Self {
        Confidential(Rc::new(Known {
            host,
            tokens: RefCell::default(),
        }))
    }

    /// Looks for this token too from now on.
    pub(crate) fn add_token(&self, token: &str) {
        let mut tokens = self.0.tokens.borrow_mut();
        if tokens.len() == TOKENS {
            tokens.remove(0);
        }
        tokens.push(Zeroizing::new(token.to_string()));
    }

    /// A text of the other side's without what is confidential, in whichever spelling it stands there.
    pub(crate) fn blank(&self, text: &str) -> String {
        let mut text = text.to_string();
        match Settings::secret(&*self.0.host) {
            Ok(secret) => text = secrets::blank(&text, &secret, "[secret]").into_owned(),
            Err(error) if matches!(error.kind(), Kind::SettingUnavailable) => {
                return "[not shown, since the host cannot give the secret to look for]"
                    .to_string();
            }
            // There is none to look for.
            Err(_) => {}
        }
        self.without_tokens(text)
    }

    /// The same, for who has the secret at hand: the host need not be asked for it.
    pub(crate) fn blank_beside(&self, text: &str, secret: &str) -> String {
        self.without_tokens(secrets::blank(text, secret, "[secret]").into_owned())
    }

    fn without_tokens(&self, mut text: String) -> String {
        for token in self.0.tokens.borrow().iter() {
            text = secrets::blank(&text, token, "[token]").into_owned();
        }
        text
    }

    /// As [`Confidential::blank`], and not at any length.
    pub(crate) fn said(&self, text: &str) -> String {
        shortened(self.blank(text))
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
