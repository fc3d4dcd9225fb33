import Logging
package import Mesh
package import Trust
import TLS

extension Friendships {
  /// Of a node with a fresh key, which nobody keeps.
  package static func fresh(
    _ name: String = "test", mode: RequestMode = .ask, save: @escaping @Sendable ([UInt8]) throws -> Void = { _ in }
  ) throws -> Friendships {
    try Friendships(
      identity: try Identity.generate(name: name), stored: nil, mode: mode,
      logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() }, save: save)
  }
}

extension HostedService {
  /// Open to all and in plaintext as well, or for friends only.
  package init(name: String, title: String? = nil, target: String, plaintext: Bool, origin: any Origin) {
    // These two combinations contradict nothing.
    let policy =
      plaintext ? try? AccessPolicy(access: .public, plaintext: true) : try? AccessPolicy(access: .friends)
    self.init(name: name, title: title, target: target, policy: policy!, origin: origin)
  }
}
