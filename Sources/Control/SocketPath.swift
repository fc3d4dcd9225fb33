import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where the control socket is, unless `--socket` or `HEARTH_SOCKET` say otherwise.
package enum SocketPath {
  package static let variable = "HEARTH_SOCKET"
  package static let system = "/run/hearth/hearth.sock"
  /// The longest path that fits a `sockaddr_un` (unix(7)), in bytes.
  package static let maximumLength = 107

  /// The socket a daemon listens on; nil where a user has no runtime folder.
  package static func forDaemon(environment: [String: String], isRoot: Bool) -> String? {
    if let path = named(environment) { return path }
    return isRoot ? system : user(environment)
  }

  /// The socket a client asks: the user's own daemon where its socket exists, else the system's, else the user's.
  package static func forClient(
    environment: [String: String], isRoot: Bool, exists: (String) -> Bool
  ) -> String {
    if let path = named(environment) { return path }
    guard !isRoot, let own = user(environment) else { return system }
    return exists(own) || !exists(system) ? own : system
  }

  private static func named(_ environment: [String: String]) -> String? {
    environment[variable].flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func user(_ environment: [String: String]) -> String? {
    environment["XDG_RUNTIME_DIR"].flatMap { $0.hasPrefix("/") ? "\($0)/hearth.sock" : nil }
  }
}
