//! Parts of a whole in string literals, as in `"0.8"` and `"10%"`, each in thousandths.

/// A part between 0 and 1, such as `"0.8"`, in thousandths.
///
/// # Errors
///
/// What is wrong with the text, and what to write.
pub fn part(text: &str) -> Result<u16, String> {
    let wrong = |why: &str| format!("bad part \"{text}\": {why}, write it such as 0.8");
    let number: f64 = text.parse().map_err(|_| wrong("it is no number"))?;
    if !(number > 0.0 && number < 1.0) {
        return Err(wrong("it has to be more than 0 and less than 1"));
    }
    thousandths(number).ok_or_else(|| wrong("it is too near to 0 or 1"))
}

/// A percentage below 100, such as `"10%"` or `"2.5%"`, in thousandths.
///
/// # Errors
///
/// What is wrong with the text, and what to write.
pub fn percentage(text: &str) -> Result<u16, String> {
    let wrong = |why: &str| format!("bad percentage \"{text}\": {why}, write it such as \"10%\"");
    let number = text.strip_suffix('%').ok_or_else(|| wrong("it has no `%`"))?;
    let number: f64 = number.parse().map_err(|_| wrong("no number stands before the `%`"))?;
    if !(number > 0.0 && number < 100.0) {
        return Err(wrong("it has to be more than 0 and less than 100"));
    }
    thousandths(number / 100.0).ok_or_else(|| wrong("it is too near to 0 or 100"))
}

/// The number of thousandths, if that is neither none nor all.
fn thousandths(part: f64) -> Option<u16> {
    let rounded = (part * 1000.0).round();
    (rounded > 0.0 && rounded < 1000.0).then_some(rounded as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_percentages_are_thousandths() {
        for (text, expected) in [("0.8", 800), ("0.001", 1), (".5", 500), ("0.9994", 999), ("1e-1", 100)] {
            assert_eq!(part(text), Ok(expected), "{text}");
        }
        for (text, expected) in [("10%", 100), ("2.5%", 25), ("0.1%", 1), ("99%", 990)] {
            assert_eq!(percentage(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_says_what_to_write() {
        for (text, why) in [
            ("1.5", "it has to be more than 0 and less than 1"),
            ("0", "it has to be more than 0 and less than 1"),
            ("1", "it has to be more than 0 and less than 1"),
            ("nan", "it has to be more than 0 and less than 1"),
            ("0.0001", "it is too near to 0 or 1"),
            ("0.9999", "it is too near to 0 or 1"),
            ("80%", "it is no number"),
        ] {
            assert_eq!(part(text), Err(format!("bad part \"{text}\": {why}, write it such as 0.8")));
        }
        for (text, why) in [
            ("10", "it has no `%`"),
            ("%", "no number stands before the `%`"),
            ("ten%", "no number stands before the `%`"),
            ("0%", "it has to be more than 0 and less than 100"),
            ("100%", "it has to be more than 0 and less than 100"),
            ("-5%", "it has to be more than 0 and less than 100"),
            ("0.01%", "it is too near to 0 or 100"),
        ] {
            assert_eq!(
                percentage(text),
                Err(format!("bad percentage \"{text}\": {why}, write it such as \"10%\""))
            );
        }
    }
}
