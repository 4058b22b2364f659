//! Whatever every answer is, an operation keeps its promises.
#![no_main]

use std::cell::Cell;
use std::rc::Rc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use ninjaone_connector::contract::{
    AccountDeletion, AccountUpdate, Assignment, FieldUpdate, ListRequest, Mode, NewAccount,
    ProvisionRequest, ResourceKinds, Value,
};
use ninjaone_connector::ninjaone::http::{Method, TransportErrorKind};
use ninjaone_connector_fuzz::{Answer, Outside, Reply, token};

#[derive(Arbitrary, Debug)]
enum Operation {
    Check,
    List { kinds: u8, limit: u8 },
    Grant(u8, u8),
    Revoke(u8, u8),
    CreateTechnician { email: String, roles: Vec<u8> },
    CreateEndUser { email: String, organization: u8 },
    Update { account: u8, given_name: String },
    Delete { account: u8, administrator: bool },
}

#[derive(Arbitrary, Clone, Debug)]
enum Given {
    /// What is right for the request.
    Right,
    Body(String),
    Bytes(Vec<u8>),
    Status(u16, String),
    Wait(u16, String),
    Header(String, String, String),
    Breaks(String),
    Failure(u8),
}

const FAILURES: [TransportErrorKind; 9] = [
    TransportErrorKind::ConnectTimeout,
    TransportErrorKind::FirstByteTimeout,
    TransportErrorKind::BetweenBytesTimeout,
    TransportErrorKind::Unreachable,
    TransportErrorKind::Network,
    TransportErrorKind::Untrusted,
    TransportErrorKind::Denied,
    TransportErrorKind::TooLarge,
    TransportErrorKind::Internal,
];

fn right(target: &str) -> Reply {
    let body = match target.split('?').next().unwrap_or_default() {
        "/ws/oauth/token" => return token(),
        "/v2/users" | "/v2/user/technicians" => {
            r#"[{"id":1,"userType":"TECHNICIAN","email":"a@b.c"},{"id":2,"userType":"TECHNICIAN","email":"d@b.c"}]"#
        }
        "/v2/user/end-users" => r#"[{"id":3,"userType":"END_USER","email":"e@b.c"}]"#,
        "/v2/user/roles" => {
            r#"[{"id":1,"type":"TECHNICIAN","members":[{"id":1}]},{"id":2,"members":[]}]"#
        }
        "/v2/activities" => r#"{"activities":[]}"#,
        "/v2/user/technician/1" => r#"{"id":1,"userType":"TECHNICIAN","firstName":"A"}"#,
        "/v2/organization/1" => r#"{"id":1}"#,
        path if path.contains("-members") => r#"{"id":1,"members":[]}"#,
        _ => "[]",
    };
    Reply::Answer(Answer::ok(body))
}

fn reply(given: &Given, target: &str) -> Reply {
    let answer = |status, body: &str| Answer {
        status,
        body: body.as_bytes().to_vec(),
        ..Answer::default()
    };
    match given {
        Given::Right => right(target),
        Given::Body(body) => Reply::Answer(answer(200, body)),
        Given::Bytes(body) => Reply::Answer(Answer::ok(body.clone())),
        Given::Status(status, body) => Reply::Answer(answer(*status, body)),
        Given::Wait(status, wait) => {
            let mut answer = answer(*status, "");
            answer.headers = vec![("retry-after".to_string(), wait.clone())];
            Reply::Answer(answer)
        }
        Given::Header(name, value, body) => {
            let mut answer = answer(200, body);
            answer.headers = vec![(name.clone(), value.clone())];
            Reply::Answer(answer)
        }
        Given::Breaks(body) => {
            let mut answer = answer(200, body);
            answer.breaks = Some(TransportErrorKind::Network);
            Reply::Answer(answer)
        }
        Given::Failure(kind) => Reply::Failure(FAILURES[usize::from(*kind) % FAILURES.len()]),
    }
}

/// What came of a call does not matter here, only what it did on the way.
fn kept<T>(outside: &Outside, _result: T) {
    outside.assert_kept();
}

fuzz_target!(|input: (Operation, bool, u8, Vec<Given>)| {
    let (operation, plan, chunk, givens) = input;
    let mode = if plan { Mode::Plan } else { Mode::Apply };
    // A create that was turned away for its rate, or did not get through, may be sent again: nothing was created.
    let creates_let_in = Rc::new(Cell::new(0));
    let next = Cell::new(0);
    let counting = creates_let_in.clone();
    let outside = Outside::new(usize::from(chunk), move |method, target| {
        let index = next.replace(next.get() + 1);
        let reply = givens
            .get(index)
            .map_or_else(|| right(target), |given| reply(given, target));
        let turned_away = match &reply {
            Reply::Answer(answer) => matches!(answer.status, 401 | 429),
            Reply::Failure(kind) => *kind == TransportErrorKind::Unreachable,
        };
        if method == Method::Post && target.starts_with("/v2") && !turned_away {
            counting.set(counting.get() + 1);
        }
        reply
    });
    let connector = outside.connector();
    let person = |kind: &str, email: String| NewAccount {
        kind: kind.to_string(),
        email: Some(email),
        given_name: Some("A".to_string()),
        family_name: Some("B".to_string()),
        phone: None,
        organization: None,
        send_invitation: None,
        attributes: Vec::new(),
        roles: Vec::new(),
    };
    let assignment = |account: u8, role: u8| Assignment {
        account: account.to_string(),
        role: role.to_string(),
    };
    let is_write = !matches!(operation, Operation::Check | Operation::List { .. });
    match operation {
        Operation::Check => kept(&outside, connector.check()),
        Operation::List { kinds, limit } => {
            let mut request = ListRequest::everything(ResourceKinds::from_bits_truncate(kinds));
            request.limit = Some(limit.into());
            kept(&outside, connector.list(&request));
        }
        Operation::Grant(account, role) => {
            kept(&outside, connector.grant(&assignment(account, role), mode));
        }
        Operation::Revoke(account, role) => {
            kept(&outside, connector.revoke(&assignment(account, role), mode));
        }
        Operation::CreateTechnician { email, roles } => {
            let mut account = person("technician", email);
            account.roles = roles.iter().take(5).map(ToString::to_string).collect();
            kept(
                &outside,
                connector.provision(ProvisionRequest::Create(account), mode),
            );
        }
        Operation::CreateEndUser {
            email,
            organization,
        } => {
            let mut account = person("end-user", email);
            account.organization = Some(organization.to_string());
            kept(
                &outside,
                connector.provision(ProvisionRequest::Create(account), mode),
            );
        }
        Operation::Update {
            account,
            given_name,
        } => {
            let update = ProvisionRequest::Update(AccountUpdate {
                account: account.to_string(),
                fields: vec![(
                    "given-name".to_string(),
                    FieldUpdate::Set(Value::Text(given_name)),
                )],
            });
            kept(&outside, connector.provision(update, mode));
        }
        Operation::Delete {
            account,
            administrator,
        } => {
            let delete = ProvisionRequest::Delete(AccountDeletion {
                account: account.to_string(),
                allow_administrator: administrator,
            });
            kept(&outside, connector.provision(delete, mode));
        }
    }
    assert!(creates_let_in.get() <= 1, "a second account was created");
    let wrote = outside
        .requests()
        .iter()
        .any(|(method, _)| *method != Method::Get);
    assert!(
        !wrote || (is_write && !plan),
        "a write that nobody asked for"
    );
});
