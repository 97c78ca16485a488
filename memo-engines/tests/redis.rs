//! The engine `redis` conforms, on each kind of real servers.

mod servers;

use std::pin::Pin;
use std::task::{Context, Waker};

use futures_util::future::join_all;
use memo_engines::conformance::{self, wait};
use memo_engines::{Engine as _, Entry, Key, Redis, RedisOptions, Space};
use servers::{Cluster, Kind, PASSWORD, Program, REDIS, Sentinels, Server, VALKEY, until};

fn engine(options: &RedisOptions) -> Redis {
    Redis::open(options.clone()).unwrap()
}

fn conforms(server: &Server) {
    let options = RedisOptions { ca: server.ca(), ..RedisOptions::at(server.url()) };
    conformance::all(|| engine(&options));
}

fn one_server_conforms(program: Program) {
    if program.is_there() {
        conforms(&Server::start(program, Kind::default()));
    }
}

#[test]
fn it_conforms_on_one_server() {
    one_server_conforms(REDIS);
}

#[test]
fn it_conforms_on_valkey() {
    one_server_conforms(VALKEY);
}

#[test]
fn it_conforms_with_password_and_tls() {
    if REDIS.is_there() {
        conforms(&Server::start(REDIS, Kind { password: true, tls: true, ..Kind::default() }));
    }
}

#[test]
fn it_conforms_on_a_unix_socket() {
    if REDIS.is_there() {
        conforms(&Server::start(REDIS, Kind { unix: true, ..Kind::default() }));
    }
}

/// A prefix with which every command would fail is refused without asking a server.
#[test]
fn a_prefix_that_a_cluster_cannot_work_with_is_refused_as_it_is_opened() {
    let open = |url: &str, prefix: &str, one_slot_per_function| {
        let prefix = prefix.to_owned();
        Redis::open(RedisOptions { prefix, one_slot_per_function, ..RedisOptions::at(url) })
    };
    let cluster = "redis+cluster://127.0.0.1:1";
    for (prefix, advice) in
        [("{}", "leave out the braces"), ("{shop}", "set `one_slot_per_function` if that is meant")]
    {
        let error = open(cluster, prefix, false).expect_err("it is refused").to_string();
        assert!(error.contains("redis") && error.contains(prefix) && error.contains(advice), "{error}");
    }
    assert!(open(cluster, "{}", true).is_err());
    assert!(open(cluster, "{shop}", true).is_ok());
    assert!(open("redis://127.0.0.1:1", "{}", false).is_ok(), "one server has no slots");
}

#[test]
fn what_was_put_is_not_replaced_by_what_was_computed_before() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let engine = engine(&RedisOptions::at(server.url()));
    let key = Key { space: Space([1; 16]), digest: [2; 32] };
    let (old, new) = (Entry::new(vec![1]), Entry::new(vec![2]));
    for _ in 0..2 {
        let (_, witness) = wait(engine.look(&key)).unwrap();
        wait(engine.put(&key, &new)).unwrap();
        assert!(!wait(engine.put_if(&key, &old, witness)).unwrap());
        assert_eq!(wait(engine.get(&key)).unwrap(), Some(new.clone()));
        let (_, witness) = wait(engine.look(&key)).unwrap();
        assert!(wait(engine.put_if(&key, &old, witness)).unwrap(), "nothing happened since");
    }
}

