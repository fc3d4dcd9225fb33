import Codecs
import Control
import HTTPTypes
import HTTPX
import XMPP

/// What `hearth get -v` tells on standard error, in curl's manner: `*` of the device, `>` what was asked, `<` what came.
enum VerboseText {
  /// Of a request, and whom it goes to. Throws what the daemon's list of devices throws.
  static func before(_ head: HTTPRequest, _ uri: HTTPXURI, _ client: ControlClient) async throws -> String {
    let devices = try await client.devices(all: true)
    let device = devices.first { JID(bare: $0.jid) == uri.jid }
    let fields = head.headerFields.map { "> \($0.name): \($0.value)\n" }.joined()
    return Printable.lines(
      "* \(text(of: device, uri.jid))\n> \(head.method.rawValue) \(uri.path) HTTP/1.1\n> Host: \(uri.authority)\n\(fields)>\n"
    )
  }

  static func after(_ response: HTTPResponse) -> String {
    let fields = response.headerFields.map { "< \($0.name): \($0.value)\n" }.joined()
    return Printable.lines("< \(statusLine(response))\n\(fields)<\n")
  }

  static func statusLine(_ response: HTTPResponse) -> String {
    let reason = response.status.phrase
    return "HTTP/1.1 \(response.status.code)\(reason.isEmpty ? "" : " \(reason)")"
  }

  private static func text(of device: DeviceResource?, _ jid: JID) -> String {
    guard let device else { return "\(jid) is not on the link" }
    let who = [device.trust, device.petname].compactMap(\.self).joined(separator: " ")
    let places = device.addresses.map { "\($0.address) port \($0.port) (\($0.interface))" }.joined(separator: ", ")
    let stream = device.trust == "self" ? "within this node" : device.encrypted == false ? "not encrypted" : "over TLS"
    return "\(device.jid): \(who), \(device.state.rawValue)\(places.isEmpty ? "" : ", at \(places)"), \(stream)"
      + (device.node.map { "\n* key of the node \($0)" } ?? "")
  }
}
