//! What counts as a spelling of a secret, and what does not.

use std::borrow::Cow;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::*;
use crate::reading::reads;

const SECRET: &str = "s3cr3t/Val+ue==";

#[track_caller]
fn is_blanked(spelled: &str, secret: &str) {
    for (before, after) in [("", ""), ("it said \"", "\", twice"), ("=", "&scope=")] {
        assert_eq!(
            blank(&format!("{before}{spelled}{after}"), secret, "[secret]"),
            format!("{before}[secret]{after}"),
            "{spelled}"
        );
    }
}

#[track_caller]
fn is_left(text: &str, secret: &str) {
    assert!(
        matches!(blank(text, secret, "[secret]"), Cow::Borrowed(_)),
        "{text}"
    );
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn unicode(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

fn decimal(text: &str) -> String {
    text.chars()
        .map(|letter| format!("&#{};", u32::from(letter)))
        .collect()
}

fn json(text: &str) -> String {
    let mut quoted = String::new();
    for letter in text.chars() {
        if matches!(letter, '"' | '\\' | '/') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

const ENCODINGS: [fn(&str) -> String; 5] = [percent, unicode, decimal, json, html];

#[test]
fn as_it_is_in_either_case() {
    is_blanked(SECRET, SECRET);
    is_blanked("S3CR3T/vAL+UE==", SECRET);
}

#[test]
fn percent_encoded() {
    is_blanked("s3cr3t%2FVal%2Bue%3D%3D", SECRET);
    is_blanked("s3cr3t%2fVal%2bue%3d=", SECRET);
    is_blanked("%733cr3t/V%61l+ue==", SECRET);
    is_blanked("%533CR3T/V%41l+ue==", SECRET);
    is_blanked(&percent(SECRET), SECRET);
    is_blanked("two+words%20%2B+more", "two words + more");
}

#[test]
fn a_plus_sign_that_was_taken_for_a_space() {
    is_blanked("s3cr3t/Val ue==", SECRET);
    is_blanked(" plus%20", "+plus+");
}

#[test]
fn with_backslashes() {
    is_blanked(r"s3cr3t\/Val+ue==", SECRET);
    is_blanked(r"\u0073\u0033cr3t\u002fVal\u002Bue\u003d=", SECRET);
    is_blanked(r"\x733cr3t\x2fVal\x2Bue==", SECRET);
    is_blanked(r"\u{73}3cr3t\u{00002F}Val+ue==", SECRET);
    is_blanked(r#"a\"b\\c\'d"#, r#"a"b\c'd"#);
    is_blanked(r"line\nfeed\ttab", "line\nfeed\ttab");
    is_blanked("line\\u000afeed%09tab", "line\nfeed\ttab");
}

#[test]
fn with_any_number_of_backslashes() {
    for count in 0..100 {
        let backslashes = "\\".repeat(count);
        is_blanked(&format!("s3cr3t{backslashes}/Val+ue=="), SECRET);
        is_blanked(&format!("{backslashes}s3cr3t/Val+ue=="), SECRET);
        if count > 0 {
            is_blanked(&format!("{backslashes}u00733cr3t/Val+ue=="), SECRET);
        }
    }
}

#[test]
fn as_references_of_html() {
    is_blanked("s3cr3t&#47;Val&#43;ue&#61;&#0061;", SECRET);
    is_blanked("s3cr3t&#x2F;Val&#X2b;ue&#x3d=", SECRET);
    is_blanked("s3cr3t&sol;Val&plus;ue&equals;=", SECRET);
    is_blanked("a&lt;b&gt;c&amp;d&quot;e&apos;f", "a<b>c&d\"e'f");
}

#[test]
fn each_encoding_within_each_other() {
    for secret in [SECRET, "a\\b&c%d<e>\"+'/", "§ünïcödé😀"] {
        for first in ENCODINGS {
            is_blanked(&first(secret), secret);
            for second in ENCODINGS {
                is_blanked(&second(&first(secret)), secret);
                for third in ENCODINGS {
                    is_blanked(&third(&second(&first(secret))), secret);
                }
            }
        }
    }
}

#[test]
fn each_letter_in_another_way() {
    is_blanked(
        r"s%33\u0063&#114;%5Cu0033%2574\/Val%252Bue&amp;#61;\\u003d",
        SECRET,
    );
}

#[test]
fn a_secret_that_looks_like_an_escape() {
    is_blanked("50%25off%41", "50%off%41");
    is_blanked(r"50%off%41\/x", "50%off%41/x");
    is_blanked(r"a\\u0073b\\n", r"a\u0073b\n");
    is_blanked("a&amp;lt;b&#38;#47;c", "a&lt;b&#47;c");
    is_blanked("100%", "100%");
    is_blanked("ends&", "ends&");
    is_blanked("ends&amp;", "ends&");
    is_blanked("\\\\begins", "\\begins");
    is_blanked("ends\\\\", "ends\\");
    is_blanked("dots...and…", "dots...and…");
}

#[test]
fn what_is_left_of_a_text_in_json_is_json_still() {
    assert_eq!(
        blank(r#"{"a":"x\\/secret\\","b":"\"secret\""}"#, "/secret\\", "*"),
        r#"{"a":"x*","b":"\"secret\""}"#
    );
    assert_eq!(
        blank(r#"{"a":"x\\s3cret","b":"\ns3cret\""}"#, "s3cret", "*"),
        r#"{"a":"x*","b":"\n*\""}"#
    );
    assert_eq!(
        blank(r#"{"a":"s3cret\\\""}"#, "s3cret\\", "*"),
        r#"{"a":"*\""}"#
    );
}

#[test]
fn letters_beyond_ascii() {
    for spelled in [
        "pässwörd😀",
        "PäSSWöRD😀",
        "p%C3%A4ssw%c3%b6rd%F0%9F%98%80",
        r"p\u00e4ssw\u00F6rd\ud83d\uDE00",
        r"p\xe4ssw\xf6rd\u{1f600}",
        r"p\xc3\xa4ssw\xc3\xb6rd\xf0\x9f\x98\x80",
        "p&#228;ssw&#xF6;rd&#128512;",
        r"p%5Cu00e4ssw&amp;#246;rd\\ud83d\\ude00",
    ] {
        is_blanked(spelled, "pässwörd😀");
    }
    is_left("pässword", "pässwörd");
    is_left(r"p\u00e5sswörd", "pässwörd");
    is_left(r"\ud83d\u0041word", "😀word");
}

#[test]
fn a_secret_that_is_no_text() {
    let secret = b"\xff\x00\xfeabc";
    assert_eq!(find(b"x\xff\x00\xfeABC", secret, 0), Some(1..7));
    assert_eq!(find(b"x%FF%00\xfe\\x61bc", secret, 0), Some(1..14));
    assert_eq!(
        blank_bytes(b"\xfe\xff\x00\xfeabc.", secret, b"*"),
        b"\xfe*.".as_slice()
    );
}

#[test]
fn a_secret_that_was_cut_off() {
    for (text, blanked) in [
        ("it is s3cr3t/Val", "it is *"),
        ("it is s3cr", "it is *"),
        ("it is s3cr…", "it is *…"),
        ("it is s3cr3t… and more", "it is *… and more"),
        ("it is s3cr3t... and more", "it is *... and more"),
        ("it is s3cr3t%2", "it is *"),
        (r"it is s3cr3t\u002…", "it is *…"),
        (r"it is s3cr3t\", "it is *"),
        ("it is s3cr3t&#4", "it is *"),
        ("it is s3cr3t%252", "it is *"),
    ] {
        assert_eq!(blank(text, SECRET, "*"), blanked, "{text}");
    }
    for text in ["it is s3c", "it is s3c…", "it is s3cr3t/Vow", "s3cr3t, and"] {
        is_left(text, SECRET);
    }
}

#[test]
fn each_time_it_is_there() {
    assert_eq!(
        blank("s3cret s3cret,S3CRETs3cret %733cret", "s3cret", "*"),
        "* *,** *"
    );
    assert_eq!(find(b"s3cret s3cret", b"s3cret", 1), Some(7..13));
    assert_eq!(find(b"s3cret s3cret", b"s3cret", 8), None);
    assert_eq!(find(b"s3cret", b"s3cret", 100), None);
}

#[test]
fn ordinary_text_is_left_as_it_is() {
    for text in [
        "",
        "…",
        "...",
        "100% of %2G and %",
        r"C:\Users\name \u00g1 \",
        "a & b &amp; c &nosuch; &#; &#x; &",
        "+++",
        "secret",
        "s3cr3t/Value==",
        "The client_secret is not accepted (invalid_client).",
    ] {
        is_left(text, SECRET);
    }
}

#[test]
fn a_short_secret_is_found_by_itself_alone() {
    assert_eq!(
        blank("sec is in client_secret=sec&x, s\\u0065c, SEC", "sec", "*"),
        "* is in client_secret=*&x, s\\u0065c, SEC"
    );
    is_left("anything", "");
    is_left("", "");
    is_left("", "abc");
}

/// However a text was made to be slow to read, each of its bytes is looked at some times for each letter of the
/// secret, and not once for each other byte.
#[test]
fn no_text_takes_more_than_a_few_looks_at_each_byte() {
    const LENGTH: usize = 1 << 14;
    for secret in [
        "\\\\\\\\",
        "%%%%%%",
        "s3cr3t/Val+ue==",
        "&&&&x",
        "    x",
        "2525x",
        "%25%25%25x",
    ] {
        for piece in [
            "\\",
            "%",
            "%25",
            "%5C",
            "\\u005c",
            "\\u0025",
            "&",
            "&amp;",
            "&#38;",
            "&#x26;",
            "&#",
            "+",
            "\\u",
            "%2",
            "\\u{",
            "\\ud83d",
            "%%32%35",
            "\\x5c",
            "s3cr3t",
            "%5Cu005c",
            "%2525",
            "%26%2338%3B",
        ] {
            let text: Vec<_> = piece.bytes().cycle().take(LENGTH).collect();
            let before = reads();
            let mut from = 0;
            while let Some(found) = find(&text, secret.as_bytes(), from) {
                from = found.end;
            }
            let letters = text.len() * secret.len();
            let each = (reads() - before) / letters as u64;
            assert!(each < 100, "{secret} in {piece}: {each}");
        }
    }
}

/// What is long and repeats itself costs a number of looks at each byte that does not grow with the secret.
#[test]
fn the_work_is_in_proportion_to_the_text_however_long_the_secret_is() {
    for (letter, length) in [
        ("a", 1_000),
        ("a", 8_000),
        ("+", 40),
        ("&", 40),
        ("%", 1_000),
        ("\\", 4),
        ("\\", 15),
        ("\\", 1_000),
    ] {
        let secret = format!("{}b", letter.repeat(length));
        for piece in [letter, "&", "\\", "+", "%61", "a"] {
            let text = piece.repeat(20_000);
            let before = reads();
            let _ = blank(&text, &secret, "*");
            let each = (reads() - before) / text.len() as u64;
            assert!(each < 100, "{length} of {letter} in {piece}: {each}");
        }
    }
}

#[test]
fn a_secret_behind_what_is_slow_to_read_is_found_still() {
    let secret = format!("{}b", "a".repeat(1_000));
    let text = format!("{}c {secret} c", "a".repeat(20_000));
    let blanked = blank(&text, &secret, "*");
    assert!(
        !blanked.contains(&"a".repeat(SURE)[..]) || !blanked.contains('b'),
        "{blanked}"
    );
    assert!(blanked.ends_with("* c"), "{blanked}");
}
