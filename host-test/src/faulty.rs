//! A proxy in front of a simulated tenant that breaks what passes through it, as networks and gateways do.
//!
//! It speaks HTTP/1.1 in raw bytes, so that every fault can be told, also those that no HTTP library would send; or HTTP/2 over
//! TLS (`http2`), which has faults of its own. A plan decides on each request: it passes; or the fault is committed *before* the
//! tenant sees it, so that nothing was done; or *after* the tenant carried it out, so that only the answer is hit.
//!
//! Many tenants can be behind one proxy, as all of NinjaOne's are behind one address. It then tells them apart by their
//! credentials.
#![allow(dead_code, reason = "each test file uses a part of it")]

#[path = "faulty/http2.rs"]
pub mod http2;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connector_host::Tenant;
use connector_host::transport::{self, Network};
use http2::Http2;
use ninjaone_simulator::Simulator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::network_options;
use crate::proxy::{Conduct, ConnectProxy};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its place among all requests to this proxy, counted from 0.
    pub number: usize,
    /// The connection over which it came, counted from 0.
    pub connection: usize,
    /// Whose request it is: the place among the tenants that the proxy was given.
    pub tenant: usize,
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The request line and the header fields.
    pub head: String,
    pub body: Vec<u8>,
}

impl Asked {
    fn new(connection: usize, head: String, body: Vec<u8>) -> Self {
        let mut words = head.split(' ');
        let method = words.next().unwrap_or_default().to_string();
        let target = words.next().unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default().to_string();
        Asked {
            number: 0,
            connection,
            tenant: 0,
            method,
            path,
            head,
            body,
        }
    }

    pub fn is_token_request(&self) -> bool {
        self.path.ends_with("/oauth/token")
    }

    pub fn is_read(&self) -> bool {
        self.method == "GET"
    }

    pub fn is_write(&self) -> bool {
        !self.is_read() && !self.is_token_request()
    }

    /// The value of the first header field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// What becomes of a request.
pub enum Verdict {
    /// It is carried out, and its answer passed on.
    Pass,
    /// The same, and from then on connections are refused: for this long, or until [`Proxy::heal`].
    PassTheLast(Option<Duration>),
    /// The same, and the next request needs another connection.
    PassTheLastHere,
    /// The same, and from then on no connection of HTTP/2 has room for the body of a request, until [`Proxy::heal`].
    PassTheLastBody,
    /// The fault is committed in place of carrying it out.
    Before(Fault),
    /// It is carried out, and the fault is committed on the answer.
    After(Fault),
}

/// What can be done to an answer.
#[derive(Clone)]
pub enum Fault {
    /// The connection is reset before the first byte.
    Reset,
    /// The connection is reset in the middle of the body.
    ResetInside,
    /// The connection is reset after the last byte, as one that nobody was to use again.
    ResetAfter,
    /// The connection is closed in the middle of the body, as if that were its end.
    Short,
    /// The body never ends: it begins as it should, and goes on with white space.
    Endless,
    /// The head comes after this long.
    SlowHead(Duration),
    /// The second half of the body comes after this long.
    SlowBody(Duration),
    /// The body is another one, made from the right one.
    Damaged(fn(&[u8]) -> Vec<u8>),
    /// The body comes in small pieces, one after the other, over this time.
    Trickle(Duration),
    /// The answer is another one.
    Answer(Answer),
    /// One that only HTTP/2 knows.
    Http2(http2::Fault),
}

/// An answer of HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// Name and value of each header field, but for the length.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.to_string()));
        Answer {
            status,
            headers: headers.collect(),
            body: body.into(),
        }
    }

    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Answer::new(status, &[("content-type", "application/json")], body)
    }

    /// The head, with the header fields that say where the body ends and what becomes of the connection.
    fn head(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Faulty\r\n{framing}\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        (head + "\r\n").into_bytes()
    }

    fn whole(&self) -> Vec<u8> {
        let framing = format!("content-length: {}", self.body.len());
        [self.head(&framing), self.body.clone()].concat()
    }

    /// The head, which promises a whole body of two bytes or more, and the first half of it.
    fn half(&self) -> Vec<u8> {
        let framing = format!("content-length: {}", self.body.len().max(2));
        [
            self.head(&framing),
            self.body[..self.body.len() / 2].to_vec(),
        ]
        .concat()
    }

    /// The same, which says that no other answer follows on this connection.
    fn closing(mut self) -> Self {
        let close = ("connection".to_string(), "close".to_string());
        self.headers.push(close);
        self
    }

    /// A status that goes with a body. Some answers have none, and are to be damaged all the same.
    fn with_a_body(mut self) -> Self {
        if self.status == 204 {
            self.status = 200;
        }
        self
    }
}

