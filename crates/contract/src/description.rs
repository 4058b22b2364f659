//! What a connector says of itself.

use serde::Serialize;
#[cfg(feature = "wasmtime")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{AccountDetails, AccountKind, ErrorKind, Outcome, ResourceKind};

enumeration! {
    /// The operations that a connector can support, each by itself.
    Operation {
        /// `list` of accounts.
        ListAccounts => "list-accounts",
        /// `list` of roles.
        ListRoles => "list-roles",
        /// `list` of grants.
        ListGrants => "list-grants",
        /// `list` of organizations.
        ListOrganizations => "list-organizations",
        /// `list` of events.
        ListEvents => "list-events",
        /// `grant`.
        Grant => "grant",
        /// `revoke`.
        Revoke => "revoke",
        /// `provision` with `create`.
        CreateAccount => "create-account",
        /// `provision` with `update`.
        UpdateAccount => "update-account",
        /// `provision` with `enable`.
        EnableAccount => "enable-account",
        /// `provision` with `disable`.
        DisableAccount => "disable-account",
        /// `provision` with `delete`.
        DeleteAccount => "delete-account",
    }
}

flags! {
    /// The fields of a `filter`.
    filter_fields: FilterFields {
        /// `filter.id`.
        ID = 1 => "id",
        /// `filter.email`.
        EMAIL = 2 => "email",
        /// `filter.account-kind`.
        ACCOUNT_KIND = 4 => "account-kind",
        /// `filter.account`.
        ACCOUNT = 8 => "account",
        /// `filter.role`.
        ROLE = 16 => "role",
        /// `filter.since`.
        SINCE = 32 => "since",
    }
}

/// What a connector says of one operation that it supports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct OperationDescription {
    /// The operation.
    pub operation: Operation,
    /// What it does, in a sentence.
    pub summary: String,
    /// The requests it sends, as method and path template, in the order in which they are first sent.
    pub requests: Vec<String>,
    /// The scopes, or other permissions of the connected system, that it asks for.
    pub scopes: Vec<String>,
    /// For a listing: the filter fields that apply.
    pub filters: FilterFields,
    /// For a listing of accounts: the details it can give.
    pub details: AccountDetails,
    /// For a write: how it can end well, in the mode `apply`.
    pub outcomes: Vec<Outcome>,
    /// How it can fail beyond `common-errors` of the description.
    pub errors: Vec<ErrorKind>,
}

variant! {
    /// The type of a field or a setting.
    FieldType {
        /// Any text.
        Text => "text",
        /// An e-mail address.
        Email => "email",
        /// True or false.
        Boolean => "boolean",
        /// A whole number.
        Integer => "integer",
        /// An absolute URL. As a setting: where the connected system is, and the only origin that the host has to let requests to.
        Url => "url",
        /// One of these texts.
        Choice(Vec<String>) => "choice",
        /// Words out of these, separated by spaces.
        Words(Vec<String>) => "words",
        /// The identifier of a resource of this kind.
        Reference(ResourceKind) => "reference",
    }
}

/// A field that creating or updating an account takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct FieldDescription {
    /// The name: that of a field of `new-account`, or of an attribute.
    pub name: String,
    /// What it means.
    pub description: String,
    /// What it may be.
    #[cfg_attr(feature = "wasmtime", component(name = "type"))]
    pub type_: FieldType,
    /// Whether creating an account needs it.
    pub required: bool,
    /// The fewest and the most characters, where there is such a limit.
    pub length: Option<(u32, u32)>,
}

/// A kind of account, and what can be done with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(rename_all = "camelCase")]
pub struct AccountKindDescription {
    /// Its name in `account.kind` and in filters.
    pub kind: AccountKind,
    /// Its name for people.
    pub title: String,
    /// Who such accounts are for.
    pub description: String,
    /// The fields that creating one takes.
    #[cfg_attr(feature = "wasmtime", component(name = "create-fields"))]
    pub create_fields: Vec<FieldDescription>,
    /// The fields that can be changed later.
    #[cfg_attr(feature = "wasmtime", component(name = "update-fields"))]
    pub update_fields: Vec<FieldDescription>,
}

/// A setting that the connector asks its host for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
pub struct SettingDescription {
    /// Its key in `settings.get`.
    pub key: String,
    /// Its name for people.
    pub title: String,
    /// What it means and where to find it.
    pub description: String,
    /// What it may be.
    #[cfg_attr(feature = "wasmtime", component(name = "type"))]
    #[serde(rename = "valueType")]
    pub type_: FieldType,
    /// Whether there is no default.
    pub required: bool,
    /// Whether it must never be shown, logged or stored in the clear.
    pub secret: bool,
    /// The value taken where the host has none.
    pub default: Option<String>,
    /// A value for people to take pattern from.
    pub example: Option<String>,
}

/// What a connector is and what it can do. Found without any setting and without any request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "wasmtime",
    derive(ComponentType, Lift, Lower),
    component(record)
)]
#[serde(tag = "type", rename = "description", rename_all = "camelCase")]
pub struct Description {
    /// A short name fit for file names, for example `in-memory`.
    pub name: String,
    /// The name of the connected system for people.
    pub title: String,
    /// The version of the connector, by semantic versioning.
    pub version: String,
    /// What it connects to and for what.
    pub summary: String,
    /// The settings it asks for.
    pub settings: Vec<SettingDescription>,
    /// The kinds of account there are.
    #[cfg_attr(feature = "wasmtime", component(name = "account-kinds"))]
    pub account_kinds: Vec<AccountKindDescription>,
    /// The operations it supports. What is not in here answers `unsupported`.
    pub operations: Vec<OperationDescription>,
    /// How every operation that sends a request can fail.
    #[cfg_attr(feature = "wasmtime", component(name = "common-errors"))]
    pub common_errors: Vec<ErrorKind>,
    /// The most items that a page has.
    #[cfg_attr(feature = "wasmtime", component(name = "largest-page"))]
    pub largest_page: u32,
}
