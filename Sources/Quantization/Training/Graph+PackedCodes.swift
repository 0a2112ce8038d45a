// SPDX-License-Identifier: Apache-2.0
import GraphIR
import TensorCore

extension Graph {
  /// Stores constants of 2 and 4 bits as bytes behind `UnpackCodes`, so that the file needs no types
  /// of less than 8 bits; what reads them gets int8 or uint8.
  ///
  /// Scalars become int8 or uint8 themselves.
  mutating func packSmallCodes() {
    var replaced: [ValueID: ValueID] = [:]
    let present = nodes
    setNodes([])
    for var node in present {
      for (place, input) in node.inputs.enumerated() {
        guard let input, let codes = constant(input), codes.elementType.bitWidth < 8 else {
          continue
        }
        let known = replaced[input] ?? addUnpacked(codes, name: self[input].name)
        replaced[input] = known
        node.inputs[place] = known
      }
      addNode(node.op, name: node.name, inputs: node.inputs, outputs: node.outputs)
    }
  }

  private mutating func addUnpacked(_ codes: Tensor, name: String) -> ValueID {
    let isSigned = codes.elementType.isSignedInteger
    guard codes.rank > 0, codes.count > 0 else {
      return addConstant(
        codes.converted(to: isSigned ? .int8 : .uint8), name: uniqueName("\(name)_wide"))
    }
    let bits = codes.elementType.bitWidth
    let bytes = UnpackCodes.packed(codes.integers(), bits: bits)
    let packed = addConstant(
      Tensor(bytes, shape: [bytes.count]), name: uniqueName("\(name)_packed"))
    return addNode(
      UnpackCodes(bits: bits, isSigned: isSigned, shape: codes.shape), name: "\(name)_UnpackCodes",
      inputs: [packed], outputNames: ["\(name)_unpacked"])[0]
  }
}
