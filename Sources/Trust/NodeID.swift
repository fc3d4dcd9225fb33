import Codecs

/// Who a node is: the SHA-256 of its public key (DER SubjectPublicKeyInfo).
///
/// Written as Syncthing writes its device ids: base32, a check digit behind each 13 characters, eight groups of seven.
/// One id has one such text.
package struct NodeID: Sendable, Hashable {
  /// A reference, since requests take the ids of nodes along.
  private final class Value: Sendable {
    let digest: [UInt8]
    let description: String

    init(_ digest: [UInt8]) { (self.digest, description) = (digest, NodeID.text(of: digest)) }
  }

  private let value: Value

  /// 32 bytes.
  package var digest: [UInt8] { value.digest }
  /// All eight groups; made once, since each request that an app gets says it.
  package var description: String { value.description }

  private static let groupLength = 7
  /// Characters with a check digit of their own; four such parts make an id.
  private static let partLength = 13
  private static let textLength = 56

  /// nil where it is not 32 bytes long.
  package init?(digest: [UInt8]) {
    guard digest.count == TrustLimits.digestBytes else { return nil }
    value = Value(digest)
  }

  /// Reads an id as people type it: any case, with or without hyphens and spaces, 0 for O, 1 for I, 8 for B.
  ///
  /// Throws `nodeID` where characters are missing, strange, or do not fit their check digit.
  package init(_ text: String) throws(TrustError) {
    let characters = Self.normalized(text)
    guard characters.count == Self.textLength else {
      throw TrustError(
        .nodeID,
        "a node id has \(Self.textLength) letters and digits, this one has \(characters.count): copy all eight groups")
    }
    var checked: [UInt8] = []
    for start in stride(from: 0, to: Self.textLength, by: Self.partLength + 1) {
      let part = characters[start..<start + Self.partLength]
      guard let digit = Self.checkDigit(of: part), digit == characters[start + Self.partLength] else {
        let groups = Self.grouped(characters[start...start + Self.partLength])
        throw TrustError(.nodeID, "this node id has a typo in \(groups)")
      }
      checked += part
    }
    guard let digest = Base32.uppercase.decode(checked), digest.count == TrustLimits.digestBytes
    else { throw TrustError(.nodeID, "this node id has a typo in its last group") }
    value = Value(digest)
  }

  package static func == (a: NodeID, b: NodeID) -> Bool { a.value === b.value || a.digest == b.digest }
  package func hash(into hasher: inout Hasher) { hasher.combine(digest) }

  /// Without what people put between the characters, and with the misread digits as the letters that they stand for.
  static func normalized(_ text: String) -> [UInt8] {
    text.utf8.compactMap { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"): byte & 0xDF
      case UInt8(ascii: "0"): UInt8(ascii: "O")
      case UInt8(ascii: "1"): UInt8(ascii: "I")
      case UInt8(ascii: "8"): UInt8(ascii: "B")
      case UInt8(ascii: "-"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): nil
      default: byte
      }
    }
  }

  /// Syncthing's variant of Luhn mod 32: factors 1 and 2 from the left. nil where a character is not base32.
  private static func checkDigit(of part: some Sequence<UInt8>) -> UInt8? {
    var (sum, factor) = (0, 1)
    for character in part {
      guard let value = Base32.uppercase.value(of: character) else { return nil }
      let addend = value * factor
      sum += addend / 32 + addend % 32
      factor = 3 - factor
    }
    return Base32.uppercase.character((32 - sum % 32) % 32)
  }

  private static func grouped(_ characters: some Collection<UInt8>) -> String {
    var rest = Array(characters)[...]
    var groups: [String] = []
    while !rest.isEmpty {
      groups.append(String(decoding: rest.prefix(groupLength), as: UTF8.self))
      rest = rest.dropFirst(groupLength)
    }
    return groups.joined(separator: "-")
  }
}

extension NodeID: CustomStringConvertible, Comparable {
  fileprivate static func text(of digest: [UInt8]) -> String {
    let characters = Array(Base32.uppercase.encode(digest).utf8)
    let checked = stride(from: 0, to: characters.count, by: partLength).flatMap { start in
      let part = characters[start..<start + partLength]
      return part + [checkDigit(of: part) ?? UInt8(ascii: "?")]
    }
    return grouped(checked)
  }

  /// The first group: to tell nodes apart at a glance, 35 bits that an attacker can imitate.
  package var short: String { String(description.prefix(Self.groupLength)) }

  package static func < (a: NodeID, b: NodeID) -> Bool { a.digest.lexicographicallyPrecedes(b.digest) }
}

extension NodeID: Codable {
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
    try container.encode(description)
  }
}
