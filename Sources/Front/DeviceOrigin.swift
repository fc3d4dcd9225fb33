import HTTPX
package import XMPP

/// A device as a browser sees it: at an origin of the front's, while the device knows itself by its `httpx` address.
///
/// URLs that name the one where the other is meant are translated, in both directions.
package struct DeviceOrigin: Sendable, Hashable {
  package let device: JID
  package let front: FrontAddress
  /// As the browser spells it: `http://thermostat--pi.localhost:8332`.
  package let text: String

  package init(of device: JID, at front: FrontAddress, as text: String? = nil) {
    self.device = device
    self.front = front
    self.text = text ?? front.origin(of: device)
  }

  /// A reference of the device's (RFC 3986 §4.1) for the browser: `httpx` URIs of any device, and whatever names this one,
  /// become addresses of the front; others stay.
  package func forBrowser(_ reference: String) -> String {
    let scheme = reference.prefix { $0 != ":" && $0 != "/" && $0 != "?" && $0 != "#" }
    let rest = reference[scheme.endIndex...]
    // `//thermostat@pi/` has the scheme of whatever page it is on.
    let hierarchy = scheme.isEmpty ? rest : rest.dropFirst()
    guard hierarchy.hasPrefix("//"), let uri = try? HTTPXURI("\(HTTPXURI.scheme):\(hierarchy)") else {
      return reference
    }
    if uri.jid == device, ["", "http", "https", "httpx", "web+httpx"].contains(scheme.lowercased()) {
      return text + uri.path + (uri.fragment.map { "#" + $0 } ?? "")
    }
    return ["httpx", "web+httpx"].contains(scheme.lowercased()) ? front.url(of: uri) : reference
  }

  /// An origin or a URL of the browser's for the device: those of the front become `httpx` URIs, others stay.
  package func forDevice(_ url: String) -> String {
    guard url.hasPrefix("http://") else { return url }
    let authority = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let isOwn = url[..<authority.endIndex].lowercased() == text
    guard let named = isOwn ? device : otherDevice(at: authority) else { return url }
    return "\(HTTPXURI.scheme)://\(HTTPXURI(jid: named).authority)\(url[authority.endIndex...])"
  }

  private func otherDevice(at authority: Substring) -> JID? {
    front.host(ofAuthority: authority).flatMap(FrontAddress.label(ofHost:)).flatMap(DeviceLabel.jid(ofLabel:))
  }
}
