import COpenSSL

/// OpenSSL's list of errors, of which each thread has one: what a call leaves there would be taken for the next one's.
enum ErrorQueue {
  struct Entry {
    let library: Int32
    let reason: Int32
    let text: String
  }

  /// To be called before a call whose errors are wanted, and after one whose errors are not.
  static func clear() {
    _ = Library.isReady
    ERR_clear_error()
  }

  /// Empties the queue; the oldest comes first, and is the cause as a rule.
  static func drain() -> [Entry] {
    var entries: [Entry] = []
    while true {
      let code = ERR_get_error()
      guard code != 0 else { return entries }
      let text = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
      entries.append(Entry(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: text))
    }
  }

  /// The queue as an error of ours, and the queue is empty.
  static func error(_ code: TLSError.Code, _ message: String) -> TLSError {
    let reasons = drain().map(\.text)
    return TLSError(code, reasons.isEmpty ? message : "\(message): \(reasons.joined(separator: ", "))")
  }
}
