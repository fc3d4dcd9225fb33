import Codecs
import HTTPX

extension FuzzTarget {
  /// What addresses are written in: `httpx` URIs, request targets, authorities, percent-encoding.
  static let uri = FuzzTarget("uri", longest: 512) { bytes in
    for plain in [ASCIISet.unreserved, .authority, .fieldItem, .unquoted] {
      let encoded = PercentEncoding.encode(bytes, except: plain)
      require(encoded.utf8.allSatisfy { plain.contains($0) || $0 == UInt8(ascii: "%") }, "Not encoded: \(encoded)")
      requireEqual(PercentEncoding.decode(encoded.utf8), bytes, "It is decoded to other bytes: \(encoded)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    checkTarget(text)
    checkAuthority(text)
    if let uri = try? HTTPXURI(text) { check(uri) }
    // The text as a part of one.
    if let uri = try? HTTPXURI("httpx://\(text)") { check(uri) }
    if let uri = try? HTTPXURI("httpx://t@pi/\(text)") { check(uri) }
  }

  private static func check(_ uri: HTTPXURI) {
    do {
      requireEqual(try HTTPXURI(uri.description), uri, "It is written as another one")
    } catch {
      fatalError("What was read cannot be read again: \(error): \(uri)")
    }
    require(!uri.authority.isEmpty && !uri.authority.contains { "/?#:".contains($0) }, "Authority \(uri.authority)")
    guard let target = RequestTarget(uri.path) else { fatalError("No request line carries “\(uri.path)”") }
    require(target.form == .origin && target.isASCII, "No path: \(uri.path)")
  }

  private static func checkTarget(_ text: String) {
    guard let target = RequestTarget(text) else { return }
    require(Array((target.path + target.query).utf8) == Array(text.utf8), "Path and query are not all of “\(text)”")
    require(!text.utf8.contains { $0 <= 0x20 || $0 == 0x7F }, "A request line ends in “\(text)”")
  }

  private static func checkAuthority(_ text: String) {
    let (host, port) = Authority.split(text)
    requireEqual(
      Array((host + (port.map { ":" + $0 } ?? "")).utf8), Array(text.utf8), "Host and port are not all of it")
    require(port?.utf8.contains { [UInt8(ascii: ":"), UInt8(ascii: "]")].contains($0) } != true, "No port: \(text)")
  }
}
