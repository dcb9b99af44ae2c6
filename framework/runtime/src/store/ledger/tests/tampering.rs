use super::*;
use crate::store::ledger::chain::faults;

/// What `audit verify` says of a ledger of five entries that somebody tampered with, one fault a line.
fn check(tamper: impl FnOnce(&Path), expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 5);
    tamper(folder.path());
    let found: Vec<_> = verify(folder.path())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found.join("\n"), expected);
    assert_eq!(Ledger::open(folder.path()).is_err(), !expected.is_empty());
}

fn edit(folder: &Path, name: &str, from: &str, to: &str) {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

fn swap(folder: &Path, one: &str, other: &str) {
    let (one, other) = (folder.join(one), folder.join(other));
    let kept = fs::read(&one).unwrap();
    fs::rename(&other, &one).unwrap();
    fs::write(&other, kept).unwrap();
}

#[test]
fn untouched_it_is_whole() {
    check(|_| {}, "");
}

#[test]
fn a_changed_entry_is_named() {
    check(
        |folder| edit(folder, "00000003.json", "ana", "bob"),
        "entry 3 was changed: entry 4 carries another digest",
    );
    check(
        |folder| edit(folder, "00000005.json", "ana", "bob"),
        "entry 5 was changed: the head file carries another digest",
    );
    check(
        |folder| edit(folder, "00000003.json", "\"number\": 3", "\"number\": 4"),
        "entry 3 was changed: entry 4 carries another digest",
    );
}

#[test]
fn missing_entries_are_named() {
    let remove = |names: &'static [&str]| {
        move |folder: &Path| {
            names
                .iter()
                .for_each(|name| fs::remove_file(folder.join(name)).unwrap())
        }
    };
    check(
        remove(&["00000001.json"]),
        "entry 1 is missing: the ledger goes on with entry 2",
    );
    check(
        remove(&["00000002.json", "00000003.json"]),
        "entries 2 to 3 are missing: the ledger goes on with entry 4",
    );
    check(
        remove(&["00000005.json"]),
        "entry 5 is missing: the head file names entry 5 as the last",
    );
    check(
        remove(&["head.json"]),
        "the head file `head.json` is missing: nobody can say which entry is the last",
    );
}

#[test]
fn swapped_and_copied_entries_are_named() {
    check(
        |folder| swap(folder, "00000002.json", "00000004.json"),
        "entries 2 and 4 were swapped",
    );
    check(
        |folder| swap(folder, "00000004.json", "00000005.json"),
        "entries 4 and 5 were swapped",
    );
    check(
        |folder| {
            assert!(fs::copy(folder.join("00000002.json"), folder.join("00000004.json")).is_ok())
        },
        "`00000004.json` holds entry 2 instead of entry 4",
    );
}

#[test]
fn added_files_are_named() {
    check(
        |folder| {
            let entry = fs::read_to_string(folder.join("00000005.json")).unwrap();
            let previous = Digest::of_bytes(entry.as_bytes());
            let added: Entry = serde_json::from_str(&entry).unwrap();
            let added = Entry {
                number: 6,
                previous,
                ..added
            };
            fs::write(folder.join("00000006.json"), added.to_bytes()).unwrap();
        },
        "entry 6 was added: the head file ends at entry 5",
    );
    check(
        |folder| fs::write(folder.join("6.json"), b"{}").unwrap(),
        "`6.json` was added: no entry has that name",
    );
    check(
        |folder| fs::write(folder.join("notes.txt"), b"").unwrap(),
        "",
    );
    check(
        |folder| fs::write(folder.join(".tmp-1-0-00000006.json"), b"{").unwrap(),
        "",
    );
}

#[test]
fn a_beginning_that_was_cut_off_is_found() {
    check(
        |folder| {
            fs::remove_file(folder.join("00000001.json")).unwrap();
            let mut previous = None;
            for number in 2..=5 {
                let path = folder.join(Entry::file_name(number));
                let mut entry: Entry = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                entry.number = number - 1;
                entry.previous = previous.unwrap_or(entry.previous);
                previous = Some(Digest::of_bytes(&entry.to_bytes()));
                fs::remove_file(path).unwrap();
                fs::write(folder.join(Entry::file_name(number - 1)), entry.to_bytes()).unwrap();
            }
            let head = Head::new(4, previous.unwrap());
            fs::write(folder.join(Head::FILE_NAME), head.to_bytes()).unwrap();
        },
        "entry 1 was not the first: it carries the digest of an entry before it",
    );
}

#[test]
fn an_older_head_that_no_crash_explains_is_found() {
    check(
        |folder| {
            let digest = Digest::of_bytes(&fs::read(folder.join("00000004.json")).unwrap());
            fs::write(
                folder.join(Head::FILE_NAME),
                Head::new(4, digest).to_bytes(),
            )
            .unwrap();
        },
        "entry 5 was added: the head file ends at entry 4",
    );
    check(
        |folder| edit(folder, "head.json", "\"number\": 5", "\"number\": 3"),
        "the head file `head.json` was changed: it carries another digest than entry 3",
    );
}

