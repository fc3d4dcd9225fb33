/// Why a configuration cannot be used; nothing starts with it.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  let file: String
  /// Counted from 1; nil where no line is to blame.
  var line: Int?
  /// The dotted path of the key, as in `services.tv.target`.
  var key: String?
  /// What is wrong, and what is allowed.
  let message: String

  package var description: String {
    var place = file
    if let line { place += ":\(line)" }
    guard let key else { return "\(place): \(message)" }
    return "\(place): \(key): \(message)"
  }
}