#[test]
fn look_ups_that_are_made_together_go_together_and_each_gets_its_own() {
    if !REDIS.is_there() {
        return;
    }
    let server = Server::start(REDIS, Kind::default());
    let engine = engine(&RedisOptions::at(server.url()));
    let keys: Vec<_> = (0..200u16)
        .map(|number| {
            let mut digest = [3; 32];
            digest[..2].copy_from_slice(&number.to_be_bytes());
            Key { space: Space([number as u8 % 3; 16]), digest }
        })
        .collect();
    // a third is not there, some are empty, some larger than what goes together
    let entry = |place: usize| {
        let length = [0, 1, 1000, 100_000][place % 4];
        (!place.is_multiple_of(3)).then(|| Entry::new(vec![place as u8; length]))
    };
    for (place, key) in keys.iter().enumerate() {
        if let Some(entry) = entry(place) {
            wait(engine.put(key, &entry)).unwrap();
        }
    }
    let commands = || -> u64 {
        let said = server.ask(&["INFO", "commandstats"]);
        let calls = said.lines().find_map(|line| line.strip_prefix("cmdstat_mget:calls="));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
    };
    until("look-ups that go together", || {
        let before = commands();
        let found = wait(join_all(keys.iter().map(|key| engine.get(key))));
        for (place, found) in found.into_iter().enumerate() {
            assert_eq!(found.unwrap(), entry(place), "{place}");
        }
        // some leave before they have an answer
        drop(keys.iter().map(|key| poll_once(engine.get(key))).collect::<Vec<_>>());
        (commands() - before < 200).then_some(())
    });
    wait(engine.clear(&keys[0].space)).unwrap();
    let found = wait(join_all(keys.iter().map(|key| engine.get(key))));
    for (place, found) in found.into_iter().enumerate() {
        let entry = entry(place).filter(|_| keys[place].space != keys[0].space);
        assert_eq!(found.unwrap(), entry, "{place}, after a clear");
    }
}

/// The future after one poll.
fn poll_once<F: Future + Unpin>(mut future: F) -> F {
    let _ = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    future
}

/// The rights that docs/guide/redis.md says are needed.
const RIGHTS: &str =
    "~memo:* &memo:* +mget +set +get +getrange +del +pexpire +pttl +evalsha +eval +publish +select +ping";

/// An engine of a user with these rights.
fn of_a_user(url: String) -> RedisOptions {
    let (username, password) = (Some("memo".to_owned()), Some(PASSWORD.to_owned()));
    RedisOptions { username, password, ..RedisOptions::at(url) }
}

fn allow(server: &Server, more: &str) {
    let password = format!(">{PASSWORD}");
    let rights = RIGHTS.split(' ').chain(more.split(' ').filter(|right| !right.is_empty()));
    server.ask(&["ACL", "SETUSER", "memo", "on", &password].into_iter().chain(rights).collect::<Vec<_>>());
}

#[test]
fn it_conforms_in_resp2_with_a_user_and_another_database() {
    if REDIS.is_there() {
        let server = Server::start(REDIS, Kind::default());
        allow(&server, "");
        let url = format!("{}?protocol=resp2", server.url());
        let options = RedisOptions { database: Some(3), ..of_a_user(url) };
        conformance::all(|| engine(&options));
    }
}

#[test]
fn it_conforms_with_the_rights_that_the_guide_names() {
    if REDIS.is_there() {
        let server = Server::start(REDIS, Kind::default());
        allow(&server, "+subscribe +hello");
        let options = of_a_user(server.url());
        conformance::all(|| engine(&options));
        let cluster = Cluster::start(REDIS);
        cluster.nodes.iter().for_each(|node| allow(node, "+subscribe +hello +cluster"));
        let options = of_a_user(cluster.url());
        conformance::all(|| engine(&options));
    }
}

#[test]
fn it_conforms_on_a_cluster() {
    if REDIS.is_there() {
        let cluster = Cluster::start(REDIS);
        conformance::all(|| engine(&RedisOptions::at(cluster.url())));
        let together = RedisOptions { one_slot_per_function: true, ..RedisOptions::at(cluster.url()) };
        conformance::all(|| engine(&together));
    }
}

#[test]
fn it_conforms_behind_sentinels() {
    if REDIS.is_there() {
        let sentinels = Sentinels::start(REDIS);
        conformance::all(|| engine(&RedisOptions::at(sentinels.url())));
    }
}
