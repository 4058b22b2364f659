//! The header fields that every request has.

use zeroize::Zeroizing;

/// Who asks. Firewalls refuse requests that do not say so, and NinjaOne's support finds them by it.
const USER_AGENT: &str = concat!("ninjaone-connector/", env!("CARGO_PKG_VERSION"));

/// Header fields of a request, as [`crate::http::Request`] has them.
pub(crate) type Headers = Vec<(&'static str, Zeroizing<String>)>;

/// The header fields of a request with a body of this type, or without one.
pub(crate) fn headers(content_type: Option<&str>) -> Headers {
    let mut headers = Vec::new();
    let mut add = |name, value: &str| headers.push((name, Zeroizing::new(value.to_string())));
    add("accept", "application/json");
    // Without it any coding would be acceptable (RFC 9110, 12.5.3), and none is understood here.
    add("accept-encoding", "identity");
    add("user-agent", USER_AGENT);
    if let Some(content_type) = content_type {
        add("content-type", content_type);
    }
    headers
}
