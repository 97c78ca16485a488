//! A source text cut into words, marks and strings.

/// A piece of a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// A name, a keyword or a number.
    Word(&'t str),
    /// One character of punctuation; `::` is two of them.
    Mark(char),
    /// A string of any kind, with its prefix and quotes.
    Text(&'t str),
}

/// The tokens of a text. Comments, characters and lifetimes are left out.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = if first.is_whitespace() {
            first.len_utf8()
        } else if let Some(len) = comment(rest).or_else(|| quoted(rest)) {
            len
        } else if let Some(len) = string(rest) {
            tokens.push(Token::Text(&rest[..len]));
            len
        } else if first == '_' || first.is_alphanumeric() {
            let len = word(rest);
            tokens.push(Token::Word(&rest[..len]));
            len
        } else {
            tokens.push(Token::Mark(first));
            first.len_utf8()
        };
        rest = &rest[len..];
    }
    tokens
}

fn word(text: &str) -> usize {
    text.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(text.len())
}

/// The length of a comment.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let bytes = &text.as_bytes()[at..];
        if bytes.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if bytes.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += 1;
        }
        if depth == 0 {
            break;
        }
    }
    Some(at)
}

/// The length of a string of any kind, with its prefix.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let behind = text.strip_prefix(prefix).map(|behind| behind.trim_start_matches('#'));
        behind.is_some_and(|behind| behind.starts_with('"'))
    })?;
    let behind = &text[prefix.len()..];
    let hashes = behind.find('"')?;
    if !prefix.ends_with('r') {
        // without `r` a `#` before the quote belongs to something else
        return (hashes == 0).then(|| prefix.len() + 1 + escaped(&behind[1..], b'"'));
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let content = &behind[hashes + 1..];
    let len = content.find(&end).map_or(content.len(), |at| at + end.len());
    Some(prefix.len() + hashes + 1 + len)
}

/// The length of a character, or of a lifetime.
fn quoted(text: &str) -> Option<usize> {
    let behind = text.strip_prefix('\'')?;
    let first = behind.chars().next()?;
    if first == '\\' {
        return Some(1 + escaped(behind, b'\''));
    }
    let closes = behind[first.len_utf8()..].starts_with('\'');
    Some(1 + if closes { first.len_utf8() + 1 } else { word(behind) })
}

/// The length up to the closing quote and with it.
fn escaped(text: &str, quote: u8) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == quote && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(text.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let word = |token: Token<'static>| match token {
            Token::Word(word) => Some(word),
            Token::Mark(_) | Token::Text(_) => None,
        };
        tokens(text.to_owned().leak()).into_iter().filter_map(word).collect()
    }

    #[test]
    fn what_is_no_code_holds_no_words() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(words(r#"a "b \" c" d b"e" c"f" g"#), ["a", "d", "g"]);
        assert_eq!(words(r###"a r"b\" c r#"d " e"# f br##"g"# h"## i"###), ["a", "c", "f", "i"]);
        assert_eq!(words(r"a 'b' '\'' '\\' 'c d '_ '{' e"), ["a", "d", "e"]);
    }

    #[test]
    fn marks_are_single_characters_and_strings_are_whole() {
        use Token::{Mark, Text, Word};
        assert_eq!(tokens("a::{b}"), [Word("a"), Mark(':'), Mark(':'), Mark('{'), Word("b"), Mark('}')]);
        assert_eq!(tokens("a \"b c\";"), [Word("a"), Text("\"b c\""), Mark(';')]);
        assert_eq!(
            tokens("#[r#type]"),
            [Mark('#'), Mark('['), Word("r"), Mark('#'), Word("type"), Mark(']')]
        );
    }
}
