# SPDX-License-Identifier: Apache-2.0
"""Runs stored networks, writes them anew, and compares both with recorded outputs."""
import collections
import glob
import json
import os
import re
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXPORTS = os.path.join(ROOT, "..", "shared", "data", "exports")
SECONDS = 300
# What is not promised: operator sets below 11, sequences, classical models, a fused quantized layer.
MAY_REFUSE = ("Sequence", "ai.onnx.ml", "DynamicQuantizeLSTM")
PRODUCTS = {"Conv", "ConvTranspose", "MatMul", "Gemm"}
# Quantized files already, which are not quantized again.
QUANTIZED = ("QLinear", "QuantizeLinear", "DequantizeLinear", "MatMulInteger", "ConvInteger", "MatMulNBits")


def swiftlet(program, *arguments):
    """The exit status and what was written to standard error."""
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer in {SECONDS} s"
    lines = [line.strip() for line in done.stderr.replace("\r", "\n").splitlines()]
    words = " / ".join(lines)
    return done.returncode, words[max(words.find("error:"), 0) :][:300]


def largest_difference(got, expected):
    """In units of the largest expected output; infinite if type or shape differ."""
    if got is None or got.shape != expected.shape or got.dtype != expected.dtype:
        return float("inf")
    if expected.dtype.kind in "iub":
        return float((got != expected).any())
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    if not expected.size:
        return 0.0
    return float(np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-9))


def run_swiftlet(program, model, inputs, names, folder):
    """The outputs of `swiftlet run`, or what went wrong."""
    arguments = ["run", model, "--output-dir", folder]
    for index, (name, array) in enumerate(inputs.items()):
        path = os.path.join(folder, f"in_{index}.npy")
        np.save(path, array)
        arguments += ["--input", f"{name}={path}"]
    status, words = swiftlet(program, *arguments)
    if status:
        return None, f"run: status {status}: {words}"
    paths = {name: os.path.join(folder, f"{name}.npy") for name in names}
    return {name: np.load(path) for name, path in paths.items() if os.path.exists(path)}, ""


def run_onnxruntime(model, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs)))


def worst(got, expected):
    return max((largest_difference(got.get(name), want) for name, want in expected.items()), default=0.0)


def check_export(program, entry, folder):
    """The problems with one exported file; `None` if it is refused, rightly."""
    name = entry["name"]
    model = os.path.join(EXPORTS, name + ".onnx")
    data = np.load(os.path.join(EXPORTS, name + ".npz"))
    inputs = {key[3:]: data[key] for key in data if key.startswith("in_")}
    stored = {key[4:]: data[key] for key in data if key.startswith("out_")}
    trained = {key[9:]: data[key] for key in data if key.startswith("outtrain_")}
    expected = trained if "-train-" in name else stored
    half = "half" in name or "fp16" in name or any(
        "float16" in value["type"] for value in entry["inputs"] + entry["outputs"]
    )
    limit = 5e-3 if half else 3e-2 if entry.get("fp32_rel") is not None else 2e-4
    opset = entry["opset"].get("ai.onnx", entry["opset"].get("", 99))
    optional = opset < 11 or any(word in op for op in entry["operators"] for word in MAY_REFUSE)
    problems = []

    outputs, words = run_swiftlet(program, model, inputs, stored.keys(), folder)
    if outputs is None:
        return None if optional and re.search("unsupported|opset", words.lower()) else [words]
    if not (difference := worst(outputs, expected)) <= limit:
        problems.append(f"run: differs by {difference:.2g}")
    status, words = swiftlet(program, "check", model)
    if status:
        problems.append(f"check: status {status}: {words}")
    for kind, arguments, wanted in (
        ("written", [], expected), ("simplified", ["--simplify"], stored),
    ):
        path = os.path.join(folder, f"{kind}.onnx")
        status, words = swiftlet(program, "convert", model, "-o", path, *arguments)
        if status:
            problems.append(f"{kind}: status {status}: {words}")
            continue
        try:
            onnx.checker.check_model(path, full_check=True)
            difference = worst(run_onnxruntime(path, inputs), wanted)
            if not difference <= limit:
                problems.append(f"{kind}: differs by {difference:.2g} under ONNX Runtime")
        except Exception as error:
            problems.append(f"{kind}: " + str(error).replace("\n", " ")[:200])
    return problems + check_quantization(program, entry, model, inputs, stored, folder)


