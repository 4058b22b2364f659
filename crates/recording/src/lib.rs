//! Records what a transport sends and gets, and answers from recordings.
//!
//! A [`Recorder`] is a transport that hands everything on to another one, and writes what was sent and what came back into a
//! [`Sink`], as HAR 1.2 and without its secrets. A [`Replayer`] is a transport that answers from a [`Recording`], in its order
//! and without a network.
//!
//! ```
//! # use std::sync::Arc;
//! # use connector_recording::{Memory, Recorder, Replayer};
//! # use connector_transport::{Terms, Transport, whole_body};
//! # struct Network;
//! # impl Transport for Network {
//! #     fn send(self: Arc<Self>, _: http::Request<bytes::Bytes>, _: Terms)
//! #         -> connector_transport::BoxFuture<'static, Result<http::Response<connector_transport::Body>, connector_transport::Error>> {
//! #         Box::pin(async { Ok(http::Response::new(whole_body("[]"))) })
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let request = || http::Request::get("https://acme.example/v2/users").body(bytes::Bytes::new());
//! // Into a file: RecordingFile::create(path)?
//! let memory = Memory::default();
//! let recorder = Arc::new(Recorder::new(Arc::new(Network), memory.clone()));
//! recorder.conceal("a secret that the caller knows");
//! recorder.clone().send(request()?, Terms::default()).await?;
//! let summary = recorder.finish().await?;
//! assert_eq!(summary.exchanges, 1);
//!
//! let replayer = Arc::new(Replayer::new(memory.recording()?));
//! replayer.clone().send(request()?, Terms::default()).await?;
//! replayer.finish()?;
//! # Ok(())
//! # }
//! ```
//!
//! What it does not know: components, wasmtime, connectors, and any vendor.

#![deny(missing_docs)]

mod breakdown;
mod compare;
mod edits;
mod file;
mod har;
mod named;
mod needles;
mod recorder;
mod recording;
mod redact;
mod replay;
mod tape;
mod writer;

pub use self::breakdown::Breakdown;
pub use self::file::{Memory, RecordingFile, Sink};
pub use self::recorder::Recorder;
pub use self::recording::{Answer, Exchange, Recording, RecordingError};
pub use self::redact::NEUTRAL_HOST;
pub use self::replay::{ReplayError, Replayer};
pub use self::tape::Limits;
pub use self::writer::Summary;
