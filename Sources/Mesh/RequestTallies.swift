/// The requests of a node as numbers.
package struct RequestTallies: Sendable {
  /// By the names of this node's services. `""`: no service has the address; `RequestTallies.others`: those of services beyond
  /// `MeshLimits.talliedServices`.
  package private(set) var served: [String: RequestTally] = [:]
  package private(set) var sent = RequestTally()

  /// No service can have this name.
  package static let others = "/others"

  mutating func count(_ record: RequestRecord, of service: String?) {
    switch record.side {
    case .sent: sent.count(record)
    case .served:
      let name = service ?? ""
      let isKnown = served[name] != nil || served.count < MeshLimits.talliedServices
      served[isKnown ? name : Self.others, default: RequestTally()].count(record)
    }
  }
}

/// The requests of one kind.
package struct RequestTally: Sendable, Equatable {
  /// Upper bounds of the time that requests take, in seconds; those that take longer are counted behind the last.
  package static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

  /// By the first digit of the status; 0: those without one.
  package private(set) var byClass = [UInt64](repeating: 0, count: 10)
  /// By duration: each counted once, in the first bound that holds it.
  package private(set) var byDuration = [UInt64](repeating: 0, count: bounds.count + 1)
  private var nanoseconds: UInt64 = 0
  private static let nanosecondBounds = bounds.map { Int64($0 * 1_000_000_000) }
  package private(set) var requestBytes: UInt64 = 0
  package private(set) var responseBytes: UInt64 = 0

  package init() {}

  /// Seconds of all.
  package var seconds: Double { Double(nanoseconds) / 1_000_000_000 }

  mutating func count(_ record: RequestRecord) {
    byClass[min(max(record.status ?? 0, 0) / 100, 9)] += 1
    var bound = 0
    while bound < Self.nanosecondBounds.count, record.nanoseconds > Self.nanosecondBounds[bound] { bound += 1 }
    byDuration[bound] += 1
    nanoseconds += UInt64(clamping: record.nanoseconds)
    requestBytes += UInt64(clamping: record.requestBytes)
    responseBytes += UInt64(clamping: record.responseBytes)
  }
}
