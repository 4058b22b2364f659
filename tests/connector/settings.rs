//! Settings: each wrong one is named with what to do, all at once, before anything is sent.

use ninjaone_connector::contract::{Error, ResourceKinds};
use ninjaone_connector::ninjaone::host::SettingError;
use ninjaone_connector::ninjaone::settings::{BaseUrl, Scope};

use crate::support::tenant::{Answer, Fault, form_value};
use crate::support::{World, complaints, error, list_of};

/// The settings complained about, after a listing that must have sent nothing.
fn wrong_settings(world: &World) -> Vec<String> {
    let error = error(world.list(&list_of(ResourceKinds::ACCOUNTS)));
    assert!(world.tenant.lines().is_empty() && world.tenant.token_requests().is_empty());
    assert!(matches!(error, Error::InvalidSettings(_)), "{error:?}");
    complaints(error)
}

#[test]
fn every_missing_setting_is_named_at_once() {
    let world = World::new();
    for key in ["base-url", "client-id", "client-secret", "scope"] {
        world.host.unset(key);
    }
    // The scope has a default.
    assert_eq!(
        wrong_settings(&world),
        ["base-url", "client-id", "client-secret"]
    );
}

#[test]
fn every_wrong_setting_is_named_at_once() {
    let world = World::new();
    world.host.set("base-url", "acme.example");
    world.host.set("client-id", "   ");
    world.host.set("client-secret", "");
    world.host.set("scope", "everything");
    assert_eq!(
        wrong_settings(&world),
        ["base-url", "client-id", "client-secret", "scope"]
    );
}

#[test]
fn a_single_wrong_setting_is_the_only_one_named() {
    for (key, value) in [
        ("base-url", "ftp://acme.example"),
        ("client-id", "client\n1"),
        ("client-secret", "S3-cr_e.t\r\n"),
        ("scope", "monitoring offline_access"),
    ] {
        let world = World::new();
        world.host.set(key, value);
        assert_eq!(wrong_settings(&world), [key]);
    }
}

#[test]
fn a_mend_says_where_to_find_what_is_missing() {
    let world = World::new();
    for key in ["base-url", "client-id", "client-secret"] {
        world.host.unset(key);
    }
    let Error::InvalidSettings(problems) = error(world.check()) else {
        panic!("settings are missing");
    };
    let mends: Vec<_> = problems
        .iter()
        .map(|problem| problem.mend.as_str())
        .collect();
    assert!(mends[0].contains("https://app.ninjarmm.com"), "{mends:?}");
    assert!(mends[1].contains("Client App IDs"), "{mends:?}");
    assert!(mends[2].contains("make a new one"), "{mends:?}");
    assert!(problems.iter().all(|p| p.problem == "it is not set"));
}

#[test]
fn a_setting_that_the_host_cannot_give_now_is_asked_for_again_and_then_worth_repeating() {
    for key in ["base-url", "client-id", "client-secret", "scope"] {
        let world = World::new();
        world
            .host
            .fail(key, SettingError::Unavailable("the vault is sealed".into()));
        let failure = world
            .list(&list_of(ResourceKinds::ACCOUNTS))
            .expect_err("no settings");
        assert_eq!(failure.error, Error::Network, "{key}");
        let says = format!("the host cannot give the setting {key} now: the vault is sealed");
        assert!(failure.message.starts_with(&says), "{}", failure.message);
        assert_eq!(world.host.pauses().len(), 4, "{key}");
        assert!(world.tenant.token_requests().is_empty());
    }
}

#[test]
fn the_secret_is_asked_for_when_it_is_used_and_only_then() {
    let world = World::new();
    for _ in 0..3 {
        world
            .list(&list_of(ResourceKinds::ACCOUNTS))
            .expect("a page");
    }
    let asked_for = world.host.asked_for();
    let of_secret = asked_for.iter().filter(|key| *key == "client-secret");
    assert_eq!(of_secret.count(), 1, "{asked_for:?}");
}

