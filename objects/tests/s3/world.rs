//! A server, a proxy before it, and a client of each.

use std::sync::OnceLock;
use std::time::Duration;

use understudy_objects::{Create, Limits, Objects, Place, Put, Stamp, Stores, WriteError};

use crate::moto::{Moto, settings};
use crate::proxy::Proxy;

pub(crate) const BUCKET: &str = "lake";
/// Longer than the clients of these tests wait for an answer.
pub(crate) const TOO_LONG: Duration = Duration::from_secs(4);
/// The time that the clients of these tests wait for an answer.
pub(crate) const WAIT: Duration = Duration::from_secs(2);

/// What a test works with.
pub(crate) struct World {
    pub(crate) moto: Moto,
    pub(crate) proxy: Proxy,
}

impl World {
    /// None if there is no server to start.
    pub(crate) fn start() -> Option<Self> {
        let moto = Moto::start()?;
        moto.make_bucket(BUCKET);
        let proxy = Proxy::start(moto.address());
        Some(Self { moto, proxy })
    }

    /// A client that reaches the server straight.
    pub(crate) async fn straight(&self) -> Objects {
        open(self.moto.address(), limits()).await
    }

    /// A client that reaches the server through the proxy.
    pub(crate) async fn broken(&self) -> Objects {
        open(self.proxy.address(), limits()).await
    }
}

/// The crate's limits, shortened.
pub(crate) fn limits() -> Limits {
    Limits {
        request_timeout: WAIT,
        write_attempts: 4,
        read_retries: 3,
        write_pause: Duration::from_millis(50),
        ..Limits::default()
    }
}

pub(crate) async fn open(address: std::net::SocketAddr, limits: Limits) -> Objects {
    let stores = Stores::new(settings(address), limits);
    let place = Place::parse(&format!("s3://{BUCKET}/base/")).expect("it is a place");
    stores.open(&place).await.expect("credentials are set")
}

pub(crate) fn stamp(writer: &str) -> Stamp {
    Stamp::new(writer, format!("digest-of-{writer}")).expect("it is plain ASCII")
}

/// One word for the answer to a creation.
pub(crate) fn created(answer: &Result<Create, WriteError>) -> &'static str {
    match answer {
        Ok(Create::Created { .. }) => "created",
        Ok(Create::AlreadyExists) => "already exists",
        Ok(Create::Unknown { .. }) => "unknown",
        Err(_) => "not written",
    }
}

/// One word for the answer to a write.
pub(crate) fn put(answer: &Result<Put, WriteError>) -> &'static str {
    match answer {
        Ok(Put::Done { .. }) => "done",
        Ok(Put::Unknown { .. }) => "unknown",
        Err(_) => "not written",
    }
}

/// Content that would not look the same if a piece were missing, doubled or in another place.
pub(crate) fn content(bytes: usize) -> Vec<u8> {
    static CONTENT: OnceLock<Vec<u8>> = OnceLock::new();
    CONTENT.get_or_init(|| {
        (0..4_u32 << 20)
            .flat_map(|n| n.wrapping_mul(0x9E37_79B1).to_le_bytes())
            .collect()
    })[..bytes]
        .to_vec()
}
