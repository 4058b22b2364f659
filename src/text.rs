//! Lists within texts.

/// Appends an item to a list, with the separator in between where it is not the first.
///
/// `join` of the standard library first measures, then copies, and is made anew for each type of item: a kilobyte and a half
/// of component for lists of a few words.
pub(crate) fn append(list: &mut String, separator: &str, item: &str) {
    if !list.is_empty() {
        list.push_str(separator);
    }
    list.push_str(item);
}

/// A list of these words.
pub(crate) fn list(words: &[&str], separator: &str) -> String {
    let mut list = String::new();
    for word in words {
        append(&mut list, separator, word);
    }
    list
}
