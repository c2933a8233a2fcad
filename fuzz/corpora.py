#!/usr/bin/env python3
"""Inputs that fuzzing found worth keeping: one archive a target, in the format of OSS-Fuzz.

    fuzz/corpora.py unpack           unpack the archives into the corpus directories, from which fuzzing continues
    fuzz/corpora.py keep TARGET…     keep the fewest inputs of a corpus that reach what all of them reach, beyond the seeds,
                                     which the tests run too

Each directory of fuzz targets (fuzz/ and crates/*/fuzz/) has its own corpora/, corpus/ and seeds/. Inputs above 8 KiB are not
kept: they are most of an archive's bytes, and slow to run.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIRECTORIES = [ROOT / "fuzz", *sorted(ROOT.glob("crates/*/fuzz"))]
MOST = 8 << 10


def main():
    match sys.argv[1:]:
        case ["unpack"]:
            for directory in DIRECTORIES:
                for archive in sorted((directory / "corpora").glob("*.zip")):
                    with zipfile.ZipFile(archive) as kept:
                        kept.extractall(directory / "corpus" / archive.stem)
        case ["keep", *targets] if targets:
            for target in targets:
                keep(target)
        case _:
            sys.exit(__doc__)


def keep(target):
    found = [directory for directory in DIRECTORIES if (directory / "fuzz_targets" / f"{target}.rs").exists()]
    if not found:
        sys.exit(f"there is no fuzz target `{target}`")
    fuzz = found[0]
    with tempfile.TemporaryDirectory() as directory:
        small, fewest = Path(directory, "small"), Path(directory, "fewest")
        small.mkdir()
        fewest.mkdir()
        for path in (fuzz / "corpus" / target).iterdir():
            if path.stat().st_size <= MOST:
                (small / path.name).write_bytes(path.read_bytes())
        seeds = fuzz / "seeds" / target
        merge = ["cargo", "fuzz", "run", target, str(fewest), str(seeds), str(small), "--", "-set_cover_merge=1"]
        subprocess.run(merge, check=True, cwd=fuzz, env={**os.environ, "RUSTC_BOOTSTRAP": "1"})
        standing = {path.read_bytes() for path in seeds.iterdir()}
        inputs = sorted({path.read_bytes() for path in fewest.iterdir()} - standing)
    archive = fuzz / "corpora" / f"{target}.zip"
    archive.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as kept:
        for data in inputs:  # the same inputs are the same archive
            kept.writestr(zipfile.ZipInfo(hashlib.sha1(data).hexdigest()), data, zipfile.ZIP_DEFLATED)
    print(f"{target}: {len(inputs)} inputs beyond {len(standing)} seeds, {archive.stat().st_size} bytes")


if __name__ == "__main__":
    main()
