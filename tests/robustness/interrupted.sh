#!/bin/bash
# Ctrl-C and SIGTERM during long work: the exit code a shell expects, one line, and no file.
. "$(dirname "$0")/common.sh"

random_bytes base.u8bin 400000 128 1  # a graph over these takes minutes
mkdir out
# interrupt SIGNAL STATUS COMMAND...: `timeout` sends the signal after a second, and only
# once to the command itself when told --foreground (a second signal would end it at once).
interrupt() {
  local signal=$1 status=$2
  shift 2
  expect_failure "$status" cancelled timeout --foreground --preserve-status --signal="$signal" 1 "$@"
  [ -z "$(ls -A out)" ] || fail "$* left $(ls -A out)"
}

interrupt INT 130 "$kith" build base.u8bin --index graph -o out/x.kith
interrupt TERM 143 "$kith" build base.u8bin --index graph -o out/x.kith
interrupt INT 130 "$kith" exact base.u8bin base.u8bin -k 10 -o out/truth.ibin
echo 'interrupted work leaves nothing behind and says so'
