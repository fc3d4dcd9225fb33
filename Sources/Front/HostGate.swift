import Codecs
package import HTTPTypes
package import HTTPX
package import XMPP

/// Decides what a request on the front's port is for, by its target and `Host` alone (RFC 9112 §3.2).
///
/// Each device is an origin of its own, so a name that is not exactly one of ours is refused: that is what keeps a
/// rebound DNS name from reaching a device as if it were the device's own page.
package struct HostGate: Sendable {
  package enum Destination: Hashable, Sendable {
    /// A device at its own origin, as the client spells it; `path` is the one to ask for.
    case device(JID, path: String, origin: String)
    /// The absolute form, from a program that knows `httpx`.
    case absolute(HTTPXURI)
    case dashboard(path: String, origin: String)
    /// `GET /` by address: people type `localhost:8332`.
    case redirectToDashboard
    /// 421 Misdirected Request (RFC 9110 §15.5.20), with the reason.
    case misdirected(String)
    /// 400, with the reason.
    case badRequest(String)
    /// 403: this is no open proxy.
    case notAProxy
  }

  package let front: FrontAddress
  /// The device with this label: a known one, or the one that the label stands for.
  private let device: @Sendable (String) -> JID?
  private let names: KnownNames

  package init(
    front: FrontAddress, names: KnownNames = KnownNames(), device: @escaping @Sendable (String) -> JID?
  ) {
    self.front = front
    self.names = names
    self.device = device
  }

  /// - Parameter request: its `path` is the request target as it came, in any form.
  package func destination(of request: HTTPRequest) -> Destination {
    guard request.method != .connect else { return .notAProxy }
    guard let target = request.path.flatMap(RequestTarget.init), target.isASCII else {
      return .badRequest("The request target has characters that belong percent-encoded.")
    }
    if target.form == .origin || target.form == .asterisk && request.method == .options {
      return named(request.authority ?? "", path: target.text, method: request.method)
    }
    return absolute(target.text, method: request.method)
  }

  private func absolute(_ target: String, method: HTTPRequest.Method) -> Destination {
    guard let colon = target.utf8.firstIndex(of: UInt8(ascii: ":")) else {
      return .badRequest("The request target is neither a path nor a URI.")
    }
    switch target[..<colon].lowercased() {
    case HTTPXURI.scheme:
      do {
        return .absolute(try HTTPXURI(target))
      } catch {
        return .badRequest(error.message)
      }
    case "http": return own(target[colon...].dropFirst(), method: method)
    default: return .notAProxy
    }
  }

  /// RFC 9112 §3.2.2: a server takes the absolute form of its own names as well, and `Host` does not count then.
  private func own(_ rest: Substring, method: HTTPRequest.Method) -> Destination {
    guard rest.hasPrefix("//") else { return .notAProxy }
    let authority = rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" }
    let path = rest[authority.endIndex...]
    let rooted = path.first == "/" ? String(path) : "/" + path
    let destination = proxied(String(authority), rooted) ?? named(String(authority), path: rooted, method: method)
    if case .misdirected = destination { return .notAProxy }
    return destination
  }

  /// A program that was told of a proxy asks it for a device's name at whatever port it would ask there: `http_proxy` helps
  /// where the C library does not know these names.
  private func proxied(_ authority: String, _ path: String) -> Destination? {
    let parts = authority.lowercased().split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 1 || parts.count == 2 && UInt16(parts[1]) != nil,
      let label = FrontAddress.label(ofHost: String(parts[0]))
    else { return nil }
    return labelled(label, path, origin: "http://" + authority.lowercased())
  }

  private func labelled(_ label: String, _ path: String, origin: String) -> Destination {
    if label == FrontAddress.dashboardLabel { return .dashboard(path: path, origin: origin) }
    guard let jid = device(label) else { return .misdirected("No device has the name “\(label)”.") }
    return .device(jid, path: path, origin: origin)
  }

  private func named(_ authority: String, path: String, method: HTTPRequest.Method) -> Destination {
    if let known = names[authority] { return .device(known.device, path: path, origin: known.origin) }
    guard let host = front.host(ofAuthority: authority) else {
      return .misdirected("“\(authority)” is not a name on port \(front.port) of this front.")
    }
    if LoopbackHost.names.contains(host) {
      return path == "/" && [.get, .head].contains(method)
        ? .redirectToDashboard : .misdirected("Devices are at their own names, not at “\(host)”.")
    }
    guard let label = FrontAddress.label(ofHost: host) else {
      return .misdirected("“\(host)” is not a name of this front; its names end in .\(FrontAddress.zone).")
    }
    let destination = labelled(label, path, origin: "http://" + authority.lowercased())
    // A label that is cut by a hash may be another device's tomorrow.
    if case .device(let jid, _, let origin) = destination, DeviceLabel.jid(ofLabel: label) == jid {
      names.learn(authority, .init(device: jid, origin: origin))
    }
    return destination
  }
}
