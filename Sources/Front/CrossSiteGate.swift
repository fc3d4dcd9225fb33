package import HTTPTypes

/// Keeps pages of other sites, other devices' among them, from using a browser to reach a device or the dashboard.
///
/// Browsers treat the front as loopback and let any page send requests to it, so it has to look for itself: by
/// `Sec-Fetch-Site` where the browser says it (W3C Fetch Metadata), by `Origin` where it does not. Programs send
/// neither. A sibling label is another site; `same-site` would be one only by mistake, and is not trusted.
package enum CrossSiteGate {
  package enum Verdict: Hashable, Sendable {
    case pass
    /// A link from elsewhere that carries data: the user has to say so.
    case ask
    /// 403, with the reason.
    case refuse(String)
  }

  /// - Parameter origin: what the page's own requests have as `Origin`.
  package static func verdict(on request: HTTPRequest, to path: String, at origin: String) -> Verdict {
    let fields = request.headerFields
    let origins = fields[values: .origin]
    let isOwn = origins.map { $0.lowercased() } == [origin]
    // Same-origin rules do not hold for WebSockets: the server has to look (RFC 6455 §10.2).
    if upgrades(fields) { return isOwn ? .pass : .refuse("A connection is only upgraded for the device's own page.") }
    switch fields[values: .secFetchSite] {
    case ["same-origin"], ["none"]: return .pass
    case [] where origins.isEmpty || isOwn: return .pass
    default: return isNavigation(request) ? (path.contains("?") ? .ask : .pass) : .refuse(Self.reason)
    }
  }

  /// Whether a form of the origin's own page sent this, which is what may change things there. Programs have no page.
  package static func isOwnForm(_ request: HTTPRequest, at origin: String) -> Bool {
    let fields = request.headerFields
    let origins = fields[values: .origin].map { $0.lowercased() }
    switch fields[values: .secFetchSite] {
    case ["same-origin"]: return origins.isEmpty || origins == [origin]
    case []: return origins == [origin]
    default: return false
    }
  }

  private static let reason = "A page of another site sent this request. Only a device's own page may."

  private static func upgrades(_ fields: HTTPFields) -> Bool {
    fields[values: .upgrade].contains { $0.lowercased().contains("websocket") }
  }

  /// Opens a page in a window, not in a frame, and changes nothing.
  static func isNavigation(_ request: HTTPRequest) -> Bool {
    let fields = request.headerFields
    return [.get, .head].contains(request.method) && fields[values: .secFetchMode] == ["navigate"]
      && fields[values: .secFetchDest] == ["document"]
  }
}
