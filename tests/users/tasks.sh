#!/usr/bin/env bash
# The tasks of four users, with the help and the messages of the command alone. `SECTILE` is the command, and `FILES` a
# directory with binaries. It stops at the first stumble: an exit status or a message that a user would not expect.
set -euo pipefail

sectile=${SECTILE:?the command}
files=${FILES:?a directory with binaries}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
export SECTILE_CONFIG= SOURCE_DATE_EPOCH=1767225600 # no configuration of the user; 2026-01-01

# Runs a command, whose exit status must be the first argument. Its output is in `out` and `err`.
step() {
    local expected=$1 status=0
    shift
    echo "\$ sectile $*"
    "$sectile" "$@" >out 2>err || status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "stumble: status $status instead of $expected" >&2
        cat out err >&2
        exit 1
    fi
}

# The output and the messages of the last step together must contain each of these texts.
says() {
    for text; do
        if ! grep -qF -- "$text" out err; then
            echo "stumble: the last step does not say: $text" >&2
            cat out err >&2
            exit 1
        fi
    done
}

echo "# A build engineer puts metadata into binaries"
cp "$files/rust-auditable.component.wasm" app.wasm
cp "$files/clang-sm3.wasm" sm3.wasm
cp "$files/clang-fib.debug.wasm" fib.wasm
cat >Cargo.toml <<'TOML'
[package]
name = "app"
version = "1.2.3"
license = "MIT OR Apache-2.0"
authors = ["Ada <ada@example.org>"]
repository = "https://example.org/app"
TOML
step 0 show app.wasm
says "component" "3 packages" "--packages"
step 0 show app.wasm --packages declared
says "adler"
step 0 set app.wasm sm3.wasm --from Cargo.toml --dry-run
says "1.2.3"
step 0 get app.wasm producers --at 0
step 0 set app.wasm sm3.wasm --from Cargo.toml --created 2026-01-01T00:00:00Z
step 0 set app.wasm sm3.wasm --from Cargo.toml --created 2026-01-01T00:00:00Z
says "up to date"
step 2 set app.wasm --licenses Apache2
says "Apache2" "Apache-2.0" "--allow-invalid"
step 2 set app.wasm
says "--licenses"
step 1 remove app.wasm nosuch
says "nosuch"
step 0 strip fib.wasm -o stripped.wasm
step 0 digest fib.wasm stripped.wasm
step 0 oci layout app.wasm -o layout --ref 1.2.3
step 0 show oci:layout:1.2.3 --image --verify

echo "# An auditor looks into a store"
mkdir -p store/a store/b
cp app.wasm store/a/app.wasm
cp sm3.wasm "store/b/name with spaces.wasm"
tar -czf store/b/package.tgz fib.wasm
step 2 check store
says "directory" "sectile audit store"
step 2 check store/b/package.tgz
says "gzip" "sectile audit store/b/package.tgz"
step 0 audit store
says "3 binaries"
step 0 policy init -o policy.toml
step 0 policy check policy.toml
step 0 policy show policy.toml
cat >policy.toml <<'TOML'
[[required]]
items = "root"
fields = ["licenses", "source"]

[[licenses]]
allow = ["MIT", "Apache-2.0"]

[[exceptions]]
paths = "elsewhere/*"
reason = "moved away"
TOML
step 1 audit store --policy policy.toml -o report.html -o rows.jsonl -o table=-
says "missing-field" "1 of 3 binaries refused" "policy.toml:1" "moved away"
step 0 explain missing-field
says "missing-field"
step 0 explain --list
says "not-spdx"
step 2 explain missing-feild
says "missing-field"
step 1 report rows.jsonl -o csv=rows.csv -o markdown=-
says "Refused first" "fib.wasm"
step 0 audit store --json -o again.jsonl
step 0 audit store --json -o again.jsonl --since again.jsonl
step 1 report again.jsonl --policy policy.toml
says "1 of 3 binaries refused"
step 2 audit store --policy missing.toml
says "missing.toml"

echo "# Someone who embeds the command reads its JSON"
step 0 show --json app.wasm
says '"schema":2' '"licenses":"MIT OR Apache-2.0"' '"outcome":"complete"'
step 0 sections --json app.wasm
says '"kind":"core module"'
step 0 digest --json app.wasm
says '"digest":"sha256:'
step 0 sbom app.wasm
says '"bomFormat":"CycloneDX"'
head -c 1000 app.wasm >cut.wasm
step 2 show --json cut.wasm
says '"outcome":"partial"'
step 2 show --json missing.wasm
says "missing.wasm"
step 0 --version --verbose
says "features" "target"

echo "# The author of a pipeline makes it fail for the right reasons"
step 1 audit store --policy policy.toml --format github
says "::error file=store/b/package.tgz!fib.wasm" "1 of 3 binaries refused"
step 1 audit store --policy policy.toml --format junit
says "<testsuites" "<failure"
step 1 audit store --policy policy.toml -o markdown=summary.md -o sarif=scan.sarif -q
cp cut.wasm store/cut.wasm
step 2 audit store --policy policy.toml --format markdown
says "1 not read to its end"
mkdir empty
step 2 audit empty
says "--allow-empty"
step 0 audit empty --allow-empty
step 2 audit store -o report
says "FORMAT=report"
step 2 audit store --format pdf
says "possible values"
step 2 frobnicate
says "frobnicate"
step 0 completions bash
step 0 --help
says "Exit status"
step 0 man .
test -s sectile-audit.1
echo "all tasks are done"
