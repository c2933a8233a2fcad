//! Builders of columns.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields};

/// The type of a column. Spark, `DuckDB`, Polars and pandas take each of them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ColumnType {
    Text,
    Raw,
    Number,
    Flag,
    Struct(&'static [Part]),
    List(&'static ColumnType),
}

/// A part of a struct: its name, its type, whether it may be null, and its description.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part(
    pub(crate) &'static str,
    pub(crate) ColumnType,
    pub(crate) Presence,
    #[cfg_attr(not(test), allow(dead_code))] pub(crate) &'static str,
);

/// Whether each row has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Always,
    Sometimes,
}

/// The name of the elements of a list, as the specification of Parquet has it.
const ELEMENT: &str = "element";

impl ColumnType {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Raw => DataType::Binary,
            Self::Number => DataType::Int64,
            Self::Flag => DataType::Boolean,
            Self::Struct(parts) => DataType::Struct(fields(parts)),
            Self::List(items) => DataType::List(Arc::new(items.element())),
        }
    }

    fn element(self) -> Field {
        Field::new(ELEMENT, self.data_type(), false)
    }
}

fn fields(parts: &[Part]) -> Fields {
    let field =
        |Part(name, part, presence, _): &Part| Field::new(*name, part.data_type(), *presence == Presence::Sometimes);
    parts.iter().map(field).collect()
}

/// The values of a column since the last batch.
pub(super) enum ColumnBuilder {
    Text(StringBuilder),
    Raw(BinaryBuilder),
    Number(Int64Builder),
    Flag(BooleanBuilder),
    Struct { fields: Fields, parts: Vec<ColumnBuilder>, validity: NullBufferBuilder },
    List { element: FieldRef, offsets: Vec<i32>, items: Box<ColumnBuilder>, validity: NullBufferBuilder },
}

impl ColumnBuilder {
    pub(super) fn new(value_type: &ColumnType) -> Self {
        match value_type {
            ColumnType::Text => Self::Text(StringBuilder::new()),
            ColumnType::Raw => Self::Raw(BinaryBuilder::new()),
            ColumnType::Number => Self::Number(Int64Builder::new()),
            ColumnType::Flag => Self::Flag(BooleanBuilder::new()),
            ColumnType::Struct(parts) => Self::Struct {
                fields: fields(parts),
                parts: parts.iter().map(|Part(_, part, ..)| Self::new(part)).collect(),
                validity: NullBufferBuilder::new(0),
            },
            ColumnType::List(items) => Self::List {
                element: Arc::new(items.element()),
                offsets: vec![0],
                items: Box::new(Self::new(items)),
                validity: NullBufferBuilder::new(0),
            },
        }
    }

    /// Number of values.
    fn len(&self) -> usize {
        use arrow_array::builder::ArrayBuilder;
        match self {
            Self::Text(builder) => builder.len(),
            Self::Raw(builder) => builder.len(),
            Self::Number(builder) => builder.len(),
            Self::Flag(builder) => builder.len(),
            Self::Struct { validity, .. } => validity.len(),
            Self::List { offsets, .. } => offsets.len() - 1,
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Text(builder) => builder.append_null(),
            Self::Raw(builder) => builder.append_null(),
            Self::Number(builder) => builder.append_null(),
            Self::Flag(builder) => builder.append_null(),
            Self::Struct { parts, validity, .. } => {
                parts.iter_mut().for_each(Self::push_default);
                validity.append_null();
            }
            Self::List { offsets, validity, .. } => {
                offsets.push(offsets[offsets.len() - 1]);
                validity.append_null();
            }
        }
    }

    /// Adds the value below a null.
    fn push_default(&mut self) {
        match self {
            Self::Text(builder) => builder.append_value(""),
            Self::Raw(builder) => builder.append_value(b""),
            Self::Number(builder) => builder.append_value(0),
            Self::Flag(builder) => builder.append_value(false),
            Self::Struct { .. } | Self::List { .. } => self.push_null(),
        }
    }

