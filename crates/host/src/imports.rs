//! What connectors get: the functions that they may import, linked, and which of them are not wasmtime's own.

use wasmtime::component::{Component, HasData, HasSelf, Linker, Resource, ResourceTable};
use wasmtime::{Engine, StoreContextMut};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::bindings::{clocks, io};
use wasmtime_wasi_http::p2::bindings::http::types::{
    ErrorCode, HostOutgoingRequest as _, Method, OutgoingRequest,
};
use wasmtime_wasi_http::{Error as HttpError, WasiHttpView as _};

use crate::bindings::identity::connector::{deadline, logging, settings};
use crate::instance::State;
use crate::limits::{Limit, LimitReached, REQUEST_TARGET};

/// What connectors may import, without the version. Everything else is named when a component that wants it is loaded.
const GRANTED_IMPORTS: [&str; 10] = [
    "identity:connector/deadline",
    "identity:connector/logging",
    "identity:connector/settings",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// Links what connectors get, and only that.
pub(crate) fn link(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    settings::add_to_linker::<_, HasSelf<_>>(l, |state| state)?;
    logging::add_to_linker::<_, HasSelf<_>>(l, |state| state)?;
    deadline::add_to_linker::<_, HasSelf<_>>(l, |state| state)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, State::clocks)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, State::clocks)?;
    io::error::add_to_linker::<_, Table>(l, State::table)?;
    io::poll::add_to_linker::<_, Table>(l, State::table)?;
    io::streams::add_to_linker::<_, Table>(l, State::table)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    replace_http_functions(l)?;
    Ok(linker)
}

/// Puts functions of ours in the place of wasmtime's.
fn replace_http_functions(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    const HTTP_TYPES: &str = "wasi:http/types@0.2.12";
    const ERROR_CODE: &str = "http-error-code";
    let mut types = linker.instance(HTTP_TYPES)?;
    if types.func_wrap(ERROR_CODE, http_error_code).is_ok() {
        // With another version of WASI ours would lie beside wasmtime's and never be called.
        let missing = format!("wasmtime has no {HTTP_TYPES}: look for its version in imports.rs");
        return Err(wasmtime::Error::msg(missing));
    }
    linker.allow_shadowing(true);
    let mut types = linker.instance(HTTP_TYPES)?;
    types.func_wrap(ERROR_CODE, http_error_code)?;
    types.func_wrap("[method]outgoing-request.set-method", set_method)?;
    types.func_wrap("[method]outgoing-request.set-authority", set_authority)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Sets the method of a request. wasmtime's would keep one of any length in the host, for each request that is never sent.
fn set_method(
    mut store: StoreContextMut<State>,
    (request, method): (Resource<OutgoingRequest>, Method),
) -> wasmtime::Result<(Result<(), ()>,)> {
    if let Method::Other(name) = &method {
        within_target(name)?;
    }
    Ok((store.data_mut().http().set_method(request, method)?,))
}

/// Sets the host of a request, likewise.
fn set_authority(
    mut store: StoreContextMut<State>,
    (request, authority): (Resource<OutgoingRequest>, Option<String>),
) -> wasmtime::Result<(Result<(), ()>,)> {
    if let Some(authority) = &authority {
        within_target(authority)?;
    }
    Ok((store.data_mut().http().set_authority(request, authority)?,))
}

fn within_target(text: &str) -> Result<(), LimitReached> {
    if text.len() <= REQUEST_TARGET {
        return Ok(());
    }
    Err(LimitReached {
        limit: Limit::RequestTarget,
        most: REQUEST_TARGET,
    })
}

/// Tells a guest why a body ended early. The one in `wasmtime-wasi-http` 48 looks for an [`ErrorCode`] in the error of the
/// stream, where there is an [`HttpError`], and so never finds a reason: a slow body, or one that is too large, would look
/// like a broken connection. Everything else that can happen to a body is one, and a guest takes it for one without a code.
fn http_error_code(
    mut store: StoreContextMut<State>,
    (error,): (Resource<io::error::Error>,),
) -> wasmtime::Result<(Option<ErrorCode>,)> {
    let error = store.data_mut().table().get(&error)?;
    let code = match error.downcast_ref() {
        Some(HttpError::ConnectionReadTimeout) => Some(ErrorCode::ConnectionReadTimeout),
        Some(HttpError::HttpResponseIncomplete) => Some(ErrorCode::HttpResponseIncomplete),
        Some(HttpError::HttpResponseBodySize(size)) => Some(ErrorCode::HttpResponseBodySize(*size)),
        Some(HttpError::HttpProtocolError) => Some(ErrorCode::HttpProtocolError),
        _ => None,
    };
    Ok((code,))
}

/// Tells the linker that `wasi:io` works on the resource table of an instance.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// What a component imports beyond that.
pub(crate) fn forbidden_imports(engine: &Engine, component: &Component) -> Vec<String> {
    component
        .component_type()
        .imports(engine)
        .map(|(name, _)| name)
        .filter(|name| {
            let interface = name.split('@').next().unwrap_or(name);
            !GRANTED_IMPORTS.contains(&interface)
        })
        .map(str::to_string)
        .collect()
}
