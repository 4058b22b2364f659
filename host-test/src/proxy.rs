//! A proxy that makes tunnels by `CONNECT`, as an organization has it, and what such proxies do where they make none.
//!
//! Whatever host it is asked for, it looks for the port on this computer: names of elsewhere lead to a server of the test.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a proxy does when it is asked for a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// It makes one.
    Open,
    /// It refuses: 403.
    Refuses,
    /// It wants to know who asks, and is not content: 407.
    Asks,
    /// It does not answer.
    Hangs,
    /// It closes the connection without an answer.
    Closes,
}

/// A running proxy. Dropping it closes its port and its tunnels.
pub struct ConnectProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _running: JoinSet<()>,
}

struct Shared {
    /// Who may have a tunnel: the value of `Proxy-Authorization`. `None`: everybody.
    authorization: Option<String>,
    /// What it does, and for how many connections, before it is open again. `None`: until it is told otherwise.
    conduct: Mutex<(Conduct, Option<usize>)>,
    asked: Mutex<Vec<String>>,
    cut: watch::Sender<()>,
}

impl ConnectProxy {
    /// One that is open to everybody.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// One that is open to whoever has this name and this password.
    pub async fn start_for(user: &str, password: &str) -> Self {
        let authorization = format!("Basic {}", BASE64.encode(format!("{user}:{password}")));
        Self::start_with(Some(authorization)).await
    }

    async fn start_with(authorization: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("there is a free port");
        let shared = Arc::new(Shared {
            authorization,
            conduct: Mutex::new((Conduct::Open, None)),
            asked: Mutex::default(),
            cut: watch::Sender::new(()),
        });
        let address = listener.local_addr().expect("it is bound");
        let mut running = JoinSet::new();
        let serving = Arc::clone(&shared);
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                connections.spawn(async move {
                    // How a connection ends is up to both sides.
                    let _ = shared.serve(stream).await;
                });
            }
        });
        ConnectProxy {
            address,
            shared,
            _running: running,
        }
    }

    /// Where it listens, as programs are told of a proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same, for whoever has a name and a password.
    pub fn url_for(&self, user: &str, password: &str) -> String {
        format!("http://{user}:{password}@{}", self.address)
    }

    /// Behaves like this for the next so many connections, or until it is told otherwise.
    pub fn behave(&self, conduct: Conduct, connections: Option<usize>) {
        *lock(&self.shared.conduct) = (conduct, connections);
    }

    /// Closes all tunnels, in the middle of whatever goes through them.
    pub fn cut(&self) {
        self.shared.cut.send_replace(());
    }

    /// The hosts and ports that it was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared.asked).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let mut cut = self.cut.subscribe();
        let head = read_head(&mut client).await?;
        let mut words = head.split(' ');
        let (method, target) = (words.next(), words.next().unwrap_or_default());
        if method != Some("CONNECT") {
            return refuse(&mut client, "405 Method Not Allowed", "allow: CONNECT").await;
        }
        lock(&self.asked).push(target.to_string());
        match self.conduct_of(&head) {
            Conduct::Open => {}
            Conduct::Refuses => return refuse(&mut client, "403 Forbidden", "via: test").await,
            Conduct::Asks => {
                let challenge = "proxy-authenticate: Basic realm=\"test\"";
                let status = "407 Proxy Authentication Required";
                return refuse(&mut client, status, challenge).await;
            }
            Conduct::Hangs => return std::future::pending().await,
            Conduct::Closes => return Ok(()),
        }
        let port = target.rsplit(':').next().and_then(|port| port.parse().ok());
        let port: u16 = port.ok_or(io::ErrorKind::InvalidData)?;
        let Ok(mut host) = TcpStream::connect(("127.0.0.1", port)).await else {
            return refuse(&mut client, "502 Bad Gateway", "via: test").await;
        };
        client
            .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
            .await?;
        tokio::select! {
            ended = copy_bidirectional(&mut client, &mut host) => ended.map(|_| ()),
            _ = cut.changed() => Ok(()),
        }
    }

    /// What is done about a connection with this head.
    fn conduct_of(&self, head: &str) -> Conduct {
        let mut conduct = lock(&self.conduct);
        match &mut *conduct {
            (Conduct::Open, _) | (_, Some(0)) => {}
            (special, times) => {
                if let Some(times) = times {
                    *times -= 1;
                }
                return *special;
            }
        }
        let given = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_it = name.eq_ignore_ascii_case("proxy-authorization");
            is_it.then(|| value.trim())
        });
        match &self.authorization {
            Some(wanted) if given != Some(wanted) => Conduct::Asks,
            _ => Conduct::Open,
        }
    }
}

/// Reads up to the empty line, and not a byte further: what follows is for the host.
async fn read_head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    String::from_utf8(head).map_err(io::Error::other)
}

async fn refuse(client: &mut TcpStream, status: &str, header: &str) -> io::Result<()> {
    let answer =
        format!("HTTP/1.1 {status}\r\n{header}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}
