//! The statistics of all functions as a table.

use std::fmt;

#[cfg(feature = "engines")]
use crate::stats::EngineStats;
use crate::stats::Stats;

/// What every memoized function that has run has counted, from [`report()`](crate::report()). It prints as a table.
///
/// ```
/// #[memo::memoize]
/// fn square(n: u64) -> u64 {
///     n * n
/// }
///
/// (0..10).for_each(|n| drop(square(n % 5)));
/// let report = memo::report();
/// let (name, stats) = report.rows().next().unwrap();
/// assert!(name.ends_with("square"));
/// assert_eq!((stats.hits, stats.computes), (5, 5));
/// println!("{report}");
/// ```
#[derive(Debug, Clone)]
pub struct Report {
    rows: Vec<(String, Stats)>,
    #[cfg(feature = "engines")]
    engines: Vec<EngineStats>,
}

impl Report {
    pub(crate) fn new(rows: Vec<(String, Stats)>) -> Self {
        Report {
            rows,
            #[cfg(feature = "engines")]
            engines: crate::engines::engines().stats(),
        }
    }

    /// Name and statistics of each function, ordered by name.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&str, &Stats)> {
        self.rows.iter().map(|(name, stats)| (name.as_str(), stats))
    }

    /// What has happened to each engine that outlives the process, ordered by name.
    #[cfg(feature = "engines")]
    pub fn engines(&self) -> &[EngineStats] {
        &self.engines
    }
}

/// Lines of cells, the first of them the head: columns below each other.
fn table(f: &mut fmt::Formatter<'_>, lines: &[Vec<String>]) -> fmt::Result {
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    for line in lines {
        write!(f, "{:<width$}", line[0], width = widths[0])?;
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            write!(f, "  {cell:>width$}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

#[cfg(feature = "engines")]
fn of_engines(engines: &[EngineStats]) -> Vec<Vec<String>> {
    let head = [
        "engine", "circuit", "hits", "misses", "misfits", "errors", "calls", "failed", "too slow", "refused",
    ];
    let head = head.into_iter().chain(["opened"]).map(str::to_owned).collect();
    let body = engines.iter().map(|EngineStats { name, circuit, calls, functions }| {
        let misfits: Vec<_> =
            functions.misfits.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        vec![
            name.clone(),
            format!("{circuit:?}").to_lowercase(),
            functions.hits.to_string(),
            functions.misses.to_string(),
            if misfits.is_empty() { "0".to_owned() } else { misfits.join(", ") },
            functions.errors.to_string(),
            calls.calls.to_string(),
            calls.failures.to_string(),
            calls.timeouts.to_string(),
            calls.refused.to_string(),
            calls.opened.to_string(),
        ]
    });
    std::iter::once(head).chain(body).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["function", "hits", "misses", "hit %", "computes", "waits", "stored", "entries"];
        let rest = ["evicted", "expired", "recomputed", "errors", "computing", "saved"];
        let head = head.into_iter().chain(rest).map(str::to_owned);
        // columns that are all zeros would only make the lines long
        let of_freshness = Stats::default().of_freshness().into_iter().enumerate();
        let of_freshness: Vec<_> = of_freshness
            .filter(|(place, _)| self.rows.iter().any(|(_, stats)| stats.of_freshness()[*place].0 > 0))
            .map(|(place, (_, what))| (place, what.to_owned()))
            .collect();
        let head = head.chain(of_freshness.iter().map(|(_, what)| what.clone())).collect();
        let body = self.rows.iter().map(|(name, stats)| {
            let mut line = vec![
                name.clone(),
                stats.hits.to_string(),
                stats.misses.to_string(),
                format!("{:.1}", 100.0 * stats.hit_ratio()),
                stats.computes.to_string(),
                stats.waits.to_string(),
                stats.stored.to_string(),
                stats.entries.to_string(),
                stats.evicted.to_string(),
                stats.expired.to_string(),
                stats.recomputed.to_string(),
                stats.errors().to_string(),
                format!("{:.1?}", stats.compute_time),
                format!("{:.1?}", stats.saved_time),
            ];
            let counts = stats.of_freshness();
            line.extend(of_freshness.iter().map(|(place, _)| counts[*place].0.to_string()));
            line
        });
        let lines: Vec<Vec<String>> = std::iter::once(head).chain(body).collect();
        table(f, &lines)?;
        #[cfg(feature = "engines")]
        if !self.engines.is_empty() {
            writeln!(f)?;
            table(f, &of_engines(&self.engines))?;
        }
        Ok(())
    }
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_heads() {
        let stats = Stats { hits: 3, misses: 1, ..Stats::default() };
        let text = Report::new(vec![("app::a_long_name".into(), stats)]).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].chars().count(), lines[1].chars().count());
        assert!(lines[1].starts_with("app::a_long_name     3       1   75.0"), "{text}");
        assert!(lines[0].ends_with("saved"), "{text}");
    }

    #[test]
    fn what_became_of_stale_results_has_columns_where_there_were_any() {
        let stale = Stats { stale: 12, renewal_failed: 3, ..Stats::default() };
        let rows = vec![("app::a".into(), stale), ("app::b".into(), Stats::default())];
        let text = Report::new(rows).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].ends_with("saved  stale  renewals failed"), "{text}");
        assert!(lines[1].ends_with("   12                3"), "{text}");
        assert!(lines[2].ends_with("    0                0"), "{text}");
    }
}
