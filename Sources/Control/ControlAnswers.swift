package import HummingbirdCore
package import Mesh

/// What stands behind the control socket, as values: the node, its services, and the way out to the mesh.
package struct ControlAnswers: Sendable {
  package typealias Responder = HTTPChannelHandler.Responder

  /// Sorted by address; those that are gone included.
  package var devices: @Sendable () -> [Device]
  /// Every device known now, then each one that changes.
  package var deviceChanges: @Sendable () -> AsyncStream<Device>
  package var status: @Sendable () -> NodeStatus
  /// Throws `ControlError`.
  package var serve: @Sendable (_ name: String, ServiceResource) async throws -> ServedResource
  /// Throws `ControlError`.
  package var unserve: @Sendable (_ name: String) async throws -> Void
  /// Answers requests in absolute form, `GET httpx://user@machine/path`.
  package var proxy: Responder
  package var trust: TrustAnswers

  package init(
    devices: @escaping @Sendable () -> [Device], deviceChanges: @escaping @Sendable () -> AsyncStream<Device>,
    status: @escaping @Sendable () -> NodeStatus,
    serve: @escaping @Sendable (_ name: String, ServiceResource) async throws -> ServedResource,
    unserve: @escaping @Sendable (_ name: String) async throws -> Void, proxy: @escaping Responder, trust: TrustAnswers
  ) {
    self.devices = devices
    self.deviceChanges = deviceChanges
    self.status = status
    self.serve = serve
    self.unserve = unserve
    self.proxy = proxy
    self.trust = trust
  }
}
