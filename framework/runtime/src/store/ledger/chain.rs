//! Whether a ledger's files are the ones that were written: a pure function over their bytes.

use std::collections::{BTreeMap, BTreeSet};

use understudy_core::digest::Digest;
use understudy_core::ledger::{Entry, Envelope, HEAD_FORMAT, Head, LEDGER_FORMAT};

use super::chain_fault::{ChainFault, Witness};
use super::files::LedgerFiles;

/// Everything that is wrong with a ledger's files; an unfinished append is not.
pub(crate) fn faults(files: &LedgerFiles) -> Vec<ChainFault> {
    let mut faults = Vec::new();
    faults.extend(
        files
            .unreadable
            .iter()
            .map(|(file, reason)| unreadable(file, reason)),
    );
    faults.extend(
        files
            .foreign
            .iter()
            .map(|file| ChainFault::Foreign { file: file.clone() }),
    );
    let head = match head(files) {
        Ok(head) => head,
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    let mut chain = Chain::new(files, head);
    chain.check_contents();
    chain.check_gaps();
    chain.check_head();
    faults.append(&mut chain.faults);
    faults
}

fn head(files: &LedgerFiles) -> Result<Option<Head>, ChainFault> {
    let changed = |reason: &str| ChainFault::HeadChanged {
        reason: reason.to_owned(),
    };
    let Some(bytes) = &files.head else {
        let never_written = files.entries.is_empty();
        return if never_written {
            Ok(None)
        } else {
            Err(ChainFault::HeadMissing)
        };
    };
    let head: Head = serde_json::from_slice(bytes).map_err(|error| changed(&error.to_string()))?;
    if head.version > HEAD_FORMAT {
        return Err(ChainFault::Newer {
            file: Head::FILE_NAME.to_owned(),
            version: head.version,
        });
    }
    if head.version != HEAD_FORMAT || head.to_bytes() != *bytes {
        return Err(changed("it is not written as understudy writes it"));
    }
    Ok(Some(head))
}

/// One file: the digest of its bytes, and what it says it is.
struct Link {
    digest: Digest,
    envelope: Option<Envelope>,
}

struct Chain<'a> {
    files: &'a LedgerFiles,
    head: Option<Head>,
    links: BTreeMap<u64, Link>,
    /// For each number, the digest that its entry had, by the entry after it, wherever that stands now.
    vouched: BTreeMap<u64, Digest>,
    /// Files that are not what was written there; they prove nothing about others.
    doubtful: BTreeSet<u64>,
    faults: Vec<ChainFault>,
}

impl<'a> Chain<'a> {
    fn new(files: &'a LedgerFiles, head: Option<Head>) -> Self {
        let links: BTreeMap<_, _> = files
            .entries
            .iter()
            .map(|(n, bytes)| (*n, link(bytes)))
            .collect();
        let envelopes = links
            .iter()
            .filter_map(|(n, link)| Some((*n, link.envelope.as_ref()?)));
        let (at_home, elsewhere): (Vec<_>, Vec<_>) =
            envelopes.partition(|(n, found)| *n == found.number);
        let vouch =
            |(_, found): &(u64, &Envelope)| (found.number.wrapping_sub(1), found.previous.clone());
        // Of two files with one number, the one in its place goes last and so counts.
        let vouched = elsewhere.iter().chain(&at_home).map(vouch).collect();
        Self {
            files,
            head,
            links,
            vouched,
            doubtful: BTreeSet::new(),
            faults: Vec::new(),
        }
    }

    /// From the last entry to the first: who comes later vouches for who comes before.
    fn check_contents(&mut self) {
        let numbers: Vec<u64> = self.links.keys().rev().copied().collect();
        let mut found = Vec::new();
        for number in numbers {
            if let Some(fault) = self.check_link(number) {
                self.doubtful.insert(number);
                found.push(fault);
            }
        }
        found.reverse();
        self.faults.extend(join_swaps(found));
    }

    fn check_link(&self, number: u64) -> Option<ChainFault> {
        let link = &self.links[&number];
        let holds = link.envelope.as_ref().map(|envelope| envelope.number);
        if let Some(holds) = holds.filter(|holds| *holds != number)
            && self.is_genuine(holds, &link.digest)
        {
            return Some(ChainFault::Misplaced { number, holds });
        }
        let (witness, expected) = self.witness(number).unzip();
        if let Some(witness) = witness
            && expected != Some(&link.digest)
        {
            return Some(ChainFault::Changed { number, witness });
        }
        match holds {
            Some(holds) if holds != number => Some(ChainFault::Misplaced { number, holds }),
            _ => self
                .check_format(number)
                .or_else(|| self.check_beginning(number)),
        }
    }

