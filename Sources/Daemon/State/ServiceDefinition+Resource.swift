import Control
import Origins
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
      listing: service.listing, app: try Self.app(service))
  }

  private static func app(_ service: ServiceResource) throws(ControlError) -> AppOptions {
    let word = service.host ?? AppOptions.Host.app.rawValue
    guard let host = AppOptions.Host(rawValue: word) else {
      throw ControlError(.invalid, "host is “\(word)”; it must be “app” or “browser”.")
    }
    return AppOptions(
      host: host, forwardedFor: service.forwardedFor ?? false, gadget: service.gadget ?? false,
      timeout: service.timeout,
      xml: service.xml ?? false)
  }
}

extension ServiceResource {
  init(_ definition: ServiceDefinition) {
    self.init(
      target: definition.target, title: definition.title, description: definition.description,
      access: AccessResource(definition.access.access, definition.access.accounts),
      public: definition.access.accounts.anyone ? ServiceResource.serversToo : nil,
      methods: definition.access.methods?.sorted(),
      paths: definition.access.paths?.map(\.description), plaintext: definition.access.plaintext,
      fingerprint: definition.fingerprint, insecure: definition.insecure,
      listing: definition.listing, host: definition.app.host == .app ? nil : definition.app.host.rawValue,
      forwardedFor: definition.app.forwardedFor ? true : nil, gadget: definition.app.gadget ? true : nil,
      timeout: definition.app.timeout, xml: definition.app.xml ? true : nil)
  }
}
