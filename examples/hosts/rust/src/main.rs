//! The NinjaOne connector in a program that has nothing but wasmtime: lists accounts, grants a role, tells an error by its type.
//!
//! Arguments: an account and a role for it. Settings: NINJAONE_BASE_URL and the like. The component: COMPONENT.

use wasmtime::component::{Component, HasSelf, Linker, ResourceTable, bindgen};
use wasmtime::{Engine, Error, Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView, default_hooks};

use exports::identity::connector::types::{Error as FailureKind, *};
use identity::connector::{deadline, logging, settings};

bindgen!({
    path: "../../../wit",
    world: "plugin",
    exports: { default: async },
    with: {
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:http": wasmtime_wasi_http::p2::bindings::http,
    },
});

/// What the imports of the component work on.
#[derive(Default)]
struct State(ResourceTable, WasiCtx, WasiHttpCtx);

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let (table, ctx) = (&mut self.0, &mut self.1);
        WasiCtxView { ctx, table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        // These hooks send wherever the component asks: a host for components that it does not trust checks the origin in its own.
        let (table, ctx, hooks) = (&mut self.0, &mut self.2, default_hooks());
        WasiHttpCtxView { ctx, table, hooks }
    }
}

impl settings::Host for State {
    fn get(&mut self, key: String) -> Result<Option<String>, settings::SettingsError> {
        let variable = format!("NINJAONE_{}", key.to_uppercase().replace('-', "_"));
        Ok(std::env::var(variable).ok())
    }
}

impl logging::Host for State {
    fn log(&mut self, _: logging::Level, message: String, _: Vec<logging::Field>) {
        eprintln!("{message}");
    }
}

impl deadline::Host for State {
    fn time_left(&mut self) -> Option<u64> {
        None
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi_http::p2::add_to_linker_async(&mut linker)?;
    settings::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    logging::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    deadline::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    let component = Component::from_file(&engine, std::env::var("COMPONENT")?)?;
    let mut store = Store::new(&engine, State::default());
    let plugin = Plugin::instantiate_async(&mut store, &component, &linker).await?;
    let connector = plugin.identity_connector_connector();
    println!("{}", connector.call_describe(&mut store).await?.title);

    // Page by page. A listing that is cut short is an error, never a short list.
    let mut accounts = 0;
    let mut request = ListRequest {
        kinds: ResourceKinds::ACCOUNTS,
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
    };
    loop {
        let page = connector.call_list(&mut store, &request).await?;
        let page = page.map_err(|failure| Error::msg(failure.message))?;
        accounts += page.items.len();
        let Continuation::More(cursor) = page.next else {
            break;
        };
        request.cursor = Some(cursor);
    }
    println!("accounts: {accounts}");

    let names: Vec<String> = std::env::args().skip(1).collect();
    for account in [&names[0], &names[0], "999999"] {
        let (account, role) = (account.to_string(), names[1].clone());
        let pair = Assignment { account, role };
        let result = connector.call_grant(&mut store, &pair, Mode::Apply).await?;
        match result {
            Ok(change) => println!("grant: {:?}", change.outcome),
            Err(failure) => match failure.error {
                FailureKind::NotFound(what) => println!("not found: {}", what.id),
                _ => return Err(Error::msg(failure.message)),
            },
        }
    }
    Ok(())
}
