//! What comes of names, connections and answers that are not as they should be. Over HTTP/1.1 without TLS, where that does not
//! matter.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::connection::HEADER_LIMIT;
use super::*;
use crate::{Addresses, Timeouts};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A domain of its own, in which every name has the same addresses. Counts the questions.
#[derive(Default)]
struct Domain {
    addresses: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl Resolve for Domain {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(self.addresses.clone()) })
    }
}

fn domain(addresses: &[IpAddr]) -> Arc<Domain> {
    Arc::new(Domain {
        addresses: addresses.to_vec(),
        ..Domain::default()
    })
}

/// Serves one connection on this computer, and gives its port.
async fn serve<F>(answer: impl FnOnce(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("the test connects");
        answer(stream).await;
    });
    port
}

/// Reads the request and answers with these bytes, whatever they are.
async fn answer(stream: TcpStream, bytes: &[u8]) {
    read_request(&stream).await;
    stream.writable().await.expect("the answer is waited for");
    stream.try_write(bytes).expect("the answer fits the buffer");
}

/// To close with the request unread would reset the connection, and to answer before it has come breaks the protocol.
async fn read_request(stream: &TcpStream) {
    // Being readable may turn out to be a false alarm.
    while stream.try_read(&mut [0; 4096]).is_err() {
        stream.readable().await.expect("the request comes");
    }
}

async fn get(url: &str) -> Result<Bytes, Error> {
    get_over(Network::new(), url).await
}

async fn get_in(domain: Arc<Domain>, url: &str) -> Result<Bytes, Error> {
    let options = NetworkOptions::default().resolver(domain);
    get_over(Network::with(options), url).await
}

async fn get_over(network: Network, url: &str) -> Result<Bytes, Error> {
    let request = Request::get(url)
        .body(Bytes::new())
        .expect("the test gives a URL");
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_millis(100),
        between_bytes: Duration::from_secs(5),
    };
    let response = Arc::new(network)
        .send(request, Terms::new(timeouts, Addresses::Development))
        .await?;
    Ok(response.into_body().collect().await?.to_bytes())
}

#[tokio::test]
async fn an_answer_arrives_whole() {
    let port = serve(|stream| async move {
        answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await
    })
    .await;
    let body = get(&format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(body.expect("it is answered"), "hello");
}

#[tokio::test]
async fn nobody_listens() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port")
        .local_addr();
    let port = port.expect("it was bound").port();
    let error = get(&format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(error, Err(Error::ConnectionRefused)), "{error:?}");
}

#[tokio::test]
async fn the_connection_closes_without_an_answer() {
    let port = serve(|stream| async move { answer(stream, b"").await }).await;
    let error = get(&format!("http://127.0.0.1:{port}/")).await;
    assert!(
        matches!(error, Err(Error::ConnectionTerminated)),
        "{error:?}"
    );
}

#[tokio::test]
async fn the_connection_closes_within_the_answer() {
    let port = serve(|stream| async move {
        answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe").await
    })
    .await;
    let error = get(&format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(error, Err(Error::ResponseIncomplete)), "{error:?}");
}

#[tokio::test]
async fn the_answer_is_not_http() {
    let port =
        serve(|stream| async move { answer(stream, b"SSH-2.0-OpenSSH\r\n\r\n").await }).await;
    let error = get(&format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(error, Err(Error::NotHttp)), "{error:?}");
}

