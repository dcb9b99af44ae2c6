//! Counts the updates of an event stream, without reading what they say.

/// The longest line whose beginning is kept, in bytes: enough for any event's name.
const KEPT: usize = 64;

/// Where in a stream we are.
#[derive(Debug, Default)]
pub(super) struct Frames {
    line: Vec<u8>,
    is_update: bool,
    has_data: bool,
}

impl Frames {
    /// How many updates (`put`, `patch` and `delete` events, and events that nobody knows) end in these bytes.
    pub(super) fn updates_in(&mut self, bytes: &[u8]) -> u64 {
        let mut updates = 0;
        for byte in bytes {
            match byte {
                b'\n' => updates += u64::from(self.end_line()),
                b'\r' => {}
                _ if self.line.len() < KEPT => self.line.push(*byte),
                _ => {}
            }
        }
        updates
    }

    fn end_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let ends = self.is_update && self.has_data;
            *self = Self::default();
            return ends;
        }
        // A comment, such as a heartbeat, begins with a colon.
        self.is_update |= line.starts_with(b"event:");
        self.has_data |= line.starts_with(b"data:");
        false
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;

    #[test]
    fn updates_are_counted_however_the_bytes_are_cut() {
        let text = ": heartbeat\n\nevent: put\ndata: {\"path\":\"/\"}\n\n:\n\nevent:patch\r\ndata: {}\r\n\r\nevent: delete\ndata: {}\n\n";
        for size in [1, 2, 3, 7, text.len()] {
            let mut frames = Frames::default();
            let counts = text
                .as_bytes()
                .chunks(size)
                .map(|part| frames.updates_in(part));
            assert_eq!(counts.sum::<u64>(), 3, "in pieces of {size}");
        }
    }

    #[test]
    fn what_has_not_ended_does_not_count() {
        let mut frames = Frames::default();
        assert_eq!(frames.updates_in(b"event: put\ndata: {}\n"), 0);
        assert_eq!(frames.updates_in(b"\n"), 1);
        assert_eq!(frames.updates_in(b"id: 7\n\n"), 0);
    }
}
