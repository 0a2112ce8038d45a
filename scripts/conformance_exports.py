# SPDX-License-Identifier: Apache-2.0
"""Quantizes networks and compares each int8 file's top-1 under ONNX Runtime with Swiftlet's own."""
import gzip
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.path.join(ROOT, "..", "shared", "data")
LARGEST_DIFFERENCE = 0.2  # points of top-1
IMAGES_PER_BATCH = 100


@dataclass
class Network:
    """A float network, its data, and its preprocessing: (x / scale - mean) / std."""

    name: str
    model: str
    data: str
    scale: float = 1
    mean: tuple = (0,)
    std: tuple = (1,)
    crop: int = 0
    order: str = "rgb"
    is_prepared: bool = False

    def options(self):
        """The preprocessing as options of `swiftlet`."""
        if self.is_prepared:
            return []
        listed = [",".join(map(str, values)) for values in (self.mean, self.std)]
        options = ["--scale", str(self.scale), "--mean", listed[0], "--std", listed[1]]
        if self.crop:
            options += ["--crop", str(self.crop), "--channel-order", self.order]
        return options


def shared_networks():
    """The networks of the shared folder, with the preprocessing that its README gives."""

    def model(name):
        return os.path.join(SHARED, "models", f"{name}.onnx")

    cifar = os.path.join(ROOT, ".build", "data", "cifar10")
    images = os.path.join(SHARED, "imagenet-sample-256")
    imagenet = dict(scale=255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    half = dict(scale=255, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    networks = [
        *(Network(f"cifar10-resnet{n}", model(f"cifar10-resnet{n}"), cifar, **imagenet) for n in (20, 44, 56)),
        *(
            Network(f"cifar10-resnet20-{kind}", model(f"cifar10-resnet20-{kind}"), cifar, **half)
            for kind in ("conv1x1", "ssl-zerochannels")
        ),
        Network("cifar10-resnet8-mlperf", model("cifar10-resnet8-mlperf"), cifar),
        Network(
            "mnist-convnet", model("mnist-convnet"), os.path.join(SHARED, "mnist"),
            scale=255, mean=(0.1307,), std=(0.3081,),
        ),
        Network(
            "kws-dscnn-mlperf", model("kws-dscnn-mlperf"), os.path.join(SHARED, "kws01", "kws01.npz"),
            is_prepared=True,
        ),
        Network(
            "imagenet-mobilenet_v1_0.75_224", model("imagenet-mobilenet_v1_0.75_224"), images,
            scale=127.5, mean=(1, 1, 1), crop=224,
        ),
        Network(
            "imagenet-squeezenet1.1", model("imagenet-squeezenet1.1"), images,
            mean=(104, 117, 123), crop=227, order="bgr",
        ),
    ]
    return [network for network in networks if os.path.exists(network.model) and os.path.exists(network.data)]


def demonstration_network(program, folder):
    """The network and data that `swiftlet demo` makes, for when the shared folder is not there."""
    print("../shared/data is not there: taking the network that `swiftlet demo` makes")
    subprocess.run([program, "demo", "--output-dir", folder], check=True, capture_output=True)
    return Network(
        "demo", os.path.join(folder, "model.onnx"), os.path.join(folder, "data.npz"), is_prepared=True
    )


def read_gzip(path, header):
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def image_batches(folder, crop):
    """Batches of centre crops `[n, crop, crop, 3]` and labels of images named by their class index."""
    from PIL import Image

    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"\d+\.(jpe?g|png)", name))
    for start in range(0, len(names), IMAGES_PER_BATCH):
        batch = names[start : start + IMAGES_PER_BATCH]
        pixels = []
        for name in batch:
            image = np.asarray(Image.open(os.path.join(folder, name)).convert("RGB"))
            top, left = ((side - crop) // 2 for side in image.shape[:2])
            pixels.append(image[top : top + crop, left : left + crop])
        yield np.stack(pixels), np.array([int(name.split(".")[0]) for name in batch])


def stored_samples(network):
    """All test samples and labels of a set that is no image folder; images as `[n, height, width, channels]`."""
    if network.data.endswith(".npz"):
        stored = np.load(network.data)
        return stored["x"].astype(np.float32), stored["y"].astype(np.int64).reshape(-1)
    if os.path.exists(path := os.path.join(network.data, "test_batch.bin")):
        records = np.fromfile(path, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
        return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0].astype(np.int64)
    pixels = read_gzip(os.path.join(network.data, "t10k-images-idx3-ubyte.gz"), header=16)
    labels = read_gzip(os.path.join(network.data, "t10k-labels-idx1-ubyte.gz"), header=8)
    return pixels.reshape(-1, 28, 28, 1), labels.astype(np.int64)


def stored_batches(network):
    samples, labels = stored_samples(network)
    for start in range(0, len(labels), IMAGES_PER_BATCH):
        yield samples[start : start + IMAGES_PER_BATCH], labels[start : start + IMAGES_PER_BATCH]


def batches(network):
    """The network's test inputs, ready to run, with their labels, batch by batch."""
    if network.crop:
        pairs = image_batches(network.data, network.crop)
    else:
        pairs = stored_batches(network)
    for samples, labels in pairs:
        if not network.is_prepared:
            pixels = samples[..., ::-1] if network.order == "bgr" else samples
            scaled = pixels.astype(np.float32) / np.float32(network.scale)
            shifted = (scaled - np.float32(network.mean)) / np.float32(network.std)
            samples = np.ascontiguousarray(shifted.transpose(0, 3, 1, 2))
        yield samples, labels


def runtime_top1(path, network):
    """Top-1 in percent of the file at `path` under ONNX Runtime."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    right = count = 0
    for samples, labels in batches(network):
        scores = session.run(None, {name: samples})[0].reshape(len(labels), -1)
        right += int((scores.argmax(axis=1) == labels).sum())
        count += len(labels)
    return 100 * right / count


def swiftlet_json(program, *arguments, accepted=(0,)):
    done = subprocess.run([program, *arguments, "--json", "--quiet"], capture_output=True, text=True)
    if done.returncode not in accepted:
        raise RuntimeError(f"swiftlet {arguments[0]} ended with status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def check_network(program, network, folder):
    """Quantizes and compares one network; its figures, with `problem` empty when all is well."""
    file = os.path.join(folder, f"{network.name}.int8.onnx")
    try:
        swiftlet_json(
            program, "quantize", network.model, "--data", network.data, *network.options(), "-o", file,
            accepted=(0, 3),
        )
        onnx.checker.check_model(file, full_check=True)
        ours = swiftlet_json(program, "evaluate", file, "--data", network.data)["top1"]
        figures = {
            "float": runtime_top1(network.model, network),
            "swiftlet": ours,
            "runtime": runtime_top1(file, network),
            "size": os.path.getsize(file) / os.path.getsize(network.model),
        }
    except Exception as error:
        return {"problem": " / ".join(str(error).split("\n")).strip(" /") or type(error).__name__}
    gap = abs(figures["swiftlet"] - figures["runtime"])
    allowed = LARGEST_DIFFERENCE + 1e-9
    return figures | {"problem": "" if gap <= allowed else f"{gap:.2f} points apart, {LARGEST_DIFFERENCE} allowed"}


def check_exports(options):
    """Checks every network whose name matches `options.only`; prints a table; whether all passed."""
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        if os.path.isdir(os.path.join(SHARED, "models")):
            networks = shared_networks()
        else:
            networks = [demonstration_network(options.swiftlet, folder)]
        print(f"{'':32}{'top-1, %:':>10}{'ONNX Runtime':>14}{'swiftlet':>10}{'ONNX Runtime':>14}{'bytes':>8}")
        print(f"{'network':42}{'float':>14}{'int8':>10}{'int8':>14}{'ratio':>8}")
        for network in networks:
            if not re.search(options.only, network.name):
                continue
            result = results[network.name] = check_network(options.swiftlet, network, folder)
            if "swiftlet" in result:
                print(
                    f"{network.name:42}{result['float']:14.2f}{result['swiftlet']:10.2f}"
                    f"{result['runtime']:14.2f}{result['size']:8.3f}  {result['problem'] or 'ok'}",
                    flush=True,
                )
            else:
                print(f"{network.name:42}failed: {result['problem']}", flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    bad = sum(bool(result["problem"]) for result in results.values())
    print(f"{len(results)} networks: {len(results) - bad} agree, {bad} do not")
    return bool(results) and bad == 0
