import Codecs

/// The path of a request, in segments with percent-encoding undone.
///
/// Exists only where no reader can take it for another path: servers differ on dot segments (also with `;`
/// parameters), empty segments, encoded slashes, backslashes and what is encoded twice, so none of these is let
/// through to them.
struct RequestPath: Sendable, Hashable {
  /// Behind the first slash; the last is empty where the path ends in one.
  let segments: [[UInt8]]

  /// Takes a request target in origin form; the query is no part of the path.
  init?(_ target: String) {
    guard let target = RequestTarget(target), target.form == .origin else { return nil }
    let raw = target.path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    var segments: [[UInt8]] = []
    for (index, part) in raw.enumerated() {
      guard let segment = Self.decoded(part), Self.isPlain(segment) else { return nil }
      if segment.isEmpty, index < raw.count - 1 { return nil }
      segments.append(segment)
    }
    self.segments = segments
  }

  private static func decoded(_ part: some Collection<UInt8>) -> [UInt8]? {
    PercentEncoding.decode(part).flatMap { bytes in bytes.contains { "/%".utf8.contains($0) } ? nil : bytes }
  }

  private static func isPlain(_ segment: [UInt8]) -> Bool {
    guard segment.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }),
      String(validating: segment, as: UTF8.self) != nil
    else { return false }
    let name = segment.prefix { $0 != UInt8(ascii: ";") }
    return name.isEmpty ? segment.isEmpty : !name.allSatisfy { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: " ") }
  }
}

/// A path that is open, with all below it.
///
/// `/photos` covers `/photos`, `/photos/` and `/photos/2024`, and not `/photos2`; `/photos/` covers the same without
/// `/photos` itself; `/` covers all that is written plainly. Case counts.
package struct PathPrefix: Sendable, Hashable, CustomStringConvertible {
  package let description: String
  private let segments: [[UInt8]]
  private let isBelowOnly: Bool

  /// Throws `policy` where this is no plain path.
  package init(_ text: String) throws(TrustError) {
    guard let path = RequestPath(text), !text.utf8.contains(UInt8(ascii: "?")) else {
      throw TrustError(
        .policy,
        "“\(text)” is no plain path: begin with a slash, without dots, empty parts or a query, as in \"/photos\"")
    }
    description = text
    isBelowOnly = path.segments.last?.isEmpty == true
    segments = isBelowOnly ? path.segments.dropLast() : path.segments
  }

  func covers(_ path: RequestPath) -> Bool {
    path.segments.starts(with: segments) && (!isBelowOnly || path.segments.count > segments.count)
  }
}
