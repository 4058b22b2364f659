//! How long a `Retry-After` asks to wait (RFC 9110, section 10.2.3), as it is written in practice too.
//!
//! To wait too short a time is what the other side asked not to do, so everything in doubt waits longer: fractions of a second
//! are rounded up, of several values the longest counts, and one that cannot be read is taken for a few seconds.

use std::time::UNIX_EPOCH;

/// What is waited where a value cannot be read: somebody wants to be left alone all the same.
const UNREADABLE_MILLIS: u64 = 5_000;

/// The wait in milliseconds.
pub(crate) fn milliseconds(value: &str, now_unix_seconds: u64) -> u64 {
    let value = value.trim();
    seconds(value)
        .or_else(|| date(value).map(|until| until.saturating_sub(now_unix_seconds)))
        .map_or(UNREADABLE_MILLIS, |seconds| seconds.saturating_mul(1_000))
}

/// A number of seconds, rounded up; the longest of several, as proxies make by adding theirs.
fn seconds(values: &str) -> Option<u64> {
    let seconds = |value: &str| {
        let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), "0"));
        let is_number = [whole, fraction]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        let rounds_up = fraction.bytes().any(|digit| digit != b'0');
        // More digits than that are more seconds than a number has room for.
        let whole = whole.parse().unwrap_or(u64::MAX);
        is_number.then(|| whole.saturating_add(rounds_up.into()))
    };
    let several: Option<Vec<u64>> = values.split(',').map(seconds).collect();
    several?.into_iter().max()
}

/// Seconds since 1970 of a date in any of the forms of HTTP, in whichever case, and whatever it calls its zone.
pub(crate) fn date(value: &str) -> Option<u64> {
    let value = value.trim().to_ascii_lowercase();
    // Another value may follow.
    let zone = value.find("gmt").or_else(|| value.find("utc"));
    let mut date = value[..zone.map_or(value.len(), |zone| zone + "gmt".len())].to_string();
    for zone in ["utc", "ut", "z", "+0000"] {
        if let Some(rest) = date.strip_suffix(zone) {
            date = format!("{rest}gmt");
        }
    }
    let mut date = date.replace("gmt", "GMT").into_bytes();
    for at in 0..date.len() {
        let begins_word = at == 0 || !date[at - 1].is_ascii_alphabetic();
        if begins_word {
            date[at].make_ascii_uppercase();
        }
    }
    let date = httpdate::parse_http_date(std::str::from_utf8(&date).ok()?).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::{date, milliseconds};

    const NOW: u64 = 784_111_777;

    #[test]
    fn reads_all_three_forms_of_an_http_date_and_what_servers_make_of_them() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "sun, 06 nov 1994 08:49:37 gmt",
            "SUN, 06 NOV 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 UT",
            " Sun, 06 Nov 1994 08:49:37 GMT, Mon, 07 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(date(text), Some(NOW), "{text:?}");
        }
        for text in [
            "",
            "soon",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "é",
            "1994-11-06",
        ] {
            assert_eq!(date(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_wait_is_never_shorter_than_asked_for() {
        for (value, wait) in [
            ("0", 0),
            (" 3 ", 3_000),
            ("2.5", 3_000),
            ("2.0", 2_000),
            ("120, 5", 120_000),
            ("5,120", 120_000),
            ("1.5,1.5", 2_000),
            ("99999999999999999999999", u64::MAX),
            ("Sun, 06 Nov 1994 08:49:40 GMT", 3_000),
            ("sun, 06 nov 1994 08:49:40 utc, 5", 3_000),
            ("Sun, 06 Nov 1994 08:49:30 GMT", 0),
            ("", 5_000),
            ("soon", 5_000),
            ("-1", 5_000),
            ("3s", 5_000),
            ("1.", 5_000),
            ("1e3", 5_000),
            ("1994-11-06T08:49:40Z", 5_000),
        ] {
            assert_eq!(milliseconds(value, NOW), wait, "{value:?}");
        }
    }
}
