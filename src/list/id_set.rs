//! A set of identifiers that stays small.
//!
//! A listing has to know which identifiers it has met. A million of them in a hash set take many megabytes; here they are
//! kept by their upper 16 bits, each group as a sorted list of the lower 16 while it is small, and as a bitmap once that is
//! smaller. Two bytes an identifier at the worst, and an eighth of a byte where identifiers follow each other.

use std::collections::BTreeMap;

use crate::ninjaone::wire::Id;

/// Identifiers, each at most once.
#[derive(Default)]
pub(crate) struct IdSet(BTreeMap<u16, Group>);

enum Group {
    Sorted(Vec<u16>),
    Bitmap(Box<[u64; BITMAP_WORDS]>),
}

const BITMAP_WORDS: usize = 65_536 / 64;
/// A sorted list of this many takes as much memory as a bitmap.
const MOST_SORTED: usize = BITMAP_WORDS * 4;

impl IdSet {
    /// Adds an identifier; false where it was in already.
    pub(crate) fn insert(&mut self, id: Id) -> bool {
        let (upper, lower) = split(id);
        self.0
            .entry(upper)
            .or_insert_with(|| Group::Sorted(Vec::new()))
            .insert(lower)
    }

    /// Whether an identifier is in.
    pub(super) fn contains(&self, id: Id) -> bool {
        let (upper, lower) = split(id);
        self.0
            .get(&upper)
            .is_some_and(|group| group.contains(lower))
    }
}

fn split(id: Id) -> (u16, u16) {
    let [a, b, c, d] = id.number().to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

fn bit(lower: u16) -> (usize, u64) {
    (usize::from(lower / 64), 1 << (lower % 64))
}

impl Group {
    fn insert(&mut self, lower: u16) -> bool {
        match self {
            Group::Sorted(sorted) => {
                // Identifiers mostly come in ascending order, and then the place is the end.
                let place = match sorted.last() {
                    Some(last) if *last < lower => Err(sorted.len()),
                    _ => sorted.binary_search(&lower),
                };
                let Err(place) = place else { return false };
                if sorted.len() < MOST_SORTED {
                    sorted.insert(place, lower);
                } else {
                    let mut bitmap = Group::Bitmap(Box::new([0; BITMAP_WORDS]));
                    for old in sorted.iter() {
                        bitmap.insert(*old);
                    }
                    bitmap.insert(lower);
                    *self = bitmap;
                }
                true
            }
            Group::Bitmap(words) => {
                let (word, mask) = bit(lower);
                let new = words[word] & mask == 0;
                words[word] |= mask;
                new
            }
        }
    }

    fn contains(&self, lower: u16) -> bool {
        match self {
            Group::Sorted(sorted) => sorted.binary_search(&lower).is_ok(),
            Group::Bitmap(words) => {
                let (word, mask) = bit(lower);
                words[word] & mask != 0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn knows_exactly_what_was_put_in_whatever_the_order() {
        let mut set = IdSet::default();
        let mut reference = HashSet::new();
        let mut number: u32 = 1;
        for _ in 0..200_000 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = Id::parse(&(number % 300_000).to_string()).unwrap();
            assert_eq!(set.contains(id), reference.contains(&id.number()));
            assert_eq!(set.insert(id), reference.insert(id.number()));
            assert!(set.contains(id));
        }
    }
}
