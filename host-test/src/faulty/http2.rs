//! The faulty proxy over TLS and HTTP/2: the same faults, and those that come of many requests sharing one connection.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use rcgen::CertificateParams;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::{Answer, Asked, ELSEWHERE, PIECES, Shared, TO_ARRIVE, Verdict, lock, pieces};
use crate::authority::Authority;

/// How many bytes of a request's body a stream has room for, as servers usually have it.
const ROOM: u32 = 65_535;

/// What can be done to an answer over HTTP/2 alone.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The stream is reset before the first byte, for this reason. The others of the connection go on.
    Reset(Reason),
    /// The stream is reset in the middle of the body.
    ResetInside(Reason),
    /// The server says that it did not look at the request, and goes: GOAWAY with an older stream than this one.
    GoneBefore,
    /// The server breaks off before the first byte: GOAWAY, for this reason.
    Gone(Reason),
    /// The server breaks off in the middle of the body.
    GoneInside(Reason),
    /// The server answers and takes no further request on this connection, as one does that is to be restarted.
    GoneAfter,
    /// Nothing more comes over this connection, no answer to a PING either; and yet it stays open.
    Silence,
    /// The connection is closed in the middle of the body, and TLS does not say that it ends.
    Cut,
    /// The second half of the body is damaged on the way, below TLS.
    Scrambled,
}

/// The certificate authority of all proxies of a test, as PEM, and what takes connections in with a certificate of it.
static TRUSTED: LazyLock<(String, TlsAcceptor)> = LazyLock::new(|| {
    let authority = Authority::new("faulty");
    let names = ["localhost".to_string(), ELSEWHERE.to_string()];
    let names = CertificateParams::new(names).expect("they are names");
    let mut config = authority.certify(&names);
    config.alpn_protocols = vec![b"h2".to_vec()];
    (authority.pem(), TlsAcceptor::from(Arc::new(config)))
});

/// The certificate authority to trust, as PEM.
pub fn authority() -> &'static str {
    &TRUSTED.0
}

/// How a proxy speaks HTTP/2.
pub struct Http2 {
    /// How many streams a client may have open at a time.
    streams: u32,
    /// How many bytes of a request's body a stream has room for.
    room: watch::Sender<u32>,
}

/// What a stream wants to be done to its connection.
enum Order {
    /// It is reset.
    Reset,
    /// It is closed without a word.
    Cut,
    /// These bytes are sent as they are, and then it is closed.
    SendAndClose(Vec<u8>),
    /// Its streams are broken off.
    Break(Reason),
    /// It takes no new stream.
    Retire,
    /// It is left alone, and open.
    FallSilent,
}

/// As servers usually have it.
impl Default for Http2 {
    fn default() -> Self {
        Http2 {
            streams: 128,
            room: watch::Sender::new(ROOM),
        }
    }
}

impl Http2 {
    /// With so many streams at a time.
    pub fn with_streams(self, streams: u32) -> Self {
        Http2 { streams, ..self }
    }

    pub(super) fn give_room(&self) {
        self.room.send_replace(ROOM);
    }

    fn take_room(&self) {
        self.room.send_replace(0);
    }

    /// Answers the requests of a connection, each as it comes.
    pub(super) async fn serve(
        &self,
        shared: &Arc<Shared>,
        stream: TcpStream,
        number: usize,
    ) -> io::Result<()> {
        let harm = Arc::new(Harm::default());
        let tls = TRUSTED.1.accept(Wire {
            stream,
            harm: harm.clone(),
        });
        let io = Frames {
            inner: tls.await?,
            harm: harm.clone(),
        };
        let mut room = self.room.subscribe();
        let connection = Builder::new()
            .max_concurrent_streams(self.streams)
            .initial_window_size(*room.borrow_and_update())
            .handshake(io);
        let mut connection = connection.await.map_err(io::Error::other)?;
        let (orders, mut ordered) = unbounded_channel();
        let mut streams = JoinSet::new();
        loop {
            tokio::select! {
                accepted = connection.accept() => match accepted {
                    Some(Ok((request, respond))) => {
                        let stream = Stream {
                            shared: Arc::clone(shared),
                            respond,
                            orders: orders.clone(),
                            harm: harm.clone(),
                        };
                        streams.spawn(stream.serve(request, number));
                    }
                    _ => return Ok(()),
                },
                Some(order) = ordered.recv() => match order {
                    Order::Reset => {
                        harm.reset.store(true, Ordering::Relaxed);
                        return Ok(());
                    }
                    Order::Cut => return Ok(()),
                    Order::SendAndClose(bytes) => {
                        *lock(&harm.between_frames) = bytes;
                        let closed = poll_fn(|cx| connection.poll_closed(cx));
                        let _ = tokio::time::timeout(TO_ARRIVE, closed).await;
                        return Ok(());
                    }
                    Order::Break(reason) => connection.abrupt_shutdown(reason),
                    Order::Retire => connection.graceful_shutdown(),
                    Order::FallSilent => return pending().await,
                },
                Ok(()) = room.changed() => {
                    let room = *room.borrow_and_update();
                    connection.set_initial_window_size(room).map_err(io::Error::other)?;
                }
            }
        }
    }
}

