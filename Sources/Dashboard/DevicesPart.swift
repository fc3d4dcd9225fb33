import Codecs
import FoundationEssentials
import Mesh
import Trust
import XMPP

/// Devices, in a card for each node.
extension Home {
  func devices(_ groups: [NodeGroup]) -> PagePart {
    let isAlone = !groups.contains { $0.kind != .own }
    let hint = PagePart.Item(
      "nobody", classes: "note",
      """
      No other device is announced on this network yet. Where there should be some, <code>hearth doctor</code> finds out \
      why they are not heard.
      """)
    return PagePart(id: "devices", items: groups.map(card) + (isAlone ? [hint] : []))
  }

  /// Those that nobody has heard of for a day.
  func old(_ groups: [NodeGroup]) -> PagePart { PagePart(id: "old", items: groups.map(card)) }

  private func card(_ group: NodeGroup) -> PagePart.Item {
    let devices = group.devices.map { device($0, in: group) }.joined()
    let state = "<span class=\"state\">\(group.state.rawValue)</span>"
    return PagePart.Item(
      group.id, classes: "card \(group.state.rawValue)",
      """
      <h3><bdi>\(HTML.escaped(title(group)))</bdi> \(state)</h3><p class="note">\(about(group))</p>\
      \(devices.isEmpty ? "" : "<ul class=\"devices\">\(devices)</ul>")
      """)
  }

  private func title(_ group: NodeGroup) -> String {
    if group.kind == .own { return "This computer" }
    return book == nil ? group.machine : group.petname?.text ?? group.machine
  }

  /// What the node is to this one, and the way to change that.
  private func about(_ group: NodeGroup) -> String {
    var words: [String] = []
    if title(group) != group.machine { words.append("<bdi>\(HTML.escaped(group.machine))</bdi>") }
    switch group.kind {
    case .own: break
    case .friend:
      words.append(
        isRenounced(group) ? "a friend, and does not list you: \(ask(group.first, "ask again"))" : "a friend")
    case .stranger: words.append("not a friend: \(friendship(group.first))")
    case .plaintext: words.append(group.first.standing == .plaintext ? "shows no key: it may be anyone" : "")
    case .blocked: words.append("blocked by you")
    }
    if let node = group.node { words.append("<code>\(node.short)</code>") }
    if let server = group.server { words.append("through <bdi>\(HTML.escaped(server))</bdi>") }
    if group.devices.isEmpty { words.append("nothing served") }
    if group.state != .online { words.append("last seen \(Page.time(group.seen))") }
    return words.filter { !$0.isEmpty }.joined(separator: " · ")
  }

  private func device(_ device: Device, in group: NodeGroup) -> String {
    let state =
      device.state == .online || device.state == group.state
      ? "" : "<span class=\"note\">\(device.state.rawValue), last seen \(Page.time(device.seen))</span>"
    let message = device.message.map { "<span>\(HTML.escaped($0))</span>" } ?? ""
    let isNews = device.state == .online && !device.isLocal
    return PagePart.Item.element(
      Self.elementID(device.jid), classes: "device \(device.state.rawValue)",
      news: isNews ? "\(device.name) is here" : nil,
      """
      \(icon(device))\
      <span class="name"><bdi>\(link(device))</bdi></span>\(message)\
      <span class="note"><bdi>\(HTML.escaped(device.jid.text))</bdi>\(device.http == false ? ", no pages" : "")</span>\
      \(standing(device))\(health(device).map(app) ?? "")\(state)
      """)
  }

  /// Of the app, where one may be asked for it; else a letter.
  private func icon(_ device: Device) -> String {
    let isAsked = device.http != false && device.state == .online && (device.isLocal || device.petname != nil)
    let letter = HTML.escaped(device.name.prefix(1).uppercased())
    let path = HTML.escaped(DashboardRoute.icon(device.jid).path)
    let inside = isAsked ? "<img src=\"\(path)\" alt=\"\" loading=\"lazy\" width=\"24\" height=\"24\">" : letter
    return "<span class=\"icon\" aria-hidden=\"true\">\(inside)</span>"
  }

  private func isRenounced(_ group: NodeGroup) -> Bool {
    book.map { FriendshipState.renounced(group.first, $0) != nil } == true
  }

  /// Of a device that is not what it says it is.
  private func standing(_ device: Device) -> String {
    switch device.standing {
    case .self, .friend, .stranger, .plaintext, .account, .blocked: ""
    case .changed, .mismatch:
      "<span class=\"bad\">CHANGED: another key than expected. \(ask(device, "What to do"))</span>"
    }
  }

  /// How far it has come.
  private func friendship(_ device: Device) -> String {
    guard let book else { return ask(device, "become friends") }
    switch FriendshipState(device, book) {
    case .asked: return ask(device, "you have asked")
    case .asks: return "it asks to be one"
    case .comparing: return "digits are being compared"
    default: return ask(device, "become friends")
    }
  }

  func ask(_ device: Device, _ words: String) -> String {
    "<a href=\"\(HTML.escaped(DashboardRoute.ask(device.jid).path))\">\(words)</a>"
  }

  /// Whether what answers for a device does.
  func app(_ report: HealthReport) -> String {
    let since = Page.time(report.since)
    switch report.health {
    case .unknown: return ""
    case .ok: return "<span class=\"note\">its app answers, since \(since)</span>"
    case .down(let reason):
      let why = book == nil ? "" : ": \(HTML.escaped(reason))"
      return "<span class=\"bad\">its app does not answer\(why), since \(since)</span>"
    }
  }
}
