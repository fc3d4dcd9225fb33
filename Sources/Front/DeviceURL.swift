import HTTPX
package import XMPP

/// Where a browser on this machine finds a device.
package enum DeviceURL {
  /// `http://thermostat--pi.localhost:8332/`
  package static func front(of jid: JID, port: Int) -> String {
    let suffix = port == 80 ? "" : ":\(port)"
    return "http://\(DeviceLabel.label(of: jid)).\(HostGate.zone)\(suffix)/"
  }
}
