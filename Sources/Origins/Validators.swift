import Codecs
import HTTPTypes

/// What tells one state of a file from another, and the conditions that requests put on it (RFC 9110 §13).
struct Validators {
  enum Verdict {
    case proceed
    case notModified
    case preconditionFailed
  }

  /// Quoted, strong.
  let entityTag: String
  /// In seconds since 1970.
  let modified: Int

  /// The order is that of RFC 9110 §13.2.2; for GET and HEAD.
  func verdict(_ fields: HTTPFields) -> Verdict {
    if let tags = fields[.ifMatch] {
      guard matches(tags, weakly: false) else { return .preconditionFailed }
    } else if let date = fields[.ifUnmodifiedSince].flatMap(HTTPDate.seconds), modified > date {
      return .preconditionFailed
    }
    if let tags = fields[.ifNoneMatch] {
      return matches(tags, weakly: true) ? .notModified : .proceed
    }
    if let date = fields[.ifModifiedSince].flatMap(HTTPDate.seconds), modified <= date { return .notModified }
    return .proceed
  }

  /// Whether a range is wanted of this very state (§13.1.5): a date must be exact, a tag strong.
  func allowsRange(_ fields: HTTPFields) -> Bool {
    guard let condition = fields[.ifRange] else { return true }
    return condition == entityTag || HTTPDate.seconds(condition) == modified
  }

  private func matches(_ list: String, weakly: Bool) -> Bool {
    if list == "*" { return true }
    var rest = list[...]
    while let quote = rest.firstIndex(of: "\"") {
      let isWeak = rest[..<quote].hasSuffix("W/")
      guard let end = rest[rest.index(after: quote)...].firstIndex(of: "\"") else { return false }
      if rest[quote...end] == entityTag, weakly || !isWeak { return true }
      rest = rest[rest.index(after: end)...]
    }
    return false
  }
}
