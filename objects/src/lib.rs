//! Places for data that are no folder of this machine: S3, GCS and Azure.
