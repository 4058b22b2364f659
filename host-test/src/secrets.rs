//! Looks for secrets in what came out: whole and in parts, plain and encoded.

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// How many characters in a row of a secret are a part of it. Fewer turn up by chance.
const PART: usize = 8;

/// Finds some secrets.
pub struct Search {
    parts: Vec<String>,
    automaton: AhoCorasick,
}

impl Search {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut parts: Vec<_> = secrets.into_iter().flat_map(forms).collect();
        parts.sort();
        parts.dedup();
        let automaton = AhoCorasick::new(&parts).expect("they are few");
        Search { parts, automaton }
    }

    /// The parts of secrets in this, each with what is around it.
    pub fn found(&self, bytes: &[u8]) -> Vec<String> {
        self.automaton
            .find_iter(bytes)
            .map(|found| {
                let start = found.start().saturating_sub(60);
                let end = bytes.len().min(found.end() + 20);
                let part = &self.parts[found.pattern()];
                let around = String::from_utf8_lossy(&bytes[start..end]);
                format!("{part:?} in …{around}…")
            })
            .collect()
    }
}

/// Every part of a secret, in every form.
fn forms(secret: &str) -> Vec<String> {
    assert!(secret.len() >= 2 * PART, "too short to tell from chance");
    let mut forms = parts(secret);
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    forms.extend(parts(&percent));
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    forms.extend(parts(&hex));
    forms.extend(parts(&hex.to_uppercase()));
    // As `Debug` shows bytes.
    for window in bytes.windows(PART) {
        let numbers: Vec<_> = window.iter().map(ToString::to_string).collect();
        forms.push(numbers.join(", "));
    }
    for padding in ["", "1", "12"] {
        let padded = format!("{padding}{secret}");
        for encoded in [STANDARD.encode(&padded), URL_SAFE.encode(&padded)] {
            // Four characters at each end hold bits of what is beside it.
            forms.extend(parts(&encoded[4..encoded.len() - 4]));
        }
    }
    let backwards: String = secret.chars().rev().collect();
    forms.extend(parts(&backwards));
    forms
}

fn parts(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters
        .windows(PART)
        .map(|window| window.iter().collect())
        .collect()
}
