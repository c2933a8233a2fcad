//! What a file has beside its content: a file that takes another's place takes them over.

use std::fs::File;
use std::io;

use super::WriteError;

/// Gives the new file the old one's owner, extended attributes (access control lists among them) and mode. With
/// `force`, what cannot be given is left.
pub(super) fn carry_over(old: &File, new: &File, force: bool) -> Result<(), WriteError> {
    let give = |what, step: fn(&File, &File) -> io::Result<()>| match step(old, new) {
        Err(error) if !force => Err(WriteError::Attribute(what, error)),
        _ => Ok(()),
    };
    give("owner", owner)?;
    give("extended attributes", extended)?;
    give("mode", mode) // the last: changing the owner takes bits of it away
}

fn mode(old: &File, new: &File) -> io::Result<()> {
    let metadata = old.metadata()?;
    #[allow(unused_mut)]
    let mut permissions = metadata.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let now = new.metadata()?;
        let mut mode = permissions.mode() & 0o7777;
        // What runs as its owner or group runs as nobody else.
        if now.uid() != metadata.uid() {
            mode &= !0o4000;
        }
        if now.gid() != metadata.gid() {
            mode &= !0o2000;
        }
        permissions.set_mode(mode);
    }
    new.set_permissions(permissions)
}

#[cfg(unix)]
fn owner(old: &File, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (old, now) = (old.metadata()?, new.metadata()?);
    if (old.uid(), old.gid()) == (now.uid(), now.gid()) {
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

    let (wanted, found) = (xattr::names(old)?, xattr::names(new)?);
    // A directory may give its files attributes that the old one does not have.
    for name in found.iter().filter(|name| !wanted.contains(name) && !xattr::is_the_systems(name)) {
        fremovexattr(new, &**name)?;
    }
    for name in wanted.iter().filter(|name| !xattr::is_of_content(name)) {
        let value = xattr::value(old, name)?;
        if !found.contains(name) || xattr::value(new, name)? != value {
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

    /// Attributes that hold for the content that they were given to, and for no other.
    pub(super) fn is_of_content(name: &CStr) -> bool {
        [c"security.ima", c"security.evm", c"security.capability"].contains(&name)
    }

    /// Attributes that the system gives to each file.
    pub(super) fn is_the_systems(name: &CStr) -> bool {
        name.to_bytes().starts_with(b"security.")
    }
}