/// A request that passed, or that a fault was committed on.
#[derive(Clone, Debug)]
pub struct Passed {
    pub asked: Asked,
    /// Whether a fault was committed.
    pub is_hit: bool,
}

type Plan = Box<dyn FnMut(&Asked) -> Verdict + Send>;

/// A running proxy. Dropping it closes its port and its connections.
pub struct Proxy {
    shared: Arc<Shared>,
    /// What connections go through to get here.
    via: Option<Arc<ConnectProxy>>,
}

struct Shared {
    address: SocketAddr,
    /// Bound and never listening: it keeps the port from being given to anybody else while connections are refused.
    _reserved: TcpSocket,
    tenants: Tenants,
    /// `None`: HTTP/1.1 without TLS.
    http2: Option<Http2>,
    plan: Mutex<Plan>,
    log: Mutex<Log>,
    listening: Mutex<Option<JoinHandle<()>>>,
    gone: watch::Sender<()>,
}

#[derive(Default)]
struct Log {
    count: usize,
    connections: usize,
    passed: Vec<Passed>,
}

/// The tenants behind a proxy, and what tells whose request it is where there are several.
struct Tenants {
    addresses: Vec<SocketAddr>,
    /// By client id, and by token.
    known: Mutex<HashMap<String, usize>>,
}

impl Tenants {
    fn new(simulators: &[&Simulator]) -> Self {
        let mut known = HashMap::new();
        let mut addresses = Vec::new();
        for (index, simulator) in simulators.iter().enumerate() {
            let address = simulator.base_url();
            let address = address.strip_prefix("http://").expect("it speaks no TLS");
            addresses.push(address.parse().expect("simulators are at an address"));
            known.insert(simulator.credentials().client_id.clone(), index);
        }
        Tenants {
            addresses,
            known: Mutex::new(known),
        }
    }

    /// Whose request it is; `None` where that is nobody's.
    fn of(&self, asked: &Asked) -> Option<usize> {
        if self.addresses.len() == 1 {
            return Some(0);
        }
        let form = String::from_utf8_lossy(&asked.body);
        let by = match asked.is_token_request() {
            true => form
                .split('&')
                .find_map(|field| field.strip_prefix("client_id=")),
            false => asked.header("authorization")?.strip_prefix("Bearer "),
        };
        lock(&self.known).get(by?).copied()
    }

    /// Remembers a token that was given.
    fn learn(&self, asked: &Asked, answer: &Answer) {
        if !asked.is_token_request() {
            return;
        }
        let json = serde_json::from_slice(&answer.body);
        let json: serde_json::Value = json.unwrap_or_default();
        if let Some(token) = json["access_token"].as_str() {
            lock(&self.known).insert(token.to_string(), asked.tenant);
        }
    }
}

impl Proxy {
    /// Starts a proxy in front of a tenant, which does to each request what the plan says.
    pub async fn start(
        simulator: &Simulator,
        plan: impl FnMut(&Asked) -> Verdict + Send + 'static,
    ) -> Self {
        let proxy = Self::closed(&[simulator], None, plan);
        proxy.shared.listen().expect("the port is reserved");
        proxy
    }

    /// The same over TLS and HTTP/2. The tenant is to be [`Proxy::trusted_by`].
    pub async fn over_http2(
        simulator: &Simulator,
        http2: Http2,
        plan: impl FnMut(&Asked) -> Verdict + Send + 'static,
    ) -> Self {
        Self::of_many(&[simulator], Some(http2), plan).await
    }