#[test]
fn a_newer_format_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let entry = Entry {
        version: LEDGER_FORMAT + 1,
        ..whole(1).1
    };
    fs::write(folder.path().join("00000001.json"), entry.to_bytes()).unwrap();
    let head = Head::new(1, Digest::of_bytes(&entry.to_bytes()));
    fs::write(folder.path().join(Head::FILE_NAME), head.to_bytes()).unwrap();
    assert_eq!(
        Ledger::open(folder.path()).unwrap_err().to_string(),
        format!(
            "the ledger's `00000001.json` has format {}, and this program reads up to {LEDGER_FORMAT}; \
             use the newer version of understudy that wrote it",
            LEDGER_FORMAT + 1
        )
    );
}

#[test]
fn a_ledger_that_cannot_be_read_says_which_file_and_why() {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), 2);
    fs::remove_file(folder.path().join("00000002.json")).unwrap();
    fs::create_dir(folder.path().join("00000002.json")).unwrap();
    let error = Ledger::open(folder.path()).unwrap_err();
    assert!(matches!(error, LedgerError::Unreadable(_)), "{error:?}");
    let expected = "cannot be relied on: `00000002.json` cannot be read: Is a directory (os error 21) \
                    (and 1 more; `understudy audit verify` lists them)";
    assert!(error.to_string().ends_with(expected), "{error}");
}

/// A whole ledger in memory, and its last entry.
fn whole(count: u64) -> (LedgerFiles, Entry) {
    let folder = tempfile::tempdir().unwrap();
    append(folder.path(), usize::try_from(count).unwrap());
    let files = LedgerFiles::read(folder.path());
    let last = serde_json::from_slice(&files.entries[&count]).unwrap();
    (files, last)
}

#[test]
fn no_byte_can_be_changed_unseen() {
    let (mut files, _) = whole(30);
    assert_eq!(faults(&files), []);
    for number in 1..=30 {
        let witness = if number == 30 {
            Witness::Head
        } else {
            Witness::Entry(number + 1)
        };
        for offset in 0..files.entries[&number].len() {
            files.entries.get_mut(&number).unwrap()[offset] ^= 1;
            assert_eq!(
                faults(&files),
                [ChainFault::Changed { number, witness }],
                "byte {offset}"
            );
            files.entries.get_mut(&number).unwrap()[offset] ^= 1;
        }
    }
    for offset in 0..files.head.as_ref().unwrap().len() {
        for bit in 0..8 {
            files.head.as_mut().unwrap()[offset] ^= 1 << bit;
            assert_ne!(faults(&files), [], "byte {offset} of the head");
            files.head.as_mut().unwrap()[offset] ^= 1 << bit;
        }
    }
    assert_eq!(faults(&files), []);
}

#[test]
fn no_entry_can_be_removed_unseen() {
    let (mut files, _) = whole(30);
    for number in 1..=30 {
        let removed = files.entries.remove(&number).unwrap();
        let witness = if number == 30 {
            Witness::Head
        } else {
            Witness::Entry(number + 1)
        };
        assert_eq!(
            faults(&files),
            [ChainFault::Missing {
                first: number,
                last: number,
                witness
            }]
        );
        files.entries.insert(number, removed);
    }
}

#[test]
fn no_two_entries_can_be_swapped_unseen() {
    let (files, _) = whole(30);
    for one in 1..=30 {
        for other in one + 1..=30 {
            let mut entries = files.entries.clone();
            entries.insert(one, files.entries[&other].clone());
            entries.insert(other, files.entries[&one].clone());
            let swapped = LedgerFiles {
                entries,
                head: files.head.clone(),
                ..LedgerFiles::default()
            };
            assert_eq!(faults(&swapped), [ChainFault::Swapped(one, other)]);
        }
    }
}

#[test]
fn no_file_can_be_cut_off_unseen() {
    let (mut files, _) = whole(30);
    for number in [1, 17, 30] {
        let whole = files.entries[&number].clone();
        for length in 0..whole.len() {
            files.entries.insert(number, whole[..length].to_vec());
            let found = faults(&files);
            assert!(
                matches!(found[..], [ChainFault::Changed { number: n, .. }] if n == number),
                "{found:?}"
            );
        }
        files.entries.insert(number, whole);
    }
    let head = files.head.clone().unwrap();
    for length in 0..head.len() {
        files.head = Some(head[..length].to_vec());
        assert!(
            matches!(faults(&files)[..], [ChainFault::HeadChanged { .. }]),
            "{length}"
        );
    }
}
