//! The engine `redis` on real servers: it conforms, on each kind of them.

mod servers;

use memo_engines::{Redis, RedisOptions, conformance};
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
fn it_conforms_in_resp2_with_a_user_and_another_database() {
    if REDIS.is_there() {
        let password = format!(">{PASSWORD}");
        // what docs/guide/redis.md says that it needs
        let may = [
            "+mget",
            "+set",
            "+evalsha",
            "+eval",
            "+get",
            "+getrange",
            "+del",
            "+pexpire",
            "+pttl",
            "+publish",
        ];
        let user =
            [&["--user", "reader", "on", &password, "~memo:*", "&memo:*"][..], &may, &["+select", "+ping"]]
                .concat();
        let server = Server::start(REDIS, Kind::default().with(&user));
        let options = RedisOptions {
            username: Some("reader".to_owned()),
            password: Some(PASSWORD.to_owned()),
            database: Some(3),
            ..RedisOptions::at(format!("{}?protocol=resp2", server.url()))
        };
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
