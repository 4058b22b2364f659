//! Answers that are not the simulator's, because it does not know them, or because real ones were observed.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use connector_host::BoxFuture;
use connector_host::transport::{self, Body, Network, Terms, Transport, whole_body};
use http::{Request, Response};

/// An answer to give in place of the simulator's.
#[derive(Clone, Copy)]
pub struct ByHand {
    /// The method and the path that it is the answer to.
    request: &'static str,
    status: u16,
    content_type: &'static str,
    retry_after: Option<&'static str>,
    body: &'static str,
    /// Whether it is the answer the first time only.
    once: bool,
}

impl ByHand {
    pub const fn json(request: &'static str, status: u16, body: &'static str) -> Self {
        Self {
            request,
            status,
            content_type: "application/json",
            retry_after: None,
            body,
            once: false,
        }
    }

    pub const fn page(request: &'static str, status: u16, body: &'static str) -> Self {
        Self {
            content_type: "text/html",
            ..Self::json(request, status, body)
        }
    }

    pub const fn retry_after(self, value: &'static str) -> Self {
        Self {
            retry_after: Some(value),
            ..self
        }
    }

    pub const fn once(self) -> Self {
        Self { once: true, ..self }
    }

    fn response(&self) -> Response<Body> {
        let mut response = Response::builder()
            .status(self.status)
            .header("content-type", self.content_type);
        if let Some(value) = self.retry_after {
            response = response.header("retry-after", value);
        }
        let body = whole_body(self.body);
        response.body(body).expect("the scenario gives an answer")
    }
}

/// Gives the answers that are given by hand, and gets all others over the network.
pub struct Improvised {
    network: Arc<Network>,
    answers: Mutex<Vec<ByHand>>,
}

impl Improvised {
    pub fn new(answers: &[ByHand]) -> Self {
        Self {
            network: Arc::default(),
            answers: Mutex::new(answers.to_vec()),
        }
    }

    fn answer(&self, request: &Request<Bytes>) -> Option<Response<Body>> {
        let line = format!("{} {}", request.method(), request.uri().path());
        let mut answers = self.answers.lock().expect("no other test has it");
        let index = answers.iter().position(|answer| answer.request == line)?;
        let answer = answers[index];
        if answer.once {
            answers.remove(index);
        }
        Some(answer.response())
    }
}

impl Transport for Improvised {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
        match self.answer(&request) {
            Some(response) => Box::pin(async { Ok(response) }),
            None => self.network.clone().send(request, terms),
        }
    }
}
