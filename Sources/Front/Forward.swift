package import XMPP

/// A loopback port that is one device, for programs that know neither `*.localhost` nor proxies.
package struct Forward: Sendable, Hashable {
  /// TCP, on 127.0.0.1 and ::1.
  package let port: Int
  package let device: JID

  package init(port: Int, to device: JID) {
    self.port = port
    self.device = device
  }

  /// `http://localhost:6310`, which every program can resolve.
  package var origin: String { FrontAddress(port: port).origin }
}