/// One request that is answered.
struct Stream {
    shared: Arc<Shared>,
    respond: SendResponse<Bytes>,
    orders: UnboundedSender<Order>,
    harm: Arc<Harm>,
}

impl Stream {
    async fn serve(mut self, request: Request<RecvStream>, connection: usize) -> io::Result<()> {
        let asked = read(request, connection).await.map_err(io::Error::other)?;
        let (verdict, answer) = self.shared.attend(asked).await?;
        let done = match verdict {
            Verdict::Pass => self.whole(&answer),
            Verdict::PassTheLast(time) => {
                self.shared.refuse(time).await;
                let done = self.whole(&answer);
                self.order(Order::Retire);
                done
            }
            Verdict::PassTheLastHere => self.retire(&answer).await,
            Verdict::PassTheLastBody => {
                if let Some(http2) = &self.shared.http2 {
                    http2.take_room();
                }
                // For the other side to know of it when it has the answer.
                sleep(TO_ARRIVE).await;
                self.whole(&answer)
            }
            Verdict::Before(fault) | Verdict::After(fault) => self.commit(fault, answer).await,
        };
        done.map_err(io::Error::other)
    }

    fn order(&self, order: Order) {
        // Without a connection there is nothing left to be done to it.
        let _ = self.orders.send(order);
    }

    /// Answers, and takes no further request on this connection.
    async fn retire(&mut self, answer: &Answer) -> Result<(), h2::Error> {
        self.order(Order::Retire);
        // For the other side to know of it when it has the answer.
        sleep(TO_ARRIVE).await;
        self.whole(answer)
    }

    fn whole(&mut self, answer: &Answer) -> Result<(), h2::Error> {
        let mut body = self.head(answer)?;
        body.send_data(answer.body.clone().into(), true)
    }

    /// The head, which promises a whole body.
    fn head(&mut self, answer: &Answer) -> Result<SendStream<Bytes>, h2::Error> {
        self.begin(answer, Some(answer.body.len()))
    }

    fn begin(
        &mut self,
        answer: &Answer,
        length: Option<usize>,
    ) -> Result<SendStream<Bytes>, h2::Error> {
        let mut head = Response::builder().status(answer.status);
        for (name, value) in &answer.headers {
            head = head.header(name, value);
        }
        if let Some(length) = length {
            head = head.header("content-length", length);
        }
        let head = head.body(()).expect("tests answer with what is a header");
        self.respond.send_response(head, false)
    }

    /// The head, which promises a whole body of two bytes or more, and the first half of it, which has arrived.
    async fn half(&mut self, answer: &Answer) -> Result<SendStream<Bytes>, h2::Error> {
        let mut body = self.begin(answer, Some(answer.body.len().max(2)))?;
        let (half, _) = halves(answer);
        body.send_data(half, false)?;
        sleep(TO_ARRIVE).await;
        Ok(body)
    }

    async fn commit(&mut self, fault: super::Fault, answer: Answer) -> Result<(), h2::Error> {
        use super::Fault;
        let answer = answer.with_a_body();
        match fault {
            Fault::Reset => {
                self.order(Order::Reset);
                pending::<()>().await;
            }
            Fault::ResetInside => {
                let _body = self.half(&answer).await?;
                self.order(Order::Reset);
                pending::<()>().await;
            }
            Fault::ResetAfter => {
                self.whole(&answer)?;
                sleep(TO_ARRIVE).await;
                self.order(Order::Reset);
            }
            Fault::Short => {
                let mut body = self.half(&answer).await?;
                body.send_data(Bytes::new(), true)?;
            }
            Fault::Endless => {
                let mut body = self.begin(&answer, None)?;
                let first = answer.body.first().copied().unwrap_or(b'[');
                body.send_data(vec![first].into(), false)?;
                // Until the other end has enough of it.
                loop {
                    body.reserve_capacity(0x1000);
                    match poll_fn(|cx| body.poll_capacity(cx)).await {
                        Some(room) => body.send_data(vec![b' '; room?].into(), false)?,
                        None => break,
                    }
                }
            }
            Fault::SlowHead(time) => {
                sleep(time).await;
                self.whole(&answer)?;
            }
            Fault::SlowBody(time) => {
                let mut body = self.half(&answer).await?;
                sleep(time).await;
                body.send_data(halves(&answer).1, true)?;
            }
            Fault::Damaged(damage) => {
                let body = damage(&answer.body);
                self.whole(&Answer { body, ..answer })?;
            }
            Fault::Trickle(time) => {
                let mut body = self.head(&answer)?;
                for piece in pieces(&answer.body) {
                    sleep(time / PIECES).await;
                    body.send_data(piece.to_vec().into(), false)?;
                }
                body.send_data(Bytes::new(), true)?;
            }
            Fault::Answer(other) => self.whole(&other)?,
            Fault::Http2(fault) => self.commit_http2(fault, &answer).await?,
        }
        Ok(())
    }

