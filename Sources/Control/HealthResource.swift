package import FoundationEssentials
package import Mesh

/// Whether what answers for a service of this node does; a property for each key.
package struct HealthResource: Codable, Sendable, Hashable {
  package enum State: String, Codable, Sendable {
    /// Nobody has asked it, and nothing has looked.
    case unknown
    case ok
    case down
  }

  package let state: State
  /// Why it is down; null where it is not.
  @Nullable package private(set) var reason: String?
  /// Since when it is so (ISO 8601, UTC).
  package let since: Date

  package init(_ report: HealthReport) {
    switch report.health {
    case .unknown: state = .unknown
    case .ok: state = .ok
    case .down(let why):
      state = .down
      reason = why
    }
    since = report.since
  }
}
