//! The messages by which changes are announced.

use ::redis::Value;

use crate::engine::{Change, Key, Space};

const ENTRY: u8 = b'E';
const SPACE: u8 = b'S';

/// The sender of a message.
pub(super) type Sender = [u8; 16];

/// The message for a change: the sender, the kind, the space and the key.
pub(super) fn write(own: &Sender, change: Change) -> Vec<u8> {
    let mut message = own.to_vec();
    match change {
        Change::Entry(key) => {
            message.push(ENTRY);
            message.extend(key.space.0);
            message.extend(key.digest);
        }
        Change::Space(space) => {
            message.push(SPACE);
            message.extend(space.0);
        }
        // nobody makes such a change on purpose; a message without a kind is read as this
        Change::Unknown => {}
    }
    message
}

/// Reads a message. `None` if this engine sent it. A message that cannot be read may mean any change.
pub(super) fn read(payload: Option<Value>, own: &Sender) -> Option<Change> {
    let Some(Value::BulkString(payload)) = payload else { return Some(Change::Unknown) };
    let Some((from, what)) = payload.split_first_chunk::<16>() else { return Some(Change::Unknown) };
    if from == own {
        return None;
    }
    let change = what.split_first().and_then(|(kind, what)| {
        let (space, digest) = what.split_first_chunk::<16>()?;
        match (*kind, <[u8; 32]>::try_from(digest)) {
            (ENTRY, Ok(digest)) => Some(Change::Entry(Key { space: Space(*space), digest })),
            (SPACE, _) if digest.is_empty() => Some(Change::Space(Space(*space))),
            _ => None,
        }
    });
    Some(change.unwrap_or(Change::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_understood_by_others_and_not_by_its_sender() {
        let (one, other) = ([1; 16], [2; 16]);
        let key = Key { space: Space([1; 16]), digest: [2; 32] };
        for change in [Change::Entry(key), Change::Space(key.space), Change::Unknown] {
            let message = Some(Value::BulkString(write(&one, change)));
            assert_eq!(read(message.clone(), &other), Some(change));
            assert_eq!(read(message, &one), None);
        }
        for nonsense in [&b"short"[..], &[9; 16], &[9; 40], &[b'E'; 200]] {
            let message = Some(Value::BulkString(nonsense.to_vec()));
            assert_eq!(read(message, &one), Some(Change::Unknown));
        }
    }
}
