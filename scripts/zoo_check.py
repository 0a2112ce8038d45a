# SPDX-License-Identifier: Apache-2.0
"""Exports every network of the zoo and compares it with ONNX Runtime.

usage: zoo_check.py [--swiftlet PATH] [--only REGEX] [--all-inputs] [--train DATA [OPTION …]]
                    [FILE.onnx …]

For each network: `swiftlet zoo export`, the ONNX checker with shape inference, then a batch of
random pictures through ONNX Runtime and through `swiftlet run`. The outputs must agree within
1e-4 of the greatest logit. With --all-inputs each network is tried in each of its forms; with
--train it is trained for one epoch on DATA instead of exported, OPTIONs going to `swiftlet train`;
with files, those are compared and nothing is made. Needs what conformance-requirements.txt lists.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LARGEST_DIFFERENCE = 1e-4  # of the greatest logit
BATCH = 2


def run(command):
    """The command's output; its message as an error where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def difference(swiftlet, path, folder):
    """The greatest difference of the outputs relative to the greatest output of ONNX Runtime."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (spec,) = session.get_inputs()
    shape = [extent if isinstance(extent, int) else BATCH for extent in spec.shape]
    pictures = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    (wanted,) = session.run(None, {spec.name: pictures})
    source = os.path.join(folder, "input.npy")
    np.save(source, pictures)
    run([swiftlet, "run", path, "--input", source, "--output-dir", folder, "--quiet"])
    found = np.load(os.path.join(folder, session.get_outputs()[0].name + ".npy"))
    if found.shape != wanted.shape:
        raise RuntimeError(f"{path}: shape {found.shape}, under ONNX Runtime {wanted.shape}")
    if not (np.isfinite(found).all() and np.isfinite(wanted).all()):
        raise RuntimeError(f"{path}: outputs are not finite")
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def networks(arguments, folder):
    """Name and path of each network to compare, made one at a time."""
    for path in arguments.files:
        yield os.path.basename(path), path
    if arguments.files:
        return
    listed = json.loads(run([arguments.swiftlet, "zoo", "--json"]))["architectures"]
    for row in listed:
        if not re.search(arguments.only, row["name"]):
            continue
        path = os.path.join(folder, "network.onnx")
        if arguments.train:
            data, *options = arguments.train
            command = [arguments.swiftlet, "train", "--arch", row["name"], "--data", data]
            run(command + ["--epochs", "1", "-o", path] + options)
            yield f"{row['name']}, one epoch", path
            continue
        for shape in row["inputs"] if arguments.all_inputs else row["inputs"][:1]:
            run([arguments.swiftlet, "zoo", "export", row["name"], "--input", shape, "-o", path])
            yield f"{row['name']} {shape}", path


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--swiftlet", default=os.path.join(ROOT, ".build", "release", "swiftlet"))
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--all-inputs", action="store_true")
    parser.add_argument("--train", nargs=argparse.REMAINDER, metavar="DATA")
    parser.add_argument("files", nargs="*", metavar="FILE.onnx")
    arguments = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        made = networks(arguments, folder)
        while True:
            begin = time.monotonic()
            try:
                name, path = next(made)
            except StopIteration:
                break
            except RuntimeError as error:
                sys.exit(f"error: {error}")
            try:
                found = difference(arguments.swiftlet, path, folder)
                verdict = "same" if found <= LARGEST_DIFFERENCE else "DIFFERENT"
                line = f"relative difference {found:.1e}   {verdict}"
            except Exception as error:  # any failure of checker or runtime is the finding
                verdict, line = "FAILED", f"FAILED: {error}"
            failures += verdict != "same"
            print(f"{name:36} {line}   {time.monotonic() - begin:.0f} s", flush=True)
    print("all agree" if failures == 0 else f"{failures} do not agree")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
