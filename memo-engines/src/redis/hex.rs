//! Bytes as hexadecimal digits.

/// The digits of each byte.
const DIGITS: [[u8; 2]; 256] = {
    let digit = b"0123456789abcdef";
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < digits.len() {
        digits[byte] = [digit[byte >> 4], digit[byte & 15]];
        byte += 1;
    }
    digits
};

/// Writes the digits of `bytes` behind `text`.
pub(super) fn hex(text: &mut String, bytes: &[u8]) {
    // all at once: a digest's digits one by one would take longer than all else about a name
    let mut digits = [[0; 2]; 32];
    for bytes in bytes.chunks(digits.len()) {
        for (two, byte) in digits.iter_mut().zip(bytes) {
            *two = DIGITS[usize::from(*byte)];
        }
        let digits = digits[..bytes.len()].as_flattened();
        text.push_str(std::str::from_utf8(digits).expect("digits are ASCII"));
    }
}