#[tokio::test]
async fn no_answer_comes_in_time() {
    let port = serve(|stream| async move {
        let _stream = stream;
        std::future::pending().await
    })
    .await;
    let error = get(&format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(error, Err(Error::ResponseTimeout)), "{error:?}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_from_a_host_that_does_not_answer() {
    let error = get("http://name.invalid/").await;
    assert!(
        matches!(error, Err(Error::NameNotResolved { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_name_that_leads_to_this_computer_is_refused_and_nothing_connects() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("there is a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    for addresses in [&[HERE][..], &[elsewhere, HERE]] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://tenant.example:{port}/");
            let error = get_in(domain(addresses), &url).await;
            assert!(
                matches!(error, Err(Error::AddressProhibited { address: Some(_) })),
                "{error:?}"
            );
        }
    }
    let nobody = timeout(Duration::from_millis(50), listener.accept()).await;
    assert!(nobody.is_err(), "{nobody:?}");
}

#[tokio::test]
async fn localhost_is_refused_elsewhere_and_reached_here() {
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let error = get_in(domain(&[elsewhere]), "http://localhost/").await;
    assert!(
        matches!(error, Err(Error::AddressProhibited { address: Some(_) })),
        "{error:?}"
    );

    let port = serve(|stream| async move {
        answer(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await
    })
    .await;
    let domain = domain(&[HERE]);
    let body = get_in(domain.clone(), &format!("http://localhost:{port}/")).await;
    assert_eq!(body.expect("it is answered"), "hello");
    // What was checked is what was connected to: a second question might have had another answer.
    assert_eq!(domain.asked.load(Ordering::Relaxed), 1);
}

/// Besides decimals with dots, operating systems take numbers of other kinds for addresses, which look like names.
#[cfg(unix)]
#[tokio::test]
async fn an_address_in_disguise_is_refused() {
    for host in ["2130706433", "0x7f000001", "127.1", "2852039166"] {
        let error = get(&format!("http://{host}/")).await;
        assert!(
            matches!(error, Err(Error::AddressProhibited { address: Some(_) })),
            "{host}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_name_without_an_address_is_told_as_such() {
    let error = get_in(domain(&[]), "http://tenant.example/").await;
    assert!(
        matches!(error, Err(Error::NameNotResolved { .. })),
        "{error:?}"
    );
}

/// Answers with a header that has these bytes again and again in it until nobody takes them any more, and counts them.
async fn endless_header(part: &'static [u8]) -> (Result<Bytes, Error>, usize) {
    let (sent, taken) = tokio::sync::oneshot::channel();
    let port = serve(async move |mut stream: TcpStream| {
        read_request(&stream).await;
        let start = b"HTTP/1.1 200 OK\r\nx-filler: ";
        stream.write_all(start).await.expect("it is waited for");
        let mut bytes = 0;
        while let Ok(written) = stream.write(part).await {
            bytes += written;
        }
        sent.send(bytes).expect("the test waits for it");
    })
    .await;
    let outcome = get(&format!("http://127.0.0.1:{port}/")).await;
    (outcome, taken.await.expect("the server ends"))
}

#[tokio::test]
async fn a_header_without_an_end_is_cut_off() {
    let many_lines = b"0123456789\r\nx-filler: ".repeat(1000).leak();
    let one_line = b"0123456789".repeat(1000).leak();
    for part in [&*many_lines, &*one_line] {
        let (outcome, taken) = endless_header(part).await;
        assert!(
            matches!(outcome, Err(Error::HeaderTooLarge { .. })),
            "{outcome:?}"
        );
        // Beyond the limit there is what the operating system buffers for both sides.
        assert!(taken < 32 << 20, "{taken} bytes");
    }
}

#[tokio::test]
async fn a_header_is_taken_in_up_to_the_limit() {
    let with = async |size: usize| {
        let port = serve(async move |mut stream: TcpStream| {
            read_request(&stream).await;
            let filler = "x".repeat(size);
            let head =
                format!("HTTP/1.1 200 OK\r\nx-filler: {filler}\r\ncontent-length: 0\r\n\r\n");
            // In small pieces: what comes at once is read at once, some of it beyond the limit.
            for piece in head.as_bytes().chunks(4096) {
                // Where it is too large, nobody waits for the rest.
                let _ = stream.write_all(piece).await;
                tokio::task::yield_now().await;
            }
        })
        .await;
        get(&format!("http://127.0.0.1:{port}/")).await
    };
    let limit = HEADER_LIMIT as usize;
    let within = with(limit - 1024).await;
    assert!(within.is_ok(), "{within:?}");
    let beyond = with(limit + (32 << 10)).await;
    assert!(
        matches!(beyond, Err(Error::HeaderTooLarge { .. })),
        "{beyond:?}"
    );
}
