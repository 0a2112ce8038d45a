// SPDX-License-Identifier: Apache-2.0

import Mustache

/// What was done to a network and what came of it, as one HTML page.
///
/// The page needs nothing but itself: it opens offline, prints, fits a phone, and follows the
/// reader's choice of light or dark. Sections without content are left out. The same report always
/// gives the same bytes.
package struct HTMLReport: Sendable {
  /// A name and its value, such as `Processor` and what it is.
  package struct Fact: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// One layer in the list of damages.
  package struct LayerDamage: Sendable {
    /// The node's name in the file.
    package var name: String
    /// The module path that the exporter left; empty if there is none.
    package var path: String
    /// The operator: `Conv`, `Gemm`.
    package var kind: String
    /// How it is stored now: `int8 per channel`, `float`.
    package var storage: String
    /// Signal over quantization noise at its output in decibels; nil if not measured.
    package var signalToNoise: Double?
    /// Share of the values inside the range, 0…1; nil if not measured.
    package var rangeKept: Double?
    /// Why it is damaged, in a few words; may be empty.
    package var cause: String
    /// Histograms and advice, for the worst layers.
    package var detail: LayerDetail?

    package init(
      name: String, path: String = "", kind: String, storage: String = "",
      signalToNoise: Double? = nil, rangeKept: Double? = nil, cause: String = "",
      detail: LayerDetail? = nil
    ) {
      self.name = name
      self.path = path
      self.kind = kind
      self.storage = storage
      self.signalToNoise = signalToNoise
      self.rangeKept = rangeKept
      self.cause = cause
      self.detail = detail
    }
  }

  /// Why one layer is damaged, shown and in words, and what would mend it.
  package struct LayerDetail: Sendable {
    package var weights: Histogram?
    package var activations: Histogram?
    package var channels: ChannelRanges?
    /// The cause in a sentence or two.
    package var cause: String
    /// What would mend it, in words.
    package var suggestion: String
    /// The option or command that does so; may be empty.
    package var command: String

    package init(
      weights: Histogram? = nil, activations: Histogram? = nil, channels: ChannelRanges? = nil,
      cause: String, suggestion: String = "", command: String = ""
    ) {
      self.weights = weights
      self.activations = activations
      self.channels = channels
      self.cause = cause
      self.suggestion = suggestion
      self.command = command
    }
  }

  /// Latency of one layer in milliseconds; nil where it does not exist or was not measured.
  package struct LayerLatency: Sendable, Equatable {
    package var name: String
    package var kind: String
    package var before: Double?
    package var after: Double?

    package init(name: String, kind: String, before: Double?, after: Double?) {
      self.name = name
      self.kind = kind
      self.before = before
      self.after = after
    }
  }

  /// Text to copy, such as the command or the recipe file.
  package struct Snippet: Sendable, Equatable {
    package var title: String
    package var text: String

    package init(title: String, text: String) {
      self.title = title
      self.text = text
    }
  }

  /// Rows of text under headings, the first column names.
  package struct Listing: Sendable, Equatable {
    package var title: String
    package var headings: [String]
    package var rows: [[String]]

    package init(title: String, headings: [String], rows: [[String]]) {
      self.title = title
      self.headings = headings
      self.rows = rows
    }
  }

  /// The name of the network, as heading.
  package var title: String
  /// What was done to it, below the heading: `static int8, 269,722 parameters, opset 17`.
  package var subtitle: String
  /// The result in a line; by default the comparison's.
  package var verdict: String?
  package var comparison: Comparison
  package var listings: [Listing]
  /// In the order the layers run.
  package var latency: [LayerLatency]
  /// What the latencies were measured with: `batch 1, 2 threads, median of 50 runs`.
  package var latencyNote: String
  /// The worst first.
  package var damage: [LayerDamage]
  package var curves: [LineChart]
  package var tradeOffs: [ScatterPlot]
  package var recipe: [Snippet]
  /// Machine, versions, seed.
  package var facts: [Fact]
  /// What else must be known, such as a goal that was missed; one paragraph each.
  package var remarks: [String]

  package init(title: String, subtitle: String = "", comparison: Comparison) {
    self.title = title
    self.subtitle = subtitle
    self.comparison = comparison
    verdict = nil
    listings = []
    latency = []
    latencyNote = ""
    damage = []
    curves = []
    tradeOffs = []
    recipe = []
    facts = []
    remarks = []
  }

  /// The page.
  ///
  /// - Throws: `ReportingError.invalidTemplate` if the page's own template cannot be parsed.
  package func html() throws(ReportingError) -> String {
    let template: MustacheTemplate
    do {
      template = try MustacheTemplate(string: PageTemplate.source)
    } catch {
      throw .invalidTemplate(reason: "\(error)")
    }
    return template.render(PageView(self))
  }
}
