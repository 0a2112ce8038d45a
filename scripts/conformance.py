#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks Swiftlet against the ONNX project's operator cases, and its exported files against ONNX Runtime.

Without --exports: every operator case of the Python package `onnx` goes through `swiftlet run`. A case is
  pass         every output has the expected type and shape and agrees within the case's tolerances
  unsupported  refused: exit status 1 and the word "unsupported" on standard error
  wrong        it ran, and an output is missing or differs
  failed       another error, a crash, or no answer in time
An operator is right or refused by name, so "wrong" and "failed" make the exit status 1.

With --stored: the networks that the package stores, and the files in ../shared/data/exports where it is
there, must give their recorded outputs; the latter must be written anew, plainly and simplified, so that
they give them under ONNX Runtime too, and all that have products are quantized.

With --exports: the networks are quantized, and each int8 file must pass the ONNX checker and have the
same top-1 under ONNX Runtime as under `swiftlet evaluate`, within 0.2 points.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests

VERDICTS = ("pass", "unsupported", "wrong", "failed")
STORED_KINDS = ("simple", "pytorch-operator", "pytorch-converted")
NPY_TYPES = {"bool", "float16", "float32", "float64"} | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
# Outputs of these follow no prescribed random source: type and shape are all that can be compared.
RANDOM_OPERATORS = {
    "Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
}
LEAST_ABSOLUTE_TOLERANCE = 1e-5
SECONDS_PER_CASE = 60


@dataclass
class Case:
    name: str
    model: onnx.ModelProto
    inputs: list
    outputs: list
    relative: float
    absolute: float


@dataclass
class Outcome:
    operator: str
    verdict: str
    note: str


def stored_arrays(folder, prefix):
    """The tensors PREFIX_0.pb, PREFIX_1.pb, … of a stored case's folder, in order."""
    arrays = []
    while os.path.exists(path := os.path.join(folder, f"{prefix}_{len(arrays)}.pb")):
        arrays.append(numpy_helper.to_array(onnx.load_tensor(path)))
    return arrays


def stored_case(test):
    """Reads a case that the package keeps as files, or None if its data are no tensors."""
    folder = os.path.join(test.model_dir, "test_data_set_0")
    try:
        model = onnx.load(os.path.join(test.model_dir, "model.onnx"))
        inputs, outputs = (stored_arrays(folder, kind) for kind in ("input", "output"))
    except Exception:  # sequences and the like do not parse as tensors
        return None
    return Case(test.name, model, inputs, outputs, test.rtol, test.atol)


def all_cases():
    """Every case of the package: those generated from the operators' definitions, then the stored ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for test in collect_testcases(None):
            inputs, outputs = test.data_sets[0]
            yield Case(test.name, test.model, list(inputs), list(outputs), test.rtol, test.atol)
    for kind in STORED_KINDS:
        for test in load_model_tests(kind=kind):
            if case := stored_case(test):
                yield case


def is_in_scope(case):
    """Whether all inputs and outputs are tensors of types that a .npy file can hold."""
    ends = [*case.model.graph.input, *case.model.graph.output]
    arrays = [*case.inputs, *case.outputs]
    return all(end.type.HasField("tensor_type") for end in ends) and all(
        isinstance(array, (np.ndarray, np.generic)) and array.dtype.name in NPY_TYPES for array in arrays
    )


def operator_of(case):
    """The operator that a case is about, with its domain unless that is ONNX's own."""
    node = case.model.graph.node[0]
    name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
    if "_expanded" not in case.name and len(case.model.graph.node) == 1:
        return name
    return "(several operators)"


def is_random(case):
    """Whether the expected values depend on a random source; in training, Dropout's mask does."""
    return any(
        node.op_type in RANDOM_OPERATORS
        or (node.op_type == "Dropout" and len(node.input) == 3 and "zero_ratio" not in case.name)
        for node in case.model.graph.node
    )


def command(program, case, folder):
    """Writes the model and inputs of a case to `folder`; the command that runs it."""
    path = os.path.join(folder, "model.onnx")
    onnx.save(case.model, path)
    arguments = [program, "run", path, "--output-dir", os.path.join(folder, "out")]
    constants = {tensor.name for tensor in case.model.graph.initializer}
    names = [value.name for value in case.model.graph.input if value.name not in constants]
    for index, (name, array) in enumerate(zip(names, case.inputs)):
        file = os.path.join(folder, f"input_{index}.npy")
        np.save(file, array)
        arguments += ["--input", f"{name}={file}"]
    return arguments


