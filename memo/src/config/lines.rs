//! Which line of a text a byte of it is on.

/// Where the lines of a text end. They are found once, since the line of each key is asked for.
pub(super) struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Lines { ends: ends.collect() }
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_its_own_end() {
        let lines = Lines::of("a\n\nbc");
        let found = [0, 1, 2, 3, 4, 5].map(|offset| lines.line(offset));
        assert_eq!(found, [1, 1, 2, 3, 3, 3]);
        assert_eq!(Lines::of("").line(0), 1);
    }
}