#[test]
fn what_ninjaone_said_is_not_shown_while_there_is_no_secret_to_look_for_in_it() {
    let world = World::new();
    world
        .list(&list_of(ResourceKinds::ROLES))
        .expect("a page, with a token");
    let sealed = SettingError::Unavailable("the vault is sealed".into());
    world.host.fail("client-secret", sealed);
    let said = r#"{"resultCode":"FAILURE","errorMessage":"hush"}"#;
    let refused = Fault::Refuse(Answer::text(400, said));
    world.tenant.always("GET /v2/user/roles", refused);
    let failure = world
        .list(&list_of(ResourceKinds::ROLES))
        .expect_err("it is refused");
    assert_eq!(failure.error, Error::Upstream(400));
    assert!(!failure.message.contains("hush"), "{}", failure.message);
    assert!(failure.message.contains("not shown"), "{}", failure.message);
}

#[test]
fn a_setting_that_the_host_denies_is_named_with_the_reason() {
    let world = World::new();
    let denied = SettingError::Denied("the vault is sealed".to_string());
    world.host.fail("scope", denied);
    let failure = world.check().expect_err("settings are missing");
    assert!(
        failure.message.contains("the vault is sealed"),
        "{failure:?}"
    );
    assert_eq!(complaints(failure.error), ["scope"]);
}

#[test]
fn the_message_has_every_problem_with_its_remedy() {
    let world = World::new();
    world.host.set("base-url", "acme.example");
    world.host.unset("client-id");
    let failure = world.check().expect_err("settings are wrong");
    let (base_url, client_id) = failure.message.split_once(". ").expect("two sentences");
    assert_eq!(
        base_url,
        "base-url: it has no scheme; put https:// in front of it"
    );
    assert!(
        client_id.starts_with("client-id: it is not set; set it to"),
        "{client_id}"
    );
    assert_eq!(failure.exchange, None);
}

#[test]
fn white_space_around_a_setting_is_passed_over_except_in_the_secret() {
    let world = World::new();
    world.host.set("base-url", " https://acme.example \n");
    world.host.set("client-id", "\tclient-1 ");
    world.host.set("client-secret", " a secret ");
    world.host.set("scope", "  control   monitoring ");
    let _refused = world.check();
    let sent = world.tenant.token_requests().remove(0);
    assert_eq!(sent.url, "https://acme.example/ws/oauth/token");
    assert_eq!(
        form_value(&sent.body, "client_id").as_deref(),
        Some("client-1")
    );
    assert_eq!(
        form_value(&sent.body, "client_secret").as_deref(),
        Some(" a secret ")
    );
    assert_eq!(
        form_value(&sent.body, "scope").as_deref(),
        Some("monitoring control")
    );
}

