//! The inner parts, one by one, without a network: to judge a change of them.
//!
//! | benchmark | what it does |
//! | --- | --- |
//! | `parse/users`, `parse/members` | finds and reads the elements of an answer that arrives in pieces |
//! | `convert/users` | makes accounts of users |
//! | `page/native/…`, `page/component/…` | one call of `list`: parse, convert, and for the component, across the boundary |
//! | `call/native`, `call/component` | a call that sends nothing: `describe` |
//!
//! An answer has as many elements as a page, so all times are comparable.
//!
//! The component is the one that `cargo xtask build` made last.

use std::hint::black_box;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use connector_host::contract::{ListRequest, ResourceKinds};
use connector_host::transport::{self, Terms, whole_body};
use connector_host::{
    BoxFuture, Connector, EgressPolicy, Host, HostOptions, Tenant, TenantSettings,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ninjaone_connector::ninjaone::confidential::Confidential;
use ninjaone_connector::ninjaone::host::{Level, SettingError};
use ninjaone_connector::ninjaone::http::{Body, Request, Response, Transport, TransportError};
use ninjaone_connector::ninjaone::retry::Retries;
use ninjaone_connector::ninjaone::settings::Settings;
use ninjaone_connector::ninjaone::token::TokenCache;
use ninjaone_connector::ninjaone::wire::User;
use ninjaone_connector::ninjaone::{Api, RoleEvent};
use ninjaone_connector::{contract, convert};

/// How many elements an answer has: as many as a page.
const ELEMENTS: u64 = 1_000;
/// The size of the pieces that a native answer comes in.
const PIECE: usize = 64 * 1024;
const BASE_URL: &str = "https://tenant.example";

/// A tenant whose answers are in memory.
#[derive(Clone)]
struct Canned {
    users: Bytes,
    roles: Bytes,
}

impl Canned {
    fn new() -> Self {
        let user = |id: u64| {
            format!(
                r#"{{"id":{id},"uid":"3f2b8c1e-5a44-4d0e-9c1b-{id:012}","firstName":"Ada{id}","lastName":"Lovelace","email":"ada.lovelace{id}@example.com","phone":"+1 555 {id}","enabled":true,"administrator":false,"permitAllClients":true,"notifyAllClients":false,"mustChangePw":false,"mfaConfigured":true,"userType":"TECHNICIAN","invitationStatus":"REGISTERED","organizationId":null,"deviceIds":[],"assignedDeviceIds":[{id}],"roles":["Help Desk","Auditor"],"tags":[]}}"#
            )
        };
        let member = |id: u64| {
            format!(
                r#"{{"id":{id},"email":"ada.lovelace{id}@example.com","name":"Ada{id} Lovelace","source":"MANUAL"}}"#
            )
        };
        let array = |element: &dyn Fn(u64) -> String| {
            let elements: Vec<_> = (1..=ELEMENTS).map(element).collect();
            format!("[{}]", elements.join(","))
        };
        Canned {
            users: array(&user).into(),
            roles: format!(
                r#"[{{"id":1,"name":"Help Desk","type":"TECHNICIAN","members":{}}}]"#,
                array(&member)
            )
            .into(),
        }
    }

    fn body(&self, url: &str) -> Bytes {
        if url.contains("/oauth/token") {
            Bytes::from_static(
                br#"{"access_token":"token","token_type":"Bearer","expires_in":3600}"#,
            )
        } else if url.contains("/v2/users") {
            self.users.clone()
        } else {
            self.roles.clone()
        }
    }
}

impl Transport for Canned {
    fn send(&self, request: Request) -> Result<Response, TransportError> {
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            body: Box::new(Pieces(self.body(&request.url))),
        })
    }
}

struct Pieces(Bytes);

impl Body for Pieces {
    fn chunk(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        let piece = self.0.split_to(PIECE.min(self.0.len()));
        Ok((!piece.is_empty()).then(|| piece.to_vec()))
    }
}

impl transport::Transport for Canned {
    fn send(
        self: Arc<Self>,
        request: http::Request<Bytes>,
        _terms: Terms,
    ) -> BoxFuture<'static, Result<http::Response<transport::Body>, transport::Error>> {
        let body = whole_body(self.body(request.uri().path()));
        Box::pin(async { Ok(http::Response::new(body)) })
    }
}

struct Surroundings;

impl ninjaone_connector::ninjaone::host::Host for Surroundings {
    fn setting(&self, key: &str) -> Result<Option<String>, SettingError> {
        let value = match key {
            "base-url" => BASE_URL,
            "scope" => "monitoring",
            _ => "simulated",
        };
        Ok(Some(value.to_string()))
    }

    fn log(&self, _level: Level, _message: &str, _fields: &[(&str, &str)]) {}

    fn monotonic_nanos(&self) -> u64 {
        1
    }

