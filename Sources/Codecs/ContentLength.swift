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
    text.utf8.allSatisfy(\.isASCIIDigit) ? Int(text) : nil
  }
}

extension HTTPFields {
  /// Said several times, it is said once (RFC 9110 §8.6).
  package mutating func sayContentLengthOnce(_ count: Int) {
    if !hasSingleContentLength { self[.contentLength] = String(count) }
  }

  /// One such field, with one item in it.
  private var hasSingleContentLength: Bool {
    onlyValue(of: .contentLength).map { !$0.utf8.contains(UInt8(ascii: ",")) } ?? false
  }
}
