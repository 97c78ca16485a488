//! Bytes as hexadecimal digits.

/// The two digits of each byte.
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

/// Appends the digits of `bytes` to `text`.
pub(super) fn hex(text: &mut String, bytes: &[u8]) {
    // all digits at once: one by one they would take longer than all else about a name
    let mut digits = [[0; 2]; 32];
    for bytes in bytes.chunks(digits.len()) {
        for (two, byte) in digits.iter_mut().zip(bytes) {
            *two = DIGITS[usize::from(*byte)];
        }
        let digits = digits[..bytes.len()].as_flattened();
        text.push_str(std::str::from_utf8(digits).expect("digits are ASCII"));
    }
}
