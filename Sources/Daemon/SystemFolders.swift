import Control

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the system's node needs where no service manager has made it.
enum SystemFolders {
  static let socket = SocketPath.system

  /// `/run/hearth`, which others may enter: the socket's own mode says who may use it. Throws `SystemError`.
  static func makeRuntimeFolder() throws(SystemError) {
    let folder = String(socket[..<socket.lastIndex(of: "/")!])
    if mkdir(folder, 0o755) == 0 {
      chmod(folder, 0o755)
    } else if errno != EEXIST {
      throw SystemError("make", folder)
    }
  }
}
