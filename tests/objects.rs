//! Pipelines from, to and in an object store: a real S3 server on loopback (moto), and its faults. Without the server
//! these tests skip themselves, and say so.

mod faults;
mod leases;
#[path = "../objects/tests/s3/moto.rs"]
mod moto;
mod others;
#[expect(dead_code, reason = "the crate's own tests use all of it")]
#[path = "../objects/tests/s3/proxy.rs"]
mod proxy;
pub(crate) mod scene;
mod straight;
