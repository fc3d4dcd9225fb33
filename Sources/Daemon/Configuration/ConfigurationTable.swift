import TOMLKit
import Trust

/// One table of the document, read strictly: what is not asked for is an error.
struct ConfigurationTable {
  let table: TOMLTable
  let path: [String]
  let file: String
  let locator: KeyLocator

  func failure(_ key: String?, _ message: String) -> ConfigurationError {
    let full = path + (key.map { [$0] } ?? [])
    return ConfigurationError(
      file: file, line: locator.line(of: full), key: full.isEmpty ? nil : full.joined(separator: "."), message: message)
  }

  /// Throws for the first key, in order of the alphabet, that is none of these.
  func allow(_ keys: [String]) throws(ConfigurationError) {
    if let unknown = table.keys.sorted().first(where: { !keys.contains($0) }) {
      throw failure(unknown, "unknown key; \(place) knows \(keys.joined(separator: ", "))")
    }
  }

  private var place: String { path.isEmpty ? "the file" : "[\(path.joined(separator: "."))]" }

  func string(_ key: String) throws(ConfigurationError) -> String? {
    guard let value = table[key] else { return nil }
    guard let text = value.string else { throw wrongType(key, value, "a string in quotes") }
    guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
      throw failure(key, "must be one line without control characters")
    }
    return text
  }

  func bool(_ key: String) throws(ConfigurationError) -> Bool? {
    guard let value = table[key] else { return nil }
    guard let bool = value.bool else { throw wrongType(key, value, "true or false") }
    return bool
  }

  func int(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
    guard let value = table[key] else { return nil }
    let wanted = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let int = value.int else { throw wrongType(key, value, wanted) }
    guard range.contains(int) else { throw failure(key, "\(int) is out of range; it must be \(wanted)") }
    return int
  }

  /// `example` is what a good list looks like.
  func strings(_ key: String, like example: [String]) throws(ConfigurationError) -> [String]? {
    guard let value = table[key] else { return nil }
    guard let array = value.array else { throw wrongType(key, value, "a list of strings, like \(example)") }
    var strings: [String] = []
    for index in 0..<array.count {
      guard let text = array[index].string, !text.isEmpty else {
        throw failure(key, "must be a list of non-empty strings; entry \(index + 1) is not one")
      }
      strings.append(text)
    }
    return strings
  }

  func table(_ key: String) throws(ConfigurationError) -> ConfigurationTable? {
    guard let value = table[key] else { return nil }
    guard let inner = value.table else {
      throw wrongType(key, value, "a table, written as [\((path + [key]).joined(separator: "."))]")
    }
    return ConfigurationTable(table: inner, path: path + [key], file: file, locator: locator)
  }

  /// Says at which key a rule of trust is broken.
  func checking<Value>(
    _ key: String, _ body: () throws(TrustError) -> Value
  ) throws(ConfigurationError) -> Value {
    do throws(TrustError) {
      return try body()
    } catch {
      throw failure(key, error.message)
    }
  }

  func wrongType(_ key: String, _ value: any TOMLValueConvertible, _ wanted: String) -> ConfigurationError {
    failure(key, "is \(value.type.words), and must be \(wanted)")
  }
}

extension TOMLType {
  /// As a person would name it, with article.
  var words: String {
    switch self {
    case .table: "a table"
    case .array: "a list"
    case .string: "a string"
    case .int: "a whole number"
    case .double: "a number with a fraction"
    case .bool: "true or false"
    case .date, .time, .dateTime: "a date or time"
    }
  }
}
