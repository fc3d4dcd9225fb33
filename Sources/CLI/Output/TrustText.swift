import Control
import FoundationEssentials

/// Friends and requests as people read them.
enum TrustText {
  static func friends(_ list: FriendList) -> [String] {
    guard !list.friends.isEmpty || !list.blocked.isEmpty else {
      return ["No friends yet: `hearth invite` prints a line for `hearth join` on another node."]
    }
    var lines: [String] = []
    if !list.friends.isEmpty {
      var table = TextTable(header: ["NAME", "NODE", "STATE", "SINCE", "BY", "DEVICES"])
      table.rows = list.friends.map {
        [
          $0.petname, $0.short, $0.online ? "online" : "away", day($0.since), $0.origin,
          $0.devices.joined(separator: " "),
        ]
      }
      lines += table.lines
    }
    if !list.blocked.isEmpty {
      var table = TextTable(header: ["BLOCKED", "WAS", "SINCE"])
      table.rows = list.blocked.map { [$0.id, $0.petname ?? "-", day($0.since)] }
      lines += (lines.isEmpty ? [] : [""]) + table.lines
    }
    return lines
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

  /// As in `2026-11-22`, in UTC.
  static func day(_ date: Date) -> String {
    date.formatted(.iso8601.year().month().day())
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
