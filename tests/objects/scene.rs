//! A shop whose input, output and store are in a bucket.

use std::net::SocketAddr;
use std::process::Command;

use crate::playground::{DATE, Ended, ORDERS, Playground};

use super::moto::{Moto, settings};
use super::proxy::Proxy;

const SHOP: &str = "\
pipeline: shop
store: s3://lake/store
datasets:
  orders: { location: \"s3://lake/orders/date={date}/\" }
tasks:
  totals:
    inputs: [orders]
    output: { location: s3://lake/live/totals, grain: [id], customer: customer }
    live: v1
    versions:
      v1: { command: [sh, v1.sh], inputs: csv }
      v2: { sql: v2.sql }
  sums:
    inputs: [totals]
    output: { location: s3://lake/live/sums, grain: [customer], customer: customer }
    live: v1
    versions:
      v1: { sql: sums.sql }
changes:
  better:
    new: { totals: v2 }
    downstream: [sums]
";

/// A bucket with the orders, and a pipeline over it.
pub(crate) struct Scene {
    pub(crate) moto: Moto,
    pub(crate) proxy: Proxy,
    pub(crate) shop: Playground,
}

impl Scene {
    /// `None` where there is no server to be had.
    pub(crate) fn new() -> Option<Self> {
        let moto = Moto::start()?;
        moto.make_bucket("lake");
        let proxy = Proxy::start(moto.address());
        let shop = Playground::of(&[
            ("understudy.yaml", SHOP),
            (
                "v1.sh",
                "cat \"$UNDERSTUDY_INPUT_ORDERS\"/*.csv > \"$UNDERSTUDY_OUTPUT/rows.csv\"\n",
            ),
            ("v2.sql", "SELECT id, customer, amount FROM orders"),
            (
                "sums.sql",
                "SELECT customer, sum(amount) AS amount FROM totals GROUP BY customer",
            ),
        ]);
        let scene = Self { moto, proxy, shop };
        scene.put(&format!("orders/date={DATE}/orders.csv"), ORDERS);
        Some(scene)
    }

    pub(crate) fn put(&self, key: &str, text: &str) {
        self.put_bytes(key, text.as_bytes());
    }

    pub(crate) fn put_bytes(&self, key: &str, bytes: &[u8]) {
        let key = key.replace('=', "%3D");
        let answer = self.moto.send(&format!("PUT /lake/{key} HTTP/1.1"), bytes);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// The keys in the bucket that begin so.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let prefix = prefix.replace('=', "%3D").replace('/', "%2F");
        let answer = self.moto.send(
            &format!("GET /lake?list-type=2&prefix={prefix} HTTP/1.1"),
            b"",
        );
        let keys = answer.split("<Key>").skip(1);
        keys.map(|rest| rest.split("</Key>").next().unwrap().to_owned())
            .collect()
    }

    /// An object's text: what our client wrote is for those who have credentials.
    pub(crate) fn get(&self, key: &str) -> String {
        self.boto(&format!(
            "print(bucket.Object({key:?}).get()['Body'].read().decode(), end='')"
        ))
    }

    pub(crate) fn replace(&self, key: &str, text: &str) {
        self.boto(&format!(
            "bucket.Object({key:?}).put(Body={text:?}.encode())"
        ));
    }

    pub(crate) fn remove(&self, key: &str) {
        self.boto(&format!("bucket.Object({key:?}).delete()"));
    }

    /// What a line of Python prints that knows the bucket; moto brings the client along.
    fn boto(&self, line: &str) -> String {
        let moto = std::env::var("UNDERSTUDY_MOTO").unwrap_or_else(|_| "moto_server".to_owned());
        let python = std::path::Path::new(&moto).with_file_name("python");
        let python = if moto.contains('/') {
            python
        } else {
            "python3".into()
        };
        let script = format!(
            "import boto3, os\nbucket = boto3.resource('s3', endpoint_url=os.environ['AWS_ENDPOINT_URL']).Bucket('lake')\n{line}"
        );
        let mut command = Command::new(python);
        let output = command
            .args(["-c", &script])
            .envs(settings(self.moto.address()))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The binary through the proxy.
    pub(crate) fn understudy(&self, arguments: &[&str]) -> Ended {
        Ended::from(self.command(&self.shop, arguments).output().unwrap())
    }

    pub(crate) fn command(&self, shop: &Playground, arguments: &[&str]) -> Command {
        command(shop, self.proxy.address(), arguments)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.understudy(&[&["run", "--json", "--date", DATE], arguments].concat())
    }

    /// Another machine: the same pipeline, and nothing that a run left on this one.
    pub(crate) fn another_machine(&self) -> Playground {
        let files = ["understudy.yaml", "v1.sh", "v2.sql", "sums.sql"];
        let texts: Vec<(&str, String)> = files
            .iter()
            .map(|file| (*file, self.shop.read(file)))
            .collect();
        let texts: Vec<(&str, &str)> = texts
            .iter()
            .map(|(file, text)| (*file, text.as_str()))
            .collect();
        Playground::of(&texts)
    }
}

pub(crate) fn command(shop: &Playground, address: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = shop.command(arguments);
    command.envs(settings(address));
    command
}
