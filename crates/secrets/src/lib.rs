//! Stub.
use std::borrow::Cow;
/// Stub.
pub fn blank<'a>(text: &'a str, secret: &str, placeholder: &str) -> Cow<'a, str> { Cow::Owned(text.replace(secret, placeholder)) }
