//! How fast the component is, and what it takes, beside what it is compared with.
//!
//! One run measures everything and prints one table. All sides do the same work over the same HTTP client, in turns, so that
//! their ratios survive a busy machine; absolute times do not. Against the same code compiled natively, a ratio is the price of
//! the sandbox; against the component of 0.1, what became of it since; and that of native code against the floor is the price of
//! what the connector does beyond reading the answers.
//!
//! # How it is built
//!
//! The program starts itself again and again: as a simulated NinjaOne, whose work and memory must not be counted, and as a
//! process that does one job and tells what it took. So every figure of memory is that of a process which did nothing else.
//!
//! | module | what it is for |
//! | --- | --- |
//! | `component`, `native`, `floor` | the sides: the same jobs, done by a component, by native code, and in the least possible way |
//! | `transport` | counts the requests of all |
//! | `jobs`, `children` | what a process is told to do and tells; starting such processes |
//! | `process` | CPU and memory of a process, from `/proc` |
//! | `sync`, `latency`, `startup`, `tenants`, `program` | what is measured, one subject each |
//! | `table`, `plot` | the figures as text and as a picture |
//!
//! `cargo xtask bench` builds all that it takes, in release, and runs it.

mod children;
mod component;
mod floor;
mod jobs;
mod latency;
mod native;
mod plot;
mod process;
mod program;
mod startup;
mod sync;
mod table;
mod tenants;
mod transport;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{fs, time::SystemTime};

use anyhow::{Context, Result};
use clap::Parser;
use serde::Serialize;

use crate::children::{Launcher, Simulated};
use crate::jobs::Job;
use crate::table::Table;

/// As in the host's program, on all sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is asked for.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "`cargo xtask bench` builds what is measured and runs it with these."
)]
enum Command {
    /// Measure, print a table, and write the figures as JSON and as a plot
    Measure(Options),
    /// Be a simulated NinjaOne until standard input ends (what `measure` starts)
    #[command(hide = true)]
    Simulate {
        #[arg(value_parser = from_json::<Simulated>)]
        simulated: Simulated,
    },
    /// Do one job, and tell what it took (what `measure` starts)
    #[command(hide = true)]
    Work {
        #[arg(value_parser = from_json::<Box<Job>>)]
        job: Box<Job>,
    },
}

/// How to measure.
#[derive(clap::Args)]
struct Options {
    /// The component
    #[arg(long, value_name = "FILE")]
    component: PathBuf,
    /// The component of 0.1, which it is compared with
    #[arg(
        long,
        value_name = "FILE",
        default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../released/0.1.0/ninjaone_connector.wasm")
    )]
    released: PathBuf,
    /// The host's program, built in release
    #[arg(long, value_name = "FILE")]
    program: PathBuf,
    /// Where to write bench.json and bench.svg
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// About a minute: no tenant of a million accounts, and fewer rounds
    #[arg(long)]
    quick: bool,
    /// Fail where a bar is missed
    #[arg(long)]
    enforce: bool,
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text)
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Measure(options) => measure(&options),
        Command::Simulate { simulated } => children::simulate(simulated).map(|()| true),
        Command::Work { job } => job.work().map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("connector-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Everything that was measured.
#[derive(Serialize)]
struct Report {
    /// Seconds since 1970.
    began: u64,
    quick: bool,
    cores: usize,
    /// How many processes wanted a core, on average over the last minute: what else this machine had to do.
    load_before: f64,
    load_after: f64,
    component_bytes: u64,
    sync: Vec<sync::Figures>,
    sync_over_http2: sync::Figures,
    latency: Vec<latency::Figures>,
    startup: startup::Figures,
    tenants: Vec<tenants::Figures>,
    program: program::Figures,
}

/// Measures; true unless a bar was missed that had to be met.
fn measure(options: &Options) -> Result<bool> {
    let size = fs::metadata(&options.component)
        .with_context(|| format!("there is no component at {}", options.component.display()))?;
    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make {}", options.out.display()))?;
    let launcher = Launcher::new(
        &options.component,
        &options.released,
        &options.program,
        &options.out,
    )?;
    let began = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let load_before = process::load()?;
    let report = Report {
        began: began.as_secs(),
        quick: options.quick,
        cores: std::thread::available_parallelism()?.get(),
        load_before,
        component_bytes: size.len(),
        sync: sync::measure(&launcher, options.quick)?,
        sync_over_http2: sync::measure_over_http2(&launcher, options.quick)?,
        latency: latency::measure(&launcher, options.quick)?,
        startup: startup::measure(&launcher, options.quick)?,
        tenants: tenants::measure(&launcher, options.quick)?,
        program: program::measure(&launcher, options.quick)?,
        load_after: process::load()?,
    };
    let table = Table::of(&report);
    println!("{table}");
    let json = options.out.join("bench.json");
    fs::write(&json, serde_json::to_vec_pretty(&report.with(&table))?)
        .with_context(|| format!("cannot write {}", json.display()))?;
    let svg = options.out.join("bench.svg");
    fs::write(&svg, plot::svg(&report))
        .with_context(|| format!("cannot write {}", svg.display()))?;
    println!("Figures: {}\nPlot:    {}", json.display(), svg.display());
    Ok(!options.enforce || table.all_met())
}

impl Report {
    /// The figures and what they come to, as one JSON value.
    fn with<'a>(&'a self, table: &'a Table) -> impl Serialize {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            report: &'a Report,
            table: &'a Table,
        }
        Whole {
            report: self,
            table,
        }
    }
}
