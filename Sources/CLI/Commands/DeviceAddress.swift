import HTTPX

/// How a user names a device or something on it: an `httpx` URI, or the short form `thermostat@pi/path`.
enum DeviceAddress {
  /// Throws `CommandFailure`.
  static func parse(_ text: String) throws(CommandFailure) -> HTTPXURI {
    let isURI = text.prefix { $0 != "/" }.last == ":"
    do {
      return try HTTPXURI(isURI ? text : "httpx://\(text)")
    } catch {
      throw CommandFailure(.usage, error.message)
    }
  }
}
