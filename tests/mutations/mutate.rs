//! What happens to files: on disks, in transfers, by programs, and by somebody who means harm.

use super::bases::Base;
use crate::campaign::Random;

/// The most mutations of one file.
const MOST: usize = 3;
/// The bytes of a header that are aimed at.
const HEADER_BYTES: usize = 48;
/// The longest run of bytes that is moved, removed or added.
const RUN_BYTES: usize = 200;
/// The longest field that is put into a text.
const FIELD_BYTES: usize = 3 << 20;

/// The file with one to three mutations.
pub(crate) fn mutated(base: &Base, random: &mut Random) -> Vec<u8> {
    let mut bytes = base.bytes.clone();
    for _ in 0..=random.below(MOST) {
        match base.extension {
            "csv" | "jsonl" if random.below(3) > 0 => mutate_text(&mut bytes, random),
            "parquet" | "arrow" if random.below(2) > 0 => {
                mutate_header(&mut bytes, &base.headers, random)
            }
            _ => mutate_bytes(&mut bytes, random),
        }
    }
    bytes
}

/// Anything, anywhere.
fn mutate_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = random.below(bytes.len());
    match random.below(7) {
        0 => bytes.truncate(place),
        1 => insert(bytes, place, random),
        2 => drop(bytes.drain(run(bytes, place, random))),
        3 => splice(bytes, place, random),
        4 => swap(bytes, place, random),
        _ => overwrite(bytes, place, random),
    }
}

/// The places that say how much there is: headers of pages, indexes, the footer, and the footer's length.
fn mutate_header(bytes: &mut Vec<u8>, headers: &[usize], random: &mut Random) {
    let header = random.one_of(headers).min(bytes.len());
    let is_footer = headers.last() == Some(&header);
    let size = if is_footer {
        bytes.len() - header
    } else {
        HEADER_BYTES
    };
    let place = header + random.below(size);
    match random.below(6) {
        0 => footer_length(bytes, random),
        1 | 2 => huge_number(bytes, place, random),
        3 => insert(bytes, place.min(bytes.len()), random),
        _ => overwrite(bytes, place, random),
    }
}

fn overwrite(bytes: &mut [u8], place: usize, random: &mut Random) {
    let Some(byte) = bytes.get_mut(place) else {
        return;
    };
    *byte = match random.below(5) {
        0 => 0,
        1 => 0xff,
        2 => byte.wrapping_add(1),
        3 => *byte ^ (1 << random.below(8)),
        _ => random.byte(),
    };
}

fn insert(bytes: &mut Vec<u8>, place: usize, random: &mut Random) {
    let added: Vec<u8> = (0..1 + random.below(16)).map(|_| random.byte()).collect();
    bytes.splice(place..place, added);
}

fn run(bytes: &[u8], place: usize, random: &mut Random) -> std::ops::Range<usize> {
    place..bytes.len().min(place + 1 + random.below(RUN_BYTES))
}

/// A run of bytes from elsewhere, in the place of others.
fn splice(bytes: &mut [u8], place: usize, random: &mut Random) {
    let from = run(bytes, place, random);
    let to = random.below(bytes.len().saturating_sub(from.len()));
    bytes.copy_within(from, to);
}

fn swap(bytes: &mut [u8], place: usize, random: &mut Random) {
    let length = run(bytes, place, random).len();
    let other = random.below(bytes.len().saturating_sub(length));
    for offset in 0..length {
        bytes.swap(place + offset, other + offset);
    }
}

/// A number as Thrift writes it, of up to 70 bits, or one of two, four or eight bytes, over what is there.
fn huge_number(bytes: &mut [u8], place: usize, random: &mut Random) {
    let length = random.one_of(&[2, 4, 5, 8, 9, 10]);
    let last = random.one_of(&[0x00, 0x01, 0x07, 0x0f, 0x7f]);
    let end = bytes.len().min(place + length);
    if let Some(number) = bytes.get_mut(place..end) {
        number.fill(0xff);
        if let Some(byte) = number.last_mut() {
            *byte = last;
        }
    }
}

fn footer_length(bytes: &mut [u8], random: &mut Random) {
    let size = bytes.len();
    if size < 8 {
        return;
    }
    let length = match random.below(4) {
        0 => 0,
        1 => u32::MAX,
        2 => random.next() as u32,
        _ => random.below(size) as u32,
    };
    bytes[size - 8..size - 4].copy_from_slice(&length.to_le_bytes());
}

/// What editors, spreadsheets and other programs do to a CSV, or to JSON.
fn mutate_text(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = random.below(bytes.len());
    let put =
        |bytes: &mut Vec<u8>, text: &[u8]| drop(bytes.splice(place..place, text.iter().copied()));
    match random.below(13) {
        0 => put(bytes, b","),
        1 => put(bytes, b"\""),
        2 => put(bytes, b"\n"),
        3 => put(bytes, b"\r"),
        4 => put(bytes, b"\0"),
        5 => put(
            bytes,
            random.one_of(&[
                b"\xff" as &[u8],
                b"\xc3",
                b"\xed\xa0\x80",
                b"\xf8\x88\x80\x80\x80",
                b"\xc0\x80",
            ]),
        ),
        6 => put(
            bytes,
            random
                .one_of(&[
                    "1e999",
                    "-0",
                    "NaN",
                    "99999999999999999999999999999999999999999",
                    "0x1",
                    "\u{202e}",
                    "=cmd()",
                ])
                .as_bytes(),
        ),
        7 => drop(bytes.splice(0..0, *b"\xef\xbb\xbf")),
        8 => drop(bytes.splice(0..0, *b"\xff\xfe")),
        9 => put(
            bytes,
            &vec![random.one_of(b"a,\"\n1\\[{"); random.below(FIELD_BYTES)],
        ),
        10 => {
            while bytes.last().is_some_and(u8::is_ascii_whitespace) {
                bytes.pop();
            }
        }
        11 => put(
            bytes,
            random
                .one_of(&[
                    "{",
                    "}",
                    "[",
                    "null",
                    "\"id\":1,",
                    "\\ud800",
                    ":",
                    "{}\n",
                    "-",
                    "e5",
                ])
                .as_bytes(),
        ),
        _ => bytes.retain(|byte| *byte != b'\n'),
    }
}
