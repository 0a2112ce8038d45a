# SPDX-License-Identifier: Apache-2.0
"""Quantizes every shared network in several ways and writes a table of top-1 before and after.

usage: bench_accuracy.py [--swiftlet PATH] [--only REGEX] [--variants default,entropy,…] [-o FILE.md]
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

from conformance_exports import ROOT, shared_networks

VARIANTS = {
    "default": [],
    "minmax": ["--estimator", "minmax"],
    "moving-average": ["--estimator", "moving-average"],
    "percentile": ["--estimator", "percentile"],
    "entropy": ["--estimator", "entropy"],
    "mse": ["--estimator", "mse"],
    "no equalization": ["--no-equalize"],
    "no bias correction": ["--no-bias-correction"],
    "neither": ["--no-equalize", "--no-bias-correction"],
    "per tensor": ["--per-tensor"],
    "per tensor and neither": ["--per-tensor", "--no-equalize", "--no-bias-correction"],
}


def quantized(swiftlet, network, extra, folder):
    """The command's own account of one quantization."""
    output = os.path.join(folder, "out.onnx")
    command = [swiftlet, "quantize", network.model, "--data", network.data, "-o", output]
    if not os.path.exists(os.path.join(network.data, "test_batch.bin")) and "mnist" not in network.data:
        command += ["--evaluate-on", network.data]  # a set without splits is measured whole
    done = subprocess.run(
        command + network.options() + extra + ["--json", "--quiet"], capture_output=True, text=True
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swiftlet", default=os.path.join(ROOT, ".build/release/swiftlet"))
    parser.add_argument("--only", default="")
    parser.add_argument("--variants", default="default,minmax,percentile,entropy,mse")
    parser.add_argument("-o", "--output", help="where to write the table; default: standard output")
    args = parser.parse_args()
    variants = args.variants.split(",")
    lines = [
        "| network | samples | float | size | " + " | ".join(variants) + " |",
        "| --- | --- | --- | --- |" + " --- |" * len(variants),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for network in shared_networks():
            if not re.search(args.only, network.name):
                continue
            cells, before, size, count = [], None, "", ""
            for variant in variants:
                report = quantized(args.swiftlet, network, VARIANTS[variant], folder)
                before = report["before"]["top1"]
                after = report["after"]["top1"]
                size = size or f"{report['after']['bytes'] / report['before']['bytes']:.3f}"
                count = count or str(report["after"].get("count", report.get("count", "")))
                cells.append(f"{after:.2f} ({after - before:+.2f})")
                print(f"{network.name}, {variant}: {before:.2f} → {after:.2f}", file=sys.stderr, flush=True)
            lines.append(f"| {network.name} | {count} | {before:.2f} | {size} | " + " | ".join(cells) + " |")
    text = "\n".join(lines) + "\n"
    if args.output:
        with open(args.output, "w") as file:
            file.write(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
