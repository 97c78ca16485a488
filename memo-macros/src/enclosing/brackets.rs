//! The brackets of a source, and which of them are open at an offset.

/// An open bracket of any kind.
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// Where the bracket is.
    pub(super) open: usize,
    /// Where its header begins: after the last `;` or item.
    pub(super) header: usize,
}

/// The brackets of a file.
pub(super) struct Brackets {
    /// All opening brackets, in order.
    groups: Vec<Bracket>,
    /// Where the first closing bracket is that does not match. Nothing is known of what comes after.
    broken: Option<usize>,
}

struct Bracket {
    group: Group,
    /// Where it is closed.
    close: Option<usize>,
    /// The index of the bracket around it.
    around: Option<usize>,
}

impl Brackets {
    pub(super) fn of(bare: &str) -> Self {
        let mut groups: Vec<Bracket> = Vec::new();
        let mut open: Option<usize> = None;
        // Where the next header begins, at each depth.
        let mut begins = vec![0];
        for (at, byte) in bare.bytes().enumerate() {
            let header = begins.last_mut();
            match byte {
                b'{' | b'(' | b'[' => {
                    let group = Group { open: at, header: header.map_or(0, |header| *header) };
                    groups.push(Bracket { group, close: None, around: open });
                    open = Some(groups.len() - 1);
                    begins.push(at + 1);
                }
                b'}' | b')' | b']' => {
                    let Some(closed) = open.map(|open| &mut groups[open]) else {
                        return Brackets { groups, broken: Some(at) };
                    };
                    let opened = bare.as_bytes()[closed.group.open];
                    if !matches!((opened, byte), (b'{', b'}') | (b'(', b')') | (b'[', b']')) {
                        return Brackets { groups, broken: Some(at) };
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
        Brackets { groups, broken: None }
    }

    /// The brackets that are open at the offset, the innermost last. `None` if brackets before it do not match.
    pub(super) fn open_at(&self, offset: usize) -> Option<Vec<Group>> {
        if self.broken.is_some_and(|broken| broken < offset) {
            return None;
        }
        let before = self.groups.partition_point(|bracket| bracket.group.open < offset);
        let last = before.checked_sub(1).map(|last| &self.groups[last]);
        let around = |bracket: &&Bracket| Some(&self.groups[bracket.around?]);
        let all = std::iter::successors(last, around);
        let open = all.filter(|bracket| bracket.close.is_none_or(|close| close >= offset));
        let mut open: Vec<_> = open.map(|bracket| bracket.group).collect();
        open.reverse();
        Some(open)
    }
}
