#!/bin/bash
# Outputs that can't be written: an error that names the path, before any long work, and no trace.
. "$(dirname "$0")/common.sh"

random_bytes base.u8bin 1000 32 1
"$kith" build base.u8bin -o x.kith >/dev/null
mkdir folder

refuse() {
  local path=$1
  expect_failure 1 "$path" "$kith" build base.u8bin -o "$path"
  expect_failure 1 "$path" "$kith" add x.kith base.u8bin -o "$path"
}
refuse missing/folder/x.kith  # no such folder
refuse folder                 # a folder itself
refuse /proc/x.kith           # where root can't create files either
refuse base.u8bin/x.kith      # below a file

for output in missing/truth.ibin /proc/truth.ibin; do
  expect_failure 1 "$output" "$kith" exact base.u8bin base.u8bin -k 5 -o "$output"
  expect_failure 1 "$output" "$kith" search x.kith base.u8bin -k 5 -o "$output"
done
expect_failure 1 missing/base.npy "$kith" convert base.u8bin missing/base.npy

[ "$(ls -A)" = "$(printf '%s\n' base.u8bin folder stderr.txt stdout.txt x.kith)" ] ||
  fail "left behind: $(ls -A)"
echo 'nothing was written where nothing could be'
