// SPDX-License-Identifier: Apache-2.0
@_exported public import CPURuntime
@_exported public import CompressionCore
@_exported public import DataIO
@_exported public import Distillation
@_exported public import GraphIR
@_exported public import GraphPasses
@_exported public import ModelZoo
@_exported public import OnnxIO
@_exported public import Quantization
@_exported public import TensorCore
@_exported public import Training
