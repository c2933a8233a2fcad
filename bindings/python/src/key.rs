//! Keys in columns.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::SystemTime;

use arrow_array::RecordBatch;
use arrow_array::builder::{BinaryBuilder, Int64Builder, ListBuilder, StringBuilder};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use sectile_audit::Part;

/// The columns: the fields of the class `Key`.
pub fn schema() -> SchemaRef {
    let item = Arc::new(Field::new("item", DataType::Binary, true));
    Arc::new(Schema::new(vec![
        Field::new("kind", DataType::Utf8, false),
        Field::new("root", DataType::Binary, false),
        Field::new("name", DataType::Binary, false),
        Field::new("others", DataType::List(item), false),
        Field::new("size", DataType::Int64, true),
        Field::new("etag", DataType::Utf8, true),
        Field::new("modified", DataType::Int64, true),
    ]))
}

/// Collects keys as columns.
#[derive(Default)]
pub struct Keys {
    roots: Vec<OsString>,
    kind: StringBuilder,
    root: BinaryBuilder,
    name: BinaryBuilder,
    others: ListBuilder<BinaryBuilder>,
    size: Int64Builder,
    etag: StringBuilder,
    modified: Int64Builder,
}

impl Keys {
    /// Creates the keys of roots with these names.
    pub fn new(roots: Vec<OsString>) -> Self {
        Self { roots, ..Self::default() }
    }

    pub fn add(&mut self, part: &Part) {
        self.kind.append_value(part.kind.name());
        self.root.append_value(bytes(&self.roots[part.root]));
        self.name.append_value(bytes(&part.name));
        for name in &part.other_names {
            self.others.values().append_value(bytes(name));
        }
        self.others.append(true);
        self.size.append_option(part.size.and_then(|size| i64::try_from(size).ok()));
        self.etag.append_option(part.etag.as_deref());
        let modified = part.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        self.modified.append_option(modified.and_then(|time| i64::try_from(time.as_nanos()).ok()));
    }

    pub fn finish(mut self) -> Vec<RecordBatch> {
        let columns = vec![
            Arc::new(self.kind.finish()) as _,
            Arc::new(self.root.finish()) as _,
            Arc::new(self.name.finish()) as _,
            Arc::new(self.others.finish()) as _,
            Arc::new(self.size.finish()) as _,
            Arc::new(self.etag.finish()) as _,
            Arc::new(self.modified.finish()) as _,
        ];
        let batch = RecordBatch::try_new(schema(), columns);
        vec![batch.unwrap_or_else(|error| unreachable!("each column has one value for each key: {error}"))]
    }
}

/// The bytes that `os.fsencode` gives.
fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}
