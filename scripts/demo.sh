#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# From nothing to a small, fast network: draws a data set, trains, quantizes, looks at the result.
# Where the shared ResNet-20 and CIFAR-10 are, they are quantized too.

set -euo pipefail
cd "$(dirname "$0")/.."

swiftlet=.build/release/swiftlet
folder=.build/demo
shared=../shared/data/models/cifar10-resnet20.onnx
mkdir -p "$folder"

# show ARGUMENT...: prints a swiftlet command as a user would type it, then runs it.
show() {
  printf '\n$ swiftlet %s\n' "$*"
  "$swiftlet" "$@"
}

show demo --output-dir "$folder"
show evaluate "$folder/model.int8.onnx" --data "$folder/data"
show bench "$folder/model.int8.onnx" --precision int8 --batch 1 --runs 50

if [ -f "$shared" ] && [ -f .build/data/cifar10/test_batch.bin ]; then
  status=0
  show quantize "$shared" --data .build/data/cifar10 --mean 0.485,0.456,0.406 \
    --std 0.229,0.224,0.225 -o "$folder/resnet20.int8.onnx" \
    --report "$folder/resnet20.html" || status=$?
  if [ "$status" != 0 ] && [ "$status" != 3 ]; then exit "$status"; fi
fi

printf '\ndemo: the network is %s, the report %s, the curves %s\n' \
  "$folder/model.int8.onnx" "$folder/report.html" "$folder/training.html"

# On a desktop the report is opened.
if [ -t 1 ]; then
  if [ "$(uname)" = Darwin ]; then
    open "$folder/report.html"
  elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v xdg-open >/dev/null; then
    xdg-open "$folder/report.html"
  fi
fi
