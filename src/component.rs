//! The exports of the component: WIT in, WIT out, nothing else.
#![allow(
    unsafe_code,
    reason = "the export macro of wit-bindgen defines the raw entry points"
)]

use crate::Connector;
use crate::contract::{
    self, Assignment, Change, CheckReport, Description, Failure, Guest, ListRequest, Mode, Page,
    ProvisionRequest,
};
use crate::imports::{ImportedHost, WasiHttp};
use crate::ninjaone::host::{Host, Level};

/// An allocator that is made for WebAssembly: an item of a page takes it about 30 times.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

thread_local! {
    /// The one connector of this instance. A component has one thread.
    static CONNECTOR: Connector = {
        // A trap says nothing by itself: this is how its reason gets out.
        std::panic::set_hook(Box::new(|panic| ImportedHost.log(Level::Error, &format!("panic: {panic}"), &[])));
        Connector::new(Box::new(WasiHttp), Box::new(ImportedHost))
    };
}

struct Component;

impl Guest for Component {
    fn describe() -> Description {
        CONNECTOR.with(Connector::describe)
    }

    fn check() -> Result<CheckReport, Failure> {
        CONNECTOR.with(Connector::check)
    }

    fn list(request: ListRequest) -> Result<Page, Failure> {
        CONNECTOR.with(|connector| connector.list(&request))
    }

    fn grant(assignment: Assignment, mode: Mode) -> Result<Change, Failure> {
        CONNECTOR.with(|connector| connector.grant(&assignment, mode))
    }

    fn revoke(assignment: Assignment, mode: Mode) -> Result<Change, Failure> {
        CONNECTOR.with(|connector| connector.revoke(&assignment, mode))
    }

    fn provision(request: ProvisionRequest, mode: Mode) -> Result<Change, Failure> {
        CONNECTOR.with(|connector| connector.provision(request, mode))
    }
}

contract::export!(Component with_types_in contract);
