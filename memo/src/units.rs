//! Durations and sizes as they are written in options.

use std::time::Duration;

/// A duration as one would write it in an option: `1h30m`.
pub(crate) fn duration(duration: Duration) -> String {
    const UNITS: [(&str, u128); 7] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut left = duration.as_nanos();
    let mut text = String::new();
    for (unit, length) in UNITS {
        if left >= length {
            text += &format!("{}{unit}", left / length);
            left %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A size as one would write it in an option: `1MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, length)| bytes >= *length && bytes.is_multiple_of(*length));
    unit.map_or_else(|| format!("{bytes}B"), |(unit, length)| format!("{}{unit}", bytes / length))
}

#[cfg(all(test, not(memo_shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_as_they_are_written_in_options() {
        for (millis, text) in
            [(0, "0s"), (1, "1ms"), (90_000, "1m30s"), (86_400_000, "1d"), (3_600_001, "1h1ms")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
        for (bytes, text) in
            [(0, "0B"), (1000, "1000B"), (1 << 20, "1MiB"), (3 << 9, "1536B"), (3 << 30, "3GiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
