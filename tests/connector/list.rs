//! Listing: what is given for what NinjaOne sends, and which filters narrow it.

use std::sync::LazyLock;

use ninjaone_connector::contract::{
    Account, AccountDetails, Attribute, Continuation, Counts, Error, Filter, Grant, Invitation,
    Item, ListRequest, Notice, Organization, ResourceKind, ResourceKinds, ResourceReference, Role,
    Value,
};
use serde_json::json;

use crate::support::tenant::{Answer, Fault, Unknowns};
use crate::support::{World, assignment, complaints, error, list_all, list_of, listed, names};

const ACCOUNTS: ResourceKinds = ResourceKinds::ACCOUNTS;
const ROLES: ResourceKinds = ResourceKinds::ROLES;
const GRANTS: ResourceKinds = ResourceKinds::GRANTS;
const ORGANIZATIONS: ResourceKinds = ResourceKinds::ORGANIZATIONS;
const EVENTS: ResourceKinds = ResourceKinds::EVENTS;

/// A request with a filter, given as a change to the one that filters nothing.
fn filtered(kinds: ResourceKinds, narrow: impl FnOnce(&mut Filter)) -> ListRequest {
    let mut request = list_of(kinds);
    narrow(&mut request.filter);
    request
}

fn with_management(kinds: ResourceKinds) -> ListRequest {
    ListRequest {
        details: AccountDetails::MANAGEMENT,
        ..list_of(kinds)
    }
}

/// The items that come of one answer of NinjaOne's.
fn items_of(path: &str, body: &str, request: &ListRequest) -> Vec<Item> {
    let world = World::new();
    world.tenant.serve(path, body);
    world.list(request).expect("a page").items
}

fn account_of(json: &str) -> Account {
    let mut items = items_of("/v2/users", &format!("[{json}]"), &list_of(ACCOUNTS));
    match items.pop() {
        Some(Item::Account(account)) => account,
        other => panic!("not an account: {other:?}"),
    }
}

fn duplicate(kind: ResourceKind, id: &str) -> Notice {
    let id = id.to_string();
    Notice::Duplicate(ResourceReference { kind, id })
}

#[test]
fn everything_is_listed_in_the_order_of_the_kinds_with_the_grants_of_a_role_before_it() {
    let world = World::new();
    let (pages, summary) = list_all(&world, &list_of(ACCOUNTS | ROLES | GRANTS | ORGANIZATIONS));
    assert_eq!(
        names(&pages[0].items),
        [
            "account 1",
            "account 2",
            "account 3",
            "account 11",
            "account 12",
            "grant 1 21",
            "role 21",
            "grant 11 22",
            "role 22",
            "grant 1 23",
            "grant 11 23",
            "role 23",
            "organization 100",
            "organization 101",
        ]
    );
    let counts = Counts {
        accounts: 5,
        roles: 3,
        grants: 4,
        organizations: 2,
        events: 0,
    };
    assert_eq!((summary.counts, summary.resume), (counts, None));
    assert_eq!(pages[0].notices, []);
    assert_eq!(
        world.tenant.lines(),
        [
            "GET /v2/users?includeRoles=true",
            "GET /v2/user/roles",
            "GET /v2/organizations?pageSize=1000",
            "GET /v2/organizations?pageSize=1000&after=101",
        ]
    );
}

#[test]
fn only_the_kinds_asked_for_are_listed_and_counted() {
    let world = World::new();
    assert_eq!(
        listed(&world, &list_of(ROLES)),
        ["role 21", "role 22", "role 23"]
    );
    assert_eq!(
        listed(&world, &list_of(GRANTS)),
        ["grant 1 21", "grant 11 22", "grant 1 23", "grant 11 23"]
    );
    assert_eq!(
        listed(&world, &list_of(ORGANIZATIONS)),
        ["organization 100", "organization 101"]
    );
    let (_, summary) = list_all(&world, &list_of(GRANTS));
    assert_eq!((summary.counts.grants, summary.counts.roles), (4, 0));
}

