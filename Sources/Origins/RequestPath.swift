import Codecs

/// The path of a request, judged before anything is opened or dialled for it.
enum RequestPath {
  /// An origin-form target that no reader can take for another host's: one slash in front, no fragment, no space.
  ///
  /// `//host/`, `/\host/`, absolute and authority form are refused: with them a peer would name a host (RFC 9112 §3.2).
  static func isOriginForm(_ target: String) -> Bool {
    let bytes = target.utf8
    guard bytes.first == 0x2F else { return false }
    if let second = bytes.dropFirst().first, second == 0x2F || second == 0x5C { return false }
    return bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x23 }
  }

  /// False where a reader that decodes and joins dot segments could end above the path's beginning.
  static func staysBelow(_ path: some StringProtocol) -> Bool {
    guard let bytes = decoded(path) else { return false }
    return !bytes.split(whereSeparator: { $0 == 0x2F || $0 == 0x5C }).contains { $0.elementsEqual([0x2E, 0x2E]) }
  }

  /// Without its query.
  static func path(of target: String) -> Substring {
    target.prefix { $0 != "?" }
  }

  /// With percent-encodings undone; nil where one is broken or stands for NUL.
  static func decoded(_ path: some StringProtocol) -> [UInt8]? {
    PercentEncoding.decode(path.utf8).flatMap { $0.contains(0) ? nil : $0 }
  }
}
