#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares one step of training of ResNet-20 with PyTorch's, from the same weights and batch.

`swiftlet zoo export` writes the network; PyTorch takes its weights from that file. Both make one step of
SGD with momentum on one batch. Weights, running statistics and momentum (after one step: the gradient with
its decay) are compared tensor by tensor: the norm of the difference over the norm of PyTorch's.

ReLU has no derivative at 0: of millions of activations some lie so near that rounding decides their side,
and each of those changes gradients by far more than rounding does. So float32 runs are compared where the
step is well conditioned, and both comparisons must stay within --tolerance:

  relu    a small batch, the first whose activations all keep --margin from 0 in float64, which neither
          float32 run has a part in
  smooth  tanh in place of ReLU, with --batch samples

For information, without a verdict, ReLU with --batch samples: how far ours and PyTorch's float32 each are from
PyTorch's float64.

Needs numpy, onnx and torch, a developer's own installation.

usage: compare_training_step.py [--swiftlet PATH] [--batch 128] [--small 2] [--margin 4e-6] [--tolerance 1e-4]
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch
from onnx import numpy_helper

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import safetensors_file  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RATE, MOMENTUM, DECAY = 0.1, 0.9, 1e-4


class Activation(torch.nn.Module):
    """A function that remembers how near to 0 its arguments came."""

    def __init__(self, function):
        super().__init__()
        self.function, self.nearest = function, float("inf")

    def forward(self, x):
        self.nearest = min(self.nearest, x.detach().abs().min().item())
        return self.function(x)


