#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The desktop's browser.
enum Browser {
  /// Runs `xdg-open` without a shell and waits until it has handed the URL on. Throws `CommandFailure`.
  static func open(_ url: String) throws(CommandFailure) {
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("xdg-open"), strdup(url), nil]
    defer { arguments.forEach { free($0) } }
    var child = pid_t()
    let code = posix_spawnp(&child, "xdg-open", nil, nil, &arguments, environ)
    guard code == 0 else {
      throw CommandFailure(
        .failure, "cannot run xdg-open: \(String(cString: strerror(code))): open the address yourself")
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { return }
    }
    guard status == 0 else { throw CommandFailure(.failure, "xdg-open found no browser: open the address yourself") }
  }
}
