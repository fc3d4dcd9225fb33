/// What the owner calls a friend.
///
/// Letters and digits of whatever script, `-`, `_` and `.`, 1 to 63 bytes, beginning with a letter or digit, so that it fits
/// a file and a shell unquoted. It holds no `@`, hence is never taken for an address that does. Names that differ
/// in case only, or in how their accents are encoded, are equal.
package struct Petname: Sendable {
  package let text: String
  private let folded: String

  /// Words with a meaning of their own where petnames stand.
  private static let reserved: Set<String> = [
    "friends", "public", "self", "stranger", "plaintext", "changed", "blocked",
  ]

  /// Throws `petname`, with what is allowed.
  package init(_ text: String) throws(TrustError) {
    guard let first = text.unicodeScalars.first else {
      throw TrustError(.petname, "a friend needs a name, like anna or kitchen-pi")
    }
    guard text.utf8.count <= TrustLimits.petnameBytes
    else { throw TrustError(.petname, "a friend's name has at most \(TrustLimits.petnameBytes) bytes") }
    guard Self.isLetterOrDigit(first), text.unicodeScalars.allSatisfy({ Self.isLetterOrDigit($0) || Self.isInside($0) })
    else {
      throw TrustError(.petname, "name a friend with letters, digits, hyphens, dots and underscores, like kitchen-pi")
    }
    folded = text.lowercased()
    guard !Self.reserved.contains(folded) else {
      throw TrustError(.petname, "“\(text)” has a meaning of its own: choose another name")
    }
    guard NodeID.normalized(text).count != 56 else {
      throw TrustError(.petname, "this looks like a node id: choose a name")
    }
    self.text = text
  }

  private init(known text: String) {
    self.text = text
    folded = text
  }

  /// A name for one whom the owner has not named yet: from the key, never from what the peer says of itself.
  ///
  /// Two groups of the id, 65 bits, so that nobody can make a key that gets the name of a former friend.
  package static func neutral(for id: NodeID, taken: (Petname) -> Bool) -> Petname {
    let name = "node-" + id.description.prefix(15).lowercased()
    var (candidate, number) = (Petname(known: name), 2)
    while taken(candidate) {
      candidate = Petname(known: "\(name)-\(number)")
      number += 1
    }
    return candidate
  }

  private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
    default: false
    }
  }

  /// Also marks, which are parts of letters.
  private static func isInside(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark: true
    default: "-_.".unicodeScalars.contains(scalar)
    }
  }
}

extension Petname: Hashable, Comparable, CustomStringConvertible {
  package static func == (a: Petname, b: Petname) -> Bool { a.folded == b.folded }
  package static func < (a: Petname, b: Petname) -> Bool { a.folded < b.folded }
  package func hash(into hasher: inout Hasher) { hasher.combine(folded) }
  package var description: String { text }
}

extension Petname: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(container.decode(String.self))
    } catch let error as TrustError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
