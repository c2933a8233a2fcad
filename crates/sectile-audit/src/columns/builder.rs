//! Builders of columns.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Int64Array, ListArray, StringArray, StructArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};

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

/// The values of a column.
pub(super) enum ColumnBuilder {
    /// Texts, or bytes that are not text.
    Bytes {
        is_text: bool,
        offsets: Vec<i32>,
        values: Vec<u8>,
        validity: Validity,
    },
    Number {
        values: Vec<i64>,
        validity: Validity,
    },
    Flag(BooleanBufferBuilder),
    Struct {
        fields: Fields,
        parts: Vec<ColumnBuilder>,
        validity: Validity,
    },
    List {
        element: FieldRef,
        offsets: Vec<i32>,
        items: Box<ColumnBuilder>,
        validity: Validity,
    },
}

impl ColumnBuilder {
    pub(super) fn new(value_type: &ColumnType) -> Self {
        let validity = Validity::default();
        match value_type {
            ColumnType::Text | ColumnType::Raw => {
                let is_text = matches!(value_type, ColumnType::Text);
                Self::Bytes { is_text, offsets: vec![0], values: Vec::new(), validity }
            }
            ColumnType::Number => Self::Number { values: Vec::new(), validity },
            ColumnType::Flag => Self::Flag(BooleanBufferBuilder::new(0)),
            ColumnType::Struct(parts) => {
                let columns = parts.iter().map(|Part(_, part, ..)| Self::new(part)).collect();
                Self::Struct { fields: fields(parts), parts: columns, validity }
            }
            ColumnType::List(items) => {
                let element = Arc::new(items.element());
                Self::List { element, offsets: vec![0], items: Box::new(Self::new(items)), validity }
            }
        }
    }

    /// An empty column of the same type, with memory for as many values.
    fn next(&self) -> Self {
        let validity = Validity::default();
        match self {
            Self::Bytes { is_text, offsets, values, .. } => {
                let values = Vec::with_capacity(values.len());
                Self::Bytes { is_text: *is_text, offsets: next_offsets(offsets), values, validity }
            }
            Self::Number { values, .. } => Self::Number { values: Vec::with_capacity(values.len()), validity },
            Self::Flag(values) => Self::Flag(BooleanBufferBuilder::new(values.len())),
            Self::Struct { fields, parts, .. } => {
                Self::Struct { fields: fields.clone(), parts: parts.iter().map(Self::next).collect(), validity }
            }
            Self::List { element, offsets, items, .. } => {
                let (element, items) = (Arc::clone(element), Box::new(items.next()));
                Self::List { element, offsets: next_offsets(offsets), items, validity }
            }
        }
    }

    /// Takes the values.
    pub(super) fn take(&mut self) -> Self {
        let next = self.next();
        std::mem::replace(self, next)
    }

    /// Number of values.
    fn len(&self) -> usize {
        match self {
            Self::Bytes { validity, .. } | Self::Struct { validity, .. } | Self::List { validity, .. } => validity.len,
            Self::Number { values, .. } => values.len(),
            Self::Flag(values) => values.len(),
        }
    }

    fn push_null(&mut self) {
        self.push_empty(false);
    }

    /// Adds the value below a null.
    fn push_default(&mut self) {
        self.push_empty(!matches!(self, Self::Struct { .. } | Self::List { .. }));
    }

    fn push_empty(&mut self, is_valid: bool) {
        match self {
            Self::Bytes { offsets, values, validity, .. } => {
                offsets.push(offset(values.len()));
                validity.push(is_valid);
            }
            Self::Number { values, validity } => {
                values.push(0);
                validity.push(is_valid);
            }
            Self::Flag(values) => values.append(false), // no column of this type may be null
            Self::Struct { parts, validity, .. } => {
                parts.iter_mut().for_each(Self::push_default);
                validity.push(is_valid);
            }
            Self::List { offsets, items, validity, .. } => {
                offsets.push(offset(items.len()));
                validity.push(is_valid);
            }
        }
    }

    /// Adds a range of the values of another column of the same type.
    pub(super) fn extend(&mut self, other: &Self, range: Range<usize>) {
        match (self, other) {
            (
                Self::Bytes { offsets, values, validity, .. },
                Self::Bytes { offsets: other_offsets, values: other_values, validity: other_validity, .. },
            ) => {
                let bytes = extend_offsets(offsets, other_offsets, &range);
                values.extend_from_slice(&other_values[bytes]);
                validity.extend(other_validity, range);
            }
            (Self::Number { values, validity }, Self::Number { values: other_values, validity: other_validity }) => {
                values.extend_from_slice(&other_values[range.clone()]);
                validity.extend(other_validity, range);
            }
            (Self::Flag(values), Self::Flag(other)) => values.append_packed_range(range, other.as_slice()),
            (
                Self::Struct { parts, validity, .. },
                Self::Struct { parts: other_parts, validity: other_validity, .. },
            ) => {
                for (part, other) in parts.iter_mut().zip(other_parts) {
                    part.extend(other, range.clone());
                }
                validity.extend(other_validity, range);
            }
            (
                Self::List { offsets, items, validity, .. },
                Self::List { offsets: other_offsets, items: other_items, validity: other_validity, .. },
            ) => {
                let of_items = extend_offsets(offsets, other_offsets, &range);
                if !of_items.is_empty() {
                    items.extend(other_items, of_items);
                }
                validity.extend(other_validity, range);
            }
            _ => unreachable!("both columns have the same type"),
        }
    }

