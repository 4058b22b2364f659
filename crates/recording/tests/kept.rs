//! The recordings that are kept with the project replay, and would be written as they are.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use connector_recording::{Answer, Recording, Replayer};
use connector_transport::{Terms, Transport};
use http_body_util::BodyExt;

fn texts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host-test/recordings");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let recordings = paths.filter(|path| path.extension().is_some_and(|name| name == "har"));
    let texts: Vec<_> = recordings
        .map(|path| (path.display().to_string(), fs::read_to_string(path)))
        .map(|(name, text)| (name, text.expect("it is text")))
        .collect();
    assert!(texts.len() > 10, "they are there");
    texts
}

#[tokio::test]
async fn each_answers_its_own_requests_as_it_says() {
    for (name, text) in texts() {
        let recording = Recording::from_har(text.as_bytes()).expect("it is a recording");
        let replayer = Arc::new(Replayer::new(recording.clone()));
        for exchange in recording.exchanges {
            let sent = replayer.clone().send(exchange.request, Terms::default());
            match (sent.await, exchange.answer) {
                (Ok(answer), Answer::Whole(expected)) => {
                    assert_eq!(answer.status(), expected.status(), "{name}");
                    assert_eq!(answer.headers(), expected.headers(), "{name}");
                    let body = answer.into_body().collect().await;
                    let body = body.expect("it is whole").to_bytes();
                    assert_eq!(&body, expected.body(), "{name}");
                }
                (Ok(answer), Answer::Partial(_, how)) => {
                    let body = answer.into_body().collect().await;
                    assert_eq!(body.expect_err("it broke off").name(), how.name());
                }
                (Err(error), Answer::None(how)) => assert_eq!(error.name(), how.name()),
                (answer, expected) => panic!("{name}: {answer:?} and not {expected:?}"),
            }
        }
        replayer
            .finish()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn each_is_written_as_it_is_but_for_who_wrote_it() {
    // Some are older than the package that writes them now.
    let anonymous = |text: &str| {
        let text = text.replacen("connector-recording", "somebody", 1);
        text.replacen("connector-host", "somebody", 1)
    };
    for (name, text) in texts() {
        let recording = Recording::from_har(text.as_bytes()).expect("it is a recording");
        assert_eq!(anonymous(&recording.to_har()), anonymous(&text), "{name}");
    }
}
