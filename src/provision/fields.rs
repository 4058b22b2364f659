//! The fields that creating and updating an account take: what `describe` tells, and what is checked.

use crate::convert;
use crate::error::Error;
use crate::ninjaone::Api;
use crate::ninjaone::error::Problem;
use crate::ninjaone::wire::{Id, UserType};

/// A field of an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name in the contract.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// The types of user that have it.
    pub of: &'static [UserType],
    /// Whether creating an account needs it.
    pub required: bool,
    /// The most characters (UTF-16 units), where there is such a limit; the least is then 1.
    pub most: Option<u32>,
}

const BOTH: &[UserType] = &UserType::ALL;
const END_USER: &[UserType] = &[UserType::EndUser];
/// The limit that the API documents for names.
const NAME: Option<u32> = Some(150);

const GIVEN_NAME: Field = Field {
    name: "given-name",
    description: "Given (first) name.",
    of: BOTH,
    required: true,
    most: NAME,
};
const FAMILY_NAME: Field = Field {
    name: "family-name",
    description: "Family (last) name.",
    of: BOTH,
    required: true,
    most: NAME,
};
const EMAIL: Field = Field {
    name: "email",
    description: "The address to sign in by. No other account may have it.",
    of: BOTH,
    required: true,
    most: None,
};
const PHONE: Field = Field {
    name: "phone",
    description: "Telephone number.",
    of: BOTH,
    required: false,
    most: None,
};
const ORGANIZATION: Field = Field {
    name: "organization",
    description: "The organization that the end user belongs to. NinjaOne may need it.",
    of: END_USER,
    required: false,
    most: None,
};
const FULL_PORTAL_ACCESS: Field = Field {
    name: "fullPortalAccess",
    description: "Whether the end user sees everything in the end user portal.",
    of: END_USER,
    required: false,
    most: None,
};

/// What creating takes: `CreateTechnicianRequest` and `CreateEndUserRequest` of the API. The API marks no field as required;
/// without a name or an address an account is of no use. Whether an end user needs an organization, NinjaOne says.
pub const CREATE_FIELDS: &[Field] = &[
    GIVEN_NAME,
    FAMILY_NAME,
    EMAIL,
    PHONE,
    ORGANIZATION,
    FULL_PORTAL_ACCESS,
];

/// What updating takes: `UpdateTechnicianRequest` and `EndUserPatchRequest` of the API.
pub const UPDATE_FIELDS: &[Field] = &[GIVEN_NAME, FAMILY_NAME, ORGANIZATION, FULL_PORTAL_ACCESS];

/// Checks the text of a field against its limits.
pub(super) fn check_text(field: &Field, text: &str, problems: &mut Vec<Problem>) {
    // Java, which NinjaOne is written in, counts so: most emoji are two.
    let length = text.encode_utf16().count();
    if text.trim().is_empty() {
        problems.push(Problem::new(field.name, "it is empty", "give it a value"));
    } else if let Some(most) = field.most.filter(|most| length > *most as usize) {
        let problem =
            format!("it has {length} characters (UTF-16 units), and NinjaOne takes at most {most}");
        problems.push(Problem::new(field.name, &problem, "shorten it"));
    }
    if text.chars().any(char::is_control) {
        problems.push(Problem::new(
            field.name,
            "it has a control character in it",
            "take it out",
        ));
    }
}

/// Checks the little that an address has to have. What else is wrong with one is for NinjaOne to say: people have addresses that
/// rules forbid, and there is mail without a dot in its domain.
pub(super) fn check_email(email: &str, problems: &mut Vec<Problem>) {
    let has_sides = email
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    let problem = if !has_sides {
        "by the rule that an address has an @ with something on both sides of it, it is none"
    } else if email.contains(char::is_whitespace) {
        "by the rule that an address has no white space in it, it is none"
    } else {
        return;
    };
    let remedy = "give one like somebody@example.com";
    problems.push(Problem::new(EMAIL.name, problem, remedy));
}

/// Whether a type of user has a field of that name, among these; and a problem that says why not.
pub(super) fn check_name(
    name: &str,
    fields: &[Field],
    user_type: UserType,
    verb: &str,
) -> Result<Field, Problem> {
    let for_this_type = |field: &&Field| field.of.contains(&user_type);
    match fields.iter().find(|field| field.name == name) {
        Some(field) if for_this_type(&field) => Ok(*field),
        _ => {
            let names: Vec<_> = fields
                .iter()
                .filter(for_this_type)
                .map(|field| field.name)
                .collect();
            let kind = convert::account_kind(user_type);
            let problem =
                format!("NinjaOne's API cannot {verb} it for an account of the kind {kind}");
            Err(Problem::new(
                name,
                &problem,
                &format!("leave it out; what it can {verb} is {}", names.join(", ")),
            ))
        }
    }
}

/// Checks that an organization is there.
pub(super) fn check_organization(
    api: &Api,
    id: Id,
    problems: &mut Vec<Problem>,
) -> Result<(), Error> {
    if api.organization(id)?.is_none() {
        let problem = format!("there is no organization {id} in NinjaOne");
        let remedy = "list the organizations to see which there are";
        problems.push(Problem::new(ORGANIZATION.name, &problem, remedy));
    }
    Ok(())
}
