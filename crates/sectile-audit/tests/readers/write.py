"""Writes archives of the current directory with Python's libraries, into the directory that is given."""

import gzip
import os
import shutil
import sys
import tarfile
import zipapp
import zipfile

out = sys.argv[1]
formats = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
for name, form in formats.items():
    headers = {"comment": "global"} if name == "pax" else None
    with tarfile.open(f"{out}/python-{name}.tar", "w", format=form, pax_headers=headers) as archive:
        archive.add(".", filter=lambda member: None if name == "ustar" and "long" in member.name else member)
with tarfile.open(f"{out}/python.tgz", "w:gz") as archive:
    archive.add(".")
with tarfile.open(f"{out}/python-stream.tgz", "w|gz") as archive:
    archive.add(".")
for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
    with zipfile.ZipFile(f"{out}/python-{name}.zip", "w", method) as archive:
        archive.comment = b"a comment"
        for directory, names, files in os.walk("."):
            for name in names + files:
                archive.write(os.path.join(directory, name))
with zipfile.ZipFile(f"{out}/python-streamed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for directory, _, files in os.walk("."):
        for name in files:
            with archive.open(os.path.join(directory, name), "w", force_zip64=True) as entry:
                with open(os.path.join(directory, name), "rb") as file:
                    shutil.copyfileobj(file, entry)
zipapp.create_archive(".", f"{out}/python.pyz", interpreter="/usr/bin/env python3", main="a:b")
shutil.make_archive(f"{out}/python-made", "zip", ".")
shutil.make_archive(f"{out}/python-made", "gztar", ".")