    /// A proxy in front of many tenants, over HTTP/2 or over HTTP/1.1.
    pub async fn of_many(
        simulators: &[&Simulator],
        http2: Option<Http2>,
        plan: impl FnMut(&Asked) -> Verdict + Send + 'static,
    ) -> Self {
        let proxy = Self::closed(simulators, http2, plan);
        proxy.shared.listen().expect("the port is reserved");
        proxy
    }

    /// A proxy that does not listen yet: connections are refused, for this long or until [`Proxy::heal`].
    pub fn refusing(
        simulator: &Simulator,
        time: Option<Duration>,
        plan: impl FnMut(&Asked) -> Verdict + Send + 'static,
    ) -> Self {
        let proxy = Self::closed(&[simulator], None, plan);
        proxy.shared.listen_after(time);
        proxy
    }

    fn closed(
        simulators: &[&Simulator],
        http2: Option<Http2>,
        plan: impl FnMut(&Asked) -> Verdict + Send + 'static,
    ) -> Self {
        let reserved = socket_at(SocketAddr::from(([127, 0, 0, 1], 0)));
        let shared = Shared {
            address: reserved.local_addr().expect("it is bound"),
            _reserved: reserved,
            tenants: Tenants::new(simulators),
            http2,
            plan: Mutex::new(Box::new(plan)),
            log: Mutex::default(),
            listening: Mutex::default(),
            gone: watch::Sender::new(()),
        };
        Proxy {
            shared: Arc::new(shared),
            via: None,
        }
    }

    /// The same, to be reached through a proxy that makes tunnels.
    pub fn through(mut self, via: Arc<ConnectProxy>) -> Self {
        self.via = Some(via);
        self
    }

    /// Where it listens, in place of the tenant's base URL.
    pub fn base_url(&self) -> String {
        let address = self.shared.address;
        match self.shared.http2 {
            None => format!("http://{address}"),
            // Nothing goes through a proxy to this computer.
            Some(_) if self.via.is_some() => format!("https://{ELSEWHERE}:{}", address.port()),
            Some(_) => format!("https://localhost:{}", address.port()),
        }
    }

    /// The tenant with a network of its own that trusts this proxy.
    pub fn trusted_by(&self, tenant: Tenant) -> Tenant {
        if self.shared.http2.is_none() {
            return tenant;
        }
        let options = network_options(http2::authority());
        let options = match &self.via {
            Some(via) => options.proxy(transport::Proxy::url(&via.url()).expect("it is a URL")),
            None => options,
        };
        tenant.transport(Arc::new(Network::with(options)))
    }

    /// Commits no fault from now on.
    pub fn heal(&self) {
        *lock(&self.shared.plan) = Box::new(|_| Verdict::Pass);
        if let Some(http2) = &self.shared.http2 {
            http2.give_room();
        }
        if let Some(via) = &self.via {
            via.behave(Conduct::Open, None);
        }
        self.shared.listen().expect("the port is reserved");
    }

    /// What passed so far, oldest first, since it was last asked to forget.
    pub fn passed(&self) -> Vec<Passed> {
        lock(&self.shared.log).passed.clone()
    }

    /// Forgets what passed. The requests are counted on.
    pub fn forget(&self) {
        lock(&self.shared.log).passed.clear();
    }

    /// How many requests there were in all.
    pub fn count(&self) -> usize {
        lock(&self.shared.log).count
    }

    /// How many connections there were in all, from which requests came or not.
    pub fn connections(&self) -> usize {
        lock(&self.shared.log).connections
    }
}

/// The name of a host that is not this computer, which a proxy leads to this computer all the same.
const ELSEWHERE: &str = "tenant.example";

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.shared.stop_listening();
        self.shared.gone.send_replace(());
    }
}

