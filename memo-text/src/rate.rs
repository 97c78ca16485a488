//! How often something may happen.

use std::time::Duration;

/// How often something may happen: so many times in so long, and at most so many of them at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many times.
    pub count: u32,
    /// In how long.
    pub per: Duration,
    /// How many at one time, after a while without any.
    pub burst: u32,
}

/// A rate such as `"100/s"`, `"5/10s"` or `"100/s burst 20"`. Without a burst all may come at one time.
///
/// # Errors
///
/// What is wrong with the text, and what to write.
pub fn rate(text: &str) -> Result<Rate, String> {
    let wrong =
        |why: &str| format!("bad rate \"{text}\": {why}, write it such as \"100/s\" or \"100/s burst 20\"");
    let number = |digits: &str| digits.parse().ok().filter(|number: &u32| *number > 0);
    let (rate, burst) = match text.split_once(" burst ") {
        Some((rate, burst)) => (rate, Some(burst)),
        None => (text, None),
    };
    let (count, per) = rate.split_once('/').ok_or_else(|| wrong("it has no `/`"))?;
    let count =
        number(count).ok_or_else(|| wrong("no whole number greater than zero stands before the `/`"))?;
    let length = if per.starts_with(|first: char| first.is_ascii_digit()) {
        per.to_owned()
    } else {
        format!("1{per}")
    };
    let per = crate::duration(&length).map_err(|_| wrong("no length of time stands behind the `/`"))?;
    if per.is_zero() || (per / count).is_zero() {
        return Err(wrong("the length of time is too short"));
    }
    let burst = match burst {
        None => count,
        Some(burst) => {
            number(burst).ok_or_else(|| wrong("no whole number greater than zero stands behind `burst`"))?
        }
    };
    Ok(Rate { count, per, burst })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        let rate_of = |count, seconds, burst| Ok(Rate { count, per: Duration::from_secs(seconds), burst });
        assert_eq!(rate("100/s"), rate_of(100, 1, 100));
        assert_eq!(rate("5/10s"), rate_of(5, 10, 5));
        assert_eq!(rate("600/m burst 20"), rate_of(600, 60, 20));
        for (text, why) in [
            ("100", "it has no `/`"),
            ("/s", "no whole number greater than zero stands before the `/`"),
            ("0/s", "no whole number greater than zero stands before the `/`"),
            ("100/x", "no length of time stands behind the `/`"),
            ("100/0s", "the length of time is too short"),
            ("100/s burst 0", "no whole number greater than zero stands behind `burst`"),
        ] {
            let error = rate(text).expect_err(text);
            assert_eq!(
                error,
                format!("bad rate \"{text}\": {why}, write it such as \"100/s\" or \"100/s burst 20\"")
            );
        }
    }
}
