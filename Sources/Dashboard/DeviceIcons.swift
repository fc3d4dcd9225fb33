import Codecs
import Front
import HTTPEdge
import HTTPTypes
import HTTPX
import Mesh
import NIOCore
import Synchronization
import XMPP

/// The icons that apps have at `/favicon.ico`, fetched through the mesh and kept for a while, so that the dashboard shows them at
/// its own origin: at the device's it would be another site, which may load nothing there.
///
/// Only pictures without programs in them, told by their first bytes, and only of this node's devices and friends': nobody else is
/// asked for anything before somebody opens it.
final class DeviceIcons: Sendable {
  private struct Icon: Sendable {
    let type: String
    let bytes: ByteBuffer
  }

  private struct Known: Sendable {
    /// nil where it has none.
    let icon: Icon?
    let since: ContinuousClock.Instant
  }

  private let known = Mutex<[JID: Known]>([:])
  private let via = Via()

  /// The device's icon; where it has none, its first letter.
  func response(for device: Device, _ node: Node) async -> Response {
    guard let icon = await icon(of: device.jid, node) else {
      return Self.response("image/svg+xml", Body(Self.letter(device.name)), DashboardLimits.missingIconAge)
    }
    return Self.response(icon.type, Body(icon.bytes), DashboardLimits.iconAge)
  }

  private func icon(of device: JID, _ node: Node) async -> Icon? {
    let now = ContinuousClock.now
    if let known = known.withLock({ $0[device] }) {
      let age = known.icon == nil ? DashboardLimits.missingIconAge : DashboardLimits.iconAge
      if now - known.since < age { return known.icon }
    }
    let icon = await fetch(device, node)
    known.withLock { known in
      if known.count >= DashboardLimits.icons, let oldest = known.min(by: { $0.value.since < $1.value.since }) {
        known[oldest.key] = nil
      }
      known[device] = Known(icon: icon, since: now)
    }
    return icon
  }

  private func fetch(_ device: JID, _ node: Node) async -> Icon? {
    await withTaskGroup(of: Icon?.self) { group in
      group.addTask { try? await self.ask(device, node) }
      group.addTask {
        try? await Task.sleep(for: DashboardLimits.iconTime)
        return nil
      }
      defer { group.cancelAll() }
      return await group.next() ?? nil
    }
  }

  private func ask(_ device: JID, _ node: Node) async throws -> Icon? {
    let route = try node.route(to: device)
    guard route.isTrusted else { return nil }
    var head = HTTPRequest(
      method: .get, scheme: HTTPXURI.scheme, authority: route.authority, path: "/favicon.ico",
      headerFields: [.accept: "image/*"])
    via.mark(request: &head.headerFields, RequestID())
    var icon: Icon?
    try await node.send(HTTPXRequest(head, body: .empty), along: route) { response in
      guard response.head.status == .ok else { return }
      let bytes = try await response.body.collect(upTo: DashboardLimits.iconBytes)
      icon = Self.type(of: bytes).map { Icon(type: $0, bytes: bytes) }
    }
    return icon
  }

  /// What browsers call favicons, but for those that are documents (SVG).
  static func type(of bytes: ByteBuffer) -> String? {
    let signatures: [(type: String, start: [UInt8], at: Int)] = [
      ("image/png", [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], 0), ("image/x-icon", [0, 0, 1, 0], 0),
      ("image/gif", Array("GIF8".utf8), 0), ("image/jpeg", [0xFF, 0xD8, 0xFF], 0),
      ("image/webp", Array("WEBP".utf8), 8),
    ]
    return signatures.first { bytes.readableBytesView.dropFirst($0.at).starts(with: $0.start) }?.type
  }

  /// As the page shows it where there is nothing to ask for.
  private static func letter(_ name: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><style>text{font:600 16px system-ui,sans-serif;fill:#55545e}\
    @media(prefers-color-scheme:dark){text{fill:#b3b2bd}}</style><text x="18" y="24" text-anchor="middle">\
    \(HTML.escaped(name.prefix(1).uppercased()))</text></svg>
    """
  }

  /// A picture even where somebody opens it as a page.
  private static func response(_ type: String, _ body: Body, _ age: Duration) -> Response {
    Response(
      status: .ok,
      headers: [
        .contentType: type, .contentLength: "\(body.length ?? 0)", .xContentTypeOptions: "nosniff",
        .cacheControl: "private, max-age=\(age.components.seconds)",
        .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      ], body: body)
  }
}
