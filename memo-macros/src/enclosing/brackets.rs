//! The brackets of a source, and which of them are open at an offset.

/// An opening bracket of any kind.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    /// Where the bracket is.
    pub(super) at: usize,
    /// Where its header begins, which is what stands before it: behind the last `;` or the last item.
    pub(super) header: usize,
}

/// The brackets of a file.
pub(super) struct Brackets {
    /// All opening brackets, in order.
    brackets: Vec<Bracket>,
    /// Where the first closing bracket is that does not match. Nothing is known of what comes after.
    broken: Option<usize>,
}

/// A bracket, from its opening to its close.
struct Bracket {
    opening: Opening,
    /// Where it is closed.
    close: Option<usize>,
    /// The index of the bracket around it.
    around: Option<usize>,
}

impl Brackets {
    /// The brackets of a source without comments and literals.
    pub(super) fn of(bare: &str) -> Self {
        let mut brackets: Vec<Bracket> = Vec::new();
        let mut open: Option<usize> = None;
        // Where the next header begins, at each depth.
        let mut begins = vec![0];
        for (at, byte) in bare.bytes().enumerate() {
            let header = begins.last_mut();
            match byte {
                b'{' | b'(' | b'[' => {
                    let opening = Opening { at, header: header.map_or(0, |header| *header) };
                    brackets.push(Bracket { opening, close: None, around: open });
                    open = Some(brackets.len() - 1);
                    begins.push(at + 1);
                }
                b'}' | b')' | b']' => {
                    let Some(closed) = open.map(|open| &mut brackets[open]) else {
                        return Brackets { brackets, broken: Some(at) };
                    };
                    let opened = bare.as_bytes()[closed.opening.at];
                    if !matches!((opened, byte), (b'{', b'}') | (b'(', b')') | (b'[', b']')) {
                        return Brackets { brackets, broken: Some(at) };
                    }
                    (closed.close, open) = (Some(at), closed.around);
                    begins.pop();
                    // `X<{ N }>` and `X<{ N }, M>` go on after the brace; all else ends with it.
                    let goes_on = || bare[at + 1..].trim_start().starts_with(['>', ',']);
                    if byte == b'}'
                        && !goes_on()
                        && let Some(header) = begins.last_mut()
                    {
                        *header = at + 1;
                    }
                }
                b';' => header.into_iter().for_each(|header| *header = at + 1),
                _ => {}
            }
        }
        Brackets { brackets, broken: None }
    }

    /// The opening brackets of all that are open at the offset, the innermost last. `None` if brackets before it do not match.
    pub(super) fn open_at(&self, offset: usize) -> Option<Vec<Opening>> {
        if self.broken.is_some_and(|broken| broken < offset) {
            return None;
        }
        let before = self.brackets.partition_point(|bracket| bracket.opening.at < offset);
        let last = before.checked_sub(1).map(|last| &self.brackets[last]);
        let around = |bracket: &&Bracket| Some(&self.brackets[bracket.around?]);
        let all = std::iter::successors(last, around);
        let open = all.filter(|bracket| bracket.close.is_none_or(|close| close >= offset));
        let mut open: Vec<_> = open.map(|bracket| bracket.opening).collect();
        open.reverse();
        Some(open)
    }
}
