/// Why a node cannot be what its configuration says.
package enum DaemonError: Error, Equatable, CustomStringConvertible {
  /// It makes no address, and no other name is configured.
  case hostName(String)
  /// The target of a configured service cannot be used.
  case service(String, reason: String)
  /// The port for peers cannot be had.
  case port(String)

  package var description: String {
    switch self {
    case .hostName(let name):
      "the host name “\(name)” cannot be used: set machine under [node] in hearth.toml"
    case .service(let name, let reason): "services.\(name): \(reason)"
    case .port(let reason): "\(reason): stop what uses it, or choose another one (listen under [node] in hearth.toml)"
    }
  }
}
