//! The faults, each with what it has to end in.

use std::fmt;
use std::time::Duration;

use connector_host::contract::{Error, ErrorKind, Item, TimeoutPhase};
use h2::Reason;

use super::damage;
use super::operations::Operation;
use host_test::faulty::{self, Answer, http2};
use host_test::proxy::Conduct;

/// One row of the matrix.
pub struct Fault {
    pub name: String,
    pub what: What,
    /// The error that says so.
    pub error: Expected,
    pub class: Class,
    pub place: Place,
    /// How often it is committed.
    pub times: &'static [Times],
}

pub enum What {
    /// The connection is refused.
    Refusal,
    /// Something is done to the answer.
    Done(faulty::Fault),
    /// The same, over TLS and HTTP/2.
    DoneOverHttp2(faulty::Fault),
    /// Over HTTP/2 there is no room for the body of a request.
    NoRoom,
    /// Over HTTP/2 there can be no more than one request at a time.
    OneStream,
    /// The proxy on the way does this where it is asked for a tunnel.
    Proxy(Conduct),
    /// The proxy on the way closes a tunnel, while this is done to the answer.
    Cut(faulty::Fault),
    /// Nothing: whoever asked pauses between two pages.
    Pause(Wire),
}

/// How the tenant is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Http1,
    Http2,
}

/// What can be expected to come of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The connector can pass over it: the result is right.
    Harmless,
    /// Harmless where the connector reads no more than identifiers: all else is null, or makes no sense.
    Bare,
    /// It is worth trying again, and the connector does.
    Passing,
    /// It is worth trying again, after a wait that does not fit into the call.
    Waiting,
    /// It is not worth trying again.
    Definite,
    /// The request is worth sending again with a fresh token.
    StaleToken,
}

/// Where in an answer a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// There is no answer.
    NoAnswer,
    /// The status says that the request was not carried out.
    Refused,
    /// The status is a failure that may have come after the request was carried out: a gateway's.
    Failed,
    /// The head of a success.
    Head,
    /// The body of a success.
    Body,
}

/// How many of the requests that a column is about are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The first.
    Once,
    /// Every one.
    Always,
}

/// An error of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Network,
    Timeout(TimeoutPhase),
    /// With the wait in milliseconds.
    RateLimited(Option<u64>),
    Upstream(u16),
    Malformed,
    LimitExceeded,
    Unauthorized,
    MissingPermission,
    Unconfirmed,
    Refused,
}

impl Expected {
    pub fn is(self, error: &Error) -> bool {
        match (self, error) {
            (Expected::Timeout(wanted), Error::Timeout(phase)) => wanted == *phase,
            (Expected::RateLimited(wanted), Error::RateLimited(wait)) => wanted == *wait,
            (Expected::Upstream(wanted), Error::Upstream(status)) => wanted == *status,
            _ => {
                let has_payload = matches!(
                    self,
                    Expected::Timeout(_) | Expected::RateLimited(_) | Expected::Upstream(_)
                );
                !has_payload && self.kind() == error.kind()
            }
        }
    }

    pub fn kind(self) -> ErrorKind {
        match self {
            Expected::Network => ErrorKind::Network,
            Expected::Timeout(_) => ErrorKind::Timeout,
            Expected::RateLimited(_) => ErrorKind::RateLimited,
            Expected::Upstream(_) => ErrorKind::Upstream,
            Expected::Malformed => ErrorKind::MalformedResponse,
            Expected::LimitExceeded => ErrorKind::LimitExceeded,
            Expected::Unauthorized => ErrorKind::Unauthorized,
            Expected::MissingPermission => ErrorKind::MissingPermission,
            Expected::Unconfirmed => ErrorKind::Unconfirmed,
            Expected::Refused => ErrorKind::Refused,
        }
    }
}

