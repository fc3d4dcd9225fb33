package import HTTPTypes

extension HTTPFields {
  /// The value of the field with this name; where there are several, all of them in one list (RFC 9110 §5.3).
  ///
  /// The same as by subscript, without making a list of the one that there mostly is.
  package func value(of name: HTTPField.Name) -> String? {
    guard let first = firstIndex(where: { $0.name == name }) else { return nil }
    return self[(first + 1)...].contains { $0.name == name } ? self[name] : self[first].value
  }

  /// Takes all fields of this name out, which is in small letters, and returns their values.
  package mutating func take(_ name: String) -> [String] {
    var values: [String] = []
    var start = startIndex
    while let index = self[start...].firstIndex(where: { $0.name.canonicalName == name }) {
      values.append(remove(at: index).value)
      start = index
    }
    return values
  }
}
