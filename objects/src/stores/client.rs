//! Makes the two clients of a bucket from the settings.

use std::collections::BTreeMap;
use std::future::Future;
use std::str::FromStr;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::memory::InMemory;
use object_store::{Error, ObjectStore, RetryConfig};

use super::OpenError;
use crate::{Limits, Place, Service};

const S3_VARIABLES: &str = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or AWS_ROLE_ARN and \
    AWS_WEB_IDENTITY_TOKEN_FILE; AWS_REGION; AWS_ENDPOINT_URL for a store that is not Amazon's";
const GCS_VARIABLES: &str =
    "GOOGLE_SERVICE_ACCOUNT or GOOGLE_APPLICATION_CREDENTIALS to the path of a key file";
const AZURE_VARIABLES: &str = "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_CLIENT_ID, \
    AZURE_TENANT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE";

/// The two clients of a bucket.
#[derive(Debug)]
pub(crate) struct Clients {
    /// Sends each request once. For whatever changes an object.
    pub(crate) once: Arc<dyn ObjectStore>,
    /// Repeats what failed. For reads, and for parts of an upload that nobody sees yet.
    pub(crate) patient: Arc<dyn ObjectStore>,
}

type Settings = BTreeMap<String, String>;

impl Clients {
    pub(crate) async fn connect(
        place: &Place,
        settings: &Settings,
        limits: &Limits,
    ) -> Result<Self, OpenError> {
        match place.service() {
            Service::S3 => s3(place, settings, limits).await,
            Service::Gcs => gcs(place, settings, limits).await,
            Service::Azure => azure(place, settings, limits).await,
            Service::Memory => Ok(in_memory()),
        }
    }
}

fn in_memory() -> Clients {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    Clients {
        once: Arc::clone(&store),
        patient: store,
    }
}

async fn s3(place: &Place, settings: &Settings, limits: &Limits) -> Result<Clients, OpenError> {
    let build = |retry: RetryConfig| {
        let builder = AmazonS3Builder::new().with_client_options(limits.client_options());
        pairs::<AmazonS3ConfigKey>(settings, "AWS_")
            .fold(builder, |builder, (key, value)| {
                builder.with_config(key, value)
            })
            .with_bucket_name(place.bucket())
            .with_retry(retry)
            .build()
    };
    let wrong = |source| OpenError::Settings {
        place: place.to_string(),
        variables: S3_VARIABLES,
        source,
    };
    let once = build(limits.once()).map_err(wrong)?;
    if !is_true(settings, "AWS_SKIP_SIGNATURE") {
        probe(
            place,
            limits,
            S3_VARIABLES,
            once.credentials().get_credential(),
        )
        .await?;
    }
    let patient = build(limits.patient()).map_err(wrong)?;
    Ok(Clients {
        once: Arc::new(once),
        patient: Arc::new(patient),
    })
}

async fn gcs(place: &Place, settings: &Settings, limits: &Limits) -> Result<Clients, OpenError> {
    let build = |retry: RetryConfig| {
        let mut builder =
            GoogleCloudStorageBuilder::new().with_client_options(limits.client_options());
        if let Some(path) = settings.get("SERVICE_ACCOUNT") {
            builder = builder.with_service_account_path(path);
        }
        pairs::<GoogleConfigKey>(settings, "GOOGLE_")
            .fold(builder, |builder, (key, value)| {
                builder.with_config(key, value)
            })
            .with_bucket_name(place.bucket())
            .with_retry(retry)
            .build()
    };
    let wrong = |source| OpenError::Settings {
        place: place.to_string(),
        variables: GCS_VARIABLES,
        source,
    };
    let once = build(limits.once()).map_err(wrong)?;
    if !is_true(settings, "GOOGLE_SKIP_SIGNATURE") {
        probe(
            place,
            limits,
            GCS_VARIABLES,
            once.credentials().get_credential(),
        )
        .await?;
    }
    let patient = build(limits.patient()).map_err(wrong)?;
    Ok(Clients {
        once: Arc::new(once),
        patient: Arc::new(patient),
    })
}

async fn azure(place: &Place, settings: &Settings, limits: &Limits) -> Result<Clients, OpenError> {
    let build = |retry: RetryConfig| {
        let builder = MicrosoftAzureBuilder::new().with_client_options(limits.client_options());
        let builder = pairs::<AzureConfigKey>(settings, "AZURE_")
            .fold(builder, |builder, (key, value)| {
                builder.with_config(key, value)
            })
            .with_container_name(place.bucket())
            .with_retry(retry);
        match place.account() {
            Some(account) => builder.with_account(account).build(),
            None => builder.build(),
        }
    };
    let wrong = |source| OpenError::Settings {
        place: place.to_string(),
        variables: AZURE_VARIABLES,
        source,
    };
    let once = build(limits.once()).map_err(wrong)?;
    if !is_true(settings, "AZURE_SKIP_SIGNATURE") {
        probe(
            place,
            limits,
            AZURE_VARIABLES,
            once.credentials().get_credential(),
        )
        .await?;
    }
    let patient = build(limits.patient()).map_err(wrong)?;
    Ok(Clients {
        once: Arc::new(once),
        patient: Arc::new(patient),
    })
}

/// Where nothing is set, a client asks the machine's identity service at its first request, and waits long for it
/// where there is none. So it is asked once, at the beginning, with a time limit.
async fn probe<T>(
    place: &Place,
    limits: &Limits,
    variables: &'static str,
    credential: impl Future<Output = Result<T, Error>>,
) -> Result<(), OpenError> {
    let missing = |source| OpenError::NoCredentials {
        place: place.to_string(),
        variables,
        source,
    };
    match tokio::time::timeout(limits.credentials_timeout, credential).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(source)) => Err(missing(Some(source))),
        Err(_) => Err(missing(None)),
    }
}

/// The settings that this client knows. Others of the same prefix belong to other tools.
fn pairs<K: FromStr>(settings: &Settings, prefix: &str) -> impl Iterator<Item = (K, String)> {
    settings
        .iter()
        .filter(move |(name, _)| name.starts_with(prefix))
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value.clone())))
}

fn is_true(settings: &Settings, name: &str) -> bool {
    settings.get(name).is_some_and(|value| {
        matches!(
            value.to_ascii_lowercase().as_str(),
            "1" | "true" | "on" | "yes"
        )
    })
}
