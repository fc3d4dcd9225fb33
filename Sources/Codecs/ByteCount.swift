/// Amounts of bytes for people: `512 B`, `1.5 KiB`, `12.0 MiB`; and as people write them: `64MiB`, `65536`.
package enum ByteCount {
  private static let units = ["KiB", "MiB", "GiB", "TiB"]

  package static func text(_ bytes: Int) -> String {
    guard bytes >= 1024 else { return "\(bytes) B" }
    var value = Double(bytes) / 1024
    var unit = 0
    while value >= 1023.95, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }

  /// A whole number with a unit, `B` where there is none, with or without a space between; nil for anything else, and for what is
  /// no `Int`.
  package static func parse(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return nil }
    var unit = text.dropFirst(digits.count)
    if unit.first == " " { unit = unit.dropFirst() }
    if unit == "B" || digits.count == text.count { return number }
    guard let power = units.firstIndex(of: String(unit)) else { return nil }
    let (bytes, overflows) = number.multipliedReportingOverflow(by: 1 << (10 * (power + 1)))
    return overflows ? nil : bytes
  }
}
