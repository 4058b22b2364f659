//! The imports that are not HTTP: settings, the log, the clocks, and how long the host waits.

use crate::contract::identity::connector::{deadline, logging, settings};
use crate::ninjaone::host::{Host, Level, SettingError};

/// The host behind the imports of the component.
pub struct ImportedHost;

impl Host for ImportedHost {
    fn setting(&self, key: &str) -> Result<Option<String>, SettingError> {
        settings::get(key).map_err(|error| match error {
            settings::SettingsError::Unavailable(reason) => SettingError::Unavailable(reason),
            settings::SettingsError::Denied(reason) => SettingError::Denied(reason),
        })
    }

    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let level = match level {
            Level::Debug => logging::Level::Debug,
            Level::Info => logging::Level::Info,
            Level::Warn => logging::Level::Warn,
            Level::Error => logging::Level::Error,
        };
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| logging::Field {
                name: (*name).to_string(),
                value: (*value).to_string(),
            })
            .collect();
        logging::log(level, message, &fields);
    }

    fn monotonic_nanos(&self) -> u64 {
        wasi::clocks::monotonic_clock::now()
    }

    fn unix_seconds(&self) -> u64 {
        wasi::clocks::wall_clock::now().seconds
    }

    fn time_left_millis(&self) -> Option<u64> {
        deadline::time_left()
    }

    fn pause(&self, nanos: u64) {
        wasi::clocks::monotonic_clock::subscribe_duration(nanos).block();
    }

    fn dice(&self) -> u64 {
        // There is no source of chance among the imports. Two instances do not read both clocks at the same nanosecond,
        // and every bit in the upper half of such a product depends on all those of the moment below it.
        let now = wasi::clocks::wall_clock::now();
        let moment = self.monotonic_nanos() ^ u64::from(now.nanoseconds) << 20;
        moment.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
    }
}