impl Fault {
    /// What of the right items is left to list.
    pub fn leaves<'i>(&self, operation: Operation, right: &'i [Item]) -> &'i [Item] {
        match self.name == NO_MEMBERS && operation == Operation::ListGrants {
            true => &[],
            false => right,
        }
    }

    /// Whether it says that the tenant did nothing of what it was asked, so that it can only be committed before.
    pub fn denies(&self) -> bool {
        let is_denial = match &self.what {
            What::Refusal | What::NoRoom | What::Proxy(_) => true,
            What::DoneOverHttp2(faulty::Fault::Http2(fault)) => matches!(
                fault,
                http2::Fault::GoneBefore | http2::Fault::Reset(Reason::REFUSED_STREAM)
            ),
            _ => false,
        };
        is_denial || self.place == Place::Refused
    }

    /// Whether the connection turns out to be dead before anything of the answer has come, or the request was certainly not looked
    /// at. Where that is a read, and the connection was used before, the host sends it again by itself.
    pub fn is_dead(&self) -> bool {
        use http2::Fault::{Gone, GoneBefore, Reset, Silence};
        match &self.what {
            What::Done(faulty::Fault::Reset) | What::DoneOverHttp2(faulty::Fault::Reset) => true,
            What::Cut(_) => self.place == Place::NoAnswer,
            What::DoneOverHttp2(faulty::Fault::Http2(fault)) => matches!(
                fault,
                Gone(_) | GoneBefore | Reset(Reason::REFUSED_STREAM) | Silence
            ),
            _ => false,
        }
    }

    /// Whether the host is to wait for [`crate::PATIENCE`] only.
    pub fn is_slow(&self) -> bool {
        use host_test::faulty::Fault::{SlowBody, SlowHead};
        match &self.what {
            What::Done(fault) | What::DoneOverHttp2(fault) => {
                matches!(fault, SlowHead(_) | SlowBody(_))
            }
            What::NoRoom | What::Proxy(Conduct::Hangs) => true,
            What::Refusal | What::OneStream | What::Proxy(_) | What::Cut(_) | What::Pause(_) => {
                false
            }
        }
    }

    /// Whether there is no end to what it sends.
    pub fn is_endless(&self) -> bool {
        matches!(
            &self.what,
            What::Done(faulty::Fault::Endless) | What::DoneOverHttp2(faulty::Fault::Endless)
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

const EVERY: &[Times] = &[Times::Once, Times::Always];

/// How long the other side lets wait where it is slow: longer than [`crate::PATIENCE`].
const SLOWNESS: Duration = Duration::from_secs(6);

/// When an answer with a date was sent.
const NOW: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

/// `gzip` of an empty list: to believe it would be to believe that there is nothing.
const GZIP_OF_NOTHING: [u8; 22] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 142, 5, 0, 41, 187, 76, 13, 2, 0, 0, 0,
];

/// Every fault. `elsewhere` is the base URL of another host.
pub fn catalogue(elsewhere: &str) -> Vec<Fault> {
    let mut faults = slow_sessions();
    faults.extend(pauses());
    faults.extend(broken_connections());
    faults.extend(broken_sessions());
    faults.extend(proxies());
    faults.extend(throttling());
    faults.extend(refusals(elsewhere));
    faults.extend(damaged_bodies());
    faults
}

fn fault(
    name: impl Into<String>,
    what: faulty::Fault,
    class: Class,
    place: Place,
    error: Expected,
) -> Fault {
    Fault {
        name: name.into(),
        what: What::Done(what),
        error,
        class,
        place,
        times: EVERY,
    }
}

fn broken_connections() -> Vec<Fault> {
    use Class::{Definite, Harmless, Passing};
    use Expected::{LimitExceeded, Network, Timeout};
    use Place::{Body, NoAnswer};
    use TimeoutPhase::{BetweenBytes, FirstByte};
    let refused = Fault {
        name: "connection refused".to_string(),
        what: What::Refusal,
        error: Network,
        class: Passing,
        place: NoAnswer,
        times: EVERY,
    };
    let (slow_head, slow_body) = (
        faulty::Fault::SlowHead(SLOWNESS),
        faulty::Fault::SlowBody(SLOWNESS),
    );
    vec![
        // The slow ones first, so that all the others are tried while these wait.
        fault(
            "slow head",
            slow_head,
            Passing,
            NoAnswer,
            Timeout(FirstByte),
        ),
        fault("slow body", slow_body, Passing, Body, Timeout(BetweenBytes)),
        refused,
        fault(
            "reset before the body",
            faulty::Fault::Reset,
            Passing,
            NoAnswer,
            Network,
        ),
        fault(
            "reset inside the body",
            faulty::Fault::ResetInside,
            Passing,
            Body,
            Network,
        ),
        fault(
            "reset after the body",
            faulty::Fault::ResetAfter,
            Harmless,
            Body,
            Network,
        ),
        fault(
            "body too short",
            faulty::Fault::Short,
            Passing,
            Body,
            Network,
        ),
        fault("body in pieces", IN_PIECES, Harmless, Body, Network),
        fault(
            "endless body",
            faulty::Fault::Endless,
            Definite,
            Body,
            LimitExceeded,
        ),
    ]
}

/// The same as [`fault`], over HTTP/2.
fn over_http2(
    name: &str,
    what: faulty::Fault,
    class: Class,
    place: Place,
    error: Expected,
) -> Fault {
    Fault {
        name: format!("HTTP/2: {name}"),
        what: What::DoneOverHttp2(what),
        error,
        class,
        place,
        times: EVERY,
    }
}

/// HTTP/2 connections on which nothing goes on. First of all, so that all the others are tried while these wait.
fn slow_sessions() -> Vec<Fault> {
    use Class::{Passing, Waiting};
    use Expected::{Network, Timeout};
    use Place::{Body, NoAnswer};
    use TimeoutPhase::{BetweenBytes, FirstByte};
    let (slow_head, slow_body) = (
        faulty::Fault::SlowHead(SLOWNESS),
        faulty::Fault::SlowBody(SLOWNESS),
    );
    let silence = faulty::Fault::Http2(http2::Fault::Silence);
    vec![
        Fault {
            // The host takes half a minute to find out, and so a second attempt does not fit into the call.
            times: &[Times::Once],
            ..over_http2("silence", silence, Waiting, NoAnswer, Network)
        },
        over_http2(
            "slow head",
            slow_head,
            Passing,
            NoAnswer,
            Timeout(FirstByte),
        ),
        over_http2("slow body", slow_body, Passing, Body, Timeout(BetweenBytes)),
        Fault {
            what: What::NoRoom,
            times: &[Times::Always],
            ..over_http2(
                "no room for requests",
                faulty::Fault::Reset,
                Passing,
                NoAnswer,
                Timeout(FirstByte),
            )
        },
    ]
}

/// What servers do to HTTP/2 connections and their streams, and networks to the TLS below.
fn broken_sessions() -> Vec<Fault> {
    use Class::{Definite, Harmless, Passing};
    use Expected::{LimitExceeded, Network};
    use Place::{Body, NoAnswer};
    use http2::Fault::{
        Cut, Gone, GoneAfter, GoneBefore, GoneInside, Reset, ResetInside, Scrambled,
    };
    let broken = |name, fault, place| {
        let fault = faulty::Fault::Http2(fault);
        over_http2(name, fault, Passing, place, Network)
    };
    let harmless = |name, fault| over_http2(name, fault, Harmless, Body, Network);
    vec![
        broken("stream refused", Reset(Reason::REFUSED_STREAM), NoAnswer),
        broken("stream reset", Reset(Reason::INTERNAL_ERROR), NoAnswer),
        broken(
            "reset in the body",
            ResetInside(Reason::INTERNAL_ERROR),
            Body,
        ),
        broken("reset as no error", ResetInside(Reason::NO_ERROR), Body),
        broken("gone unseen", GoneBefore, NoAnswer),
        broken("gone", Gone(Reason::INTERNAL_ERROR), NoAnswer),
        broken(
            "gone in the body",
            GoneInside(Reason::ENHANCE_YOUR_CALM),
            Body,
        ),
        harmless("gone after it", faulty::Fault::Http2(GoneAfter)),
        broken("TLS cut off", Cut, Body),
        broken("TLS damaged", Scrambled, Body),
        over_http2(
            "TCP reset",
            faulty::Fault::Reset,
            Passing,
            NoAnswer,
            Network,
        ),
        over_http2(
            "TCP reset in the body",
            faulty::Fault::ResetInside,
            Passing,
            Body,
            Network,
        ),
        over_http2(
            "body too short",
            faulty::Fault::Short,
            Passing,
            Body,
            Network,
        ),
        over_http2(
            "endless body",
            faulty::Fault::Endless,
            Definite,
            Body,
            LimitExceeded,
        ),
        harmless("body in pieces", IN_PIECES),
        Fault {
            what: What::OneStream,
            times: &[Times::Always],
            ..harmless("one stream at a time", SPACIOUS)
        },
    ]
}

/// A body in pieces, each less than an account takes, which arrive one by one.
const IN_PIECES: faulty::Fault = faulty::Fault::Trickle(Duration::from_millis(100));
/// A body so long that a page is there before all of it was read.
pub const SPACIOUS: faulty::Fault = faulty::Fault::Damaged(damage::spacious);

/// Proxies that make no tunnel, or do not keep one up.
fn proxies() -> Vec<Fault> {
    use Place::{Body, NoAnswer};
    let proxy = |name: &str, what, place| Fault {
        name: format!("proxy: {name}"),
        // What the proxy says is meant for good.
        class: match what {
            What::Proxy(Conduct::Refuses | Conduct::Asks) => Class::Definite,
            _ => Class::Passing,
        },
        what,
        error: Expected::Network,
        place,
        times: EVERY,
    };
    // Long enough for the tunnel to be cut meanwhile.
    let (slow_head, slow_body) = (
        faulty::Fault::SlowHead(SLOWNESS),
        faulty::Fault::SlowBody(SLOWNESS),
    );
    vec![
        proxy("hangs", What::Proxy(Conduct::Hangs), NoAnswer),
        proxy("refuses", What::Proxy(Conduct::Refuses), NoAnswer),
        proxy("asks who asks", What::Proxy(Conduct::Asks), NoAnswer),
        proxy("closes", What::Proxy(Conduct::Closes), NoAnswer),
        proxy("cut", What::Cut(slow_head), NoAnswer),
        proxy("cut in the body", What::Cut(slow_body), Body),
    ]
}

/// A consumer that takes its time over a page, so that the rest of the answer lies unread.
fn pauses() -> Vec<Fault> {
    [
        ("pause between pages", Wire::Http1),
        ("HTTP/2: pause between pages", Wire::Http2),
    ]
    .map(|(name, wire)| Fault {
        name: name.to_string(),
        what: What::Pause(wire),
        error: Expected::Network,
        class: Class::Harmless,
        place: Place::Body,
        times: &[Times::Always],
    })
    .into()
}

/// How `Retry-After` can be given: in words, as it is sent, and the milliseconds to read from it.
const WAITS: [(&str, Option<&str>, Option<u64>); 9] = [
    ("wait 1 s", Some("1"), Some(1_000)),
    ("wait 120 s", Some("120"), Some(120_000)),
    (
        "wait until a date",
        Some("Sun, 06 Nov 1994 08:51:37 GMT"),
        Some(120_000),
    ),
    (
        "date of RFC 850",
        Some("Sunday, 06-Nov-94 08:51:37 GMT"),
        Some(120_000),
    ),
    (
        "date of asctime",
        Some("Sun Nov  6 08:51:37 1994"),
        Some(120_000),
    ),
    ("wait 1e18 s", Some("1000000000000000000"), Some(u64::MAX)),
    ("wait -5 s", Some("-5"), Some(5_000)),
    ("wait in words", Some("a while"), Some(5_000)),
    ("no wait", None, None),
];
/// The longest wait that fits into a call.
const LONGEST_WAIT_MILLIS: u64 = 20_000;

fn throttling() -> Vec<Fault> {
    let body = r#"{"resultCode":"THROTTLED","errorMessage":"Too many requests"}"#;
    let mut faults = Vec::new();
    for (status, place) in [(429, Place::Refused), (503, Place::Failed)] {
        for (words, sent, millis) in WAITS {
            let mut headers = vec![("content-type", "application/json"), NOW];
            headers.extend(sent.map(|sent| ("retry-after", sent)));
            let answer = faulty::Fault::Answer(Answer::new(status, &headers, body));
            let class = match millis {
                Some(wait) if wait > LONGEST_WAIT_MILLIS => Class::Waiting,
                _ => Class::Passing,
            };
            let (name, error) = (format!("{status} {words}"), Expected::RateLimited(millis));
            faults.push(fault(name, answer, class, place, error));
        }
    }
    let page = "<!DOCTYPE html><html><body>Please slow down.</body></html>";
    let page = Answer::new(200, &[("content-type", "text/html; charset=utf-8")], page);
    faults.push(fault(
        "200 with a web page",
        faulty::Fault::Answer(page),
        Class::Passing,
        Place::Failed,
        Expected::RateLimited(None),
    ));
    faults
}

fn refusals(elsewhere: &str) -> Vec<Fault> {
    use Class::{Definite, Passing, StaleToken};
    use Expected::{MissingPermission, Timeout, Unauthorized, Upstream};
    use Place::{Failed, Refused};
    let json = |status, body: &str| faulty::Fault::Answer(Answer::json(status, body));
    let failed = |status| {
        json(
            status,
            r#"{"resultCode":"INTERNAL_ERROR","incidentId":"i-1"}"#,
        )
    };
    let stale = || {
        json(
            401,
            r#"{"error":"not_authenticated","error_description":"Invalid credentials","error_code":10}"#,
        )
    };
    let forbidden = json(403, r#"{"resultCode":"FORBIDDEN","errorMessage":"No"}"#);
    let unknown = json(
        404,
        r#"{"resultCode":"FAILURE","errorMessage":"HTTP 404 Not Found"}"#,
    );
    let to = |place: &str| faulty::Fault::Answer(Answer::new(307, &[("location", place)], ""));
    let elsewhere = to(&format!("{elsewhere}/v2/users"));
    let first_byte = Timeout(TimeoutPhase::FirstByte);
    let once = |fault| Fault {
        times: &[Times::Once],
        ..fault
    };
    let always = |fault| Fault {
        times: &[Times::Always],
        ..fault
    };
    vec![
        fault("408", json(408, ""), Passing, Failed, first_byte),
        fault("500", failed(500), Passing, Failed, Upstream(500)),
        fault("502", failed(502), Passing, Failed, Upstream(502)),
        fault("504", failed(504), Passing, Failed, Upstream(504)),
        once(fault(
            "401 once",
            stale(),
            StaleToken,
            Refused,
            Unauthorized,
        )),
        always(fault(
            "401 for ever",
            stale(),
            Definite,
            Refused,
            Unauthorized,
        )),
        fault("403", forbidden, Definite, Refused, MissingPermission),
        fault(
            "404 no such endpoint",
            unknown,
            Definite,
            Refused,
            Upstream(404),
        ),
        fault(
            "redirect to the same host",
            to("/v2/moved"),
            Definite,
            Refused,
            Upstream(307),
        ),
        fault(
            "redirect to another host",
            elsewhere,
            Definite,
            Refused,
            Upstream(307),
        ),
    ]
}

/// What leaves nobody to list as a member.
pub const NO_MEMBERS: &str = "roles without members";

fn damaged_bodies() -> Vec<Fault> {
    use Class::{Bare, Definite, Harmless};
    use Expected::{LimitExceeded, Malformed};
    let damaged = |name: &str, damage, class, error| {
        fault(
            name,
            faulty::Fault::Damaged(damage),
            class,
            Place::Body,
            error,
        )
    };
    let gzip = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let gzip = faulty::Fault::Answer(Answer::new(200, &gzip, GZIP_OF_NOTHING));
    vec![
        damaged("malformed JSON", damage::malformed, Definite, Malformed),
        damaged("truncated JSON", damage::truncated, Definite, Malformed),
        damaged(
            "ids of another type",
            damage::ids_of_another_type,
            Definite,
            Malformed,
        ),
        damaged("odd values", damage::odd_values, Bare, Malformed),
        damaged(
            "ids beyond int32",
            damage::beyond_int32,
            Definite,
            Malformed,
        ),
        damaged("negative ids", damage::negative_ids, Definite, Malformed),
        damaged("nulls everywhere", damage::nulls, Bare, Malformed),
        damaged(NO_MEMBERS, damage::no_members, Bare, Malformed),
        damaged("duplicate ids", damage::duplicates, Harmless, Malformed),
        damaged(
            "10 MB of text",
            damage::ten_megabytes,
            Definite,
            LimitExceeded,
        ),
        damaged(
            "10 000 levels",
            damage::ten_thousand_levels,
            Harmless,
            Malformed,
        ),
        damaged("invalid UTF-8", damage::invalid_utf8, Definite, Malformed),
        damaged(
            "byte-order mark",
            damage::byte_order_mark,
            Harmless,
            Malformed,
        ),
        damaged("empty body", damage::empty, Definite, Malformed),
        fault("gzip", gzip, Definite, Place::Head, Malformed),
    ]
}
