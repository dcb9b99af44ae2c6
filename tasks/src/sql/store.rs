//! What the engine reaches of the machine: the pinned files of a query's inputs, to read them, and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use chrono::DateTime;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::{Path, PathPart};
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use understudy_core::snapshot::PinnedFile;
use understudy_sabotage::Sabotage;
use understudy_tables::{laid_out, open_pinned};
use url::Url;

use crate::TaskInput;

/// The one place that the engine can read from.
static URL: LazyLock<ObjectStoreUrl> = LazyLock::new(|| {
    ObjectStoreUrl::parse("pinned://inputs").expect("it is a scheme with an authority")
});

/// The store's name in errors.
const NAME: &str = "pinned inputs";

/// Where the engine finds the inputs' files.
pub(super) fn url() -> ObjectStoreUrl {
    URL.clone()
}

/// The name by which the engine asks for a file of an input. No two files have the same.
pub(super) fn location(input: &str, file: &PinnedFile, position: usize) -> Path {
    let parts = laid_out(file, position);
    let parts = parts.iter().map(|part| part.to_string_lossy().into_owned());
    std::iter::once(input.to_owned())
        .chain(parts)
        .map(PathPart::from)
        .collect()
}

/// The engine's way to files: those of the inputs, under one URL. Nothing can be added.
#[derive(Debug)]
pub(super) struct InputsOnly(Arc<PinnedFiles>);

impl InputsOnly {
    pub(super) fn of(inputs: &[TaskInput]) -> Self {
        let files = inputs.iter().flat_map(|input| {
            let files = input.source.snapshot.files.iter().enumerate();
            files.map(|(position, file)| {
                let place = location(&input.name, file, position);
                (place, (input.source.base.clone(), file.clone()))
            })
        });
        Self(Arc::new(PinnedFiles(files.collect())))
    }
}

impl ObjectStoreRegistry for InputsOnly {
    fn register_store(&self, _: &Url, _: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> EngineResult<Arc<dyn ObjectStore>> {
        let own: &Url = URL.as_ref();
        if url.scheme() == own.scheme() && url.authority() == own.authority() {
            return Ok(Arc::<PinnedFiles>::clone(&self.0));
        }
        if Sabotage::OpenRegistry.is_on() {
            return Ok(Arc::new(object_store::local::LocalFileSystem::new()));
        }
        Err(DataFusionError::Execution(format!(
            "`{url}` is nothing that a query can reach: there are its inputs only"
        )))
    }
}

/// The pinned files, each with the folder that its path begins at.
#[derive(Debug)]
struct PinnedFiles(BTreeMap<Path, (PathBuf, PinnedFile)>);

impl PinnedFiles {
    fn file(&self, location: &Path) -> Result<&(PathBuf, PinnedFile)> {
        self.0.get(location).ok_or_else(|| Error::NotFound {
            path: location.to_string(),
            source: "it is no file of an input".into(),
        })
    }
}

impl fmt::Display for PinnedFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait]
impl ObjectStore for PinnedFiles {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (base, pinned) = self.file(location)?;
        let meta = meta(location, pinned);
        options.check_preconditions(&meta)?;
        let range = range(&options, pinned)?;
        let file = open_pinned(pinned, base).map_err(|error| Error::Generic {
            store: NAME,
            source: Box::new(error),
        })?;
        Ok(GetResult {
            payload: GetResultPayload::File(file, base.join(&pinned.path)),
            meta,
            range,
            attributes: Attributes::new(),
        })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let below = |path: &Path| prefix.is_none_or(|prefix| path.prefix_matches(prefix));
        let files = self.0.iter().filter(|(path, _)| below(path));
        let files: Vec<_> = files
            .map(|(path, (_, file))| Ok(meta(path, file)))
            .collect();
        stream::iter(files).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        Ok(ListResult {
            common_prefixes: Vec::new(),
            objects: self.list(prefix).try_collect().await?,
        })
    }

    async fn put_opts(&self, path: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only(path))
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only(path))
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        paths.map(|path| Err(read_only(&path?))).boxed()
    }

    async fn copy_opts(&self, _: &Path, to: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only(to))
    }
}

pub(super) fn meta(location: &Path, pinned: &PinnedFile) -> ObjectMeta {
    ObjectMeta {
        location: location.clone(),
        last_modified: DateTime::from_timestamp_nanos(
            i64::try_from(pinned.modified_nanos).unwrap_or_default(),
        ),
        size: pinned.bytes,
        e_tag: None,
        version: None,
    }
}

