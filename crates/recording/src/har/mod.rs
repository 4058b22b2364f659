//! The form of recordings in files: HAR 1.2.
//!
//! An exchange without an answer has the status 0, as browsers write it, and the name of its [`Breakdown`](crate::Breakdown) as
//! status text. One whose body broke off has that name in a comment on the content. HAR has bodies decoded; one that was recorded
//! as it was on the wire, encoded as its header says, is marked by a field `_coded` on the content.

mod read;
mod write;

pub(crate) use self::read::parse;
pub(crate) use self::write::{HarWriter, Written, render};

/// What a comment on content begins with, when the body broke off.
const BROKE_OFF: &str = "The body broke off: ";
/// The only encoding of a body that HAR knows.
const BASE64: &str = "base64";
/// The type of a form.
const FORM: &str = "application/x-www-form-urlencoded";
/// The version of HAR.
const VERSION: &str = "1.2";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::header::CONTENT_TYPE;
    use http::{Request, Response};
    use jiff::Timestamp;

    use super::*;
    use crate::breakdown::Breakdown;
    use crate::recording::{Answer, Exchange, Recording};

    fn recording() -> Recording {
        let form = Request::post("https://tenant.example.invalid/ws/oauth/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("a=%C3%A9+1&b=".into())
            .expect("the test gives a request");
        let get = |path: &str| {
            Request::get(format!("https://tenant.example.invalid{path}"))
                .header("accept", "application/json")
                .body(Bytes::new())
                .expect("the test gives a request")
        };
        let json = Response::builder()
            .status(404)
            .header(CONTENT_TYPE, "application/json")
            .body("[ {\"name\": \"é\\n\"} ]".into())
            .expect("the test gives an answer");
        let binary = Response::new(Bytes::from_static(&[0xff, 0x00]));
        let broken = Breakdown::named("response-incomplete");
        let answers = [
            (form, Answer::Whole(json.clone())),
            (get("/v2/users?a=b%20c&d"), Answer::Whole(binary)),
            (get("/v2/users"), Answer::Partial(json, broken.clone())),
            (get("/v2/users"), Answer::None(broken)),
        ];
        Recording {
            comment: Some("for a test".to_string()),
            exchanges: answers
                .into_iter()
                .map(|(request, answer)| Exchange {
                    started: Timestamp::UNIX_EPOCH,
                    took: Duration::from_millis(7),
                    request,
                    answer,
                })
                .collect(),
        }
    }

    #[test]
    fn a_recording_comes_back_from_its_file_as_it_was() {
        let recording = recording();
        let read = parse(render(&recording).as_bytes()).expect("it is a recording");
        assert_eq!(format!("{read:?}"), format!("{recording:?}"));
    }

    #[test]
    fn a_form_is_a_list_of_fields_and_not_text() {
        let text = render(&recording());
        let har: serde_json::Value = serde_json::from_str(&text).expect("HAR is JSON");
        let data = &har["log"]["entries"][0]["request"]["postData"];
        assert_eq!(data["params"][0]["value"], "é 1", "{data}");
        assert!(data.get("text").is_none(), "{data}");
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let broken = |change: fn(&mut serde_json::Value)| {
            let mut har = serde_json::from_str(&render(&recording())).expect("HAR is JSON");
            change(&mut har);
            let error = parse(har.to_string().as_bytes()).expect_err("it is broken");
            error.to_string()
        };
        let entry = broken(|har| har["log"]["entries"][1]["response"]["status"] = 9999.into());
        assert!(
            entry.contains("entry 2") && entry.contains("9999"),
            "{entry}"
        );
        let version = broken(|har| har["log"]["version"] = "1.1".into());
        assert!(version.contains("1.1"), "{version}");
        let missing = broken(|har| har["log"]["entries"][0]["request"] = 7.into());
        assert!(missing.contains("invalid type"), "{missing}");
    }
}
