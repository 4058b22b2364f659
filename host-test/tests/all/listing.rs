//! Everything that a tenant has is listed: each thing once, with everything that was sent about it.

use std::collections::{BTreeMap, BTreeSet};

use connector_host::contract::{
    Account, Continuation, Error, Item, ListRequest, Notice, ResourceKinds, Value,
};
use host_test::{connector, failure, list, list_request, simulated, tenant};
use ninjaone_simulator::{AccountKind, Options, Simulator};

fn accounts(items: Vec<Item>) -> Vec<Account> {
    let accounts = items.into_iter().filter_map(|item| match item {
        Item::Account(account) => Some(account),
        _ => None,
    });
    accounts.collect()
}

fn ids(simulator: &Simulator) -> BTreeSet<String> {
    simulator
        .accounts()
        .iter()
        .map(|account| account.id.to_string())
        .collect()
}

#[tokio::test]
async fn every_account_is_listed_exactly_once_whatever_the_page_size() {
    let simulator = tenant(1_000).await;
    for limit in [1, 7, 999, 1_000, 1_001, u32::MAX] {
        let request = ListRequest {
            limit: Some(limit),
            ..ListRequest::everything(ResourceKinds::ACCOUNTS)
        };
        let listed = accounts(list_request(&mut connector(&simulator), request).await);
        assert_eq!(listed.len(), 1_000, "limit {limit}");
        let listed: BTreeSet<_> = listed.into_iter().map(|account| account.id).collect();
        assert_eq!(listed, ids(&simulator), "limit {limit}");
    }
}

#[tokio::test]
async fn a_page_of_accounts_costs_no_request_but_the_first() {
    let simulator = tenant(500).await;
    let request = ListRequest {
        limit: Some(10),
        ..ListRequest::everything(ResourceKinds::ACCOUNTS)
    };
    list_request(&mut connector(&simulator), request).await;
    assert_eq!(
        simulator.request_count(),
        2,
        "one for the token, one for the users"
    );
}

#[tokio::test]
async fn a_cursor_continues_exactly_in_a_fresh_instance() {
    let simulator = tenant(300).await;
    let all = list(
        &mut connector(&simulator),
        ResourceKinds::ACCOUNTS | ResourceKinds::ROLES | ResourceKinds::GRANTS,
    )
    .await;
    let mut request = ListRequest {
        limit: Some(37),
        ..ListRequest::everything(
            ResourceKinds::ACCOUNTS | ResourceKinds::ROLES | ResourceKinds::GRANTS,
        )
    };
    let mut in_pieces = Vec::new();
    loop {
        let page = connector(&simulator).list(&request).await.expect("a page");
        in_pieces.extend(page.items);
        match page.next {
            Continuation::More(cursor) => request.cursor = Some(cursor),
            Continuation::Complete(_) => break,
        }
    }
    assert_eq!(format!("{in_pieces:?}"), format!("{all:?}"));
}

#[tokio::test]
async fn grants_point_at_accounts_and_roles_that_exist_and_none_is_missing() {
    let simulator = tenant(2_000).await;
    let kinds = ResourceKinds::ACCOUNTS | ResourceKinds::ROLES | ResourceKinds::GRANTS;
    let mut roles = BTreeSet::new();
    let mut grants = BTreeSet::new();
    let mut accounts = BTreeSet::new();
    for item in list(&mut connector(&simulator), kinds).await {
        match item {
            Item::Account(account) => drop(accounts.insert(account.id)),
            Item::Role(role) => drop(roles.insert(role.id)),
            Item::Grant(grant) => drop(grants.insert((grant.role, grant.account))),
            other => panic!("nobody asked for {other:?}"),
        }
    }
    let expected: BTreeSet<_> = simulator
        .roles()
        .iter()
        .flat_map(|role| {
            simulator
                .role_members(role.id)
                .into_iter()
                .map(|member| (role.id.to_string(), member.to_string()))
        })
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(grants, expected);
    assert!(
        grants
            .iter()
            .all(|(role, account)| roles.contains(role) && accounts.contains(account))
    );
    assert_eq!(roles.len(), simulator.roles().len());
}

#[tokio::test]
async fn roles_and_grants_together_cost_one_request() {
    let simulator = tenant(100).await;
    list(
        &mut connector(&simulator),
        ResourceKinds::ROLES | ResourceKinds::GRANTS,
    )
    .await;
    assert_eq!(
        simulator.request_count(),
        2,
        "one for the token, one for the roles"
    );
}

