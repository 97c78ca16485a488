//! What connections are made to, from the options. The network is not asked.

use ::redis::cluster::{ClusterClient, ClusterClientBuilder};
use ::redis::{Client, ClientTlsConfig, ConnectionInfo, TlsCertificates};

use super::address::{Address, Kind};
use super::options::{RedisOptions, public};
use super::sentinels::Sentinels;
use super::tcp::tcp_settings;
use crate::error::{Error, ErrorKind};

/// What connections are made to.
pub(super) enum Target {
    One(Box<Client>),
    /// A Cluster, and the nodes that the address names.
    Cluster(Box<ClusterClient>, Vec<Client>),
    Sentinels(Box<Sentinels>),
}

/// How often a Cluster's client retries a command, and how many milliseconds it waits at most in between. A
/// key that moves to another node is there soon, or not within the budget of a call.
const RETRIES: u32 = 3;
const RETRY_WAIT: u64 = 4;

/// The error if the library does not accept the certificates.
const CERTIFICATES: &str = "the certificates cannot be read";

impl Target {
    pub(super) fn of(options: &RedisOptions) -> Result<Self, Error> {
        Self::read(options).map_err(|why| {
            let context = format!("use the address {}: {why}", public(&options.url));
            Error::new(ErrorKind::Unavailable, context)
        })
    }

    fn read(options: &RedisOptions) -> Result<Self, &'static str> {
        let Address { kind, secure, mut hosts } = Address::of(options)?;
        let certificates = secure.then(|| certificates(options));
        match kind {
            Kind::One => Ok(Self::One(Box::new(client(hosts.remove(0), certificates.as_ref())?))),
            Kind::Cluster => {
                let node = |host: &ConnectionInfo| client(host.clone(), certificates.as_ref());
                let nodes = hosts.iter().map(node).collect::<Result<_, _>>()?;
                Ok(Self::Cluster(Box::new(cluster(hosts, certificates, options)?), nodes))
            }
            Kind::Sentinels(master) => {
                let sentinels = Sentinels {
                    hosts,
                    master,
                    certificates,
                    username: options.sentinel_username.clone(),
                    password: options.sentinel_password.clone(),
                };
                sentinels.client().map_err(|_| CERTIFICATES)?;
                Ok(Self::Sentinels(Box::new(sentinels)))
            }
        }
    }
}

fn client(host: ConnectionInfo, certificates: Option<&TlsCertificates>) -> Result<Client, &'static str> {
    match certificates {
        Some(certificates) => Client::build_with_tls(host, certificates.clone()).map_err(|_| CERTIFICATES),
        None => Client::open(host).map_err(|_| "it cannot be read"),
    }
}

fn cluster(
    hosts: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
    options: &RedisOptions,
) -> Result<ClusterClient, &'static str> {
    let builder = ClusterClientBuilder::new(hosts)
        .retries(RETRIES)
        .min_retry_wait(1)
        .max_retry_wait(RETRY_WAIT)
        .tcp_settings(tcp_settings())
        .connection_timeout(options.connect_timeout)
        .response_timeout(options.silence)
        // that timeout would need the caller's runtime, and the guard has a budget
        .overall_response_timeout(None);
    let builder = match certificates {
        Some(certificates) => builder.certs(certificates),
        None => builder,
    };
    builder.build().map_err(|_| CERTIFICATES)
}

/// The certificates of the options.
fn certificates(options: &RedisOptions) -> TlsCertificates {
    choose_provider();
    let identity = options.identity.clone();
    let client = |(client_cert, client_key)| ClientTlsConfig { client_cert, client_key };
    TlsCertificates { client_tls: identity.map(client), root_cert: options.ca.clone() }
}

/// Chooses a library for cryptography, unless the program has. If two are compiled in, rustls panics
/// without a choice.
fn choose_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // it fails if somebody else has chosen meanwhile
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use ::redis::ProtocolVersion;

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
