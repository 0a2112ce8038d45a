#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Median latency of each network in float and in int8 on this machine, batch 1 and 16, one thread and
# all threads, as one table. Takes the shared networks and data where they are, else the demo's own.

set -euo pipefail
cd "$(dirname "$0")/.."

swiftlet=.build/release/swiftlet
shared=../shared/data
folder=.build/bench
threads=$(getconf _NPROCESSORS_ONLN)
if [ "$threads" -gt 1 ]; then counts="1 $threads"; else counts=1; fi
mkdir -p "$folder"

# median MODEL PRECISION BATCH THREADS
median() {
  "$swiftlet" bench "$1" --precision "$2" --batch "$3" --threads "$4" --runs 30 --quiet --json |
    python3 -c 'import json, sys; print("%.3f" % json.load(sys.stdin)["latency_ms"]["median"])'
}

# compare NAME MODEL QUANTIZE-OPTION...
compare() {
  name=$1
  model=$2
  shift 2
  int8=$folder/$name.int8.onnx
  status=0
  "$swiftlet" quantize "$model" "$@" -o "$int8" --quiet >"$folder/log" 2>&1 || status=$?
  if [ "$status" != 0 ] && [ "$status" != 3 ]; then
    tail -n 5 "$folder/log" >&2
    exit "$status"
  fi
  for batch in 1 16; do
    for count in $counts; do
      before=$(median "$model" fp32 "$batch" "$count")
      after=$(median "$int8" int8 "$batch" "$count")
      ratio=$(awk "BEGIN { printf \"%.2f\", $before / $after }")
      printf '%-16s %6s %8s %12s %12s %8s\n' "$name" "$batch" "$count" "$before" "$after" "$ratio"
    done
  done
}

printf '%-16s %6s %8s %12s %12s %8s\n' network batch threads 'float, ms' 'int8, ms' ratio
if [ -d "$shared/models" ]; then
  compare resnet20 "$shared/models/cifar10-resnet20.onnx" --data .build/data/cifar10 \
    --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225
  compare mobilenet_v1 "$shared/models/imagenet-mobilenet_v1_0.75_224.onnx" \
    --data "$shared/imagenet-sample-256" --scale 127.5 --mean 1 --std 1 --crop 224
  compare squeezenet "$shared/models/imagenet-squeezenet1.1.onnx" \
    --data "$shared/imagenet-sample-256" --scale 1 --mean 104,117,123 --std 1 --crop 227 \
    --channel-order bgr
else
  "$swiftlet" demo --output-dir "$folder" --quiet
  compare demo "$folder/model.onnx" --data "$folder/data.npz"
fi
