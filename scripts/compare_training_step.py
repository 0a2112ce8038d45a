#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares one step of training of ResNet-20 with PyTorch's, from the same weights and batch.

`swiftlet zoo export` writes the network; PyTorch takes its weights from that file. Both make one step of
SGD with momentum on one batch. Weights, running statistics and momentum (after one step: the gradient with
its decay) must agree: the norm of the difference of each tensor is at most --tolerance of its norm.

Needs numpy, onnx and torch, a developer's own installation.

usage: compare_training_step.py [--swiftlet PATH] [--batch 128] [--precision fp32] [--tolerance 1e-4]
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


class Unit(torch.nn.Module):
    """Two convolutions and a shortcut without parameters."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(outputs)
        self.stride, self.missing = stride, outputs - inputs

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1 or self.missing:
            x = x[:, :, ::self.stride, ::self.stride]
            x = torch.nn.functional.pad(x, (0, 0, 0, 0, self.missing // 2, self.missing - self.missing // 2))
        return torch.relu(y + x)


class ResNet20(torch.nn.Module):
    """He et al., 2015, section 4.2, with shortcuts A."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(16)
        inputs = 16
        for stage, width in enumerate((16, 32, 64)):
            units = []
            for index in range(3):
                units.append(Unit(inputs, width, 2 if stage and not index else 1))
                inputs = width
            setattr(self, f"layer{stage + 1}", torch.nn.Sequential(*units))
        self.fc = torch.nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def ours(arguments, folder, model, batch):
    """The state that `swiftlet train` leaves after one step."""
    command = [
        arguments.swiftlet, "train", "--model", model, "--data", batch, "-o", os.path.join(folder, "out.onnx"),
        "--checkpoint", folder, "--steps", "1", "--epochs", "1", "--batch", str(arguments.batch),
        "--lr", str(RATE), "--optimizer", "sgd", "--momentum", str(MOMENTUM), "--weight-decay", str(DECAY),
        "--set", "decay_norm_and_bias=true", "--schedule", "constant", "--augment", "none",
        "--precision", arguments.precision,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stderr}")
    return safetensors_file.read(os.path.join(folder, "model.state.safetensors"))[0]


def theirs(model, x, y):
    """The state that PyTorch leaves, under our names."""
    network = ResNet20()
    weights = {w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in onnx.load(model).graph.initializer}
    state = {name: weights[name] for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    network.load_state_dict(state, strict=False)
    optimizer = torch.optim.SGD(network.parameters(), RATE, MOMENTUM, weight_decay=DECAY)
    loss = torch.nn.functional.cross_entropy(network.train()(torch.from_numpy(x)), torch.from_numpy(y))
    loss.backward()
    optimizer.step()
    result = {name: value.numpy() for name, value in network.state_dict().items() if name in state}
    for name, parameter in network.named_parameters():
        result[f"{name}/velocity"] = optimizer.state[parameter]["momentum_buffer"].numpy()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swiftlet", default=os.path.join(ROOT, ".build/release/swiftlet"))
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    generator = np.random.default_rng(1)
    x = generator.standard_normal((arguments.batch, 3, 32, 32)).astype(np.float32)
    y = generator.integers(0, 10, arguments.batch)
    with tempfile.TemporaryDirectory() as folder:
        model, batch = os.path.join(folder, "resnet20.onnx"), os.path.join(folder, "batch.npz")
        subprocess.run([arguments.swiftlet, "zoo", "export", "resnet20", "-o", model, "--input", "3x32x32"],
                       check=True, stdout=subprocess.DEVNULL)
        np.savez(batch, x=x, y=y)
        found, wanted = ours(arguments, folder, model, batch), theirs(model, x, y)
    worst, wrong = ("", 0.0), 0
    for name, tensor in wanted.items():
        if name not in found or found[name].shape != tensor.shape:
            print(f"{name}: missing or of another shape")
            wrong += 1
            continue
        difference = np.linalg.norm((found[name] - tensor).astype(np.float64))
        relative = difference / max(np.linalg.norm(tensor.astype(np.float64)), 1e-30)
        worst = max(worst, (name, relative), key=lambda pair: pair[1])
        if not relative <= arguments.tolerance:
            print(f"{name}: {relative:.2e}")
            wrong += 1
    print(f"{len(wanted)} tensors, {wrong} beyond {arguments.tolerance:g}; worst {worst[0]} {worst[1]:.2e}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
