import Codecs
import HTTPTypes

/// Decides what passes at a forward's port: whatever a program asks, with any `Host`, and of browsers what their own user
/// or a page of this very origin asks.
struct ForwardGate: Sendable {
  /// What to ask the device for, and where the client takes it to be.
  struct Passage: Sendable, Hashable {
    /// With its query.
    let path: String
    let origin: String
  }

  let forward: Forward

  /// - Throws: `misdirected` for a browser's request to another name, which is how a rebound DNS name comes here;
  ///   `forbidden` and `unconfirmed` for those of another site's page; `badRequest`.
  func admit(_ request: HTTPRequest) throws(FrontError) -> Passage {
    let (authority, path) = try target(of: request)
    let origin = origin(authority)
    guard Self.isBrowsers(request.headerFields) else { return Passage(path: path, origin: origin ?? forward.origin) }
    guard let origin else {
      throw .misdirected("“\(authority)” is no name of this port: browsers find it at \(forward.origin)/.")
    }
    switch CrossSiteGate.verdict(on: request, to: path, at: origin) {
    case .pass: return Passage(path: path, origin: origin)
    case .ask: throw .unconfirmed(forward.device, origin: origin, path: path)
    case .refuse(let reason): throw .forbidden(reason)
    }
  }

  /// RFC 9112 §3.2: the origin form, or the absolute form, whose authority counts then.
  private func target(of request: HTTPRequest) throws(FrontError) -> (authority: String, path: String) {
    guard let target = request.path.flatMap(RequestTarget.init), target.isASCII else {
      throw .badRequest("The request target has characters that belong percent-encoded.")
    }
    if target.form == .origin || target.form == .asterisk && request.method == .options {
      return (request.authority ?? "", target.text)
    }
    guard request.method != .connect, target.text.prefix(Self.scheme.count).lowercased() == Self.scheme else {
      throw .forbidden("This is no proxy: it is the device “\(forward.device)”, and nothing else.")
    }
    let rest = target.text.dropFirst(Self.scheme.count)
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let path = rest[authority.endIndex...]
    return (String(authority), path.first == "/" ? String(path) : "/" + path)
  }

  /// As the client spells it; nil where it calls the port by another name than those of loopback.
  private func origin(_ authority: String) -> String? {
    guard let host = FrontAddress(port: forward.port).host(ofAuthority: authority), LoopbackHost.names.contains(host)
    else { return nil }
    return "http://" + authority.lowercased()
  }

  /// Chromium and Firefox send `Accept-Language` with everything; a script can empty it, and cannot leave it out. The others
  /// alone would not do: under a rebound name, which is no secure context, there is no `Sec-Fetch-Site`, with a GET no
  /// `Origin`, and a page may want no `Referer`.
  private static func isBrowsers(_ fields: HTTPFields) -> Bool {
    [.acceptLanguage, .origin, .secFetchSite, .secFetchMode, .referer].contains { fields.contains($0) }
  }

  private static let scheme = "http://"
}
