import Codecs

/// A record of the DNS that says where a service is (RFC 2782).
package struct ServiceRecord: Hashable, Sendable {
  package var priority: UInt16
  package var weight: UInt16
  package var target: ServerTarget

  package init(priority: UInt16, weight: UInt16, target: ServerTarget) {
    (self.priority, self.weight, self.target) = (priority, weight, target)
  }
}

/// Where to connect to, and what to say there first.
package struct ServerTarget: Hashable, Sendable, CustomStringConvertible {
  package var server: AccountConfiguration.Server
  package var security: AccountConfiguration.Security

  package init(_ server: AccountConfiguration.Server, _ security: AccountConfiguration.Security) {
    (self.server, self.security) = (server, security)
  }

  package var description: String { server.description }
}

extension ServiceRecord {
  /// In the order in which they are to be tried: the lower priority first, and those of one priority by chance, in proportion to
  /// their weights. Records of both services are given together, and mixed as if they were one's (XEP-0368 §3).
  ///
  /// nil where there is one record whose target is the root, which says that the service is not there at all.
  package static func ordered(
    _ records: [ServiceRecord], using generator: inout some RandomNumberGenerator
  ) -> [ServerTarget]? {
    let there = records.filter { !$0.target.server.host.isEmpty }
    guard !there.isEmpty || records.isEmpty else { return nil }
    var targets: [ServerTarget] = []
    for priority in Set(there.map(\.priority)).sorted() {
      var rest = there.filter { $0.priority == priority }
      // Those without weight first, so that they have a small chance (RFC 2782, "Usage rules").
      rest.sort { $0.weight == 0 && $1.weight != 0 }
      while !rest.isEmpty { targets.append(rest.remove(at: draw(rest, using: &generator)).target) }
    }
    return targets
  }

  private static func draw(_ records: [ServiceRecord], using generator: inout some RandomNumberGenerator) -> Int {
    let sum = records.reduce(0) { $0 + Int($1.weight) }
    var chosen = Int.random(in: 0...sum, using: &generator)
    for (index, record) in records.enumerated() {
      chosen -= Int(record.weight)
      if chosen <= 0 { return index }
    }
    return records.count - 1
  }
}
