//! A write whose answer is lost is looked up, not sent again: one call never does twice what it was asked to do once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use connector_host::contract::{Mode, Outcome, ProvisionRequest};
use connector_host::transport::{self, Body, Network, Terms, Transport};
use connector_host::{BoxFuture, Connector};
use host_test::{ada, assignment, deletion, role_for, tenant};
use http::{Method, Request, Response};
use ninjaone_simulator::{AccountKind, Simulator};

/// Sends everything, and loses the answer to the first write below `/v2`.
struct LosesAnAnswer {
    network: Arc<Network>,
    writes: AtomicUsize,
}

impl Transport for LosesAnAnswer {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
        let is_write = request.method() != Method::GET && request.uri().path().starts_with("/v2");
        let is_first = is_write && self.writes.fetch_add(1, Ordering::Relaxed) == 0;
        let answer = Arc::clone(&self.network).send(request, terms);
        Box::pin(async move {
            let answer = answer.await?;
            if is_first {
                Err(transport::Error::ConnectionTerminated)
            } else {
                Ok(answer)
            }
        })
    }
}

fn connector(simulator: &Simulator) -> Connector {
    let transport = LosesAnAnswer {
        network: Arc::new(Network::new()),
        writes: AtomicUsize::new(0),
    };
    host_test::connector_over(simulator, Arc::new(transport))
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_makes_one_account_and_says_so() {
    let simulator = tenant(30).await;
    let account = ada("technician");
    let created = connector(&simulator)
        .provision(&ProvisionRequest::Create(account), Mode::Apply)
        .await
        .expect("created");
    assert_eq!(created.outcome, Outcome::Changed);
    let made: Vec<_> = simulator
        .accounts()
        .into_iter()
        .filter(|a| a.email.to_string() == "ada.lovelace@example.com")
        .collect();
    assert_eq!(made.len(), 1);
    assert_eq!(created.account, Some(made[0].id.to_string()));
    assert_eq!(simulator.writes().len(), 1);
}

#[tokio::test]
async fn a_grant_and_a_deletion_whose_answers_were_lost_are_done_once_and_say_so() {
    let simulator = tenant(60).await;
    let accounts = simulator.accounts();
    let account = accounts.iter().find(|a| {
        a.kind == AccountKind::Technician && !a.scim && !a.administrator && a.memberships.is_empty()
    });
    let account = account.expect("the tenant has one").id.to_string();
    let assignment = assignment(&account, &role_for(&simulator, AccountKind::Technician));
    let granted = connector(&simulator)
        .grant(&assignment, Mode::Apply)
        .await
        .expect("granted");
    assert_eq!(granted.outcome, Outcome::Changed);
    let deleted = connector(&simulator)
        .provision(&deletion(&account, false), Mode::Apply)
        .await
        .expect("deleted");
    assert_eq!(deleted.outcome, Outcome::Changed);
    assert_eq!(simulator.writes().len(), 2, "one for each");
}
