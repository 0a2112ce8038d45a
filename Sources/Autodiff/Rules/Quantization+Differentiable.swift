// SPDX-License-Identifier: Apache-2.0
public import GraphIR

extension FakeQuantize: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let inputs = builder.node.inputs
    let wantsOffset = builder.needsGradient(2)
    let wantsStep = builder.needsGradient(1) && stepGradient != .none
    let results = try builder.add(
      FakeQuantizeGradient(of: self), [gradient] + inputs,
      outputs: wantsOffset ? 3 : wantsStep ? 2 : 1)
    builder.contribute(results[0], to: 0)
    if wantsStep { builder.contribute(results[1], to: 1) }
    if wantsOffset { builder.contribute(results[2], to: 2) }
  }
}

extension IntervalQuantize: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    let gradient = try builder.outputGradient()
    let wanted = (1...3).filter { builder.needsGradient($0) }
    let results = try builder.add(
      IntervalQuantizeGradient(of: self), [gradient] + builder.node.inputs,
      outputs: 1 + (wanted.last ?? 0))
    for place in [0] + wanted { builder.contribute(results[place], to: place) }
  }
}

extension LogarithmicQuantize: Differentiable {
  public func addGradients(to builder: inout GradientBuilder) throws(AutodiffError) {
    builder.contribute(try builder.outputGradient(), to: 0)
  }
}
