//! Keeps what the SDK took, as it took it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use launchdarkly_server_sdk::{
    AllData, DataKind, PersistentDataStore, PersistentDataStoreFactory, PersistentStoreError,
    SerializedItem,
};

use super::wire::Wire;

/// Everything that the SDK took. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture {
    held: Arc<Mutex<Held>>,
    wire: Wire,
}

/// Flags and segments by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    pub(super) flags: HashMap<String, Item>,
    pub(super) segments: HashMap<String, Item>,
    is_initialized: bool,
}

/// One flag or segment.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) version: u64,
    /// Its JSON; `None` where it was deleted.
    pub(super) json: Option<Arc<str>>,
}

impl From<SerializedItem> for Item {
    fn from(item: SerializedItem) -> Self {
        Self {
            version: item.version,
            json: (!item.deleted).then(|| item.serialized_item.into()),
        }
    }
}

impl From<&Item> for SerializedItem {
    fn from(item: &Item) -> Self {
        Self {
            version: item.version,
            deleted: item.json.is_none(),
            serialized_item: item.json.as_deref().unwrap_or_default().to_owned(),
        }
    }
}

impl Capture {
    pub(super) fn new(wire: Wire) -> Self {
        Self {
            held: Arc::default(),
            wire,
        }
    }

    /// What is held now. The SDK waits meanwhile, so nobody keeps it.
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PersistentDataStoreFactory for Capture {
    fn create_persistent_data_store(&self) -> Result<Box<dyn PersistentDataStore>, io::Error> {
        Ok(Box::new(self.clone()))
    }
}

impl PersistentDataStore for Capture {
    fn init(
        &mut self,
        all: AllData<SerializedItem, SerializedItem>,
    ) -> Result<(), PersistentStoreError> {
        let items = |of: HashMap<String, SerializedItem>| {
            of.into_iter()
                .map(|(key, item)| (key, item.into()))
                .collect()
        };
        *self.held() = Held {
            flags: items(all.flags),
            segments: items(all.segments),
            is_initialized: true,
        };
        self.wire.took();
        Ok(())
    }

    fn flag(&self, key: &str) -> Result<Option<SerializedItem>, PersistentStoreError> {
        Ok(self.held().flags.get(key).map(SerializedItem::from))
    }

    fn segment(&self, key: &str) -> Result<Option<SerializedItem>, PersistentStoreError> {
        Ok(self.held().segments.get(key).map(SerializedItem::from))
    }

    fn all_flags(&self) -> Result<HashMap<String, SerializedItem>, PersistentStoreError> {
        let held = self.held();
        Ok(held
            .flags
            .iter()
            .map(|(key, item)| (key.clone(), item.into()))
            .collect())
    }

    fn upsert(
        &mut self,
        kind: DataKind,
        key: &str,
        item: SerializedItem,
    ) -> Result<bool, PersistentStoreError> {
        self.wire.took();
        let mut held = self.held();
        let items = match kind {
            DataKind::Flag => &mut held.flags,
            DataKind::Segment => &mut held.segments,
        };
        if items
            .get(key)
            .is_some_and(|own| own.version >= item.version)
        {
            return Ok(false);
        }
        items.insert(key.to_owned(), item.into());
        Ok(true)
    }

    fn is_initialized(&self) -> bool {
        self.held().is_initialized
    }
}
