#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Feeds the readers made-up input under AddressSanitizer: mutations of the seeds in Fuzzing/Corpus,
# guided by what code they reach. Stops at the first crash, answer after more than 5 s, or
# allocation over 1 GiB, and leaves the input in .build-fuzz/found.
#
# usage: fuzz.sh [SECONDS [HARNESS ...]]      (default: 60 s each of FuzzOnnx FuzzData FuzzRecipe)

set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
seconds=${1:-60}
shift || true
harnesses=("$@")
[ ${#harnesses[@]} -gt 0 ] || harnesses=(FuzzOnnx FuzzData FuzzRecipe)
build=${SWIFTLET_FUZZ_BUILD:-$root/.build-fuzz}

# Of several sanitizers the Swift compiler takes the last option alone, so it needs them in one.
(cd Fuzzing && swift build -c release --sanitize=fuzzer --sanitize=address \
  -Xswiftc -sanitize=fuzzer,address --build-path "$build")
mkdir -p "$build/found"
export SWIFT_BACKTRACE=enable=no GOMP_SPINCOUNT=1000 OMP_NUM_THREADS=1
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
failed=0
for harness in "${harnesses[@]}"; do
  seeds=(Fuzzing/Corpus/$(tr '[:upper:]' '[:lower:]' <<<"${harness#Fuzz}"))
  [ "$harness" != FuzzRecipe ] || seeds+=(Recipes)
  grown=$build/corpus/$harness
  mkdir -p "$grown"
  echo "fuzz: $harness, $seconds s"
  "$build/release/$harness" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=4096 \
    -malloc_limit_mb=1024 -max_len=16384 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$build/found/$harness-" "$grown" "${seeds[@]}" || failed=1
done
rm -rf /dev/shm/swiftlet-fuzz-*
exit $failed
