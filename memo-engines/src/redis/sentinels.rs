//! The master that some Sentinels know under a name.

use ::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use ::redis::{ConnectionInfo, RedisError, TlsCertificates, TlsMode};

use super::tcp::tcp_settings;

/// The master that some Sentinels know under a name.
pub(super) struct Sentinels {
    pub(super) hosts: Vec<ConnectionInfo>,
    pub(super) master: String,
    pub(super) certificates: Option<TlsCertificates>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

impl Sentinels {
    /// A new client. It asks the Sentinels at its first use.
    pub(super) fn client(&self) -> Result<SentinelClient, RedisError> {
        let hosts = self.hosts.iter().map(|host| host.addr().clone());
        let mut builder = SentinelClientBuilder::new(hosts, &self.master, SentinelServerType::Master)?
            .set_client_to_redis_tcp_settings(tcp_settings())
            .set_client_to_sentinel_tcp_settings(tcp_settings());
        if let Some(redis) = self.hosts.first().map(ConnectionInfo::redis_settings) {
            builder =
                builder.set_client_to_redis_db(redis.db()).set_client_to_redis_protocol(redis.protocol());
            if let Some(username) = redis.username() {
                builder = builder.set_client_to_redis_username(username);
            }
            if let Some(password) = redis.password() {
                builder = builder.set_client_to_redis_password(password);
            }
        }
        if let Some(username) = &self.username {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = &self.password {
            builder = builder.set_client_to_sentinel_password(password);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        builder.build()
    }
}
