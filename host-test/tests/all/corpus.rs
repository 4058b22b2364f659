//! What the fuzzer kept, through the real component: no answer breaks it.
//!
//! The fuzz targets run natively, since that is a hundred times as fast. Here is that WebAssembly makes no difference.

#[path = "../../../fuzz/src/answers.rs"]
mod answers;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use answers::{ANSWERS, STATUSES};
use bytes::Bytes;
use connector_host::contract::{
    AccountDetails, ListRequest, Mode, ProvisionRequest, ResourceKinds,
};
use connector_host::transport::{self, Body, Terms, Transport, whole_body};
use connector_host::{BoxFuture, CallError, Connector, EgressPolicy, Tenant, TenantSettings};
use host_test::{ada, assignment, deletion, plugin};
use http::{Request, Response};
use tokio::task::JoinSet;

/// How many inputs are tried at a time. Most of the time of some is pauses.
const AT_A_TIME: usize = 256;

/// One input of the target `answer`, and which tenant it is of, by its base URL.
struct Input {
    which: usize,
    status: u16,
    body: Bytes,
}

impl Input {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let ([which, status, _pieces], body) = bytes.split_first_chunk()?;
        Some(Input {
            which: usize::from(*which) % ANSWERS.len(),
            status: STATUSES[usize::from(*status) % STATUSES.len()],
            body: Bytes::copy_from_slice(body),
        })
    }

    fn answer(&self, path: &str) -> (u16, Bytes) {
        let token = r#"{"access_token":"t0ken","expires_in":3600,"token_type":"Bearer"}"#;
        match ANSWERS
            .iter()
            .position(|(start, _)| path.starts_with(start))
        {
            Some(found) if found == self.which => (self.status, self.body.clone()),
            Some(0) => (200, Bytes::from_static(token.as_bytes())),
            Some(found) => (200, Bytes::from_static(ANSWERS[found].1.as_bytes())),
            None => (404, Bytes::new()),
        }
    }
}

/// Answers a tenant from its input.
impl Transport for Input {
    fn send(
        self: Arc<Self>,
        request: Request<Bytes>,
        _terms: Terms,
    ) -> BoxFuture<'static, Result<Response<Body>, transport::Error>> {
        let (status, body) = self.answer(request.uri().path());
        let response = Response::builder().status(status).body(whole_body(body));
        Box::pin(async { Ok(response.expect("the status is one")) })
    }
}

fn connector(input: Input) -> Connector {
    let base_url = "http://localhost";
    let settings = TenantSettings::new()
        .plain("base-url", base_url)
        .plain("client-id", "client")
        .secret("client-secret", "the secret of the tenant".into());
    let egress = EgressPolicy::only(base_url).expect("it is this computer");
    let tenant = Tenant::new("corpus", settings, egress);
    plugin().instantiate(tenant.transport(Arc::new(input)))
}

/// It went well, or is a failure of the contract.
fn is_fine<T>(result: Result<T, CallError>) -> bool {
    matches!(result, Ok(_) | Err(CallError::Connector(_)))
}

async fn try_everything(input: Input) {
    let mut connector = connector(input);
    assert!(is_fine(connector.check().await), "check");
    let mut everything = ListRequest::everything(ResourceKinds::all());
    everything.details = AccountDetails::all();
    assert!(is_fine(connector.list(&everything).await), "list");
    let pair = assignment("1", "2");
    assert!(is_fine(connector.grant(&pair, Mode::Apply).await), "grant");
    let create = ProvisionRequest::Create(ada("technician"));
    for request in [create, deletion("1", true)] {
        let result = connector.provision(&request, Mode::Apply).await;
        assert!(is_fine(result), "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_input_that_the_fuzzer_kept_breaks_the_component() {
    let folder = host_test::scratch().join("corpus-answer");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/answer.tar.gz");
    let mut unpack = Command::new("tar");
    let unpack = unpack.arg("-xzf").arg(archive).arg("-C").arg(&folder);
    assert!(unpack.status().expect("tar starts").success());
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("there is a corpus")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    files.sort();
    let inputs = files.iter().filter_map(|file| {
        let bytes = std::fs::read(file).expect("it can be read");
        Input::parse(&bytes)
    });
    let inputs: Vec<_> = inputs.collect();
    let count = inputs.len();
    assert!(count > 100, "the corpus has {count} inputs");
    let mut tries = JoinSet::new();
    for input in inputs {
        if tries.len() == AT_A_TIME {
            tries
                .join_next()
                .await
                .expect("there are some")
                .expect("nothing broke");
        }
        tries.spawn(try_everything(input));
    }
    while let Some(tried) = tries.join_next().await {
        tried.expect("nothing broke");
    }
}
