import HTTPEdge

/// What would keep a daemon from starting here, as far as files and ports tell: for `hearth doctor` where none runs.
package struct StartObstacle: Sendable {
  package enum Kind: String, Sendable {
    case configuration
    case state
    case port
  }

  package let kind: Kind
  /// In the words of the daemon itself.
  package let reason: String

  /// Looks, and changes nothing.
  ///
  /// - Parameters:
  ///   - file: `hearth.toml`; nil: the defaults.
  ///   - trusted: the folder `trusted.d`; nil where there can be none.
  ///   - folders: of state, of which those are looked at that exist.
  package static func all(file: String?, trusted: String?, folders: [String]) -> [StartObstacle] {
    var obstacles: [StartObstacle] = []
    var front: Int? = Configuration().front.port
    do {
      let configuration = try file.map(ConfigurationFile.read) ?? Configuration()
      front = configuration.front.enabled ? configuration.front.port : nil
      _ = try TrustedFolder.read(trusted)
      _ = try MachineName.of(configuration.node)
    } catch {
      obstacles.append(StartObstacle(kind: .configuration, reason: "\(error)"))
    }
    obstacles += folders.compactMap { StateFolder.exposure($0) }.map { StartObstacle(kind: .state, reason: "\($0)") }
    if let front, PortHolder.free(from: front, count: 1) == nil {
      let holder = PortHolder.name(ofPort: front) ?? "another program"
      obstacles.append(StartObstacle(kind: .port, reason: "\(holder) has port \(front), which is for browsers"))
    }
    return obstacles
  }
}
