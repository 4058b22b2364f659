//! HTTP dates (RFC 9110, section 5.6.7), read into seconds since 1970.
//!
//! Written out here because the component has room for a few lines and not for a date library.

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads any of the three forms that a recipient has to accept; `None` for what is none of them.
///
/// A year of two digits is taken for the one nearest to 2026 (RFC 9110 asks for at most 50 years ahead).
pub(crate) fn unix_seconds(text: &str) -> Option<u64> {
    let words: Vec<&str> = text
        .split([' ', ',', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    let (day, month, year, time) = match words[..] {
        // Sun, 06 Nov 1994 08:49:37 GMT, and the obsolete Sunday, 06-Nov-94 08:49:37 GMT
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        // Sun Nov  6 08:49:37 1994
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let year = match (year.len(), year.parse::<i64>().ok()?) {
        (4, year) => year,
        (2, year) if year <= 76 => 2000 + year,
        (2, year) => 1900 + year,
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let day = day
        .parse::<i64>()
        .ok()
        .filter(|day| (1..=31).contains(day))?;
    let mut clock = time
        .split(':')
        .map(|part| part.parse::<i64>().ok().filter(|_| part.len() == 2));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if clock.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    u64::try_from(days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
        .ok()
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, counting years from March so that leap days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * months_since_march + 2) / 5 + day - 1;
    const DAYS_TO_1970: i64 = 719_468;
    year * 365 + leap_days + day_of_year - DAYS_TO_1970
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn reads_all_three_forms_of_an_http_date() {
        let expected = Some(784_111_777);
        assert_eq!(unix_seconds("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
        assert_eq!(unix_seconds("Sunday, 06-Nov-94 08:49:37 GMT"), expected);
        assert_eq!(unix_seconds("Sun Nov  6 08:49:37 1994"), expected);
        assert_eq!(
            unix_seconds("Thu, 29 Feb 2024 00:00:00 GMT"),
            Some(1_709_164_800)
        );
        assert_eq!(unix_seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    }

    #[test]
    fn refuses_what_is_no_http_date() {
        for text in [
            "",
            "soon",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
        ] {
            assert_eq!(unix_seconds(text), None, "{text:?}");
        }
    }
}