def difference(case, name, expected, folder):
    """What is wrong with the output `name` that was written to `folder`, or an empty string."""
    file = os.path.join(folder, "out", f"{name}.npy")
    if not os.path.exists(file):
        return f"output {name} was not written"
    got = np.load(file)
    if got.dtype != expected.dtype or got.shape != expected.shape:
        return f"{name} is {got.dtype}{list(got.shape)}, expected {expected.dtype}{list(expected.shape)}"
    if is_random(case):
        return ""
    if expected.dtype.kind in "biu":
        wrong = got != expected
    else:
        absolute = max(case.absolute, LEAST_ABSOLUTE_TOLERANCE)
        got, expected = got.astype(np.float64), expected.astype(np.float64)
        wrong = ~np.isclose(got, expected, rtol=case.relative, atol=absolute, equal_nan=True)
    if not wrong.any():
        return ""
    first = tuple(int(index[0]) for index in np.nonzero(np.atleast_1d(wrong)))
    pair = np.atleast_1d(got)[first], np.atleast_1d(expected)[first]
    return f"{name}: {wrong.sum()} of {wrong.size} differ, first at {list(first)}: {pair[0]}, expected {pair[1]}"


def summary(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines)[:200] if lines else "no message"


def run(program, case):
    """Runs one case and judges it."""
    operator = operator_of(case)
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                command(program, case, folder), capture_output=True, text=True, errors="replace",
                timeout=SECONDS_PER_CASE,
            )
        except subprocess.TimeoutExpired:
            return Outcome(operator, "failed", f"no answer in {SECONDS_PER_CASE} s")
        if done.returncode < 0:
            return Outcome(operator, "failed", f"ended by signal {-done.returncode}: {summary(done.stderr)}")
        if done.returncode == 1 and "unsupported" in done.stderr.lower():
            return Outcome(operator, "unsupported", summary(done.stderr))
        if done.returncode != 0:
            return Outcome(operator, "failed", f"exit status {done.returncode}: {summary(done.stderr)}")
        names = [value.name for value in case.model.graph.output]
        for name, expected in zip(names, case.outputs):
            if note := difference(case, name, np.asarray(expected), folder):
                return Outcome(operator, "wrong", note)
    return Outcome(operator, "pass", "")


def print_table(outcomes, every_operator):
    """Counts by operator; only those with a case that does not pass, unless `every_operator`."""
    rows = collections.defaultdict(collections.Counter)
    for outcome in outcomes.values():
        rows[outcome.operator][outcome.verdict] += 1
    print(f"{'operator':40}" + "".join(f"{verdict:>13}" for verdict in VERDICTS))
    whole = 0
    for operator, counts in sorted(rows.items()):
        if counts["pass"] == counts.total() and not every_operator:
            whole += 1
            continue
        print(f"{operator:40}" + "".join(f"{counts[verdict] or '':>13}" for verdict in VERDICTS))
    if whole:
        print(f"and {whole} operators whose cases all pass (--all shows them)")


def check_operators(options):
    wanted, skipped = [], 0
    for case in all_cases():
        if not re.search(options.only, case.name):
            continue
        if is_in_scope(case):
            wanted.append(case)
        else:
            skipped += 1
    outcomes = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        judged = pool.map(lambda case: run(options.swiftlet, case), wanted)
        for done, (case, outcome) in enumerate(zip(wanted, judged), start=1):
            outcomes[case.name] = outcome
            if done % 100 == 0:
                print(f"{done} of {len(wanted)} cases", file=sys.stderr)

    print_table(outcomes, options.all)
    count = collections.Counter(outcome.verdict for outcome in outcomes.values())
    for verdict in ("failed", "wrong"):
        for name, outcome in outcomes.items():
            if outcome.verdict == verdict:
                print(f"{verdict:7} {name}: {outcome.note}")
    print(f"{len(outcomes)} cases: " + ", ".join(f"{count[verdict]} {verdict}" for verdict in VERDICTS))
    print(f"{skipped} left out: sequences, optionals, maps, text, and types that .npy files lack")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({name: vars(outcome) for name, outcome in outcomes.items()}, file, indent=1)
    return count["wrong"] + count["failed"] == 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--swiftlet", default=".build/release/swiftlet", help="the command to check")
    parser.add_argument("--only", default="", metavar="REGEX", help="only cases, or networks, whose name matches")
    parser.add_argument("--json", metavar="FILE", help="write every verdict to this file")
    parser.add_argument("--jobs", type=int, default=2, help="cases run at the same time (default: 2)")
    parser.add_argument("--all", action="store_true", help="show operators without a failing case too")
    parser.add_argument("--exports", action="store_true", help="check exported int8 files instead")
    parser.add_argument("--stored", action="store_true", help="check stored networks with recorded outputs instead")
    options = parser.parse_args()
    if not os.access(options.swiftlet, os.X_OK):
        parser.error(f"{options.swiftlet} is not there; run `make build` first, or give --swiftlet")
    if options.exports:
        from conformance_exports import check_exports

        passed = check_exports(options)
    elif options.stored:
        from conformance_stored import EXPORTS, check_light_networks, check_stored_exports

        passed = check_light_networks(options)
        if os.path.isdir(EXPORTS):
            passed = check_stored_exports(options) and passed
    else:
        passed = check_operators(options)
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
