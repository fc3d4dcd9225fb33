import Codecs
package import FoundationEssentials
package import Front
package import HTTPEdge
import HTTPTypes
package import Mesh
package import Trust
package import XMPP

/// The page at `http://hearth.localhost:8332/`: what waits for the owner, and the devices.
package struct DevicesPage: Sendable {
  package let front: FrontAddress

  package init(front: FrontAddress) {
    self.front = front
  }

  /// Those with pages first, as far as that is known; those that are gone stay, with the time when they were last seen.
  ///
  /// - Parameters:
  ///   - book: nil where the reader may not change anything, and does not learn what the owner calls whom.
  ///   - health: of what answers for devices of this node.
  package func response(
    _ devices: [Device], _ book: FriendBook?, health: [JID: HealthReport] = [:], now: Date
  ) -> Response {
    let sorted = devices.filter { $0.http != false } + devices.filter { $0.http == false }
    let list =
      sorted.isEmpty
      ? "<p>No device is announced on this network yet. Serve one: <code>hearth serve NAME TARGET</code></p>"
      : "<ul>\n\(sorted.map { item($0, book, health[$0.jid] ?? $0.health(now: now)) }.joined())</ul>"
    var page = Page(status: .ok, title: "Devices", body: list)
    if let book {
      let pending = PendingDecisions(book, now: now)
      page.body = pending.html + list
      page.hasForms = true
      // Not where a name is being typed.
      if pending.isUnderWay { page.refresh = DashboardLimits.refresh }
    } else {
      page.body += "\n<p class=\"note\">What waits for an answer is shown to \(DashboardCaller.whoMay).</p>"
    }
    return page.response()
  }

  private func item(_ device: Device, _ book: FriendBook?, _ health: HealthReport?) -> String {
    let name = HTML.escaped(device.name)
    let link = device.http == false ? name : "<a href=\"\(HTML.escaped(front.url(of: device.jid)))\">\(name)</a>"
    let message = device.message.map { "<span>\(HTML.escaped($0))</span>" } ?? ""
    let seen = device.state == .online ? "" : "<span class=\"note\">last seen \(Page.time(device.seen))</span>"
    return """
      <li class="\(device.state.rawValue) \(device.standing.word)"><span class="name"><bdi>\(link)</bdi></span>\
      <span class="state">\(device.state.rawValue)</span>\(message)\
      <span class="note"><bdi>\(HTML.escaped(device.jid.text))</bdi>\(device.http == false ? ", no pages" : "")</span>\
      <span class="note trust">\(trust(device, book))</span>\(health.map { app($0, book) } ?? "")\(seen)</li>

      """
  }

  /// Whether what answers for a device does.
  private func app(_ report: HealthReport, _ book: FriendBook?) -> String {
    let since = Page.time(report.since)
    switch report.health {
    case .unknown: return ""
    case .ok: return "<span class=\"note\">its app answers, since \(since)</span>"
    case .down(let reason):
      let why = book == nil ? "" : ": \(HTML.escaped(reason))"
      return "<span class=\"note down\">its app does not answer\(why), since \(since)</span>"
    }
  }

  /// What the device is to this node, and the way to change that.
  private func trust(_ device: Device, _ book: FriendBook?) -> String {
    let word = device.standing.word
    let ask = "href=\"\(HTML.escaped(DashboardRoute.ask(device.jid).path))\""
    switch device.standing {
    case .friend(let petname): return book == nil ? word : "\(word) \(HTML.escaped(petname.text))"
    case .stranger:
      let isAsked = book?.asked.contains { $0.id == device.node || $0.jid == device.jid } ?? false
      return "\(word) · <a \(ask)>\(isAsked ? "asked for friendship" : "become friends")</a>"
    case .changed(let expected, let seen):
      return "\(word): expected the node <code>\(expected)</code>, saw \(node(seen)) · <a \(ask)>what to do</a>"
    case .mismatch(let announced, let seen):
      return "\(word): announced as <code>\(HTML.escaped(announced))</code>, saw \(node(seen)) · "
        + "<a \(ask)>what to do</a>"
    case .self, .plaintext, .blocked: return word
    }
  }

  private func node(_ id: NodeID?) -> String { id.map { "<code>\($0)</code>" } ?? "none" }
}
