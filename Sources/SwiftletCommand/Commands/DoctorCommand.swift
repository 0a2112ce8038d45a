// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import Foundation
package import Reporting
import Swiftlet

/// The command `swiftlet doctor`.
package struct DoctorCommand: ConsoleCommand {
  package static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Shows what this machine can speed up.",
    usage: "swiftlet doctor")

  @OptionGroup package var common: CommonOptions

  package init() {}

  package func run(on console: Console) throws {
    let machine = Machine.current(threads: common.threadCount)
    try console.show(machine.table)
    try console.object(machine.json)
  }
}
