//! Digests over several parts, by which engines know keys and functions.

/// BLAKE3 over `parts`, each with its length before it, in a domain of its own.
pub(super) fn digest(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    // put together first: many small updates take the hasher longer than the hashing
    let parts = std::iter::once(domain.as_bytes()).chain(parts.iter().copied());
    let length: usize = parts.clone().map(|part| size_of::<u64>() + part.len()).sum();
    let (mut small, mut large) = ([0; 256], Vec::new());
    let all = match small.get_mut(..length) {
        Some(small) => small,
        None => {
            large.resize(length, 0);
            &mut *large
        }
    };
    let mut rest = &mut *all;
    for part in parts {
        for bytes in [&(part.len() as u64).to_le_bytes()[..], part] {
            let (here, behind) = rest.split_at_mut(bytes.len());
            here.copy_from_slice(bytes);
            rest = behind;
        }
    }
    *blake3::hash(all).as_bytes()
}

/// The first half of a digest.
pub(super) fn first(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_all_parts_with_their_lengths() {
        for length in [0, 1, 200, 223, 224, 225, 1000] {
            let long = vec![7; length];
            let mut hasher = blake3::Hasher::new();
            for part in [&b"domain"[..], b"ab", &long] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
            assert_eq!(digest("domain", &[b"ab", &long]), *hasher.finalize().as_bytes(), "{length}");
        }
    }
}
