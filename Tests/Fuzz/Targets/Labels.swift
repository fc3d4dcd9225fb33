import Codecs
import Front
import HTTPTypes
import HTTPX
import XMPP

extension FuzzTarget {
  /// Devices by the names that browsers have for them: label ⇄ address, hosts of the front, what its gate makes of a `Host`.
  static let labels = FuzzTarget("labels", longest: 256) { bytes in
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    if let jid = JID(bare: text) { check(jid) }
    if let jid = DeviceLabel.jid(ofLabel: text) {
      requireEqual(DeviceLabel.label(of: jid), text, "A label stands for a device with another one")
    }
    for front in [FrontAddress(port: 8332), FrontAddress(port: 80)] {
      // Of several dots at the end one is taken: what is left is no name.
      if let host = front.host(ofAuthority: text), !host.hasSuffix(".") {
        requireEqual(
          front.host(ofAuthority: front.port == 80 ? host : host + ":8332"), host, "Another host the next time")
        if let label = FrontAddress.label(ofHost: host) { requireEqual(label + ".localhost", host, "Another host") }
      }
      checkGate(text, front)
      checkOrigin(text, front)
    }
  }

  private static func check(_ jid: JID) {
    let label = DeviceLabel.label(of: jid)
    require((1...DNSLabel.maximumLength).contains(label.utf8.count), "A label of \(label.utf8.count) bytes: \(label)")
    require(label.utf8.allSatisfy { plain.contains($0) }, "No label: \(label)")
    require(!label.hasPrefix("-") && !label.hasSuffix("-") && !label.hasPrefix("xn--"), "No label: \(label)")
    requireEqual(label, DeviceLabel.label(of: JID(bare: jid.text.asciiLowercased) ?? jid), "The case counts")
    if let back = DeviceLabel.jid(ofLabel: label) { requireEqual(back, jid, "\(label) stands for another device") }
    let front = FrontAddress(port: 8332)
    requireEqual(front.host(ofAuthority: "\(label).localhost:8332"), "\(label).localhost", "The front does not know it")
  }

  private static let plain = ASCIISet("abcdefghijklmnopqrstuvwxyz0123456789-")

  /// By its `Host`, and by its target.
  private static func checkGate(_ text: String, _ front: FrontAddress) {
    let gate = HostGate(front: front) { DeviceLabel.jid(ofLabel: $0) }
    for (authority, path) in [(text, "/a?b"), ("t--pi.localhost:8332", text), ("t--pi.localhost", "http://\(text)")] {
      let request = HTTPRequest(method: .get, scheme: "http", authority: authority, path: path)
      switch gate.destination(of: request) {
      case .device(_, let path, _), .dashboard(let path, _):
        guard let target = RequestTarget(path) else { fatalError("No request line carries “\(path)”") }
        require(target.form == .origin && target.isASCII, "Not a path: \(path)")
      case .absolute(let uri): require(uri.path.hasPrefix("/"), "Not a path: \(uri.path)")
      case .redirectToDashboard, .misdirected, .badRequest, .notAProxy: break
      }
    }
  }

  /// A reference of the device's for the browser, and the browser's for the device.
  private static func checkOrigin(_ text: String, _ front: FrontAddress) {
    let origin = DeviceOrigin(of: JID("t@pi")!, at: front)
    let seen = origin.forBrowser(text)
    requireEqual(origin.forBrowser(seen), seen, "A reference that is the browser's already changes again")
    let back = origin.forDevice(text)
    requireEqual(origin.forDevice(back), back, "A reference that is the device's already changes again")
  }
}
