#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The file of the control socket.
enum SocketFile {
  /// Why a client could not connect, and what to do. The package keeps the socket in a folder that only the group looks into.
  static func reason(_ path: String) -> ControlError {
    if access(path, R_OK | W_OK) != 0, errno == EACCES {
      return ControlError(
        .notPermitted,
        "You may not use the control socket \(path): sudo adduser \"$USER\" \(ControlRights.group), then log in again; or use sudo."
      )
    }
    return ControlError(
      .noDaemon,
      "No hearth daemon answers on \(path): start one with `hearth daemon`, or name its socket with "
        + "--socket.")
  }
}
