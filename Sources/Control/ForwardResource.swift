package import Front
import XMPP

/// A forward as the control socket and `hearth forward --json` show it; a property for each key.
package struct ForwardResource: Codable, Sendable, Hashable {
  /// The address of the device, as in `printer@pi`.
  package let device: String
  /// TCP, on 127.0.0.1 and ::1.
  package let port: Int
  /// Where programs of this machine find the device.
  package let url: String
  /// Whether it stands in `hearth.toml`.
  package let configured: Bool
  /// Why the port is not listened on; null while it is.
  @Nullable package private(set) var problem: String?

  package init(_ forward: Forward, configured: Bool, problem: String?) {
    device = forward.device.text
    port = forward.port
    url = forward.origin + "/"
    self.configured = configured
    self.problem = problem
  }
}

/// The answer to `GET /v1/forwards`, by port.
package struct ForwardList: Codable, Sendable, Hashable {
  package let forwards: [ForwardResource]

  package init(_ forwards: [ForwardResource]) {
    self.forwards = forwards
  }
}

/// What `POST /v1/forwards` takes; a property for each key.
package struct ForwardRequest: Codable, Sendable, Hashable {
  package let device: String
  /// Nil: one that is free.
  package let port: Int?

  package init(device: String, port: Int?) {
    self.device = device
    self.port = port
  }
}

/// What `POST /v1/forwards` answers.
package struct OpenedForwardResource: Codable, Sendable, Hashable {
  package let forward: ForwardResource
  /// What the owner should know, in whole sentences.
  package let warnings: [String]

  package init(_ forward: ForwardResource, warnings: [String]) {
    self.forward = forward
    self.warnings = warnings
  }
}
