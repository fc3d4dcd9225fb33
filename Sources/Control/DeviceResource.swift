package import FoundationEssentials

/// A device as the control socket and `hearth devices --json` show it, schema 1.
package struct DeviceResource: Codable, Sendable, Hashable {
  package struct Address: Codable, Sendable, Hashable {
    package let address: String
    package let port: Int
    /// The interface's name, as in `eth0`.
    package let interface: String

    package init(address: String, port: Int, interface: String) {
      self.address = address
      self.port = port
      self.interface = interface
    }
  }

  package let jid: String
  package let name: String
  package let online: Bool
  /// Whether it answers HTTP; null while nobody has asked it.
  package let http: Bool?
  /// `avail`, `away`, `dnd`, or what a foreign client says.
  package let status: String
  package let message: String?
  /// Where it can be reached; none once it is gone.
  package let addresses: [Address]
  /// When the link last told of it (ISO 8601, UTC).
  package let seen: Date
  /// What a browser on this machine opens; null where that would lead nowhere.
  package let url: String?

  package init(
    jid: String, name: String, online: Bool, http: Bool?, status: String, message: String?, addresses: [Address],
    seen: Date, url: String?
  ) {
    self.jid = jid
    self.name = name
    self.online = online
    self.http = http
    self.status = status
    self.message = message
    self.addresses = addresses
    self.seen = seen
    self.url = url
  }

  /// Written out because the synthesized one leaves out keys that are null, and readers count on each.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(jid, forKey: .jid)
    try container.encode(name, forKey: .name)
    try container.encode(online, forKey: .online)
    try container.encode(http, forKey: .http)
    try container.encode(status, forKey: .status)
    try container.encode(message, forKey: .message)
    try container.encode(addresses, forKey: .addresses)
    try container.encode(seen, forKey: .seen)
    try container.encode(url, forKey: .url)
  }
}

/// The answer to `GET /v1/devices`.
package struct DeviceList: Codable, Sendable, Hashable {
  package let schema: Int
  package let devices: [DeviceResource]

  package init(_ devices: [DeviceResource]) {
    schema = 1
    self.devices = devices
  }
}
