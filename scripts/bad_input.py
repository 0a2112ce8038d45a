# SPDX-License-Identifier: Apache-2.0
"""Gives `swiftlet` bad models, data, options and outputs, and writes a table of what it answers.

Right is: the expected exit status, no crash, no hang, nothing half-written, words on standard error.

usage: bad_input.py [--swiftlet PATH] [-o FILE.md]
"""
import argparse
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECONDS = 60


def network(weight=None, nodes=None, inputs=None, opset=17):
    """A small classifier: convolution, pooling, flatten."""
    values = np.random.default_rng(0).standard_normal((10, 3, 3, 3)).astype(np.float32)
    weight = weight or helper.make_tensor("w", TensorProto.FLOAT, values.shape, values.tobytes(), raw=True)
    nodes = nodes or [
        helper.make_node("Conv", ["x", "w"], ["a"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["a"], ["b"], name="pool"),
        helper.make_node("Flatten", ["b"], ["y"], name="flat"),
    ]
    inputs = inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 8, 8])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


class Trial:
    """Runs the command and collects rows."""

    def __init__(self, swiftlet, folder):
        self.swiftlet, self.folder, self.rows, self.failures = swiftlet, folder, [], 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, what, arguments, status=1, absent=None, mention=None):
        """One row; `absent` must not exist afterwards, `mention` must stand on standard error."""
        try:
            done = subprocess.run([self.swiftlet, *arguments], capture_output=True, text=True, timeout=SECONDS)
            got, words = done.returncode, done.stderr.strip().replace(self.folder + "/", "")
        except subprocess.TimeoutExpired:
            got, words = "no answer", ""
        right = got == status and (status == 0 or words)
        right = right and (mention is None or mention in words)
        left = absent and any(entry.startswith(os.path.basename(absent)) or entry.startswith("." + os.path.basename(absent))
                              for entry in os.listdir(os.path.dirname(absent) or "."))
        right = right and not left
        self.failures += not right
        first = next((line for line in words.splitlines() if line.startswith("error")), words.splitlines()[0] if words else "")
        self.rows.append((what, got, "yes" if right else "NO", first[:150].replace("|", "\\|")))


