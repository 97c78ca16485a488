//! Quantities in string literals: whole numbers, each with its unit, as in `"1h30m"` and `"64MiB"`.

use std::time::Duration;

const SECOND: u128 = 1_000_000_000;

/// The units of a duration, in nanoseconds.
const DURATIONS: &[(&str, u128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 60 * 60 * SECOND),
    ("d", 24 * 60 * 60 * SECOND),
    ("w", 7 * 24 * 60 * 60 * SECOND),
];

/// The units of a size, in bytes.
const SIZES: &[(&str, u128)] = &[
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A duration such as `"90s"` or `"1h30m"`. The units are ns, us, ms, s, m, h, d and w, in any order, each at most once.
///
/// # Errors
///
/// What is wrong with the text, and what to write.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = |why: String| format!("bad duration \"{text}\": {why}");
    let parts = parts(text, "\"5m\" or \"1h30m\"").map_err(wrong)?;
    let mut seen = Vec::new();
    let mut total: u128 = 0;
    for (count, unit) in parts {
        let Some((unit, nanos)) = DURATIONS.iter().find(|(known, _)| *known == unit) else {
            return Err(wrong(unknown_unit(unit, DURATIONS, usual_duration(unit))));
        };
        if seen.contains(unit) {
            return Err(wrong(format!("the unit `{unit}` is given twice: add the two up")));
        }
        seen.push(unit);
        total = count.checked_mul(*nanos).and_then(|nanos| nanos.checked_add(total)).unwrap_or(u128::MAX);
    }
    // The division leaves less than 2^30.
    match u64::try_from(total / SECOND) {
        Ok(seconds) => Ok(Duration::new(seconds, (total % SECOND) as u32)),
        Err(_) => Err(wrong("it is too long: leave the option out for no limit".to_owned())),
    }
}

/// A size in bytes: `"64MiB"`, `"10KB"`.
///
/// # Errors
///
/// What is wrong with the text, and what to write.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = |why: String| format!("bad size \"{text}\": {why}");
    let parts = parts(text, "\"64MiB\"").map_err(wrong)?;
    let [(count, unit)] = parts[..] else {
        return Err(wrong("write one number with one unit, such as \"64MiB\"".to_owned()));
    };
    let Some((_, bytes)) = SIZES.iter().find(|(known, _)| *known == unit) else {
        let usual = SIZES.iter().map(|(known, _)| *known).find(|known| known.eq_ignore_ascii_case(unit));
        return Err(wrong(unknown_unit(unit, SIZES, usual.or(usual_size(unit)))));
    };
    let bytes = count.checked_mul(*bytes).and_then(|bytes| u64::try_from(bytes).ok());
    bytes.ok_or_else(|| wrong("it is more than 64 bits can count".to_owned()))
}

/// Splits `1h30m` into `(1, "h")` and `(30, "m")`. There is at least one of them.
fn parts<'a>(text: &'a str, such_as: &str) -> Result<Vec<(u128, &'a str)>, String> {
    if text.is_empty() {
        return Err(format!("write a number and a unit, such as {such_as}"));
    }
    if text.contains(char::is_whitespace) {
        return Err(format!("write it without white space, such as {such_as}"));
    }
    if text.starts_with('-') {
        return Err(format!("it cannot be negative, write it such as {such_as}"));
    }
    if text.contains(['.', ',']) {
        return Err(format!("only whole numbers can be used, such as {such_as}; take a smaller unit"));
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(format!("a number has to stand before `{unit}`, such as {such_as}"));
        }
        if unit.is_empty() {
            return Err(format!("the number {number} needs a unit, such as {such_as}"));
        }
        let count = number.parse().map_err(|_| format!("the number {number} is too large"))?;
        parts.push((count, unit));
        rest = after;
    }
    Ok(parts)
}

fn unknown_unit(unit: &str, units: &[(&str, u128)], usual: Option<&str>) -> String {
    match usual {
        Some(usual) => format!("unknown unit `{unit}`: write `{usual}`"),
        None => {
            let units: Vec<_> = units.iter().map(|(unit, _)| *unit).collect();
            format!("unknown unit `{unit}`: the units are {}", units.join(", "))
        }
    }
}

