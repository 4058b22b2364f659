//! What stands at a place of a text once its escapes are undone: once, or several times over.
//!
//! Nothing is copied and nothing is decoded in advance: a place of the text at a level is read when it is asked for. Level 0
//! is the text itself; each further level undoes, once, the escapes of the level below.
//!
//! What this module does not know: what is looked for.

/// How often escapes are undone at most: percent-encoding within JSON within a web page.
pub(crate) const LEVELS: u32 = 3;

/// How many backslashes running are passed over: those of seven escapes within each other.
const MOST_BACKSLASHES: usize = 128;
/// The longest number of a character reference, in digits: more than any character has.
const MOST_DIGITS: usize = 8;

/// The character references by name that stand for ASCII. All other characters have numbers.
const REFERENCES: [(&[u8], u8); 29] = [
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"sol", b'/'),
    (b"bsol", b'\\'),
    (b"plus", b'+'),
    (b"equals", b'='),
    (b"percnt", b'%'),
    (b"num", b'#'),
    (b"dollar", b'$'),
    (b"excl", b'!'),
    (b"quest", b'?'),
    (b"commat", b'@'),
    (b"colon", b':'),
    (b"semi", b';'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"ast", b'*'),
    (b"hat", b'^'),
    (b"lowbar", b'_'),
    (b"grave", b'`'),
    (b"verbar", b'|'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"lsqb", b'['),
    (b"rsqb", b']'),
    (b"lcub", b'{'),
];
/// The longest of these names.
const LONGEST_REFERENCE: usize = 6;

/// What was read: a byte, a character, or what may be meant as either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    byte: Option<u8>,
    character: Option<u32>,
}

impl Unit {
    fn byte(byte: u8) -> Self {
        Unit {
            byte: Some(byte),
            character: byte.is_ascii().then_some(byte.into()),
        }
    }

    fn character(character: u32) -> Self {
        Unit {
            byte: u8::try_from(character).ok().filter(u8::is_ascii),
            character: Some(character),
        }
    }

    fn ascii(self) -> Option<u8> {
        self.byte.filter(u8::is_ascii)
    }

    fn digit(self, radix: u32) -> Option<u32> {
        char::from(self.ascii()?).to_digit(radix)
    }

    /// Whether it is this byte, whichever the case of ASCII letters. A space may be a plus sign that was taken for one.
    pub(crate) fn is_byte(self, byte: u8) -> bool {
        self.byte
            .is_some_and(|own| own.eq_ignore_ascii_case(&byte) || (own == b' ' && byte == b'+'))
    }

    /// Whether it is this character.
    pub(crate) fn is_character(self, character: char) -> bool {
        self.character == Some(character.into())
    }
}

/// The text ends here, or was cut off here, before it said what is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutOff(pub(crate) usize);

/// What was read, and where the text goes on.
type Read = (Unit, usize);

/// A text to read from.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a>(pub(crate) &'a [u8]);

