//! Whether the process has rights that whoever started it lacks. Then its environment and its working directory are that
//! one's choice, and may not decide what the process opens.

#![allow(unsafe_code)]

/// Whether it has: by a file that is setuid or setgid, or by capabilities of one.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn is_raised() -> bool {
    // SAFETY: it has no conditions; what the kernel has not given is 0
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether it has: by a file that is setuid or setgid.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(super) fn is_raised() -> bool {
    // SAFETY: none of these has conditions, or can fail
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}

/// Whether it has.
#[cfg(not(unix))]
pub(super) fn is_raised() -> bool {
    false
}
