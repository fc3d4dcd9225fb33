/// The TXT record of a `_presence._tcp` instance (XEP-0174 §3.1): key=value pairs, in order, no key twice.
///
/// Keys compare without regard to ASCII case (RFC 6763 §6.4). An empty value is a missing one, as some clients
/// announce every key that they know.
package struct TXTRecord: Sendable, Hashable {
  package struct Pair: Sendable, Hashable {
    package let key: String
    package let value: String
  }

  package private(set) var pairs: [Pair] = []

  /// Leaves out nil and empty values, repeated keys and keys that DNS-SD cannot carry.
  package init(_ pairs: KeyValuePairs<String, String?> = [:]) {
    for (key, value) in pairs {
      guard let value, !value.isEmpty, Self.isKey(key.utf8), self[key] == nil else { continue }
      self.pairs.append(Pair(key: key, value: value))
    }
  }

  /// Reads what a peer announces. Nothing is required and nothing fails: of repeated keys the first counts, whatever
  /// it holds (RFC 6763 §6.4), and a value that is not UTF-8 costs only its own key.
  package init(decoding strings: some Sequence<[UInt8]>) {
    var seen: Set<String> = []
    var room = LinkLocalLimits.receivedBytes
    for string in strings.prefix(LinkLocalLimits.strings) {
      room -= string.count
      guard room >= 0 else { break }
      let parts = string.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first, Self.isKey(name) else { continue }
      let key = String(decoding: name, as: UTF8.self)
      guard seen.insert(key.lowercased()).inserted, parts.count == 2,
        let value = String(validating: parts[1], as: UTF8.self), !value.isEmpty
      else { continue }
      pairs.append(Pair(key: key, value: value))
    }
  }

  /// The strings to publish, in order: each at most 255 bytes, all together at most 1,300.
  /// A longer value is cut between characters; pairs that no longer fit are left out.
  package var encoded: [[UInt8]] {
    var room = LinkLocalLimits.recordBytes
    return pairs.compactMap { pair in
      let value = pair.value.cut(toBytes: LinkLocalLimits.stringBytes - pair.key.utf8.count - 1)
      let string = Array("\(pair.key)=\(value)".utf8)
      guard !value.isEmpty, string.count < room else { return nil }
      room -= string.count + 1
      return string
    }
  }

  package subscript(key: String) -> String? {
    let wanted = key.lowercased()
    return pairs.first { $0.key.lowercased() == wanted }?.value
  }

  /// Printable ASCII without `=`, at least one character (RFC 6763 §6.4).
  private static func isKey(_ bytes: some Collection<UInt8>) -> Bool {
    !bytes.isEmpty && bytes.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
  }
}

extension String {
  /// The longest beginning of whole characters that has at most `limit` bytes of UTF-8.
  func cut(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var bytes = 0
    return String(
      prefix { character in
        bytes += character.utf8.count
        return bytes <= limit
      })
  }
}
