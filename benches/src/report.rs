//! What was measured, and how it is printed.

use std::fmt;

/// One contender in one case.
pub struct Row {
    /// The contender.
    pub name: &'static str,
    /// The median of its samples.
    pub median: f64,
    /// The least of its samples.
    pub min: f64,
    /// How many samples there are.
    pub samples: usize,
    /// The contender that it is told against.
    pub against: Option<&'static str>,
    /// How often the body ran for one key, where that is a question.
    pub computed: Option<f64>,
}

impl Row {
    /// The figures of some samples; all missing where there are none.
    pub fn new(name: &'static str, against: Option<&'static str>, mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let median = samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN);
        let min = samples.first().copied().unwrap_or(f64::NAN);
        Self { name, median, min, samples: samples.len(), against, computed: None }
    }

    /// Adds how often the body ran for one key.
    pub fn computing(mut self, times: f64) -> Self {
        self.computed = Some(times);
        self
    }
}

/// One case: its rows and the contenders that all of them are compared with.
pub struct Table {
    /// The case, as the command line and the goals know it.
    pub case: &'static str,
    /// What is measured.
    pub about: &'static str,
    /// What one figure counts.
    pub unit: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
}

/// Contenders that each row of a table is told against, where they take part.
const BASES: [&str; 3] = ["limit", "by hand", "quick_cache"];

impl Table {
    /// The row of a contender.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bases: Vec<&Row> = BASES.iter().filter_map(|name| self.row(name)).collect();
        writeln!(f, "\n{}: {} ({})", self.case, self.about, self.unit)?;
        write!(f, "  {:<32}{:>10}{:>10}{:>9}", "", "median", "min", "samples")?;
        for base in &bases {
            write!(f, "{:>15}", format!("/ {}", base.name))?;
        }
        writeln!(f)?;
        for row in &self.rows {
            write!(f, "  {:<32}{:>10.2}{:>10.2}{:>9}", row.name, row.median, row.min, row.samples)?;
            for base in &bases {
                write!(f, "{:>15.2}", row.median / base.median)?;
            }
            if let Some(other) = row.against.and_then(|name| self.row(name)) {
                write!(f, "   {:.2} × {}", row.median / other.median, other.name)?;
            }
            if let Some(times) = row.computed {
                write!(f, "   computed {times:.2} times")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// What this runs on.
pub fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{} ({threads} threads)", model.map_or("an unknown processor", |(_, model)| model))
}
