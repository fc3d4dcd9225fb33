package import FoundationEssentials
package import Mesh

/// What the other end says of the way to one of its devices, as the control socket shows it.
package struct ReportResource: Codable, Sendable, Hashable {
  package enum Outcome: String, Codable, Sendable {
    case told
    /// Its node does not know this one as a friend.
    case notFriends
    /// Its node is an older version, or another program.
    case notTold
  }

  package let outcome: Outcome
  /// Of the software there; null, as all that follows, where nothing was told.
  @Nullable package private(set) var version: String?
  /// By the clock there (ISO 8601, UTC).
  @Nullable package private(set) var time: Date?
  /// Where this node comes from, as seen there.
  @Nullable package private(set) var address: String?
  /// Whether something is served there under this name.
  @Nullable package private(set) var served: Bool?
  /// Whether this node may use it.
  @Nullable package private(set) var open: Bool?
  /// Whether the app behind it answers there: `ok`, `down` or `unknown`.
  @Nullable package private(set) var app: String?
  /// Why it does not.
  @Nullable package private(set) var reason: String?

  package init(_ outcome: ReportOutcome) {
    self.outcome =
      switch outcome {
      case .told: .told
      case .notFriends: .notFriends
      case .notTold: .notTold
      }
    guard case .told(let report) = outcome else { return }
    (version, time, address) = (report.version, report.time, report.address)
    (served, open) = (report.service != nil, report.service?.isOpen)
    guard let health = report.service?.health else { return }
    switch health {
    case .ok: app = "ok"
    case .unknown: app = "unknown"
    case .down(let why): (app, reason) = ("down", why)
    }
  }
}
