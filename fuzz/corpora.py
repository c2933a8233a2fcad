#!/usr/bin/env python3
"""The inputs that fuzzing found worth keeping: one archive a target, as OSS-Fuzz takes them.

    fuzz/corpora.py unpack           put what is kept into fuzz/corpus, where `cargo fuzz run` goes on from it
    fuzz/corpora.py keep TARGET…     keep the fewest inputs of fuzz/corpus/TARGET that reach what all of them reach, beyond the
                                     seeds, which stand in fuzz/seeds and are run by the tests too

What is larger than 8 KiB is not kept: it is most of an archive's bytes, and slow to run.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FUZZ = Path(__file__).resolve().parent
MOST = 8 << 10


def main():
    match sys.argv[1:]:
        case ["unpack"]:
            for archive in sorted((FUZZ / "corpora").glob("*.zip")):
                with zipfile.ZipFile(archive) as kept:
                    kept.extractall(FUZZ / "corpus" / archive.stem)
        case ["keep", *targets] if targets:
            for target in targets:
                keep(target)
        case _:
            sys.exit(__doc__)


def keep(target):
    with tempfile.TemporaryDirectory() as directory:
        small, fewest = Path(directory, "small"), Path(directory, "fewest")
        small.mkdir()
        fewest.mkdir()
        for path in (FUZZ / "corpus" / target).iterdir():
            if path.stat().st_size <= MOST:
                (small / path.name).write_bytes(path.read_bytes())
        seeds = FUZZ / "seeds" / target
        merge = ["cargo", "fuzz", "run", target, str(fewest), str(seeds), str(small), "--", "-set_cover_merge=1"]
        subprocess.run(merge, check=True, cwd=FUZZ, env={**os.environ, "RUSTC_BOOTSTRAP": "1"})
        standing = {path.read_bytes() for path in seeds.iterdir()}
        inputs = sorted({path.read_bytes() for path in fewest.iterdir()} - standing)
    archive = FUZZ / "corpora" / f"{target}.zip"
    archive.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as kept:
        for data in inputs:  # the same inputs are the same archive
            kept.writestr(zipfile.ZipInfo(hashlib.sha1(data).hexdigest()), data, zipfile.ZIP_DEFLATED)
    print(f"{target}: {len(inputs)} inputs beyond {len(standing)} seeds, {archive.stat().st_size} bytes")


if __name__ == "__main__":
    main()
