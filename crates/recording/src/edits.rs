//! What is put in the place of what, in a text that stays as it is otherwise.
//!
//! A text can be large: it is never copied for a few words in it, but read piece by piece around them.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

/// A range of a text, and what to put in its place.
pub(crate) type Edit = (Range<usize>, &'static str);

/// Edits of one text, in its order and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edits(Vec<Edit>);

impl Edits {
    /// These edits. Where some overlap, the longest stands for all of them: nothing of what any of them covers is left.
    pub(crate) fn new(mut edits: Vec<Edit>) -> Self {
        edits.retain(|(range, _)| !range.is_empty());
        edits.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut apart: Vec<Edit> = Vec::with_capacity(edits.len());
        let mut longest = 0;
        for (range, with) in edits {
            match apart.last_mut() {
                Some((last, chosen)) if range.start < last.end => {
                    last.end = last.end.max(range.end);
                    if range.len() > longest {
                        longest = range.len();
                        *chosen = with;
                    }
                }
                _ => {
                    longest = range.len();
                    apart.push((range, with));
                }
            }
        }
        Self(apart)
    }

    /// Hands the text on in pieces, what is to stand in places of it included.
    pub(crate) fn try_for_each<E>(
        &self,
        text: &[u8],
        mut piece: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut from = 0;
        for (range, with) in &self.0 {
            piece(&text[from..range.start])?;
            piece(with.as_bytes())?;
            from = range.end;
        }
        piece(&text[from..])
    }

    /// How long the text is afterwards.
    pub(crate) fn size(&self, text: &[u8]) -> usize {
        let taken: usize = self.0.iter().map(|(range, _)| range.len()).sum();
        let given: usize = self.0.iter().map(|(_, with)| with.len()).sum();
        text.len() - taken + given
    }

    /// The text, changed.
    pub(crate) fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut changed = Vec::with_capacity(self.size(text));
        let Ok(()) = self.try_for_each::<std::convert::Infallible>(text, |piece| {
            changed.extend_from_slice(piece);
            Ok(())
        });
        changed
    }
}

/// A text with its edits, as text.
pub(crate) struct Edited<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) edits: &'a Edits,
}

impl fmt::Display for Edited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.edits.try_for_each(self.text, |piece| {
            piece.utf8_chunks().try_for_each(|chunk| {
                f.write_str(chunk.valid())?;
                match chunk.invalid() {
                    [] => Ok(()),
                    _ => f.write_str("\u{fffd}"),
                }
            })
        })
    }
}

impl Edited<'_> {
    /// Writes it byte by byte.
    pub(crate) fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.edits
            .try_for_each(self.text, |piece| out.write_all(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beside_the_edits_stays() {
        let edits = Edits::new(vec![(4..5, "FOUR"), (0..1, "")]);
        assert_eq!(edits.apply(b"01234"), b"123FOUR");
        assert_eq!(edits.size(b"01234"), 7);
        assert_eq!(Edits::default().apply(b"01234"), b"01234");
    }

    #[test]
    fn where_edits_overlap_nothing_of_any_is_left_and_the_longest_is_put_there() {
        let edits = Edits::new(vec![(3..5, "B"), (0..4, "A"), (4..6, "C"), (6..7, "D")]);
        assert_eq!(edits.apply(b"01234567"), b"AD7");
        let edits = Edits::new(vec![(0..2, "A"), (1..8, "B")]);
        assert_eq!(edits.apply(b"01234567"), b"B");
    }

    #[test]
    fn what_is_no_text_is_shown_as_such() {
        let (text, edits) = (b"a\xffb", Edits::default());
        let edited = Edited {
            text,
            edits: &edits,
        };
        assert_eq!(edited.to_string(), "a\u{fffd}b");
    }
}
