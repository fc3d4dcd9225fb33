import Codecs
import HTTPEdge
import HTTPTypes
import XMPP

/// The page before a device that is no node of a friend's, and is reached over XMPP servers: who reads along there.
struct ServerNotice {
  let device: JID
  let servers: [String]
  let origin: String
  /// With its query.
  let path: String

  init(of device: JID, over servers: [String], at origin: String, path: String) {
    (self.device, self.servers, self.origin, self.path) = (device, servers, origin, path)
  }

  func response() -> Response {
    let names = servers.map { "<b><bdi>\(HTML.escaped($0))</bdi></b>" }.joined(separator: " and ")
    // Whole, because a path may begin with two slashes.
    let url = HTML.escaped(origin + path)
    let body = """
      <p><b><bdi>\(HTML.escaped(device.text))</bdi></b> is not on this network. It is reached over the XMPP \
      \(servers.count == 1 ? "server" : "servers") \(names), which can read and change all that passes, and say who it is.</p>
      <p><a class="button" href="\(url)">Open it</a></p>
      <p class="note">Devices of friends are another matter: their keys keep servers out. You are told once, until this node is \
      started again.</p>
      """
    return Page(status: .forbidden, title: "Open \(device.text)?", body: body).response()
  }
}
