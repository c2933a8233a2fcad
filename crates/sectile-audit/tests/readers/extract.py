"""Extracts each file of a directory in memory, as Python's libraries do, and prints the modules that came out.

A line of the output: the file, the reader, and the number of a module. Extracted files are extracted in turn.
"""

import gzip
import io
import os
import re
import signal
import sys
import tarfile
import zipfile

MODULE = re.compile(re.escape(b"\0asm\1\0\0\0\0\x10\7version") + rb"(\d\d)\.(\d{5})")
LIMIT = 1 << 20  # bytes of one file
DEPTH = 5
SECONDS = 1  # of processor time for one file and reader


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


class Endless(BaseException):
    """A library loops: entries of a negative size lead back to themselves."""


def stop(*_):
    raise Endless


class Extraction:
    """The extraction of one case: entries that overlap are opened again and again, up to a limit."""

    def __init__(self, readers):
        self.readers = readers
        self.found = set()
        self.left = 300

    def open(self, content, reader, depth=0):
        """Opens with one reader, then what came out with all of them."""
        if number_of(content) is not None or not content or depth == DEPTH:
            return
        for opened in reader(content):
            self.left -= 1
            if self.left < 0:
                return
            number = number_of(opened)
            if number is not None:
                self.found.add(number)
                continue
            for inner in self.readers:
                self.open(opened, inner, depth + 1)


def main():
    signal.signal(signal.SIGPROF, stop)
    directory = sys.argv[1]
    out = []
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            content = file.read()
        for reader, opens in READERS.items():
            extraction = Extraction(opens)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                extraction.open(content, opens[0])
            except Endless:
                pass
            signal.setitimer(signal.ITIMER_PROF, 0)
            for number in sorted(extraction.found):
                out.append(f"{name}\t{reader}\t{number}\n")
    sys.stdout.write("".join(out))


main()
