//! The arguments of `provision`.

use clap::{Args, Subcommand};
use connector_host::contract::AccountDeletion;

use super::PlanFlag;

#[derive(Debug, Subcommand)]
pub enum ProvisionCommand {
    /// Create an account
    #[command(after_long_help = examples!(
        "connector-host provision create --kind technician --email jo@example.com --given-name Jo --family-name Doe",
        "connector-host provision create --kind end-user --email jo@example.com --given-name Jo --family-name Doe --organization 2 --send-invitation",
        "connector-host provision create --kind technician --email jo@example.com --given-name Jo --family-name Doe --role 7 --plan"
    ))]
    Create(CreateArgs),
    /// Change fields of an account
    #[command(after_long_help = examples!(
        "connector-host provision update --account 42 --set family-name=Roe",
        "connector-host provision update --account 42 --clear organization --plan"
    ))]
    Update(UpdateArgs),
    /// Let an account sign in
    #[command(after_long_help = examples!("connector-host provision enable --account 42"))]
    Enable(AccountArgs),
    /// Stop an account from signing in
    #[command(after_long_help = examples!("connector-host provision disable --account 42"))]
    Disable(AccountArgs),
    /// Remove an account
    #[command(after_long_help = examples!(
        "connector-host provision delete --account 42 --plan",
        "connector-host provision delete --account 42 --allow-administrator"
    ))]
    Delete(DeleteArgs),
}

/// An account to create. `connector-host describe` tells what each kind of account takes and needs.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The kind of account, such as technician or end-user
    #[arg(long)]
    pub kind: String,
    /// The address
    #[arg(long)]
    pub email: Option<String>,
    /// Given name
    #[arg(long, visible_alias = "first-name", value_name = "NAME")]
    pub given_name: Option<String>,
    /// Family name
    #[arg(long, visible_alias = "last-name", value_name = "NAME")]
    pub family_name: Option<String>,
    /// Telephone number
    #[arg(long, value_name = "NUMBER")]
    pub phone: Option<String>,
    /// The organization to belong to
    #[arg(long, value_name = "ID")]
    pub organization: Option<String>,
    /// Whether an invitation is sent; without it, what the connected system does of itself
    #[arg(long, value_name = "WHETHER", num_args = 0..=1, default_missing_value = "true")]
    pub send_invitation: Option<bool>,
    /// A further field; can be repeated
    #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = assignment)]
    pub attributes: Vec<(String, String)>,
    /// A role to grant once the account is there; can be repeated
    #[arg(long = "role", value_name = "ID")]
    pub roles: Vec<String>,
    #[command(flatten)]
    pub plan: PlanFlag,
}

#[derive(Debug, Args)]
pub struct UpdateArgs {
    /// The account
    #[arg(long, value_name = "ID")]
    pub account: String,
    /// Give a field a value; can be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = assignment, required_unless_present = "clear")]
    pub set: Vec<(String, String)>,
    /// Take the value of a field away; can be repeated
    #[arg(long, value_name = "FIELD")]
    pub clear: Vec<String>,
    #[command(flatten)]
    pub plan: PlanFlag,
}

#[derive(Debug, Args)]
pub struct AccountArgs {
    /// The account
    #[arg(long, value_name = "ID")]
    pub account: String,
    #[command(flatten)]
    pub plan: PlanFlag,
}

#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// The account
    #[arg(long, value_name = "ID")]
    account: String,
    /// Remove it even if it administers the connected system
    #[arg(long)]
    allow_administrator: bool,
    #[command(flatten)]
    pub plan: PlanFlag,
}

impl DeleteArgs {
    pub fn deletion(self) -> AccountDeletion {
        AccountDeletion {
            account: self.account,
            allow_administrator: self.allow_administrator,
        }
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("not of the form name=value".to_string()),
    }
}
