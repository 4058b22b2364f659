//! A governance host: settings, a log that is kept, and a clock that is set by hand.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use ninjaone_connector::ninjaone::host::{Host, Level, SettingError};

/// A client secret with every kind of character that a form has to encode, and some that it need not.
pub const SECRET: &str = "S3-cr_e.t*+/=&% ~ü";
/// The client id that the tenant knows.
pub const CLIENT_ID: &str = "client-1";
/// Where the tenant is.
pub const BASE_URL: &str = "https://acme.example";

/// What the clock shows: nanoseconds since some moment, and seconds since 1970.
#[derive(Default)]
pub struct Clock {
    pub nanos: Cell<u64>,
    pub unix_seconds: Cell<u64>,
}

impl Clock {
    /// Lets time pass.
    pub fn advance_seconds(&self, seconds: u64) {
        self.nanos.set(self.nanos.get() + seconds * 1_000_000_000);
        self.unix_seconds.set(self.unix_seconds.get() + seconds);
    }
}

/// The host; clones are the same host.
#[derive(Clone, Default)]
pub struct FakeHost(Rc<State>);

#[derive(Default)]
struct State {
    settings: RefCell<BTreeMap<String, Result<String, SettingError>>>,
    asked_for: RefCell<Vec<String>>,
    log: RefCell<Vec<String>>,
    clock: Rc<Clock>,
    /// When the host stops waiting for the call under way, on the clock in nanoseconds.
    deadline_nanos: Cell<Option<u64>>,
    /// What chance gives.
    dice: Cell<u64>,
    pauses: RefCell<Vec<u64>>,
}

impl FakeHost {
    /// A host whose settings are all right.
    pub fn new() -> Self {
        let host = FakeHost::default();
        host.set("base-url", BASE_URL);
        host.set("client-id", CLIENT_ID);
        host.set("client-secret", SECRET);
        host.set("scope", "monitoring management control");
        host
    }

    pub fn set(&self, key: &str, value: &str) {
        let value = Ok(value.to_string());
        self.0.settings.borrow_mut().insert(key.to_string(), value);
    }

    pub fn unset(&self, key: &str) {
        self.0.settings.borrow_mut().remove(key);
    }

    /// Makes the host fail to give a setting.
    pub fn fail(&self, key: &str, error: SettingError) {
        self.0
            .settings
            .borrow_mut()
            .insert(key.to_string(), Err(error));
    }

    /// The keys of the settings that were asked for.
    pub fn asked_for(&self) -> Vec<String> {
        self.0.asked_for.borrow().clone()
    }

    pub fn clock(&self) -> &Rc<Clock> {
        &self.0.clock
    }

    /// Stops waiting for calls so many milliseconds from now.
    pub fn stop_waiting_in(&self, millis: u64) {
        let now = self.0.clock.nanos.get();
        self.0.deadline_nanos.set(Some(now + millis * 1_000_000));
    }

    /// Makes chance give this.
    pub fn load_dice(&self, bits: u64) {
        self.0.dice.set(bits);
    }

    /// The pauses that were made, in milliseconds.
    pub fn pauses(&self) -> Vec<u64> {
        self.0.pauses.borrow().clone()
    }

    /// Every message, as `level message name=value …`.
    pub fn log(&self) -> Vec<String> {
        self.0.log.borrow().clone()
    }
}

impl Host for FakeHost {
    fn setting(&self, key: &str) -> Result<Option<String>, SettingError> {
        let mut asked_for = self.0.asked_for.borrow_mut();
        asked_for.push(key.to_string());
        assert!(asked_for.len() < 10_000, "the connector goes on for ever");
        match self.0.settings.borrow().get(key) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value.clone())),
            Some(Err(error)) => Err(error.clone()),
        }
    }

    fn log(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        let mut line = format!("{level:?} {message}");
        for (name, value) in fields {
            line += &format!(" {name}={value}");
        }
        self.0.log.borrow_mut().push(line);
    }

    fn monotonic_nanos(&self) -> u64 {
        self.0.clock.nanos.get()
    }

    fn unix_seconds(&self) -> u64 {
        self.0.clock.unix_seconds.get()
    }

    fn time_left_millis(&self) -> Option<u64> {
        let until = self.0.deadline_nanos.get()?;
        Some(until.saturating_sub(self.monotonic_nanos()) / 1_000_000)
    }

    fn pause(&self, nanos: u64) {
        self.0.pauses.borrow_mut().push(nanos / 1_000_000);
        let clock = &self.0.clock;
        clock.nanos.set(clock.nanos.get() + nanos);
    }

    fn dice(&self) -> u64 {
        self.0.dice.get()
    }
}