#[test]
fn every_field_of_an_account_is_given_and_unknown_ones_become_attributes() {
    let json = r#"{
        "id": 7, "uid": "00000000-0000-4000-8000-000000000007", "firstName": "Ada", "lastName": "Lovelace",
        "email": "Ada@acme.example", "phone": "+44 1", "enabled": true, "administrator": false, "permitAllClients": false,
        "notifyAllClients": true, "mustChangePw": false, "mfaConfigured": true, "userType": "TECHNICIAN",
        "invitationStatus": "REGISTERED", "organizationId": 5, "deviceIds": [1, 2], "roles": ["Helpdesk"],
        "tags": null, "score": 1.50, "count": -3, "big": 18446744073709551616, "note": "a\"b", "fields": {"a": null},
        "scimUser": true, "authType": "SSO"
    }"#;
    let attribute = |name: &str, value: Value| Attribute {
        name: name.to_string(),
        value,
    };
    let text = |text: &str| Some(text.to_string());
    assert_eq!(
        account_of(json),
        Account {
            id: "7".to_string(),
            kind: text("technician"),
            external_id: text("00000000-0000-4000-8000-000000000007"),
            email: text("Ada@acme.example"),
            given_name: text("Ada"),
            family_name: text("Lovelace"),
            phone: text("+44 1"),
            enabled: Some(true),
            administrator: Some(false),
            mfa_configured: Some(true),
            must_change_password: Some(false),
            invitation: Some(Invitation::Accepted),
            organization: text("5"),
            externally_managed: Some(true),
            authentication: text("SSO"),
            last_sign_in: None,
            attributes: vec![
                attribute("permitAllClients", Value::Boolean(false)),
                attribute("notifyAllClients", Value::Boolean(true)),
                attribute("deviceIds", Value::Json("[1, 2]".to_string())),
                attribute("roles", Value::Json("[\"Helpdesk\"]".to_string())),
                attribute("score", Value::Json("1.50".to_string())),
                attribute("count", Value::Integer(-3)),
                attribute("big", Value::Json("18446744073709551616".to_string())),
                attribute("note", Value::Text("a\"b".to_string())),
                attribute("fields", Value::Json("{\"a\": null}".to_string())),
            ],
        }
    );
}

#[test]
fn what_was_not_sent_or_sent_as_null_is_none() {
    let nothing = account_of(r#"{"id": 7}"#);
    let expected = Account {
        id: "7".to_string(),
        kind: None,
        external_id: None,
        email: None,
        given_name: None,
        family_name: None,
        phone: None,
        enabled: None,
        administrator: None,
        mfa_configured: None,
        must_change_password: None,
        invitation: None,
        organization: None,
        externally_managed: None,
        authentication: None,
        last_sign_in: None,
        attributes: Vec::new(),
    };
    assert_eq!(nothing, expected);
    let nulls = account_of(
        r#"{"uid": null, "firstName": null, "lastName": null, "email": null, "phone": null, "enabled": null,
            "administrator": null, "mustChangePw": null, "mfaConfigured": null, "userType": null,
            "invitationStatus": null, "organizationId": null, "scimUser": null, "authType": null, "tags": null, "id": 7}"#,
    );
    assert_eq!(nulls, expected);
}

