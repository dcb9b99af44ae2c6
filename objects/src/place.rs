//! Where data lies: a bucket of a service, and a prefix in it.

use std::fmt;

/// A folder in an object store, as a URL names it: `s3://bucket/prefix/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    service: Service,
    bucket: String,
    account: Option<String>,
    prefix: String,
}

/// Who keeps the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Amazon S3, and what speaks its language: `s3://bucket/…`, `s3a://bucket/…`.
    S3,
    /// Google Cloud Storage: `gs://bucket/…`.
    Gcs,
    /// Azure Blob Storage: `az://container/…`, `abfss://container@account.dfs.core.windows.net/…`.
    Azure,
    /// This process, for tests: `memory://bucket/…`.
    Memory,
}

/// Why a text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It has no `://`.
    #[error("`{0}` is no URL of an object store: write s3://bucket/folder/, gs://… or az://…")]
    NoScheme(String),
    /// It has a scheme that no store here has.
    #[error(
        "`{url}`: there is no object store for `{scheme}://`: use s3://, gs://, az:// or abfss://"
    )]
    UnknownScheme {
        /// The whole text.
        url: String,
        /// What stands before `://`.
        scheme: String,
    },
    /// It has no bucket, or one that no service allows.
    #[error(
        "`{0}` names no bucket: write s3://bucket/folder/, with letters, digits, `.`, `_` and `-` in the bucket"
    )]
    BadBucket(String),
    /// An `abfss://` URL that does not say whose container it is.
    #[error("`{0}` names no account: write abfss://container@account.dfs.core.windows.net/folder/")]
    NoAccount(String),
    /// A key or prefix with `//`, `.`, `..` or a control character.
    #[error("`{0}` is no key: empty parts, `.`, `..` and control characters are not allowed")]
    BadKey(String),
    /// Credentials, a query or a fragment in the URL.
    #[error(
        "a URL of an object store has no user, password, `?` or `#`: credentials come from the environment"
    )]
    Extras,
}

impl Place {
    /// Reads a URL. The prefix counts as a folder, with or without a slash at its end.
    ///
    /// # Errors
    ///
    /// If it names no bucket of a known service, or a prefix that cannot be a key.
    pub fn parse(url: &str) -> Result<Self, PlaceError> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| PlaceError::NoScheme(url.to_owned()))?;
        let service = service_of(scheme).ok_or_else(|| PlaceError::UnknownScheme {
            url: url.to_owned(),
            scheme: scheme.to_owned(),
        })?;
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let (bucket, account) = authority_of(scheme, authority, url)?;
        if prefix.contains(['?', '#']) {
            return Err(PlaceError::Extras);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix).to_owned();
        if !prefix.is_empty() {
            check_key(&prefix)?;
        }
        Ok(Self {
            service,
            bucket,
            account,
            prefix,
        })
    }

    /// Whether a location is a URL that [`Place::parse`] is meant for, rather than a path of this machine.
    pub fn is_url(location: &str) -> bool {
        location
            .split_once("://")
            .is_some_and(|(scheme, _)| service_of(scheme).is_some())
    }

    /// Who keeps the objects.
    pub fn service(&self) -> Service {
        self.service
    }

    /// The bucket, which Azure calls a container.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The account of an `abfss://` URL.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The folder in the bucket, without a slash at either end; empty for the whole bucket.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The folder below this one.
    ///
    /// # Errors
    ///
    /// If `folder` cannot be a key.
    pub fn join(&self, folder: &str) -> Result<Self, PlaceError> {
        Ok(Self {
            prefix: self.full_key(folder.strip_suffix('/').unwrap_or(folder))?,
            ..self.clone()
        })
    }

    /// The key in the bucket of what is called `key` below this place; an empty one is the place itself.
    pub(crate) fn full_key(&self, key: &str) -> Result<String, PlaceError> {
        if key.is_empty() {
            return Ok(self.prefix.clone());
        }
        check_key(key)?;
        Ok(if self.prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.prefix)
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.account, self.service) {
            (Some(account), _) => {
                write!(f, "abfss://{}@{account}.dfs.core.windows.net/", self.bucket)?
            }
            (None, service) => write!(f, "{}://{}/", service.scheme(), self.bucket)?,
        }
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, "{}/", self.prefix)
        }
    }
}

