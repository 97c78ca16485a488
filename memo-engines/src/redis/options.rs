//! The options of a [`Redis`](super::Redis).

use std::fmt;
use std::time::Duration;

use crate::program::Program;

/// The options of a [`Redis`](super::Redis). Every default is meant for production; only the address must
/// be set.
///
/// Its `Debug` output hides what is secret.
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
    /// `rediss+cluster` and `rediss+sentinel` use TLS, also to the Sentinels. `user:password@` comes before
    /// the hosts, once for all of them; special characters are percent-encoded. `?protocol=resp2` is for
    /// servers that do not speak RESP3 (before Redis 6).
    ///
    /// Default `redis://127.0.0.1:6379`.
    pub url: String,
    /// The user of the server's access control list. Replaces the one in the address.
    pub username: Option<String>,
    /// The password. Replaces the one in the address.
    pub password: Option<String>,
    /// The number of the database. Replaces the one in the address. A Cluster has only 0.
    pub database: Option<i64>,
    /// The user for the Sentinels, if they require one.
    pub sentinel_username: Option<String>,
    /// The password for the Sentinels, if they require one.
    pub sentinel_password: Option<String>,
    /// The name of these connections in `CLIENT LIST`. Connections to a Cluster have none. Default `memo`.
    pub client_name: String,
    /// PEM certificates, by one of which the server's must be signed. They replace those that the machine
    /// trusts.
    pub ca: Option<Vec<u8>>,
    /// The client's certificate and its private key, as PEM, if the server requires one.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The prefix of all keys on the server. Programs with the same prefix share results. Default `memo:`
    /// and the name of the program's executable.
    ///
    /// In a Cluster, the first braces in a key choose its slot. A prefix with `{}` is refused there: keys
    /// that belong together would lie in different slots. A prefix with a tag, such as `{shop}`, keeps
    /// everything in one slot and so on one node. It is refused unless `one_slot_per_function` is set.
    pub prefix: String,
    /// In a Cluster, keeps all entries of a function in one slot. By default they are spread over all
    /// nodes.
    pub one_slot_per_function: bool,
    /// How long an entry is kept at most, whatever its lifetime. What a clear leaves behind is kept no
    /// longer either. Default 30 days.
    pub longest: Duration,
    /// How long a removal is remembered. A result whose computation began earlier is not stored if
    /// invalidations must win. Default 1 hour; at most 2 days count.
    pub remember_removals: Duration,
    /// The largest entry, in bytes. Default 64 MiB; the server takes at most 512.
    pub largest: u64,
    /// How long making a connection may take. Calls wait for it within their own budget. Default 1 s.
    pub connect_timeout: Duration,
    /// How long a connection may leave calls without any reply before it is replaced. Default 500 ms.
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

/// Stands for a secret in the output.
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

/// An address without what may be secret: user, password and parameters.
pub(super) fn public(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "..".to_owned() };
    // a password may hold characters that should have been encoded: everything up to the last `@` counts as
    // one
    let place = rest.rsplit_once('@').map(|(user, place)| (user.contains(['?', '#']), place));
    match place {
        // the `@` may be in a parameter, with something secret behind it
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
