import Codecs

/// In which order a folder's files are listed, as the query of its address says: `?sort=size&order=desc`.
struct ListingOrder: Equatable {
  enum Key: String, CaseIterable {
    case name
    case size
    case modified
  }

  var key = Key.name
  var isDescending = false

  init(_ key: Key = .name, isDescending: Bool = false) {
    self.key = key
    self.isDescending = isDescending
  }

  /// Takes a query with its question mark; what it does not know counts as absent.
  init(query: some StringProtocol) {
    for field in query.drop(while: { $0 == "?" }).split(separator: "&") {
      let parts = field.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "sort": key = Key(rawValue: String(parts[1])) ?? .name
      case "order": isDescending = parts[1] == "desc"
      default: continue
      }
    }
  }

  /// With its question mark; empty for the order that needs none.
  var query: String {
    self == ListingOrder() ? "" : "?sort=\(key.rawValue)&order=\(isDescending ? "desc" : "asc")"
  }

  /// What the head of a column leads to: the other way round, or by that column, its most interesting end first.
  func choosing(_ key: Key) -> ListingOrder {
    ListingOrder(key, isDescending: key == self.key ? !isDescending : key != .name)
  }

  /// Folders first, whichever way.
  func sorted(_ entries: [FolderListing.Entry]) -> [FolderListing.Entry] {
    entries.sorted { a, b in
      if a.isFolder != b.isFolder { return a.isFolder }
      return isDescending ? precedes(b, a) : precedes(a, b)
    }
  }

  private func precedes(_ a: FolderListing.Entry, _ b: FolderListing.Entry) -> Bool {
    switch key {
    case .size where a.size != b.size: a.size < b.size
    case .modified where a.modified != b.modified: a.modified < b.modified
    case .name, .size, .modified: Self.precedes(a.name, b.name)
    }
  }

  /// As people count: `2.jpg` before `10.jpg`, capital letters beside small ones.
  static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    var (rest, other) = (a[...], b[...])
    while let byte = rest.first, let otherByte = other.first {
      if byte.isASCIIDigit, otherByte.isASCIIDigit {
        let (number, otherNumber) = (takeNumber(&rest), takeNumber(&other))
        if number.count != otherNumber.count { return number.count < otherNumber.count }
        if number != otherNumber { return number.lexicographicallyPrecedes(otherNumber) }
      } else {
        let (letter, otherLetter) = (byte.asciiLowercased, otherByte.asciiLowercased)
        if letter != otherLetter { return letter < otherLetter }
        rest.removeFirst()
        other.removeFirst()
      }
    }
    return rest.isEmpty == other.isEmpty ? a.lexicographicallyPrecedes(b) : rest.isEmpty
  }

  /// The digits at the beginning, without zeros before them.
  private static func takeNumber(_ name: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let digits = name.prefix { $0.isASCIIDigit }
    name = name.dropFirst(digits.count)
    return digits.drop { $0 == UInt8(ascii: "0") }
  }
}
