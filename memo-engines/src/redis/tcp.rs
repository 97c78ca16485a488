//! The settings of sockets.

use std::time::Duration;

use ::redis::io::tcp::TcpSettings;

/// How long the network may leave data unacknowledged. Devices in between may drop a connection without a
/// word.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

pub(super) fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(UNACKNOWLEDGED);
    let keepalive = ::redis::io::tcp::socket2::TcpKeepalive::new().with_time(UNACKNOWLEDGED);
    settings.set_keepalive(keepalive)
}
