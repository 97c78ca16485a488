//! From what the options say to what the client library connects to. Nothing is asked of the network.

use std::time::Duration;

use ::redis::cluster::{ClusterClient, ClusterClientBuilder};
use ::redis::io::tcp::TcpSettings;
use ::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use ::redis::{
    Client, ClientTlsConfig, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, RedisError,
    TlsCertificates, TlsMode,
};

use super::options::RedisOptions;
use crate::error::{Error, ErrorKind};

/// To what connections are made.
pub(super) enum Target {
    One(Box<Client>),
    /// A Cluster, and the nodes that are known from the address.
    Cluster(Box<ClusterClient>, Vec<Client>),
    Sentinels(Box<Sentinels>),
}

/// The master that some Sentinels know under a name.
pub(super) struct Sentinels {
    hosts: Vec<ConnectionInfo>,
    master: String,
    certificates: Option<TlsCertificates>,
    username: Option<String>,
    password: Option<String>,
}

/// How often a Cluster's client tries a command again, and for how many milliseconds it waits at most in between: a key
/// on its way to another node is there again soon or not within the budget of a call.
const RETRIES: u32 = 3;
const RETRY_WAIT: u64 = 4;

impl Target {
    pub(super) fn of(options: &RedisOptions) -> Result<Self, Error> {
        let wrong = |why: &str| {
            let at = super::options::public(&options.url);
            Error::new(ErrorKind::Unavailable, format!("use the address {at}: {why}"))
        };
        // what the library says of an address may quote it
        let unreadable = |_: RedisError| wrong("it cannot be read");

        if options.url.contains('#') {
            return Err(wrong(
                "it has a fragment; `#insecure` is not to be had: give the certificate as `ca`",
            ));
        }
        let (scheme, rest) = options.url.split_once("://").ok_or_else(|| wrong("it has no scheme"))?;
        if matches!(scheme, "unix" | "redis+unix" | "valkey+unix") {
            let info = complete(options.url.as_str().into_connection_info().map_err(unreadable)?, options);
            return Ok(Self::One(Box::new(Client::open(info).map_err(unreadable)?)));
        }
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let secure = match scheme {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(wrong("its scheme is unknown")),
        };
        if secure {
            choose_provider();
        }
        let certificates = secure.then(|| TlsCertificates {
            client_tls: options
                .identity
                .clone()
                .map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key }),
            root_cert: options.ca.clone(),
        });

        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), authority),
        };
        let (master, database, port) = match kind {
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                (master, database, ":26379")
            }
            _ => ("", path, ":6379"),
        };
        let read = |host: &str| {
            let has_port = host.rsplit_once(']').map_or(host, |(_, behind)| behind).contains(':');
            let port = if has_port { "" } else { port };
            let url = format!("{scheme}://{user}{host}{port}/{database}?{query}");
            Ok(complete(url.into_connection_info().map_err(unreadable)?, options))
        };
        let mut hosts = hosts.split(',').map(read).collect::<Result<Vec<_>, Error>>()?;

        let client = |info| {
            let client = match &certificates {
                Some(certificates) => Client::build_with_tls(info, certificates.clone()),
                None => Client::open(info),
            };
            client.map_err(|_| wrong("the certificates cannot be read"))
        };
        match (kind, hosts.len()) {
            ("", 1) => Ok(Self::One(Box::new(client(hosts.remove(0))?))),
            ("" | "cluster", _) => {
                if hosts.iter().any(|host| host.redis_settings().db() != 0) {
                    return Err(wrong("a Cluster has the database 0 only"));
                }
                let nodes = hosts.iter().cloned().map(client).collect::<Result<_, _>>()?;
                let builder = ClusterClientBuilder::new(hosts)
                    .retries(RETRIES)
                    .min_retry_wait(1)
                    .max_retry_wait(RETRY_WAIT)
                    .tcp_settings(tcp_settings())
                    .connection_timeout(options.connect_timeout)
                    .response_timeout(options.silence)
                    // it would need the caller's runtime, and the guard has a budget for it
                    .overall_response_timeout(None);
                let builder = match certificates {
                    Some(certificates) => builder.certs(certificates),
                    None => builder,
                };
                let client = builder.build().map_err(|_| wrong("the certificates cannot be read"))?;
                Ok(Self::Cluster(Box::new(client), nodes))
            }
            ("sentinel", _) if master.is_empty() => Err(wrong("the master's name is missing: `/mymaster`")),
            ("sentinel", _) => {
                let sentinels = Sentinels {
                    hosts,
                    master: master.to_owned(),
                    certificates,
                    username: options.sentinel_username.clone(),
                    password: options.sentinel_password.clone(),
                };
                sentinels.client().map_err(|_| wrong("the certificates cannot be read"))?;
                Ok(Self::Sentinels(Box::new(sentinels)))
            }
            _ => Err(wrong("its scheme is unknown")),
        }
    }
}

