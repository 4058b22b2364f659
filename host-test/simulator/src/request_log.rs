//! The log of the requests that arrived: what tests count writes with.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{Method, StatusCode, Version};
use serde_json::Value;

/// How much of the bodies is kept together, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Its place among all requests, counted from 0.
    pub number: u64,
    /// The connection over which it came, counted from 0.
    pub connection: u64,
    /// The version of HTTP by which it came.
    pub version: Version,
    /// The method.
    pub method: Method,
    /// The path, with its `/v2` or `/api/v2`.
    pub path: String,
    /// The query without its `?`, still encoded.
    pub query: Option<String>,
    /// The body, empty if there was none. A token request's body holds the client secret.
    pub body: Bytes,
    /// The status it was answered with; `None` while it is being worked on, and for good if the
    /// caller gave up before the answer.
    pub status: Option<StatusCode>,
    /// The `x-nj-request-id` it was answered with.
    pub request_id: String,
}

impl RequestRecord {
    /// The body as JSON, or `None` when it is not JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the request asked for a change: neither a read nor a request for a token.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !self.method.is_safe() && !self.path.ends_with("/oauth/token")
    }
}

/// The last requests, and the count of all. Bounded in number and in bytes.
#[derive(Debug)]
pub(super) struct RequestLog {
    records: VecDeque<RequestRecord>,
    capacity: usize,
    body_bytes: usize,
    count: u64,
}

impl RequestLog {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            records: VecDeque::new(),
            capacity,
            body_bytes: 0,
            count: 0,
        }
    }

    /// Takes the number of the next request. Numbers count the requests, logged or not.
    pub(super) fn next_number(&mut self) -> u64 {
        self.count += 1;
        self.count - 1
    }

    /// Keeps a request, and drops the oldest ones that no longer fit.
    pub(super) fn push(&mut self, record: RequestRecord) {
        self.body_bytes += record.body.len();
        self.records.push_back(record);
        while self.records.len() > self.capacity || self.body_bytes > MAX_BODY_BYTES {
            let Some(dropped) = self.records.pop_front() else {
                break;
            };
            self.body_bytes -= dropped.body.len();
        }
    }

    /// Notes the status of a request; nothing if it has been dropped meanwhile.
    pub(super) fn answered(&mut self, number: u64, status: StatusCode) {
        // Searched from the end, where a request that has just been answered is.
        if let Some(record) = self
            .records
            .iter_mut()
            .rev()
            .find(|record| record.number == number)
        {
            record.status = Some(status);
        }
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &RequestRecord> {
        self.records.iter()
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64, body: Bytes) -> RequestRecord {
        let (path, request_id) = ("/v2/users".to_owned(), number.to_string());
        RequestRecord {
            number,
            connection: 0,
            version: Version::HTTP_11,
            method: Method::GET,
            path,
            query: None,
            body,
            status: None,
            request_id,
        }
    }

    #[test]
    fn the_log_keeps_the_last_requests_and_counts_all() {
        let mut log = RequestLog::new(2);
        for _ in 0..5 {
            let number = log.next_number();
            log.push(record(number, Bytes::new()));
        }
        let kept: Vec<_> = log.records().map(|record| record.number).collect();
        assert_eq!((kept, log.count()), (vec![3, 4], 5));
    }

    #[test]
    fn the_bodies_in_the_log_are_bounded_together() {
        let mut log = RequestLog::new(100);
        for number in 0..4 {
            log.push(record(number, Bytes::from(vec![0; MAX_BODY_BYTES / 2])));
        }
        assert_eq!(log.records().count(), 2);
    }
}
