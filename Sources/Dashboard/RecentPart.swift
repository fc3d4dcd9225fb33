import Codecs
import FoundationEssentials
import HTTPTypes
import Mesh
import XMPP

/// The last requests that came in and went out: who opened what, and what came of it. For the owner alone.
extension Home {
  var recentPart: PagePart { PagePart(id: "recent", items: requests.prefix(DashboardLimits.requests).map(item)) }

  private func item(_ request: RequestRecord) -> PagePart.Item {
    let who = request.side == .sent ? "This computer" : request.who.map(HTML.escaped) ?? "Somebody"
    let target = HTML.escaped("\(request.method.rawValue) \(request.path)")
    // An id of a request is what its sender says, and may be there twice.
    let moment = Int(request.time.timeIntervalSince1970 * 1_000_000)
    return PagePart.Item(
      "q-\(request.side.rawValue)-\(request.id.text)-\(moment)", classes: "request",
      """
      <span><b><bdi>\(who == "self" ? "This computer" : who)</bdi></b> → <b><bdi>\(HTML.escaped(request.device.text))</bdi></b> \
      <bdi>\(target)</bdi></span><span class="note">\(outcome(request)) · \(bytes(request)) · \(ElapsedTime.text(seconds: request.duration / .seconds(1))) · \
      \(Page.time(request.time))</span>
      """)
  }

  private func outcome(_ request: RequestRecord) -> String {
    let failure = request.failure.map { "came to nothing (\(HTML.escaped($0)))" }
    return [request.status.map(String.init), failure].compactMap { $0 }.joined(separator: ", ")
  }

  private func bytes(_ request: RequestRecord) -> String {
    ByteCount.text(request.requestBytes + request.responseBytes)
  }

  /// Who used one of this node's services last.
  func lastUse(of device: JID?) -> String {
    guard let last = requests.first(where: { $0.side == .served && $0.device == device }) else { return "" }
    let who = last.who.map { $0 == "self" ? "this computer" : HTML.escaped($0) } ?? "somebody"
    return "<span class=\"note\">last asked by <bdi>\(who)</bdi>, \(Page.time(last.time))</span>"
  }
}
