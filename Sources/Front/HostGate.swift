package import HTTPTypes
import HTTPX
package import XMPP

/// Decides what a request on the front's port is for, by its target and Host alone (RFC 9112 §3.2).
///
/// Each device is an origin of its own, `http://<label>.localhost:8332`, so a name that is not exactly one of ours is
/// refused: that is what keeps a page of another site, or a rebound DNS name, from reaching a device as if it were it.
package struct HostGate: Sendable {
  package enum Destination: Hashable, Sendable {
    /// The path is the one to ask the device for.
    case device(JID, path: String)
    case dashboard
    /// `GET /` by address: people type `localhost:8332`.
    case redirectToDashboard
    /// 421 Misdirected Request (RFC 9110 §15.5.20), with the reason.
    case misdirected(String)
    /// 400, with the reason.
    case badRequest(String)
    /// 403: this is no open proxy.
    case notAProxy
  }

  package static let dashboardLabel = "hearth"
  /// The zone that browsers resolve to loopback by themselves (RFC 6761 §6.3).
  package static let zone = "localhost"

  /// The TCP port in the Host field of every request for us.
  package let port: Int
  /// The device with this label, where one is known.
  private let device: @Sendable (String) -> JID?

  package init(port: Int, device: @escaping @Sendable (String) -> JID?) {
    self.port = port
    self.device = device
  }

  /// - Parameter request: its `path` is the request target as it came, in origin form or absolute form.
  package func destination(of request: HTTPRequest) -> Destination {
    let target = request.path ?? ""
    if request.method == .connect { return .notAProxy }
    if target.hasPrefix("/") { return named(request.authority ?? "", path: target, method: request.method) }
    guard let colon = target.firstIndex(of: ":"), target[colon...].hasPrefix("://") else {
      return target == "*" ? .badRequest("Nothing here answers OPTIONS *.") : .badRequest("The target is no path.")
    }
    switch target[..<colon].lowercased() {
    case HTTPXURI.scheme: return absolute(target)
    case "http": return ownAbsolute(target[colon...].dropFirst(3), method: request.method)
    default: return .notAProxy
    }
  }

  private func absolute(_ target: String) -> Destination {
    do {
      let uri = try HTTPXURI(target)
      return .device(uri.jid, path: uri.path)
    } catch {
      return .badRequest(error.message)
    }
  }

  /// RFC 9112 §3.2.2: a server takes the absolute form of its own names as well.
  private func ownAbsolute(_ rest: Substring, method: HTTPRequest.Method) -> Destination {
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    let path = rest[end...]
    let destination = named(
      String(rest[..<end]), path: path.hasPrefix("/") ? String(path) : "/" + path, method: method)
    if case .misdirected = destination { return .notAProxy }
    return destination
  }

  private func named(_ authority: String, path: String, method: HTTPRequest.Method) -> Destination {
    guard var host = hostOfOurPort(authority) else {
      return .misdirected("“\(authority)” is not a name on port \(port) of this front.")
    }
    if host.hasSuffix(".") { host.removeLast() }
    if ["localhost", "127.0.0.1", "[::1]"].contains(host) {
      return path == "/" && [.get, .head].contains(method)
        ? .redirectToDashboard : .misdirected("Devices are at their own names, not at “\(host)”.")
    }
    guard host.hasSuffix("." + Self.zone) else {
      return .misdirected("“\(host)” is not a name of this front; its names end in .\(Self.zone).")
    }
    let label = String(host.dropLast(Self.zone.count + 1))
    if label == Self.dashboardLabel { return .dashboard }
    guard let jid = device(label) ?? DeviceLabel.jid(ofLabel: label) else {
      return .misdirected("No device has the name “\(label)”.")
    }
    return .device(jid, path: path)
  }

  /// The lower-case host of `host[:port]`, nil where the port is not ours. Port 80 may go unsaid.
  private func hostOfOurPort(_ authority: String) -> String? {
    let authority = authority.lowercased()
    if authority.hasSuffix(":\(port)") { return String(authority.dropLast(":\(port)".count)) }
    return port == 80 && !authority.hasSuffix("]") && !authority.contains(":") ? authority : nil
  }
}
