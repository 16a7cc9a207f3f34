# shellcheck shell=bash disable=SC2034
# What the robustness tests share. Each is run as: tests/robustness/NAME.sh PATH/TO/kith
set -euo pipefail
kith=$(realpath "$1")
work=$(mktemp -d)
mounted=
clean_up() {
  [ -z "$mounted" ] || umount "$mounted"
  rm -rf "$work"
}
trap clean_up EXIT
cd "$work"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# random_bytes FILE ROWS DIM SEED: vectors of bytes as a .u8bin file, the same for the same seed.
random_bytes() {
  local rows=$2 dim=$3 value byte
  for value in "$rows" "$dim"; do
    for byte in 0 8 16 24; do
      printf '%b' "\\x$(printf %02x $((value >> byte & 255)))"
    done
  done >"$1"
  head -c $((rows * dim)) /dev/zero |
    openssl enc -aes-128-ctr -nosalt -pbkdf2 -pass "pass:$4" >>"$1"
}

# expect_failure STATUS TEXT COMMAND...: the command ends with STATUS and says one line on standard
# error, which holds TEXT.
expect_failure() {
  local expected=$1 text=$2 status=0
  shift 2
  "$@" >stdout.txt 2>stderr.txt || status=$?
  [ $status = "$expected" ] ||
    fail "$* ended with $status, expected $expected; it said: $(cat stderr.txt)"
  [ "$(wc -l <stderr.txt)" = 1 ] || fail "$* said more than a line: $(cat stderr.txt)"
  grep -qF -- "$text" stderr.txt || fail "$* said '$(cat stderr.txt)', expected '$text' in it"
}
