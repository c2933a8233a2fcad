//! Roots of audits.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use sectile_audit::{ListedObject, PartKind, Root};

use crate::error;
use crate::source::path_argument;

/// A root of an audit, as it was given.
pub struct NamedRoot {
    pub root: Root,
    /// The path or the URL.
    pub name: OsString,
}

/// The roots of an argument: a path, a URL, a key, or an iterable of them.
pub fn roots(argument: &Bound<'_, PyAny>) -> PyResult<Vec<Root>> {
    Ok(named_roots(argument)?.into_iter().map(|named| named.root).collect())
}

/// As [`roots`], with the names.
pub fn named_roots(argument: &Bound<'_, PyAny>) -> PyResult<Vec<NamedRoot>> {
    let mut roots = RootList::default();
    if is_path(argument)? || is_key(argument)? {
        roots.add(argument)?;
    } else {
        argument.try_iter()?.try_for_each(|root| roots.add(&root?))?;
    }
    roots.finish(argument.py())
}

fn is_path(argument: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(argument.is_instance_of::<PyString>()
        || argument.is_instance_of::<PyBytes>()
        || argument.hasattr("__fspath__")?)
}

fn is_key(argument: &Bound<'_, PyAny>) -> PyResult<bool> {
    argument.hasattr("kind")
}

/// The fields of a key.
#[derive(FromPyObject)]
struct KeyFields<'py> {
    kind: String,
    root: Bound<'py, PyAny>,
    name: Bound<'py, PyAny>,
    others: Vec<Bound<'py, PyAny>>,
    size: Option<u64>,
    etag: Option<String>,
    modified: Option<i64>,
}

#[derive(Default)]
struct RootList {
    roots: Vec<NamedRoot>,
    /// The objects of each store, in one root: roots of the same name are walked once.
    stores: Vec<(OsString, Vec<ListedObject>)>,
    by_url: HashMap<OsString, usize>,
}

impl RootList {
    fn add(&mut self, argument: &Bound<'_, PyAny>) -> PyResult<()> {
        if is_path(argument)? {
            return self.add_root(argument);
        }
        if !is_key(argument)? {
            let kind = argument.get_type().name()?;
            return Err(PyTypeError::new_err(format!("a root is a path, a URL or a key, not `{kind}`")));
        }
        let key: KeyFields<'_> = argument.extract()?;
        let py = argument.py();
        match PartKind::ALL.into_iter().find(|kind| kind.name() == key.kind) {
            Some(PartKind::Object) => {
                let url = path_argument(&key.root)?.into_os_string();
                let Ok(name) = path_argument(&key.name)?.into_os_string().into_string() else {
                    return Err(error::invalid(py, &"the key of an object is not UTF-8"));
                };
                let modified = key.modified.map_or(SystemTime::UNIX_EPOCH, |nanoseconds| {
                    SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
                });
                let object = ListedObject { key: name, size: key.size, etag: key.etag, modified };
                if object.size.is_none() && object.is_requestable() {
                    return Err(error::invalid(py, &"the key of an object needs its size"));
                }
                let nth = *self.by_url.entry(url.clone()).or_insert_with(|| {
                    self.stores.push((url, Vec::new()));
                    self.stores.len() - 1
                });
                self.stores[nth].1.push(object);
                Ok(())
            }
            Some(PartKind::File) => {
                let name = path_argument(&key.name)?;
                let others = key.others.iter().map(path_argument).collect::<PyResult<Vec<PathBuf>>>()?;
                self.roots.push(NamedRoot { name: name.clone().into(), root: Root::file(name, others) });
                Ok(())
            }
            Some(PartKind::Image) => {
                let name = path_argument(&key.name)?.into_os_string();
                let others = key.others.iter().map(path_argument).collect::<PyResult<Vec<PathBuf>>>()?;
                let others = others.iter().filter_map(|name| name.to_str()?.strip_prefix("oci://"));
                let names = others.collect::<Vec<_>>();
                let images = (names.len() == key.others.len()).then(|| open(py, &name)).transpose()?;
                let Some(root) = images.and_then(|image| image.with_images(names)) else {
                    return Err(error::invalid(py, &"the key of an image is the URL of a tag or a digest"));
                };
                self.roots.push(NamedRoot { root, name });
                Ok(())
            }
            Some(_) => {
                let name = if key.name.is_truthy()? { &key.name } else { &key.root };
                self.add_root(name)
            }
            None => Err(error::invalid(py, &"the kind of a key is `root`, `file`, `object` or `image`")),
        }
    }

    fn add_root(&mut self, argument: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = path_argument(argument)?.into_os_string();
        self.roots.push(NamedRoot { root: open(argument.py(), &name)?, name });
        Ok(())
    }

    fn finish(mut self, py: Python<'_>) -> PyResult<Vec<NamedRoot>> {
        for (name, objects) in self.stores {
            let root = open(py, &name)?.with_listing(objects).map_err(|fault| error::invalid(py, &fault))?;
            self.roots.push(NamedRoot { root, name });
        }
        Ok(self.roots)
    }
}

/// Opens a root as the command does.
fn open(py: Python<'_>, name: &OsString) -> PyResult<Root> {
    let is_url = name.to_str().is_some_and(|name| name.contains("://"));
    if !is_url && let Err(fault) = std::fs::metadata(name) {
        return Err(error::from_io_error(py, &fault, Some(name.as_ref())));
    }
    sectile_cli::embedded::root(name.clone()).map_err(|message| error::invalid(py, &message))
}
