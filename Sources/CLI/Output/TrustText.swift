import Control
import Dashboard
import FoundationEssentials
import XMPP

/// Friends and requests as people read them.
enum TrustText {
  static func friends(_ list: FriendList, width: Int? = nil) -> [String] {
    guard !list.friends.isEmpty || !list.claimed.isEmpty || !list.blocked.isEmpty else {
      return ["No friends yet: `hearth invite` prints a line for `hearth join` on another node."]
    }
    var lines: [String] = []
    if !list.friends.isEmpty {
      var table = TextTable(header: ["NAME", "NODE", "STATE", "SINCE", "BY", "DEVICES"])
      table.rows = list.friends.map {
        [
          $0.petname, $0.short, ($0.online ? "online" : "away") + ($0.renounced == nil ? "" : ", one-sided"),
          LocalTime.day($0.since), $0.origin,
          $0.devices.joined(separator: " "),
        ]
      }
      lines += table.lines(fitting: width, shortening: [5, 0])
    }
    if !list.blocked.isEmpty {
      var table = TextTable(header: ["BLOCKED", "WAS", "SINCE"])
      table.rows = list.blocked.map { [$0.id, $0.petname ?? "-", LocalTime.day($0.since)] }
      lines += (lines.isEmpty ? [] : [""]) + table.lines
    }
    return lines
  }

  /// What the owner should know of friendships that only one side knows of: one line each.
  static func oneSided(_ list: FriendList) -> [String] {
    let friends = list.friends.filter { $0.renounced != nil }.map { friend in
      renounced(friend.petname, friend.renounced, friend.devices.first.flatMap { JID(bare: $0) })
    }
    let others = list.claimed.map { node in
      let mend = node.jid.flatMap { JID(bare: $0) }.map { "`\(Command.request($0))` makes you friends again, " }
      return
        "hearth: \(node.jid ?? "the node") (\(node.short)) lists you as a friend, and is none of yours: \(mend ?? "")"
        + "`hearth friends block \(node.short)` lets it do nothing here"
    }
    return (friends + others).map(Printable.clean)
  }

  /// - Parameter device: one of the friend's, by which it can be asked.
  static func renounced(_ petname: String, _ since: Date?, _ device: JID?) -> String {
    let when = since.map { ", as came out on \(LocalTime.day($0))" } ?? ""
    return "hearth: \(petname) does not list you as a friend any more\(when): "
      + (device.map { "`\(Command.request($0))` asks again" } ?? "`hearth friends remove \(petname)` ends it here, too")
  }

  /// All that waits for somebody's word, with what to do about it.
  static func requests(_ list: RequestList, now: Date) -> [String] {
    var lines: [String] = []
    if list.permit.open { lines.append(openDoor(list.permit.seconds)) }
    lines += pairing(list.pairing)
    for request in list.requests {
      let (jid, address) = (request.jid ?? "A node", request.address.map { " at \($0)" } ?? "")
      lines.append("\(jid)\(address) wants to be a friend, \(DeviceTable.age(now.timeIntervalSince(request.since)))")
      if let greeting = request.greeting { lines.append("  says  “\(greeting)”") }
      lines += ["  hearth accept \(request.id)", "  hearth reject \(request.short)"]
    }
    for contact in list.contacts {
      lines.append("\(contact) wants to be a contact of this node's account")
      lines += ["  hearth accept \(contact)", "  hearth reject \(contact)"]
    }
    for asked in list.asked {
      let age = DeviceTable.age(now.timeIntervalSince(asked.since))
      lines.append("You asked \(asked.jid ?? asked.short) (\(asked.short)), \(age), and wait for an answer")
      lines.append("  hearth requests withdraw \(asked.short)   to take it back")
    }
    return lines.isEmpty ? ["Nothing waits."] : lines.map(Printable.clean)
  }

  private static func pairing(_ pairing: PairingResource) -> [String] {
    guard let short = pairing.short else { return [] }
    let peer = pairing.jid.map { "\($0) (\(short))" } ?? short
    guard let digits = pairing.digits else { return ["Comparing digits with \(peer): waiting for the other side"] }
    return ["Compare digits with \(peer): \(grouped(digits))", "  hearth befriend   to confirm them, or not"]
  }

  static func openDoor(_ seconds: Int) -> String { "The door is open: requests are accepted for \(seconds) s" }

  /// `123 456`: what people read to each other.
  static func grouped(_ digits: String) -> String {
    let half = (digits.count + 1) / 2
    return "\(digits.prefix(half)) \(digits.dropFirst(half))"
  }

  /// An event that somebody at a terminal wants to see while the door is open or digits are compared; nil for others.
  static func event(_ event: EventResource) -> String? {
    let who = event.fields["petname"] ?? event.fields["jid"] ?? event.fields["node"] ?? "a node"
    return switch event.event {
    case "friend-added": Printable.clean("\(who) is a friend now (\(event.fields["node"] ?? "?"))")
    case "request-waiting": Printable.clean("\(who) wants to be a friend: see hearth requests")
    default: nil
    }
  }
}
