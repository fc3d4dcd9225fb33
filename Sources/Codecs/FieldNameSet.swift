package import HTTPTypes

/// Names of header fields, compared without regard to case. Most names that are asked for are not among them, which their
/// length and first letter show without a hash.
package struct FieldNameSet: Sendable {
  private let names: Set<String>
  /// A bit for each length; names of more than 63 bytes share one.
  private let lengths: UInt64
  private let initials: ASCIISet

  /// - Parameter names: tokens, in small letters.
  package init(_ names: [String]) {
    self.names = Set(names)
    lengths = names.reduce(into: 0) { $0 |= Self.bit($1) }
    initials = ASCIISet(String(decoding: names.compactMap(\.utf8.first), as: UTF8.self))
  }

  package func contains(_ name: HTTPField.Name) -> Bool {
    let name = name.canonicalName
    guard lengths & Self.bit(name) != 0, let first = name.utf8.first, initials.contains(first) else { return false }
    return names.contains(name)
  }

  private static func bit(_ name: String) -> UInt64 { 1 << UInt64(min(name.utf8.count, 63)) }
}
