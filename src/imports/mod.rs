//! The imports of the component, behind the traits through which the rest reaches the outside.

mod host;
mod http;

pub use host::ImportedHost;
pub use http::WasiHttp;