/// The unit of a duration that another usual name stands for.
fn usual_duration(unit: &str) -> Option<&'static str> {
    Some(match unit.to_lowercase().as_str() {
        "nanos" | "nsec" => "ns",
        "µs" | "μs" | "micros" | "usec" => "us",
        "millis" | "msec" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "week" | "weeks" => "w",
        _ => return None,
    })
}

/// The unit of a size that another usual name stands for, such as its first letter.
fn usual_size(unit: &str) -> Option<&'static str> {
    Some(match unit.to_lowercase().as_str() {
        "k" | "ki" => "KiB",
        "m" | "mi" => "MiB",
        "g" | "gi" => "GiB",
        "t" | "ti" => "TiB",
        "byte" | "bytes" => "B",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases = [
            ("1ns", Duration::from_nanos(1)),
            ("250us", Duration::from_micros(250)),
            ("1500ms", Duration::from_millis(1500)),
            ("90s", Duration::from_secs(90)),
            ("5m", Duration::from_secs(300)),
            ("1h30m", Duration::from_secs(5400)),
            ("30m1h", Duration::from_secs(5400)),
            ("1d", Duration::from_secs(86_400)),
            ("2w", Duration::from_secs(1_209_600)),
            ("1w1d1h1m1s1ms1us1ns", Duration::new(694_861, 1_001_001)),
            ("0s", Duration::ZERO),
            ("007s", Duration::from_secs(7)),
            ("18446744073709551615s", Duration::from_secs(u64::MAX)),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bad_durations_say_what_to_write() {
        let cases = [
            ("", "write a number and a unit, such as \"5m\" or \"1h30m\""),
            ("5", "the number 5 needs a unit, such as \"5m\" or \"1h30m\""),
            ("1h30", "the number 30 needs a unit, such as \"5m\" or \"1h30m\""),
            ("m", "a number has to stand before `m`, such as \"5m\" or \"1h30m\""),
            ("5x", "unknown unit `x`: the units are ns, us, ms, s, m, h, d, w"),
            ("5min", "unknown unit `min`: write `m`"),
            ("2Hours", "unknown unit `Hours`: write `h`"),
            ("3µs", "unknown unit `µs`: write `us`"),
            ("1.5h", "only whole numbers can be used, such as \"5m\" or \"1h30m\"; take a smaller unit"),
            ("1h 30m", "write it without white space, such as \"5m\" or \"1h30m\""),
            ("-5s", "it cannot be negative, write it such as \"5m\" or \"1h30m\""),
            ("1h2h", "the unit `h` is given twice: add the two up"),
            ("18446744073709551616s", "it is too long: leave the option out for no limit"),
            ("340282366920938463463374607431768211455w", "it is too long: leave the option out for no limit"),
            (
                "999999999999999999999999999999999999999999s",
                "the number 999999999999999999999999999999999999999999 is too large",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text), Err(format!("bad duration \"{text}\": {expected}")));
        }
    }

    #[test]
    fn sizes() {
        let cases = [
            ("0B", 0),
            ("512B", 512),
            ("10KB", 10_000),
            ("10KiB", 10_240),
            ("64MB", 64_000_000),
            ("64MiB", 67_108_864),
            ("2GB", 2_000_000_000),
            ("2GiB", 2_147_483_648),
            ("1TB", 1_000_000_000_000),
            ("1TiB", 1_099_511_627_776),
            ("16777215TiB", 16_777_215 << 40),
        ];
        for (text, expected) in cases {
            assert_eq!(size(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn bad_sizes_say_what_to_write() {
        let cases = [
            ("", "write a number and a unit, such as \"64MiB\""),
            ("64", "the number 64 needs a unit, such as \"64MiB\""),
            ("MiB", "a number has to stand before `MiB`, such as \"64MiB\""),
            ("1GiB512MiB", "write one number with one unit, such as \"64MiB\""),
            ("64mib", "unknown unit `mib`: write `MiB`"),
            ("64kB", "unknown unit `kB`: write `KB`"),
            ("64M", "unknown unit `M`: write `MiB`"),
            ("64EiB", "unknown unit `EiB`: the units are B, KB, MB, GB, TB, KiB, MiB, GiB, TiB"),
            ("1.5GiB", "only whole numbers can be used, such as \"64MiB\"; take a smaller unit"),
            ("16777216TiB", "it is more than 64 bits can count"),
        ];
        for (text, expected) in cases {
            assert_eq!(size(text), Err(format!("bad size \"{text}\": {expected}")));
        }
    }
}
