import Codecs

/// Which bytes of a file a `Range` field asks for (RFC 9110 §14.2).
enum ByteRange: Equatable {
  /// All: there is no range, or none that is understood. Of several ranges at once nobody is owed more (§14.2).
  case whole
  case part(ClosedRange<Int>)
  /// Nothing of the file is in it: 416.
  case unsatisfiable

  /// `size`: of the file, in bytes.
  init(_ field: String?, size: Int) {
    self = field.flatMap { Self.parse($0, size) } ?? .whole
  }

  private static func parse(_ field: String, _ size: Int) -> ByteRange? {
    let unit = "bytes="
    guard field.lowercased().hasPrefix(unit) else { return nil }
    let range = field.dropFirst(unit.count).filter { $0 != " " && $0 != "\t" }
    guard let dash = range.firstIndex(of: "-"), let first = position(range[..<dash]),
      let last = position(range[range.index(after: dash)...])
    else { return nil }
    switch (first, last) {
    case (nil, nil):
      return nil
    case (nil, let suffix?):
      return suffix == 0 || size == 0 ? .unsatisfiable : .part(max(size - suffix, 0)...size - 1)
    case (let first?, let last):
      if let last, last < first { return nil }
      return first >= size ? .unsatisfiable : .part(first...min(last ?? size - 1, size - 1))
    }
  }

  /// `.some(nil)` where there is none; nil where it is no number. A number too large for us is as good as the largest.
  private static func position(_ text: Substring) -> Int?? {
    guard text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
    return text.isEmpty ? .some(nil) : .some(Int(text) ?? Int.max)
  }
}
