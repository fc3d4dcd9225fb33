import Codecs
import FoundationEssentials
import Front
import Mesh
import Trust
import XMPP

/// What the dashboard shows, as it is at one moment.
///
/// More than eight properties: one for each thing that the page shows.
struct Home: Sendable {
  let front: FrontAddress
  let status: NodeStatus
  let id: NodeID
  let devices: [Device]
  /// nil where the reader may not change anything, and does not learn what the owner calls whom.
  var book: FriendBook?
  var invites: [IssuedInvites.Invite] = []
  /// The newest first.
  var requests: [RequestRecord] = []
  /// Services that can be stopped from the page.
  var stoppable: Set<String> = []
  let now: Date
  /// Whether a page is open that counts by itself: what else would change each second stays the same then.
  var isLive = false

  /// As it is now, for a reader of this kind.
  init(of node: Node, _ services: any OwnedServices, _ invites: IssuedInvites, for reader: LiveParts.Reader) async {
    self.init(
      front: reader.front, status: node.status(), id: node.trustService.id, devices: node.devices(), now: .now)
    guard reader.isOwner else { return }
    let book = node.trustService.current
    (self.book, self.invites) = (book, invites.open(book, now: now))
    requests = node.recentRequests()
    stoppable = await services.stoppable()
  }

  init(front: FrontAddress, status: NodeStatus, id: NodeID, devices: [Device], book: FriendBook? = nil, now: Date) {
    (self.front, self.status, self.id, self.devices, self.book, self.now) = (front, status, id, devices, book, now)
  }

  var machine: String { status.jid.domainpart }

  /// Of what answers for a device, as far as that is known.
  func health(_ device: Device) -> HealthReport? { status.health[device.jid] ?? device.health(now: now) }

  /// All that changes in an open page.
  var parts: [PagePart] {
    let (recent, old) = NodeGroup.all(of: self)
    return [problems, waiting, devices(recent), self.old(old)]
      + [services] + (book == nil ? [] : [invitesPart, friends, claimed, asked, blocked, recentPart])
  }

  /// A device's page, or its name where it has none.
  func link(_ device: Device) -> String {
    let name = HTML.escaped(device.name)
    return device.http == false ? name : "<a href=\"\(HTML.escaped(front.url(of: device.jid)))\">\(name)</a>"
  }

  static func elementID(_ device: JID) -> String { "d-" + DeviceLabel.label(of: device) }
}

/// A moment to come, counted down.
enum Countdown {
  static func html(to end: Date, in home: Home) -> String {
    let until = end.formatted(.iso8601)
    guard !home.isLive else { return "<span data-until=\"\(until)\"></span>" }
    let seconds = max(0, Int(end.timeIntervalSince(home.now).rounded(.up)))
    return "<span class=\"left\" data-until=\"\(until)\" style=\"--from:\(seconds);animation-duration:\(seconds)s\">"
      + "\(seconds)</span>"
  }
}