impl Text<'_> {
    /// What may be meant at a place, in each way to read it.
    pub(crate) fn readings(self, at: usize) -> impl Iterator<Item = Result<Read, CutOff>> {
        // A byte that begins no escape is the same at each level.
        let levels = match self.0.get(at..) {
            // Undone once, it is a space, which begins no escape.
            Some([b'+', ..]) => 1,
            // The second would have to be undone for the first, and so on: deeper than is read.
            Some([b'&', b'&', b'&', b'&', ..] | [b'%', b'%', b'%', b'%', ..]) => 0,
            Some([first, ..]) if begins_escape(*first) => LEVELS,
            _ => 0,
        };
        let itself = self.0.get(at).map(|&byte| (Unit::byte(byte), at + 1));
        let undone = (1..=levels).map(move |level| self.read(at, level));
        itself
            .map(Ok)
            .into_iter()
            .chain(undone)
            .chain(self.after_backslashes(at))
    }

    /// Whether the text ends at a place, or was cut off there.
    pub(crate) fn ends_at(self, at: usize) -> bool {
        self.raw(at).is_err()
    }

    fn raw(self, at: usize) -> Result<u8, CutOff> {
        count_read();
        match self.0.get(at..) {
            Some([b'.', b'.', b'.', ..] | [0xE2, 0x80, 0xA6, ..]) => Err(CutOff(at)),
            Some([byte, ..]) => Ok(*byte),
            _ => Err(CutOff(at)),
        }
    }

    /// Reads at a level. What begins like an escape and is none stands for itself.
    fn read(self, at: usize, level: u32) -> Result<Read, CutOff> {
        let raw = self.raw(at)?;
        if level == 0 || !begins_escape(raw) {
            return Ok((Unit::byte(raw), at + 1));
        }
        let below = level - 1;
        let (first, next) = self.read(at, below)?;
        let meant = match first.ascii() {
            Some(b'%') => self
                .number(next, below, 16, 2)?
                .map(|(byte, next)| (Unit::byte(byte as u8), next)),
            Some(b'+') => Some((Unit::byte(b' '), next)),
            Some(b'\\') => Some(self.escape(next, below)?),
            Some(b'&') => self.reference(next, below)?,
            _ => None,
        };
        Ok(meant.unwrap_or((first, next)))
    }

    /// The first place from here on that more than a backslash can be read at: in a long run of them, one near its end.
    pub(crate) fn skip_backslashes(self, at: usize) -> usize {
        let rest = self.0.get(at..).unwrap_or_default();
        let run = rest.iter().take_while(|byte| **byte == b'\\').count();
        at + run.saturating_sub(MOST_BACKSLASHES)
    }

    /// What follows any number of backslashes: they double with each text that is put into another.
    fn after_backslashes(self, at: usize) -> Option<Result<Read, CutOff>> {
        let rest = self.0.get(at..)?;
        let run = rest
            .iter()
            .take(MOST_BACKSLASHES)
            .take_while(|byte| **byte == b'\\');
        match run.count() {
            // The levels get as far as this.
            0..8 => None,
            backslashes => Some(self.escape(at + backslashes, 0)),
        }
    }

    /// What a backslash makes of what follows it (JSON, JavaScript, PHP, Rust).
    fn escape(self, at: usize, level: u32) -> Result<Read, CutOff> {
        let (letter, next) = self.read(at, level)?;
        let control = |byte| Ok((Unit::byte(byte), next));
        let meant = match letter.ascii() {
            Some(b'b') => return control(8),
            Some(b'f') => return control(12),
            Some(b'n') => return control(b'\n'),
            Some(b'r') => return control(b'\r'),
            Some(b't') => return control(b'\t'),
            Some(b'x') => self.number(next, level, 16, 2)?.map(|(number, next)| {
                // JavaScript means a character by it, and others a byte.
                let either = Unit {
                    byte: Some(number as u8),
                    character: Some(number),
                };
                (either, next)
            }),
            Some(b'u') => self.code_point(next, level)?,
            _ => None,
        };
        Ok(meant.unwrap_or((letter, next)))
    }

    /// What follows `\u`: four digits, or twice that for one beyond the first 65,536, or any number of them in braces.
    fn code_point(self, at: usize, level: u32) -> Result<Option<Read>, CutOff> {
        let (brace, next) = self.read(at, level)?;
        if brace.is_byte(b'{') {
            let Some((number, next)) = self.number_to_its_end(next, level, 16)? else {
                return Ok(None);
            };
            let (end, next) = self.read(next, level)?;
            return Ok(end.is_byte(b'}').then_some((Unit::character(number), next)));
        }
        let Some((first, next)) = self.number(at, level, 16, 4)? else {
            return Ok(None);
        };
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(Some((Unit::character(first), next)));
        }
        let (backslash, after) = self.read(next, level)?;
        let (letter, after) = self.read(after, level)?;
        let second = match backslash.is_byte(b'\\') && letter.is_byte(b'u') {
            true => self.number(after, level, 16, 4)?,
            false => None,
        };
        Ok(second
            .filter(|(second, _)| (0xDC00..0xE000).contains(second))
            .map(|(second, next)| {
                let number = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                (Unit::character(number), next)
            }))
    }

    /// What follows `&`: a character reference of HTML, by number or by name.
    fn reference(self, at: usize, level: u32) -> Result<Option<Read>, CutOff> {
        let (hash, next) = self.read(at, level)?;
        if !hash.is_byte(b'#') {
            return self.named(at, level);
        }
        let (x, digits) = self.read(next, level)?;
        let number = match x.is_byte(b'x') {
            true => self.number_to_its_end(digits, level, 16)?,
            false => self.number_to_its_end(next, level, 10)?,
        };
        let Some((number, next)) = number else {
            return Ok(None);
        };
        // Browsers do without the semicolon.
        let (semicolon, after) = self.read(next, level)?;
        let next = if semicolon.is_byte(b';') { after } else { next };
        Ok(Some((Unit::character(number), next)))
    }

    fn named(self, mut at: usize, level: u32) -> Result<Option<Read>, CutOff> {
        let mut name = [0; LONGEST_REFERENCE];
        let mut length = 0;
        loop {
            let (letter, next) = self.read(at, level)?;
            at = next;
            match letter.ascii() {
                Some(b';') => break,
                Some(letter) if letter.is_ascii_alphabetic() && length < LONGEST_REFERENCE => {
                    name[length] = letter;
                    length += 1;
                }
                _ => return Ok(None),
            }
        }
        let found = REFERENCES
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(&name[..length]));
        Ok(found.map(|(_, meant)| (Unit::byte(*meant), at)))
    }

    /// A number of so many digits.
    fn number(
        self,
        mut at: usize,
        level: u32,
        radix: u32,
        digits: usize,
    ) -> Result<Option<(u32, usize)>, CutOff> {
        let mut number = 0;
        for _ in 0..digits {
            let (unit, next) = self.read(at, level)?;
            let Some(digit) = unit.digit(radix) else {
                return Ok(None);
            };
            number = number * radix + digit;
            at = next;
        }
        Ok(Some((number, at)))
    }

    /// A number of as many digits as there are.
    fn number_to_its_end(
        self,
        mut at: usize,
        level: u32,
        radix: u32,
    ) -> Result<Option<(u32, usize)>, CutOff> {
        let mut number = None;
        for _ in 0..MOST_DIGITS {
            let (unit, next) = self.read(at, level)?;
            let Some(digit) = unit.digit(radix) else {
                break;
            };
            number = Some(number.unwrap_or(0) * radix + digit);
            at = next;
        }
        Ok(number.map(|number: u32| (number, at)))
    }
}

/// Whether a byte may be the first of an escape. Whatever is escaped, at whichever level, begins with one of them.
pub(crate) fn begins_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | b'+')
}

#[cfg(not(test))]
fn count_read() {}

#[cfg(test)]
pub(crate) use counted::{count_read, reads};

#[cfg(test)]
mod counted {
    use std::cell::Cell;

    std::thread_local! {
        static READS: Cell<u64> = const { Cell::new(0) };
    }

    pub(crate) fn count_read() {
        READS.set(READS.get() + 1);
    }

    /// How often this thread has looked at a byte.
    pub(crate) fn reads() -> u64 {
        READS.get()
    }
}
