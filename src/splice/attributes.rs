//! Copies owner, mode and extended attributes to a replacement file.

use std::fs::File;
use std::io;

use super::WriteError;

/// Copies owner, extended attributes (including access control lists) and mode from the old to the
/// new file. With `force`, ignores failures.
pub(super) fn carry_over(old: &File, new: &File, force: bool) -> Result<(), WriteError> {
    let copy = |what, copy_attribute: fn(&File, &File) -> io::Result<()>| match copy_attribute(old, new) {
        Err(error) if !force => Err(WriteError::Attribute(what, error)),
        _ => Ok(()),
    };
    copy("owner", owner)?;
    copy("extended attributes", extended)?;
    copy("mode", mode) // last, because changing the owner clears bits of the mode
}

fn mode(old: &File, new: &File) -> io::Result<()> {
    let metadata = old.metadata()?;
    #[allow(unused_mut)]
    let mut permissions = metadata.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let new_metadata = new.metadata()?;
        let mut mode = permissions.mode() & 0o7777;
        // Drops setuid and setgid if the owner or group could not be preserved.
        if new_metadata.uid() != metadata.uid() {
            mode &= !0o4000;
        }
        if new_metadata.gid() != metadata.gid() {
            mode &= !0o2000;
        }
        permissions.set_mode(mode);
    }
    new.set_permissions(permissions)
}

#[cfg(unix)]
fn owner(old: &File, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (old, new_metadata) = (old.metadata()?, new.metadata()?);
    if (old.uid(), old.gid()) == (new_metadata.uid(), new_metadata.gid()) {
        return Ok(());
    }
    fchown(new, Some(old.uid()), Some(old.gid()))
}

#[cfg(not(unix))]
fn owner(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn extended(old: &File, new: &File) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fremovexattr, fsetxattr};

    let (old_names, new_names) = (xattr::names(old)?, xattr::names(new)?);
    // A new file may inherit attributes from its directory that the old file does not have.
    for name in new_names.iter().filter(|name| !old_names.contains(name) && !xattr::is_assigned_by_system(name)) {
        fremovexattr(new, &**name)?;
    }
    for name in old_names.iter().filter(|name| !xattr::is_bound_to_content(name)) {
        let value = xattr::value(old, name)?;
        if !new_names.contains(name) || xattr::value(new, name)? != value {
            fsetxattr(new, &**name, &value, XattrFlags::empty())?;
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn extended(_: &File, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod xattr {
    use std::ffi::{CStr, CString};
    use std::fs::File;
    use std::io;

    use rustix::buffer::spare_capacity;
    use rustix::fs::{fgetxattr, fgetxattr_query, flistxattr, flistxattr_query};
    use rustix::io::Errno;

    pub(super) fn names(file: &File) -> io::Result<Vec<CString>> {
        let len = match flistxattr_query(file) {
            Err(Errno::OPNOTSUPP) | Ok(0) => return Ok(Vec::new()),
            len => len?,
        };
        let mut list = Vec::with_capacity(len);
        flistxattr(file, spare_capacity(&mut list))?;
        Ok(list
            .split_inclusive(|&byte| byte == 0)
            .filter_map(|name| CString::from_vec_with_nul(name.into()).ok())
            .collect())
    }

    pub(super) fn value(file: &File, name: &CStr) -> io::Result<Vec<u8>> {
        let len = fgetxattr_query(file, name)?;
        let mut value = Vec::with_capacity(len);
        if len > 0 {
            fgetxattr(file, name, spare_capacity(&mut value))?;
        }
        Ok(value)
    }

    /// Whether an attribute is only valid for the file's old content.
    pub(super) fn is_bound_to_content(name: &CStr) -> bool {
        [c"security.ima", c"security.evm", c"security.capability"].contains(&name)
    }

    /// Whether the system assigns the attribute to each file.
    pub(super) fn is_assigned_by_system(name: &CStr) -> bool {
        name.to_bytes().starts_with(b"security.")
    }
}