    /// Takes the values.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Raw(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
            Self::Struct { fields, parts, validity } => {
                let arrays = parts.iter_mut().map(Self::finish).collect();
                Arc::new(StructArray::new(fields.clone(), arrays, validity.finish()))
            }
            Self::List { element, offsets, items, validity } => {
                let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(offsets, vec![0])));
                Arc::new(ListArray::new(Arc::clone(element), offsets, items.finish(), validity.finish()))
            }
        }
    }
}

/// The place of the next value of a column.
pub(super) struct Cell<'b> {
    builder: &'b mut ColumnBuilder,
    /// Bytes of the texts of the row.
    bytes: &'b mut usize,
}

impl<'b> Cell<'b> {
    pub(super) fn new(builder: &'b mut ColumnBuilder, bytes: &'b mut usize) -> Self {
        Self { builder, bytes }
    }

    pub(super) fn text(self, value: Option<&str>) {
        let ColumnBuilder::Text(builder) = self.builder else { unreachable!("the column has texts") };
        match value {
            Some(value) => {
                *self.bytes += value.len();
                builder.append_value(value);
            }
            None => builder.append_null(),
        }
    }

    pub(super) fn raw(self, value: Option<&[u8]>) {
        let ColumnBuilder::Raw(builder) = self.builder else { unreachable!("the column has bytes") };
        match value {
            Some(value) => {
                *self.bytes += value.len();
                builder.append_value(value);
            }
            None => builder.append_null(),
        }
    }

    /// Adds a number. One beyond the type of the column is its largest value.
    pub(super) fn number(self, value: Option<u64>) {
        let ColumnBuilder::Number(builder) = self.builder else { unreachable!("the column has numbers") };
        builder.append_option(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)));
    }

    pub(super) fn flag(self, value: bool) {
        let ColumnBuilder::Flag(builder) = self.builder else { unreachable!("the column has flags") };
        builder.append_value(value);
    }

    pub(super) fn null(self) {
        self.builder.push_null();
    }

    /// Adds a struct. `write` adds each of its parts.
    pub(super) fn parts(self, write: impl FnOnce(&mut Parts<'_>)) {
        let ColumnBuilder::Struct { parts, validity, .. } = self.builder else {
            unreachable!("the column has structs")
        };
        validity.append_non_null();
        write(&mut Parts { parts: parts.iter_mut(), bytes: self.bytes });
    }

    /// Adds a list.
    pub(super) fn list<T>(self, values: impl IntoIterator<Item = T>, write: impl Fn(T, Cell<'_>)) {
        let ColumnBuilder::List { offsets, items, validity, .. } = self.builder else {
            unreachable!("the column has lists")
        };
        for value in values {
            *self.bytes += ITEM_LEN;
            write(value, Cell { builder: items, bytes: self.bytes });
        }
        // A batch ends long before it has as many items.
        offsets.push(i32::try_from(items.len()).unwrap_or(i32::MAX));
        validity.append_non_null();
    }
}

/// Bytes that are counted for an element of a list, without its texts.
const ITEM_LEN: usize = 32;

/// The places of the parts of a struct.
pub(super) struct Parts<'b> {
    parts: std::slice::IterMut<'b, ColumnBuilder>,
    bytes: &'b mut usize,
}

impl Parts<'_> {
    fn next(&mut self) -> Cell<'_> {
        let builder = self.parts.next().unwrap_or_else(|| unreachable!("the struct has as many parts"));
        Cell { builder, bytes: self.bytes }
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.some_text(Some(value))
    }

    pub(super) fn some_text(&mut self, value: Option<&str>) -> &mut Self {
        self.next().text(value);
        self
    }

    pub(super) fn number(&mut self, value: u64) -> &mut Self {
        self.some_number(Some(value))
    }

    pub(super) fn some_number(&mut self, value: Option<u64>) -> &mut Self {
        self.next().number(value);
        self
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        self.next().flag(value);
        self
    }
}
