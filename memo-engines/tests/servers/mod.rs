//! Real servers for tests: processes on loopback, at free ports, in temporary directories. They end with
//! the test, also if it panics.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod proxy;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The password that servers are given where they have one.
pub(crate) const PASSWORD: &str = "open/sesame@home";
/// The password in an address.
pub(crate) const PASSWORD_ENCODED: &str = "open%2Fsesame%40home";

/// How long a test waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A program that serves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    server: &'static str,
    sentinel: &'static str,
}

pub(crate) const REDIS: Program = Program { server: "redis-server", sentinel: "redis-sentinel" };
pub(crate) const VALKEY: Program = Program { server: "valkey-server", sentinel: "valkey-sentinel" };

impl Program {
    /// Whether it is installed. Says so if it is not.
    pub(crate) fn is_there(self) -> bool {
        let version = Command::new(self.server).arg("--version").stdout(Stdio::null()).status();
        let there = version.is_ok_and(|status| status.success());
        if !there {
            eprintln!("SKIPPED: {} is not installed", self.server);
        }
        there
    }
}

/// A port that nobody listens at.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Tries until `done` gives something.
pub(crate) fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process that ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Sends a signal, by name.
    pub(crate) fn signal(&self, signal: &str) {
        let done = Command::new("kill").arg(format!("-{signal}")).arg(self.0.id().to_string()).status();
        assert!(done.unwrap().success());
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a server is to be reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kind {
    pub(crate) password: bool,
    pub(crate) tls: bool,
    pub(crate) unix: bool,
    /// Further options, as on the command line.
    pub(crate) more: Vec<String>,
}

impl Kind {
    pub(crate) fn with(mut self, more: &[&str]) -> Self {
        self.more.extend(more.iter().map(|word| (*word).to_owned()));
        self
    }
}

/// One server.
#[derive(Debug)]
pub(crate) struct Server {
    process: Option<Process>,
    program: Program,
    kind: Kind,
    port: u16,
    directory: TempDir,
}

impl Server {
    pub(crate) fn start(program: Program, kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        if kind.tls {
            let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
            let made = rcgen::generate_simple_self_signed(names).unwrap();
            std::fs::write(directory.path().join("cert.pem"), made.cert.pem()).unwrap();
            std::fs::write(directory.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        }
        let mut server = Self { process: None, program, kind, port: 0, directory };
        until("a server at a free port", || {
            server.port = free_port();
            server.run().then_some(())
        });
        server
    }

    /// Starts the process. Returns whether it came up.
    fn run(&mut self) -> bool {
        let mut process = self.begin(&[]);
        let up = until("a server to come up or not", || {
            let answers = matches!(self.try_ask(&["PING"]), Ok(answer) if answer == "PONG");
            (answers || process.has_ended()).then_some(answers)
        });
        self.process = up.then_some(process);
        up
    }

    /// Starts the process with further options.
    fn begin(&self, more: &[&str]) -> Process {
        let directory = self.directory.path();
        let port = self.port.to_string();
        let mut command = Command::new(self.program.server);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        // a replica that has nothing yet cannot take over
        command.args(["--repl-diskless-sync-delay", "0"]);
        command.arg("--dir").arg(directory);
        if self.kind.tls {
            command.args(["--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(directory.join("cert.pem"));
            command.arg("--tls-key-file").arg(directory.join("key.pem"));
            command.arg("--tls-ca-cert-file").arg(directory.join("cert.pem"));
        } else {
            command.args(["--port", &port]);
        }
        if self.kind.password {
            command.args(["--requirepass", PASSWORD, "--masterauth", PASSWORD]);
        }
        if self.kind.unix {
            command.arg("--unixsocket").arg(self.socket());
        }
        Process::start(command.args(&self.kind.more).args(more))
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again at the same port, empty.
    pub(crate) fn restart(&mut self) {
        self.kill();
        until("a server at its port again", || self.run().then_some(()));
    }

    /// Starts it again with what it has saved, for each key of which it takes so long. Until it has them all it answers
    /// that it is loading.
    pub(crate) fn restart_loading(&mut self, delay: Duration) {
        self.kill();
        let delay = delay.as_micros().to_string();
        let slowly = ["--key-load-delay", &delay, "--loading-process-events-interval-bytes", "1024"];
        until("a server that is loading", || {
            let mut process = self.begin(&slowly);
            let loads = until("a server to begin loading or to end", || {
                let loads = matches!(self.try_ask(&["PING"]), Ok(answer) if answer.starts_with("LOADING"));
                (loads || process.has_ended()).then_some(loads)
            });
            self.process = loads.then_some(process);
            loads.then_some(())
        });
    }

    pub(crate) fn signal(&self, signal: &str) {
        self.process.as_ref().expect("it runs").signal(signal);
    }

    /// Whether it is a master, or has all that its master has.
    fn is_in_sync(&self) -> bool {
        !self.ask(&["INFO", "replication"]).contains("master_link_status:down")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// The certificate that its own is signed by, as PEM.
    pub(crate) fn ca(&self) -> Option<Vec<u8>> {
        self.kind.tls.then(|| std::fs::read(self.directory.path().join("cert.pem")).unwrap())
    }

    pub(crate) fn url(&self) -> String {
        if self.kind.unix {
            return format!("unix://{}", self.socket().display());
        }
        let scheme = if self.kind.tls { "rediss" } else { "redis" };
        let user = if self.kind.password { format!(":{PASSWORD_ENCODED}@") } else { String::new() };
        format!("{scheme}://{user}127.0.0.1:{}", self.port)
    }

    /// What the server answers to a command.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        self.try_ask(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    fn try_ask(&self, words: &[&str]) -> Result<String, String> {
        let mut client = client(self.port);
        if self.kind.password {
            client.args(["--no-auth-warning", "-a", PASSWORD]);
        }
        if self.kind.tls {
            client.arg("--tls").arg("--cacert").arg(self.directory.path().join("cert.pem"));
        }
        said(client.args(words))
    }
}

fn client(port: u16) -> Command {
    let mut client = Command::new("redis-cli");
    client.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    client
}

fn said(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    match output.status.success() {
        true => Ok(text),
        false => Err(format!("{text} {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// A Cluster of three masters and three replicas.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start(program: Program) -> Self {
        let nodes: Vec<Server> = (0..6)
            .map(|_| {
                let bus = free_port().to_string();
                let options =
                    ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", &bus];
                Server::start(program, Kind::default().with(&options))
            })
            .collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        said(create.args(["--cluster-replicas", "1", "--cluster-yes"])).unwrap();
        let cluster = Self { nodes };
        until("the Cluster to agree", || {
            let agrees = |node: &Server| {
                let slaves = node.ask(&["CLUSTER", "NODES"]).matches("slave").count();
                node.is_in_sync()
                    && slaves == 3
                    && node.ask(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
            };
            cluster.nodes.iter().all(agrees).then_some(())
        });
        cluster
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> =
            self.nodes.iter().take(3).map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis://{}", hosts.join(","))
    }

    /// How many nodes that run say that they are masters with slots.
    pub(crate) fn masters(&self) -> usize {
        let running = self.nodes.iter().filter(|node| node.process.is_some());
        running.filter(|node| node.ask(&["ROLE"]).starts_with("master")).count()
    }

    /// Moves so many slots, with what is in them, from one master to another.
    pub(crate) fn move_slots(&self, count: usize) {
        let ids: Vec<_> = (0..2).map(|place| self.nodes[place].ask(&["CLUSTER", "MYID"])).collect();
        let mut reshard = Command::new("redis-cli");
        reshard.args(["--cluster", "reshard", &format!("127.0.0.1:{}", self.nodes[0].port)]);
        reshard.args(["--cluster-from", &ids[0], "--cluster-to", &ids[1]]);
        said(reshard.args(["--cluster-slots", &count.to_string(), "--cluster-yes"])).unwrap();
    }

    /// The index of a node that is a master now.
    pub(crate) fn master(&self) -> usize {
        let is_master = |node: &Server| node.process.is_some() && node.ask(&["ROLE"]).starts_with("master");
        self.nodes.iter().position(is_master).expect("some node is a master")
    }
}

/// A master, two replicas, and three Sentinels that look after them under the name `mymaster`.
#[derive(Debug)]
pub(crate) struct Sentinels {
    pub(crate) servers: Vec<Server>,
    sentinels: Vec<(Process, u16, TempDir)>,
}

impl Sentinels {
    pub(crate) fn start(program: Program) -> Self {
        let master = Server::start(program, Kind::default());
        let of = ["--replicaof", "127.0.0.1", &master.port.to_string()].map(str::to_owned);
        let of = of.iter().map(String::as_str).collect::<Vec<_>>();
        let replica = || Server::start(program, Kind::default().with(&of));
        let servers = vec![replica(), replica(), master];
        let master = servers[2].port;
        let sentinels = (0..3).map(|_| sentinel(program, master)).collect();
        let all = Self { servers, sentinels };
        until("the Sentinels to know each other", || {
            let knows = |(_, port, _): &(Process, u16, TempDir)| {
                let said = said(client(*port).args(["SENTINEL", "MASTER", "mymaster"])).unwrap_or_default();
                let value =
                    |name: &str| said.lines().skip_while(|line| *line != name).nth(1).map(str::to_owned);
                value("num-other-sentinels").as_deref() == Some("2")
                    && value("num-slaves").as_deref() == Some("2")
            };
            (all.servers.iter().all(Server::is_in_sync) && all.sentinels.iter().all(knows)).then_some(())
        });
        all
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|(_, port, _)| format!("127.0.0.1:{port}")).collect();
        format!("redis+sentinel://{}/mymaster", hosts.join(","))
    }

    /// The port at which each Sentinel says that the master is.
    pub(crate) fn announced(&self) -> Vec<u16> {
        let of = |(_, port, _): &(Process, u16, TempDir)| {
            let said = said(client(*port).args(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"])).unwrap();
            said.lines().nth(1).and_then(|port| port.parse().ok()).expect("a port")
        };
        self.sentinels.iter().map(of).collect()
    }

    /// The index of the server that is the master now.
    pub(crate) fn master(&self) -> usize {
        let is_master =
            |server: &Server| server.process.is_some() && server.ask(&["ROLE"]).starts_with("master");
        self.servers.iter().position(is_master).expect("some server is the master")
    }
}

fn sentinel(program: Program, master: u16) -> (Process, u16, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sentinel.conf");
    let (process, port) = until("a Sentinel at a free port", || {
        let port = free_port();
        configure(&file, directory.path(), port, master);
        let mut process = Process::start(Command::new(program.sentinel).arg(&file));
        let up = until("a Sentinel to come up or not", || {
            let answers = said(client(port).arg("PING")).is_ok_and(|answer| answer == "PONG");
            (answers || process.has_ended()).then_some(answers)
        });
        up.then_some((process, port))
    });
    (process, port, directory)
}

/// A Sentinel's file.
fn configure(file: &Path, directory: &Path, port: u16, master: u16) {
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor mymaster 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 3000\n",
        directory.display()
    );
    std::fs::write(file, text).unwrap();
}
