// SPDX-License-Identifier: Apache-2.0
import Foundation

@main
enum Entry {
  static func main() {
    WaitPolicy.restartIfNeeded()
    exit(SwiftletTool.run(Array(CommandLine.arguments.dropFirst())))
  }
}
