//! The crate against a real S3 server on loopback, straight and through a proxy that breaks requests.

#[cfg(test)]
#[path = "s3/moto.rs"]
mod moto;
#[cfg(test)]
#[path = "s3/proxy.rs"]
mod proxy;

#[cfg(test)]
#[path = "s3/create_faults.rs"]
mod create_faults;
#[cfg(test)]
#[path = "s3/fetch_faults.rs"]
mod fetch_faults;
#[cfg(test)]
#[path = "s3/put_faults.rs"]
mod put_faults;
#[cfg(test)]
#[path = "s3/straight.rs"]
mod straight;
#[cfg(test)]
#[path = "s3/world.rs"]
mod world;
