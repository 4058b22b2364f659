//! What a process takes, as Linux tells it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};

/// The resident memory of a process, in bytes.
#[derive(Clone, Copy)]
pub struct Resident {
    /// What it has now.
    pub now: u64,
    /// The most that it had so far.
    pub peak: u64,
}

impl Resident {
    /// That of this process.
    pub fn own() -> Result<Self> {
        Self::of("self")
    }

    /// That of the process with this id.
    pub fn of(id: &str) -> Result<Self> {
        let path = format!("/proc/{id}/status");
        let status = fs::read_to_string(&path).with_context(|| {
            format!("cannot read {path}: this is measured where there is a /proc, as on Linux")
        })?;
        // `VmHWM:      1234 kB`
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
            kib.map(|kib| kib * 1024)
                .with_context(|| format!("there is no {name} in {path}"))
        };
        Ok(Resident {
            now: field("VmRSS")?,
            peak: field("VmHWM")?,
        })
    }
}

/// The CPU time that this process had so far, all threads together. From the process's own clock: `/proc` has it in hundredths of
/// a second, several per cent of what a sync takes.
pub fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// The load of this machine, over the last minute.
pub fn load() -> Result<f64> {
    let load = fs::read_to_string("/proc/loadavg").context("cannot read /proc/loadavg")?;
    load.split_whitespace()
        .next()
        .and_then(|load| load.parse().ok())
        .context("there is no number in /proc/loadavg")
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), 3.0);
    }

    #[test]
    fn this_process_has_memory_and_has_had_as_much() {
        let resident = Resident::own().expect("there is a /proc");
        assert!(resident.now > 0 && resident.peak >= resident.now);
    }
}
