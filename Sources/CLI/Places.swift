import Control
import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where things are for this user (XDG Base Directory), or for the whole machine when root.
struct Places {
  let environment: [String: String]
  let isRoot: Bool
  var exists: (String) -> Bool = { access($0, F_OK) == 0 }
  /// Whether it is in a folder that this user may not look into: there may be something.
  var isHidden: (String) -> Bool = { access($0, F_OK) != 0 && errno == EACCES }

  static var current: Places {
    Places(environment: ProcessInfo.processInfo.environment, isRoot: geteuid() == 0)
  }

  /// `$VARIABLE`, else a folder under `$HOME`; nil where neither is an absolute path.
  private func folder(_ variable: String, else standard: String) -> String? {
    if let path = environment[variable], path.hasPrefix("/") { return path }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return "\(home)/\(standard)"
  }

  /// The first that exists is read; none is fine.
  var configurations: [String] {
    let own = isRoot ? nil : folder("XDG_CONFIG_HOME", else: ".config").map { "\($0)/hearth/hearth.toml" }
    return [own, "/etc/hearth/hearth.toml"].compactMap { $0 }
  }

  var configuration: String? { configurations.first(where: exists) }

  /// `trusted.d` beside the configuration; where there is none, beside where one would be looked for.
  func trusted(beside configuration: String?) -> String? {
    let files = configuration.map { [$0] } ?? configurations
    let folders = files.map { file in
      file.contains("/") ? "\(file[..<file.lastIndex(of: "/")!])/trusted.d" : "trusted.d"
    }
    return folders.first(where: exists) ?? folders.first
  }

  /// The machine's own node.
  static let systemState = "/var/lib/hearth"

  /// Throws `CommandFailure` where a user has no home.
  var state: String {
    get throws(CommandFailure) {
      if isRoot { return Self.systemState }
      guard let folder = folder("XDG_STATE_HOME", else: ".local/state") else {
        throw CommandFailure(.usage, "neither XDG_STATE_HOME nor HOME is set: say where to keep state with --state DIR")
      }
      return "\(folder)/hearth"
    }
  }

  /// The socket a daemon listens on. Throws `CommandFailure` where a user has no runtime folder.
  func daemonSocket(_ option: String?) throws(CommandFailure) -> String {
    guard let path = option ?? SocketPath.forDaemon(environment: environment, isRoot: isRoot) else {
      throw CommandFailure(
        .usage, "XDG_RUNTIME_DIR is not set: say where the control socket shall be with --socket PATH")
    }
    return path
  }

  /// The socket of the daemon to ask.
  func clientSocket(_ option: String?) -> String {
    option ?? SocketPath.forClient(environment: environment, isRoot: isRoot, exists: { exists($0) || isHidden($0) })
  }
}
