// SPDX-License-Identifier: Apache-2.0
import CKernels
import COneDNN
import GraphIR
import TensorCore

extension swk_adder {
  /// The convolution of a 4-D input; `nil` where the kernels lack it.
  init?(_ op: AdderConv, input: [Int], weight: [Int]) {
    guard input.count == 4, weight.count == 4, input[1] == weight[1],
      let geometry = try? WindowGeometry(
        input: Array(input[2...]), kernel: Array(weight[2...]), strides: op.strides,
        padding: op.padding),
      (geometry.padsBegin + geometry.padsEnd).allSatisfy({ $0 >= 0 })
    else { return nil }
    self.init(
      channels: input[1], outputs: weight[0], height: input[2], width: input[3],
      output_height: geometry.output[0], output_width: geometry.output[1],
      kernel_height: weight[2], kernel_width: weight[3], stride_height: geometry.strides[0],
      stride_width: geometry.strides[1], pad_top: geometry.padsBegin[0],
      pad_left: geometry.padsBegin[1])
  }

  func outputShape(batch: Int) -> [Int] { [batch, outputs, output_height, output_width] }
}

extension AdderConv: Lowerable {
  func lower(_ node: Node, into builder: ProgramBuilder) throws(OneDNNError) -> Bool {
    guard let input = node.inputs[0], let output = node.outputs[0],
      let shape = builder.shape(of: input), builder.type(of: input)?.elementType == .float32,
      let weight = builder.graph.constant(node.inputs[1]), weight.elementType == .float32,
      let arguments = swk_adder(self, input: shape, weight: weight.shape),
      let source = try builder.dense(input, .channelsLast, as: .float32)
    else { return false }
    let weights = weight.floats()
    let packed = try builder.addConstant(byteCount: weights.count * 4) { address in
      var arguments = arguments
      swk_adder_pack(&arguments, weights, address.assumingMemoryBound(to: Float.self), nil)
    }
    let target = builder.allocate(
      .float32, arguments.outputShape(batch: shape[0]), .channelsLast)
    let rows = shape[0] * arguments.output_height
    let threads =
      target.count * weights.count / max(weight.shape[0], 1) < 16384
      ? 1 : builder.threads
    let label = builder.label(
      node, kind: kind, implementation: "swiftlet", precision: ElementType.float32.shortName)
    builder.add(
      Step(label: label, reads: [source.buffer, packed.buffer], writes: [target.buffer]) {
        memory in
        let from = UnsafePointer(memory.address(source).assumingMemoryBound(to: Float.self))
        let weights = UnsafePointer(memory.address(packed).assumingMemoryBound(to: Float.self))
        let to = memory.address(target).assumingMemoryBound(to: Float.self)
        return { _ in
          ThreadTeam.forEachRange(of: rows, threads: threads) { range in
            var arguments = arguments
            swk_adder_conv(&arguments, from, weights, to, range.lowerBound, range.upperBound)
          }
        }
      })
    builder.setPlacement(target, of: output)
    return true
  }
}