#[test]
fn a_base_url_may_be_written_in_many_ways() {
    let long_label = "a".repeat(63);
    for (written, meant) in [
        ("https://app.ninjarmm.com", "https://app.ninjarmm.com"),
        ("https://app.ninjarmm.com/", "https://app.ninjarmm.com"),
        ("HTTPS://App.NinjaRMM.com//", "https://app.ninjarmm.com"),
        ("https://app.ninjarmm.com/v2", "https://app.ninjarmm.com"),
        ("https://app.ninjarmm.com/v2/", "https://app.ninjarmm.com"),
        ("https://app.ninjarmm.com/api", "https://app.ninjarmm.com"),
        (
            "https://app.ninjarmm.com/api/v2",
            "https://app.ninjarmm.com",
        ),
        ("https://app.ninjarmm.com/ws", "https://app.ninjarmm.com"),
        (
            "https://app.ninjarmm.com/ws/oauth/token",
            "https://app.ninjarmm.com",
        ),
        (
            "https://app.ninjarmm.com/oauth/token/",
            "https://app.ninjarmm.com",
        ),
        ("https://acme.example:8443", "https://acme.example:8443"),
        ("https://acme.example/Ninja/", "https://acme.example/Ninja"),
        (
            "https://acme.example/ninja/api/v2",
            "https://acme.example/ninja",
        ),
        ("https://acme.example/xv2", "https://acme.example/xv2"),
        ("https://my_host-1", "https://my_host-1"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("https://[2001:DB8::1]:444/v2", "https://[2001:db8::1]:444"),
        ("https://[::ffff:10.0.0.1]", "https://[::ffff:10.0.0.1]"),
        (
            &format!("https://{long_label}.example"),
            &format!("https://{long_label}.example"),
        ),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://127.255.0.9:1/", "http://127.255.0.9:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        let parsed = BaseUrl::parse(written).map(|url| url.to_string());
        assert_eq!(parsed.as_deref(), Ok(meant), "{written:?}");
    }
}

#[test]
fn a_wrong_base_url_is_told_what_is_wrong_with_it() {
    const CHARACTER: &str = "it has a character in it that a base URL cannot have";
    const HOST: &str = "its host or port cannot be one";
    const PLAIN: &str = "plain http would show the client secret to the network";
    let long_label = format!("https://{}.example", "a".repeat(64));
    for (written, problem) in [
        ("app.ninjarmm.com", "it has no scheme"),
        ("https:/app.ninjarmm.com", "it has no scheme"),
        ("ftp://acme.example", "its scheme is neither https nor http"),
        ("://acme.example", "its scheme is neither https nor http"),
        ("http://app.ninjarmm.com", PLAIN),
        ("http://127.0.0.1.example", PLAIN),
        ("http://127.0.0", PLAIN),
        ("http://127.0.0.256", PLAIN),
        ("http://128.0.0.1", PLAIN),
        ("http://localhost.example", PLAIN),
        ("http://[::2]", PLAIN),
        (
            "https://ada:pw@acme.example",
            "it has a user name or password in it",
        ),
        ("https://acme.example/?a=b", "it has a query or a fragment"),
        ("https://acme.example/#top", "it has a query or a fragment"),
        ("https://", HOST),
        ("https:///v2", HOST),
        ("https://.example", HOST),
        ("https://acme..example", HOST),
        ("https://acme.example:", HOST),
        ("https://acme.example:port", HOST),
        ("https://acme.example:+1", HOST),
        ("https://acme.example:65536", HOST),
        ("https://ac,me.example", HOST),
        ("https://[2001:db8::1", HOST),
        ("https://[2001:db8::1]x", HOST),
        ("https://[2001:db8::1]:", HOST),
        ("https://[2001:db8::g]", HOST),
        ("https://[]", HOST),
        (&long_label, HOST),
        ("https://acme example", CHARACTER),
        ("https://acme.example/\u{7}", CHARACTER),
        ("https://ackmé.example", CHARACTER),
        ("https://acme.example/%2e", CHARACTER),
        ("https://acme.example\\v2", CHARACTER),
    ] {
        let wrong = BaseUrl::parse(written).expect_err(written);
        assert_eq!(wrong.problem, problem, "{written:?}");
        assert_eq!(wrong.field, "base-url");
    }
}

#[test]
fn a_path_of_the_base_url_goes_in_front_of_every_request() {
    let world = World::new();
    world.host.set("base-url", "https://acme.example/ninja/v2/");
    let _not_served_there = world.check();
    assert_eq!(
        world.tenant.token_requests()[0].url,
        "https://acme.example/ninja/ws/oauth/token"
    );
}

#[test]
fn scopes_are_asked_for_each_once_and_in_order() {
    for (written, meant) in [
        (Some("monitoring"), "monitoring"),
        (
            Some("control\tmanagement  monitoring"),
            "monitoring management control",
        ),
        (Some("management management"), "management"),
        (Some("  "), "monitoring management"),
        (Some(""), "monitoring management"),
        (None, "monitoring management"),
    ] {
        let parsed = Scope::parse(written).map(|scope| scope.to_string());
        assert_eq!(parsed.as_deref(), Ok(meant), "{written:?}");
    }
}

#[test]
fn a_wrong_scope_is_told_what_is_wrong_with_it() {
    for (written, problem) in [
        ("monitoring read", "NinjaOne has no scope \"read\""),
        ("Monitoring", "NinjaOne has no scope \"Monitoring\""),
        (
            "monitoring,control",
            "NinjaOne has no scope \"monitoring,control\"",
        ),
        (
            "offline_access monitoring",
            "offline_access is not for the client credentials grant, and some regions refuse it",
        ),
    ] {
        let wrong = Scope::parse(Some(written)).expect_err(written);
        assert_eq!(
            (wrong.field.as_str(), wrong.problem.as_str()),
            ("scope", problem)
        );
    }
}