    async fn commit_http2(&mut self, fault: Fault, answer: &Answer) -> Result<(), h2::Error> {
        match fault {
            Fault::Reset(reason) => self.respond.send_reset(reason),
            Fault::ResetInside(reason) => self.half(answer).await?.send_reset(reason),
            Fault::GoneBefore => {
                self.order(Order::SendAndClose(go_away()));
                pending::<()>().await;
            }
            Fault::Gone(reason) => {
                self.order(Order::Break(reason));
                pending::<()>().await;
            }
            Fault::GoneInside(reason) => {
                let _body = self.half(answer).await?;
                self.order(Order::Break(reason));
                pending::<()>().await;
            }
            Fault::GoneAfter => self.retire(answer).await?,
            Fault::Silence => {
                self.order(Order::FallSilent);
                pending::<()>().await;
            }
            Fault::Cut => {
                let _body = self.half(answer).await?;
                self.order(Order::Cut);
                pending::<()>().await;
            }
            Fault::Scrambled => {
                let mut body = self.half(answer).await?;
                self.harm.scramble.store(true, Ordering::Relaxed);
                body.send_data(halves(answer).1, true)?;
            }
        }
        Ok(())
    }
}

/// The body in two, the second of which is not empty.
fn halves(answer: &Answer) -> (Bytes, Bytes) {
    let mut body = answer.body.clone();
    if body.is_empty() {
        body = b"  ".to_vec();
    }
    let second = body.split_off(body.len() / 2);
    (body.into(), second.into())
}

/// Reads a request to its end, and writes its head as HTTP/1.1 has it.
async fn read(request: Request<RecvStream>, connection: usize) -> Result<Asked, h2::Error> {
    let (parts, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend(data);
    }
    let target = parts.uri.path_and_query().map_or("/", |both| both.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\n", parts.method);
    for (name, value) in &parts.headers {
        if name != "content-length" {
            head += &format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    let host = parts.uri.authority().map_or("", |host| host.as_str());
    head += &format!("host: {host}\r\ncontent-length: {}\r\n\r\n", body.len());
    Ok(Asked::new(connection, head, body))
}

/// A frame that says that no stream of this connection was looked at, and that nothing went wrong.
fn go_away() -> Vec<u8> {
    let (length, kind, flags) = ([0, 0, 8], 7, 0);
    let (connection, last_stream, no_error) = ([0; 4], [0; 4], [0; 4]);
    let head = [&length[..], &[kind, flags], &connection].concat();
    [head, [last_stream, no_error].concat()].concat()
}

/// What is done to a connection below HTTP/2.
#[derive(Default)]
struct Harm {
    /// Sent as soon as no frame is half sent.
    between_frames: Mutex<Vec<u8>>,
    /// What is written next is damaged.
    scramble: AtomicBool,
    /// The end is a reset.
    reset: AtomicBool,
}

/// Between HTTP/2 and TLS: a way to send frames that `h2` would not.
struct Frames<S> {
    inner: S,
    harm: Arc<Harm>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Frames<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    /// `h2` asks for it where it has written whole frames.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let mut bytes = lock(&this.harm.between_frames);
        while !bytes.is_empty() {
            let written = ready!(Pin::new(&mut this.inner).poll_write(cx, &bytes))?;
            bytes.drain(..written);
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Below TLS: TCP, with what networks do to it.
struct Wire {
    stream: TcpStream,
    harm: Arc<Harm>,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.harm.scramble.load(Ordering::Relaxed) {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        let mut damaged = bytes.to_vec();
        // Within the record: what is before it only says how long it is.
        if let Some(byte) = damaged.last_mut() {
            *byte ^= 1;
        }
        Pin::new(&mut self.stream).poll_write(cx, &damaged)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.harm.reset.load(Ordering::Relaxed) {
            // Where that fails, the connection is closed in the usual way, and the test says what came of it.
            let _ = self.stream.set_zero_linger();
        }
    }
}
