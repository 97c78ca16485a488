//! What an item adds to the path of what stands in its braces.

use super::bare::is_word;

/// What an item with this header adds to the path of what stands in its braces. `None` if it is not the header of an item.
pub(super) fn item(header: &str) -> Option<String> {
    let mut rest = header.trim_start();
    while let Some(attribute) = rest.strip_prefix('#') {
        rest = attribute[attribute_end(attribute)?..].trim_start();
    }
    let mut words = rest.split_whitespace().peekable();
    while let Some(word) = words.next() {
        match word {
            "async" | "unsafe" | "extern" | "default" | "auto" | "safe" => {}
            // the literal of `extern "C"`
            word if word.bytes().all(|byte| byte == b'0') => {}
            word if word.starts_with("pub") => {
                // `pub(in a::b)`
                let mut open = word.contains('(') && !word.contains(')');
                while open {
                    open = !words.next()?.contains(')');
                }
            }
            "const" if words.peek() == Some(&"fn") => {}
            "const" | "static" => {
                let name = words.find(|word| *word != "mut")?;
                let name = name.split(|c| !is_word(c)).next()?;
                return (!matches!(name, "_" | "")).then(|| name.to_owned());
            }
            "fn" | "mod" => {
                let name = words.next()?;
                return name.split(|c| !is_word(c) && c != '#').next().map(str::to_owned);
            }
            word if word == "trait" || word == "impl" || word.starts_with("impl<") => {
                return Some(std::iter::once(word).chain(words).collect::<Vec<_>>().join(" "));
            }
            _ => return None,
        }
    }
    None
}

/// Where an attribute ends. `text` begins behind its `#`.
fn attribute_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
