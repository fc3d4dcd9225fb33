/// One thing that `hearth doctor` looked at, and what came out.
struct Check: Encodable, Equatable {
  enum Result: String, Encodable {
    case ok
    case failed
    /// It cannot be told, or does not matter here; the message says which.
    case unknown
  }

  /// What was looked at: one word, the same in every version.
  let check: String
  let result: Result
  /// What was found; for `failed`, the cause.
  let message: String
  /// What to do about it; null where nothing has to be done.
  let remedy: String?

  static func ok(_ check: String, _ message: String) -> Check { Check(check, .ok, message, nil) }
  static func failed(_ check: String, _ message: String, remedy: String? = nil) -> Check {
    Check(check, .failed, message, remedy)
  }
  static func unknown(_ check: String, _ message: String, remedy: String? = nil) -> Check {
    Check(check, .unknown, message, remedy)
  }

  private init(_ check: String, _ result: Result, _ message: String, _ remedy: String?) {
    (self.check, self.result, self.message, self.remedy) = (check, result, message, remedy)
  }

  private enum CodingKeys: CodingKey {
    case check, result, message, remedy
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(check, forKey: .check)
    try container.encode(result, forKey: .result)
    try container.encode(message, forKey: .message)
    try container.encode(remedy, forKey: .remedy)
  }
}

/// What `hearth doctor --json` prints.
struct CheckReport: Encodable {
  let checks: [Check]
}
