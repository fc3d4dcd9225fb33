import LinkLocal

extension FuzzTarget {
  /// `TXTRecord`, given as DNS has it, each string behind its length (RFC 6763 §6.1): what is published is within the limits, and
  /// read as what it was made of.
  static let txt = FuzzTarget("txt", longest: 2048) { bytes in
    let record = TXTRecord(decoding: strings(bytes))
    let encoded = record.encoded
    for string in encoded { require(string.count <= LinkLocalLimits.stringBytes, "A string of \(string.count) bytes") }
    let size = encoded.reduce(0) { $0 + $1.count + 1 }
    require(size <= LinkLocalLimits.recordBytes, "A record of \(size) bytes")
    let again = TXTRecord(decoding: encoded)
    // Where it has room for all, nothing is left out.
    if record.pairs.reduce(0, { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 }) <= LinkLocalLimits.recordBytes {
      requireEqual(record, again, "What was published is read as something else")
    }
    requireEqual(
      again, TXTRecord(decoding: again.encoded), "What was published once changes when it is published again")
    requireEqual(Set(record.pairs.map { $0.key.lowercased() }).count, record.pairs.count, "A key comes twice")
    for text in [record.nick, record.message, record.status].compactMap(\.self) {
      require(!text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "Not a line")
    }
    if let port = record.port { require((1...65535).contains(port), "Port \(port)") }
  }

  private static func strings(_ bytes: [UInt8]) -> [[UInt8]] {
    var strings: [[UInt8]] = []
    var rest = bytes[...]
    while let length = rest.popFirst() {
      strings.append(Array(rest.prefix(Int(length))))
      rest = rest.dropFirst(Int(length))
    }
    return strings
  }
}
