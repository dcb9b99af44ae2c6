//! The SDK's client, and somebody who watches it: a client that gave up never tries again by itself.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use launchdarkly_server_sdk::{
    Client, ConfigBuilder, NullEventProcessorBuilder, PersistentDataStoreBuilder,
    PollingDataSourceBuilder, ServiceEndpointsBuilder, StreamingDataSourceBuilder,
};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::time::sleep;
use understudy_core::spec::LaunchDarklyMode;

use super::capture::Capture;
use super::settings::Settings;
use super::transport::Tapped;
use super::wire::Wire;
use crate::freshness::Freshness;

/// How long to wait before a client is built anew, the first time and at most.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// How often the wire is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long a connection may be in trouble before the first flags are no longer waited for.
const PATIENCE_IN_TROUBLE: Duration = Duration::from_secs(2);
/// How much longer than `stale_after` an answer may be silent before the connection is given up, as a factor.
const SILENCE: f64 = 1.2;

/// A connection to LaunchDarkly, in threads of its own. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    opened: Instant,
    /// Since when it has been in trouble without ever having brought flags.
    troubled: OnceLock<Instant>,
    wait: Duration,
    stale_after: Duration,
}

#[derive(Debug, Default)]
struct Shared {
    current: Mutex<Current>,
}

/// The client that reads now.
#[derive(Clone, Debug, Default)]
struct Current {
    wire: Wire,
    capture: Capture,
    is_initialized: bool,
    /// How the one before ended.
    ended: Option<Freshness>,
}

impl Shared {
    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Begins to connect.
    ///
    /// # Errors
    /// The machine has no threads left, or the HTTP client cannot be made.
    pub(super) fn open(settings: &Settings, http: reqwest::Client) -> Result<Self, String> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("flags")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(watch_over(
            settings.clone(),
            http,
            Arc::clone(&shared),
            stopped,
        ));
        Ok(Self {
            runtime: Some(runtime),
            shared,
            stop,
            opened: Instant::now(),
            troubled: OnceLock::new(),
            wait: settings.wait,
            stale_after: settings.stale_after,
        })
    }

    /// Where requests of our own run.
    pub(super) fn handle(&self) -> Option<Handle> {
        self.runtime
            .as_ref()
            .map(|runtime| runtime.handle().clone())
    }

    /// Waits for what is on its way: the first flags, as long after it was opened as the settings say, unless it is
    /// clear sooner that there will be none; then an update that came and is still to be taken.
    pub(super) fn wait_for_flags(&self) {
        self.wait_for_first();
        let is_behind = || {
            let current = self.shared.current();
            current.is_initialized && current.wire.is_behind()
        };
        while is_behind() {
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn wait_for_first(&self) {
        while self.opened.elapsed() < self.wait {
            let current = self.shared.current().clone();
            if current.is_initialized || current.ended.is_some() {
                return;
            }
            if current.wire.trouble().is_some() {
                let since = self.troubled.get_or_init(Instant::now);
                if since.elapsed() > PATIENCE_IN_TROUBLE {
                    return;
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// How fresh is what was read.
    pub(super) fn freshness(&self) -> Freshness {
        let current = self.shared.current().clone();
        if current.is_initialized {
            return current.wire.freshness(self.stale_after);
        }
        match (
            current.wire.refused(),
            current.wire.trouble(),
            current.ended,
        ) {
            (Some(_), _, _) => current.wire.freshness(self.stale_after),
            (None, Some(reason), _) => Freshness::Down { reason },
            (None, None, Some(ended)) => ended,
            (None, None, None) => Freshness::Down {
                reason: format!("no flags within {} s", self.wait.as_secs()),
            },
        }
    }

    /// What was read.
    pub(super) fn capture(&self) -> Capture {
        self.shared.current().capture.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        _ = self.stop.send(true);
        if let Some(runtime) = self.runtime.take() {
            // It may be dropped where nothing may wait.
            runtime.shutdown_background();
        }
    }
}

/// Builds a client, and another one whenever one has ended for good or missed something.
async fn watch_over(
    settings: Settings,
    http: reqwest::Client,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) {
    let [mut pause, longest] = PAUSES;
    loop {
        let wire = Wire::default();
        let capture = Capture::new(wire.clone());
        let ended = match build(&settings, http.clone(), &wire, &capture) {
            Err(reason) => Freshness::Down { reason },
            Ok(client) => {
                let before = shared.current().ended.clone();
                *shared.current() = Current {
                    wire: wire.clone(),
                    capture,
                    is_initialized: false,
                    ended: before,
                };
                client.start_with_default_executor();
                let ended =
                    until_its_end(&client, &wire, &shared, &mut stop, || pause = PAUSES[0]).await;
                client.close();
                match ended {
                    None => return,
                    Some(ended) => ended,
                }
            }
        };
        shared.current().ended = Some(ended);
        shared.current().is_initialized = false;
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.changed() => return,
        }
        pause = (pause * 2).min(longest);
    }
}

/// Waits until a client is of no use any more, and says why; `None` where nobody needs it any more.
async fn until_its_end(
    client: &Client,
    wire: &Wire,
    shared: &Shared,
    stop: &mut watch::Receiver<bool>,
    mut is_good: impl FnMut(),
) -> Option<Freshness> {
    loop {
        let initialized = tokio::select! {
            initialized = client.wait_for_initialization(TICK) => initialized,
            _ = stop.changed() => return None,
        };
        match initialized {
            Some(true) => break,
            Some(false) => {
                return Some(match wire.refused() {
                    Some(_) => wire.freshness(Duration::MAX),
                    None => Freshness::Down {
                        reason: "the flags that it sent cannot be read".to_owned(),
                    },
                });
            }
            None => {}
        }
    }
    shared.current().is_initialized = true;
    is_good();
    loop {
        tokio::select! {
            () = sleep(TICK) => {}
            _ = stop.changed() => return None,
        }
        if wire.refused().is_some() || wire.has_unread() {
            return Some(wire.freshness(Duration::MAX));
        }
    }
}

fn build(
    settings: &Settings,
    http: reqwest::Client,
    wire: &Wire,
    capture: &Capture,
) -> Result<Client, String> {
    let key = settings.sdk_key.clone()?;
    let transport = Tapped::new(http, wire.clone(), settings.stale_after.mul_f64(SILENCE));
    let mut endpoints = ServiceEndpointsBuilder::new();
    match &settings.relay {
        Some(relay) => endpoints.relay_proxy(relay),
        None => {
            let [stream, poll, events] = settings.read_from();
            endpoints
                .streaming_base_url(stream)
                .polling_base_url(poll)
                .events_base_url(events)
        }
    };
    let mut store = PersistentDataStoreBuilder::new(Arc::new(capture.clone()));
    store.cache_forever();
    let mut config = ConfigBuilder::new(&key)
        .service_endpoints(&endpoints)
        .data_store(&store)
        // Customers are nobody else's business: nothing is ever reported of an evaluation.
        .event_processor(&NullEventProcessorBuilder::new());
    config = match settings.mode {
        LaunchDarklyMode::Streaming => {
            let mut source = StreamingDataSourceBuilder::new();
            source.transport(transport);
            config.data_source(&source)
        }
        LaunchDarklyMode::Polling => {
            let mut source = PollingDataSourceBuilder::new();
            source.transport(transport);
            config.data_source(&source)
        }
    };
    let config = config.build().map_err(|error| error.to_string())?;
    Client::build(config).map_err(|error| error.to_string())
}
