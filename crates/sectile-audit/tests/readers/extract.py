"""Extracts each file of a directory in memory, as Python's libraries do, and prints the modules that came out.

A line of the output: the file, the reader, and the number of a module. Extracted files are extracted in turn.
"""

import gzip
import io
import os
import re
import sys
import tarfile
import zipfile

MODULE = re.compile(re.escape(b"\0asm\1\0\0\0\0\x10\7version") + rb"(\d\d)\.(\d{5})")
LIMIT = 1 << 20  # bytes of one file
DEPTH = 5


def number_of(content):
    match = MODULE.match(content)
    if match and content[: int(match[2])].endswith(b"END" + match[1]) and len(content) >= int(match[2]):
        return int(match[1])
    return None


def stream(file):
    """Yields what a copy would have written before an error."""
    content = b""
    try:
        while len(content) < LIMIT:
            part = file.read(8192)
            if not part:
                break
            content += part
    except Exception:
        pass
    return content


def tars(content, ignore_zeros=False):
    mode = "r:gz" if content[:2] == b"\x1f\x8b" else "r:"
    try:
        archive = tarfile.open(fileobj=io.BytesIO(content), mode=mode, ignore_zeros=ignore_zeros)
        for count, member in enumerate(archive):
            if count == 100:
                break
            try:
                file = archive.extractfile(member)
            except Exception:
                continue
            if file is not None:
                yield stream(file)
    except Exception:
        pass


def lenient_tars(content):
    return tars(content, ignore_zeros=True)


def zips(content):
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        entries = archive.infolist()[:100]
    except Exception:
        return
    for entry in entries:
        try:
            with archive.open(entry) as file:
                yield stream(file)
        except Exception:
            pass


def gzips(content):
    if content[:2] == b"\x1f\x8b":
        yield stream(gzip.GzipFile(fileobj=io.BytesIO(content)))


READERS = {
    "python tarfile": [tars, zips, gzips],
    "python tarfile -i": [lenient_tars],
    "python zipfile": [zips, tars, gzips],
    "python gzip": [gzips, tars, zips],
}


def modules(content, first, inner, depth, found):
    """Opens with the first reader, then what came out with all of them."""
    if number_of(content) is not None or not content or depth == DEPTH:
        return
    for opened in first(content):
        number = number_of(opened)
        if number is not None:
            found.add(number)
        elif len(found) < 100:
            for reader in inner:
                modules(opened, reader, inner, depth + 1, found)


def main():
    directory = sys.argv[1]
    out = []
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            content = file.read()
        for reader, opens in READERS.items():
            found = set()
            modules(content, opens[0], opens, 0, found)
            for number in sorted(found):
                out.append(f"{name}\t{reader}\t{number}\n")
    sys.stdout.write("".join(out))


main()
