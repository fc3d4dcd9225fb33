#if canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension UnsafeRawBufferPointer {
  /// Where the byte is first, from `start` on; nil where it is not. At the speed of `memchr`.
  package func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    guard start < count, let found = memchr(baseAddress! + start, Int32(byte), count - start) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(baseAddress!)
  }

  /// The bytes as a string; nil where they are not UTF-8.
  package var text: String? {
    // Validation costs five times as much as this.
    var all: UInt8 = 0
    for byte in self { all |= byte }
    return all < 0x80 ? String(decoding: self, as: UTF8.self) : String(validating: self, as: UTF8.self)
  }

  /// Whether these are the same bytes, but for capital letters of ASCII in `self`.
  package func equals(lowercased other: StaticString) -> Bool {
    guard count == other.utf8CodeUnitCount else { return false }
    for index in 0..<count where self[index].asciiLowercased != other.utf8Start[index] { return false }
    return true
  }

  /// Without spaces and tabs at both ends (RFC 9110 §5.6.3).
  package var trimmed: UnsafeRawBufferPointer {
    var (start, end) = (0, count)
    while start < end, self[start].isOptionalSpace { start += 1 }
    while end > start, self[end - 1].isOptionalSpace { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: self[start..<end])
  }
}
