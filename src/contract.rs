//! The contract as Rust types, generated from `wit/`.
#![allow(missing_docs, reason = "generated: every item is documented in wit/")]
#![allow(
    unsafe_code,
    reason = "generated: the canonical ABI passes raw pointers"
)]
#![allow(clippy::all, reason = "generated")]

wit_bindgen::generate!({
    path: "wit",
    world: "plugin",
    generate_all,
    additional_derives: [PartialEq],
    additional_derives_ignore: ["stream-error"],
    pub_export_macro: true,
});

pub use self::exports::identity::connector::connector::Guest;
pub use self::exports::identity::connector::types::*;

impl ListRequest {
    /// Everything of these kinds, from the start, with the connector's own page size.
    pub fn everything(kinds: ResourceKinds) -> Self {
        ListRequest {
            kinds,
            filter: Filter {
                id: None,
                email: None,
                account_kind: None,
                account: None,
                role: None,
                since: None,
            },
            details: AccountDetails::empty(),
            cursor: None,
            limit: None,
        }
    }
}
