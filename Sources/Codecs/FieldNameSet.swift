package import HTTPTypes

/// Names of header fields, compared without regard to case. Most names that are asked for are not among them, which their
/// length and first letter show.
package struct FieldNameSet: Sendable {
  /// By their length; those of more than 63 bytes are together.
  private var names = [[String]](repeating: [], count: 64)
  private let initials: ASCIISet

  /// - Parameter names: tokens, in small letters.
  package init(_ names: [String]) {
    for name in names { self.names[Self.index(name)].append(name) }
    initials = ASCIISet(String(decoding: names.compactMap(\.utf8.first), as: UTF8.self))
  }

  package func contains(_ name: HTTPField.Name) -> Bool {
    let name = name.canonicalName
    let candidates = names[Self.index(name)]
    guard !candidates.isEmpty, let first = name.utf8.first, initials.contains(first) else { return false }
    return candidates.contains(name)
  }

  private static func index(_ name: String) -> Int { min(name.utf8.count, 63) }
}
