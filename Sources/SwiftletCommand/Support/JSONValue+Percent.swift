// SPDX-License-Identifier: Apache-2.0
import Reporting

extension JSONValue {
  /// A fraction in percent, without the last digits that multiplying leaves: 91.71.
  static func percent(_ fraction: Double) -> Double { (fraction * 1e10).rounded() / 1e8 }
}
