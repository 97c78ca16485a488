//! Plain-text tables and numbers a person can read.

use std::{fmt, time::Duration};

/// Longer cells are cut.
const MAX_WIDTH: usize = 64;

/// Rows of cells below a line of headings. The first column is aligned to the left, as text is; the
/// others to the right, as numbers are, but for those whose heading begins with `<`.
pub(crate) struct Table {
    title: String,
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(title: impl Into<String>, headings: &[&'static str]) -> Self {
        Self { title: title.into(), headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// Where there are more or fewer cells than headings.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        assert_eq!(N, self.headings.len(), "a row has a cell for each heading");
        self.rows.push(cells.map(|cell| cut(&cell)).into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headings.iter().map(|heading| heading.trim_start_matches('<'));
        let widths: Vec<usize> = names
            .clone()
            .enumerate()
            .map(|(column, name)| {
                let cells = self.rows.iter().map(|row| row[column].chars().count());
                cells.chain([name.chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::new();
            for (column, (cell, &width)) in cells.zip(&widths).enumerate() {
                let left = column == 0 || self.headings[column].starts_with('<');
                let gap = if column == 0 { "" } else { "  " };
                text += &if left { format!("{gap}{cell:<width$}") } else { format!("{gap}{cell:>width$}") };
            }
            writeln!(f, "{}", text.trim_end())
        };

        writeln!(f, "{}", self.title)?;
        line(f, &mut names.clone())?;
        let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        line(f, &mut rules.iter().map(String::as_str))?;
        for row in &self.rows {
            line(f, &mut row.iter().map(String::as_str))?;
        }
        Ok(())
    }
}

/// The cell on one line, and not too long: of what is cut, paths say most at their end and messages at
/// their beginning.
fn cut(cell: &str) -> String {
    let chars: Vec<char> = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if chars.len() <= MAX_WIDTH {
        chars.into_iter().collect()
    } else if cell.contains(' ') {
        chars[..MAX_WIDTH - 1].iter().chain(['…'].iter()).collect()
    } else {
        ['…'].iter().chain(&chars[chars.len() - (MAX_WIDTH - 1)..]).collect()
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration to three digits: `1.23 s`, `45.6 ms`, `789 µs`.
pub(crate) fn duration(d: Duration) -> String {
    let (value, unit) = match d.as_secs_f64() {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new("title", &["name", "n", "<note"]);
        table.row(["a".into(), "1".into(), "x y".into()]);
        table.row(["longer".into(), "12,345".into(), "z".into()]);
        let expected = "title\n\
                        name         n  note\n\
                        ------  ------  ----\n\
                        a            1  x y\n\
                        longer  12,345  z\n";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn long_cells_are_cut_and_stay_on_one_line() {
        assert_eq!(cut("a\nb"), "a b");
        let path = format!("{}/end.rs", "x".repeat(100));
        assert!(cut(&path).starts_with('…') && cut(&path).ends_with("/end.rs"));
        assert!(cut(&"word ".repeat(40)).starts_with("word word"));
        assert_eq!(cut(&path).chars().count(), MAX_WIDTH);
        assert_eq!(cut(&"ü".repeat(MAX_WIDTH)), "ü".repeat(MAX_WIDTH));
    }

    #[test]
    fn numbers_and_durations() {
        let seen = [0, 999, 1000, 1_234_567].map(number);
        assert_eq!(seen, ["0", "999", "1,000", "1,234,567"]);
        let seen = [1_230_000_000, 45_600_000, 789_000, 150].map(|n| duration(Duration::from_nanos(n)));
        assert_eq!(seen, ["1.23 s", "45.6 ms", "789 µs", "0.15 µs"]);
    }
}
