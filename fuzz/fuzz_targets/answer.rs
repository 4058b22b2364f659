//! Any one answer may have any body, and nothing worse than an error comes of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ninjaone_connector::contract::{
    AccountDeletion, AccountDetails, AccountUpdate, Assignment, FieldUpdate, ListRequest, Mode,
    NewAccount, ProvisionRequest, ResourceKinds, Value,
};
use ninjaone_connector_fuzz::answers::{ANSWERS, STATUSES};
use ninjaone_connector_fuzz::{Answer, Outside, Reply, token};

/// What came of a call does not matter here, only what it did on the way.
fn kept<T>(outside: &Outside, _result: T) {
    outside.assert_kept();
}

fuzz_target!(|data: &[u8]| {
    let Some(([which, status, chunk], body)) = data.split_first_chunk() else {
        return;
    };
    let which = usize::from(*which) % ANSWERS.len();
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let body = body.to_vec();
    let outside = Outside::new(usize::from(*chunk), move |_, target| {
        let found = ANSWERS
            .iter()
            .position(|(path, _)| target.starts_with(path));
        match found {
            Some(found) if found == which => Reply::Answer(Answer {
                status,
                body: body.clone(),
                ..Answer::default()
            }),
            Some(0) => token(),
            Some(found) => Reply::Answer(Answer::ok(ANSWERS[found].1)),
            None => Reply::Answer(Answer {
                status: 404,
                ..Answer::default()
            }),
        }
    });
    let connector = outside.connector();
    kept(&outside, connector.check());
    let mut everything = ListRequest::everything(ResourceKinds::all());
    everything.details = AccountDetails::all();
    kept(&outside, connector.list(&everything));
    let connector = outside.connector();
    let assignment = Assignment {
        account: "1".to_string(),
        role: "2".to_string(),
    };
    kept(&outside, connector.grant(&assignment, Mode::Apply));
    let connector = outside.connector();
    let create = ProvisionRequest::Create(NewAccount {
        kind: "technician".to_string(),
        email: Some("new@b.c".to_string()),
        given_name: Some("N".to_string()),
        family_name: Some("N".to_string()),
        phone: None,
        organization: None,
        send_invitation: None,
        attributes: Vec::new(),
        roles: vec!["2".to_string()],
    });
    kept(&outside, connector.provision(create, Mode::Apply));
    let connector = outside.connector();
    let update = ProvisionRequest::Update(AccountUpdate {
        account: "1".to_string(),
        fields: vec![(
            "given-name".to_string(),
            FieldUpdate::Set(Value::Text("B".to_string())),
        )],
    });
    kept(&outside, connector.provision(update, Mode::Apply));
    let connector = outside.connector();
    let delete = ProvisionRequest::Delete(AccountDeletion {
        account: "1".to_string(),
        allow_administrator: true,
    });
    kept(&outside, connector.provision(delete, Mode::Apply));
});
