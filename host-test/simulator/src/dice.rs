//! Repeatable chance: everything that looks random in the simulator follows from a seed.
//!
//! The generator is SplitMix64: a dozen lines, fast, and even enough for test data.

/// The state of the generator; each roll moves it on.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u16) -> u16 {
        // A remainder of a u16 fits a u16.
        (self.roll() % u64::from(limit)) as u16
    }

    /// An index into a table of `length` entries, of which there are 1 to 256.
    pub(super) fn index(&mut self, length: usize) -> u8 {
        // A remainder of at most 256 fits a byte.
        (self.roll() % length as u64) as u8
    }

    /// True in `percent` of a hundred cases.
    pub(super) fn chance(&mut self, percent: u16) -> bool {
        self.below(100) < percent
    }

    /// One of the items, or `None` if there are none.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let length = items.len() as u64;
        let index = self.roll().checked_rem(length)?;
        // Below the length of a slice, which is a usize.
        items.get(index as usize)
    }
}
