import FoundationEssentials
import HTTPTypes
package import HTTPX
package import HummingbirdCore
package import Mesh
import XMPP

/// The list of devices at `http://hearth.localhost:8332/`.
package struct Dashboard: Sendable {
  package let front: FrontAddress

  package init(front: FrontAddress) {
    self.front = front
  }

  func response(to request: HTTPRequest, path: String, devices: () -> [Device]) -> Response {
    guard [.get, .head].contains(request.method) else {
      return .own(.methodNotAllowed, type: "text/plain", "GET or HEAD.\n", fields: [.allow: "GET, HEAD"])
    }
    guard path.prefix(while: { $0 != "?" }) == "/" else {
      return Page(status: .notFound, title: "Not found", body: "<p><a href=\"/\">All devices</a></p>").response()
    }
    return page(devices())
  }

  /// Those with pages first, as far as that is known; those that are gone stay, with the time when they were last seen.
  package func page(_ devices: [Device]) -> Response {
    let sorted = devices.filter { $0.http != false } + devices.filter { $0.http == false }
    let list =
      sorted.isEmpty
      ? "<p>No device is announced on this network yet. Serve one: <code>hearth serve NAME TARGET</code></p>"
      : "<ul>\n\(sorted.map(item).joined())</ul>"
    return Page(status: .ok, title: "Devices", body: list).response()
  }

  private func item(_ device: Device) -> String {
    let name = Page.escaped(device.name)
    let link = device.http == false ? name : "<a href=\"\(Page.escaped(front.url(of: device.jid)))\">\(name)</a>"
    let message = device.message.map { "<span>\(Page.escaped($0))</span>" } ?? ""
    let seen = device.state == .online ? "" : "<span class=\"note\">last seen \(Page.time(device.seen))</span>"
    return """
      <li class="\(device.state.rawValue)"><span class="name">\(link)</span>\
      <span class="state">\(device.state.rawValue)</span>\(message)\
      <span class="note">\(Page.escaped(device.jid.text))\(device.http == false ? ", no pages" : "")</span>\(seen)</li>

      """
  }
}