    /// What knows the digest of an entry: the one after it if that is credible, else the head.
    fn witness(&self, number: u64) -> Option<(Witness, &Digest)> {
        let next = number.saturating_add(1);
        let credible = self.links.contains_key(&next) && !self.doubtful.contains(&next);
        let entry = self.vouched.get(&number).filter(|_| credible);
        let head = self.head.as_ref().filter(|head| head.number == number);
        let by_entry = entry.map(|digest| (Witness::Entry(next), digest));
        by_entry.or_else(|| head.map(|head| (Witness::Head, &head.digest)))
    }

    fn is_genuine(&self, number: u64, digest: &Digest) -> bool {
        let head = self.head.as_ref().filter(|head| head.number == number);
        self.vouched.get(&number) == Some(digest) || head.is_some_and(|head| head.digest == *digest)
    }

    fn check_format(&self, number: u64) -> Option<ChainFault> {
        let (file, bytes) = (Entry::file_name(number), &self.files.entries[&number]);
        let version = self.links[&number]
            .envelope
            .as_ref()
            .map(|envelope| envelope.version);
        match version {
            Some(version) if version > LEDGER_FORMAT => Some(ChainFault::Newer { file, version }),
            Some(0) => Some(unreadable(&file, "there is no format 0")),
            _ => {
                let error = serde_json::from_slice::<Entry>(bytes).err()?;
                Some(unreadable(&file, &error.to_string()))
            }
        }
    }

    fn check_beginning(&self, number: u64) -> Option<ChainFault> {
        let nothing = Digest::of_bytes(b"");
        let envelope = self.links[&number].envelope.as_ref();
        let begins = number != 1 || envelope.is_some_and(|envelope| envelope.previous == nothing);
        (!begins).then_some(ChainFault::NoBeginning)
    }

    fn check_gaps(&mut self) {
        let mut next = 1;
        for number in self.links.keys() {
            if *number > next {
                let witness = Witness::Entry(*number);
                self.faults.push(ChainFault::Missing {
                    first: next,
                    last: number - 1,
                    witness,
                });
            }
            next = number.saturating_add(1);
        }
        let head = self.head.as_ref().map_or(0, |head| head.number);
        if head >= next {
            self.faults.push(ChainFault::Missing {
                first: next,
                last: head,
                witness: Witness::Head,
            });
        }
    }

    fn check_head(&mut self) {
        let Some(head) = &self.head else { return };
        let there = self.links.get(&head.number).map(|link| &link.digest);
        let nothing = Digest::of_bytes(b"");
        let agrees = there.unwrap_or(&nothing) == &head.digest;
        let blamed = self.doubtful.contains(&head.number) || (head.number > 0 && there.is_none());
        if !agrees && !blamed {
            let reason = format!("it carries another digest than entry {}", head.number);
            self.faults.push(ChainFault::HeadChanged { reason });
            return;
        }
        let beyond = self.links.range(head.number.saturating_add(1)..);
        let added = beyond.filter(|(_, link)| !self.files.leftovers.contains(&link.digest));
        let added = added.map(|(number, _)| ChainFault::Added {
            number: *number,
            head: head.number,
        });
        self.faults.extend(added);
    }
}

fn link(bytes: &[u8]) -> Link {
    Link {
        digest: Digest::of_bytes(bytes),
        envelope: serde_json::from_slice(bytes).ok(),
    }
}

fn unreadable(file: &str, reason: &str) -> ChainFault {
    ChainFault::Unreadable {
        file: file.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Says "swapped" once where two entries stand in each other's place.
fn join_swaps(faults: Vec<ChainFault>) -> Vec<ChainFault> {
    let places: BTreeSet<(u64, u64)> = faults.iter().filter_map(place).collect();
    let swapped =
        |fault: &ChainFault| place(fault).filter(|(at, holds)| places.contains(&(*holds, *at)));
    let join = |fault: ChainFault| match swapped(&fault) {
        Some((at, holds)) => (at < holds).then_some(ChainFault::Swapped(at, holds)),
        None => Some(fault),
    };
    faults.into_iter().filter_map(join).collect()
}

fn place(fault: &ChainFault) -> Option<(u64, u64)> {
    match fault {
        ChainFault::Misplaced { number, holds } => Some((*number, *holds)),
        _ => None,
    }
}
