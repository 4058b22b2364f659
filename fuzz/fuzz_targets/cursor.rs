//! A cursor that was not given for this place is refused, or goes on exactly where it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ninjaone_connector::contract::{Continuation, Counts, Error, Item, ListRequest, ResourceKinds};
use ninjaone_connector::list::cursor::Cursor;
use ninjaone_connector_fuzz::{Answer, Outside, Reply, token};

const USERS: &str = r#"[{"id":5},{"id":3},{"id":9},{"id":1}]"#;

fuzz_target!(|input: (u64, &str)| {
    let (fingerprint, text) = input;
    if let Some(cursor) = Cursor::parse(text, fingerprint) {
        assert_eq!(cursor.to_text(fingerprint), text);
    }
    let outside = Outside::new(7, |_, target| {
        if target.ends_with("/oauth/token") {
            return token();
        }
        Reply::Answer(Answer::ok(USERS))
    });
    let mut request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    request.limit = Some(1);
    // The fingerprint of the request and the digest at the end, which no fuzzer guesses, are put around the numbers it gives.
    let first = outside.connector().list(&request).expect("the first page");
    let Continuation::More(cursor) = first.next else {
        panic!("there is more");
    };
    let own = cursor.split('.').nth(1).expect("there is a fingerprint");
    let own = u64::from_str_radix(own, 16).expect("it is a number");
    for cursor in [text.to_string(), guessed(text).to_text(own)] {
        request.cursor = Some(cursor.clone());
        let page = outside.connector().list(&request);
        outside.assert_kept();
        match page {
            Err(failure) => assert!(matches!(failure.error, Error::InvalidCursor), "{failure:?}"),
            Ok(page) => {
                let taken = cursor
                    .split('.')
                    .nth(3)
                    .expect("a cursor that is accepted has its place");
                let taken = u64::from_str_radix(taken, 16).expect("it is a number");
                let rest = ["5", "3", "9", "1"]
                    .iter()
                    .skip(usize::try_from(taken).expect("small"));
                let expected = rest.take(1).copied().collect::<Vec<_>>();
                let given: Vec<_> = page
                    .items
                    .iter()
                    .map(|item| match item {
                        Item::Account(account) => account.id.as_str(),
                        other => panic!("no account: {other:?}"),
                    })
                    .collect();
                assert_eq!(given, expected);
            }
        }
    }
});

/// The cursor with these numbers; what is none, or missing, is 0.
fn guessed(text: &str) -> Cursor {
    let mut numbers = text
        .split('.')
        .map(|number| u64::from_str_radix(number, 16).unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    Cursor {
        stage: next(),
        place: [next(), next(), next()],
        counts: Counts {
            accounts: next(),
            roles: next(),
            grants: next(),
            organizations: next(),
            events: next(),
        },
    }
}
