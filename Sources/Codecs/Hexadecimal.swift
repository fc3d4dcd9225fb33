/// Bytes as pairs of hexadecimal digits (RFC 4648 §8).
package enum Hexadecimal {
  private static let digits = Array("0123456789ABCDEF".utf8)

  /// The digit of a value from 0 to 15, a capital letter from 10 on.
  static func digit(_ value: UInt8) -> UInt8 { digits[Int(value & 15)] }

  /// Digits in either case.
  static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// The value of each digit; nil where one is none.
  package static func values(of digits: some Sequence<UInt8>) -> [UInt8]? {
    var values: [UInt8] = []
    for digit in digits {
      guard let value = value(of: digit) else { return nil }
      values.append(value)
    }
    return values
  }

  /// nil where a character is no digit, or one is left over.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var rest = text.utf8.makeIterator()
    while let first = rest.next() {
      guard let high = value(of: first), let low = rest.next().flatMap(value) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}
