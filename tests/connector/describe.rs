//! What the connector says of itself. That it does nothing else, every test sees to: `support::World` looks at each call.

use std::collections::BTreeSet;

use ninjaone_connector::contract::{
    AccountDetails, Description, FieldType, FilterFields, Operation, ResourceKind, ResourceKinds,
};
use ninjaone_connector::list::LARGEST_PAGE;

use crate::support::tenant::{Answer, Answers, Fault, Unknowns};
use crate::support::{World, list_of, set, template};
use ninjaone_connector::contract::{Attribute, Mode, NewAccount, Value};
use ninjaone_connector::{Connector, describe};

fn description() -> Description {
    let world = World::new();
    let connector = Connector::new(Box::new(world.tenant.clone()), Box::new(world.host.clone()));
    for key in ["base-url", "client-id", "client-secret", "scope"] {
        world.host.unset(key);
    }
    let description = connector.describe();
    assert!(world.tenant.token_requests().is_empty() && world.tenant.lines().is_empty());
    description
}

#[test]
fn it_takes_no_settings_and_no_request_to_say_what_the_connector_is() {
    let own = description();
    assert_eq!(
        (own.name.as_str(), own.title.as_str()),
        ("ninjaone", "NinjaOne")
    );
    assert_eq!(own.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(own.largest_page, LARGEST_PAGE);
    assert_eq!(own.common_errors, describe::COMMON_ERRORS);
    assert!(own.summary.contains("technicians and end users"));
}

#[test]
fn the_operations_are_all_but_letting_in_and_keeping_out() {
    let own = description();
    let operations: Vec<_> = own.operations.iter().map(|own| own.operation).collect();
    assert_eq!(
        operations,
        [
            Operation::ListAccounts,
            Operation::ListRoles,
            Operation::ListGrants,
            Operation::ListOrganizations,
            Operation::ListEvents,
            Operation::Grant,
            Operation::Revoke,
            Operation::CreateAccount,
            Operation::UpdateAccount,
            Operation::DeleteAccount,
        ]
    );
    for (described, operation) in own.operations.iter().zip(describe::OPERATIONS) {
        assert_eq!(described.summary, operation.summary);
        let requests = operation.requests.iter();
        let requests: Vec<_> = requests
            .map(|request| request.endpoint.to_string())
            .collect();
        assert_eq!(described.requests, requests);
        assert_eq!(described.scopes, operation.scopes());
        assert_eq!(
            (described.filters, described.details),
            (operation.filters, operation.details)
        );
        assert_eq!(described.outcomes, operation.outcomes);
        assert_eq!(described.errors, operation.errors);
    }
}

#[test]
fn the_filters_of_a_listing_are_those_that_it_takes() {
    for (kind, operation) in [
        (ResourceKinds::ACCOUNTS, Operation::ListAccounts),
        (ResourceKinds::ROLES, Operation::ListRoles),
        (ResourceKinds::GRANTS, Operation::ListGrants),
        (ResourceKinds::ORGANIZATIONS, Operation::ListOrganizations),
        (ResourceKinds::EVENTS, Operation::ListEvents),
    ] {
        let described = describe::operation(operation).expect("described");
        let mut takes = FilterFields::empty();
        for field in [
            FilterFields::ID,
            FilterFields::EMAIL,
            FilterFields::ACCOUNT_KIND,
            FilterFields::ACCOUNT,
            FilterFields::ROLE,
            FilterFields::SINCE,
        ] {
            let mut request = list_of(kind);
            let given = |own| (field == own).then(|| "1".to_string());
            request.filter.id = given(FilterFields::ID);
            request.filter.email = given(FilterFields::EMAIL);
            request.filter.account = given(FilterFields::ACCOUNT);
            request.filter.role = given(FilterFields::ROLE);
            request.filter.account_kind =
                (field == FilterFields::ACCOUNT_KIND).then(|| "technician".to_string());
            request.filter.since = (field == FilterFields::SINCE).then_some(1);
            takes.set(field, World::new().list(&request).is_ok());
        }
        assert_eq!(takes, described.filters, "{operation:?}");
        let details = match operation {
            Operation::ListAccounts => AccountDetails::all(),
            _ => AccountDetails::empty(),
        };
        assert_eq!(described.details, details);
    }
}

#[test]
fn a_field_is_described_as_it_is_checked() {
    let own = description();
    let names = |fields: &[ninjaone_connector::contract::FieldDescription]| {
        let required = |required| if required { "!" } else { "" };
        let name = |field: &ninjaone_connector::contract::FieldDescription| {
            format!("{}{}", field.name, required(field.required))
        };
        fields.iter().map(name).collect::<Vec<_>>().join(" ")
    };
    let [technician, end_user] = &own.account_kinds[..] else {
        panic!("not two kinds");
    };
    assert_eq!(
        (technician.kind.as_str(), technician.title.as_str()),
        ("technician", "Technician")
    );
    assert_eq!(
        (end_user.kind.as_str(), end_user.title.as_str()),
        ("end-user", "End user")
    );
    assert_eq!(
        names(&technician.create_fields),
        "given-name! family-name! email! phone"
    );
    assert_eq!(
        names(&end_user.create_fields),
        "given-name! family-name! email! phone organization fullPortalAccess"
    );
    let changeable = |fields: &[ninjaone_connector::contract::FieldDescription]| {
        fields
            .iter()
            .map(|field| field.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        changeable(&technician.update_fields),
        ["given-name", "family-name"]
    );
    assert_eq!(
        changeable(&end_user.update_fields),
        [
            "given-name",
            "family-name",
            "organization",
            "fullPortalAccess"
        ]
    );
    let types: Vec<_> = end_user
        .create_fields
        .iter()
        .map(|field| (field.type_.clone(), field.length))
        .collect();
    let name = (FieldType::Text, Some((1, 150)));
    assert_eq!(
        types,
        [
            name.clone(),
            name,
            (FieldType::Email, None),
            (FieldType::Text, None),
            (FieldType::Reference(ResourceKind::Organization), None),
            (FieldType::Boolean, None),
        ]
    );
}

#[test]
fn the_settings_are_the_four_that_are_asked_for() {
    let own = description();
    let settings: Vec<_> = own
        .settings
        .iter()
        .map(|own| {
            (
                own.key.as_str(),
                own.required,
                own.secret,
                own.default.as_deref(),
                own.example.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        settings,
        [
            (
                "base-url",
                true,
                false,
                None,
                Some("https://app.ninjarmm.com")
            ),
            ("client-id", true, false, None, None),
            ("client-secret", true, true, None, None),
            (
                "scope",
                false,
                false,
                Some("monitoring management"),
                Some("monitoring management control")
            ),
        ]
    );
    let scopes = ["monitoring", "management", "control"].map(ToString::to_string);
    assert_eq!(own.settings[3].type_, FieldType::Words(scopes.to_vec()));
    assert_eq!(own.settings[0].type_, FieldType::Url);
}

/// One call of an operation, in a tenant of its own.
type Call = fn(&World);

/// Which requests calls send, as `describe` names them.
fn requests(calls: &[Call]) -> BTreeSet<String> {
    let unknowns = Unknowns {
        missing_user: 400,
        answers: Answers::Nothing,
        ..Unknowns::DOCUMENTED
    };
    let mut requests = BTreeSet::new();
    for call in calls {
        let world = World::with(unknowns);
        call(&world);
        requests.extend(
            world
                .tenant
                .sent()
                .iter()
                .map(|sent| template(&sent.request())),
        );
    }
    requests
}

fn create(world: &World, kind: &str, organization: Option<&str>) {
    let account = NewAccount {
        kind: kind.to_string(),
        email: Some("new@acme.example".to_string()),
        given_name: Some("New".to_string()),
        family_name: Some("One".to_string()),
        phone: None,
        organization: organization.map(ToString::to_string),
        send_invitation: None,
        attributes: match organization {
            Some(_) => vec![Attribute {
                name: "fullPortalAccess".to_string(),
                value: Value::Boolean(true),
            }],
            None => Vec::new(),
        },
        roles: vec!["23".to_string()],
    };
    world.create(&account, Mode::Apply).expect("a change");
}

#[test]
fn every_request_that_is_described_is_sent() {
    let list_accounts: &[Call] = &[
        |world| drop(world.list(&list_of(ResourceKinds::ACCOUNTS))),
        |world| {
            let mut request = list_of(ResourceKinds::ACCOUNTS);
            request.details = AccountDetails::all();
            world.list(&request).expect("a page");
        },
        |world| {
            let mut request = list_of(ResourceKinds::ACCOUNTS);
            request.filter.id = Some("99".to_string());
            world.list(&request).expect("a page");
        },
    ];
    let list_organizations: &[Call] = &[
        |world| drop(world.list(&list_of(ResourceKinds::ORGANIZATIONS))),
        |world| {
            let mut request = list_of(ResourceKinds::ORGANIZATIONS);
            request.filter.id = Some("100".to_string());
            world.list(&request).expect("a page");
        },
    ];
    let update: &[Call] = &[
        |world| drop(world.update("2", &[("given-name", set("A"))], Mode::Apply)),
        |world| drop(world.update("11", &[("organization", set("101"))], Mode::Apply)),
        |world| drop(world.update("99", &[("given-name", set("A"))], Mode::Apply)),
    ];
    let cases: [(Operation, &[Call]); 10] = [
        (Operation::ListAccounts, list_accounts),
        (
            Operation::ListRoles,
            &[|world| drop(world.list(&list_of(ResourceKinds::ROLES)))],
        ),
        (
            Operation::ListGrants,
            &[|world| drop(world.list(&list_of(ResourceKinds::GRANTS)))],
        ),
        (Operation::ListOrganizations, list_organizations),
        (
            Operation::ListEvents,
            &[|world| drop(world.list(&list_of(ResourceKinds::EVENTS)))],
        ),
        (
            Operation::Grant,
            &[
                |world| drop(world.grant("2", "21", Mode::Apply)),
                |world| drop(world.grant("99", "21", Mode::Apply)),
            ],
        ),
        (
            Operation::Revoke,
            &[|world| drop(world.revoke("1", "21", Mode::Apply))],
        ),
        (
            Operation::CreateAccount,
            &[
                |world| create(world, "technician", None),
                |world| create(world, "end-user", Some("100")),
            ],
        ),
        (Operation::UpdateAccount, update),
        (
            Operation::DeleteAccount,
            &[
                |world| drop(world.delete("2", Mode::Apply)),
                |world| drop(world.delete("11", Mode::Apply)),
                |world| drop(world.delete("99", Mode::Apply)),
            ],
        ),
    ];
    for (operation, calls) in cases {
        let described = describe::operation(operation).expect("described");
        let described = described.requests.iter();
        let described: BTreeSet<_> = described
            .map(|request| request.endpoint.to_string())
            .collect();
        assert_eq!(requests(calls), described, "{operation:?}");
    }
}

#[test]
fn the_requests_of_a_write_are_described_in_the_order_in_which_they_are_sent() {
    let world = World::with(Unknowns {
        missing_user: 400,
        ..Unknowns::DOCUMENTED
    });
    world.tenant.always(
        "GET /v2/user/technician/2",
        Fault::Refuse(Answer::text(400, "")),
    );
    let _refused = world.grant("2", "21", Mode::Apply);
    let sent: Vec<_> = world
        .tenant
        .sent()
        .iter()
        .map(|sent| template(&sent.request()))
        .collect();
    let described = describe::operation(Operation::Grant).expect("described");
    let described = described.requests[..4].iter();
    let described: Vec<_> = described
        .map(|request| request.endpoint.to_string())
        .collect();
    assert_eq!(sent, described);
}
