import Codecs
package import HTTPX
package import XMPP

/// Where browsers of this machine find devices: each at an origin of its own, `http://<label>.localhost:<port>`.
package struct FrontAddress: Sendable, Hashable {
  /// Browsers resolve every name in it to loopback by themselves (RFC 6761 §6.3).
  package static let zone = "localhost"
  /// Of the list of devices. No device has this label, since those of devices have two hyphens inside.
  package static let dashboardLabel = "hearth"
  private static let suffix = "." + zone
  /// The port that URLs, and so `Host` and `Origin`, leave unsaid (RFC 9110 §4.2.1).
  private static let unsaidPort = 80

  /// TCP, on 127.0.0.1 and ::1.
  package let port: Int

  package init(port: Int) {
    self.port = port
  }

  /// The front whose list of devices is at this URL.
  package init?(dashboard url: String) {
    let port = url.split(separator: ":").last.flatMap { Int($0.prefix { $0 != "/" }) }
    self.init(port: port ?? Self.unsaidPort)
    guard dashboard == url else { return nil }
  }

  /// `http://hearth.localhost:8332/`
  package var dashboard: String { origin(Self.dashboardLabel) + "/" }

  /// `http://thermostat--pi.localhost:8332`
  package func origin(of device: JID) -> String { origin(DeviceLabel.label(of: device)) }

  /// `http://thermostat--pi.localhost:8332/`
  package func url(of device: JID) -> String { origin(of: device) + "/" }

  /// `http://thermostat--pi.localhost:8332/path?query#fragment`
  package func url(of uri: HTTPXURI) -> String {
    origin(of: uri.jid) + uri.path + (uri.fragment.map { "#" + $0 } ?? "")
  }

  /// `http://localhost:8332`
  var origin: String { origin(ofHost: Self.zone) }

  private func origin(_ label: String) -> String { origin(ofHost: label + Self.suffix) }

  private func origin(ofHost host: String) -> String {
    "http://\(host)" + (port == Self.unsaidPort ? "" : ":\(port)")
  }
}

extension FrontAddress {
  /// The host of `host[:port]` in small letters and without a final dot; nil where the port is not the front's, or the
  /// host has characters that no host name has.
  package func host(ofAuthority authority: some StringProtocol) -> String? {
    let bytes = authority.utf8.map(\.asciiLowercased)
    guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    var host = bytes[...]
    let said = Array(":\(port)".utf8)
    if host.suffix(said.count).elementsEqual(said) {
      host.removeLast(said.count)
    } else if port != Self.unsaidPort {
      return nil
    }
    // Behind the bracket of an IPv6 address there is no colon of its own, and in a name none at all.
    let tail = host.drop { $0 != UInt8(ascii: "]") }
    guard !(tail.isEmpty ? host : tail).contains(UInt8(ascii: ":")) else { return nil }
    if host.last == UInt8(ascii: ".") { host.removeLast() }
    return host.isEmpty ? nil : String(decoding: host, as: UTF8.self)
  }

  /// The label of a host in the zone: whatever stands before `.localhost`.
  package static func label(ofHost host: String) -> String? {
    host.utf8.count > suffix.utf8.count && host.hasSuffix(suffix) ? String(host.dropLast(suffix.count)) : nil
  }
}
