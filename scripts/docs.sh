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

target=$(swift -print-target-info | sed -n 's/^ *"triple": *"\(.*\)",/\1/p' | head -n 1)
includes=(-I .build/release/Modules)
for headers in Sources/C*/include Sources/C*/module.modulemap; do
  if [ -f "$headers" ]; then headers=$(dirname "$headers"); fi
  if [ -d "$headers" ]; then includes+=(-I "$headers"); fi
done

archives=()
for module in Swiftlet TensorCore GraphIR OnnxIO GraphPasses Autodiff CPURuntime DataIO Training \
  CompressionCore Quantization ModelZoo; do
  if [ ! -f ".build/release/Modules/$module.swiftmodule" ]; then continue; fi
  printf 'docs: %s\n' "$module"
  mkdir -p "$folder/symbols/$module"
  swift symbolgraph-extract -module-name "$module" -target "$target" "${includes[@]}" \
    -minimum-access-level public -skip-synthesized-members -output-dir "$folder/symbols/$module"
  catalog=()
  if [ -d "Documentation/$module.docc" ]; then catalog=("Documentation/$module.docc"); fi
  "$docc" convert ${catalog[@]+"${catalog[@]}"} \
    --additional-symbol-graph-dir "$folder/symbols/$module" \
    --fallback-display-name "$module" --fallback-bundle-identifier "swiftlet.$module" \
    --output-path "$folder/$module.doccarchive"
  archives+=("$folder/$module.doccarchive")
done

"$docc" merge "${archives[@]}" --synthesized-landing-page-name Swiftlet --output-path "$folder/html"
printf 'docs: written to %s; to read: python3 -m http.server -d %s\n' "$folder/html" "$folder/html"