def models(trial):
    good = network().SerializeToString()

    def write(name, data):
        with open(trial.path(name), "wb") as file:
            file.write(data if isinstance(data, bytes) else data.SerializeToString())
        return trial.path(name)

    write("good.onnx", good)
    trial.run("model that is not there", ["inspect", trial.path("none.onnx")], mention="none.onnx")
    trial.run("folder as a model", ["inspect", trial.folder])
    trial.run("empty model", ["inspect", write("empty.onnx", b"")])
    trial.run("text as a model", ["inspect", write("text.onnx", b"hello, network\n" * 100)])
    trial.run("model cut in half", ["inspect", write("half.onnx", good[: len(good) // 2])])
    huge = helper.make_tensor("w", TensorProto.FLOAT, [10, 3, 3, 3], np.zeros(270, np.float32).tobytes(), raw=True)
    huge.dims[0] = 1 << 62
    trial.run("weight of 2^62 rows", ["inspect", write("huge.onnx", network(huge))], mention="w")
    huge.dims[0], huge.dims[1] = 1 << 40, 1 << 40
    trial.run("weight whose size overflows", ["inspect", write("overflow.onnx", network(huge))], mention="w")
    huge.dims[0], huge.dims[1] = -10, 3
    trial.run("weight of negative size", ["inspect", write("negative.onnx", network(huge))], mention="w")
    short = helper.make_tensor("w", TensorProto.FLOAT, [10, 3, 3, 3], np.zeros(270, np.float32).tobytes(), raw=True)
    short.raw_data = short.raw_data[:-4]
    trial.run("weight shorter than its shape", ["inspect", write("short.onnx", network(short))], mention="w")
    ring = [
        helper.make_node("Add", ["x", "b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
        helper.make_node("Relu", ["b"], ["y"], name="third"),
    ]
    trial.run("nodes in a circle", ["inspect", write("ring.onnx", network(nodes=ring))], mention="second")
    lost = [helper.make_node("Relu", ["nowhere"], ["y"], name="lost")]
    trial.run("value that nothing computes", ["inspect", write("lost.onnx", network(nodes=lost))], mention="nowhere")
    twice = [helper.make_node("Relu", ["x"], ["y"], name="one"), helper.make_node("Neg", ["x"], ["y"], name="two")]
    trial.run("value computed twice", ["inspect", write("twice.onnx", network(nodes=twice))], mention="y")
    for what, location in [("outside the folder", "../secret.bin"), ("at an absolute path", "/etc/passwd"), ("that is not there", "none.bin")]:
        external = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[10, 3, 3, 3], data_location=TensorProto.EXTERNAL)
        external.external_data.add(key="location", value=location)
        name = "external-" + what.replace(" ", "-") + ".onnx"
        trial.run(f"external data {what}", ["inspect", write(name, network(external))], mention="w")
    pads = [helper.make_node("Conv", ["x", "w"], ["y"], name="conv", pads=[1, 1, 1])]
    trial.run("convolution with three pads", ["bench", write("pads.onnx", network(nodes=pads)), "--runs", "1"], mention="conv")
    large = [helper.make_node("Conv", ["x", "w"], ["y"], name="conv", pads=[1 << 29] * 4)]
    trial.run("pads of 2^29", ["bench", write("large.onnx", network(nodes=large)), "--runs", "1"])
    riddle = [helper.make_node("Riddle", ["x"], ["y"], name="puzzle", domain="example")]
    model = network(nodes=riddle)
    model.opset_import.append(helper.make_opsetid("example", 1))
    trial.run("unknown operator, listed", ["inspect", write("riddle.onnx", model)], status=0)
    trial.run("unknown operator, run", ["bench", trial.path("riddle.onnx"), "--runs", "1"], mention="unsupported")
    mutate(trial, good, write)
    return trial.path("good.onnx")


def mutate(trial, good, write):
    """300 copies with up to eight changed bytes: any answer but a crash or a hang is right."""
    source, bad, worst = random.Random(1), 0, ""
    for number in range(300):
        data = bytearray(good)
        for _ in range(source.randint(1, 8)):
            data[source.randrange(len(data))] = source.randrange(256)
        path = write("mutant.onnx", bytes(data))
        try:
            done = subprocess.run([trial.swiftlet, "bench", path, "--runs", "1", "--quiet"], capture_output=True, timeout=SECONDS)
            if done.returncode not in (0, 1):
                bad, worst = bad + 1, f"mutant {number}: status {done.returncode}"
        except subprocess.TimeoutExpired:
            bad, worst = bad + 1, f"mutant {number}: no answer"
    trial.failures += bad > 0
    trial.rows.append(("300 mutated models, run", "0 or 1", "NO" if bad else "yes", worst))


def data_and_outputs(trial, good):
    rng = np.random.default_rng(0)
    npz = trial.path("data.npz")
    np.savez(npz, x=rng.standard_normal((40, 3, 8, 8)).astype(np.float32), y=np.arange(40) % 10)
    out = trial.path("out.onnx")

    def quantize(data, *more, output=out):
        return ["quantize", good, "--data", data, "-o", output, *more]

    trial.run("a good job", quantize(npz), status=0)
    os.remove(out)
    trial.run("data that is not there", quantize(trial.path("none")), absent=out, mention="none")
    os.makedirs(trial.path("emptyfolder"))
    trial.run("folder without data", quantize(trial.path("emptyfolder")), absent=out, mention="emptyfolder")
    np.savez(trial.path("wrong.npz"), x=np.zeros((4, 5, 8, 8), np.float32), y=np.arange(4))
    trial.run("samples of the wrong shape", quantize(trial.path("wrong.npz")), absent=out)
    np.savez(trial.path("labels.npz"), x=np.zeros((4, 3, 8, 8), np.float32), y=np.array([0, 1, 2, 99]))
    trial.run("label beyond the classes", quantize(trial.path("labels.npz")), absent=out, mention="labels.npz")
    np.savez(trial.path("nan.npz"), x=np.full((4, 3, 8, 8), np.nan, np.float32), y=np.arange(4))
    trial.run("samples of NaN", quantize(trial.path("nan.npz")), absent=out)
    with open(npz, "rb") as file:
        data = file.read()
    with open(trial.path("cut.npz"), "wb") as file:
        file.write(data[: len(data) // 2])
    trial.run("archive cut in half", quantize(trial.path("cut.npz")), absent=out, mention="cut.npz")
    trial.run("output in a folder that is not there", quantize(npz, output=trial.path("no/such/out.onnx")))
    trial.run("output over a folder", quantize(npz, output=trial.path("emptyfolder")))
    trial.run("output where nothing may be written", quantize(npz, output="/proc/out.onnx"))
    trial.run("output on a full disk", quantize(npz, output="/dev/full"))
    trial.run("output of the input's name", quantize(npz, output=good))
    trial.run("unknown option", quantize(npz, "--frobnicate"), status=2, absent=out)
    trial.run("--weights 9", quantize(npz, "--weights", "9"), status=2, absent=out)
    trial.run("unknown estimator", quantize(npz, "--estimator", "guess"), status=2, absent=out)
    trial.run("broken regular expression", quantize(npz, "--keep-float", "("), status=2, absent=out)
    trial.run("--std with a zero", quantize(npz, "--std", "0"), status=2, absent=out)
    trial.run("zero threads", ["bench", good, "--threads", "0"], status=2)
    np.save(trial.path("x.npy"), np.zeros((1, 3, 9, 9), np.float32))
    trial.run("input of the wrong shape", ["run", good, "--input", f"x={trial.path('x.npy')}", "--output-dir", trial.path("o")], mention="x")
    np.save(trial.path("x.npy"), np.zeros((1, 3, 8, 8), np.float64))
    trial.run("input of the wrong type", ["run", good, "--input", f"x={trial.path('x.npy')}", "--output-dir", trial.path("o")], mention="x")
    trial.run("input of another name", ["run", good, "--input", f"z={trial.path('x.npy')}", "--output-dir", trial.path("o")], mention="z")
    trial.run("8-bit run of a float network", ["bench", good, "--precision", "int8"], mention="quantize")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swiftlet", default=os.path.join(ROOT, ".build/release/swiftlet"))
    parser.add_argument("-o", "--output")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(os.path.abspath(args.swiftlet), folder)
        good = models(trial)
        data_and_outputs(trial, good)
    lines = ["| tried | status | right | what it says |", "| --- | --- | --- | --- |"]
    lines += [f"| {what} | {status} | {right} | {words} |" for what, status, right, words in trial.rows]
    text = "\n".join(lines) + "\n"
    if args.output:
        with open(args.output, "w") as file:
            file.write(text)
    print(text, end="")
    print(f"{len(trial.rows) - trial.failures} right, {trial.failures} wrong")
    sys.exit(trial.failures > 0)


if __name__ == "__main__":
    main()