impl Sentinels {
    /// One that knows nothing yet: it asks the Sentinels at once.
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

/// With what the options say beside the address.
fn complete(info: ConnectionInfo, options: &RedisOptions) -> ConnectionInfo {
    let mut redis = info.redis_settings().clone();
    // the library's own default is RESP2
    if !is_resp2(&options.url) {
        redis = redis.set_protocol(ProtocolVersion::RESP3);
    }
    if let Some(username) = &options.username {
        redis = redis.set_username(username);
    }
    if let Some(password) = &options.password {
        redis = redis.set_password(password);
    }
    if let Some(database) = options.database {
        redis = redis.set_db(database);
    }
    info.set_redis_settings(redis).set_tcp_settings(tcp_settings())
}

/// Whether an address asks for the older protocol, in which a connection is either for commands or for messages.
pub(super) fn is_resp2(url: &str) -> bool {
    let query = url.rsplit_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|parameter| matches!(parameter, "protocol=2" | "protocol=resp2"))
}

/// How long an acknowledgement of the network may be missing: what lies in between may forget a connection without a
/// word.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(UNACKNOWLEDGED);
    let keepalive = ::redis::io::tcp::socket2::TcpKeepalive::new().with_time(UNACKNOWLEDGED);
    settings.set_keepalive(keepalive)
}

/// Chooses who does the cryptography, unless the program has: where two libraries are compiled in, rustls panics
/// without a choice.
fn choose_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // an error is somebody else's choice, made meanwhile
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(url: &str) -> &'static str {
        match Target::of(&RedisOptions::at(url)) {
            Ok(Target::One(_)) => "one",
            Ok(Target::Cluster(..)) => "cluster",
            Ok(Target::Sentinels(_)) => "sentinels",
            Err(_) => "wrong",
        }
    }

    fn one(options: &RedisOptions) -> ConnectionInfo {
        match Target::of(options) {
            Ok(Target::One(client)) => client.get_connection_info().clone(),
            _ => panic!("{options:?} is one server"),
        }
    }

    #[test]
    fn addresses_are_told_apart() {
        for (url, expected) in [
            ("redis://host", "one"),
            ("redis://[::1]:6380/2", "one"),
            ("rediss://user:p%40ss@host/1", "one"),
            ("unix:///run/redis.sock?db=1", "one"),
            ("redis+unix:///run/redis.sock", "one"),
            ("valkey://host", "one"),
            ("redis://one,two:6380,three", "cluster"),
            ("rediss+cluster://host", "cluster"),
            ("redis+sentinel://one,two/mymaster/3", "sentinels"),
            ("rediss+sentinel://user:pass@one/mymaster", "sentinels"),
            ("redis+sentinel://one,two", "wrong"),
            ("redis+cluster://one/1", "wrong"),
            ("redis://host/database", "wrong"),
            ("rediss://host#insecure", "wrong"),
            ("http://host", "wrong"),
            ("host:6379", "wrong"),
            ("redis+tls://host", "wrong"),
            ("", "wrong"),
        ] {
            assert_eq!(kind(url), expected, "{url}");
        }
    }

    #[test]
    fn what_the_options_say_counts_more_than_the_address() {
        let info = one(&RedisOptions::at("redis://user:p%40ss@host/2"));
        let redis = info.redis_settings();
        assert_eq!((redis.username(), redis.password(), redis.db()), (Some("user"), Some("p@ss"), 2));
        assert_eq!(redis.protocol(), ProtocolVersion::RESP3);
        let info = one(&RedisOptions {
            username: Some("another".to_owned()),
            password: Some("secret".to_owned()),
            database: Some(3),
            ..RedisOptions::at("redis://user:pass@host/2?protocol=resp2")
        });
        let redis = info.redis_settings();
        assert_eq!((redis.username(), redis.password(), redis.db()), (Some("another"), Some("secret"), 3));
        assert_eq!(redis.protocol(), ProtocolVersion::RESP2);
    }

    #[test]
    fn an_error_tells_no_secret() {
        for url in ["redis://:hunter2@host/what", "redis://:hunter2@host#x", "x://:hunter2@host", "hunter2"] {
            let error = Target::of(&RedisOptions::at(url)).err().expect("it is wrong");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
