// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Double {
  /// The logarithm to base 10.
  package var logarithm10: Double { log10(self) }
}
