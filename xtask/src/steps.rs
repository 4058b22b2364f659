//! A run of several steps: announced one by one, timed, stopped by the first that fails.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The steps that were done so far; displayed as a table of how long each took.
#[derive(Default)]
pub struct Steps {
    /// Name and duration of each, in the order they ran.
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Announces the step `name`, runs it, and remembers how long it took.
    pub fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let start = Instant::now();
        let value = step().with_context(|| format!("the step `{name}` failed"))?;
        self.done.push((name, start.elapsed()));
        Ok(value)
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = (
            "total",
            self.done.iter().map(|(_, duration)| *duration).sum(),
        );
        for (name, duration) in self.done.iter().chain([&total]) {
            writeln!(f, "  {name:<12}{:>8.1} s", duration.as_secs_f64())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn the_table_lists_each_step_and_the_total() {
        let steps = Steps {
            done: vec![
                ("format", Duration::from_millis(500)),
                ("tests", Duration::from_secs(61)),
            ],
        };
        assert_eq!(
            steps.to_string(),
            "  format           0.5 s\n  tests           61.0 s\n  total           61.5 s\n"
        );
    }

    #[test]
    fn a_failure_names_its_step_and_is_not_counted_as_done() {
        let mut steps = Steps::default();
        let error = steps.run("format", || -> Result<()> { bail!("two files differ") });
        let message = format!("{:#}", error.expect_err("the step failed"));
        assert_eq!(message, "the step `format` failed: two files differ");
        assert!(steps.done.is_empty());
    }
}
