import Codecs
package import HTTPEdge
import HTTPTypes
package import XMPP

/// The page between a link on another site and a device, where that link carries data: one click, which is then the
/// user's own and comes from the device's own origin.
package struct Confirmation: Sendable {
  package let device: JID
  package let origin: String
  /// With its query.
  package let path: String

  package init(of device: JID, at origin: String, path: String) {
    self.device = device
    self.origin = origin
    self.path = path
  }

  package func response() -> Response {
    // Whole, because a path may begin with two slashes.
    let url = HTML.escaped(origin + path)
    let body = """
      <p>Another site wants to open this on <b>\(HTML.escaped(device.text))</b>, with data of its choice:</p>
      <p><code>\(HTML.escaped(path))</code></p>
      <p><a class="button" href="\(url)">Open it</a></p>
      <p class="note">If you did not mean to, close this page: the device has not been asked for anything.</p>
      """
    return Page(status: .forbidden, title: "Open \(device.text)?", body: body).response()
  }
}
