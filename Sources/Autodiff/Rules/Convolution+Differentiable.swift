// SPDX-License-Identifier: Apache-2.0
public import GraphIR

extension Conv: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let (x, w) = (try builder.input(0), try builder.input(1))
    if builder.needsGradient(0) {
      let op = ConvInputGradient(of: self, inputExtents: try builder.spatialExtents(x))
      builder.contribute(try builder.add(op, gradient, w), to: 0)
    }
    if builder.needsGradient(1) {
      let op = ConvWeightGradient(of: self, kernelExtents: try builder.spatialExtents(w))
      builder.contribute(try builder.add(op, gradient, x), to: 1)
    }
    if builder.needsGradient(2) {
      builder.contribute(try builder.add(ChannelSum(), gradient), to: 2)
    }
  }
}

extension ConvTranspose: Differentiable {
  /// A transposed convolution is the input gradient of a convolution with the same weights, so
  /// that convolution carries the gradient back.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let whole = try builder.outputGradient()
    let (x, w) = (try builder.input(0), try builder.input(1))
    if builder.needsGradient(2) {
      builder.contribute(try builder.add(ChannelSum(), whole), to: 2)
    }
    guard builder.needsGradient(0) || builder.needsGradient(1) else { return }
    let kernel = try builder.spatialExtents(w)
    let pads: [Int]
    do {
      pads = try mirroredPads(input: builder.spatialExtents(x), kernel: kernel)
    } catch let error as OpError {
      throw .invalidNode(node: builder.node.name, kind: kind, error: error)
    } catch let error as AutodiffError {
      throw error
    } catch {
      throw builder.error("\(error)")
    }
    var gradient = whole
    if pads.contains(where: { $0 < 0 }) {
      let cuts = pads.map { min($0, 0) }
      let list = [0, 0] + cuts.prefix(kernel.count) + [0, 0] + cuts.suffix(kernel.count)
      gradient = try builder.add(Pad(), whole, builder.list(list))
    }
    let mirrored = Conv(
      strides: strides, dilations: dilations, padding: .explicit(pads.map { max($0, 0) }),
      group: group)
    if builder.needsGradient(0) {
      builder.contribute(try builder.add(mirrored, gradient, w), to: 0)
    }
    if builder.needsGradient(1) {
      let op = ConvWeightGradient(of: mirrored, kernelExtents: kernel)
      builder.contribute(try builder.add(op, x, gradient), to: 1)
    }
  }
}

extension AdderConv: Differentiable {
  /// The paper's full-precision gradients, which are not the derivatives.
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let (x, w) = (try builder.input(0), try builder.input(1))
    if builder.needsGradient(0) {
      builder.contribute(try builder.add(AdderConvInputGradient(of: self), gradient, x, w), to: 0)
    }
    if builder.needsGradient(1) {
      builder.contribute(try builder.add(AdderConvWeightGradient(of: self), gradient, x, w), to: 1)
    }
  }
}
