package import HTTPTypes

/// What the `Content-Length` fields of a message say (RFC 9110 §8.6).
package enum ContentLength: Sendable, Hashable {
  case absent
  case bytes(Int)
  /// Not a number, or more than one.
  case invalid

  /// Takes one number, or the same one several times, in fields or in a list.
  package init(_ fields: HTTPFields) {
    self = .absent
    var next = fields.index(of: .contentLength)
    // Mostly there is one, and nothing but digits in it.
    if let number = next.flatMap({ fields.onlyContentLength(at: $0) }) {
      self = .bytes(number)
      return
    }
    while let index = next {
      let field = fields[index]
      next = fields.index(of: .contentLength, from: index + 1)
      if field.value.utf8.contains(UInt8(ascii: ",")) {
        for item in field.value.split(separator: ",", omittingEmptySubsequences: false) { take(item) }
      } else {
        take(field.value[...])
      }
    }
  }

  private mutating func take(_ item: Substring) {
    guard let number = Self.number(item.trimmingSpace), self == .absent || self == .bytes(number) else {
      self = .invalid
      return
    }
    self = .bytes(number)
  }

  /// nil where it is not said, or invalid.
  package var value: Int? {
    if case .bytes(let count) = self { count } else { nil }
  }

  /// Digits only; nil where the number is too large for an `Int`.
  package static func number(_ text: some StringProtocol) -> Int? {
    var number = 0
    for byte in text.utf8 {
      guard byte.isASCIIDigit else { return nil }
      let (tens, overflows) = number.multipliedReportingOverflow(by: 10)
      let (sum, isTooLarge) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !overflows, !isTooLarge else { return nil }
      number = sum
    }
    return text.isEmpty ? nil : number
  }
}

extension HTTPFields {
  /// What they say of the length. Said several times, it is said once from now on (RFC 9110 §8.6).
  package mutating func normalizeContentLength() -> ContentLength {
    if let number = index(of: .contentLength).flatMap({ onlyContentLength(at: $0) }) { return .bytes(number) }
    let length = ContentLength(self)
    if let count = length.value, !hasSingleContentLength { self[.contentLength] = String(count) }
    return length
  }

  /// The number in the first such field, where it is the only one and holds nothing else.
  fileprivate func onlyContentLength(at first: Int) -> Int? {
    index(of: .contentLength, from: first + 1) == nil ? ContentLength.number(self[first].value) : nil
  }

  /// One such field, with one item in it.
  private var hasSingleContentLength: Bool {
    onlyValue(of: .contentLength).map { !$0.utf8.contains(UInt8(ascii: ",")) } ?? false
  }
}
