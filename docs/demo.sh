#!/usr/bin/env bash
# `make demo`: a real server that could not start TDX, from its log to the reason and a way out.
#
# The log is that of canonical/tdx issue 135 (Emerald Rapids, Linux 6.8.0-1004-intel).
set -euo pipefail
cd "$(dirname "$0")/.."
log=tests/corpus/logs/emr-fcp-issue135.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
map=$work/emr.toml

say() { printf '\n=== %s\n\n' "$1"; }

# expect CODE COMMAND...: show the command and what it prints, and stop unless it exits with CODE.
expect() {
  local wanted=$1 code=0
  shift
  echo "\$ ${*//$work\//}"
  "$@" | sed "s|$work/||g" || code=${PIPESTATUS[0]}
  if [ "$code" != "$wanted" ]; then
    echo "demo: expected exit $wanted, got $code" >&2
    exit 1
  fi
}

say "1. The log of the server becomes a map"
expect 0 pamt import "$log" --fill-from-cmr -o "$map"

say "2. What does the kernel do on it?"
expect 1 pamt simulate "$map"

say "3. The log says the same, to the letter"
expect 0 grep -E 'TDMR \[|failed \(' "$log"

say "4. Was it bad luck? No: in the kernel's layout no placement of PAMTs exists"
expect 1 pamt place "$map" --space linux --quiet

say "5. What to change? One page of memory, withdrawn at boot"
expect 0 pamt repair "$map"

say "6. With holes taken from the CMRs the same machine starts"
expect 0 pamt simulate "$map" --policy linux:cmr-v8.2 --quiet
expect 0 grep -E 'KB allocated' "$log"

say "7. The best placement under that rule, and what the module says to it"
expect 0 pamt place "$map" --reserve cmr -o "$work/best.toml"
expect 0 pamt check "$map" "$work/best.toml" --quiet
