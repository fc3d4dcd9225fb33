/// Asked for each byte: public, since of what is `package` nothing is inlined in another module (Swift 6.3).
extension UInt8 {
  /// `0` to `9`.
  @inlinable public var isASCIIDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

  /// The small letter where it is a capital one of ASCII.
  @inlinable public var asciiLowercased: UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
  }

  /// Space or tab: the optional white space of HTTP (RFC 9110 §5.6.3).
  @inlinable public var isOptionalSpace: Bool { self == 0x20 || self == 0x09 }
}

extension String {
  /// With small letters for the capital ones of ASCII, as DNS labels and tokens compare; other bytes stay.
  package var asciiLowercased: String {
    guard utf8.contains(where: { $0 != $0.asciiLowercased }) else { return self }
    return String(unsafeUninitializedCapacity: utf8.count) { buffer in
      for (index, byte) in utf8.enumerated() { buffer[index] = byte.asciiLowercased }
      return utf8.count
    }
  }

  /// Without spaces and tabs at both ends (RFC 9110 §5.6.3).
  package var trimmingSpace: Substring { self[...].trimmingSpace }

  /// The same as a string: itself where there are none.
  package var trimmed: String {
    var text = self
    let isTrimmed = text.withUTF8 { $0.first?.isOptionalSpace != true && $0.last?.isOptionalSpace != true }
    return isTrimmed ? text : String(trimmingSpace)
  }
}

extension Substring {
  /// Without spaces and tabs at both ends (RFC 9110 §5.6.3).
  package var trimmingSpace: Substring { Substring(utf8.trimmingSpace) }
}

extension Substring.UTF8View {
  /// Without spaces and tabs at both ends (RFC 9110 §5.6.3).
  package var trimmingSpace: Substring.UTF8View {
    guard let first = firstIndex(where: { !$0.isOptionalSpace }), let last = lastIndex(where: { !$0.isOptionalSpace })
    else { return self[endIndex...] }
    return self[first...last]
  }
}
