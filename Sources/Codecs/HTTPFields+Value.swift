package import HTTPTypes

extension HTTPFields {
  /// Where the first field of this name is, from `start` on.
  ///
  /// Searches by closure copy each field that they look at, and a message is searched for a dozen names.
  package func index(of name: HTTPField.Name, from start: Int = 0) -> Int? {
    let wanted = name.canonicalName
    let length = wanted.utf8.count
    var index = start
    while index < endIndex {
      let other = self[index].name.canonicalName
      if other.utf8.count == length, other == wanted { return index }
      index += 1
    }
    return nil
  }

  /// The same for the first field that has one of these names.
  package func index(in names: FieldNameSet, from start: Int = 0) -> Int? {
    var index = start
    while index < endIndex {
      if names.contains(self[index].name) { return index }
      index += 1
    }
    return nil
  }

  package func has(_ name: HTTPField.Name) -> Bool { index(of: name) != nil }

  /// The value of the field with this name; where there are several, all of them in one list (RFC 9110 §5.3).
  ///
  /// The same as by subscript, without making a list of the one that there mostly is.
  package func value(of name: HTTPField.Name) -> String? {
    guard let first = index(of: name) else { return nil }
    return index(of: name, from: first + 1) == nil ? self[first].value : self[name]
  }

  /// The value of the field with this name, where there is one and no more.
  package func onlyValue(of name: HTTPField.Name) -> String? {
    guard let first = index(of: name), index(of: name, from: first + 1) == nil else { return nil }
    return self[first].value
  }
}

extension HTTPField.Name {
  /// The one that HTTPTypes has no constant for, since it keeps it as the authority.
  package static let host = HTTPField.Name("Host")!
}
