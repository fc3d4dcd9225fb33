import Control
import Trust

extension ServiceDefinition {
  /// Throws `ControlError` where its rules cannot be meant. Whether its target can be used shows when it is served.
  init(_ name: String, _ service: ServiceResource) throws(ControlError) {
    let access: AccessPolicy
    do throws(TrustError) {
      access = try service.policy
    } catch {
      throw ControlError(.invalid, error.message)
    }
    self.init(
      name: name, target: service.target, title: service.title, description: service.description, access: access,
      fingerprint: service.fingerprint, insecure: service.insecure ?? false,
      listing: service.listing)
  }
}

extension ServiceResource {
  init(_ definition: ServiceDefinition) {
    self.init(
      target: definition.target, title: definition.title, description: definition.description,
      access: AccessResource(definition.access.access), methods: definition.access.methods?.sorted(),
      paths: definition.access.paths?.map(\.description), plaintext: definition.access.plaintext,
      fingerprint: definition.fingerprint, insecure: definition.insecure,
      listing: definition.listing)
  }
}
