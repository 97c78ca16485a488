//! Addresses: what an address says, with the options beside it.

use ::redis::{ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};

use super::options::RedisOptions;
use super::tcp::tcp_settings;

/// What an address leads to.
pub(super) enum Kind {
    One,
    Cluster,
    /// The master of this name, which Sentinels know.
    Sentinels(String),
}

/// What an address says, with the options beside it.
pub(super) struct Address {
    pub(super) kind: Kind,
    /// Whether connections use TLS.
    pub(super) secure: bool,
    /// The hosts. There is at least one.
    pub(super) hosts: Vec<ConnectionInfo>,
}

impl Address {
    /// # Errors
    /// What is wrong. It quotes nothing of the address, which may hold secrets.
    pub(super) fn of(options: &RedisOptions) -> Result<Self, &'static str> {
        if options.url.contains('#') {
            return Err("it has a fragment; `#insecure` is not to be had: give the certificate as `ca`");
        }
        let (scheme, rest) = options.url.split_once("://").ok_or("it has no scheme")?;
        if matches!(scheme, "unix" | "redis+unix" | "valkey+unix") {
            let hosts = vec![host(&options.url, options)?];
            return Ok(Self { kind: Kind::One, secure: false, hosts });
        }
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let secure = match scheme {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err("its scheme is unknown"),
        };

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
        let read = |name: &str| {
            let has_port = name.rsplit_once(']').map_or(name, |(_, behind)| behind).contains(':');
            let port = if has_port { "" } else { port };
            host(&format!("{scheme}://{user}{name}{port}/{database}?{query}"), options)
        };
        let hosts = hosts.split(',').map(read).collect::<Result<Vec<_>, _>>()?;
        let kind = match (kind, hosts.len()) {
            ("", 1) => Kind::One,
            ("" | "cluster", _) if hosts.iter().any(|host| host.redis_settings().db() != 0) => {
                return Err("a Cluster has the database 0 only");
            }
            ("" | "cluster", _) => Kind::Cluster,
            ("sentinel", _) if master.is_empty() => return Err("the master's name is missing: `/mymaster`"),
            ("sentinel", _) => Kind::Sentinels(master.to_owned()),
            _ => return Err("its scheme is unknown"),
        };
        Ok(Self { kind, secure, hosts })
    }
}

/// Reads one host of an address.
fn host(url: &str, options: &RedisOptions) -> Result<ConnectionInfo, &'static str> {
    // the library's error may quote the address
    url.into_connection_info().map(|info| complete(info, options)).map_err(|_| "it cannot be read")
}

/// Adds what the options say.
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

/// Whether an address asks for the older protocol. In it, a connection is either for commands or for
/// messages.
pub(super) fn is_resp2(url: &str) -> bool {
    let query = url.rsplit_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|parameter| matches!(parameter, "protocol=2" | "protocol=resp2"))
}
