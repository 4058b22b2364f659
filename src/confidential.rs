//! What no text that leaves the connector may show, and taking it out of what the other side said.
//!
//! Servers and proxies that fail may repeat what they were sent. Whatever of an answer gets into an error or a log goes
//! through `Confidential::said` first, once it is decoded and before it is shortened.
//!
//! What this module does not know: what the texts are for.

use std::cell::RefCell;
use std::rc::Rc;

use zeroize::Zeroizing;

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
        if let Ok(secret) = Settings::secret(&*self.0.host) {
            text = secrets::blank(&text, &secret, "[secret]").into_owned();
        }
        for token in self.0.tokens.borrow().iter() {
            text = secrets::blank(&text, token, "[token]").into_owned();
        }
        text
    }

    /// The same, and not at any length.
    pub(crate) fn said(&self, text: &str) -> String {
        let text = self.blank(text);
        match text.char_indices().nth(MOST_SHOWN) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}
