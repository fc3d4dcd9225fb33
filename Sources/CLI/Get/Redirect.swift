import HTTPTypes
import HTTPX

/// Where a response leads (RFC 9110 §15.4).
enum Redirect {
  /// nil where it leads nowhere. Throws `CommandFailure` where that is no device's.
  static func target(of response: HTTPResponse, to uri: HTTPXURI) throws(CommandFailure) -> HTTPXURI? {
    guard [301, 302, 303, 307, 308].contains(response.status.code), let location = response.headerFields[.location]
    else { return nil }
    return try resolve(location, at: uri)
  }

  /// A reference (RFC 3986 §5.2), also one to the address that browsers have for a device. Where `http:` names the device itself it
  /// means the device.
  static func resolve(_ reference: String, at base: HTTPXURI) throws(CommandFailure) -> HTTPXURI {
    let scheme = reference.prefix { !":/?#".contains($0) }
    guard reference[scheme.endIndex...].first != ":" else {
      let rest = reference[scheme.endIndex...].dropFirst()
      if ["http", "https"].contains(scheme.lowercased()), let own = try? HTTPXURI("httpx:\(rest)"), own.jid == base.jid
      {
        return own
      }
      guard ["httpx", "web+httpx", "http"].contains(scheme.lowercased()),
        let address = try? DeviceAddress.parse(reference), address.form == .address
      else {
        throw CommandFailure(
          .failure, "the device leads to “\(Printable.clean(reference))”, which is no device: ask curl for it")
      }
      return address.uri
    }
    do throws(HTTPXError) {
      if reference.hasPrefix("//") { return try HTTPXURI("httpx:\(reference)") }
      let path = merged(reference, onto: base.path)
      let uri = try HTTPXURI("httpx://\(base.authority)\(path)")
      return HTTPXURI(jid: uri.jid, path: uri.path, fragment: uri.fragment ?? base.fragment)
    } catch {
      throw CommandFailure(.failure, "the device leads to “\(Printable.clean(reference))”: \(error.message)")
    }
  }

  private static func merged(_ reference: String, onto base: String) -> String {
    let basePath = base.prefix { $0 != "?" }
    if reference.isEmpty || reference.hasPrefix("#") { return base + reference }
    if reference.hasPrefix("?") { return basePath + reference }
    let path = reference.prefix { $0 != "?" && $0 != "#" }
    let rest = reference[path.endIndex...]
    let folder = basePath[..<(basePath.lastIndex(of: "/") ?? basePath.startIndex)]
    return withoutDots(path.hasPrefix("/") ? String(path) : "\(folder)/\(path)") + rest
  }

  /// RFC 3986 §5.2.4.
  private static func withoutDots(_ path: String) -> String {
    var segments: [Substring] = []
    let all = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for segment in all {
      switch segment {
      case ".": break
      case "..": _ = segments.popLast()
      default: segments.append(segment)
      }
    }
    if all.last == "." || all.last == ".." { segments.append("") }
    return "/" + segments.joined(separator: "/")
  }
}

extension OutgoingRequest {
  /// The request that follows this response. What was meant for one device is not told to another.
  func following(_ response: HTTPResponse, to target: HTTPXURI) throws(CommandFailure) -> OutgoingRequest {
    var next = self
    let isOther = target.jid != uri.jid
    next.uri = target
    next.defaults.removeAll { isOther && ($0.hasPrefix("Authorization:") || $0.hasPrefix("Cookie:")) }
    if isOther { next.fields.removeAll { field in Self.secrets.contains { field.lowercased().hasPrefix($0) } } }
    let losesBody = response.status.code == 303 || [301, 302].contains(response.status.code) && method == "POST"
    if losesBody, method != "HEAD" {
      if !isMethodSaid { next.method = "GET" }
      next.body = nil
      next.defaults.removeAll { $0.hasPrefix("Content-Type:") }
    }
    try next.body?.rewind()
    return next
  }

  private static let secrets = ["authorization:", "cookie:"]
}
