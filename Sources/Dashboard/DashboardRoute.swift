package import HTTPTypes
import Codecs
package import Trust
package import XMPP

/// What there is at `http://hearth.localhost:8332`.
package enum DashboardRoute: Sendable, Hashable {
  /// All devices, and what waits for the owner.
  case list
  /// Friendship with a device's node; by POST, asks for it.
  case ask(JID)
  /// Begins to compare digits.
  case befriend(JID)
  case accept(NodeID)
  case reject(NodeID)
  case confirmPairing
  case cancelPairing
  case closePermit

  /// nil where there is nothing; a query is ignored.
  package init?(_ target: String) {
    let path = target.prefix { $0 != "?" }
    guard path.first == "/" else { return nil }
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    switch (parts.first, parts.dropFirst().first, parts.dropFirst(2).first, parts.count) {
    case ("", nil, nil, 1): self = .list
    case ("ask", let name?, nil, 2):
      guard let jid = Self.device(name) else { return nil }
      self = .ask(jid)
    case ("befriend", let name?, nil, 2):
      guard let jid = Self.device(name) else { return nil }
      self = .befriend(jid)
    case ("requests", let id?, "accept", 3):
      guard let id = try? NodeID(String(id)) else { return nil }
      self = .accept(id)
    case ("requests", let id?, "reject", 3):
      guard let id = try? NodeID(String(id)) else { return nil }
      self = .reject(id)
    case ("pairing", "confirm", nil, 2): self = .confirmPairing
    case ("pairing", "cancel", nil, 2): self = .cancelPairing
    case ("permit", "close", nil, 2): self = .closePermit
    default: return nil
    }
  }

  package var path: String {
    switch self {
    case .list: "/"
    case .ask(let jid): "/ask/\(PercentEncoding.encode(jid.text, except: .authority))"
    case .befriend(let jid): "/befriend/\(PercentEncoding.encode(jid.text, except: .authority))"
    case .accept(let id): "/requests/\(id)/accept"
    case .reject(let id): "/requests/\(id)/reject"
    case .confirmPairing: "/pairing/confirm"
    case .cancelPairing: "/pairing/cancel"
    case .closePermit: "/permit/close"
    }
  }

  package var methods: [HTTPRequest.Method] {
    switch self {
    case .list: [.get, .head]
    case .ask: [.get, .head, .post]
    case .befriend, .accept, .reject, .confirmPairing, .cancelPairing, .closePermit: [.post]
    }
  }

  private static func device(_ name: Substring) -> JID? {
    PercentEncoding.decodeText(name).flatMap { JID(bare: $0) }
  }
}
