//! What a fleet sees of a Redis that dies: nothing but the time that it takes to compute.
//!
//! `cargo run --release -p memo-fleet` starts a Redis and three services (`service.rs`) that share results through it,
//! asks them all the time, ends Redis with SIGKILL in the middle, starts it again, and prints what happened before,
//! during and after. It fails if any request failed or was answered wrongly. `-- --seconds 30` makes each of the three
//! phases so long; 5 seconds otherwise. It needs `redis-server`.

mod load;
mod processes;
mod report;
mod service;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use self::load::Load;
use self::processes::{Redis, Service};
use self::report::{Change, Phase, Report};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

const SERVICES: usize = 3;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => return service::serve().await.map(|()| ExitCode::SUCCESS),
        [] => 5,
        ["--seconds", seconds] => seconds.parse()?,
        _ => return Err("usage: memo-fleet [--seconds <for each phase>]".into()),
    };
    // whoever interrupts it ends what it started, too
    tokio::select! {
        report = run(Duration::from_secs(seconds)) => {
            let report = report?;
            print!("{report}");
            Ok(if report.all_went_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    }
}

async fn run(phase: Duration) -> Result<Report> {
    let mut redis = Redis::start().await?;
    let mut services = Vec::new();
    for _ in 0..SERVICES {
        services.push(Service::start(&redis.url()).await?);
    }
    let load = Load::on(services.iter().map(|service| service.address));
    let mut report = Report::default();
    let mut counted = service::counts(&services).await?;
    for change in [Change::None, Change::Dies, Change::IsBack] {
        match change {
            Change::None => {}
            Change::Dies => redis.kill().await?,
            Change::IsBack => redis.start_again().await?,
        }
        tokio::time::sleep(phase).await;
        // whatever happens between two phases belongs to one of them
        let (seen, now) = (load.take(), service::counts(&services).await?);
        report.phases.push(Phase { change, seen, counted: now - counted });
        counted = now;
    }
    Ok(report)
}
