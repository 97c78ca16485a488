//! A source without its comments and literals: all brackets and words that are left are code.

/// Whether the character can be in a name or a keyword.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The source with a blank for each byte of a comment and `0` for each byte of a string or character.
pub(super) fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    // `#![..]` is an attribute; `#!/usr/bin/env` is for the shell.
    if rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[') {
        skip(&mut bare, &mut rest, text.find('\n').unwrap_or(text.len()), " ");
    }
    while let Some(c) = rest.chars().next() {
        let (len, filler) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), " ")
        } else if rest.starts_with("/*") {
            (block_comment(rest), " ")
        } else if c == '"' {
            (quoted(rest, '"'), "0")
        } else if c == '\'' && is_char(rest) {
            (quoted(rest, '\''), "0")
        } else if is_word(c) {
            let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            match raw_string(&rest[..word], &rest[word..]) {
                Some(len) => (word + len, "0"),
                None => {
                    bare.push_str(&rest[..word]);
                    rest = &rest[word..];
                    continue;
                }
            }
        } else {
            bare.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        skip(&mut bare, &mut rest, len, filler);
    }
    bare
}

/// Replaces the next `len` bytes by as many `filler`s.
fn skip(bare: &mut String, rest: &mut &str, len: usize, filler: &str) {
    bare.push_str(&filler.repeat(len));
    *rest = &rest[len..];
}

/// The length of the block comment at the beginning. Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The length of the string or character at the beginning, with both quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// Whether a single quote begins a character rather than a lifetime or a label.
fn is_char(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

/// The length of the raw string that follows a prefix, from its first `#` or quote.
fn raw_string(prefix: &str, text: &str) -> Option<usize> {
    if !matches!(prefix, "r" | "br" | "cr") {
        return None;
    }
    let hashes = text.len() - text.trim_start_matches('#').len();
    // `r#name` is a raw identifier.
    let inner = text[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let before = hashes + 1;
    Some(inner.find(&end).map_or(text.len(), |at| before + at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_ends_early_is_no_panic() {
        for text in ["\"", "'", "'\\", "/*", "r#\"", "r#", "b'", "//", "#!", "/* /* */", "\"\\"] {
            assert_eq!(bare(text).len(), text.len(), "{text}");
        }
    }
}