#[test]
fn an_enum_value_that_is_not_known_is_passed_on_as_it_came() {
    let account =
        account_of(r#"{"id": 7, "userType": "CONTRACTOR", "invitationStatus": "BOUNCED"}"#);
    assert_eq!(account.kind.as_deref(), Some("CONTRACTOR"));
    assert_eq!(
        account.invitation,
        Some(Invitation::Other("BOUNCED".to_string()))
    );
    let body = r#"[{"id": 3, "type": "CONTRACTOR", "members": []}]"#;
    let items = items_of("/v2/user/roles", body, &list_of(ROLES));
    let [Item::Role(role)] = &items[..] else {
        panic!("not one role: {items:?}");
    };
    assert_eq!(role.account_kind.as_deref(), Some("CONTRACTOR"));
}

#[test]
fn every_state_of_an_invitation_is_told_apart() {
    for (sent, given) in [
        ("PENDING", Invitation::Pending),
        ("REGISTERED", Invitation::Accepted),
        ("EXPIRED", Invitation::Expired),
        ("pending", Invitation::Other("pending".to_string())),
    ] {
        let account = account_of(&format!(r#"{{"id": 7, "invitationStatus": "{sent}"}}"#));
        assert_eq!(account.invitation, Some(given));
    }
}

#[test]
fn every_field_of_a_role_and_of_its_members_is_given() {
    let body = r#"[{"id": 3, "name": "Helpdesk", "type": "END_USER", "description": "Helps", "color": "red", "nothing": null,
        "members": [{"id": 8, "email": "e@x", "name": null, "source": "SCIM"}, {"id": 9}]}]"#;
    let items = items_of("/v2/user/roles", body, &list_of(ROLES | GRANTS));
    let text = |text: &str| Some(text.to_string());
    let attribute = |name: &str, value: &str| Attribute {
        name: name.to_string(),
        value: Value::Text(value.to_string()),
    };
    assert_eq!(
        items,
        [
            Item::Grant(Grant {
                account: "8".to_string(),
                role: "3".to_string(),
                source: text("SCIM"),
                attributes: vec![attribute("email", "e@x")],
            }),
            Item::Grant(Grant {
                account: "9".to_string(),
                role: "3".to_string(),
                source: None,
                attributes: Vec::new(),
            }),
            Item::Role(Role {
                id: "3".to_string(),
                name: text("Helpdesk"),
                account_kind: text("end-user"),
                description: text("Helps"),
                member_count: Some(2),
                attributes: vec![attribute("color", "red")],
            }),
        ]
    );
}

#[test]
fn a_role_may_come_with_nothing_but_its_id() {
    for (body, member_count) in [
        (r#"[{"id": 3}]"#, None),
        (
            r#"[{"id": 3, "name": null, "type": null, "description": null, "members": null}]"#,
            None,
        ),
        (r#"[{"id": 3, "members": []}]"#, Some(0)),
    ] {
        let items = items_of("/v2/user/roles", body, &list_of(ROLES));
        let expected = Role {
            id: "3".to_string(),
            name: None,
            account_kind: None,
            description: None,
            member_count,
            attributes: match member_count {
                Some(_) => Vec::new(),
                None => vec![MEMBERS_UNKNOWN.clone()],
            },
        };
        assert_eq!(items, [Item::Role(expected)], "{body}");
    }
}

#[test]
fn the_members_of_a_role_may_come_before_its_id() {
    let body = r#"[{"name": "A", "members": [{"id": 1}, {"id": 2}, {"id": 3}], "type": "X", "id": 9, "x": 1}, {"id": 10, "members": [{"id": 1}]}]"#;
    let items = items_of("/v2/user/roles", body, &list_of(ROLES | GRANTS));
    assert_eq!(
        names(&items),
        [
            "grant 1 9",
            "grant 2 9",
            "grant 3 9",
            "role 9",
            "grant 1 10",
            "role 10"
        ]
    );
}

#[test]
fn ten_thousand_members_may_come_before_the_id_and_no_more() {
    let role = |members: usize| {
        let members: Vec<_> = (0..members).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        format!(r#"[{{"members": [{}], "id": 9}}]"#, members.join(","))
    };
    let world = World::new();
    world.tenant.serve("/v2/user/roles", role(10_000));
    let (_, summary) = list_all(&world, &list_of(GRANTS));
    assert_eq!(summary.counts.grants, 10_000);
    let world = World::new();
    world.tenant.serve("/v2/user/roles", role(10_001));
    let failure = world.list(&list_of(GRANTS)).expect_err("too many");
    assert_eq!(failure.error, Error::LimitExceeded);
    assert!(
        failure.message.contains("10000 members before its id"),
        "{}",
        failure.message
    );
}

#[test]
fn every_field_of_an_organization_is_given() {
    let world = World::changed(|tenant| {
        tenant.organizations =
            vec![json!({"id": 4, "name": "Acme", "description": "Anvils", "nodes": 3, "x": null})];
    });
    let page = world.list(&list_of(ORGANIZATIONS)).expect("a page");
    let expected = Organization {
        id: "4".to_string(),
        name: Some("Acme".to_string()),
        description: Some("Anvils".to_string()),
        attributes: vec![Attribute {
            name: "nodes".to_string(),
            value: Value::Integer(3),
        }],
    };
    assert_eq!(page.items, [Item::Organization(expected)]);
}

#[test]
fn an_empty_tenant_is_listed_whole_at_once() {
    let world = World::changed(|tenant| {
        tenant.users.clear();
        tenant.roles.clear();
        tenant.organizations.clear();
    });
    let everything = list_of(ACCOUNTS | ROLES | GRANTS | ORGANIZATIONS);
    let (pages, summary) = list_all(&world, &everything);
    assert_eq!((pages.len(), pages[0].items.len()), (1, 0));
    let nothing = Counts {
        accounts: 0,
        roles: 0,
        grants: 0,
        organizations: 0,
        events: 0,
    };
    assert_eq!(summary.counts, nothing);
}

#[test]
fn what_was_sent_twice_is_given_once_as_it_was_first_sent_and_noticed() {
    let world = World::new();
    let users = r#"[{"id": 1, "email": "first"}, {"id": 2}, {"id": 1, "email": "second"}]"#;
    world.tenant.serve("/v2/users", users);
    let roles = r#"[{"id": 5, "members": [{"id": 1}, {"id": 2}, {"id": 1}]}, {"id": 6, "members": []}, {"id": 5, "members": [{"id": 2}]}]"#;
    world.tenant.serve("/v2/user/roles", roles);
    let (pages, summary) = list_all(&world, &list_of(ACCOUNTS | ROLES | GRANTS));
    let items = &pages[0].items;
    assert_eq!(
        names(items),
        [
            "account 1",
            "account 2",
            "grant 1 5",
            "grant 2 5",
            "role 5",
            "role 6"
        ]
    );
    assert!(
        matches!(&items[0], Item::Account(account) if account.email.as_deref() == Some("first"))
    );
    assert_eq!(
        pages[0].notices,
        [
            duplicate(ResourceKind::Account, "1"),
            duplicate(ResourceKind::Grant, "1 5"),
            duplicate(ResourceKind::Grant, "2 5"),
            duplicate(ResourceKind::Role, "5"),
        ]
    );
    let counts = summary.counts;
    assert_eq!((counts.accounts, counts.grants, counts.roles), (2, 2, 2));
    let Item::Role(role) = &items[4] else {
        panic!("no role: {items:?}");
    };
    assert_eq!(role.member_count, Some(2));
}

/// Says of a role that who holds it is not known.
static MEMBERS_UNKNOWN: LazyLock<Attribute> = LazyLock::new(|| Attribute {
    name: "members-unknown".to_string(),
    value: Value::Boolean(true),
});

#[test]
fn a_role_without_a_list_of_members_keeps_nothing_back_and_is_told() {
    for role in [
        r#"{"id": 5}"#,
        r#"{"id": 5, "members": null}"#,
        r#"{"id": 5, "members": 7}"#,
        r#"{"id": 5, "members": {"1": 2}}"#,
    ] {
        let world = World::new();
        let roles = format!(r#"[{role}, {{"id": 4, "members": [{{"id": 1}}]}}]"#);
        world.tenant.serve("/v2/user/roles", roles);
        let told = |world: &World| {
            let log = world.host.log();
            log.iter()
                .filter(|line| line.starts_with("Warn") && line.contains("role=5"))
                .count()
        };
        let page = world.list(&list_of(ROLES | GRANTS)).expect("a page");
        assert_eq!(names(&page.items), ["role 5", "grant 1 4", "role 4"]);
        let Item::Role(role) = &page.items[0] else {
            panic!("no role");
        };
        assert_eq!(role.member_count, None);
        assert!(role.attributes.contains(&MEMBERS_UNKNOWN), "{role:?}");
        assert!(
            !matches!(&page.items[2], Item::Role(role) if role.attributes.contains(&MEMBERS_UNKNOWN))
        );
        assert_eq!(told(&world), 1);
        // Where the role itself is not listed, the log is all that tells.
        assert_eq!(listed(&world, &list_of(GRANTS)), ["grant 1 4"]);
        assert_eq!(told(&world), 2);
        // Grants of other roles are known.
        let of_role_4 = filtered(GRANTS, |filter| filter.role = Some("4".to_string()));
        assert_eq!(listed(&world, &of_role_4), ["grant 1 4"]);
        assert_eq!(told(&world), 2);
    }
}

#[test]
fn a_role_without_a_list_of_members_is_told_once_although_each_page_has_a_fresh_instance() {
    let world = World::new();
    let roles = r#"[{"id": 5}, {"id": 4, "members": [{"id": 1}, {"id": 2}]}]"#;
    world.tenant.serve("/v2/user/roles", roles);
    let mut request = list_of(ROLES | GRANTS);
    request.limit = Some(1);
    let mut pages = 0;
    loop {
        let page = world.fresh_instance().list(&request).expect("a page");
        pages += 1;
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(_) => break,
        }
    }
    assert!(pages > 3);
    let log = world.host.log();
    let told = log.iter().filter(|line| line.contains("role=5")).count();
    assert_eq!(told, 1, "{log:?}");
}

#[test]
fn a_role_is_of_its_kind_wherever_its_fields_stand() {
    let roles = r#"[
        {"description": "", "id": 3, "members": [{"id": 11}, {"id": 12}], "name": "c", "type": "END_USER"},
        {"members": [{"id": 1}, {"id": 2}], "type": "TECHNICIAN", "id": 1},
        {"type": "TECHNICIAN", "members": [{"id": 3}], "id": 2},
        {"members": [{"id": 12}], "type": "END_USER", "id": 4},
        {"id": 5, "members": [{"id": 3}]}
    ]"#;
    let unheeded = Unknowns {
        heeds_filters: false,
        ..Unknowns::DOCUMENTED
    };
    for (kind, expected) in [
        (
            "technician",
            vec![
                "grant 1 1",
                "grant 2 1",
                "role 1",
                "grant 3 2",
                "role 2",
                "grant 3 5",
                "role 5",
            ],
        ),
        (
            "end-user",
            vec![
                "grant 11 3",
                "grant 12 3",
                "role 3",
                "grant 12 4",
                "role 4",
                "grant 3 5",
                "role 5",
            ],
        ),
    ] {
        let world = World::with(unheeded);
        world.tenant.serve("/v2/user/roles", roles);
        let request = filtered(ROLES | GRANTS, |filter| {
            filter.account_kind = Some(kind.to_string());
        });
        assert_eq!(listed(&world, &request), expected);
    }
}

#[test]
fn not_every_member_is_held_back_until_the_type_is_known() {
    let members = |count: u32| {
        let members: Vec<_> = (0..count).map(|id| format!("{{\"id\":{id}}}")).collect();
        format!("\"members\":[{}]", members.join(","))
    };
    for (count, fits) in [(10_000, true), (10_001, false)] {
        let world = World::new();
        let role = format!(r#"[{{"id":1,{},"type":"TECHNICIAN"}}]"#, members(count));
        world.tenant.serve("/v2/user/roles", role);
        let mut request = filtered(GRANTS, |filter| {
            filter.account_kind = Some("technician".to_string());
        });
        request.limit = Some(1);
        match fits {
            true => assert_eq!(world.list(&request).expect("a page").items.len(), 1),
            false => {
                let failure = world.list(&request).expect_err("too many");
                assert_eq!(failure.error, Error::LimitExceeded);
                assert!(
                    failure.message.contains("the role 1"),
                    "{}",
                    failure.message
                );
                // Without a kind there is nothing to wait for.
                assert_eq!(
                    world.list(&list_of(GRANTS)).expect("a page").items.len(),
                    1_000
                );
            }
        }
    }
}

#[test]
fn what_is_no_whole_address_is_found_in_whatever_case_too() {
    let world = World::changed(|tenant| tenant.user_mut(2)["email"] = json!("ben"));
    let request = filtered(ACCOUNTS, |filter| filter.email = Some("BEN".to_string()));
    assert_eq!(listed(&world, &request), ["account 2"]);
}

#[test]
fn what_is_not_asked_for_is_no_duplicate() {
    let world = World::new();
    let users = r#"[{"id": 1, "email": "a@x"}, {"id": 2, "email": "b@x"}, {"id": 1, "email": "a@x"}, {"id": 2, "email": "b@x"}]"#;
    world.tenant.serve("/v2/users", users);
    let request = filtered(ACCOUNTS, |filter| filter.email = Some("b@x".to_string()));
    let page = world.list(&request).expect("a page");
    assert_eq!(names(&page.items), ["account 2"]);
    assert_eq!(page.notices, [duplicate(ResourceKind::Account, "2")]);
}

#[test]
fn a_field_of_another_type_is_an_attribute_as_it_came_and_is_told_once() {
    let world = World::new();
    let users = r#"[
        {"id": 1, "phone": 15551234567, "enabled": "false", "organizationId": -1, "scimUser": "true"},
        {"id": "2", "uid": {"a": 1}, "firstName": "A\ud83d", "organizationId": "7", "phone": 5},
        {"id": 3.0, "x\ud83d": ["\ud83d"], "lastName": 1.10, "lastName": 12345678901234567890123}
    ]"#;
    world.tenant.serve("/v2/users", users);
    let mut accounts = Vec::new();
    for item in world.list(&list_of(ACCOUNTS)).expect("a page").items {
        let Item::Account(account) = item else {
            panic!("no account")
        };
        accounts.push(account);
    }
    let attributes = |account: usize| -> Vec<(String, Value)> {
        let attributes = accounts[account].attributes.clone();
        attributes
            .into_iter()
            .map(|own| (own.name, own.value))
            .collect()
    };
    let ids: Vec<_> = accounts.iter().map(|account| account.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(
        (
            &accounts[0].phone,
            accounts[0].enabled,
            &accounts[0].organization
        ),
        (&None, None, &None)
    );
    let text = |text: &str| Value::Text(text.to_string());
    let json = |text: &str| Value::Json(text.to_string());
    assert_eq!(
        attributes(0),
        [
            ("phone".to_string(), Value::Integer(15_551_234_567)),
            ("enabled".to_string(), text("false")),
            ("organizationId".to_string(), Value::Integer(-1)),
            ("scimUser".to_string(), text("true")),
        ]
    );
    assert_eq!(accounts[1].given_name.as_deref(), Some("A\u{fffd}"));
    assert_eq!(accounts[1].organization.as_deref(), Some("7"));
    assert_eq!(
        attributes(1),
        [
            ("uid".to_string(), json(r#"{"a": 1}"#)),
            ("phone".to_string(), Value::Integer(5)),
        ]
    );
    assert_eq!(
        attributes(2),
        [
            ("x\u{fffd}".to_string(), json(r#"["\ufffd"]"#)),
            ("lastName".to_string(), json("12345678901234567890123")),
        ]
    );
    let log = world.host.log();
    let about = |field: &str| log.iter().filter(|line| line.contains(field)).count();
    assert_eq!(about("the field phone is"), 1, "{log:?}");
    assert_eq!(about("the field lastName is"), 1, "{log:?}");
    assert!(
        !log.iter().any(|line| line.contains("15551234567")),
        "{log:?}"
    );
}

#[test]
fn null_and_204_are_an_empty_list() {
    for answer in [
        Answer::text(200, "null"),
        Answer::text(200, " null "),
        Answer::text(204, ""),
    ] {
        for (path, kinds) in [
            ("GET /v2/users", ACCOUNTS),
            ("GET /v2/user/roles", ROLES | GRANTS),
            ("GET /v2/organizations", ORGANIZATIONS),
            ("GET /v2/activities", EVENTS),
        ] {
            let world = World::new();
            world.tenant.always(path, Fault::Refuse(answer.clone()));
            assert!(listed(&world, &list_of(kinds)).is_empty(), "{path}");
        }
    }
    for body in ["{}", r#"{"x": [1]}"#, r#"{"activities": null, "x": 1}"#] {
        let world = World::new();
        world.tenant.serve("/v2/activities", body);
        assert!(listed(&world, &list_of(EVENTS)).is_empty());
    }
    // Nothing at all is not a way to say that there is nothing.
    let world = World::new();
    world.tenant.serve("/v2/users", "");
    assert!(world.list(&list_of(ACCOUNTS)).is_err());
}

#[test]
fn a_user_of_a_type_without_a_detailed_list_comes_without_details_and_is_told() {
    let world = World::new();
    let mut contact = json!({"id": 20, "userType": "CONTACT"});
    contact["email"] = json!("c@x");
    world.tenant.change().users.push(contact);
    let page = world.list(&with_management(ACCOUNTS)).expect("a page");
    assert_eq!(
        names(&page.items),
        [
            "account 1",
            "account 2",
            "account 3",
            "account 11",
            "account 12",
            "account 20"
        ]
    );
    assert!(page.notices.is_empty(), "{:?}", page.notices);
    let log = world.host.log();
    assert!(
        log.iter().any(|line| line.contains("account=20")),
        "{log:?}"
    );
}

#[test]
fn an_organization_that_was_sent_twice_is_given_once_and_noticed() {
    let world = World::new();
    let request = "GET /v2/organizations";
    let page = |body: &str| Fault::Refuse(Answer::text(200, body));
    world.tenant.once(
        request,
        page(r#"[{"id": 4}, {"id": 5}, {"id": 4}, {"id": 6}]"#),
    );
    world.tenant.once(request, page("[]"));
    let (pages, summary) = list_all(&world, &list_of(ORGANIZATIONS));
    assert_eq!(
        names(&pages[0].items),
        ["organization 4", "organization 5", "organization 6"]
    );
    assert_eq!(
        pages[0].notices,
        [duplicate(ResourceKind::Organization, "4")]
    );
    assert_eq!(summary.counts.organizations, 3);
}

#[test]
fn the_same_account_in_two_roles_is_no_duplicate() {
    let world = World::new();
    let page = world.list(&list_of(GRANTS)).expect("a page");
    assert_eq!((page.items.len(), page.notices.len()), (4, 0));
}

#[test]
fn a_member_who_is_no_account_is_noticed_where_all_accounts_are_listed_too() {
    let world = World::changed(|tenant| tenant.role_mut(21).members = vec![1, 99]);
    let stranger = Notice::UnknownMember(assignment("99", "21"));
    for request in [
        list_of(ACCOUNTS | GRANTS),
        with_management(ACCOUNTS | GRANTS),
    ] {
        let page = world.list(&request).expect("a page");
        assert_eq!(page.notices, std::slice::from_ref(&stranger));
        assert!(names(&page.items).contains(&"grant 99 21".to_string()));
    }
    // Without all the accounts nobody can tell.
    for request in [
        list_of(GRANTS),
        list_of(ROLES | GRANTS),
        filtered(ACCOUNTS | GRANTS, |f| {
            f.account_kind = Some("technician".to_string())
        }),
    ] {
        assert_eq!(
            world.list(&request).expect("a page").notices,
            [],
            "{request:?}"
        );
    }
}

#[test]
fn management_details_come_from_the_fuller_listings() {
    let world = World::new();
    let page = world.list(&with_management(ACCOUNTS)).expect("a page");
    let details: Vec<_> = page
        .items
        .iter()
        .map(|item| match item {
            Item::Account(own) => (
                own.id.as_str(),
                own.kind.as_deref(),
                own.authentication.as_deref(),
                own.externally_managed,
            ),
            _ => panic!("not an account"),
        })
        .collect();
    let technician = |id| (id, Some("technician"), Some("NATIVE"), Some(false));
    let end_user = |id| (id, Some("end-user"), Some("SSO"), Some(false));
    assert_eq!(
        details,
        [
            technician("1"),
            technician("2"),
            technician("3"),
            end_user("11"),
            end_user("12")
        ]
    );
    assert_eq!(
        world.tenant.lines(),
        [
            "GET /v2/user/technicians",
            "GET /v2/user/end-users",
            "GET /v2/users?includeRoles=true"
        ]
    );
}

#[test]
fn management_details_of_one_kind_take_one_request() {
    let world = World::new();
    let mut request = with_management(ACCOUNTS);
    request.filter.account_kind = Some("end-user".to_string());
    assert_eq!(listed(&world, &request), ["account 11", "account 12"]);
    assert_eq!(world.tenant.lines(), ["GET /v2/user/end-users"]);
}

#[test]
fn accounts_are_filtered_by_kind_whether_ninjaone_heeds_it_or_not() {
    for heeds_filters in [true, false] {
        let world = World::with(Unknowns {
            heeds_filters,
            ..Unknowns::DOCUMENTED
        });
        for (kind, query, expected) in [
            (
                "technician",
                "TECHNICIAN",
                vec!["account 1", "account 2", "account 3"],
            ),
            ("end-user", "END_USER", vec!["account 11", "account 12"]),
        ] {
            world.tenant.forget_sent();
            let request = filtered(ACCOUNTS, |f| f.account_kind = Some(kind.to_string()));
            assert_eq!(listed(&world, &request), expected);
            let line = format!("GET /v2/users?userType={query}&includeRoles=true");
            assert_eq!(world.tenant.lines(), [line]);
        }
    }
}

#[test]
fn roles_and_grants_are_filtered_by_kind_whether_ninjaone_heeds_it_or_not() {
    for heeds_filters in [true, false] {
        let world = World::with(Unknowns {
            heeds_filters,
            ..Unknowns::DOCUMENTED
        });
        let request = filtered(ROLES | GRANTS, |f| {
            f.account_kind = Some("end-user".to_string())
        });
        // A role that names no type may be for anybody.
        let expected = [
            "grant 11 22",
            "role 22",
            "grant 1 23",
            "grant 11 23",
            "role 23",
        ];
        assert_eq!(listed(&world, &request), expected);
        assert_eq!(
            world.tenant.lines(),
            ["GET /v2/user/roles?roleType=END_USER"]
        );
    }
}

#[test]
fn accounts_are_filtered_by_address_without_regard_to_case() {
    let world = World::changed(|tenant| {
        tenant.users[0]["email"] = json!("ADA@Acme.example");
        tenant.users[1]["email"] = json!(null);
    });
    for email in ["ada@acme.example", "ADA@ACME.EXAMPLE"] {
        let request = filtered(ACCOUNTS, |f| f.email = Some(email.to_string()));
        assert_eq!(listed(&world, &request), ["account 1"]);
    }
    let request = filtered(ACCOUNTS, |f| f.email = Some("ada@acme.exampl".to_string()));
    assert!(listed(&world, &request).is_empty());
}

#[test]
fn one_account_is_found_by_its_id_whatever_its_kind() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        let by_id = |id: &str| filtered(ACCOUNTS, |f| f.id = Some(id.to_string()));
        assert_eq!(listed(&world, &by_id("1")), ["account 1"]);
        assert_eq!(listed(&world, &by_id("11")), ["account 11"]);
        assert!(listed(&world, &by_id("99")).is_empty());
        assert!(listed(&world, &by_id("21")).is_empty());
    }
}

#[test]
fn one_account_found_by_its_id_has_its_kind() {
    let world = World::new();
    let page = world.list(&filtered(ACCOUNTS, |f| f.id = Some("11".to_string())));
    let items = page.expect("a page").items;
    let [Item::Account(account)] = &items[..] else {
        panic!("not one account");
    };
    assert_eq!(account.kind.as_deref(), Some("end-user"));
}

#[test]
fn the_filters_of_accounts_narrow_together() {
    for unknowns in Unknowns::all() {
        let world = World::with(unknowns);
        let both = |id: &str, kind: &str| {
            let request = filtered(ACCOUNTS, |f| {
                f.id = Some(id.to_string());
                f.account_kind = Some(kind.to_string());
            });
            listed(&world, &request)
        };
        assert_eq!(both("11", "end-user"), ["account 11"]);
        assert!(both("11", "technician").is_empty(), "{unknowns:?}");
        assert!(both("1", "end-user").is_empty());
        let other_email = filtered(ACCOUNTS, |f| {
            f.id = Some("1".to_string());
            f.email = Some("ben@acme.example".to_string());
        });
        assert!(listed(&world, &other_email).is_empty());
    }
}

#[test]
fn a_request_for_one_account_that_is_refused_though_it_is_listed_is_a_failure() {
    let world = World::new();
    let refusal = Fault::Refuse(Answer::failure(400, "BAD_REQUEST"));
    world
        .tenant
        .always("GET /v2/user/technician/1", refusal.clone());
    world.tenant.always("GET /v2/user/end-user/1", refusal);
    let request = filtered(ACCOUNTS, |f| f.id = Some("1".to_string()));
    assert_eq!(error(world.list(&request)), Error::Upstream(400));
}

#[test]
fn one_role_is_found_by_its_id() {
    let world = World::new();
    let by_id = |id: &str| filtered(ROLES, |f| f.id = Some(id.to_string()));
    assert_eq!(listed(&world, &by_id("22")), ["role 22"]);
    assert!(listed(&world, &by_id("99")).is_empty());
    let as_role = filtered(ROLES | GRANTS, |f| f.role = Some("22".to_string()));
    assert_eq!(listed(&world, &as_role), ["grant 11 22", "role 22"]);
    let another = filtered(ROLES, |f| {
        f.id = Some("21".to_string());
        f.role = Some("22".to_string());
    });
    assert!(listed(&world, &another).is_empty());
}

#[test]
fn one_organization_is_found_by_its_id() {
    let world = World::new();
    let by_id = |id: &str| filtered(ORGANIZATIONS, |f| f.id = Some(id.to_string()));
    assert_eq!(listed(&world, &by_id("101")), ["organization 101"]);
    assert_eq!(world.tenant.lines(), ["GET /v2/organization/101"]);
    assert!(listed(&world, &by_id("99")).is_empty());
}

#[test]
fn grants_are_filtered_by_account_and_by_role() {
    let world = World::new();
    let by_account = filtered(GRANTS, |f| f.account = Some("11".to_string()));
    assert_eq!(listed(&world, &by_account), ["grant 11 22", "grant 11 23"]);
    let by_role = filtered(GRANTS, |f| f.role = Some("23".to_string()));
    assert_eq!(listed(&world, &by_role), ["grant 1 23", "grant 11 23"]);
    let by_both = filtered(GRANTS, |f| {
        f.account = Some("1".to_string());
        f.role = Some("23".to_string());
    });
    assert_eq!(listed(&world, &by_both), ["grant 1 23"]);
}

#[test]
fn a_filter_that_does_not_apply_is_refused_with_every_problem_and_nothing_is_sent() {
    let all = |f: &mut Filter| {
        f.id = Some("1".to_string());
        f.email = Some("a@b".to_string());
        f.account_kind = Some("technician".to_string());
        f.account = Some("1".to_string());
        f.role = Some("1".to_string());
        f.since = Some(0);
    };
    for (kinds, refused) in [
        (
            ACCOUNTS,
            vec!["filter.account", "filter.role", "filter.since"],
        ),
        (
            ROLES,
            vec!["filter.email", "filter.account", "filter.since"],
        ),
        (GRANTS, vec!["filter.id", "filter.email", "filter.since"]),
        (
            ORGANIZATIONS,
            vec![
                "filter.email",
                "filter.account-kind",
                "filter.account",
                "filter.role",
                "filter.since",
            ],
        ),
        (
            ROLES | GRANTS,
            vec![
                "filter.email",
                "filter.account",
                "filter.since",
                "filter.id",
                "filter.email",
                "filter.since",
            ],
        ),
        (
            EVENTS,
            vec![
                "filter.id",
                "filter.email",
                "filter.account-kind",
                "filter.role",
            ],
        ),
    ] {
        let world = World::new();
        assert_eq!(
            complaints(error(world.list(&filtered(kinds, all)))),
            refused
        );
        assert!(world.tenant.lines().is_empty());
    }
}

#[test]
fn a_filter_that_is_not_one_of_the_kinds_is_named_with_what_it_was_asked_of() {
    let failure = World::new().list(&filtered(ROLES | GRANTS | ORGANIZATIONS, |f| {
        f.since = Some(1)
    }));
    let message = failure.expect_err("does not apply").message;
    for kind in ["roles", "grants", "organizations"] {
        assert!(
            message.contains(&format!("it does not apply to {kind}")),
            "{message}"
        );
    }
    let failure = World::new().list(&filtered(ACCOUNTS, |f| f.since = Some(1)));
    let message = failure.expect_err("does not apply").message;
    assert!(
        message.contains("it does not apply to accounts"),
        "{message}"
    );
}

#[test]
fn a_filter_that_cannot_match_is_refused_with_every_problem() {
    for id in [
        "",
        " 1",
        "01",
        "+1",
        "-1",
        "1.0",
        "one",
        "2147483648",
        "4294967297",
    ] {
        let world = World::new();
        let request = filtered(ACCOUNTS, |f| {
            f.id = Some(id.to_string());
            f.account_kind = Some("robot".to_string());
        });
        let refused = complaints(error(world.list(&request)));
        assert_eq!(refused, ["filter.id", "filter.account-kind"], "{id:?}");
        let request = filtered(GRANTS, |f| {
            f.account = Some(id.to_string());
            f.role = Some(id.to_string());
        });
        let refused = complaints(error(world.list(&request)));
        assert_eq!(refused, ["filter.account", "filter.role"], "{id:?}");
        assert!(world.tenant.lines().is_empty());
    }
    let world = World::new();
    for id in ["0", "2147483647"] {
        assert!(listed(&world, &filtered(ROLES, |f| f.id = Some(id.to_string()))).is_empty());
    }
}

#[test]
fn a_request_for_no_kind_is_refused() {
    let refused = complaints(error(World::new().list(&list_of(ResourceKinds::empty()))));
    assert_eq!(refused, ["kinds"]);
}

#[test]
fn bits_that_are_no_detail_are_ignored() {
    // As the canonical ABI has it; some hosts set them all where every detail is asked for.
    let mut request = list_of(ACCOUNTS);
    request.details = AccountDetails::from_bits_retain(4);
    let world = World::new();
    listed(&world, &request);
    assert_eq!(world.tenant.lines(), ["GET /v2/users?includeRoles=true"]);
}

#[test]
fn details_of_accounts_cost_nothing_where_no_accounts_are_listed() {
    let world = World::new();
    let mut request = list_of(ROLES);
    request.details = AccountDetails::LAST_SIGN_IN | AccountDetails::MANAGEMENT;
    listed(&world, &request);
    assert_eq!(world.tenant.lines(), ["GET /v2/user/roles"]);
}

#[test]
fn what_is_read_again_is_no_progress() {
    // To go on with the accounts, the sign-ins have to be read again.
    let world = World::new();
    let too_many = Fault::Refuse(Answer::text(429, ""));
    world.tenant.always("GET /v2/user/end-users", too_many);
    let mut request = with_management(ACCOUNTS);
    request.details |= AccountDetails::LAST_SIGN_IN;
    assert_eq!(error(world.list(&request)), Error::RateLimited(None));
    let asked = world.tenant.lines();
    let asked = asked.iter().filter(|line| line.contains("end-users"));
    assert_eq!(asked.count(), 5);
}
