/// Amounts of bytes for people: `512 B`, `1.5 KiB`, `12.0 MiB`.
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
}
