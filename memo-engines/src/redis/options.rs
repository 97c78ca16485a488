//! What can be set about a [`Redis`](super::Redis).

use std::fmt;
use std::time::Duration;

use crate::program::Program;

/// What can be set about a [`Redis`](super::Redis). Every default is meant for production; the address is what it
/// needs.
///
/// Nothing secret is in what it prints.
#[derive(Clone)]
pub struct RedisOptions {
    /// Where the server is:
    ///
    /// | address | what |
    /// |---|---|
    /// | `redis://host:6379/0` | one server, and the number of its database |
    /// | `rediss://host:6379` | the same by TLS |
    /// | `unix:///run/redis.sock` | by a Unix socket; `?db=1` |
    /// | `redis://one,two,three:6380` | a Cluster: some of its nodes, the others are found |
    /// | `redis+cluster://host` | a Cluster by one of its nodes |
    /// | `redis+sentinel://one,two,three/mymaster/0` | the master that Sentinels know under this name |
    ///
    /// `rediss+cluster` and `rediss+sentinel` go by TLS, also to the Sentinels. `user:password@` comes before the host,
    /// once for all hosts; special characters are percent-encoded. `?protocol=resp2` is for servers that
    /// do not speak RESP3 (before Redis 6).
    ///
    /// Default `redis://127.0.0.1:6379`.
    pub url: String,
    /// The user of the server's access control list; in place of the one in the address.
    pub username: Option<String>,
    /// The password; in place of the one in the address.
    pub password: Option<String>,
    /// The number of the database; in place of the one in the address. A Cluster has 0 only.
    pub database: Option<i64>,
    /// The user of the Sentinels, where they ask for one.
    pub sentinel_username: Option<String>,
    /// The password of the Sentinels, where they ask for one.
    pub sentinel_password: Option<String>,
    /// What the server calls these connections in `CLIENT LIST`; a Cluster's have no name. Default `memo`.
    pub client_name: String,
    /// Certificates, as PEM, by one of which the server's must be signed, in place of those that the machine trusts.
    pub ca: Option<Vec<u8>>,
    /// The client's own certificate and its private key, as PEM, where the server asks for one.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// What all keys on the server begin with. Programs share results if their prefix is the same. Default `memo:` and the
    /// name of the program's executable.
    ///
    /// In a Cluster, braces choose the slot of a key. A prefix with `{}` is refused there, since what belongs together would
    /// lie in different slots. One with a tag, such as `{shop}`, keeps everything in one slot and so on one node, and is
    /// refused unless `one_slot_per_function` says that this is meant.
    pub prefix: String,
    /// In a Cluster, keeps all entries of a function in one slot. By default they are spread over all nodes.
    pub one_slot_per_function: bool,
    /// How long an entry is kept at most, whatever its lifetime; also what is left behind by a clear. Default 30 days.
    pub longest: Duration,
    /// How long a removal is remembered: a result whose computation began longer ago is not stored where invalidations
    /// must win. Default 1 hour; at most 2 days count.
    pub remember_removals: Duration,
    /// The largest entry, in bytes. Default 64 MiB; the server takes at most 512.
    pub largest: u64,
    /// How long making a connection may take. Calls wait for it within their own budget. Default 1 s.
    pub connect_timeout: Duration,
    /// After how long without any reply, while one is waited for, a connection is given up and another made. Default
    /// 500 ms.
    pub silence: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379".to_owned(),
            username: None,
            password: None,
            database: None,
            sentinel_username: None,
            sentinel_password: None,
            client_name: "memo".to_owned(),
            ca: None,
            identity: None,
            prefix: format!("memo:{}", Program::this().name),
            one_slot_per_function: false,
            longest: Duration::from_secs(30 * 24 * 3600),
            remember_removals: Duration::from_secs(3600),
            largest: 64 << 20,
            connect_timeout: Duration::from_secs(1),
            silence: Duration::from_millis(500),
        }
    }
}

impl RedisOptions {
    /// The defaults, with this address.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

/// Stands for what is not printed.
fn hidden<T>(secret: &Option<T>) -> Option<&'static str> {
    secret.as_ref().map(|_| "..")
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("url", &public(&self.url))
            .field("username", &self.username)
            .field("password", &hidden(&self.password))
            .field("database", &self.database)
            .field("sentinel_username", &self.sentinel_username)
            .field("sentinel_password", &hidden(&self.sentinel_password))
            .field("client_name", &self.client_name)
            .field("ca", &hidden(&self.ca))
            .field("identity", &hidden(&self.identity))
            .field("prefix", &self.prefix)
            .field("one_slot_per_function", &self.one_slot_per_function)
            .field("longest", &self.longest)
            .field("remember_removals", &self.remember_removals)
            .field("largest", &self.largest)
            .field("connect_timeout", &self.connect_timeout)
            .field("silence", &self.silence)
            .finish()
    }
}

/// An address without whatever may be secret in it: user, password, parameters.
pub(super) fn public(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "..".to_owned() };
    // a password may hold what should have been encoded: all up to the last `@` is taken for one
    let place = rest.rsplit_once('@').map(|(user, place)| (user.contains(['?', '#']), place));
    match place {
        // or the `@` is in a parameter, and what is behind it secret
        Some((true, _)) => format!("{scheme}://.."),
        Some((false, place)) => format!("{scheme}://..@{}", without_parameters(place)),
        None => format!("{scheme}://{}", without_parameters(rest)),
    }
}

fn without_parameters(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        for url in [
            "redis://user:hunter2@host/1",
            "redis://:hunter2@host/1",
            "redis://:with@hunter2/and?more#@host",
            "unix:///run/redis.sock?pass=hunter2",
            "unix:///run/redis.sock?pass=with@hunter2",
            "hunter2",
        ] {
            let secret = Some("hunter2".to_owned());
            let options = RedisOptions {
                password: secret.clone(),
                sentinel_password: secret,
                identity: Some((b"hunter2".to_vec(), b"hunter2".to_vec())),
                ..RedisOptions::at(url)
            };
            assert!(!format!("{options:?}").contains("hunter2"), "{url}: {options:?}");
        }
        assert_eq!(public("redis://user:hunter2@host:1/1"), "redis://..@host:1/1");
    }
}
