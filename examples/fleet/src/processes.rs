//! The processes of the fleet: one Redis, the services. They end with whoever holds them.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::Result;

/// How long a process may take to come up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A Redis on loopback that writes nothing to the disk.
pub(crate) struct Redis {
    process: Child,
    port: u16,
    directory: TempDir,
}

impl Redis {
    pub(crate) async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        // the port is free now, and may not be in a moment
        for _ in 0..20 {
            let port = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port();
            let mut process = run(port, &directory)?;
            if comes_up(&mut process, port).await? {
                return Ok(Self { process, port, directory });
            }
        }
        Err("no port stays free".into())
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// SIGKILL: it has no time to say goodbye.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    /// At the same port, empty.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        self.process = run(self.port, &self.directory)?;
        match comes_up(&mut self.process, self.port).await? {
            true => Ok(()),
            false => Err("Redis did not come up again".into()),
        }
    }
}

fn run(port: u16, directory: &TempDir) -> Result<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    command.arg("--dir").arg(directory.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    command.spawn().map_err(|error| format!("failed to start redis-server: {error}").into())
}

/// Whether it answers before it ends.
async fn comes_up(process: &mut Child, port: u16) -> Result<bool> {
    let up = async {
        loop {
            if process.try_wait()?.is_some() {
                return Ok(false);
            }
            if answers(port).await.unwrap_or(false) {
                return Ok(true);
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, up).await?
}

async fn answers(port: u16) -> Result<bool> {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
    connection.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    connection.read_exact(&mut answer).await?;
    Ok(&answer == b"+PONG\r\n")
}

/// One of the services, in a process of its own.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    /// It ends when this does, whatever becomes of us: its standard input is ours.
    _process: Child,
}

impl Service {
    pub(crate) async fn start(redis: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").env("MEMO_ENGINES__REDIS__URL", redis);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let output = process.stdout.take().ok_or("a service without output")?;
        let mut address = String::new();
        timeout(PATIENCE, BufReader::new(output).read_line(&mut address)).await??;
        Ok(Self { address: address.trim_end().parse()?, _process: process })
    }
}
