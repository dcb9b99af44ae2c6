//! What a program prints, kept with a bound on its length and without its secrets.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use understudy_core::secret::Secrets;
use understudy_sabotage::Sabotage;

/// How much is kept of the beginning, in bytes.
pub const HEAD_BYTES: usize = 6 << 20;
/// How much is kept of the end, in bytes.
pub const TAIL_BYTES: usize = 1 << 20;
/// How much is read at once.
const PIECE_BYTES: usize = 64 << 10;

/// A log that is being written, by a thread of its own: whoever prints never waits for more than that.
#[derive(Debug)]
pub struct KeptLog {
    ended: Receiver<()>,
}

impl KeptLog {
    /// Begins a log at the end of a file: what is written to the pipe that it gives goes there.
    ///
    /// # Errors
    /// The file cannot be opened, or there is no pipe to be had.
    pub fn begin(path: &Path, secrets: Secrets) -> io::Result<(Self, PipeWriter)> {
        let file = File::options().create(true).append(true).open(path)?;
        let (reader, writer) = io::pipe()?;
        let (tell, ended) = channel();
        thread::spawn(move || {
            let mut log = Log {
                file,
                secrets,
                pending: Vec::new(),
                written: 0,
                tail: VecDeque::new(),
                left_out: 0,
            };
            // A disk that is full loses the log, and never stops the one who prints.
            let _ = log.keep(reader);
            let _ = tell.send(());
        });
        Ok((Self { ended }, writer))
    }

    /// Waits until everybody who could print has ended, for a moment at most: what is left of a program may hold the pipe.
    pub fn end(self, patience: Duration) {
        let _ = self.ended.recv_timeout(patience);
    }
}

struct Log {
    file: File,
    secrets: Secrets,
    /// What could be the beginning of a secret.
    pending: Vec<u8>,
    written: usize,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Log {
    fn keep(&mut self, mut pipe: PipeReader) -> io::Result<()> {
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = match pipe.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.pending.extend_from_slice(&piece[..read]);
            let shown = self.secrets.hide_in(&mut self.pending, false);
            self.take(&shown);
        }
        let shown = self.secrets.hide_in(&mut self.pending, true);
        self.take(&shown);
        self.close()
    }

    /// Takes what may be shown: the beginning is written at once, of the rest the end is kept. The pipe is read on even if
    /// nothing can be written any more.
    fn take(&mut self, shown: &[u8]) {
        let room = if Sabotage::NoLogLimit.is_on() {
            shown.len()
        } else {
            HEAD_BYTES.saturating_sub(self.written).min(shown.len())
        };
        let (head, rest) = shown.split_at(room);
        self.written += head.len();
        let _ = self.file.write_all(head);
        self.tail.extend(rest);
        let too_much = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..too_much);
        self.left_out += too_much as u64;
    }

    fn close(&mut self) -> io::Result<()> {
        if self.left_out > 0 {
            writeln!(self.file, "\n… {} bytes are left out here …", self.left_out)?;
        }
        let (one, other) = self.tail.as_slices();
        self.file.write_all(one)?;
        self.file.write_all(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(printed: &[u8], secrets: Secrets) -> Vec<u8> {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("log");
        let (log, mut pipe) = KeptLog::begin(&path, secrets).unwrap();
        pipe.write_all(printed).unwrap();
        drop(pipe);
        log.end(Duration::from_secs(60));
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_short_log_is_kept_as_it_is() {
        assert_eq!(kept(b"one\ntwo\xff", Secrets::default()), b"one\ntwo\xff");
    }

    #[test]
    fn of_a_long_one_the_beginning_and_the_end_are_kept() {
        let mut printed = vec![b'a'; HEAD_BYTES];
        printed.extend(vec![b'b'; 5_000]);
        printed.extend(vec![b'c'; TAIL_BYTES]);
        let kept = kept(&printed, Secrets::default());
        let between = "\n… 5000 bytes are left out here …\n".as_bytes();
        assert_eq!(&kept[..HEAD_BYTES], &printed[..HEAD_BYTES]);
        assert_eq!(&kept[HEAD_BYTES..HEAD_BYTES + between.len()], between);
        assert_eq!(&kept[HEAD_BYTES + between.len()..], vec![b'c'; TAIL_BYTES]);
    }

    #[test]
    fn a_secret_that_stands_across_two_pieces_is_hidden() {
        let mut printed = vec![b'.'; PIECE_BYTES - 3];
        printed.extend_from_slice(b"hunter2-hunter2 end");
        let secrets = Secrets::new([("PASSWORD", "hunter2-hunter2")]);
        let kept = String::from_utf8(kept(&printed, secrets)).unwrap();
        assert!(
            kept.ends_with(".<secret PASSWORD> end"),
            "{}",
            &kept[PIECE_BYTES - 20..]
        );
    }

    #[test]
    fn whoever_holds_the_pipe_is_not_waited_for() {
        let folder = tempfile::TempDir::new().unwrap();
        let (log, pipe) = KeptLog::begin(&folder.path().join("log"), Secrets::default()).unwrap();
        log.end(Duration::from_millis(10));
        drop(pipe);
    }
}
