# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzzing harnesses: small files of every format that is read.

usage: fuzz_corpus.py [FOLDER]            (default: Fuzzing/Corpus)
"""
import gzip
import io
import json
import os
import struct
import sys
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "Fuzzing", "Corpus")
random = np.random.default_rng(1)


def save(harness, name, content):
    folder = os.path.join(FOLDER, harness)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def weight(name, *shape, kind=np.float32):
    return onnx.numpy_helper.from_array((random.standard_normal(shape) * 4).astype(kind), name)


def integers(name, *values, kind=np.int64):
    return onnx.numpy_helper.from_array(np.array(values, kind), name)


def scalar(name, value):
    return onnx.numpy_helper.from_array(np.array(value), name)


def model(name, nodes, weights, shape=("N", 3, 8, 8), opset=21, functions=(), kind=TensorProto.FLOAT):
    inputs = [helper.make_tensor_value_info("x", kind, list(shape))]
    outputs = [helper.make_tensor_value_info("y", kind, None)]
    graph = helper.make_graph(nodes, name, inputs, outputs, weights)
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("own", 1)] if functions else [])
    save("onnx", name + ".onnx",
         helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=list(functions)).SerializeToString())


def node(kind, inputs, outputs, **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def models():
    model("classifier", [
        node("Conv", "x w b", "a", pads=[1, 1, 1, 1]), node("Relu", "a", "c"),
        node("MaxPool", "c", "d", kernel_shape=[2, 2], strides=[2, 2]), node("GlobalAveragePool", "d", "e"),
        node("Flatten", "e", "f"), node("Gemm", "f v", "y", transB=1)],
        [weight("w", 4, 3, 3, 3), weight("b", 4), weight("v", 5, 4)])
    model("normalized", [
        node("Conv", "x w", "a", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("BatchNormalization", "a s t m v", "b"), node("Clip", "b lo hi", "y")],
        [weight("w", 4, 3, 3, 3), weight("s", 4), weight("t", 4), weight("m", 4),
         onnx.numpy_helper.from_array(np.ones(4, np.float32), "v"),
         scalar("lo", np.float32(0)), scalar("hi", np.float32(6))])
    model("shapes", [
        node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n axis", "u"),
        node("Concat", "u rest", "t", axis=0), node("Reshape", "x t", "r"), node("Transpose", "r", "y", perm=[1, 0])],
        [scalar("zero", np.int64(0)), integers("axis", 0), integers("rest", -1)])
    model("quantized", [
        node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "d"),
        node("DequantizeLinear", "w ws wz", "v", axis=0), node("Conv", "d v", "a", group=1),
        node("QuantizeLinear", "a s z", "r"), node("DequantizeLinear", "r s z", "y")],
        [scalar("s", np.float32(0.02)), scalar("z", np.uint8(3)), weight("w", 4, 3, 1, 1, kind=np.int8),
         onnx.numpy_helper.from_array(np.full(4, 0.01, np.float32), "ws"), integers("wz", 0, 0, 0, 0, kind=np.int8)])
    model("attention", [
        node("MatMul", "x q", "a"), node("MatMul", "x k", "b"), node("Transpose", "b", "c", perm=[0, 2, 1]),
        node("MatMul", "a c", "d"), node("Softmax", "d", "e", axis=-1), node("MatMul", "e a", "f"),
        node("LayerNormalization", "f g h", "y")],
        [weight("q", 6, 6), weight("k", 6, 6), weight("g", 6), weight("h", 6)], shape=("N", 4, 6))
    model("slices", [
        node("Slice", "x b e a t", "c"), node("Pad", "c p", "d"), node("Split", "d", "f g", axis=1, num_outputs=2),
        node("Concat", "g f", "h", axis=1), node("Resize", "h  sc", "y", mode="linear")],
        [integers("b", 0, 0), integers("e", 8, 8), integers("a", 2, 3), integers("t", 2, 2),
         integers("p", 0, 0, 1, 1, 0, 1, 1, 1), onnx.numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "sc")])
    branch = lambda sign, out: helper.make_graph(
        [node("Mul", "x " + sign, out)], out, [], [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)])
    model("branches", [
        node("ReduceSum", "x", "s", keepdims=0), node("Greater", "s zero", "c"),
        helper.make_node("If", ["c"], ["y"], then_branch=branch("p", "one"), else_branch=branch("m", "two"))],
        [scalar(name, np.float32(value)) for name, value in (("zero", 0), ("p", 1), ("m", -1))])
    body = helper.make_function("own", "Twice", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 21)])
    model("function", [helper.make_node("Twice", ["x"], ["y"], domain="own")], [], functions=[body])
    model("unknown", [helper.make_node("Strange", ["x"], ["y"], domain="elsewhere", sharpness=3.5)], [])
    model("recurrent", [node("LSTM", "x w r b", "a h c", hidden_size=3), node("Squeeze", "a ax", "y")],
          [weight("w", 1, 12, 4), weight("r", 1, 12, 3), weight("b", 1, 24), integers("ax", 1)], shape=(5, "N", 4))
    for kind in ("FLOAT16", "BFLOAT16", "DOUBLE", "INT4", "UINT4"):
        number = getattr(TensorProto, kind)
        values = helper.make_tensor("w", number, [2, 3], [1, 2, 3, 4, 5, 6])
        model("type-" + kind.lower(), [node("Cast", "w", "c", to=TensorProto.FLOAT), node("MatMul", "x c", "y")],
              [values], shape=("N", 2))
    for opset, kind in ((11, "Clip"), (13, "ReduceSum"), (9, "Upsample"), (18, "ReduceMean")):
        extra = {"Upsample": "x sc"}.get(kind, "x")
        model(f"opset-{opset}", [node(kind, extra, "y")],
              [onnx.numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "sc")], opset=opset)


def operators():
    """One small network per operator, its second and later inputs constants."""
    one = scalar("p", np.float32(1))
    table = [(kind, [], {}) for kind in (
        "Abs Acos Ceil Cos Erf Exp Floor Gelu HardSwish Identity IsNaN Log Mish Neg Not Reciprocal Round Sigmoid Sign "
        "Sin Size Softplus Softsign Sqrt Tanh NonZero Softmax LogSoftmax Hardmax Flatten GlobalMaxPool Dropout").split()]
    table += [(kind, [scalar("p", np.float32(2))], {}) for kind in "Add Sub Mul Div Pow PRelu Min Max Equal Less Mod".split()]
    table += [(kind, [integers("p", 1, 2)], {"keepdims": 0}) for kind in
              "ReduceMax ReduceMean ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSumExp ReduceSumSquare".split()]
    table += [
        ("Elu", [], {"alpha": 0.5}), ("Selu", [], {}), ("HardSigmoid", [], {"alpha": 0.3}), ("Cast", [], {"to": 7}),
        ("LRN", [], {"size": 3}), ("DepthToSpace", [], {"blocksize": 1}), ("SpaceToDepth", [], {"blocksize": 2}),
        ("AveragePool", [], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "ceil_mode": 1, "strides": [2, 2]}),
        ("LpPool", [], {"kernel_shape": [2, 2], "p": 2}), ("ArgMax", [], {"axis": 1}), ("Trilu", [], {"upper": 0}),
        ("ConvTranspose", [weight("p", 3, 2, 3, 3)], {"strides": [2, 2], "output_padding": [1, 1]}),
        ("InstanceNormalization", [weight("p", 3), weight("q", 3)], {}),
        ("GroupNormalization", [weight("p", 3), weight("q", 3)], {"num_groups": 3}),
        ("Expand", [integers("p", 2, 3, 8, 8)], {}), ("Tile", [integers("p", 1, 2, 1, 1)], {}),
        ("Unsqueeze", [integers("p", 0, 5)], {}), ("CumSum", [scalar("p", np.int64(1))], {"reverse": 1}),
        ("Gather", [integers("p", 0, -1)], {"axis": 2}), ("GatherElements", [integers("p", 0, 1)], {"axis": 0}),
        ("GatherND", [integers("p", 0)], {}), ("OneHot", [scalar("p", np.int64(4)), weight("q", 2)], {}),
        ("ScatterND", [integers("p", 0), weight("q", 3, 8, 8)], {}), ("Compress", [scalar("p", True)], {"axis": 0}),
        ("Where", [one, scalar("q", np.float32(0))], {}), ("Range", [one, scalar("q", np.float32(1))], {}),
        ("Reshape", [integers("p", 0, -1)], {}), ("Split", [integers("p", 1, 2)], {"axis": 1}),
        ("TopK", [integers("p", 2)], {"axis": -1}), ("DynamicQuantizeLinear", [], {}), ("EyeLike", [], {}),
        ("Einsum", [weight("p", 3, 2)], {"equation": "nchw,cd->ndhw"}), ("MeanVarianceNormalization", [], {}),
        ("ConstantOfShape", [], {}), ("Unique", [], {"axis": 0}), ("RMSNormalization", [weight("p", 8)], {}),
        ("GridSample", [weight("p", 1, 2, 2, 2)], {"mode": "nearest"}), ("Resize", [weight("p", 0), weight("q", 4)], {"mode": "cubic"}),
        ("RoiAlign", [weight("p", 1, 4), integers("q", 0)], {"output_height": 2, "output_width": 2}),
    ]
    for kind, weights, attributes in table:
        several = {"Split": "y z", "TopK": "y z", "DynamicQuantizeLinear": "y z w"}.get(kind, "y")
        names = " ".join(["x"] + [tensor.name for tensor in weights])
        model("op-" + kind.lower(), [node(kind, names, several, **attributes)], weights, opset=23)


def png(width, height, color, depth=8, interlace=0):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    row = (width * channels * depth + 7) // 8
    lines = b"".join(bytes([y % 5]) + random.integers(0, 256, row, np.uint8).tobytes() for y in range(height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace))]
    if color == 3:
        chunks.append((b"PLTE", random.integers(0, 256, 3 << depth, np.uint8).tobytes()))
    chunks += [(b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body)) for tag, body in chunks)


def arrays():
    for number, kind in enumerate(("<f4", "<f8", "|u1", "<i8", "<f2", "|b1")):
        stream = io.BytesIO()
        np.save(stream, random.integers(0, 2, (2, 3, 4)).astype(kind))
        save("data", f"array-{number}.npy", b"\0" + stream.getvalue())
    for first in (1, 4):
        for compress in (np.savez, np.savez_compressed):
            stream = io.BytesIO()
            compress(stream, x=random.standard_normal((3, 1, 4, 4)).astype(np.float32), y=np.arange(3))
            save("data", f"{compress.__name__}-{first}.npz", bytes([first]) + stream.getvalue())
    for color, depth in ((0, 8), (0, 1), (2, 8), (3, 4), (4, 8), (6, 8), (2, 16)):
        save("data", f"image-{color}-{depth}.png", b"\2" + png(9, 7, color, depth))
    try:
        from PIL import Image
        for mode, options in (("RGB", {}), ("L", {}), ("RGB", {"progressive": True}), ("CMYK", {})):
            stream = io.BytesIO()
            channels = len(Image.new(mode, (1, 1)).getbands())
            pixels = random.integers(0, 256, (10, 12, channels), np.uint8).squeeze()
            Image.fromarray(pixels, mode).save(stream, "jpeg", **options)
            save("data", f"photo-{mode}{len(options)}.jpg", b"\2" + stream.getvalue())
    except ImportError:
        print("no PIL: the JPEG seeds stay as they are")
    images = struct.pack(">IIII", 0x803, 3, 4, 4) + random.integers(0, 256, 48, np.uint8).tobytes()
    save("data", "images.idx", b"\3" + images)
    save("data", "images.idx.gz", b"\3" + gzip.compress(images, mtime=0))
    save("data", "labels.csv", b"\5" + b"file,label\na.png,0\nb.png,1\n")
    save("data", "names.csv", b"\5" + b'"a.png",cat\r\nb.png,dog\r\n')
    for kind, width in (("F32", 4), ("BF16", 2), ("BOOL", 1)):
        header = json.dumps({"__metadata__": {"format": "pt"}, "a": {
            "dtype": kind, "shape": [2, 3], "data_offsets": [0, 6 * width]}}).encode()
        save("data", f"{kind.lower()}.safetensors",
             b"\7" + struct.pack("<Q", len(header)) + header + bytes(6 * width))
    save("data", "cifar10.bin", b"\6" + random.integers(0, 10, 2 * 3073, np.uint8).tobytes())


def recipes():
    """Preprocessing; the files in Recipes are seeds as they are."""
    save("recipe", "preprocessing.yaml",
         b"scale: 255\nmean: [0.5, 0.5, 0.5]\nstd: [0.2, 0.2, 0.2]\nresize: 40\ncrop: 32\n")
    save("recipe", "preset.yaml", b"preset: imagenet\nchannel_order: bgr\n")


models()
arrays()
recipes()
operators()
