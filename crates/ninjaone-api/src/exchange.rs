//! An exchange that is under way, and the errors that may come of it.
//!
//! All that an error says of an answer goes through here, so that nothing confidential gets into it.

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
        self.exchange.request_id = response.header("x-nj-request-id").map(ToString::to_string);
    }

    /// The status of the answer, once it is known.
    pub(crate) fn status(&self) -> Option<u16> {
        self.exchange.status
    }

    /// Takes in what the body of a failure tells: a code, and what names the request where the head did not.
    pub(crate) fn note_failure(&mut self, code: Option<&str>, incident_id: Option<&str>) {
        self.exchange.code = code.map(ToString::to_string);
        if self.exchange.request_id.is_none() {
            self.exchange.request_id = incident_id.map(ToString::to_string);
        }
    }

    /// A text of the other side's as an error may show it.
    pub(crate) fn said(&self, text: &str) -> String {
        self.confidential.said(text)
    }

    /// The failure of this exchange. Only here is taken out of it what is confidential: to know the secret, the host has to be
    /// asked for it, and most exchanges do not fail.
    pub(crate) fn error(&self, kind: Kind, message: impl Into<String>) -> Error {
        let said = |text: &Option<String>| text.as_deref().map(|text| self.said(text));
        let exchange = Exchange {
            request: self.exchange.request.clone(),
            status: self.exchange.status,
            code: said(&self.exchange.code),
            request_id: said(&self.exchange.request_id),
        };
        Error::exchange(kind, exchange, message)
    }
}