impl Service {
    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
            Self::Memory => "memory",
        }
    }
}

fn service_of(scheme: &str) -> Option<Service> {
    match scheme {
        "s3" | "s3a" => Some(Service::S3),
        "gs" => Some(Service::Gcs),
        "az" | "abfss" => Some(Service::Azure),
        "memory" => Some(Service::Memory),
        _ => None,
    }
}

fn authority_of(
    scheme: &str,
    authority: &str,
    url: &str,
) -> Result<(String, Option<String>), PlaceError> {
    let (bucket, account) = match authority.split_once('@') {
        Some((bucket, host)) if scheme == "abfss" => {
            let account = host
                .strip_suffix(".dfs.core.windows.net")
                .filter(|account| is_name(account));
            (
                bucket,
                Some(
                    account
                        .ok_or_else(|| PlaceError::NoAccount(url.to_owned()))?
                        .to_owned(),
                ),
            )
        }
        Some(_) => return Err(PlaceError::Extras),
        None if scheme == "abfss" => return Err(PlaceError::NoAccount(url.to_owned())),
        None => (authority, None),
    };
    if !is_name(bucket) {
        return Err(PlaceError::BadBucket(url.to_owned()));
    }
    Ok((bucket.to_owned(), account))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 255
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn check_key(key: &str) -> Result<(), PlaceError> {
    let bad = |part: &str| matches!(part, "" | "." | "..") || part.chars().any(char::is_control);
    if key.split('/').any(bad) {
        Err(PlaceError::BadKey(key.to_owned()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let found = match Place::parse(url) {
            Ok(place) => format!("{place} [{}] [{}]", place.bucket(), place.prefix()),
            Err(error) => error.to_string(),
        };
        assert!(
            found.contains(expected),
            "{url}\n  gives    {found}\n  expected {expected}"
        );
    }

    #[test]
    fn urls_are_a_bucket_and_a_prefix() {
        check(
            "s3://lake/health/daily/",
            "s3://lake/health/daily/ [lake] [health/daily]",
        );
        check("s3a://lake/health", "s3://lake/health/ [lake] [health]");
        check("s3://lake", "s3://lake/ [lake] []");
        check("gs://lake/x=1/ü b/", "gs://lake/x=1/ü b/ [lake] [x=1/ü b]");
        check("az://box/a", "az://box/a/ [box] [a]");
        check(
            "abfss://box@acct.dfs.core.windows.net/a",
            "abfss://box@acct.dfs.core.windows.net/a/ [box] [a]",
        );
        check("memory://t/a", "memory://t/a/ [t] [a]");
    }

    #[test]
    fn nonsense_is_named() {
        check("lake/health", "is no URL of an object store");
        check("ftp://lake/health", "there is no object store for `ftp://`");
        check("S3://lake/health", "there is no object store for `S3://`");
        check("s3:///health", "names no bucket");
        check("s3://la ke/health", "names no bucket");
        check("s3://lake//health", "`/health` is no key");
        check("s3://lake/a/../b", "`a/../b` is no key");
        check("s3://lake/a\nb", "is no key");
        check(
            "s3://key:secret@lake/a",
            "credentials come from the environment",
        );
        check(
            "s3://lake/a?region=x",
            "credentials come from the environment",
        );
        check("abfss://box/a", "names no account");
        check("abfss://box@evil.example.org/a", "names no account");
    }

    #[test]
    fn keys_stay_below_their_place() {
        let place = Place::parse("s3://lake/health/").unwrap();
        assert_eq!(place.full_key("date=1/x").unwrap(), "health/date=1/x");
        assert_eq!(
            place.join("date=1/").unwrap().to_string(),
            "s3://lake/health/date=1/"
        );
        for key in ["../x", "/x", "a//b", "a/", "a/./b"] {
            assert_eq!(place.full_key(key), Err(PlaceError::BadKey(key.to_owned())));
        }
    }
}