    fn unix_seconds(&self) -> u64 {
        1
    }

    fn time_left_millis(&self) -> Option<u64> {
        None
    }

    fn pause(&self, _nanos: u64) {}

    fn dice(&self) -> u64 {
        1
    }
}

/// Calls with a NinjaOne that answers from memory, and the token that it gave.
fn with_api<T>(canned: &Canned, call: impl FnOnce(&Api) -> T) -> T {
    let settings = Settings::load(&Surroundings).expect("they are right");
    call(&Api {
        settings,
        http: canned,
        host: &Surroundings,
        tokens: &TokenCache::new(Confidential::new(Rc::new(Surroundings))),
        retries: Retries::none(&Surroundings),
    })
}

fn users(api: &Api) -> Vec<User> {
    let mut elements = api.users(None).expect("it answers");
    let mut users = Vec::new();
    while let Some(user) = elements.try_next().expect("it is an array") {
        users.push(user);
    }
    users
}

fn parse(criterion: &mut Criterion) {
    let canned = Canned::new();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(ELEMENTS));
    with_api(&canned, |api| {
        group.bench_function("users", |bencher| bencher.iter(|| users(api)));
        group.bench_function("members", |bencher| {
            bencher.iter(|| {
                let mut events = api.roles(None).expect("it answers");
                let mut members = 0;
                while let Some(event) = events.try_next().expect("it is an array") {
                    members += u64::from(matches!(event, RoleEvent::Member(..)));
                }
                assert_eq!(members, ELEMENTS);
            });
        });
    });
}

fn conversion(criterion: &mut Criterion) {
    let users = with_api(&Canned::new(), users);
    let mut group = criterion.benchmark_group("convert");
    group.throughput(Throughput::Elements(ELEMENTS));
    group.bench_function("users", |bencher| {
        bencher.iter_batched(
            || users.clone(),
            |users| {
                let accounts = users.into_iter().map(|user| {
                    let id = user.id.expect("each has one");
                    convert::account(id, user, None)
                });
                accounts.collect::<Vec<_>>()
            },
            BatchSize::SmallInput,
        );
    });
}

/// The component, with a NinjaOne that answers from memory.
fn component(canned: &Canned) -> Connector {
    let file = Path::new(test_components::NINJAONE_CONNECTOR);
    let host = Host::new(HostOptions::default()).expect("the engine starts");
    let plugin = runtime().block_on(host.load(file));
    let plugin = plugin.expect("the component loads");
    let settings = TenantSettings::new()
        .plain("base-url", BASE_URL)
        .plain("client-id", "simulated")
        .secret("client-secret", "simulated".to_string().into())
        .plain("scope", "monitoring");
    let egress = EgressPolicy::only(BASE_URL).expect("it is an https URL");
    let tenant = Tenant::new("bench", settings, egress);
    plugin.instantiate(tenant.transport(Arc::new(canned.clone())))
}

fn page(criterion: &mut Criterion) {
    let canned = Canned::new();
    let runtime = runtime();
    let mut group = criterion.benchmark_group("page");
    group.throughput(Throughput::Elements(ELEMENTS));
    for (of, native_kinds, kinds) in [
        (
            "accounts",
            contract::ResourceKinds::ACCOUNTS,
            ResourceKinds::ACCOUNTS,
        ),
        (
            "grants",
            contract::ResourceKinds::GRANTS,
            ResourceKinds::GRANTS,
        ),
    ] {
        let native = native(&canned);
        let request = contract::ListRequest::everything(native_kinds);
        group.bench_function(format!("native/{of}"), |bencher| {
            bencher.iter(|| {
                let page = native.list(&request).expect("it answers");
                assert_eq!(page.items.len() as u64, ELEMENTS);
            });
        });
        let mut component = component(&canned);
        let request = ListRequest::everything(kinds);
        group.bench_function(format!("component/{of}"), |bencher| {
            bencher.iter(|| {
                let page = runtime.block_on(component.list(&request));
                assert_eq!(page.expect("it answers").items.len() as u64, ELEMENTS);
            });
        });
    }
}

fn call(criterion: &mut Criterion) {
    let canned = Canned::new();
    let runtime = runtime();
    let mut group = criterion.benchmark_group("call");
    let native = native(&canned);
    group.bench_function("native", |bencher| {
        bencher.iter(|| black_box(native.describe()))
    });
    let mut component = component(&canned);
    group.bench_function("component", |bencher| {
        bencher.iter(|| runtime.block_on(component.describe()).expect("it answers"));
    });
}

fn native(canned: &Canned) -> ninjaone_connector::Connector {
    ninjaone_connector::Connector::new(Box::new(canned.clone()), Box::new(Surroundings))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("it starts")
}

criterion_group!(benches, parse, conversion, page, call);
criterion_main!(benches);