class Unit(torch.nn.Module):
    """Two convolutions and a shortcut without parameters."""

    def __init__(self, inputs, outputs, stride, activation):
        super().__init__()
        self.activation = activation
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(outputs)
        self.stride, self.missing = stride, outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(self.activation(self.bn1(self.conv1(x)))))
        if self.stride > 1 or self.missing:
            x = x[:, :, ::self.stride, ::self.stride]
            x = torch.nn.functional.pad(x, (0, 0, 0, 0, self.missing // 2, self.missing - self.missing // 2))
        return self.activation(y + x)


class ResNet20(torch.nn.Module):
    """He et al., 2015, section 4.2, with shortcuts A."""

    def __init__(self, function):
        super().__init__()
        self.activation = Activation(function)
        self.conv1 = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(16)
        inputs = 16
        for stage, width in enumerate((16, 32, 64)):
            units = []
            for index in range(3):
                units.append(Unit(inputs, width, 2 if stage and not index else 1, self.activation))
                inputs = width
            setattr(self, f"layer{stage + 1}", torch.nn.Sequential(*units))
        self.fc = torch.nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.activation(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


FUNCTIONS = {"Relu": torch.relu, "Tanh": torch.tanh}


class Comparison:
    """A network file with one activation, and what both sides make of batches."""

    def __init__(self, arguments, folder, activation):
        self.arguments, self.folder, self.function = arguments, folder, FUNCTIONS[activation]
        self.model = os.path.join(folder, f"{activation}.onnx")
        subprocess.run([arguments.swiftlet, "zoo", "export", "resnet20", "-o", self.model, "--input", "3x32x32"],
                       check=True, stdout=subprocess.DEVNULL)
        network = onnx.load(self.model)
        for node in network.graph.node:
            if node.op_type == "Relu":
                node.op_type = activation
        onnx.save(network, self.model)
        self.weights = {w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in network.graph.initializer}

    def batch(self, count, seed):
        generator = np.random.default_rng(seed)
        return generator.standard_normal((count, 3, 32, 32)).astype(np.float32), generator.integers(0, 10, count)

    def network(self, dtype):
        network = ResNet20(self.function)
        names = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
        network.load_state_dict({name: self.weights[name] for name in names}, strict=False)
        return network.to(dtype).train(), names

    def ours(self, x, y):
        """The state that `swiftlet train` leaves after one step."""
        place = tempfile.mkdtemp(dir=self.folder)
        batch = os.path.join(place, "batch.npz")
        np.savez(batch, x=x, y=y)
        command = [
            self.arguments.swiftlet, "train", "--model", self.model, "--data", batch,
            "-o", os.path.join(place, "out.onnx"), "--checkpoint", place, "--steps", "1", "--epochs", "1",
            "--batch", str(len(y)), "--lr", str(RATE), "--optimizer", "sgd", "--momentum", str(MOMENTUM),
            "--weight-decay", str(DECAY), "--set", "decay_norm_and_bias=true", "--schedule", "constant",
            "--augment", "none", "--precision", "fp32",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
        return safetensors_file.read(os.path.join(place, "model.state.safetensors"))[0]

    def theirs(self, x, y, dtype=torch.float32):
        """The state that PyTorch leaves, under our names."""
        network, names = self.network(dtype)
        optimizer = torch.optim.SGD(network.parameters(), RATE, MOMENTUM, weight_decay=DECAY)
        scores = network(torch.from_numpy(x).to(dtype))
        torch.nn.functional.cross_entropy(scores, torch.from_numpy(y)).backward()
        optimizer.step()
        state = network.state_dict()
        result = {name: state[name].numpy() for name in names}
        for name, parameter in network.named_parameters():
            result[f"{name}/velocity"] = optimizer.state[parameter]["momentum_buffer"].numpy()
        return result

    def margin(self, x):
        """How near to 0 an activation's argument comes in float64."""
        network, _ = self.network(torch.float64)
        with torch.no_grad():
            network(torch.from_numpy(x).double())
        return network.activation.nearest


def distances(found, wanted):
    """For each tensor, the norm of the difference over that of the wanted one."""
    result = {}
    for name, tensor in wanted.items():
        if name not in found or found[name].shape != tensor.shape:
            result[name] = float("inf")
            continue
        wide = tensor.astype(np.float64)
        result[name] = np.linalg.norm(found[name].astype(np.float64) - wide) / max(np.linalg.norm(wide), 1e-30)
    return result


def words(relative):
    values = np.array(list(relative.values()))
    worst = max(relative, key=relative.get)
    return f"median {np.median(values):.1e}, worst {relative[worst]:.1e} ({worst})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swiftlet", default=os.path.join(ROOT, ".build/release/swiftlet"))
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--small", type=int, default=2)
    parser.add_argument("--margin", type=float, default=4e-6)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    wrong = 0

    def judge(what, found, wanted):
        nonlocal wrong
        relative = distances(found, wanted)
        beyond = sum(not value <= arguments.tolerance for value in relative.values())
        print(f"{what}: {len(relative)} tensors, {beyond} beyond {arguments.tolerance:g}; {words(relative)}", flush=True)
        wrong += beyond

    with tempfile.TemporaryDirectory() as folder:
        relu, smooth = (Comparison(arguments, folder, name) for name in FUNCTIONS)
        for seed in range(1, 1001):
            x, y = relu.batch(arguments.small, seed)
            margin = relu.margin(x)
            if margin >= arguments.margin:
                break
        else:
            sys.exit(f"no batch of {arguments.small} keeps {arguments.margin:g} from 0: give a lower --margin")
        judge(f"relu, {arguments.small} samples, seed {seed}, {margin:.1e} from 0", relu.ours(x, y), relu.theirs(x, y))
        x, y = smooth.batch(arguments.batch, 1)
        judge(f"smooth, {arguments.batch} samples", smooth.ours(x, y), smooth.theirs(x, y))
        x, y = relu.batch(arguments.batch, 1)
        exact = relu.theirs(x, y, torch.float64)
        print(f"relu, {arguments.batch} samples, {relu.margin(x):.1e} from 0, distance from float64 (no verdict):")
        print(f"  ours     {words(distances(relu.ours(x, y), exact))}")
        print(f"  PyTorch  {words(distances(relu.theirs(x, y), exact))}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
