//! `provision`: creates, changes, enables, disables and removes accounts.

use connector_host::contract::{
    AccountUpdate, Attribute, Description, FieldDescription, FieldType, FieldUpdate, Mode,
    NewAccount, ProvisionRequest, Value,
};

use super::write::{finish, told};
use crate::args::{CreateArgs, ProvisionCommand, UpdateArgs};
use crate::failure::{Doing, Failure};
use crate::session::Session;

pub async fn run(session: &Session, command: ProvisionCommand) -> Result<(), Failure> {
    let mut connector = session.connector().await?;
    // Which type a field has is for the connector to say. That sends no request.
    let description = connector
        .describe()
        .await
        .doing("Describing the connector")?;
    let (doing, request, mode) = request(command, &description)?;
    session.writing.begin(mode)?;
    let change = connector
        .provision(&request, mode)
        .await
        .doing(told(&doing, mode))?;
    finish(session, &change)
}

fn request(
    command: ProvisionCommand,
    description: &Description,
) -> Result<(String, ProvisionRequest, Mode), Failure> {
    Ok(match command {
        ProvisionCommand::Create(args) => {
            let doing = format!("Creating an account of the kind {}", args.kind);
            let mode = args.plan.mode();
            (
                doing,
                ProvisionRequest::Create(creation(args, description)?),
                mode,
            )
        }
        ProvisionCommand::Update(args) => {
            let doing = format!("Changing account {}", args.account);
            let mode = args.plan.mode();
            (
                doing,
                ProvisionRequest::Update(update(args, description)?),
                mode,
            )
        }
        ProvisionCommand::Enable(args) => {
            let doing = format!("Enabling account {}", args.account);
            (
                doing,
                ProvisionRequest::Enable(args.account),
                args.plan.mode(),
            )
        }
        ProvisionCommand::Disable(args) => {
            let doing = format!("Disabling account {}", args.account);
            (
                doing,
                ProvisionRequest::Disable(args.account),
                args.plan.mode(),
            )
        }
        ProvisionCommand::Delete(args) => {
            let mode = args.plan.mode();
            let deletion = args.deletion();
            let doing = format!("Removing account {}", deletion.account);
            (doing, ProvisionRequest::Delete(deletion), mode)
        }
    })
}

fn creation(args: CreateArgs, description: &Description) -> Result<NewAccount, Failure> {
    let fields: Vec<_> = description
        .account_kinds
        .iter()
        .filter(|kind| kind.kind == args.kind)
        .flat_map(|kind| &kind.create_fields)
        .collect();
    let attributes = args
        .attributes
        .into_iter()
        .map(|(name, text)| {
            Ok(Attribute {
                value: typed(&fields, &name, text)?,
                name,
            })
        })
        .collect::<Result<_, Failure>>()?;
    Ok(NewAccount {
        kind: args.kind,
        email: args.email,
        given_name: args.given_name,
        family_name: args.family_name,
        phone: args.phone,
        organization: args.organization,
        send_invitation: args.send_invitation,
        attributes,
        roles: args.roles,
    })
}

fn update(args: UpdateArgs, description: &Description) -> Result<AccountUpdate, Failure> {
    // Of which kind the account is, only the connector knows. A field has the same type in every kind that has it.
    let fields: Vec<_> = description
        .account_kinds
        .iter()
        .flat_map(|kind| &kind.update_fields)
        .collect();
    let set = args.set.into_iter().map(|(name, text)| {
        let value = typed(&fields, &name, text)?;
        Ok((name, FieldUpdate::Set(value)))
    });
    let clear = args
        .clear
        .into_iter()
        .map(|name| Ok((name, FieldUpdate::Clear)));
    Ok(AccountUpdate {
        account: args.account,
        fields: set.chain(clear).collect::<Result<_, Failure>>()?,
    })
}

/// Reads a value as the type that the connector says the field has. What it does not know goes as text, for it to refuse.
fn typed(fields: &[&FieldDescription], name: &str, text: String) -> Result<Value, Failure> {
    let field_type = fields
        .iter()
        .find(|field| field.name == name)
        .map(|field| &field.type_);
    let wrong = |wanted| {
        Failure::Usage(format!(
            "the field {name} takes {wanted}, and {text:?} is not"
        ))
    };
    match field_type {
        Some(FieldType::Boolean) => text
            .parse()
            .map(Value::Boolean)
            .map_err(|_| wrong("true or false")),
        Some(FieldType::Integer) => text
            .parse()
            .map(Value::Integer)
            .map_err(|_| wrong("a whole number")),
        _ => Ok(Value::Text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, type_: FieldType) -> FieldDescription {
        FieldDescription {
            name: name.to_string(),
            description: String::new(),
            type_,
            required: false,
            length: None,
        }
    }

    #[test]
    fn a_value_gets_the_type_of_its_field() {
        let fields = [
            field("portal", FieldType::Boolean),
            field("level", FieldType::Integer),
        ];
        let fields: Vec<_> = fields.iter().collect();
        let typed = |name, text: &str| typed(&fields, name, text.to_string());
        assert_eq!(
            typed("portal", "true").expect("it is a boolean"),
            Value::Boolean(true)
        );
        assert_eq!(
            typed("level", "3").expect("it is a number"),
            Value::Integer(3)
        );
        assert_eq!(
            typed("unknown", "3").expect("any text will do"),
            Value::Text("3".to_string())
        );
        let failure = typed("portal", "perhaps").expect_err("it is not a boolean");
        assert!(
            failure.to_string().contains("portal takes true or false"),
            "{failure}"
        );
    }
}
