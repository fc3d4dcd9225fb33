package import HTTPTypes
import Codecs
package import Trust
package import XMPP

/// What there is at `http://hearth.localhost:8332`.
package enum DashboardRoute: Sendable, Hashable {
  /// The whole home.
  case list
  /// The program that makes it live, and the events that it listens to.
  case script, live
  /// A device's icon.
  case icon(JID)
  /// A `web+httpx:` link that the browser hands over.
  case open
  /// Friendship with a device's node; by POST, asks for it.
  case ask(JID)
  /// Begins to compare digits.
  case befriend(JID)
  case accept(NodeID)
  case reject(NodeID)
  /// Takes back what this node asked.
  case withdraw(NodeID)
  case confirmPairing
  case cancelPairing
  case closePermit
  case invite, join
  case rename(NodeID)
  case remove(NodeID)
  case block(NodeID)
  case unblock(NodeID)
  case serve
  case stop(String)

  /// nil where there is nothing; a query is ignored.
  package init?(_ target: String) {
    let path = target.prefix { $0 != "?" }
    guard path.first == "/" else { return nil }
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    let route =
      switch parts.count {
      case 1: Self.page(parts[0])
      case 2: Self.verb(parts[0], parts[1])
      case 3: Self.change(parts[0], parts[1], parts[2])
      default: DashboardRoute?.none
      }
    guard let route else { return nil }
    self = route
  }

  private static func page(_ name: Substring) -> DashboardRoute? {
    switch name {
    case "": .list
    case "dashboard.js": .script
    case "live": .live
    case "open": .open
    case "invites": .invite
    case "join": .join
    case "services": .serve
    default: nil
    }
  }

  private static func verb(_ first: Substring, _ second: Substring) -> DashboardRoute? {
    switch (first, second) {
    case ("icons", _): device(second).map { .icon($0) }
    case ("ask", _): device(second).map { .ask($0) }
    case ("befriend", _): device(second).map { .befriend($0) }
    case ("pairing", "confirm"): .confirmPairing
    case ("pairing", "cancel"): .cancelPairing
    case ("permit", "close"): .closePermit
    default: nil
    }
  }

  private static func change(_ first: Substring, _ who: Substring, _ verb: Substring) -> DashboardRoute? {
    if first == "services" {
      guard verb == "stop", let name = PercentEncoding.decodeText(who), !name.isEmpty else { return nil }
      return .stop(name)
    }
    guard let id = try? NodeID(String(who)) else { return nil }
    return switch (first, verb) {
    case ("requests", "accept"): .accept(id)
    case ("requests", "reject"): .reject(id)
    case ("asked", "withdraw"): .withdraw(id)
    case ("friends", "rename"): .rename(id)
    case ("friends", "remove"): .remove(id)
    case ("nodes", "block"): .block(id)
    case ("nodes", "unblock"): .unblock(id)
    default: nil
    }
  }

  package var path: String {
    switch self {
    case .list: "/"
    case .script: "/dashboard.js"
    case .live: "/live"
    case .open: "/open"
    case .icon(let jid): "/icons/\(PercentEncoding.encode(jid.text, except: .authority))"
    case .ask(let jid): "/ask/\(PercentEncoding.encode(jid.text, except: .authority))"
    case .befriend(let jid): "/befriend/\(PercentEncoding.encode(jid.text, except: .authority))"
    case .accept(let id): "/requests/\(id)/accept"
    case .reject(let id): "/requests/\(id)/reject"
    case .withdraw(let id): "/asked/\(id)/withdraw"
    case .confirmPairing: "/pairing/confirm"
    case .cancelPairing: "/pairing/cancel"
    case .closePermit: "/permit/close"
    case .invite: "/invites"
    case .join: "/join"
    case .rename(let id): "/friends/\(id)/rename"
    case .remove(let id): "/friends/\(id)/remove"
    case .block(let id): "/nodes/\(id)/block"
    case .unblock(let id): "/nodes/\(id)/unblock"
    case .serve: "/services"
    case .stop(let name): "/services/\(PercentEncoding.encode(name, except: .authority))/stop"
    }
  }

  package var methods: [HTTPRequest.Method] {
    switch self {
    case .list, .script, .live, .icon, .open: [.get, .head]
    case .ask: [.get, .head, .post]
    case .befriend, .accept, .reject, .withdraw, .confirmPairing, .cancelPairing, .closePermit, .invite, .join, .rename,
      .remove, .block, .unblock, .serve, .stop:
      [.post]
    }
  }

  private static func device(_ name: Substring) -> JID? {
    PercentEncoding.decodeText(name).flatMap { JID(bare: $0) }
  }
}
