#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The job from start to end: look at a float network, quantize it to int8, measure both.
# Takes the shared ResNet-20 and CIFAR-10 where they are, else a small network and data of its own.

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

if [ -f "$shared" ] && [ -f .build/data/cifar10/test_batch.bin ]; then
  model=$shared
  data=.build/data/cifar10
  int8=$folder/resnet20.int8.onnx
  preprocessing=(--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225)
else
  printf 'demo: ../shared/data is not there; writing a small network and data to %s\n' "$folder"
  show demo --output-dir "$folder"
  model=$folder/model.onnx
  data=$folder/data.npz
  int8=$folder/model.int8.onnx
  preprocessing=()
fi

show inspect "$model"
show check "$model"

status=0
show quantize "$model" --data "$data" ${preprocessing[@]+"${preprocessing[@]}"} -o "$int8" \
  --report "$folder/report.html" || status=$?
if [ "$status" != 0 ] && [ "$status" != 3 ]; then exit "$status"; fi

show evaluate "$int8" --data "$data"
show bench "$model" --precision fp32 --batch 1 --runs 50
show bench "$int8" --precision int8 --batch 1 --runs 50

printf '\ndemo: the network is %s, the report %s\n' "$int8" "$folder/report.html"