/// A socket that is bound, to an address that others may be bound to as well.
fn socket_at(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("there is IPv4");
    socket.set_reuseport(true).expect("ports can be shared");
    socket.bind(address).expect("there is a free port");
    socket
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Listens, unless it does already.
    fn listen(self: &Arc<Self>) -> io::Result<()> {
        let mut listening = lock(&self.listening);
        if listening.is_none() {
            let listener = socket_at(self.address).listen(64)?;
            let shared = Arc::clone(self);
            *listening = Some(tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(Arc::clone(&shared).until_gone(stream));
                }
            }));
        }
        Ok(())
    }

    fn listen_after(self: &Arc<Self>, time: Option<Duration>) {
        let Some(time) = time else { return };
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            shared.listen().expect("the port is reserved");
        });
    }

    /// Stops listening. Connections are refused once the task has ended.
    fn stop_listening(&self) -> Option<JoinHandle<()>> {
        let task = lock(&self.listening).take();
        task.inspect(JoinHandle::abort)
    }

    async fn until_gone(self: Arc<Self>, stream: TcpStream) {
        let mut gone = self.gone.subscribe();
        tokio::select! {
            // Nobody is left to be told that a connection broke: the other end knows.
            _ = self.serve(stream) => {}
            _ = gone.changed() => {}
        }
    }

    async fn serve(self: &Arc<Self>, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let number = {
            let mut log = lock(&self.log);
            log.connections += 1;
            log.connections - 1
        };
        match &self.http2 {
            None => self.serve_http1(stream, number).await,
            Some(http2) => http2.serve(self, stream, number).await,
        }
    }

    /// Answers the requests of a connection, one after the other.
    async fn serve_http1(
        self: &Arc<Self>,
        mut stream: TcpStream,
        connection: usize,
    ) -> io::Result<()> {
        let mut received = Vec::new();
        while let Some(asked) = read_request(&mut stream, &mut received, connection).await? {
            let (verdict, answer) = self.attend(asked).await?;
            match verdict {
                Verdict::Pass => stream.write_all(&answer.whole()).await?,
                Verdict::PassTheLastHere => {
                    return stream.write_all(&answer.closing().whole()).await;
                }
                Verdict::PassTheLastBody => panic!("HTTP/1.1 has no room to give"),
                Verdict::PassTheLast(time) => {
                    self.refuse(time).await;
                    return stream.write_all(&answer.closing().whole()).await;
                }
                Verdict::Before(fault) | Verdict::After(fault) => {
                    if !commit(fault, answer, &mut stream).await? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Refuses connections for this long.
    async fn refuse(self: &Arc<Self>, time: Option<Duration>) {
        if let Some(task) = self.stop_listening() {
            // Ends as it was aborted.
            let _ = task.await;
        }
        self.listen_after(time);
    }

    /// What becomes of a request, and the answer to it. In place of what was not carried out stands an object that says nothing.
    async fn attend(&self, mut asked: Asked) -> io::Result<(Verdict, Answer)> {
        let Some(tenant) = self.tenants.of(&asked) else {
            // As NinjaOne does with a token that it does not know.
            let unknown = Answer::json(401, r#"{"error":"not_authenticated","error_code":10}"#);
            return Ok((Verdict::Pass, unknown));
        };
        asked.tenant = tenant;
        let verdict = self.decide(&mut asked);
        let answer = match verdict {
            Verdict::Before(_) => Answer::json(200, "{}"),
            _ => self.carry_out(&asked).await?,
        };
        self.tenants.learn(&asked, &answer);
        Ok((verdict, answer))
    }

    /// Numbers a request, asks the plan about it, and notes what comes of it.
    fn decide(&self, asked: &mut Asked) -> Verdict {
        let mut log = lock(&self.log);
        asked.number = log.count;
        log.count += 1;
        let verdict = lock(&self.plan)(asked);
        log.passed.push(Passed {
            asked: asked.clone(),
            is_hit: matches!(verdict, Verdict::Before(_) | Verdict::After(_)),
        });
        verdict
    }

    /// Has the tenant answer. Asks in HTTP/1.0, in which an answer comes in one piece and ends with the connection.
    async fn carry_out(&self, asked: &Asked) -> io::Result<Answer> {
        let mut tenant = TcpStream::connect(self.tenants.addresses[asked.tenant]).await?;
        let head = asked.head.replacen("HTTP/1.1", "HTTP/1.0", 1);
        tenant.write_all(head.as_bytes()).await?;
        tenant.write_all(&asked.body).await?;
        let mut bytes = Vec::new();
        tenant.read_to_end(&mut bytes).await?;
        let (head, body) = split_head(&bytes).ok_or(io::ErrorKind::InvalidData)?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let headers = ["content-type", "x-nj-request-id"]
            .map(|name| header(head, name).map(|value| (name.to_string(), value.to_string())));
        Ok(Answer {
            status: status.ok_or(io::ErrorKind::InvalidData)?,
            headers: headers.into_iter().flatten().collect(),
            body: body.to_vec(),
        })
    }
}

/// For what was sent to arrive before the reset does, which may overtake it.
const TO_ARRIVE: Duration = Duration::from_millis(50);

/// Commits a fault on an answer; whether the connection can go on after it.
async fn commit(fault: Fault, answer: Answer, stream: &mut TcpStream) -> io::Result<bool> {
    let answer = answer.with_a_body();
    match fault {
        Fault::Reset => stream.set_zero_linger()?,
        Fault::ResetInside => {
            stream.write_all(&answer.half()).await?;
            tokio::time::sleep(TO_ARRIVE).await;
            stream.set_zero_linger()?;
        }
        Fault::ResetAfter => {
            stream.write_all(&answer.closing().whole()).await?;
            tokio::time::sleep(TO_ARRIVE).await;
            stream.set_zero_linger()?;
        }
        Fault::Short => stream.write_all(&answer.half()).await?,
        Fault::Endless => {
            let head = answer.head("transfer-encoding: chunked");
            stream.write_all(&head).await?;
            let first = answer.body.first().unwrap_or(&b'[');
            stream
                .write_all(&[b"1\r\n", [*first].as_slice(), b"\r\n"].concat())
                .await?;
            let spaces = [b"1000\r\n".as_slice(), &[b' '; 0x1000], b"\r\n"].concat();
            // Until the other end has enough of it.
            while stream.write_all(&spaces).await.is_ok() {}
        }
        Fault::SlowHead(time) => {
            tokio::time::sleep(time).await;
            stream.write_all(&answer.whole()).await?;
        }
        Fault::SlowBody(time) => {
            let (whole, half) = (answer.whole(), answer.half());
            stream.write_all(&half).await?;
            tokio::time::sleep(time).await;
            stream
                .write_all(&whole[half.len().min(whole.len())..])
                .await?;
        }
        Fault::Damaged(damage) => {
            let body = damage(&answer.body);
            stream.write_all(&Answer { body, ..answer }.whole()).await?;
            return Ok(true);
        }
        Fault::Trickle(time) => {
            let framing = format!("content-length: {}", answer.body.len());
            stream.write_all(&answer.head(&framing)).await?;
            for piece in pieces(&answer.body) {
                tokio::time::sleep(time / PIECES).await;
                stream.write_all(piece).await?;
            }
            return Ok(true);
        }
        Fault::Http2(fault) => panic!("{fault:?} is one of HTTP/2"),
        Fault::Answer(other) => {
            stream.write_all(&other.whole()).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// In how many pieces a body comes that trickles, at most.
const PIECES: u32 = 64;

fn pieces(body: &[u8]) -> std::slice::Chunks<'_, u8> {
    body.chunks(body.len().div_ceil(PIECES as usize).max(1))
}

/// Reads a request to its end; `None` where the connection ends instead. What came after it stays in `received`.
async fn read_request(
    stream: &mut TcpStream,
    received: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Option<Asked>> {
    loop {
        if let Some((head, body)) = split_head(received) {
            let length = header(head, "content-length").map_or(Ok(0), str::parse::<usize>);
            let length = length.map_err(|_| io::ErrorKind::InvalidData)?;
            if body.len() >= length {
                let end = received.len() - body.len() + length;
                let asked = Asked::new(connection, head.to_string(), body[..length].to_vec());
                received.drain(..end);
                return Ok(Some(asked));
            }
        }
        if stream.read_buf(received).await? == 0 {
            return Ok(None);
        }
    }
}

/// The head with the empty line that ends it, and what follows.
fn split_head(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    Some((str::from_utf8(&bytes[..end]).ok()?, &bytes[end..]))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
