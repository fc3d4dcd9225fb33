import Mesh
import NIOCore
import Origins

extension HostedService {
  /// What answers for a definition. Throws where its target cannot be used; the error's description says why.
  convenience init(_ definition: ServiceDefinition, eventLoopGroup: any EventLoopGroup) throws {
    self.init(
      name: definition.name, title: definition.title, description: definition.description, target: definition.target,
      policy: definition.access,
      handler: try Target(
        definition.target, fingerprint: definition.fingerprint, insecure: definition.insecure,
        listing: definition.listing, app: definition.app
      ).makeHandler(
        title: definition.title ?? definition.name, app: definition.app, eventLoopGroup: eventLoopGroup))
  }
}
