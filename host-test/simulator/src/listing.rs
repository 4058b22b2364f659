//! Lists as streams: a list of a million accounts is written in chunks, as fast as it is read, and
//! never held as a whole.
//!
//! The tenant is locked for one chunk at a time, so writes go on while a list is read. What is
//! written meanwhile may or may not appear in it, as with any API that has no snapshots.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use hyper::body::Frame;

use super::{
    AccountKind, EmptyMembers, Role, Shared,
    records::{RoleMember, Shape, append},
    tenant::{ReadNumber, Tenant},
};

/// The size from which a chunk is sent, in bytes.
const CHUNK: usize = 64 * 1024;

/// The answer `200` with an array of accounts, or of those of one kind.
pub(super) fn accounts(shared: Arc<Shared>, kind: Option<AccountKind>, shape: Shape) -> Response {
    let read = shared.tenant().begin_read();
    stream(AccountArray {
        shared,
        read,
        kind,
        shape,
        next: 0,
        items: Items::default(),
    })
}

/// The answer `200` with an array of these roles and their members.
pub(super) fn roles(shared: Arc<Shared>, roles: Vec<Role>) -> Response {
    let read = shared.tenant().begin_read();
    let members = MemberWriter {
        shared,
        read,
        roles: roles.into_iter(),
        current: None,
    };
    stream(RoleArray {
        members,
        items: Items::default(),
    })
}

/// The answer `200` with one role and its members, as they are right now.
pub(super) fn role(shared: Arc<Shared>, role: Role) -> Response {
    let (read, roles) = (ReadNumber::UP_TO_DATE, vec![role].into_iter());
    stream(MemberWriter {
        shared,
        read,
        roles,
        current: None,
    })
}

/// Something that is written piece by piece.
trait Source {
    /// Appends the next piece, of at least [`CHUNK`] bytes unless it is the last one.
    fn fill(&mut self, out: &mut Vec<u8>) -> Progress;
}

/// Whether there is another piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    More,
    Done,
}

fn stream(source: impl Source + Unpin + Send + 'static) -> Response {
    let body = Body::new(Stream {
        source: Some(source),
    });
    (
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response()
}

/// A body whose next frame is always ready. The connection asks for it only once it has room.
struct Stream<S> {
    /// `None` after the last piece.
    source: Option<S>,
}

impl<S: Source + Unpin> hyper::body::Body for Stream<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let Some(source) = &mut this.source else {
            return Poll::Ready(None);
        };
        // The last record of a piece goes beyond the size; most are far smaller than this.
        let mut piece = Vec::with_capacity(CHUNK + 1024);
        if source.fill(&mut piece) == Progress::Done {
            this.source = None;
        }
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }
}

/// The punctuation of a JSON array.
#[derive(Debug, Default)]
struct Items {
    started: bool,
}

impl Items {
    /// Before each item.
    fn next(&mut self, out: &mut Vec<u8>) {
        out.push(if self.started { b',' } else { b'[' });
        self.started = true;
    }

    /// After the last item, if there was any.
    fn end(&mut self, out: &mut Vec<u8>) {
        if !self.started {
            out.push(b'[');
        }
        out.push(b']');
    }
}

struct AccountArray {
    shared: Arc<Shared>,
    read: ReadNumber,
    kind: Option<AccountKind>,
    shape: Shape,
    /// The id to go on from.
    next: u32,
    items: Items,
}

impl Source for AccountArray {
    fn fill(&mut self, out: &mut Vec<u8>) -> Progress {
        let tenant = self.shared.tenant();
        for account in tenant.accounts_from(self.next, self.read) {
            if self.kind.is_some_and(|kind| kind != account.kind) {
                continue;
            }
            self.items.next(out);
            self.shape.write(out, account, &tenant);
            self.next = account.id + 1;
            if out.len() >= CHUNK {
                return Progress::More;
            }
        }
        self.items.end(out);
        Progress::Done
    }
}

/// Writes roles one after the other, each as an object with its members.
struct MemberWriter {
    shared: Arc<Shared>,
    read: ReadNumber,
    /// The roles that have not been begun.
    roles: vec::IntoIter<Role>,
    current: Option<CurrentRole>,
}

/// The role whose members are being written.
struct CurrentRole {
    id: u32,
    /// The id of the account to go on from.
    next: u32,
    items: Items,
}

