//! Settings that are accepted lead to one origin, by `https` or on this computer; others are refused before any request.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;

use libfuzzer_sys::fuzz_target;
use ninjaone_connector::contract::{ListRequest, ResourceKinds};
use ninjaone_connector::ninjaone::settings::BaseUrl;
use ninjaone_connector_fuzz::{Answer, Outside, Reply, token};

fuzz_target!(|settings: [Option<String>; 4]| {
    let base_url = settings[0].clone();
    let accepted = base_url
        .as_deref()
        .and_then(|text| BaseUrl::parse(text.trim()).ok());
    let targets = Rc::new(RefCell::new(Vec::new()));
    let asked = targets.clone();
    let outside = Outside::with_settings(
        64,
        move |_, target| {
            asked.borrow_mut().push(target.to_string());
            if target.ends_with("/oauth/token") {
                return token();
            }
            Reply::Answer(Answer::ok("[]"))
        },
        move |key| {
            let keys = ["base-url", "client-id", "client-secret", "scope"];
            let index = keys.iter().position(|own| *own == key)?;
            settings[index].clone()
        },
    );
    let page = outside
        .connector()
        .list(&ListRequest::everything(ResourceKinds::ACCOUNTS));
    let targets = targets.take();
    assert_eq!(page.is_ok(), !targets.is_empty(), "{page:?}");
    let Some(base_url) = accepted else {
        assert!(targets.is_empty(), "{targets:?}");
        return;
    };
    let origin = base_url.join("");
    let host = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://localhost").map(|_| "localhost"))
        .or_else(|| origin.strip_prefix("http://127.").map(|_| "127"))
        .or_else(|| origin.strip_prefix("http://[::1]").map(|_| "::1"));
    let host = host.unwrap_or_else(|| panic!("plain http to another computer: {origin}"));
    let odd = |c: char| c.is_whitespace() || c.is_control() || "@?#\\".contains(c);
    assert!(!host.is_empty() && !host.contains(odd), "{origin}");
    for target in targets
        .iter()
        .filter(|_| !origin.starts_with("https://tenant.example"))
    {
        assert!(
            target.starts_with(&origin),
            "{target} is not below {origin}"
        );
    }
});
