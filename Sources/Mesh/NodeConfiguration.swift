package import HTTPX
import Streams

/// What makes a node the one it is.
package struct NodeConfiguration: Sendable {
  /// The node's own device name; it is announced as `name@machine` even when it serves nothing.
  package var name: String
  package var machine: String
  /// TCP port to listen on; nil: 5298 where it is free, else a free one.
  package var port: Int?
  /// Of the software, told to whoever asks (XEP-0092).
  package var version: String

  /// Bytes that streams may hold for their peers, all together; a quarter of them for strangers.
  package var memory: Int

  /// How bodies go beside their stanzas: the first that a peer allows.
  package var preference: [BodyMechanism]

  /// Whether each request is a line in the log.
  package var accessLog: Bool

  package static let standardMemory = MemoryBudget.standardLimit

  package init(
    name: String, machine: String, port: Int? = nil, version: String, memory: Int = standardMemory,
    preference: [BodyMechanism] = BodyMechanism.standard, accessLog: Bool = false
  ) {
    self.accessLog = accessLog
    self.preference = preference
    self.memory = memory
    self.version = version
    self.name = name
    self.machine = machine
    self.port = port
  }
}
