#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Documentation/operators.md: which ONNX operators Swiftlet has, and why it lacks the others.

Whether an operator is known is asked of `swiftlet check` with a model of one node; how its cases fare is
taken from the verdicts that `scripts/conformance.py --json` wrote.
"""
import argparse
import collections
import json
import os
import subprocess
import tempfile

import onnx
from onnx import TensorProto, defs, helper

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.path.join(ROOT, "Documentation", "operators.md")
SEQUENCES = "works on lists of tensors; values are tensors here"
TEXT = "works on text; values are tensors of numbers here"
CLASSICAL = "classical machine learning; Swiftlet works on neural networks"
TRAINING = "training in ONNX form; training here is a graph of its own"
REASONS = {
    "ConcatFromSequence": SEQUENCES, "SequenceAt": SEQUENCES, "SequenceConstruct": SEQUENCES,
    "SequenceEmpty": SEQUENCES, "SequenceErase": SEQUENCES, "SequenceInsert": SEQUENCES,
    "SequenceLength": SEQUENCES, "SequenceMap": SEQUENCES, "SplitToSequence": SEQUENCES,
    "Optional": "works on values that may be absent; values are tensors here",
    "OptionalGetElement": "works on values that may be absent; values are tensors here",
    "OptionalHasElement": "works on values that may be absent; values are tensors here",
    "StringConcat": TEXT, "StringNormalizer": TEXT, "StringSplit": TEXT, "RegexFullMatch": TEXT,
    "TfIdfVectorizer": "counts phrases of token numbers; no part of a neural network",
    "ImageDecoder": "decodes image files; `swiftlet` reads images as data",
    "MaxRoiPool": "an older form of RoiAlign",
    "Scan": "batches of operator set 8", "FlexAttention": "holds graphs that change its scores; the standard calls it a preview",
}
OPERATOR_REASONS = {
    "(several operators)": "models of several operators: sequences, gradients, and operators named above",
    "Add": "broadcasting along an axis by a computed operand, as before operator set 7",
    "Scan": "batches, as in operator set 8",
}


def one_node_model(schema):
    """A model with a node of the operator; its inputs are matrices of numbers."""
    names = [f"x{index}" for index in range(max(schema.min_input, 0))]
    outputs = [f"y{index}" for index in range(max(schema.min_output, 1))]
    node = helper.make_node(schema.name, names, outputs, domain=schema.domain, name="n")
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]) for name in names]
    infos = [helper.make_value_info(name, onnx.TypeProto()) for name in outputs]
    opsets = {"": defs.onnx_opset_version(), schema.domain: schema.since_version}
    graph = helper.make_graph([node], "g", inputs, infos)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    )


def is_known(program, schema):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        with open(path, "wb") as file:
            file.write(one_node_model(schema).SerializeToString())
        done = subprocess.run([program, "check", path], capture_output=True, text=True, errors="replace")
        return "it is not known" not in done.stdout + done.stderr


def reason(schema):
    if schema.domain == "ai.onnx.ml":
        return CLASSICAL
    if schema.domain.endswith("training"):
        return TRAINING
    return REASONS.get(schema.name, "not done yet")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--swiftlet", default=".build/release/swiftlet")
    parser.add_argument("--verdicts", default=".build/conformance.json", help="what conformance.py --json wrote")
    options = parser.parse_args()
    with open(options.verdicts) as file:
        verdicts = json.load(file)
    count = collections.Counter(outcome["verdict"] for outcome in verdicts.values())
    failing = collections.defaultdict(collections.Counter)
    for outcome in verdicts.values():
        if outcome["verdict"] != "pass":
            failing[outcome["operator"]][outcome["verdict"]] += 1

    known, unknown = [], []
    for schema in sorted(defs.get_all_schemas(), key=lambda schema: (schema.domain, schema.name)):
        if schema.deprecated:
            continue
        (known if is_known(options.swiftlet, schema) else unknown).append(schema)
    lines = [
        "# Operators",
        "",
        f"Made by `scripts/operators.py` with the Python package `onnx` {onnx.__version__} and"
        " `scripts/conformance.py`.",
        "",
        f"Of the {sum(count.values())} operator cases of the package (those with tensors of numbers that .npy"
        f" files can hold), {count['pass']} pass, {count['unsupported']} are refused by name, {count['wrong']} are"
        f" wrong and {count['failed']} fail.",
        "",
        "An operator that is not known does not keep a network from being read, inspected or written: it is carried"
        " along as it is. `swiftlet check` names it.",
        "",
        "## Known",
        "",
        ", ".join(f"`{schema.name}`" for schema in known if not schema.domain) + ".",
        "",
        "Of ONNX Runtime's own domain `com.microsoft`: the `QLinear…` operators `Add`, `Mul`, `Concat`,"
        " `AveragePool`, `GlobalAveragePool`, `LeakyRelu`, `Sigmoid`, `Softmax`, `ReduceMean` and `Where`; `QGemm`,"
        " `MatMulNBits`, `FusedConv`, `FusedGemm`, `FusedMatMul`, `Gelu`, `FastGelu`, `BiasGelu`, `QuickGelu`,"
        " `SkipLayerNormalization`, `SkipSimplifiedLayerNormalization`, `QuantizeLinear` and `DequantizeLinear`.",
        "",
        "## Not known",
        "",
        "| operator | why |",
        "| --- | --- |",
    ]
    grouped = collections.defaultdict(list)
    for schema in unknown:
        grouped[reason(schema)].append(schema.name if not schema.domain else f"{schema.domain}.{schema.name}")
    for why, names in sorted(grouped.items(), key=lambda item: item[1][0]):
        lines.append("| " + ", ".join(f"`{name}`" for name in names) + f" | {why} |")
    lines += ["", "## Cases that do not pass", "", "| operator | cases | why |", "| --- | --- | --- |"]
    reasons = {schema.name: reason(schema) for schema in unknown}
    for operator, counts in sorted(failing.items()):
        name = operator.split(".")[-1]
        why = OPERATOR_REASONS.get(operator) or reasons.get(name) or REASONS.get(name, "not done yet")
        for verdict, number in counts.items():
            words = "" if verdict == "unsupported" else f"{verdict}: "
            lines.append(f"| {operator} | {number} | {words}{why} |")
    with open(TARGET, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{TARGET}: {len(known)} operators known, {len(unknown)} not")


if __name__ == "__main__":
    main()
