// SPDX-License-Identifier: Apache-2.0
public import GraphIR

extension MaxPool: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    builder.contribute(
      try builder.add(MaxPoolGradient(window: window), gradient, builder.input(0)), to: 0)
  }
}

extension AveragePool: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let op = AveragePoolGradient(
      window: window, countsPadding: countsPadding,
      inputExtents: try builder.spatialExtents(builder.input(0)))
    builder.contribute(try builder.add(op, gradient), to: 0)
  }
}

extension GlobalPool: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let x = try builder.input(0)
    let extents = try builder.spatialExtents(x)
    if extents.isEmpty {
      builder.contribute(gradient, to: 0)
    } else if statistic == .average {
      let op = GlobalAveragePoolGradient(inputExtents: extents)
      builder.contribute(try builder.add(op, gradient), to: 0)
    } else {
      let op = MaxPoolGradient(window: PoolingWindow(kernel: extents))
      builder.contribute(try builder.add(op, gradient, x), to: 0)
    }
  }
}
