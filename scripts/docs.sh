#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Writes the documentation of the library's modules as one static site, .build/docs/html.
# A module's own pages are those of Documentation/MODULE.docc, where there is one.

set -euo pipefail
cd "$(dirname "$0")/.."

folder=.build/docs
rm -rf "$folder"
mkdir -p "$folder"

if command -v docc >/dev/null 2>&1; then docc=docc; else docc=$(xcrun --find docc); fi

printf 'docs: reading the public symbols\n'
if ! swift package dump-symbol-graph --skip-synthesized-members >"$folder/log" 2>&1; then
  tail -n 20 "$folder/log" >&2
  exit 1
fi
symbols=$(sed -n 's/^Files written to //p' "$folder/log" | tail -n 1)

archives=()
for module in Swiftlet TensorCore GraphIR OnnxIO GraphPasses CPURuntime DataIO CompressionCore \
  Quantization; do
  if [ ! -f "$symbols/$module.symbols.json" ]; then continue; fi
  mkdir -p "$folder/$module"
  cp "$symbols/$module"*.symbols.json "$folder/$module/"
  catalog=()
  if [ -d "Documentation/$module.docc" ]; then catalog=("Documentation/$module.docc"); fi
  "$docc" convert ${catalog[@]+"${catalog[@]}"} --additional-symbol-graph-dir "$folder/$module" \
    --fallback-display-name "$module" --fallback-bundle-identifier "swiftlet.$module" \
    --output-path "$folder/$module.doccarchive"
  archives+=("$folder/$module.doccarchive")
done

"$docc" merge "${archives[@]}" --synthesized-landing-page-name Swiftlet --output-path "$folder/html"
printf 'docs: written to %s; to read: python3 -m http.server -d %s\n' "$folder/html" "$folder/html"
