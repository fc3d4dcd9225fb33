import Codecs
import FoundationEssentials
import Front
import HTTPTypes
import HTTPX
import XMPP

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Cookies of devices (RFC 6265), in the file format that curl and Netscape's browsers have: a line of seven fields with tabs
/// between. The domain is the host by which browsers know the device, so that curl at the front shares the file.
struct CookieJar: Sendable {
  struct Cookie: Sendable, Hashable {
    let domain: String
    let path: String
    /// Seconds since 1970; 0: until the end.
    let expires: Int
    let name: String
    let value: String
    var isSecure = false
    var isHTTPOnly = false
  }

  private(set) var cookies: [Cookie] = []
  /// Whether cookies are wanted at all: a file was named.
  private(set) var isUsed = false

  private static let httpOnly = "#HttpOnly_"

  /// A file that does not exist has none, as with curl. Throws `CommandFailure` where it cannot be read.
  mutating func read(_ path: String) throws(CommandFailure) {
    isUsed = true
    guard path.isEmpty == false, path == "-" || access(path, F_OK) == 0 else { return }
    for line in String(decoding: try InputFile.bytes(of: path), as: UTF8.self).split(whereSeparator: \.isNewline) {
      if let cookie = Self.cookie(line) { keep(cookie) }
    }
  }

  private static func cookie(_ line: Substring) -> Cookie? {
    let isHTTPOnly = line.hasPrefix(httpOnly)
    let fields = (isHTTPOnly ? line.dropFirst(httpOnly.count) : line)
      .split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    guard fields.count == 7, isHTTPOnly || !line.hasPrefix("#"), let expires = Int(fields[4]) else { return nil }
    let domain = fields[0].hasPrefix(".") ? String(fields[0].dropFirst()) : fields[0]
    return Cookie(
      domain: domain, path: fields[2], expires: expires, name: fields[5], value: fields[6],
      isSecure: fields[3] == "TRUE",
      isHTTPOnly: isHTTPOnly)
  }

  /// All of them, as `read` takes them.
  var text: String {
    let lines = cookies.map { cookie in
      let fields = [
        (cookie.isHTTPOnly ? Self.httpOnly : "") + cookie.domain, "FALSE", cookie.path,
        cookie.isSecure ? "TRUE" : "FALSE",
        "\(cookie.expires)", cookie.name, cookie.value,
      ]
      return fields.joined(separator: "\t") + "\n"
    }
    return "# Netscape HTTP Cookie File, by hearth get\n\n" + lines.joined()
  }

  private mutating func keep(_ cookie: Cookie) {
    cookies.removeAll { $0.domain == cookie.domain && $0.path == cookie.path && $0.name == cookie.name }
    if cookies.count >= CLILimits.cookies { cookies.removeFirst() }
    cookies.append(cookie)
  }

  /// The value of `Cookie` for a request; nil where there is none. Longer paths first (RFC 6265 §5.4).
  func field(for uri: HTTPXURI, now: Date) -> String? {
    let (domain, path) = (Self.domain(of: uri.jid), String(uri.path.prefix { $0 != "?" }))
    let sent = cookies.filter { cookie in
      cookie.domain == domain && Self.covers(cookie.path, path)
        && (cookie.expires == 0 || Double(cookie.expires) > now.timeIntervalSince1970)
    }.sorted { $0.path.utf8.count > $1.path.utf8.count }
    return sent.isEmpty ? nil : sent.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
  }

  /// Takes over what a response sets, and drops what it ends.
  mutating func receive(_ response: HTTPResponse, from uri: HTTPXURI, now: Date) {
    isUsed = true
    for value in response.headerFields[values: .setCookie] {
      guard let cookie = Self.cookie(setting: value, uri, now) else { continue }
      keep(cookie)
      if cookie.expires != 0, Double(cookie.expires) <= now.timeIntervalSince1970 { cookies.removeLast() }
    }
  }

  /// `Domain` is ignored: a device has one host.
  private static func cookie(setting text: String, _ uri: HTTPXURI, _ now: Date) -> Cookie? {
    let parts = text.split(separator: ";").map(\.trimmingSpace)
    guard let pair = parts.first, let equals = pair.firstIndex(of: "="), equals != pair.startIndex else { return nil }
    var attributes: [String: String] = [:]
    for part in parts.dropFirst() {
      let (name, value) = Self.pair(part)
      attributes[name.lowercased()] = value
    }
    let age = attributes["max-age"].flatMap { Int($0) }
    let expires =
      age.map { $0 <= 0 ? 1 : Int(now.timeIntervalSince1970) + $0 }
      ?? attributes["expires"].flatMap(HTTPDate.seconds).map { max(1, $0) }
    let path = attributes["path"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? defaultPath(uri)
    let (name, value) = Self.pair(pair)
    return Cookie(
      domain: domain(of: uri.jid), path: path, expires: expires ?? 0, name: name, value: value,
      isSecure: attributes["secure"] != nil, isHTTPOnly: attributes["httponly"] != nil)
  }

  private static func pair(_ text: some StringProtocol) -> (String, String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
      Substring($0).trimmingSpace
    }
    return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
  }

  /// RFC 6265 §5.1.4.
  private static func defaultPath(_ uri: HTTPXURI) -> String {
    let path = uri.path.prefix { $0 != "?" }
    let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    return folder.isEmpty ? "/" : String(folder)
  }

  private static func covers(_ cookie: String, _ path: String) -> Bool {
    path == cookie || path.hasPrefix(cookie) && (cookie.hasSuffix("/") || path.dropFirst(cookie.count).first == "/")
  }

  private static func domain(of jid: JID) -> String { "\(DeviceLabel.label(of: jid)).\(FrontAddress.zone)" }
}
