//! Tokens, and values that are found in texts whatever program printed them.

use understudy_core::spec::masks::MaskedColumns;

use super::{Mask, Scrubber, TOKEN_PREFIX};

fn mask() -> Mask {
    Mask {
        columns: MaskedColumns::new([&"Email".to_owned()]),
        key: vec![7; 32],
    }
}

fn scrubbed(values: &[&str], text: &str) -> String {
    let mask = mask();
    let mut scrubber = Scrubber::new(&mask, &[b"before".to_vec(), text.into()]).unwrap();
    for value in values {
        scrubber.see(value).unwrap();
    }
    let mut texts = scrubber.finish();
    assert_eq!(texts.remove(0), b"before");
    String::from_utf8(texts.remove(0)).unwrap()
}

#[test]
fn equal_values_have_equal_tokens_and_other_keys_give_others() {
    let one = mask();
    let other = Mask {
        key: vec![8; 32],
        ..mask()
    };
    assert_eq!(one.token("a@b.c"), one.token("a@b.c"));
    assert_ne!(one.token("a@b.c"), one.token("a@b.d"));
    assert_ne!(one.token("a@b.c"), other.token("a@b.c"));
    assert_eq!(one.token("a@b.c").len(), TOKEN_PREFIX.len() + 16);
    assert!(one.has("email") && one.has("EMAIL") && !one.has("mail"));
    assert!(!format!("{one:?}").contains('7'), "the key is not for logs");
}

#[test]
fn a_value_is_found_as_programs_print_it() {
    let token = mask().token("Zoë \"O'Neil\"");
    for printed in [
        "Zoë \"O'Neil\"",
        "zoë \"o'neil\"",
        "Zoë \\\"O'Neil\\\"",
        "Zo\\u00eb \\\"O'Neil\\\"",
        "Zo\\u{eb} \\\"O\\'Neil\\\"",
        "Zoë \"O\\'Neil\"",
        "Zoë \"O''Neil\"",
        "Zoë \"\"O'Neil\"\"",
        "Zoë &quot;O'Neil&quot;",
        "Zo%C3%AB%20%22O%27Neil%22",
        "ZOË \"O'NEIL\"",
    ] {
        let text = format!("row 7: {printed}!");
        assert_eq!(
            scrubbed(&["Zoë \"O'Neil\""], &text),
            format!("row 7: {token}!"),
            "{printed}"
        );
    }
    let token = mask().token("1234.50");
    for printed in ["1234.50", "1234.5", "1234.5000"] {
        assert!(
            scrubbed(&["1234.50"], printed).starts_with(&token),
            "{printed}"
        );
    }
    assert!(!scrubbed(&["2026-01-31 10:11:12"], "at 2026-01-31T10:11:12Z").contains("10:11"));
}

#[test]
fn a_long_value_is_found_where_its_end_or_beginning_is_cut() {
    let value: String = ('a'..='z').chain('0'..='9').chain('A'..='Z').collect();
    let token = mask().token(&value);
    assert_eq!(
        scrubbed(&[&value], &format!("`{}` is", &value[..40])),
        format!("`{token}` is")
    );
    assert_eq!(
        scrubbed(&[&value], &format!("{} is", &value[20..])),
        format!("{token} is")
    );
    assert_eq!(
        scrubbed(&[&value], &format!("x{value}y{value}")),
        format!("x{token}y{token}")
    );
}

#[test]
fn values_that_overlap_leave_nothing() {
    let shown = scrubbed(&["abcdef", "defghi", "xyz"], "_abcdefghi_xyz_");
    let (first, last) = (mask().token("abcdef"), mask().token("xyz"));
    assert_eq!(shown, format!("_{first}_{last}_"));
}

#[test]
fn short_values_and_other_texts_stay() {
    assert_eq!(scrubbed(&["12", "é", ""], "12 é"), "12 é");
    assert_eq!(scrubbed(&["absent"], "present"), "present");
    assert_eq!(scrubbed(&["abc"], ""), "");
}

#[test]
fn what_is_too_long_or_too_full_is_refused() {
    let mask = mask();
    assert!(Scrubber::new(&mask, &[vec![b'a'; super::scrub::MAX_TEXT_BYTES + 1]]).is_err());
    let mut full = Scrubber::new(&mask, &[vec![b'a'; 5 << 20]]).unwrap();
    assert!(full.see("aaa").is_err());
}