#[tokio::test]
async fn every_organization_is_listed_exactly_once() {
    let simulator = simulated(Options {
        accounts: 10,
        organizations: Some(2_345),
        ..Options::default()
    })
    .await;
    let listed = list(&mut connector(&simulator), ResourceKinds::ORGANIZATIONS).await;
    let listed: Vec<_> = listed
        .iter()
        .map(|item| match item {
            Item::Organization(organization) => organization.id.clone(),
            other => panic!("nobody asked for {other:?}"),
        })
        .collect();
    let expected: Vec<_> = simulator
        .organizations()
        .iter()
        .map(|o| o.id.to_string())
        .collect();
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn every_field_that_is_sent_arrives_as_a_field_or_as_an_attribute() {
    let simulator = tenant(2_000).await;
    let listed = accounts(list(&mut connector(&simulator), ResourceKinds::ACCOUNTS).await);
    let listed: BTreeMap<_, _> = listed
        .iter()
        .map(|account| (account.id.as_str(), account))
        .collect();
    for sent in simulator.accounts() {
        let account = listed[sent.id.to_string().as_str()];
        let kind = match sent.kind {
            AccountKind::Technician => "technician",
            AccountKind::EndUser => "end-user",
        };
        assert_eq!(account.kind.as_deref(), Some(kind));
        assert_eq!(
            account.email.as_deref(),
            Some(sent.email.to_string().as_str())
        );
        if let Some(enabled) = account.enabled {
            assert_eq!(enabled, sent.enabled);
        }
    }
    let names: BTreeSet<_> = listed
        .values()
        .flat_map(|account| account.attributes.iter().map(|a| a.name.as_str()))
        .collect();
    for known in ["permitAllClients", "notifyAllClients", "roles"] {
        assert!(names.contains(known), "{known} is not among {names:?}");
    }
    let roles = listed
        .values()
        .flat_map(|account| &account.attributes)
        .find(|attribute| attribute.name == "roles");
    assert!(
        matches!(roles.expect("just seen").value, Value::Json(_)),
        "a list travels as JSON"
    );
}

#[tokio::test]
async fn an_empty_tenant_is_a_whole_listing_of_nothing() {
    let simulator = tenant(0).await;
    let kinds = ResourceKinds::ACCOUNTS
        | ResourceKinds::ROLES
        | ResourceKinds::GRANTS
        | ResourceKinds::ORGANIZATIONS;
    let page = connector(&simulator)
        .list(&ListRequest::everything(kinds))
        .await
        .expect("a page");
    assert!(page.items.is_empty());
    assert!(matches!(page.next, Continuation::Complete(_)));
}

#[tokio::test]
async fn accounts_can_be_filtered_by_id_by_address_and_by_kind() {
    let simulator = tenant(200).await;
    let mut connector = connector(&simulator);
    let wanted = simulator
        .accounts()
        .into_iter()
        .nth(150)
        .expect("there are 200");
    let everything = ListRequest::everything(ResourceKinds::ACCOUNTS);

    let mut by_id = everything.clone();
    by_id.filter.id = Some(wanted.id.to_string());
    let found = accounts(list_request(&mut connector, by_id).await);
    assert_eq!(
        found.iter().map(|a| a.id.clone()).collect::<Vec<_>>(),
        [wanted.id.to_string()]
    );

    let mut by_email = everything.clone();
    by_email.filter.email = Some(wanted.email.to_string().to_uppercase());
    let found = accounts(list_request(&mut connector, by_email).await);
    assert_eq!(
        found.iter().map(|a| a.id.clone()).collect::<Vec<_>>(),
        [wanted.id.to_string()]
    );

    let mut by_kind = everything.clone();
    by_kind.filter.account_kind = Some("technician".to_string());
    let found = accounts(list_request(&mut connector, by_kind).await);
    let technicians = simulator
        .accounts()
        .iter()
        .filter(|a| a.kind == AccountKind::Technician)
        .count();
    assert!(technicians > 0);
    assert_eq!(found.len(), technicians);
}

#[tokio::test]
async fn management_details_come_from_the_fuller_listings() {
    let simulator = tenant(200).await;
    let mut request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    request.details = connector_host::contract::AccountDetails::MANAGEMENT;
    let listed = accounts(list_request(&mut connector(&simulator), request).await);
    assert_eq!(listed.len(), 200);
    let managed = listed
        .iter()
        .filter(|account| account.externally_managed == Some(true))
        .count();
    let expected = simulator
        .accounts()
        .iter()
        .filter(|account| account.scim)
        .count();
    assert!(expected > 0);
    assert_eq!(managed, expected);
}

#[tokio::test]
async fn all_details_can_be_asked_for_at_once() {
    let simulator = tenant(50).await;
    let mut request = ListRequest::everything(ResourceKinds::ACCOUNTS);
    request.details = connector_host::contract::AccountDetails::all();
    let listed = accounts(list_request(&mut connector(&simulator), request).await);
    assert_eq!(listed.len(), 50);
    assert!(listed.iter().any(|account| account.last_sign_in.is_some()));
    assert!(
        listed
            .iter()
            .any(|account| account.externally_managed.is_some())
    );
}

#[tokio::test]
async fn a_filter_that_does_not_apply_is_refused_before_any_request() {
    let simulator = tenant(5).await;
    let mut request = ListRequest::everything(ResourceKinds::ROLES);
    request.filter.email = Some("a@example.com".to_string());
    request.filter.since = Some(0);
    let failure = failure(connector(&simulator).list(&request).await);
    let Error::InvalidArgument(problems) = failure.error else {
        panic!("{failure:?}")
    };
    let fields: Vec<_> = problems
        .iter()
        .map(|problem| problem.field.as_str())
        .collect();
    assert_eq!(fields, ["filter.email", "filter.since"]);
    assert_eq!(simulator.request_count(), 0);
}

#[tokio::test]
async fn a_listing_of_a_consistent_tenant_has_no_notices() {
    let simulator = tenant(300).await;
    let kinds = ResourceKinds::ACCOUNTS | ResourceKinds::ROLES | ResourceKinds::GRANTS;
    let mut connector = connector(&simulator);
    let mut listing = connector.list_all(ListRequest::everything(kinds));
    let mut notices: Vec<Notice> = Vec::new();
    while let Some(page) = listing.next_page().await.expect("a page") {
        notices.extend(page.notices);
    }
    assert!(notices.is_empty(), "{notices:?}");
}