def check_quantization(program, entry, model, inputs, outputs, folder):
    """Quantizes a float network with products, on its own inputs; the result must run elsewhere."""
    operators = {op.split("::")[-1] for op in entry["operators"]}
    if not operators & PRODUCTS or any(op.startswith(QUANTIZED) for op in operators):
        return []
    path = os.path.join(folder, "int8.onnx")
    name, values = next(iter(inputs.items()))
    mode = ["--mode", "dynamic"]
    if len(inputs) == 1 and values.dtype == np.float32 and values.ndim > 1:
        samples = os.path.join(folder, "samples.npz")
        np.savez(samples, x=np.concatenate([values] * 8), y=np.zeros(8 * len(values), np.int64))
        mode = ["--data", samples, "--samples", "8"]
    status, words = swiftlet(program, "quantize", model, *mode, "-o", path)
    if status and "nothing to quantize" in words and "double" in entry["name"]:
        return []  # weights of 64 bits are left as they are
    if status:
        return [f"quantize {mode[0]} {mode[1] if len(mode) == 2 else 'samples'}: status {status}: {words}"]
    try:
        run_onnxruntime(path, inputs)
    except Exception as error:
        return ["quantized: " + str(error).replace("\n", " ")[:200]]
    return []


def check_stored_exports(options):
    """Checks the exported files of the shared folder; whether all are well."""
    with open(os.path.join(EXPORTS, "manifest.json")) as file:
        entries = [entry for entry in json.load(file) if re.search(options.only, entry["name"])]
    count = collections.Counter()
    for entry in entries:
        with tempfile.TemporaryDirectory() as folder:
            problems = check_export(options.swiftlet, entry, folder)
        verdict = "refused, rightly" if problems is None else "well" if not problems else "not well"
        count[verdict] += 1
        for problem in problems or []:
            print(f"{entry['name']:32} {problem}", flush=True)
    print(f"{len(entries)} exported files: " + ", ".join(f"{n} {words}" for words, n in count.items()))
    return count["not well"] == 0


def check_light_networks(options):
    """Compares the networks that the package `onnx` stores with their recorded outputs; whether all agree."""
    folder = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")
    paths = sorted(glob.glob(os.path.join(folder, "light_*.onnx")))
    paths = [path for path in paths if re.search(options.only, os.path.basename(path))]
    bad = 0
    for path in paths:
        model = onnx.load(path)
        constants = {tensor.name for tensor in model.graph.initializer}
        value = next(value for value in model.graph.input if value.name not in constants)
        shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
        # The inputs of the package's own runner.
        inputs = {value.name: (np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32)}
        expected = numpy_helper.to_array(onnx.load_tensor(path[: -len(".onnx")] + "_output_0.pb"))
        name = model.graph.output[0].name
        with tempfile.TemporaryDirectory() as scratch:
            outputs, words = run_swiftlet(options.swiftlet, path, inputs, [name], scratch)
            if outputs is not None:
                difference = largest_difference(outputs.get(name), expected)
                words = "" if difference <= 1e-3 else f"differs by {difference:.2g}"
            if not words:
                samples, target = os.path.join(scratch, "samples.npz"), os.path.join(scratch, "int8.onnx")
                array = next(iter(inputs.values()))
                np.savez(samples, x=np.concatenate([array, array / 2]), y=np.zeros(2, np.int64))
                status, text = swiftlet(options.swiftlet, "quantize", path, "--data", samples, "-o", target)
                words = f"quantize: status {status}: {text}" if status else ""
                if not words:
                    onnx.checker.check_model(target, full_check=True)
        bad += bool(words)
        print(f"{os.path.basename(path):32} {words or 'agrees, and quantizes'}", flush=True)
    print(f"{len(paths)} stored networks: {len(paths) - bad} agree, {bad} do not")
    return bad == 0