fn range(options: &GetOptions, pinned: &PinnedFile) -> Result<Range<u64>> {
    let Some(range) = &options.range else {
        return Ok(0..pinned.bytes);
    };
    range
        .as_range(pinned.bytes)
        .map_err(|error| Error::Generic {
            store: NAME,
            source: Box::new(error),
        })
}

fn read_only(path: &Path) -> Error {
    Error::PermissionDenied {
        path: path.to_string(),
        source: "inputs are there to be read only".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use futures::executor::block_on;
    use object_store::ObjectStoreExt as _;
    use tempfile::TempDir;
    use understudy_tables::{TableSource, pin};

    use super::*;

    fn inputs(folder: &TempDir) -> Vec<TaskInput> {
        fs::write(folder.path().join("t.csv"), "a\n1\n").unwrap();
        fs::write(folder.path().join("secret.csv"), "secret").unwrap();
        let source = TableSource {
            base: folder.path().to_owned(),
            snapshot: pin("t", "t.csv", folder.path()).unwrap(),
            types: BTreeMap::new(),
        };
        let schema = source.schema().unwrap();
        let name = "t".to_owned();
        vec![TaskInput {
            name,
            source,
            schema,
        }]
    }

    #[test]
    fn there_are_the_inputs_and_nothing_else() {
        let folder = TempDir::new().unwrap();
        let registry = InputsOnly::of(&inputs(&folder));
        let store = registry.get_store(URL.as_ref()).unwrap();
        let objects: Vec<_> = block_on(store.list(None).try_collect()).unwrap();
        let places: Vec<_> = objects
            .iter()
            .map(|object| object.location.as_ref())
            .collect();
        assert_eq!(places, ["t/00000-t.csv"]);
        let bytes = block_on(async { store.get(&objects[0].location).await?.bytes().await });
        assert_eq!(&bytes.unwrap()[..], b"a\n1\n");
        let absolute = folder.path().join("secret.csv").display().to_string();
        for path in [
            "t/secret.csv",
            "secret.csv",
            "t.csv",
            &absolute,
            "etc/passwd",
            "",
        ] {
            let error = block_on(store.get(&Path::from(path))).unwrap_err();
            assert!(matches!(error, Error::NotFound { .. }), "{path}: {error}");
        }
    }

    #[test]
    fn no_other_url_leads_anywhere_and_none_can_be_added() {
        let folder = TempDir::new().unwrap();
        let registry = InputsOnly::of(&inputs(&folder));
        let disk: Arc<dyn ObjectStore> = Arc::new(object_store::local::LocalFileSystem::new());
        for url in [
            "file:///",
            "file:///etc/passwd",
            "s3://bucket",
            "http://127.0.0.1/",
            "pinned://other",
            "pinned://",
        ] {
            let url = Url::parse(url).unwrap();
            assert!(registry.register_store(&url, Arc::clone(&disk)).is_none());
            let error = registry.get_store(&url).unwrap_err();
            assert!(
                error.to_string().contains("nothing that a query can reach"),
                "{error}"
            );
        }
    }

    #[test]
    fn nothing_is_written() {
        let folder = TempDir::new().unwrap();
        let registry = InputsOnly::of(&inputs(&folder));
        let store = registry.get_store(URL.as_ref()).unwrap();
        let (own, other) = (Path::from("t/00000-t.csv"), Path::from("other"));
        let before = fs::read_dir(folder.path()).unwrap().count();
        let refused = |result: Result<()>| {
            assert!(
                matches!(result, Err(Error::PermissionDenied { .. })),
                "{result:?}"
            );
        };
        for path in [&own, &other] {
            refused(block_on(store.put(path, "x".into())).map(drop));
            refused(block_on(store.put_multipart(path)).map(drop));
            refused(block_on(store.delete(path)));
            refused(block_on(store.copy(&own, path)));
            refused(block_on(store.rename(&own, path)));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before);
        assert_eq!(fs::read(folder.path().join("t.csv")).unwrap(), b"a\n1\n");
    }

    #[test]
    fn an_input_that_was_changed_is_not_read() {
        let folder = TempDir::new().unwrap();
        let inputs = inputs(&folder);
        fs::write(folder.path().join("t.csv"), "a\n2\n").unwrap();
        let store = InputsOnly::of(&inputs).get_store(URL.as_ref()).unwrap();
        let error = block_on(store.get(&Path::from("t/00000-t.csv"))).unwrap_err();
        assert!(
            format!("{error:?}").contains("was changed (same length, other bytes)"),
            "{error:?}"
        );
    }
}
