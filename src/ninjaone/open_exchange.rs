//! An exchange that is under way, and the errors that may come of it.
//!
//! All that an error says of an answer is put in here, so that nothing confidential gets into one.

use crate::confidential::Confidential;
use crate::error::{Error, Exchange, Kind};
use crate::http::Response;

/// A request and what is known of its answer so far.
#[derive(Clone)]
pub(crate) struct OpenExchange {
    exchange: Exchange,
    confidential: Confidential,
}

impl OpenExchange {
    /// A request, as method and path, that has no answer yet.
    pub(crate) fn new(request: String, confidential: &Confidential) -> Self {
        OpenExchange {
            exchange: Exchange {
                request,
                ..Exchange::default()
            },
            confidential: confidential.clone(),
        }
    }

    /// Takes in what the head of the answer tells.
    pub(crate) fn note_head(&mut self, response: &Response) {
        self.exchange.status = Some(response.status);
        // Observed, not documented: identifies the call to NinjaOne's support.
        self.exchange.request_id = response.header("x-nj-request-id").map(|id| self.said(id));
    }

    /// Takes in what the body of a failure tells: a code, and what names the request where the head did not.
    pub(crate) fn note_failure(&mut self, code: Option<&str>, incident_id: Option<&str>) {
        self.exchange.code = code.map(|code| self.said(code));
        if self.exchange.request_id.is_none() {
            self.exchange.request_id = incident_id.map(|id| self.said(id));
        }
    }

    /// A text of the other side's as an error may show it.
    pub(crate) fn said(&self, text: &str) -> String {
        self.confidential.said(text)
    }

    /// The failure of this exchange.
    pub(crate) fn error(&self, kind: Kind, message: impl Into<String>) -> Error {
        Error::exchange(kind, &self.exchange, message)
    }
}
