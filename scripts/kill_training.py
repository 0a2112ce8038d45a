#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `swiftlet train` at random moments and checks that nothing is lost that should not be.

  kills       `kill -9` at --kills random moments, each time resumed: the final network and state are those
              of the uninterrupted run, byte for byte
  interrupt   Ctrl-C saves; the resumed run ends as above
  full disk   files cannot grow beyond a limit: exit status 1, words that name the file, and the last
              checkpoint as it was
  bad data    an image that became unreadable: exit status 1, its name, and a checkpoint that goes on to the
              end above once the image is whole again

Needs numpy. usage: kill_training.py [--swiftlet PATH] [--kills 10] [--seed 1] [--precision fp32]
"""
import argparse
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import safetensors_file  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ("out.checkpoint/model.onnx", "out.checkpoint/model.state.safetensors")


def png(path, pixels):
    """Writes `[height, width, 3]` bytes as a PNG."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + pixels[row].tobytes() for row in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Trial:
    """One folder of data, and the command under test."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.failures = arguments, folder, 0
        generator = np.random.default_rng(arguments.seed)
        labels = generator.integers(0, 4, arguments.samples)
        images = generator.integers(0, 128, (arguments.samples, 32, 32, 3)) + 32 * labels[:, None, None, None]
        self.data = os.path.join(folder, "data")
        for label in range(4):
            os.makedirs(os.path.join(self.data, f"class{label}"))
        self.images = []
        for index, (image, label) in enumerate(zip(images, labels)):
            self.images.append(os.path.join(self.data, f"class{label}", f"{index:04}.png"))
            png(self.images[-1], image.astype(np.uint8))

    def command(self, place, *more):
        arguments = self.arguments
        return [
            arguments.swiftlet, "train", "--arch", "resnet8", "--input", "3x32x32", "--data", self.data,
            "-o", os.path.join(place, "out.onnx"), "--epochs", str(arguments.epochs), "--batch", "16",
            "--optimizer", "adamw", "--lr", "0.003", "--ema", "0.95", "--augment", "pad-crop=4,flip,mixup=0.2",
            "--validation", "0.125", "--patience", "50", "--set", "reestimation_batches=4",
            "--precision", arguments.precision, "--checkpoint-every", "0.1", *more,
        ]

    def place(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path)
        return path

    def contents(self, place, files=FILES):
        result = []
        for name in files:
            with open(os.path.join(place, name), "rb") as file:
                result.append(file.read())
        return result

    def check(self, what, holds, detail=""):
        print(f"{'ok   ' if holds else 'WRONG'}  {what}  {detail if not holds else ''}".rstrip(), flush=True)
        self.failures += not holds

    def run(self, place, *more, **options):
        return subprocess.run(self.command(place, *more), capture_output=True, text=True, **options)

    def start(self, place, *more):
        return subprocess.Popen(self.command(place, *more), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def kills(self):
        whole = self.place("whole")
        begin = time.monotonic()
        done = self.run(whole)
        if done.returncode:
            sys.exit(done.stderr)
        self.seconds = time.monotonic() - begin
        self.expected = self.contents(whole, FILES + ("out.onnx",))
        print(f"       the uninterrupted run takes {self.seconds:.1f} s")
        place = self.place("killed")
        chance = random.Random(self.arguments.seed)
        kills = tries = 0
        moments = []
        while kills < self.arguments.kills and tries < 10 * self.arguments.kills:
            tries += 1
            process = self.start(place, "--resume")
            # Start-up takes a share of its own; the rest falls anywhere in a tenth of the run.
            delay = chance.uniform(0.02, 0.25) * self.seconds
            try:
                process.wait(delay)
                if process.returncode:
                    sys.exit(process.stderr.read())
                shutil.rmtree(place)
                os.makedirs(place)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                moments.append(f"{delay:.2f}")
        done = self.run(place, "--resume")
        self.check(f"{kills} kills, after {', '.join(moments)} s", done.returncode == 0 and kills == self.arguments.kills,
                   done.stderr)
        self.compare(place)

    def compare(self, place):
        for name, found, wanted in zip(FILES + ("out.onnx",), self.contents(place, FILES + ("out.onnx",)), self.expected):
            self.check(f"{name} is that of the uninterrupted run, {len(wanted)} bytes", found == wanted)
        left = sorted(os.listdir(os.path.join(place, "out.checkpoint")))
        self.check("nothing else is left", left == ["model.onnx", "model.state.safetensors"], str(left))

    def interrupted(self, place, share):
        """A run that gets Ctrl-C once its checkpoint has so large a share of all updates."""
        process = self.start(place)
        state = os.path.join(place, FILES[1])
        while process.poll() is None:
            if os.path.exists(state):
                header = json.loads(safetensors_file.read(state)[1]["swiftlet.checkpoint"])
                if header["progress"]["step"] >= share * self.arguments.epochs * header["data"]["batchesPerEpoch"]:
                    process.send_signal(signal.SIGINT)
                    break
            time.sleep(0.02)
        process.wait(300)
        return process

    def interrupt(self):
        place = self.place("interrupted")
        process = self.interrupted(place, 0.6)
        self.check("Ctrl-C ends with status 130 and leaves a checkpoint",
                   process.returncode == 130 and os.path.exists(os.path.join(place, FILES[1])),
                   f"status {process.returncode}")
        done = self.run(place, "--resume")
        self.check("the resumed run ends well", done.returncode == 0, done.stderr)
        self.compare(place)
        return place

    def stopped(self, name):
        """A run that was stopped in the middle, and the bytes of its checkpoint."""
        place = self.place(name)
        self.interrupted(place, 0.4)
        return place, self.contents(place)

    def full_disk(self):
        place, before = self.stopped("full")
        limit = len(before[1]) // 2

        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = self.run(place, "--resume", preexec_fn=limited)
        self.check("no room for a checkpoint: status 1 and the file's name",
                   done.returncode == 1 and "model.onnx" in done.stderr, f"{done.returncode} {done.stderr}")
        print("       " + done.stderr.strip().splitlines()[-1].replace(self.folder + "/", ""))
        self.check("the last checkpoint is as it was", self.contents(place) == before)
        left = sorted(os.listdir(os.path.join(place, "out.checkpoint")))
        self.check("nothing half-written is left", left == ["model.onnx", "model.state.safetensors"], str(left))
        done = self.run(place, "--resume")
        self.check("with room it goes on", done.returncode == 0, done.stderr)
        self.compare(place)

    def bad_data(self):
        place, _ = self.stopped("bad")
        broken = self.images[len(self.images) // 2]
        with open(broken, "rb") as file:
            image = file.read()
        with open(broken, "r+b") as file:
            file.truncate(60)
        done = self.run(place, "--resume")
        self.check("an unreadable image: status 1 and its name",
                   done.returncode == 1 and os.path.basename(broken) in done.stderr, f"{done.returncode} {done.stderr}")
        print("       " + done.stderr.strip().splitlines()[-1].replace(self.folder + "/", ""))
        with open(broken, "wb") as file:
            file.write(image)
        done = self.run(place, "--resume")
        self.check("with the image whole again it goes on", done.returncode == 0, done.stderr)
        self.compare(place)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swiftlet", default=os.path.join(ROOT, ".build/release/swiftlet"))
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--precision", default="fp32")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(arguments, folder)
        trial.kills()
        trial.interrupt()
        trial.full_disk()
        trial.bad_data()
    sys.exit(1 if trial.failures else 0)


if __name__ == "__main__":
    main()
