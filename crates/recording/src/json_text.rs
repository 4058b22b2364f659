//! Changes single texts inside JSON, and leaves every other byte as it is.
//!
//! To parse and write it anew would change numbers, escapes, spaces and the order of fields, all of which a recording is there
//! to show; and what broke off in the middle would not parse at all.

use crate::edits::Edit;

/// Offers each field whose value is text, by name and value, and puts what it is given in the value's place.
///
/// Both come with their escapes, and without the quotes.
pub(crate) fn edits(
    json: &[u8],
    mut replacement: impl FnMut(&str, &[u8]) -> Option<&'static str>,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut at = 0;
    while let Some((name, after_name)) = next_text(json, at) {
        at = after_name;
        let Some(value_start) = value_of_field(json, after_name) else {
            continue;
        };
        let Some((value, after_value)) = next_text(json, value_start) else {
            break;
        };
        at = after_value;
        let name = String::from_utf8_lossy(&json[name]);
        if let Some(replacement) = replacement(&name, &json[value.clone()]) {
            edits.push((value, replacement));
        }
    }
    edits
}

/// Where the next text begins and ends, and where to go on after its closing quote. One that is cut off ends with the input.
fn next_text(json: &[u8], from: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let start = from + json[from..].iter().position(|byte| *byte == b'"')? + 1;
    let mut end = start;
    while let Some(byte) = json.get(end) {
        match byte {
            b'"' => return Some((start..end, end + 1)),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    Some((start..json.len(), json.len()))
}

/// Where the value begins, if what ended here is the name of a field and its value is text.
fn value_of_field(json: &[u8], after_name: usize) -> Option<usize> {
    let skip_space = |from: usize| {
        let space = json[from..].iter().take_while(|b| b.is_ascii_whitespace());
        from + space.count()
    };
    let colon = skip_space(after_name);
    if json.get(colon) != Some(&b':') {
        return None;
    }
    let value = skip_space(colon + 1);
    (json.get(value) == Some(&b'"')).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::Edits;

    fn blank(json: &str) -> String {
        let edits = edits(json.as_bytes(), |name, _| (name == "a").then_some("X"));
        String::from_utf8(Edits::new(edits).apply(json.as_bytes()))
            .expect("texts are replaced by text")
    }

    #[test]
    fn only_the_text_of_the_wanted_field_changes() {
        assert_eq!(
            blank(r#"{"b":"a", "a" : "1\"2", "c":["a","a"],"a":7,"d":{"a":""}}"#),
            r#"{"b":"a", "a" : "X", "c":["a","a"],"a":7,"d":{"a":""}}"#
        );
    }

    #[test]
    fn a_text_that_is_cut_off_is_replaced_up_to_the_end() {
        assert_eq!(blank(r#"{"a":"12"#), r#"{"a":"X"#);
        assert_eq!(blank(r#"{"a":"12\"#), r#"{"a":"X"#);
        assert_eq!(blank(r#"{"a":"#), r#"{"a":"#);
    }

    #[test]
    fn what_is_not_json_stays_as_it_is() {
        for text in ["", "<html lang=\"a\">", "\"a\"", "a\": \"b"] {
            assert_eq!(blank(text), text);
        }
    }
}
