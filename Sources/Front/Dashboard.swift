import HTTPTypes
package import HummingbirdCore
package import Mesh
import XMPP

/// The list of devices at `http://hearth.localhost:8332/`.
package struct Dashboard: Sendable {
  /// The front's TCP port, for the addresses of the devices.
  package let port: Int

  package init(port: Int) {
    self.port = port
  }

  package func page(_ devices: [Device]) -> Response {
    let shown = devices.filter { $0.state != .gone }
    let table =
      shown.isEmpty
      ? "<p>No device is announced on this network yet. Serve one: <code>hearth serve NAME TARGET</code></p>"
      : "<table><tr><th>Device<th>Address<th>State<th>About</tr>\n\(shown.map(row).joined())</table>"
    return Page(status: .ok, title: "Devices", body: table).response()
  }

  private func row(_ device: Device) -> String {
    let url = Page.escaped(DeviceURL.front(of: device.jid, port: port))
    let name = Page.escaped(device.name)
    let link = device.http == false ? name : "<a href=\"\(url)\">\(name)</a>"
    return """
      <tr class="\(device.state.rawValue)"><td>\(link)<td>\(Page.escaped(device.jid.text))\
      <td>\(device.state.rawValue)<td>\(Page.escaped(device.message ?? ""))</tr>

      """
  }
}
