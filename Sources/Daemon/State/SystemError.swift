#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A system call that failed on a file.
package struct SystemError: Error, CustomStringConvertible {
  let path: String
  /// What was tried, as in `write`.
  let operation: String
  package let code: Int32

  /// Takes the reason from `errno`.
  package init(_ operation: String, _ path: String) {
    self.init(operation, path, code: errno)
  }

  package init(_ operation: String, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// Something else than a file is there: a pipe would be waited for.
  static func noFile(_ path: String) -> SystemError { SystemError("read", path, code: noFile) }
  /// No number of errno's.
  private static let noFile: Int32 = -1

  var reason: String { code == Self.noFile ? "it is no ordinary file" : String(cString: strerror(code)) }
  package var description: String { "cannot \(operation) \(path): \(reason)" }
}
