//! The engine `redis` on real servers: it conforms, on each kind of them.

mod servers;

use memo_engines::conformance::{self, wait};
use memo_engines::{Engine as _, Entry, Key, Redis, RedisOptions, Space};
use servers::{Cluster, Kind, PASSWORD, Program, REDIS, Sentinels, Server, VALKEY};

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
