import Codecs
package import HTTPEdge
import TLS

/// What an owner configured to answer for a device: an app's address, or a folder.
///
/// - `http://host:port/base` or `http://host`: an app over TCP; port 80 unless said.
/// - `https://…`: the same over TLS; port 443 unless said.
/// - `unix:/path` or `unix:/path:/base`: an app on a unix socket.
/// - `/path`: a folder of files.
///
/// With a base, an app's answers are those below it: `/x` asks it for `/base/x`.
package enum Target: Sendable, Hashable {
  case app(HTTPAddress, base: String)
  /// - Parameter isListed: whether folders without an index page are listed.
  case folder(String, isListed: Bool)

  /// Of a DNS name or an IPv4 address.
  private static let hostBytes = ASCIISet.letters.union(.digits).union(ASCIISet("-._"))

  /// Which certificate an app at `https:` may show: `fingerprint` is the SHA-256 of the only one, in hexadecimal with or
  /// without colons; `insecure` accepts any. With neither, it is one that the system's authorities have signed for the
  /// host, and within its dates.
  ///
  /// `listing`: whether folders without an index page are listed, as they are unless said otherwise.
  ///
  /// `app`: how requests reach an app; a folder has none of these.
  ///
  /// Throws `TargetError`, which names what is allowed; also where the first two contradict each other, or one is given for
  /// something else.
  package init(
    _ text: String, fingerprint: String? = nil, insecure: Bool = false, listing: Bool? = nil,
    app: AppOptions = AppOptions()
  ) throws(TargetError) {
    try app.check()
    if text.hasPrefix("/"), let option = app.firstSet {
      throw TargetError(message: "\(option) is for apps only, and target is “\(text)”.", option: option)
    }
    let trust = try UpstreamTrust(fingerprint: fingerprint, insecure: insecure)
    guard listing == nil || text.hasPrefix("/") else {
      throw TargetError(message: "listing is for folders only, and target is “\(text)”.", option: "listing")
    }
    if let rest = text.removingPrefix("https://") {
      let (host, port, base) = try Self.url(rest, text)
      self = .app(.tls(host: host, port: port ?? HTTPAddress.httpsPort, trust: trust), base: base)
    } else if trust != .systemCAs {
      throw TargetError(
        message: "fingerprint and insecure are for https:// only, and target is “\(text)”.",
        option: fingerprint == nil ? "insecure" : "fingerprint")
    } else if text.hasPrefix("/") {
      self = .folder(text, isListed: listing ?? true)
    } else if let rest = text.removingPrefix("unix:") {
      self = try Self.unix(rest, text)
    } else if let rest = text.removingPrefix("http://") {
      let (host, port, base) = try Self.url(rest, text)
      self = .app(.tcp(host: host, port: port ?? HTTPAddress.httpPort), base: base)
    } else {
      throw TargetError(text, "it is neither a URL nor an absolute path")
    }
  }

  private static func unix(_ rest: Substring, _ text: String) throws(TargetError) -> Target {
    guard rest.hasPrefix("/") else { throw TargetError(text, "the socket's path must be absolute") }
    guard let colon = rest.firstIndex(of: ":") else { return .app(.unix(path: String(rest)), base: "") }
    let base = try base(rest[rest.index(after: colon)...], text)
    return .app(.unix(path: String(rest[..<colon])), base: base)
  }

  private static func url(_ rest: Substring, _ text: String) throws(TargetError) -> (String, Int?, base: String) {
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let (host, port) = try hostAndPort(rest[..<slash], text)
    return (host, port, try base(rest[slash...], text))
  }

  private static func hostAndPort(_ authority: Substring, _ text: String) throws(TargetError) -> (String, Int?) {
    guard !authority.contains("@") else { throw TargetError(text, "it must not hold a user or password") }
    var host = authority
    var port: Substring?
    if let end = authority.lastIndex(of: "]") {
      guard authority.first == "[" else { throw TargetError(text, "it has no host") }
      host = authority[authority.index(after: authority.startIndex)..<end]
      let behind = authority[authority.index(after: end)...]
      guard behind.isEmpty || behind.first == ":" else { throw TargetError(text, "it has no host") }
      port = behind.isEmpty ? nil : behind.dropFirst()
    } else if let colon = authority.firstIndex(of: ":") {
      host = authority[..<colon]
      port = authority[authority.index(after: colon)...]
    }
    let isLiteral = authority.first == "["
    guard !host.isEmpty,
      host.utf8.allSatisfy({ Self.hostBytes.contains($0) || isLiteral && ($0 == 0x3A || $0 == 0x25) })
    else {
      throw TargetError(text, "it has no host")
    }
    guard let port else { return (String(host), nil) }
    guard let number = Int(port), (1...65535).contains(number), port.utf8.allSatisfy(\.isASCIIDigit) else {
      throw TargetError(text, "its port is no number from 1 to 65535")
    }
    return (String(host), number)
  }

  /// Without its last slash; what a URL carries beside a path has no meaning here.
  private static func base(_ text: Substring, _ whole: String) throws(TargetError) -> String {
    guard text.isEmpty || text.hasPrefix("/") else { throw TargetError(whole, "its base must start with a slash") }
    guard !text.contains(where: { $0 == "?" || $0 == "#" }), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      RequestPath.staysBelow(text)
    else { throw TargetError(whole, "its base must be a plain path") }
    var base = text
    while base.hasSuffix("/") { base.removeLast() }
    return String(base)
  }
}

/// A target that cannot be used.
package struct TargetError: Error, CustomStringConvertible {
  package let message: String
  /// The option that is at fault; nil: the target itself.
  package let option: String?

  init(message: String, option: String) {
    self.message = message
    self.option = option
  }

  init(_ text: String, _ reason: String) {
    option = nil
    message =
      "target “\(text)”: \(reason). Allowed are http://host:port, http://host:port/base, the same with https, "
      + "unix:/path, unix:/path:/base and /path/of/a/folder."
  }

  package var description: String { message }
}

extension String {
  func removingPrefix(_ prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
