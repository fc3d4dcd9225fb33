package import HTTPTypes

/// Fields whose values are references to resources, or hold some.
extension HTTPFields {
  /// Maps each reference in the fields of a response that lead somewhere: `Location`, `Content-Location`, `Refresh`, `Link`
  /// (RFC 8288) and `Destination`. Values that stay the same are not touched, bytes beyond ASCII included.
  package mutating func mapReferencesOfResponse(_ map: (String) -> String) {
    mapReferences(Self.referencesOfResponse, map)
  }

  /// The same for those of a request that name its origin or another resource there: `Origin`, `Referer`, and WebDAV's
  /// `Destination` and `If` (RFC 4918 §10).
  package mutating func mapReferencesOfRequest(_ map: (String) -> String) {
    mapReferences(Self.referencesOfRequest, map)
  }

  private mutating func mapReferences(_ names: FieldNameSet, _ map: (String) -> String) {
    var next = index(in: names)
    while let index = next {
      defer { next = self.index(in: names, from: index + 1) }
      switch self[index].name.canonicalName {
      case "refresh": mapValue(at: index) { Refresh.mapping($0, map) }
      case "link", "if": mapValue(at: index) { Self.mappingBrackets($0, map) }
      default: mapValue(at: index, map)
      }
    }
  }

  /// Leaves a value that stays the same untouched, bytes beyond ASCII included.
  package mutating func mapValue(at index: Int, _ map: (String) -> String) {
    let value = self[index].value
    let mapped = map(value)
    if mapped != value { self[index].value = mapped }
  }

  /// Maps what stands between `<` and `>`.
  private static func mappingBrackets(_ value: String, _ map: (String) -> String) -> String {
    var (result, rest) = ("", value[...])
    while let start = rest.firstIndex(of: "<"), let end = rest[start...].firstIndex(of: ">") {
      result += rest[...start]
      result += map(String(rest[rest.index(after: start)..<end]))
      rest = rest[end...]
    }
    return result + rest
  }

  private static let referencesOfResponse = FieldNameSet([
    "location", "content-location", "refresh", "link", "destination",
  ])
  private static let referencesOfRequest = FieldNameSet(["origin", "referer", "destination", "if"])
}
