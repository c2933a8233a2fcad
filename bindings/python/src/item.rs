//! A module or a component.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyList, PyTuple};
use sectile::Field;

use crate::metadata::Metadata;
use crate::record;

/// A module or a component: the root of a source, or nested in a component.
///
/// Each annotation is an attribute, such as `licenses`: the text, or None if it is missing or not
/// UTF-8. If there are several sections, the last one. `annotations` has the raw values too.
#[pyclass(frozen, module = "sectile")]
pub struct Item {
    metadata: Py<Metadata>,
    number: usize,
}

/// Adds a property for each row of the annotation table.
pub fn add_fields(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Item>();
    let property = py.import("builtins")?.getattr("property")?;
    for field in Field::ALL {
        let text = move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| -> PyResult<Option<String>> {
            let item = arguments.get_item(0)?.cast_into::<Item>()?;
            Ok(item.get().with(|item| item.text(field).map(str::to_owned)))
        };
        let getter = PyCFunction::new_closure(py, None, None, text)?;
        class.setattr(field.section(), property.call1((getter, py.None(), py.None(), field.help()))?)?;
    }
    Ok(())
}

impl Item {
    pub fn new(metadata: &Bound<'_, Metadata>, number: usize) -> Self {
        Self { metadata: metadata.clone().unbind(), number }
    }

    /// Calls a function with the item.
    fn with<T>(&self, read: impl FnOnce(sectile::Item<'_>) -> T) -> T {
        let item = self.metadata.get().value().items().nth(self.number);
        read(item.expect("the number is of an item of this metadata"))
    }
}

#[pymethods]
impl Item {
    /// "module" or "component".
    #[getter]
    fn kind(&self) -> &'static str {
        self.with(|item| item.kind().name())
    }

    /// Child indexes from the root, such as "3/0"; empty for the root.
    #[getter]
    fn path(&self) -> String {
        self.with(|item| item.path().to_string())
    }

    /// Range of its bytes in the source.
    #[getter]
    fn range(&self) -> (u64, u64) {
        let size = self.metadata.get().size();
        self.with(|item| (item.start(), item.end().unwrap_or(size)))
    }

    /// Name from the name section.
    #[getter]
    fn name(&self) -> Option<String> {
        self.with(|item| item.name().and_then(|name| name.as_str()).map(str::to_owned))
    }

    /// Every annotation by its section's name: its text, or bytes if it is not UTF-8.
    #[getter]
    fn annotations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.with(|item| {
            let annotations = PyDict::new(py);
            for (field, value) in item.annotations() {
                annotations.set_item(field.section(), record::value(py, value)?)?;
            }
            Ok(annotations)
        })
    }

    /// Names and versions of the tools that made it, by field, such as "processed-by".
    #[getter]
    fn producers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.with(|item| {
            let producers = PyDict::new(py);
            for field in item.producers().fields() {
                let values = match producers.get_item(field.name())? {
                    Some(values) => values.cast_into::<PyList>()?,
                    None => PyList::empty(py),
                };
                for value in field.values() {
                    values.append(value)?;
                }
                producers.set_item(field.name(), values)?;
            }
            Ok(producers)
        })
    }

    /// The crates that cargo-auditable recorded; None without such a list.
    #[getter]
    fn dependencies<'py>(&self, py: Python<'py>) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
        self.with(|item| {
            let Some(dependencies) = item.dependencies() else { return Ok(None) };
            let packages = dependencies.packages().iter().map(|package| {
                let kind = if package.build { "build" } else { "runtime" };
                let indexes = PyTuple::new(py, &package.dependencies)?;
                let fields = (&package.name, &package.version, &package.source, kind, package.root, indexes);
                record::DEPENDENCY.create(py, fields)
            });
            packages.collect::<PyResult<_>>().map(Some)
        })
    }

    /// The JSON of the retired `registry-metadata` section; bytes if it is not UTF-8.
    #[getter]
    fn registry_metadata<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.with(|item| item.registry_metadata().map(|value| record::value(py, value)).transpose())
    }

    /// Sections that name a file with debug data, each with its value.
    #[getter]
    fn debug_links<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        self.with(|item| {
            let links = item.debug_links();
            links.map(|(section, value)| Ok((section, record::value(py, value)?))).collect()
        })
    }

    /// The item that contains it; None for the root.
    #[getter]
    fn parent(&self, py: Python<'_>) -> Option<Self> {
        let number = self.with(|item| item.parent().map(sectile::Item::number));
        number.map(|number| Self::new(self.metadata.bind(py), number))
    }

    /// The items directly in it.
    #[getter]
    fn children(&self, py: Python<'_>) -> Vec<Self> {
        let metadata = self.metadata.bind(py);
        self.with(|parent| {
            let nested = metadata.get().value().items().skip(self.number + 1);
            let inside = nested.take_while(|item| item.depth() > parent.depth());
            let children = inside.filter(|item| item.depth() == parent.depth() + 1);
            children.map(|item| Self::new(metadata, item.number())).collect()
        })
    }

    /// Whether it was read to its end.
    #[getter]
    fn is_complete(&self) -> bool {
        self.with(|item| item.is_complete())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Self>() else { return false };
        self.key() == other.get().key()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.key().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        self.with(|item| match item.name().and_then(|name| name.as_str()) {
            Some(name) => format!("<sectile.Item {} {:?} {name:?}>", item.kind(), item.path().to_string()),
            None => format!("<sectile.Item {} {:?}>", item.kind(), item.path().to_string()),
        })
    }
}

impl Item {
    fn key(&self) -> (usize, usize) {
        (self.metadata.as_ptr().addr(), self.number)
    }
}
