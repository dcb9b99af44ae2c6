//! What can be wrong with a ledger, in words for people.

use std::fmt;

use understudy_core::ledger::{Entry, Head};

/// Something that is wrong with a ledger.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ChainFault {
    /// The disk does not give a file back, or it is no entry although nothing contradicts it.
    #[error("`{file}` cannot be read: {reason}")]
    Unreadable {
        /// The file's name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A file has a format that this program does not know.
    #[error("`{file}` has format {version}, which only a newer version of understudy reads")]
    Newer {
        /// The file's name.
        file: String,
        /// The format.
        version: u32,
    },
    /// An entry is not what was written.
    #[error("entry {number} was changed: {witness} carries another digest")]
    Changed {
        /// The entry.
        number: u64,
        /// What knows the right digest.
        witness: Witness,
    },
    /// Entries are not there.
    #[error("{} missing: {}", range(*first, *last), goes_on(*witness, *last))]
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
        /// What shows that they were there.
        witness: Witness,
    },
    /// Two entries stand in each other's place.
    #[error("entries {0} and {1} were swapped")]
    Swapped(u64, u64),
    /// An entry stands where another belongs.
    #[error("`{}` holds entry {holds} instead of entry {number}", Entry::file_name(*number))]
    Misplaced {
        /// Where it stands.
        number: u64,
        /// Where it belongs.
        holds: u64,
    },
    /// The first entry is not the beginning.
    #[error("entry 1 was not the first: it carries the digest of an entry before it")]
    NoBeginning,
    /// An entry is there that no append wrote.
    #[error("entry {number} was added: the head file ends at entry {head}")]
    Added {
        /// The entry.
        number: u64,
        /// The last entry, as the head file says.
        head: u64,
    },
    /// A file that looks like an entry.
    #[error("`{file}` was added: no entry has that name")]
    Foreign {
        /// The file's name.
        file: String,
    },
    /// Nothing says which entry is the last.
    #[error(
        "the head file `{}` is missing: nobody can say which entry is the last",
        Head::FILE_NAME
    )]
    HeadMissing,
    /// The head file is not what was written.
    #[error("the head file `{}` was changed: {reason}", Head::FILE_NAME)]
    HeadChanged {
        /// How that shows.
        reason: String,
    },
}

/// What an entry is checked against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Witness {
    /// The entry after it.
    Entry(u64),
    /// The head file.
    Head,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(number) => write!(f, "entry {number}"),
            Self::Head => f.write_str("the head file"),
        }
    }
}

fn range(first: u64, last: u64) -> String {
    if first == last {
        format!("entry {first} is")
    } else {
        format!("entries {first} to {last} are")
    }
}

fn goes_on(witness: Witness, last: u64) -> String {
    match witness {
        Witness::Entry(number) => format!("the ledger goes on with entry {number}"),
        Witness::Head => format!("the head file names entry {last} as the last"),
    }
}