impl MemberWriter {
    /// Begins the next role, if there is one.
    fn begin(&mut self, out: &mut Vec<u8>) {
        let Some(role) = self.roles.next() else {
            return;
        };
        append(out, &role);
        if self.shared.behavior.empty_members == EmptyMembers::Absent && !self.is_held(role.id) {
            return;
        }
        // The members belong into the object that was just closed.
        out.pop();
        out.extend_from_slice(br#","members":"#);
        self.current = Some(CurrentRole {
            id: role.id,
            next: 0,
            items: Items::default(),
        });
    }

    fn is_held(&self, role: u32) -> bool {
        let tenant = self.shared.tenant();
        let mut accounts = tenant.accounts_from(0, self.read);
        accounts.any(|account| account.holds(role))
    }

    /// Writes members of the role that was begun, until it is complete or the chunk is full.
    fn fill_members(&mut self, out: &mut Vec<u8>) -> Progress {
        let Some(role) = &mut self.current else {
            return Progress::Done;
        };
        let tenant = self.shared.tenant();
        if role.fill(&tenant, self.read, out) == Progress::More {
            return Progress::More;
        }
        role.items.end(out);
        out.push(b'}');
        self.current = None;
        Progress::Done
    }
}

impl CurrentRole {
    fn fill(&mut self, tenant: &Tenant, read: ReadNumber, out: &mut Vec<u8>) -> Progress {
        for account in tenant.accounts_from(self.next, read) {
            let Some(membership) = account.membership(self.id) else {
                continue;
            };
            self.items.next(out);
            let member = RoleMember {
                id: account.id,
                email: &account.email,
                name: account.full_name(),
                source: membership.source,
            };
            append(out, &member);
            self.next = account.id + 1;
            if out.len() >= CHUNK {
                return Progress::More;
            }
        }
        Progress::Done
    }
}

/// A single role.
impl Source for MemberWriter {
    fn fill(&mut self, out: &mut Vec<u8>) -> Progress {
        if self.current.is_none() {
            self.begin(out);
        }
        self.fill_members(out)
    }
}

struct RoleArray {
    members: MemberWriter,
    items: Items,
}

impl Source for RoleArray {
    fn fill(&mut self, out: &mut Vec<u8>) -> Progress {
        while self.members.fill_members(out) == Progress::Done {
            if self.members.roles.len() == 0 {
                self.items.end(out);
                return Progress::Done;
            }
            self.items.next(out);
            self.members.begin(out);
        }
        Progress::More
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http_body_util::BodyExt as _;
    use serde_json::Value;

    use super::{
        super::{Options, records::Shape, testing::Client},
        CHUNK,
    };

    fn ids(list: &Value) -> Vec<u64> {
        let items = list.as_array().expect("an array");
        items
            .iter()
            .map(|item| item["id"].as_u64().expect("an id"))
            .collect()
    }

    #[tokio::test]
    async fn a_hundred_thousand_users_arrive_as_one_array_without_paging() {
        let client = Client::start(Options {
            accounts: 100_000,
            ..Options::default()
        })
        .await;
        let users = client.get("/v2/users?pageSize=10&after=50").await.json();
        let ids = ids(&users);
        assert_eq!(ids.len(), 100_000);
        assert!(ids.is_sorted_by(|a, b| a < b), "ascending, each once");
    }

    #[tokio::test]
    async fn a_list_is_made_in_pieces_of_bounded_size() {
        let client = Client::start(Options {
            accounts: 2_000,
            ..Options::default()
        })
        .await;
        let shared = Arc::clone(&client.simulator.shared);
        let response = super::accounts(shared, None, Shape::User { with_roles: true });
        let mut body = response.into_body();
        let mut pieces = Vec::new();
        while let Some(frame) = body.frame().await {
            pieces.push(frame.expect("a frame").into_data().expect("data").len());
        }
        assert!(pieces.len() > 5, "{pieces:?}");
        assert!(pieces.iter().all(|&size| size < CHUNK + 4096), "{pieces:?}");
    }

    #[tokio::test]
    async fn a_role_of_many_members_arrives_whole() {
        let client = Client::start(Options {
            accounts: 20_000,
            ..Options::default()
        })
        .await;
        let roles = client.get("/v2/user/roles").await.json();
        for role in client.simulator.roles() {
            let sent = roles
                .as_array()
                .unwrap()
                .iter()
                .find(|sent| sent["id"] == role.id)
                .unwrap();
            let members = client.simulator.role_members(role.id);
            let expected: Vec<_> = members.into_iter().map(u64::from).collect();
            assert_eq!(ids(&sent["members"]), expected, "{}", role.name);
        }
    }

    #[tokio::test]
    async fn a_role_that_nobody_holds_has_an_empty_list_or_none() {
        for (value, expected) in [("empty-list", Some(0)), ("absent", None)] {
            let mut options = Options::default();
            options
                .behavior
                .set("empty-members", value)
                .expect("a switch");
            let client = Client::start(options).await;
            let sent = client.get("/v2/user/roles").await.json();
            let sent = sent.as_array().expect("an array");
            let roles = client.simulator.roles();
            assert_eq!(sent.len(), roles.len());
            let mut empty = 0;
            for (role, sent) in roles.iter().zip(sent) {
                let held = client.simulator.role_members(role.id).len();
                let members = sent.get("members").and_then(Value::as_array);
                empty += usize::from(held == 0);
                let expected = if held == 0 { expected } else { Some(held) };
                assert_eq!(members.map(Vec::len), expected, "{value}: {}", role.name);
            }
            assert!(empty > 0);
        }
    }

    #[tokio::test]
    async fn an_empty_tenant_answers_empty_arrays() {
        let client = Client::start(Options {
            accounts: 0,
            ..Options::default()
        })
        .await;
        for path in [
            "/v2/users",
            "/v2/user/technicians",
            "/v2/user/end-users",
            "/v2/user/roles",
            "/v2/organizations",
        ] {
            assert_eq!(client.get(path).await.text(), "[]", "{path}");
        }
    }
}
