#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Unpacks the shared CIFAR-10 files, where they are, into .build/data/cifar10, once.

set -euo pipefail
cd "$(dirname "$0")/.."

unpack=../shared/data/cifar10/unpack.py
target=.build/data/cifar10

if [ -f "$unpack" ] && [ ! -f "$target/test_batch.bin" ]; then
  printf 'data: unpacking CIFAR-10 into %s\n' "$target"
  rm -rf "$target.partial"
  mkdir -p "$target.partial"
  trap 'rm -rf "$target.partial"' EXIT
  python3 "$unpack" "$target.partial" >/dev/null
  rm -rf "$target"
  mv "$target.partial" "$target"
fi
