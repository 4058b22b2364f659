//! The tables of a snapshot, as SQL and as what of them is compared.

/// Creates the tables. SQLite keeps the comments that are inside a statement.
pub const SQL: &str = include_str!("schema.sql");

/// `PRAGMA application_id` of a snapshot: "IdCS", for identity connector snapshot.
pub const APPLICATION_ID: i32 = i32::from_be_bytes(*b"IdCS");

/// `PRAGMA user_version` of the snapshots that this program writes, and the newest that it reads.
pub const VERSION: i32 = 1;

/// The contract whose words the tables are made of.
pub const CONTRACT: &str = "identity:connector@0.1.0";

/// Holds for a row of the table `role` of which it is not known who holds the role. It is the attribute that says so, and no column:
/// then snapshots need no new version, and those that there are can be asked too.
pub const MEMBERS_UNKNOWN: &str = "json_type(attributes, '$.\"members-unknown\"') IS 'true'";

/// What is compared of one table.
pub struct Table {
    pub name: &'static str,
    /// The columns that tell which row is which.
    pub key: &'static [&'static str],
    /// The columns whose change is a difference.
    pub fields: &'static [Field],
}

/// A column that is compared.
#[derive(Clone, Copy)]
pub struct Field {
    pub column: &'static str,
    pub form: Form,
}

/// How a column holds its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    /// A truth value, as 0 or 1.
    Flag,
    /// A JSON object, of which each member is compared by itself.
    Attributes,
}

impl Field {
    /// The name of the field in the contract.
    pub fn name(&self) -> String {
        self.column.replace('_', "-")
    }
}

const fn text(column: &'static str) -> Field {
    field(column, Form::Text)
}

const fn flag(column: &'static str) -> Field {
    field(column, Form::Flag)
}

const fn field(column: &'static str, form: Form) -> Field {
    Field { column, form }
}

const ATTRIBUTES: Field = field("attributes", Form::Attributes);

pub const ACCOUNT: Table = Table {
    name: "account",
    key: &["id"],
    fields: &[
        text("kind"),
        text("external_id"),
        text("email"),
        text("given_name"),
        text("family_name"),
        text("phone"),
        flag("enabled"),
        flag("administrator"),
        flag("mfa_configured"),
        flag("must_change_password"),
        text("invitation"),
        text("organization"),
        flag("externally_managed"),
        text("authentication"),
        text("last_sign_in"),
        ATTRIBUTES,
    ],
};

/// Without `member_count`, which changes with the grants.
pub const ROLE: Table = Table {
    name: "role",
    key: &["id"],
    fields: &[
        text("name"),
        text("account_kind"),
        text("description"),
        ATTRIBUTES,
    ],
};

/// Without the attributes: what is known of a member beyond the grant is known of the account, and changes with it.
pub const GRANT: Table = Table {
    name: "grant",
    key: &["account", "role"],
    fields: &[text("source")],
};

pub const ORGANIZATION: Table = Table {
    name: "organization",
    key: &["id"],
    fields: &[text("name"), text("description"), ATTRIBUTES],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rusqlite::Connection;

    use super::*;

    #[test]
    fn the_contract_is_the_one_that_the_host_speaks() {
        let world = include_str!("../../../wit/world.wit");
        let connector = include_str!("../../../wit/connector.wit");
        let package = format!("package {CONTRACT};");
        assert!(world.contains(&package) || connector.contains(&package));
    }

    #[test]
    fn the_attribute_is_the_one_by_which_the_host_knows_it() {
        let path = format!("'$.\"{}\"'", connector_contract::MEMBERS_UNKNOWN);
        assert!(MEMBERS_UNKNOWN.contains(&path));
    }

    #[test]
    fn every_column_is_a_key_or_compared_or_left_out_on_purpose() {
        let connection = Connection::open_in_memory().expect("memory is there");
        connection
            .execute_batch(SQL)
            .expect("the schema is good SQL");
        for table in [ACCOUNT, ROLE, GRANT, ORGANIZATION] {
            let mut columns = connection
                .prepare("SELECT name FROM pragma_table_info(?1)")
                .expect("it is good SQL");
            let columns = columns.query_map([table.name], |row| row.get::<_, String>(0));
            let columns: Result<BTreeSet<_>, _> = columns.expect("it runs").collect();
            let fields = table.fields.iter().map(|field| field.column);
            let mut known: BTreeSet<_> = fields
                .chain(table.key.iter().copied())
                .map(String::from)
                .collect();
            known.extend(match table.name {
                "role" => Some("member_count".to_string()),
                "grant" => Some("attributes".to_string()),
                _ => None,
            });
            assert_eq!(columns.expect("they are text"), known, "{}", table.name);
        }
    }
}
