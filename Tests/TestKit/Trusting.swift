import Logging
package import Mesh
package import Trust
import TLS

extension TrustService {
  /// Of a node with a fresh key, which nobody keeps.
  package static func fresh(
    _ name: String = "test", mode: RequestMode = .ask, save: @escaping @Sendable ([UInt8]) throws -> Void = { _ in }
  ) throws -> TrustService {
    try TrustService(
      identity: try Identity.generate(name: name), stored: nil, mode: mode,
      logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() }, save: save)
  }
}

extension HostedService {
  /// Open to all and in plaintext as well, or for friends only.
  package convenience init(
    name: String, title: String? = nil, target: String, plaintext: Bool, handler: any ServiceHandler
  ) {
    // These two combinations contradict nothing.
    let policy =
      plaintext ? try? AccessPolicy(access: .public, plaintext: true) : try? AccessPolicy(access: .friends)
    self.init(name: name, title: title, target: target, policy: policy!, handler: handler)
  }
}
