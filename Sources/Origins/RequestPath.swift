import Codecs

/// The path of a request, judged before anything is opened or dialled for it.
enum RequestPath {
  /// False where a reader that decodes and joins dot segments could end above the path's beginning.
  static func staysBelow(_ path: some StringProtocol) -> Bool {
    guard let bytes = decoded(path) else { return false }
    return !bytes.split(whereSeparator: { $0 == 0x2F || $0 == 0x5C }).contains { $0.elementsEqual([0x2E, 0x2E]) }
  }

  /// With percent-encodings undone; nil where one is broken or stands for NUL.
  static func decoded(_ path: some StringProtocol) -> [UInt8]? {
    PercentEncoding.decode(path.utf8).flatMap { $0.contains(0) ? nil : $0 }
  }
}