    /// Takes the values as an array.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self.take() {
            Self::Bytes { is_text, offsets, values, validity } => {
                let (offsets, values, validity) = (offset_buffer(offsets), Buffer::from(values), validity.finish());
                if is_text {
                    Arc::new(StringArray::try_new(offsets, values, validity)?)
                } else {
                    Arc::new(BinaryArray::try_new(offsets, values, validity)?)
                }
            }
            Self::Number { values, validity } => Arc::new(Int64Array::try_new(values.into(), validity.finish())?),
            Self::Flag(mut values) => Arc::new(BooleanArray::new(values.finish(), None)),
            Self::Struct { fields, mut parts, validity } => {
                let arrays = parts.iter_mut().map(Self::finish).collect::<Result<_, _>>()?;
                Arc::new(StructArray::try_new(fields, arrays, validity.finish())?)
            }
            Self::List { element, offsets, mut items, validity } => {
                Arc::new(ListArray::try_new(element, offset_buffer(offsets), items.finish()?, validity.finish())?)
            }
        })
    }
}

/// A length as an offset. A batch ends long before it has as many bytes or items.
fn offset(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

/// The first offset, with memory for as many more.
fn next_offsets(offsets: &[i32]) -> Vec<i32> {
    let mut next = Vec::with_capacity(offsets.len());
    next.push(0);
    next
}

/// Adds the offsets of a range of values, and returns the range that they cover.
fn extend_offsets(offsets: &mut Vec<i32>, other: &[i32], range: &Range<usize>) -> Range<usize> {
    let (start, end) = (other[range.start], other[range.end]);
    let shift = offsets[offsets.len() - 1] - start;
    offsets.extend(other[range.start + 1..=range.end].iter().map(|offset| offset + shift));
    start.cast_unsigned() as usize..end.cast_unsigned() as usize
}

fn offset_buffer(offsets: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

/// Which values are not null.
#[derive(Default)]
pub(super) struct Validity {
    len: usize,
    /// A bit for each value; `None` if no value is null.
    bits: Option<BooleanBufferBuilder>,
}

impl Validity {
    #[inline]
    fn push(&mut self, is_valid: bool) {
        if !is_valid {
            self.bits().append(false);
        } else if let Some(bits) = &mut self.bits {
            bits.append(true);
        }
        self.len += 1;
    }

    fn extend(&mut self, other: &Self, range: Range<usize>) {
        let len = range.len();
        if let Some(other) = &other.bits {
            self.bits().append_packed_range(range, other.as_slice());
        } else if let Some(bits) = &mut self.bits {
            bits.append_n(len, true);
        }
        self.len += len;
    }

    fn bits(&mut self) -> &mut BooleanBufferBuilder {
        let len = self.len;
        self.bits.get_or_insert_with(|| {
            let mut bits = BooleanBufferBuilder::new(len + 1);
            bits.append_n(len, true);
            bits
        })
    }

    fn finish(self) -> Option<NullBuffer> {
        self.bits.map(|mut bits| NullBuffer::new(bits.finish()))
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
        self.raw(value.map(str::as_bytes));
    }

    pub(super) fn raw(self, value: Option<&[u8]>) {
        let ColumnBuilder::Bytes { offsets, values, validity, .. } = self.builder else {
            unreachable!("the column has texts")
        };
        let value_bytes = value.unwrap_or_default();
        *self.bytes += value_bytes.len();
        values.extend_from_slice(value_bytes);
        offsets.push(offset(values.len()));
        validity.push(value.is_some());
    }

    /// Adds a number. One beyond the type of the column is its largest value.
    pub(super) fn number(self, value: Option<u64>) {
        let ColumnBuilder::Number { values, validity } = self.builder else { unreachable!("the column has numbers") };
        values.push(value.map_or(0, |value| i64::try_from(value).unwrap_or(i64::MAX)));
        validity.push(value.is_some());
    }

    pub(super) fn flag(self, value: bool) {
        let ColumnBuilder::Flag(values) = self.builder else { unreachable!("the column has flags") };
        values.append(value);
    }

    pub(super) fn null(self) {
        self.builder.push_null();
    }

    /// Adds a struct. `write` adds each of its parts.
    pub(super) fn parts(self, write: impl FnOnce(&mut Parts<'_>)) {
        let ColumnBuilder::Struct { parts, validity, .. } = self.builder else {
            unreachable!("the column has structs")
        };
        validity.push(true);
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
        offsets.push(offset(items.len()));
        validity.push(true);
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
